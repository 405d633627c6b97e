"""From a cohort and what a reader chose to the rows and columns of a Cox model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bedside.cohort import Cohort, Outcome
from bedside.errors import Fixable
from bedside.regression.data import CoxData
from bedside.regression.source import CohortColumns, check_terms, columns_of, default_term
from bedside.regression.splines import spline_knots
from bedside.regression.terms import Column, Expanded, Spline, Term, expand, variables_of
from bedside.regression.trouble import NO_MODEL
from bedside.regression.visits import intervals


@dataclass(frozen=True)
class CoxSpec:
    """What a reader chose.

    Attributes
    ----------
    terms : tuple of Term
    strata : tuple of str
        Columns whose levels, all together, are not compared with each other.
    cluster, weights, offset : str or None
        Columns. Weights are case weights.
    entry : str or None
        Column with the time at which follow-up begins, in the outcome's unit, in place of the outcome's own.
    """

    terms: tuple[Term, ...]
    strata: tuple[str, ...] = ()
    cluster: str | None = None
    weights: str | None = None
    offset: str | None = None
    entry: str | None = None

    @property
    def asides(self) -> dict[str, str]:
        """The columns beside the terms and strata, by what they are for."""
        told = {"cluster": self.cluster, "weights": self.weights, "offset": self.offset, "entry": self.entry}
        return {use: column for use, column in told.items() if column is not None}


@dataclass(frozen=True, eq=False)
class Design:
    """Rows and columns of a Cox model, and what was left out.

    Attributes
    ----------
    data : CoxData
        Complete cases; `rows` are places in the cohort.
    columns : tuple of Column
        What each column of `data.x` stands for.
    terms : tuple of Term
        One for each of `data.terms`; knots of splines are settled.
    n_before : int
        Rows before those with something missing were left out.
    dropped : tuple of (str, int)
        For each variable that is missing somewhere, its name and in how many rows; rows may lack several.
    notes : tuple of str
        What a reader must know of how variables were read.
    """

    data: CoxData
    columns: tuple[Column, ...]
    terms: tuple[Term, ...]
    n_before: int
    dropped: tuple[tuple[str, int], ...]
    notes: tuple[str, ...]

    @property
    def n_dropped(self) -> int:
        """Rows left out because something was missing."""
        return self.n_before - len(self.data)


def spec_of(cohort: Cohort, terms: Sequence[Term | str], **others: object) -> CoxSpec:
    """A specification in which a bare column name stands for its default term."""
    return CoxSpec(tuple(default_term(cohort, t) if isinstance(t, str) else t for t in terms), **others)  # type: ignore[arg-type]


def design(
    cohort: Cohort,
    outcome: Outcome | str,
    spec: CoxSpec,
    *,
    event: np.ndarray | None = None,
    keep: np.ndarray | None = None,
) -> Design:
    """The rows and columns of a Cox model, complete cases only.

    Parameters
    ----------
    cohort : Cohort
    outcome : Outcome or str
        With competing events, the composite unless `event` is given.
    spec : CoxSpec
    event : array of bool, shape (n_patients,), optional
        The event in place of the outcome's own, for instance that of one cause.
    keep : array of bool, shape (n_patients,), optional
        Patients beyond whom nobody is taken.

    Raises
    ------
    Fixable
        If a variable can't be used, or nobody has all values.
    """
    outcome = cohort.outcome(outcome) if isinstance(outcome, str) else outcome
    rows = _Rows(
        columns_of(cohort),
        np.arange(len(cohort)),
        cohort.time(outcome),
        cohort.event(outcome) if event is None else np.asarray(event, dtype=bool),
        cohort.entry(outcome),
    )
    return _design(cohort, outcome, spec, rows if keep is None else rows.where(keep))


def design_visits(
    cohort: Cohort, outcome: Outcome | str, spec: CoxSpec, *, event: np.ndarray | None = None, carry: bool = True
) -> Design:
    """The same with covariates that change at visits: intervals (start, stop] with the last values known.

    A term's column that the visits hold is read from them, every other one from the patient's own row. A patient
    is at risk from the first visit on; visits after the end of follow-up are left out.

    Parameters
    ----------
    cohort : Cohort
        With visits.
    outcome, spec, event
        As `design`; `spec.entry` is not used.
    carry : bool, default True
        Whether a value not measured at a visit is the last one measured; else the interval is left out.

    Raises
    ------
    Fixable
        If the cohort has no visits, and as `design`.

    References
    ----------
    Therneau, Crowson & Atkinson, vignette "Using Time Dependent Covariates". R: ``tmerge`` with ``tdc``.
    """
    outcome = cohort.outcome(outcome) if isinstance(outcome, str) else outcome
    happened = cohort.event(outcome) if event is None else np.asarray(event, dtype=bool)
    names = tuple(dict.fromkeys(name for term in spec.terms for name in variables_of(term)))
    found = intervals(cohort, outcome, names, happened, carry=carry)
    rows = _Rows(found.columns, found.rows, found.stop, found.event, found.start)
    return _design(cohort, outcome, replace(spec, entry=None), rows, found.notes)


@dataclass(frozen=True, eq=False)
class _Rows:
    columns: CohortColumns
    rows: np.ndarray
    time: np.ndarray
    event: np.ndarray
    entry: np.ndarray | None

    def where(self, keep: np.ndarray) -> _Rows:
        entry = None if self.entry is None else self.entry[keep]
        return _Rows(self.columns.rows(keep), self.rows[keep], self.time[keep], self.event[keep], entry)


def _design(cohort: Cohort, outcome: Outcome, spec: CoxSpec, rows: _Rows, notes: tuple[str, ...] = ()) -> Design:
    notes += check_terms(cohort, outcome, spec.terms, rows.columns)
    gaps = _gaps(spec, rows.columns)
    gone = np.any(list(gaps.values()), axis=0) if gaps else np.zeros(len(rows.rows), dtype=bool)
    dropped = tuple((name, int(gap.sum())) for name, gap in gaps.items() if gap.any())
    if rows.entry is not None and spec.entry is None:
        gone |= np.isnan(rows.entry)
    if gone.all():
        worst = max(dropped, key=lambda pair: pair[1], default=("", 0))[0]
        why = f"Nobody has all the values; “{worst}” is missing most often." if worst else "There are no patients."
        raise Fixable(NO_MODEL, why, f"Leave out “{worst}”." if worst else "Widen the filter.")
    kept = rows.where(~gone)
    parts = [expand(term, kept.columns, kept.columns) for term in spec.terms]
    used = [i for i, part in enumerate(parts) if part.columns]
    notes += tuple(dict.fromkeys(note for part in parts for note in part.notes))
    notes += tuple(f"{part.name} is the same for every patient here." for part in parts if not part.columns)
    if not used:
        raise Fixable(NO_MODEL, notes[-1] if notes else "No variable was chosen.", "Choose another variable.")
    data = _data(spec, kept, [parts[i] for i in used])
    return Design(
        data=data,
        columns=tuple(
            replace(column, name=name)
            for name, column in zip(data.names, (c for i in used for c in parts[i].columns), strict=True)
        ),
        terms=tuple(_settled(spec.terms[i], kept.columns) for i in used),
        n_before=len(rows.rows),
        dropped=dropped,
        notes=notes,
    )


def _settled(term: Term, columns: CohortColumns) -> Term:
    """The term with the knots that were used."""
    if isinstance(term, Spline) and isinstance(term.knots, int):
        return Spline(term.column, spline_knots(columns.number(term.column), term.knots))
    return term


def _gaps(spec: CoxSpec, columns: CohortColumns) -> dict[str, np.ndarray]:
    """Where each variable is missing, by its name for people."""
    gaps: dict[str, np.ndarray] = {}
    for term in spec.terms:
        for name in variables_of(term):
            gaps[columns.name(name)] = _absent(columns, name)
    for name in (*spec.strata, *spec.asides.values()):
        gaps[columns.name(name)] = _absent(columns, name)
    return gaps


def _absent(columns: CohortColumns, name: str) -> np.ndarray:
    variable = columns.variables.get(name)
    if name not in columns.frame:
        raise Fixable("That column is not in this cohort.", f"“{name}” was not found.", "Choose one from the list.")
    if variable is not None and variable.is_numeric:
        return np.isnan(columns.number(name))
    return columns.frame[name].isna().to_numpy()


def _data(spec: CoxSpec, kept: _Rows, parts: list[Expanded]) -> CoxData:
    columns = kept.columns
    strata, labels = _strata(spec.strata, columns)
    cluster = None
    if spec.cluster is not None:
        cluster = np.unique(columns.frame[spec.cluster].astype(str).to_numpy(dtype=str), return_inverse=True)[1]
    return CoxData(
        x=np.column_stack([part.values for part in parts]),
        names=_told_apart([column.name for part in parts for column in part.columns]),
        assign=tuple(i for i, part in enumerate(parts) for _ in part.columns),
        terms=_told_apart([part.name for part in parts]),
        time=kept.time,
        event=kept.event,
        entry=kept.entry if spec.entry is None else columns.number(spec.entry),
        strata=strata,
        strata_labels=labels,
        weights=None if spec.weights is None else columns.number(spec.weights),
        cluster=cluster,
        offset=None if spec.offset is None else columns.number(spec.offset),
        rows=kept.rows,
    )


def _told_apart(names: list[str]) -> tuple[str, ...]:
    """Names with a number after those that were there before."""
    seen: dict[str, int] = {}
    told = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        told.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(told)


def _strata(names: tuple[str, ...], columns: CohortColumns) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Strata that have patients, numbered in the order of their levels, the last column varying fastest."""
    if not names:
        return None, ()
    codes, labels = np.zeros(len(columns.frame), dtype=np.int64), [""]
    for name in names:
        more, levels = columns.codes(name)
        said = [f"{columns.name(name)}: {columns.level(name, level)}" for level in levels]
        used, codes = np.unique(codes * max(len(levels), 1) + more, return_inverse=True)
        labels = [", ".join(filter(None, (labels[u // len(levels)], said[u % len(levels)]))) for u in used]
    return codes, tuple(labels)
