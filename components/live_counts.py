"""Live cohorts on the pages: counted where they are, as of one moment, which the session keeps until it counts anew.

Counts come as cohorts of few columns, which curves and tests take as any other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from bedside import survival
from bedside.cohort import Cohort, Outcome
from bedside.cohort.balance import Imbalance, largest_imbalance
from bedside.cohort.groups import Grouping
from bedside.cohort.selection import Selection
from bedside.cohort.table_one import FollowUp, Summary, followup, summarise
from bedside.engine import groups_by_selection, groups_of, summary_of
from bedside.engine.counted import (
    CountedCohort,
    CountedGrouping,
    came_so_far,
    counted_cohort,
    curves_of,
    followup_of,
    imbalance_of,
)
from bedside.engine.gone import SourceGone
from bedside.engine.live import LiveCohort, RowsStay
from bedside.errors import Faults, Fixable
from bedside.intake import Entry
from components import live

Kept = Callable[[tuple[Any, ...], Callable[[], Any]], Any]
"""`desk.kept`."""
By = tuple[str, str | tuple[float, ...] | None]
"""A variable that patients are grouped by, and where it is cut."""

MOMENTS, ROWS, WANTED, ASKED, SHOWN = "live_moments", "live_rows", "live_rows_wanted", "live_asked", "live_stops"
PATIENTS = "live_patients"
MOST_COUNTED = 8
"""Counted cohorts that a session holds on to: each can be as long as there are patients."""
MOST_OPENED = 200
"""Patients whom a session has opened, so that their tokens can be read again."""


def begin() -> None:
    """A new run: nothing needs rows yet."""
    st.session_state[WANTED] = False
    st.session_state[SHOWN] = 0


# ------------------------------------------------------------------ opening


def stays(of: Cohort) -> bool:
    """True for a cohort whose rows stay in their source."""
    return isinstance(of, LiveCohort)


def is_counted(of: Cohort) -> bool:
    """True for a cohort of which only counts are known here: one that stays in its source, or counts of it."""
    return isinstance(of, LiveCohort | CountedCohort)


def need_rows(of: Cohort) -> None:
    """Stop where a cohort is only counted.

    Raises
    ------
    RowsStay
        With the way to the rows.
    """
    origin = of.origin if isinstance(of, CountedCohort) else of
    if isinstance(origin, LiveCohort):
        raise origin.stay()


def opened(entry: Entry) -> Cohort:
    """The cohort: its rows where they were brought, else what counts them.

    Raises
    ------
    Fixable
        If its source is not configured, or can't be reached.
    """
    only(entry)
    here = brought(entry.key)
    return counting(entry) if here is None else here.rows


def only(entry: Entry) -> None:
    """Let go of rows that were brought of another version of a cohort."""
    here: Rows | None = st.session_state.get(ROWS)
    if here is not None and here.key == entry.key and here.folder != entry.folder:
        st.session_state.pop(ROWS)


def counting(entry: Entry) -> LiveCohort:
    """The cohort in its source, as of the moment that this session counts at."""
    moments = st.session_state.setdefault(MOMENTS, {})
    try:
        with st.spinner("Counting the cohort in its source"):
            moments[entry.key], found = live.POOL.get(entry, moments.get(entry.key))
    except Faults:
        raise
    except Fixable as stop:
        raise SourceGone(stop.what, stop.why, stop.next_step) from None
    return found


def anew(key: str) -> None:
    """Count a cohort as of now; rows that were brought are let go."""
    st.session_state.setdefault(MOMENTS, {})[key] = live.NEW
    st.session_state.pop(ROWS, None)
    st.session_state.pop(ASKED, None)


def way_out(stop: Fixable) -> tuple[str, str, Callable[..., None]] | None:
    """The button that belongs to a stop of a live cohort: what stands on it, its key and what it does."""
    key = st.session_state.get("cohort") or ""
    st.session_state[SHOWN] = number = st.session_state.get(SHOWN, 0) + 1
    if isinstance(stop, RowsStay) and stop.can_come:
        return "Bring the rows", f"live_bring_{number}", partial(ask, key)
    if isinstance(stop, SourceGone):
        return "Try again", f"live_again_{number}", partial(anew, key)
    return None


# ------------------------------------------------------------------ rows


@dataclass(frozen=True, eq=False)
class Rows:
    """What was brought of a cohort: everybody's rows, or those of a filter, as of a moment."""

    key: str
    rows: Cohort
    filter: str
    as_of: datetime
    source_name: str
    folder: Path


def want_rows() -> None:
    """What is drawn from here on in this run needs rows."""
    st.session_state[WANTED] = True


