"""By when, and free of it for how long so far: the two times of a patient's page, kept in the link."""

from __future__ import annotations

import math
from dataclasses import dataclass

import streamlit as st

from bedside.cohort import Cohort, Outcome, Unit, convert
from bedside.report import say
from components import desk
from components.panels import horizon, pick

SLACK = 1e-9
MONTHS_ONE_BY_ONE = 60
LONG = 40
"""Years of follow-up beyond which nobody counts months."""
CHOSEN = "horizon_{}_chosen"
ALIVE = "patient_alive_{}"
MOVED, WHOSE, STOOD = "patient_time_moved", "patient_alive_of", "patient_times_stood"


@dataclass(frozen=True)
class Scale:
    """What the sliders offer, in one unit.

    Attributes
    ----------
    unit : str
    step : float
    top : float
        Where the horizon ends: beyond the longest follow-up, so that its end is seen.
    known : float
        The last step before the longest follow-up.
    start : float
        The horizon unless the reader chooses another.
    """

    unit: Unit
    step: float
    top: float
    known: float
    start: float


def choose(of: Cohort, outcome: Outcome) -> tuple[float, Unit, float]:
    """The horizon, its unit, and the time free of the event so far, which is always the earlier one."""
    scale = _scale(of, outcome, _unit(of, outcome))
    told: list[str] = []
    when, so_far = _when(scale, told), _so_far(scale, told)
    if st.session_state.pop(MOVED, "") == "alive":
        when = _ahead(scale, when, so_far)
    elif so_far >= when - SLACK:
        so_far = max(when - scale.step, 0.0)
        told.append(f"The time free of it so far has to be shorter than the horizon: {_said(so_far, scale)}.")
    horizon.put(f"horizon_{scale.unit}", when)
    horizon.put(ALIVE.format(scale.unit), so_far)
    st.session_state[STOOD] = (scale.unit, when, so_far)
    _sliders(scale)
    desk.keep_in_link(f"horizon_{scale.unit}", None if when == scale.start else f"{when:g}")
    desk.keep_in_link(ALIVE.format(scale.unit), f"{so_far:g}" if so_far else None)
    for i, sentence in enumerate(told):
        with st.container(key=f"notice_patient_time_{i}"):
            st.warning(sentence, icon=":material/link_off:")
    return when, scale.unit, so_far


def _ahead(scale: Scale, when: float, so_far: float) -> float:
    """The horizon that looks as far ahead as before the time so far was moved, within what is known."""
    unit, last, before = st.session_state.get(STOOD, (scale.unit, when, 0.0))
    if unit != scale.unit:
        return max(when, min(so_far + scale.step, scale.top))
    st.session_state[CHOSEN.format(scale.unit)] = True
    return _step(min(so_far + last - before, max(scale.known, so_far + scale.step)), scale)


# ------------------------------------------------------------------ units and scales


def _unit(of: Cohort, outcome: Outcome) -> Unit:
    """Years or months where both make sense, as the reader chose."""
    usual = desk.horizon(of, outcome).unit
    last = float(convert(desk.curves(of, outcome, None)[0].last, outcome.unit, "years"))
    both = {"years": 1 <= last <= LONG, "months": last >= 2}.get(usual, False)
    if not both:
        return usual
    found = pick.segments(
        "Time in", {"years": "years", "months": "months"}, key="horizon_unit", default=usual, on_change=_carry
    )
    return "months" if found == "months" else "years"


def _carry() -> None:
    """The two times go along from one unit to the other."""
    new: Unit = "months" if st.session_state.get("horizon_unit") == "months" else "years"
    old: Unit = "months" if new == "years" else "years"
    for name in ("horizon_{}", ALIVE):
        held = st.session_state.get(name.format(old))
        if held is not None:
            st.session_state[name.format(new)] = float(convert(float(held), old, new))
        desk.keep_in_link(name.format(old), None)
    st.session_state[CHOSEN.format(new)] = True


