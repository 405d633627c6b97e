"""An engine with a filter in force: whatever is asked is asked of the rows that the filter keeps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from bedside.cohort.selection import Selection
from bedside.engine.ask import EVERYONE, Counted, Key, Level, Number, Text
from bedside.engine.sql import SqlEngine


class RestrictedEngine:
    """The rows of another engine that a filter keeps.

    Parameters
    ----------
    engine : SqlEngine
        Holds all rows.
    chosen : Selection
        The filter.
    """

    def __init__(self, engine: SqlEngine, chosen: Selection) -> None:
        self._engine, self._chosen = engine, chosen

    def counts(self, keys: Sequence[Key], selection: Selection = EVERYONE) -> Counted:
        """As `Engine.counts`."""
        return self._engine.counts(keys, self._both(selection))

    def sizes(self, selections: Sequence[Selection]) -> tuple[int, ...]:
        """As `Engine.sizes`."""
        return self._engine.sizes([self._both(selection) for selection in selections])

    def page(
        self,
        columns: Sequence[Level | Number | Text],
        *,
        order: str,
        selection: Selection = EVERYONE,
        first: int = 0,
        most: int = 50,
    ) -> tuple[np.ndarray, ...]:
        """As `Engine.page`."""
        return self._engine.page(columns, order=order, selection=self._both(selection), first=first, most=most)

    def row(self, columns: Sequence[Level | Number | Text], *, order: str, name: str) -> tuple[np.ndarray, ...]:
        """As `Engine.row`."""
        return self._engine.row(columns, order=order, name=name, selection=self._chosen)

    def rows(self, columns: Sequence[str], *, selection: Selection = EVERYONE, **told: object) -> pa.Table:
        """As `SqlEngine.rows`."""
        return self._engine.rows(columns, selection=self._both(selection), **told)  # type: ignore[arg-type]

    def _both(self, selection: Selection) -> Selection:
        return Selection((*self._chosen.groups, *selection.groups))
