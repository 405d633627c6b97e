"""How a finding was made, for a paper and for a machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bedside.report.csv import csv_bytes, file_name

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


def sealed(made: Made) -> Made:
    """The same with a data file whose name no other data have: a script cannot read the wrong file unnoticed."""
    if made.data is None:
        return made
    data, (stem, _, ending) = csv_bytes(*made.data), made.data_name.rpartition(".")
    name = file_name(stem, data, ending)
    mark = name.removeprefix(stem)
    if made.data_name.endswith(mark):
        return made
    scripts = tuple((label, text.replace(made.data_name, name)) for label, text in made.scripts)
    return replace(made, scripts=scripts, data_name=name)
