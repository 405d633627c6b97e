"""What if: this patient beside a patient with these values, side by side and at once."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from bedside.errors import Fixable
from bedside.explain import Explanation
from bedside.explain.contributions import readings_of
from bedside.patient.scenarios import CAVEAT, MOST, Scenario, differences, editable, scenario
from bedside.report import say
from components import desk, model_choice
from components.figures.steps import short
from components.figures.what_if import (
    reasons_alt,
    reasons_figure,
    reasons_rows,
    sides_alt,
    sides_figure,
    sides_rows,
)
from components.panels import page, patient_crossing, patient_what_if_kept, patient_why, save
from components.panels.patient_view import View
from components.panels.patient_what_if_answer import (
    Beside,
    asked_of,
    beside,
    explained,
    gap,
    gap_words,
    of_treatment,
    reference,
    sides,
    told,
)
from components.panels.patient_what_if_form import form
from components.panels.patient_what_if_kept import LONGEST, NAME, Kept, Pin, edited, kept
from components.text import md

THESE = "these values"


def panel(view: View) -> None:
    """The form, the answer beside it, what was pinned, and the nearest values beyond a chosen risk."""
    if view.beyond:
        page.caption(view.beyond)
        return
    found, readings = kept(view), readings_of(view.model)
    fields = editable(view.model, view.patient)
    left, right = page.split("what_if", 1, 1.8)
    with left, st.container(border=True, key="card_what_if_form"):
        page.heading("A patient with these values", "others as recorded")
        stops = form(found, fields, readings, marked=[v for v in view.cohort.filterable if v.modifiable])
        now = scenario(view.model, view.patient, edited(found, fields), name=THESE)
        _pinning(found, now)
    with right, st.container(border=True, key="card_what_if"):
        for stop in stops:
            desk.show(stop)
        with desk.fixable():
            _answer(view, found, now, readings)
    patient_crossing.panel(view)


def _answer(view: View, found: Kept, now: Scenario, readings: Sequence[str]) -> None:
    pinned, lacking = _pinned(view, found.pins, readings)
    shown = [*([now] if now.changes else []), *pinned]
    if not shown:
        page.put(
            '<p class="bs-lead">Replace a value: the risk, the curve and the reasons of a patient with these values '
            "stand here at once, beside this patient’s.</p>"
        )
        page.caption(CAVEAT)
        return
    others = found.last("risks", asked_of(view, shown), lambda: beside(view, shown))
    if now.changes:
        _risks(view, others)
        _differing(view, now)
    _curves(view, others, banded=2 if now.changes else 1)
    if now.changes:
        _reasons(view, now, found)
        for note in now.notes:
            if note not in view.notes:
                page.caption(note.replace("this patient", "a patient with these values"))
    page.put('<p class="bs-muted"><b>How to read this.</b> {caveat}</p>', caveat=CAVEAT)
    if pinned:
        _table(view, found, others)
    for sentence in lacking:
        page.caution(sentence)


def _pinned(view: View, pins: Sequence[Pin], readings: Sequence[str]) -> tuple[list[Scenario], list[str]]:
    """The pinned scenarios of this model, and what of them it can't be asked."""
    made, lacking = [], []
    for pin in pins[:MOST]:
        unread = [view.cohort.variable(n).label for n in pin.values if n not in readings and view.cohort.has(n)]
        if unread:
            lacking.append(f"{pin.name}: this model does not read {', '.join(unread)}.")
        try:
            known = {name: value for name, value in pin.values.items() if name in readings}
            made.append(scenario(view.model, view.patient, known, name=pin.name))
        except Fixable as stop:
            lacking.append(f"{pin.name}: {stop.why} {stop.next_step}")
    return made, lacking


# ------------------------------------------------------------------ the answer


def _risks(view: View, others: Beside) -> None:
    """Both risks as frequencies with their limits, and the points between them."""
    risk, lower, upper = others.risk(0)
    d = view.decimals
    points = gap(view.risk, risk, d)
    page.put('<p class="bs-eyebrow">{event} {by}</p>', event=view.event, by=view.by)
    page.strip(
        [
            (say.of_100(view.risk, decimals=d), f"this patient{_limits(view, view.lower, view.upper)}"),
            (say.of_100(risk, decimals=d), f"a patient with these values{_limits(view, lower, upper)}"),
            (gap_words(points, d), "between the two"),
        ],
        large=True,
    )


def _limits(view: View, lower: float, upper: float) -> str:
    if not view.limits:
        return "; no interval yet"
    if lower != lower or upper != upper:
        return f"; {view.limits} cannot be given"
    return f"; {view.limits} {say.range_of_100(lower, upper, decimals=view.decimals)}"


def _differing(view: View, now: Scenario) -> None:
    """Which values differ; and of a treatment, what such a difference does not say."""
    items = page.join(page.fill("<li>{text}</li>", text=told(change)) for change in now.changes)
    page.put('<ul class="bs-reasons">{items}</ul>', items=items)
    of_treatment(view, now.changes, key="what_if_fair")


