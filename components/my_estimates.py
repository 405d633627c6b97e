"""The estimates of the reader who sits here: whose they are, what one is of, and whether they come first."""

from __future__ import annotations

import math
from collections.abc import Iterable
from hashlib import sha256

import numpy as np
import streamlit as st

from bedside.cohort import Cohort, Outcome, convert
from bedside.cohort.endpoint import KEY as OWN
from bedside.errors import Fixable
from bedside.risk.fitted import Fitted
from bedside.store.estimates import About, Estimate, Estimates
from bedside.store.key import patient_tokens, server_key
from components import desk, model_choice, numbers_validation, whose
from components.model_choice import Choice
from components.numbers_validation import Ask
from components.panels import horizon

FIRST = "my_estimate_first"
"""Of the session, and the name of the setting in the store."""
PASSED, SEEN, SEEN_ALL = "my_estimates_passed", "my_estimates_seen", "my_estimates_seen_all"
ANYWAY = "my_estimates_shown_anyway"
"""Of the session: the reader goes on although it can't be read whether their estimates come first."""
TROUBLE = "my_estimates_trouble"
"""What the last click ran into, to be said on the next page: (About or None, Fixable)."""


def book() -> Estimates:
    """The estimates of this reader.

    Raises
    ------
    Fixable
        If somebody signed in whom the identity provider did not name.
    """
    return Estimates(whose.reader())


# ------------------------------------------------------------------ whether they come first


def first() -> bool:
    """True while the reader's own estimate comes before the model's, as in the last session unless changed.

    Also while that can't be read, until the reader goes on all the same.
    """
    if unread() is not None:
        return not st.session_state.get(ANYWAY, False)
    return st.session_state[FIRST]


def unread() -> Fixable | None:
    """Why it is not known whether they come first; None where it is. Asked again until it can be read."""
    if FIRST not in st.session_state:
        try:
            st.session_state[FIRST] = book().setting(FIRST) not in (None, "off")
        except Fixable as stop:
            return stop
    return None


def tell_unread(stop: Fixable) -> None:
    """That it is not known, with the way out where nothing is shown."""
    desk.show(stop)
    if not st.session_state.get(ANYWAY, False):
        st.button("Show risks all the same", key="estimate_anyway", on_click=_anyway, help="In this session.")


def _anyway() -> None:
    st.session_state[ANYWAY] = True


def put_first(on: bool) -> None:
    """Let the reader's estimate come first, or not, from now on.

    Raises
    ------
    Fixable
        If it could be set for this session only.
    """
    st.session_state[FIRST] = on
    book().choose(FIRST, "on" if on else "off")


# ------------------------------------------------------------------ what an estimate is of


def definition(outcome: Outcome) -> str:
    """What an outcome is made of, whatever it is called."""
    own = desk.endpoint() if outcome.key == OWN else None
    made_of = outcome.model_dump_json(include={"time", "unit", "status", "entry", "censored", "event", "competing"})
    return sha256(f"{made_of}\x1f{own.to_text() if own else ''}".encode("utf-8", "backslashreplace")).hexdigest()


def about(cohort: Cohort, outcome: Outcome, row: int, choice: Choice) -> About:
    """What the reader is asked for: this patient, and the event that the chosen model predicts."""
    target = choice.target if outcome.has_competing else model_choice.ANY
    return About(cohort.key, outcome.key, definition(outcome), target, desk.token(cohort, row))


def passed(of: About) -> bool:
    """True if the reader went on without an estimate because none could be kept."""
    return of in st.session_state.get(PASSED, set())


def pass_by(of: About) -> None:
    """Go on without an estimate, in this session."""
    st.session_state[PASSED] = {*st.session_state.get(PASSED, set()), of}


def aware(of: About) -> bool:
    """True if what the model says of this patient and outcome was on the screen.

    In this session, or beside another estimate of theirs, whatever kind of event was asked for and also if it was
    deleted since.

    Raises
    ------
    Fixable
        If the estimates can't be read.
    """
    return (of.outcome, of.patient) in st.session_state.get(SEEN, set()) or book().met(of)


def saw(of: About) -> None:
    """The model's number of this patient is on the screen."""
    st.session_state.setdefault(SEEN, set()).add((of.outcome, of.patient))


def saw_all(cohort: Cohort, outcome: Outcome) -> None:
    """What the model says of each of these patients is on the screen, or can be scrolled to."""
    noted = (outcome.key, cohort.fingerprint)
    if noted not in st.session_state.setdefault(SEEN_ALL, set()):
        marks = patient_tokens(server_key(), cohort.key, cohort.identifiers)
        st.session_state.setdefault(SEEN, set()).update((outcome.key, mark) for mark in marks)
        st.session_state[SEEN_ALL].add(noted)


def saw_rows(cohort: Cohort, outcome: Outcome, rows: Iterable[int]) -> None:
    """The same of some of them."""
    st.session_state.setdefault(SEEN, set()).update((outcome.key, desk.token(cohort, int(row))) for row in rows)


# ------------------------------------------------------------------ the model's number beside it


def completed(found: Estimate, cohort: Cohort, outcome: Outcome, row: int, choice: Choice, model: Fitted) -> Estimate:
    """The estimate with the model's number at its own time, and with that of models that had not seen the patient.

    Nothing is computed but one patient's risk: whether a check on unseen patients is there depends on the session.

    Raises
    ------
    Fixable
        If the model can't say anything by then, or the numbers can't be kept.
    """
    if found.skipped or (found.shown is not None and found.unseen is not None):
        return found
    mine, t = book(), time_of(found, outcome)
    changed = False
    if found.shown is None:
        said = min(max(float(model.risk(cohort.frame.iloc[[row]], [t])[0, 0]), 0.0), 1.0)
        mine.show(found.id, shown=said, kind=choice.kind, model=model.fingerprint)
        changed = True
    if changed or found.model == model.fingerprint:
        unseen = _unseen(cohort, outcome, row, choice, t)
        if unseen is not None:
            mine.check(found.id, unseen=unseen, model=model.fingerprint)
            changed = True
    return (mine.find(found.about) or found) if changed else found


def named(kind: str) -> str:
    """What the model of an estimate is called; a later Bedside may have known others."""
    return model_choice.named(kind) if kind in model_choice.KINDS else "another model"


def time_of(found: Estimate, outcome: Outcome) -> float:
    """By when, in the outcome's unit."""
    return float(convert(found.horizon, found.unit, outcome.unit))


def _unseen(cohort: Cohort, outcome: Outcome, row: int, choice: Choice, t: float) -> float | None:
    """What folds that had not seen the patient said, if this session has them."""
    stops = horizon.stops(cohort, outcome)
    # A patient's page checks the model once for all horizons, at the first of its times.
    usual = stops[math.ceil(len(stops) / numbers_validation.MOST_TIMES) - 1]
    for time in (t, usual):
        try:
            done = numbers_validation.there(cohort, outcome, Ask(choice, (choice.kind,), "folds", time))
        except Fixable:
            return None
        if done is not None and choice.kind in done.labels:
            said = float(done.mean(choice.kind).at_own(np.full(len(cohort), t))[row])
            return min(max(said, 0.0), 1.0) if said == said else None
    return None
