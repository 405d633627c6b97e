"""Patients in groups, for curves side by side."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bedside.cohort.cohort import Cohort
from bedside.cohort.selection import Selection
from bedside.cohort.variable import UNSHARED, Variable
from bedside.cohort.wording import exact, say_range, sentence_case
from bedside.errors import Fixable

PARTS = {2: "halves", 3: "thirds", 4: "quarters", 5: "fifths"}


@dataclass(frozen=True, eq=False)
class Grouping:
    """Who belongs to which group.

    Parameters
    ----------
    labels : tuple of str
        One for each group, in clinical order; every group has patients.
    codes : array of int, shape (n_patients,)
        Position of each patient's group in ``labels``; -1 where the variable
        was not recorded.
    dropped_missing : int
        How many patients have -1.
    title : str
        What the patients are grouped by.
    """

    labels: tuple[str, ...]
    codes: np.ndarray
    dropped_missing: int
    title: str


def group_by(cohort: Cohort, variable_name: str, *, cuts: str | tuple[float, ...] | None = None) -> Grouping:
    """Group patients by a variable.

    Parameters
    ----------
    cohort : Cohort
        The patients.
    variable_name : str
        A grouped or continuous variable.
    cuts : "quantiles:k" with k from 2 to 5, tuple of float, or None
        Where a continuous variable is cut; a value equal to a cut-point
        belongs to the group above it. None takes the dictionary's clinical
        cut-points, else thirds. Quantiles are rounded to one decimal more
        than the variable is said with, so that label and group agree; with
        many equal values groups are of unequal size or fewer. Ignored for a
        variable with levels.

    Returns
    -------
    Grouping
        Groups without patients are left out.

    Raises
    ------
    Fixable
        If the variable names patients, or the cut-points are not ascending
        finite numbers.
    """
    variable = cohort.variable(variable_name)
    check_shared(variable)
    if variable.is_grouping:
        codes = cohort.frame[variable_name].cat.codes.to_numpy().astype(np.int64)
        return _grouping(level_labels(variable, cohort.frame[variable_name].cat.categories), codes, variable.label)
    values = cohort.frame[variable_name].to_numpy(dtype=float)
    points, labels, title = cut_points(variable, values, cuts)
    codes = np.where(np.isnan(values), -1, np.searchsorted(points, values, side="right"))
    return _grouping(labels, codes, title)


def check_shared(variable: Variable) -> None:
    """Refuse a variable that names patients."""
    if variable.kind in UNSHARED:
        raise Fixable(
            f"Patients cannot be grouped by “{variable.label}”.",
            "It holds names, dates or free text, which differ from patient to patient.",
            "Choose a variable with levels or numbers.",
        )


def level_labels(variable: Variable, codes: Iterable[str]) -> tuple[str, ...]:
    """What groups of these levels are called; levels that look alike, or like nothing, show their code."""
    named = {level.code: level.label for level in variable.levels}
    counted = Counter(map(_seen, named.values()))
    said = {
        code: text if counted[_seen(text)] == 1 and _seen(text) else f"{text} [{code}]" if _seen(text) else code
        for code, text in named.items()
    }
    return tuple(_label(variable, said[code] if code in said else variable.label_of(code)) for code in codes)


def _seen(text: str) -> str:
    """What a reader sees of a text."""
    return "".join(c for c in text if c.isprintable()).strip()


def largest(grouping: Grouping, most: int) -> Grouping:
    """Only the largest groups, in their order; patients of the others have -1, and are not counted as missing."""
    if len(grouping.labels) <= most:
        return grouping
    sizes = np.bincount(grouping.codes[grouping.codes >= 0], minlength=len(grouping.labels))
    kept = np.sort(np.argsort(-sizes, kind="stable")[:most])
    place = np.full(len(grouping.labels) + 1, -1, dtype=np.int64)
    place[kept] = np.arange(most)
    return Grouping(
        tuple(grouping.labels[i] for i in kept), place[grouping.codes], grouping.dropped_missing, grouping.title
    )


def cut_points(
    variable: Variable, values: np.ndarray, cuts: str | tuple[float, ...] | None
) -> tuple[np.ndarray, tuple[str, ...], str]:
    """Where a variable with these values is cut, what the intervals are called, lowest first, and all of them together.

    Parameters
    ----------
    variable : Variable
        A continuous one.
    values : array, shape (n_patients,)
        In any order, NaN where missing.
    cuts : str, tuple of float, or None
        As in `group_by`.
    """
    points, title = _cut_points(variable, values, cuts)
    return points, _interval_labels(variable, points, values), title


def group_by_selection(cohort_all: Cohort, selection: Selection) -> Grouping:
    """ "Selected patients" against "Everyone else".

    Parameters
    ----------
    cohort_all : Cohort
        The cohort before the selection.
    selection : Selection
        Who is selected.

    Raises
    ------
    Fixable
        If one of the two groups would be empty.
    """
    chosen = selection.mask(cohort_all)
    if chosen.all() or not chosen.any():
        raise Fixable(
            "There are no two groups to compare.",
            "Everyone is selected." if chosen.all() else "Nobody is selected.",
            "Set a filter that some patients meet and others do not.",
        )
    return Grouping(("Selected patients", "Everyone else"), np.where(chosen, 0, 1), 0, "Selection")


def _grouping(labels: tuple[str, ...], codes: np.ndarray, title: str) -> Grouping:
    """Groups that have patients, numbered anew."""
    found = np.flatnonzero(np.bincount(codes[codes >= 0], minlength=len(labels)))
    place = np.full(len(labels) + 1, -1, dtype=np.int64)
    place[found] = np.arange(len(found))
    return Grouping(tuple(labels[i] for i in found), place[codes], int((codes < 0).sum()), title)


def _cut_points(variable: Variable, values: np.ndarray, cuts: str | tuple[float, ...] | None) -> tuple[np.ndarray, str]:
    if cuts is None:
        cuts = variable.cutpoints or "quantiles:3"
    if not isinstance(cuts, str):
        points = np.asarray(cuts, dtype=float)
        if not np.isfinite(points).all() or (np.diff(points) <= 0).any():
            raise Fixable(
                f"“{variable.label}” could not be cut.",
                "Cut-points must be numbers, each larger than the one before.",
                "Correct the cut-points.",
            )
        return points, variable.label
    k = int(cuts.removeprefix("quantiles:")) if cuts in {f"quantiles:{k}" for k in PARTS} else 0
    if not k:
        raise Fixable(
            f"“{variable.label}” could not be cut.",
            "It can be cut into halves, thirds, quarters or fifths, or at numbers.",
            "Choose one of these.",
        )
    known = values[~np.isnan(values)]
    if not known.size:
        return np.array([]), variable.label
    points = np.quantile(known, np.arange(1, k) / k)
    points = np.ceil(points) if _whole(known) else np.round(points, _decimals(variable, known) + 1)
    return np.unique(points), f"{variable.label}, {PARTS[k]}"


def _decimals(variable: Variable, known: np.ndarray) -> int:
    if variable.decimals is not None:
        return variable.decimals
    usual = float(np.median(np.abs(known)))
    return 0 if usual == 0 else max(0, 2 - math.floor(math.log10(usual)))


def _interval_labels(variable: Variable, points: np.ndarray, values: np.ndarray) -> tuple[str, ...]:
    if not points.size:
        return (_label(variable, "any value"),)
    known = values[~np.isnan(values)]
    whole = _whole(known) and _whole(points)
    last = say_range(variable, points[-1], points[-1] if known.size and known.max() == points[-1] else None)
    inner = list(pairwise(points))
    if whole:
        lowest = points[0] - 1
        first = say_range(variable, lowest if known.size and known.min() == lowest else None, lowest)
        between = [say_range(variable, low, high - 1) for low, high in inner]
    else:
        first = "under " + variable.with_unit(exact(variable, points[0]))
        between = [variable.with_unit(f"{exact(variable, a)} to under {exact(variable, b)}") for a, b in inner]
    return tuple(_label(variable, said) for said in (first, *between, last))


def _label(variable: Variable, said: str) -> str:
    return sentence_case(variable.within_phrase(said) if variable.phrase else said)


def _whole(values: np.ndarray) -> bool:
    return bool(np.all(values == np.round(values)))
