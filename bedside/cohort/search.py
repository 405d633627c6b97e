"""Finding patients by what a reader types."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bedside.cohort.cohort import Cohort


def find_rows(cohort: Cohort, names: Sequence[str], text: str) -> np.ndarray:
    """Rows whose identifier or values hold a text, the best match first.

    Parameters
    ----------
    cohort : Cohort
        Where to look.
    names : sequence of str
        Variables whose shown values count, besides the identifier.
    text : str
        What is looked for, without regard to case; empty text finds everyone.

    Returns
    -------
    array of int, shape (n_found,)
        Row positions: an identifier that is the text itself comes first, then
        identifiers that begin with it, then all others in cohort order.
    """
    everyone = np.arange(len(cohort))
    wanted = text.strip().casefold()
    if not wanted:
        return everyone
    names_of = [name.casefold() for name in cohort.identifiers]
    rank = np.array([_rank(name, wanted) for name in names_of])
    hit = rank < NONE
    for name in names:
        variable, column = cohort.variable(name), cohort.frame[name]
        if variable.is_grouping:
            codes = [level.code for level in variable.levels if wanted in level.label.casefold()]
            hit |= column.isin(codes).to_numpy()
    found = everyone[hit]
    return found[np.argsort(rank[hit], kind="stable")]


NONE = 3


def _rank(name: str, wanted: str) -> int:
    if name == wanted:
        return 0
    if name.startswith(wanted):
        return 1
    return 2 if wanted in name else NONE
