"""How a finding was made, for a paper and for a machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Table = tuple[Sequence[str], Sequence[Sequence[object]]]


@dataclass(frozen=True, eq=False)
class Made:
    """A finding's making.

    Attributes
    ----------
    methods : str
        A paragraph ready for a paper.
    scripts : tuple of (name, text)
        Python scripts that recompute the finding from ``data``; names are those of the packages used. A file is called
        otherwise: one with a package's own name would be imported in its place.
    data : (header, rows) or None
        What the scripts read.
    data_name : str
        The file name under which they look for it.
    stamp : tuple of str
        Cohort, outcome, filter, fingerprint and versions, where they are not those of the page as a whole.
    """

    methods: str
    scripts: tuple[tuple[str, str], ...] = ()
    data: Table | None = None
    data_name: str = ""
    stamp: tuple[str, ...] = ()
