"""What a patient's reasons still lack, worked out after the page has answered: intervals, and whom each depends on.

The refits of a Cox model are made in a background job, once for all patients; a patient's contributions by each of
them take a moment, in slices between which the page lives. Other kinds have refits once their variability was asked
for.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
import streamlit as st

from bedside import explain
from bedside.cohort import convert
from bedside.risk.fitted import Fitted
from bedside.risk.variability import Varied, with_variability
from components import desk, jobs, model_choice
from components.panels import page, patient_explained, patient_horizon
from components.panels.patient_view import View

AT_ONCE = "BEDSIDE_REASONS_AT_ONCE"
"""Environment variable: if it is set, the page waits for everything."""
EVERY, SLICE = 0.5, 0.25
DRAWN = "patient_reasons_drawn"
"""True while the page itself is drawn, and not a turn of its own."""


def plain(view: View) -> Fitted:
    """The model without its refits."""
    return view.model.model if isinstance(view.model, Varied) else view.model


def compared(view: View) -> explain.Background:
    """The patients that this page's reasons are compared with, for the risk that it shows where that can be told."""
    return patient_explained.compared(
        view.cohort, view.outcome, view.choice, plain(view), view.row, s=view.s, chosen=view.reference
    )


def spread(view: View) -> explain.Spread | None:
    """The spread of the contributions over refits, if it is there."""
    return desk.held(_spread_key(view))


def place(view: View) -> None:
    """Where a line says that something is being worked out; nothing once all is there."""
    if view.explanation is None or not _lacks(view):
        return
    if os.environ.get(AT_ONCE):
        if _work(view, float("inf")):
            st.rerun()
        return
    st.session_state[DRAWN] = True
    st.fragment(_tick, run_every=EVERY)(view)


def promised(view: View) -> bool:
    """True if intervals are there or on their way; else the model's variability has to be asked for."""
    return spread(view) is not None or view.choice.kind == model_choice.DEFAULT or isinstance(view.model, Varied)


def _spread_key(view: View) -> jobs.Key:
    return patient_explained.spread_key(
        view.cohort, view.outcome, view.choice, view.row, view.alive, view.unit, view.reference
    )


def _partners_key(view: View) -> jobs.Key:
    return ("reason partners", *view.background_key[1:], view.row, view.when, view.unit, view.alive)


def _refits_key(view: View) -> jobs.Key:
    return ("reason refits", *model_choice.key(view.cohort, view.outcome, view.choice))


def _lacks(view: View) -> bool:
    failed = desk.held(_refits_key(view)) == ()
    return desk.held(_partners_key(view)) is None or (promised(view) and spread(view) is None and not failed)


def _tick(view: View) -> None:
    """The page first: nothing is done while it is drawn, and a slice at each later turn."""
    if not st.session_state.pop(DRAWN, False) and _work(view, SLICE):
        st.rerun(scope="app")
    if promised(view):
        page.caption("How far each reason may be off is being worked out.")


def _work(view: View, seconds: float) -> bool:
    """True once all is there that can be."""
    desk.kept(_partners_key(view), lambda: _partners(view))
    if not promised(view) or spread(view) is not None:
        return True
    refits = _refits(view, wait=seconds == float("inf"))
    if refits is None:
        return False
    if not refits or view.s >= plain(view).last:
        return True
    key = _spread_key(view)
    work = desk.kept(("reason slices", *key), lambda: _spreading(view, refits))
    found = work.go(seconds)
    if found is None:
        return False
    desk.kept(key, lambda: found)
    return True


def _partners(view: View) -> dict:
    """The strongest partner of each variable; empty where every single value makes no difference."""
    return explain.interactions(plain(view), view.patient, compared(view), view.t).partners()


def _spreading(view: View, refits: Sequence[Fitted]) -> explain.Spreading:
    model, beside = plain(view), compared(view)
    stops = convert(np.array(patient_horizon.stops(view.cohort, view.outcome, view.unit)), view.unit, view.outcome.unit)
    times = explain.Spreading.knots(beside, model.last, [view.t, *stops])
    return explain.Spreading(model, refits, beside, view.patient, times)


def _refits(view: View, *, wait: bool) -> Sequence[Fitted] | None:
    """Those of the model's variability, else those made for this; None while they are made, none if that failed."""
    if isinstance(view.model, Varied):
        return view.model.refits
    key = _refits_key(view)
    ready = desk.held(key)
    if ready is not None:
        return ready
    rows = model_choice.rows(view.cohort, view.outcome, view.choice)
    job = jobs.mine().begin(
        key, "Refitting the Cox model to samples of the patients", with_variability, plain(view), rows
    )
    if wait:
        job.ended.wait(120)
    if not job.ended.is_set():
        return None
    jobs.mine().pop(key, None)
    made = job.result.refits if job.phase == "done" else ()
    return desk.kept(key, lambda: made)
