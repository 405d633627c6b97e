"""How far this number holds for this patient: how the model did on others, what was filled in, what is unusual."""

from __future__ import annotations

import streamlit as st

from bedside.errors import Fixable
from bedside.report import say
from bedside.validation import CalibrationGroup, Resampled, calibration_groups
from components import desk, model_choice, numbers_models
from components.panels import page
from components.panels.patient_view import View

WEAK = 0.65  # concordance below which a reader is told how little the model tells patients apart
GROUPS, PATIENTS_PER_GROUP = 5, 10
NAMED = 3
WAITING = ("Being checked", "on patients held back")


def trust(view: View) -> None:
    """One strip, and every caution that is about this patient."""
    with st.container(border=True, key="card_trust"):
        try:
            slow = not numbers_models.unasked(view.cohort, view.outcome, view.choice)
            done = None if slow else _checked(view)
            waiting = ("Not checked here", "this takes minutes: see Validation") if slow else WAITING
            facts = [waiting] if done is None else _record(view, done)
        except Fixable:
            done, facts = None, [("Not checked", "too few patients to hold some back")]
        model = view.model
        behind = f"and {say.events(model.n_events)} behind the model, this patient among them"
        page.strip([*facts, (say.patients(model.n), behind), _filled(view)])
        if done is not None:
            _weak(numbers_models.answer(done, view.choice.kind, view.t).c)
        for note in (*view.notes, *model.cautions):
            page.caution(note)
        _left_out(view)


def _checked(view: View) -> Resampled | None:
    """The chosen model on patients it had not seen, as the model's own page has it; None while it is being made."""
    return numbers_models.checked(view.cohort, view.outcome, view.choice, view.t)


def _record(view: View, done: Resampled) -> list[tuple[str, str]]:
    """Ranking, and what became of the patients whose predictions lay nearest this one."""
    told = numbers_models.answer(done, view.choice.kind, view.t)
    facts = []
    if told.c == told.c:
        facts.append((f"{say.of_100(told.c)} pairs", "ranked rightly among patients held back; a coin: 50"))
    near = min(_groups(view, done), key=lambda group: abs(group.predicted - view.risk), default=None)
    if near is not None and near.observed == near.observed:
        # Where none or all of them had it, there is no interval that could be believed.
        between = say.range_of_100(near.lower, near.upper) if 0 < near.observed < 1 else "no interval"
        said = say.of_100(near.predicted).removesuffix(" of 100")
        facts.append(
            (
                f"{say.of_100(near.observed)} ({between})",
                f"had it among the {near.n:,} held back with a risk like this; the model said {said}",
            )
        )
    return facts


def _groups(view: View, done: Resampled) -> tuple[CalibrationGroup, ...]:
    rows = done.rows
    groups = max(1, min(GROUPS, len(rows.time) // PATIENTS_PER_GROUP))
    key = ("patient fifths", *model_choice.key(view.cohort, view.outcome, view.choice), view.t)
    said = done.mean(view.choice.kind).at(view.t)
    return desk.kept(
        key, lambda: calibration_groups(rows.time, rows.cause, said, view.t, groups=groups, entry=rows.entry)
    )


def _weak(c: float) -> None:
    if c < WEAK:
        page.caution(
            f"This model tells patients apart little better than chance (concordance {c:.2f}; a coin would reach 0.50)."
        )


def _filled(view: View) -> tuple[str, str]:
    record = view.cohort.frame.iloc[view.row]
    used = [reading.variable for reading in view.model.design.readings]
    missing = [v.label for v in used if v.name not in record or record[v.name] != record[v.name]]
    if not missing:
        return "Nothing filled in", f"all {len(used)} values are known"
    if len(missing) == len(used):
        return "All filled in", "nothing the model asks for is known: this is the risk of a typical patient"
    return f"{len(missing)} filled in", ", ".join(missing)


def _left_out(view: View) -> None:
    """What is recorded and does not count."""
    labels = [v.label for v in view.cohort.filterable if v.name in view.choice.left_out]
    if labels:
        more = f" and {len(labels) - NAMED} more" if len(labels) > NAMED else ""
        page.caution(f"Left out of the model by choice: {', '.join(labels[:NAMED])}{more}.")
    read = {reading.variable.name for reading in view.model.design.readings}
    unused = len([v for v in view.cohort.filterable if v.use == "optional" and v.name not in read])
    if unused:
        page.caption(f"{unused} further variable{'s are' if unused > 1 else ' is'} recorded and not used here.")
