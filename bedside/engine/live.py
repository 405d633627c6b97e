"""A cohort that stays where it is: counted in its source, its rows brought only when they are asked for.

live = open_live(folder, engine_of_source=...)        # bedside.intake.from_source
live = live.select(selection)                         # counted, nothing read
event_tables(engine_of(live), outcome, groups)        # as for any cohort
live.page(first=50), live.row(name), live.bring()     # rows, as ordinary cohorts
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from bedside.cohort.cohort import Cohort
from bedside.cohort.outcome import Outcome, Source, Treatment
from bedside.cohort.selection import Selection, check_kinds
from bedside.cohort.variable import Variable
from bedside.engine.ask import EVERYONE
from bedside.engine.restricted import RestrictedEngine
from bedside.engine.rows import cohort_of_rows, in_order
from bedside.engine.sql import SqlEngine
from bedside.errors import Fixable

MOST_ROWS = 200_000
"""Rows that are brought at most."""
MOST_CELLS = 20_000_000
PAGE = 50

Progress = Callable[[float, str], None]


class RowsStay(Fixable):
    """A stop where rows are needed of a cohort whose rows stay in their source.

    Attributes
    ----------
    n : int
        How many there are.
    can_come : bool
        Whether so many may be brought.
    """

    def __init__(self, n: int, source: str, *, n_columns: int = 1) -> None:
        self.n, self.can_come = n, n <= MOST_ROWS and n * n_columns <= MOST_CELLS
        most = min(MOST_ROWS, MOST_CELLS // max(n_columns, 1))
        super().__init__(
            "This needs the rows themselves.",
            f"They stay in {source}, and only counts are read from there."
            if self.can_come
            else f"{n:,} patients in {source} are more than are brought at once ({most:,}).",
            "Bring the rows." if self.can_come else "Set a filter that fewer patients meet.",
        )


@dataclass(frozen=True)
class Described:
    """What is known of a live cohort without a row of it; as in `Cohort`, and where it comes from.

    Attributes
    ----------
    source_name : str
        Of the configured source, as it is shown.
    table : str
        As it is shown.
    left_out : tuple of (reason, rows)
        Rows of the table that are no patients of the cohort.
    """

    key: str
    title: str
    short_title: str
    summary: str
    population: str
    identifier: str | None
    variables: tuple[Variable, ...]
    outcomes: tuple[Outcome, ...]
    treatment: Treatment | None
    source: Source
    readings: tuple[str, ...] = ()
    source_name: str = ""
    table: str = ""
    left_out: tuple[tuple[str, int], ...] = ()
    seal: str = field(default="", repr=False)


class LiveCohort(Cohort):
    """Patients who are counted where they are.

    Parameters
    ----------
    told : Described
    engine : SqlEngine
        Holds all of them.
    as_of : datetime
        The moment of which everything is counted, with a zone.
    n : int
        How many the filter keeps.
    chosen : Selection
        The filter in force.
    close : callable
        Lets go of the source; shared by all that was selected from one.

    Attributes
    ----------
    fingerprint : str
        Of source, table, dictionary, moment and filter; never of rows.
    frame, rows
        Raise `RowsStay`.
    """

    def __init__(
        self,
        told: Described,
        engine: SqlEngine,
        *,
        as_of: datetime,
        n: int,
        chosen: Selection = EVERYONE,
        close: Callable[[], None],
    ) -> None:
        seal = "\x1f".join((told.seal, told.key, as_of.astimezone(UTC).isoformat(), chosen.to_text()))
        own: dict[str, Any] = {
            **{name: getattr(told, name) for name in _SAME},
            "visits": None, "external": (), "made_scores": (),
            "fingerprint": hashlib.sha256(seal.encode()).hexdigest(),
            "described": told, "base": engine, "as_of": as_of, "chosen": chosen, "_n": n, "_close": close,
        }  # fmt: skip
        self.__dict__.update(own)

    described: Described
    base: SqlEngine
    as_of: datetime
    chosen: Selection
    _n: int
    _close: Callable[[], None]

    def __len__(self) -> int:
        return self._n

    @property
    def frame(self) -> pd.DataFrame:  # type: ignore[override]
        """Raises `RowsStay`."""
        raise self.stay()

    @property
    def rows(self) -> np.ndarray:  # type: ignore[override]
        """Raises `RowsStay`."""
        raise self.stay()

    @property
    def source_name(self) -> str:
        """Of the configured source, as it is shown."""
        return self.described.source_name

    @property
    def left_out(self) -> tuple[tuple[str, int], ...]:
        """Rows of the table that are no patients of the cohort: reason and number."""
        return self.described.left_out

    @property
    def engine(self) -> SqlEngine | RestrictedEngine:
        """Holds the patients whom the filter keeps."""
        return self.base if self.chosen.is_everyone else RestrictedEngine(self.base, self.chosen)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that an ordinary cohort would have."""
        of_outcomes = (name for outcome in self.outcomes for name in outcome.columns)
        names = dict.fromkeys((*(v.name for v in self.variables), *of_outcomes))
        return tuple(names)

    def stay(self) -> RowsStay:
        """The stop where rows are needed."""
        return RowsStay(self._n, self.source_name, n_columns=len(self.columns))

    def select(self, selection: Selection) -> LiveCohort:
        """The patients whom one more filter keeps: they are counted, and nothing of them is read.

        Raises
        ------
        Fixable
            If a clause does not fit the cohort, nobody is left, or the source does not answer.
        """
        if selection.is_everyone:
            return self
        check_kinds(selection, self)
        whole = Selection((*self.chosen.groups, *selection.groups))
        (n,) = self.base.sizes((whole,))
        if not n:
            raise Fixable(
                "No patient is left.",
                "The filters together describe nobody in this cohort.",
                "Remove one of the filters, or widen it.",
            )
        return LiveCohort(self.described, self.base, as_of=self.as_of, n=n, chosen=whole, close=self._close)

    kept_by = select

    def sizes(self, selections: Sequence[Selection]) -> tuple[int, ...]:
        """How many patients each selection holds, counted in the source in one pass."""
        for selection in selections:
            check_kinds(selection, self)
        return self.engine.sizes(selections)

    def bring(self, progress: Progress | None = None, columns: Sequence[str] | None = None) -> Cohort:
        """The patients with their rows, as an ordinary cohort.

        Parameters
        ----------
        progress : callable, optional
        columns : sequence of str, optional
            Variables that are needed; by default all. Identifier and outcomes come in any case.

        Raises
        ------
        RowsStay
            If there are too many of them.
        Fixable
            If the rows are not what the dictionary says, or the source does not answer.
        """
        names = self._wanted(columns)
        stop = RowsStay(self._n, self.source_name, n_columns=len(names))
        if not stop.can_come:
            raise stop
        tell = progress or (lambda share, sentence: None)
        tell(0.02, f"Asking {self.source_name}")
        # They are put in order here: a database that is asked to may fetch them one by one along an index.
        rows = self.engine.rows(names, most=self._n, progress=lambda share, said: tell(0.05 + 0.8 * share, said))
        tell(0.9, "Reading the rows")
        return cohort_of_rows(self, in_order(rows, self.identifier), names)

    def page(
        self, *, first: int = 0, most: int = PAGE, holding: str = "", selection: Selection = EVERYONE
    ) -> Cohort | None:
        """Some patients, in the order of their identifiers' bytes, as an ordinary cohort; None if there are none.

        Parameters
        ----------
        first, most : int
            Patients passed over, and the most that come; never more than 500.
        holding : str
            Only patients whose identifier holds this text, in either case.
        selection : Selection
            A filter beside the one in force.
        """
        names = self._wanted(None)
        rows = self.engine.rows(
            names, selection=selection, order=self._named(), first=first, most=min(most, 10 * PAGE), holding=holding
        )
        return cohort_of_rows(self, rows, names, first=first) if rows.num_rows else None

    def row(self, name: str) -> Cohort | None:
        """One patient by identifier, as an ordinary cohort of one; None if the filter keeps nobody of that name."""
        names = self._wanted(None)
        for loosely in (False, True):
            rows = self.engine.rows(names, order=self._named(), name=name, loosely=loosely, most=1)
            if rows.num_rows:
                return cohort_of_rows(self, rows, names)
        return None

    def close(self) -> None:
        """Let go of the source: nothing can be counted afterwards."""
        self._close()

    def _named(self) -> str:
        if self.identifier is None:
            raise Fixable(
                "Patients can't be told apart.",
                f"The table in {self.source_name} has no identifier, so that its rows have no order of their own.",
                "Name the identifier in the dictionary.",
            )
        return self.identifier

    def _wanted(self, columns: Sequence[str] | None) -> tuple[str, ...]:
        if columns is None:
            return self.columns
        of_outcomes = {name for outcome in self.outcomes for name in outcome.columns}
        wanted = {*columns, self.identifier} | of_outcomes
        return tuple(name for name in self.columns if name in wanted)


_SAME = (
    "key", "title", "short_title", "summary", "population", "identifier", "variables", "outcomes", "treatment",
    "source", "readings",
)  # fmt: skip