def _scale(of: Cohort, outcome: Outcome, unit: Unit) -> Scale:
    """One step, and how far it goes: to the longest follow-up, rounded up, and a step beyond."""
    usual = desk.horizon(of, outcome)
    last = float(convert(desk.curves(of, outcome, None)[0].last, outcome.unit, unit))
    start = float(convert(usual.value, usual.unit, unit))
    if unit == usual.unit:
        step = min(horizon.scale(of, outcome)[0], start)
    elif unit == "months":
        step = 1.0 if last <= MONTHS_ONE_BY_ONE else 3.0
    else:
        step = 0.5
    start = max(round(start / step), 1) * step
    top = max((math.ceil(last / step * (1 - SLACK)) + 1) * step, start)
    return Scale(unit, step, top, max(math.ceil(last / step * (1 - SLACK)) - 1, 0) * step, start)


def stops(of: Cohort, outcome: Outcome, unit: Unit) -> tuple[float, ...]:
    """Every time that the horizon can stand at within the follow-up, ascending, in that unit."""
    scale = _scale(of, outcome, unit)
    return tuple(scale.step * i for i in range(1, math.ceil(scale.top / scale.step)))


# ------------------------------------------------------------------ what is asked for


def _when(scale: Scale, told: list[str]) -> float:
    key = f"horizon_{scale.unit}"
    linked = desk.from_link(key)
    if linked is not None:
        found = _number(linked)
        wrong = _refused(found, scale)
        if wrong:
            told.append(f"{wrong} {_said(scale.start, scale, capital=True)} is shown instead.")
            st.session_state[CHOSEN.format(scale.unit)] = False
            return scale.start
        st.session_state[CHOSEN.format(scale.unit)] = True
        return _step(found, scale)
    held = st.session_state.get(key) if st.session_state.get(CHOSEN.format(scale.unit)) else None
    return scale.start if held is None else _step(float(held), scale)


def _refused(found: float, scale: Scale) -> str:
    """Why a link's horizon can't be shown; empty if it can."""
    if found == 0:
        return "This link asks for the risk by time zero, when nothing can have happened yet."
    if not math.isfinite(found) or found < 0:
        return "This link asks for a time that is none."
    if found > scale.top * (1 + SLACK):
        return (
            f"This link asks for a time long after the longest follow-up; the scale ends at {_said(scale.top, scale)}."
        )
    return ""


def _so_far(scale: Scale, told: list[str]) -> float:
    """The time free of the event so far: of this patient only, never carried over to the next one."""
    key, mark = ALIVE.format(scale.unit), st.session_state.get("patient")
    if st.session_state.get(WHOSE, mark) != mark:
        st.session_state[key] = 0.0
    st.session_state[WHOSE] = mark
    linked = desk.from_link(key)
    if linked is None:
        return min(float(st.session_state.get(key) or 0.0), scale.known)
    found = _number(linked)
    if not 0 <= found <= scale.known * (1 + SLACK):
        told.append("This link asks for a time free of the event that is not here: it is counted from the start.")
        return 0.0
    return round(found / scale.step) * scale.step


def _step(value: float, scale: Scale) -> float:
    return min(max(round(value / scale.step) * scale.step, scale.step), scale.top)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _said(value: float, scale: Scale, *, capital: bool = False) -> str:
    text = say.duration(value, scale.unit)
    return text[:1].upper() + text[1:] if capital else text


# ------------------------------------------------------------------ sliders


def _sliders(scale: Scale) -> None:
    st.slider(
        f"Within how many {scale.unit}", min_value=scale.step, max_value=scale.top, step=scale.step, format="%g",
        key=f"horizon_{scale.unit}", persist_state="session", width=230, on_change=_moved, args=("horizon", scale.unit),
        help="Moves the number, the icons, the curve and the reasons together. Pale where fewer than 10 patients "
        "remain under observation, grey beyond the longest follow-up.",
    )  # fmt: skip
    if scale.known >= scale.step:
        st.slider(
            f"Event-free so far ({scale.unit})", min_value=0.0, max_value=scale.known, step=scale.step,
            format="%g", key=ALIVE.format(scale.unit), persist_state="session", width=230, on_change=_moved,
            args=("alive", scale.unit),
            help="For a patient who is known to have come so far without the event: everything is then the risk of "
            "patients with these values who came as far, as far ahead as before. What else happened since is not "
            "counted.",
        )  # fmt: skip


def _moved(which: str, unit: str) -> None:
    st.session_state[MOVED] = which
    if which == "horizon":
        st.session_state[CHOSEN.format(unit)] = True