def ask(key: str) -> None:
    """Bring the rows of a cohort as soon as the page is drawn."""
    st.session_state[ASKED] = key


def asked(key: str) -> bool:
    """True if the reader wants the rows of a cohort."""
    return st.session_state.get(ASKED) == key


def brought(key: str) -> Rows | None:
    """The rows of a cohort that this session has: those of everybody, or of the filter where the page needs them."""
    here: Rows | None = st.session_state.get(ROWS)
    if here is None or here.key != key:
        return None
    if not here.filter:
        return here
    kept_for, chosen = st.session_state.get("filter", (None, Selection()))
    same = kept_for == key and chosen.to_text() == here.filter
    return here if same and st.session_state.get(WANTED) else None


def hold(rows: Rows) -> None:
    """Keep the rows of a cohort, instead of any that were brought before."""
    st.session_state[ROWS] = rows
    st.session_state.pop(ASKED, None)


def open_patient(mark: str, name: str) -> None:
    """Remember in this session whom a token stands for: the source has identifiers, and no tokens."""
    known = st.session_state.setdefault(PATIENTS, {})
    known[mark] = name
    while len(known) > MOST_OPENED:
        known.pop(next(iter(known)))


def opened_patient(mark: str) -> str | None:
    """Whom a token stands for, if this session opened that patient."""
    return st.session_state.get(PATIENTS, {}).get(mark)


# ------------------------------------------------------------------ counts


def with_columns(of: Cohort, names: tuple[str, ...], kept: Kept) -> Cohort:
    """The patients with these columns, counted in the source where they are not here."""
    origin = of.origin if isinstance(of, CountedCohort) else of
    if not isinstance(origin, LiveCohort):
        return of
    return _counted(origin, names, None, kept)[0]


def grouped(of: Cohort, by: By | Selection, columns: tuple[str, ...], kept: Kept) -> Grouping:
    """Patients of a live cohort in groups: by a variable, or the selected and everyone else."""
    assert isinstance(of, LiveCohort)  # the caller has looked
    found = _counted(of, columns, by, kept)[1]
    assert found is not None
    return found


def _counted(
    of: LiveCohort, columns: tuple[str, ...], by: By | Selection | None, kept: Kept
) -> tuple[CountedCohort, CountedGrouping | None]:
    shelf = kept(("counted",), dict)
    said = by.to_text() if isinstance(by, Selection) else repr(by)
    key = (of.fingerprint, tuple(dict.fromkeys(columns)), said)
    if key not in shelf:
        groups = None
        if isinstance(by, Selection):
            groups = groups_by_selection(of.engine, by)
        elif by is not None:
            groups = groups_of(of.engine, of.variable(by[0]), cuts=by[1])
        shelf[key] = counted_cohort(of, of.engine, columns, groups)
        while len(shelf) > MOST_COUNTED:
            shelf.pop(next(iter(shelf)))
    else:
        shelf[key] = shelf.pop(key)
    return shelf[key]


def curves(
    of: Cohort,
    end: Outcome,
    groups: Grouping | None,
    *,
    level: float = 0.95,
    interval: survival.Interval = "log-log",
    estimator: survival.Estimator = "kaplan-meier",
    entry: str | None = None,
) -> tuple[survival.Curve, ...]:
    """Survival curves without weights or a later start, one per group."""
    told = {"level": level, "interval": interval, "estimator": estimator, "entry": entry}
    counts = groups is None or isinstance(groups, CountedGrouping)
    if isinstance(of, CountedCohort) and counts:
        return curves_of(of, end, groups, **told)
    return survival.curves_by(of, end, groups, **told)


def follow_up(of: Cohort, end: Outcome, kept: Kept) -> FollowUp:
    """Patients, events and median follow-up."""
    held = with_columns(of, end.columns, kept)
    return followup_of(held, end) if isinstance(held, CountedCohort) else followup(held, end)


def summary(of: Cohort, name: str) -> Summary:
    """One variable over all patients."""
    variable = of.variable(name)
    if isinstance(of, LiveCohort):
        return summary_of(of.engine, variable)
    return summarise(variable, of.frame[name])


def imbalance(of: Cohort, end: Outcome, groups: Grouping, alive_at: float) -> Imbalance | None:
    """The continuous predictor in which two groups differ most, among those followed for longer than a time."""
    if isinstance(groups, CountedGrouping) and isinstance(groups.cohort.origin, LiveCohort):
        return imbalance_of(groups, groups.cohort.origin.engine, end, alive_at)
    return largest_imbalance(of, came_so_far(of, end, groups, alive_at))