def _curves(view: View, others: Beside, *, banded: int) -> None:
    drawn = sides(view, others, banded=banded)
    n = len(drawn.lines)
    bands = f" Bands: {view.limits}, of the first two." if view.limits and n > 2 else ""
    if view.limits and n == 2:
        bands = f" Bands: {view.limits}, with dotted edges for {drawn.lines[1].name}."
    since = f" All of them {view.so_far}." if view.alive else ""
    save.figure(
        lambda mode: sides_figure(drawn, mode=mode),
        key="patient_what_if",
        title=view.spared[:1].upper() + view.spared[1:],
        alt=sides_alt(drawn),
        note=f"Solid: this patient, dashed: {drawn.lines[1].name}; {model_choice.named(view.choice.kind)}, "
        f"{say.patients(view.model.n)}, {say.events(view.model.n_events)}.{bands}{since}",
        stem="patient-what-if",
        rows=lambda: sides_rows(drawn),
        cautions=(CAVEAT,),
    )


def _reasons(view: View, now: Scenario, kept_here: Kept) -> None:
    """Which values go with more or less in the two."""
    other = kept_here.last("reasons", asked_of(view, [now]), lambda: explained(view, now))
    if view.explanation is None or other is None:
        return
    found, d = differences(view.explanation, other), view.decimals
    save.figure(
        lambda mode: reasons_figure(found, mode=mode, decimals=d, other=THESE),
        key="patient_what_if_reasons",
        title="Reasons that differ",
        alt=reasons_alt(found, decimals=d, other=THESE),
        note=_beside_whom(view, other),
        stem="patient-what-if-reasons",
        rows=lambda: reasons_rows(found),
        cautions=(CAVEAT,),
    )


def _beside_whom(view: View, other: Explanation) -> str:
    note = (
        f"Points of risk that each value goes with, beside the average {patient_why.of_whom(view)}: "
        f"{say.of_100(other.base, decimals=view.decimals)}. A value’s points depend on the other values too."
    )
    if view.alive and not reference(view).since > 0:
        note += f" Of the risk from {view.outcome.since} on."
    if other.sampling_error is not None:
        note += f" Standard error up to {100 * other.sampling_error:.2f} points."
    return note


# ------------------------------------------------------------------ pinned


def _pinning(found: Kept, now: Scenario) -> None:
    """Put these values aside under a name."""
    if not now.changes:
        return
    full, held = len(found.pins) >= MOST, patient_what_if_kept.is_pinned(found, now)
    with st.container(key="screen_what_if_pin", horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input("Name", key=NAME, max_chars=LONGEST, placeholder="By what differs", autocomplete="off", width=200)
        st.button(
            "Pin", icon=":material/push_pin:", key="what_if_pin", on_click=patient_what_if_kept.pin, args=(now,),
            disabled=full or held, help=f"Keep these values for comparison, up to {MOST}.",
        )  # fmt: skip
        if full or held:
            page.caption("These values are pinned." if held else f"{MOST} are pinned. Unpin one first.")


def _table(view: View, found: Kept, others: Beside) -> None:
    """All of them in one table, and the buttons to let go of one or to take it into the form."""
    d = view.decimals
    rows = [["This patient", "", say.of_100(view.risk, decimals=d), _range(view, view.lower, view.upper), ""]]
    for i, each in enumerate(others.scenarios):
        risk, lower, upper = others.risk(i)
        name = each.name[:1].upper() + each.name[1:] if each.name == THESE else each.name
        differs = "; ".join(told(change) for change in each.changes) or "nothing"
        points = gap_words(gap(view.risk, risk, d), d)
        rows.append([name, differs, say.of_100(risk, decimals=d), _range(view, lower, upper), points])
    page.table(("", "Differs in", "Risk", view.limits[:1].upper() + view.limits[1:] or "Interval", "Difference"), rows,
               label="Scenarios side by side", numeric_from=2)  # fmt: skip
    with st.container(key="screen_what_if_pins", horizontal=True, vertical_alignment="center", gap="small"):
        for i, pin in enumerate(found.pins[:MOST]):
            name = md(short(pin.name))
            st.button(f"Edit {name}", key=f"what_if_take_{i}", icon=":material/edit:", type="tertiary",
                      on_click=patient_what_if_kept.take, args=(i,))  # fmt: skip
            st.button(f"Unpin {name}", key=f"what_if_unpin_{i}", icon=":material/keep_off:", type="tertiary",
                      on_click=patient_what_if_kept.unpin, args=(i,))  # fmt: skip
        save.numbers(
            "what_if_table", stem="patient-scenarios", rows=lambda: _rows(view, others),
            title="Patients with other values, side by side", note=f"{view.event} {view.by}.",
            shown=lambda: (["", "Differs in", "Risk", "Interval", "Difference"], rows), cautions=(CAVEAT,),
        )  # fmt: skip


def _range(view: View, lower: float, upper: float) -> str:
    return say.range_of_100(lower, upper, decimals=view.decimals) if view.limits else "none yet"


def _rows(view: View, others: Beside) -> save.Rows:
    """The table in full precision, for a file."""
    header = ["scenario", "differs in", "risk", "lower", "upper", "points beside this patient"]
    body: list[list[object]] = [["this patient", "", view.risk, view.lower, view.upper, 0.0]]
    for i, each in enumerate(others.scenarios):
        risk, lower, upper = others.risk(i)
        differs = "; ".join(told(change) for change in each.changes)
        body.append([each.name, differs, risk, lower, upper, 100 * (risk - view.risk)])
    return header, body
