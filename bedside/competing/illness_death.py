"""From two outcomes of a cohort to three states: before the first event, after it, and dead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bedside.cohort import Cohort, Outcome, convert
from bedside.cohort.groups import Grouping
from bedside.competing.histories import Histories, histories
from bedside.competing.multistate_cox import MultiStateCox, multi_state_cox
from bedside.competing.occupation import Occupation, occupation
from bedside.errors import Fixable
from bedside.regression.design import Design, design, spec_of
from bedside.regression.model import Ties
from bedside.regression.terms import Term
from bedside.survival.checks import merge_ties
from bedside.survival.intervals import Interval

BEFORE = -1.0
"""When everybody's first row begins, so that an event at time 0 has somebody at risk."""


@dataclass(frozen=True, eq=False)
class IllnessDeath:
    """Histories of a cohort's patients through two outcomes.

    Attributes
    ----------
    rows : Histories
        ``rows.rows`` are places in the cohort.
    occupations : tuple of Occupation
        One for each group that has patients.
    transitions : array, shape (3, 4)
        From each state (rows) to each state and, last, censored there.
    n_same_time : int
        Patients whose two events share a time: the first event was put half a step earlier.
    n_after : int
        Patients whose first event is recorded after the end of their follow-up for the second; it is left out.
    n_cut : int
        Patients whose follow-up for the first event ended, without it, before that for the second: what they were in
        afterwards is not known, so they are censored there.
    """

    rows: Histories
    occupations: tuple[Occupation, ...]
    transitions: np.ndarray
    n_same_time: int
    n_after: int
    n_cut: int


@dataclass(frozen=True, eq=False)
class IllnessDeathModel:
    """Cox models of the three transitions, with the design and the rows they were fitted to.

    ``rows.rows`` are places in the cohort, complete cases only.
    """

    design: Design
    fit: MultiStateCox
    level: float
    rows: Histories


def illness_death(
    cohort: Cohort,
    first_outcome: Outcome,
    terminal_outcome: Outcome,
    grouping: Grouping | None = None,
    *,
    tau: float | None = None,
    level: float = 0.95,
    interval: Interval = "log-log",
) -> IllnessDeath:
    """Chances of being before the first event, after it, and past the terminal one, by group.

    Parameters
    ----------
    cohort : Cohort
    first_outcome : Outcome
        Such as progression. If other events compete with it, only its own counts here.
    terminal_outcome : Outcome
        Such as death; times are in its unit.
    grouping : Grouping, optional
        Patients with code -1 are in no group.
    tau : float, optional
        Also the mean time in each state up to here.
    level, interval
        As `occupation`.

    Raises
    ------
    Fixable
        If the outcomes are one, nobody has a group, or a time is not usable.

    References
    ----------
    Fix & Neyman (1951), Hum Biol 23:205-241; Putter, Fiocco & Geskus (2007), Stat Med 26:2389-2430.
    R: ``tmerge`` with both events, then ``survfit(Surv(start, stop, event) ~ group, id = id)``.
    """
    rows, counts = _histories(cohort, first_outcome, terminal_outcome)
    codes = np.zeros(len(cohort), dtype=np.int64) if grouping is None else grouping.codes
    labels = ("All patients",) if grouping is None else grouping.labels
    if not (codes >= 0).any():
        raise Fixable("No curves.", "The value that patients are compared by is missing for all of them.",
                      "Choose another grouping.")  # fmt: skip
    found = tuple(
        occupation(
            rows.take(codes[rows.rows] == code), group=label, unit=terminal_outcome.unit, tau=tau, level=level,
            interval=interval,
        )
        for code, label in enumerate(labels)
        if (codes[rows.rows] == code).any()
    )  # fmt: skip
    return IllnessDeath(rows, found, rows.take(codes[rows.rows] >= 0).transitions, *counts)


def illness_death_model(
    cohort: Cohort,
    first_outcome: Outcome,
    terminal_outcome: Outcome,
    terms: Sequence[Term | str],
    *,
    ties: Ties = "efron",
    level: float = 0.95,
) -> IllnessDeathModel:
    """A Cox model of each transition between the three states, complete cases only.

    Raises
    ------
    Fixable
        As `illness_death`, `design` and `multi_state_cox`.
    """
    made = design(cohort, terminal_outcome, spec_of(cohort, terms))
    rows, _ = _histories(cohort, first_outcome, terminal_outcome)
    place = np.full(len(cohort), -1)
    place[made.data.rows] = np.arange(len(made.data))
    kept = rows.take(place[rows.rows] >= 0)
    x = np.zeros((len(cohort), made.data.x.shape[1]))
    x[made.data.rows] = made.data.x
    return IllnessDeathModel(made, multi_state_cox(kept, x, names=made.data.names, ties=ties), level, kept)


def _histories(cohort: Cohort, first: Outcome, terminal: Outcome) -> tuple[Histories, tuple[int, int, int]]:
    if first.key == terminal.key:
        raise Fixable(
            "No states to follow.",
            "Both outcomes are the same one.",
            "Choose two outcomes, such as recurrence and death.",
        )
    scale = convert(1.0, first.unit, terminal.unit)
    onset, ill = cohort.time(first) * scale, cohort.cause(first) == 1
    end, dead = cohort.time(terminal), cohort.cause(terminal) > 0
    # Before anything is compared: half a step would be taken for rounding noise afterwards.
    start = _starts(cohort, terminal)
    late = np.isfinite(start)
    merged = merge_ties(np.concatenate((onset, end, start[late])))
    onset, end, start[late] = np.split(merged, (len(onset), 2 * len(onset)))
    after = ill & (onset > end)
    cut = ~ill & (onset < end) & (cohort.cause(first) == 0)
    ill = ill & ~after
    end, dead = np.where(cut, onset, end), dead & ~cut
    same = ill & (onset == end) & dead
    onset = np.where(same, onset - _half_step(end), onset)
    ill &= onset > start
    # Ill at the very end of follow-up, and not dead: nothing is known after it.
    again = ill & (end > onset)
    patients = np.arange(len(cohort))
    known = start < end
    one, two = known, known & again
    rows = histories(
        np.concatenate((patients[one], patients[two])),
        np.concatenate((start[one], onset[two])),
        np.concatenate((np.where(ill, onset, end)[one], end[two])),
        np.concatenate((np.where(ill, 1, 2 * dead)[one], 2 * dead[two])),
        states=(first.free_phrase, first.cause_labels[0], terminal.label),
        tied=True,
    )
    source = np.concatenate((patients[one], patients[two]))
    placed = Histories(
        rows.states, rows.subject, rows.start, rows.stop, rows.origin, rows.target, rows.final, source[rows.rows]
    )
    return placed, (int(same.sum()), int(after.sum()), int(cut.sum()))


def _starts(cohort: Cohort, terminal: Outcome) -> np.ndarray:
    """When each patient came under observation; NaN where not recorded, who are then in no row."""
    entry = cohort.entry(terminal)
    return np.full(len(cohort), BEFORE) if entry is None else entry.copy()


def _half_step(times: np.ndarray) -> float:
    """Half the smallest gap between two times at which follow-up ended."""
    gaps = np.diff(np.unique(np.append(times, 0.0)))
    return float(gaps.min() / 2) if len(gaps) else 0.5
