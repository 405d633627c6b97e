"""By when? One time for every risk on the page, kept in the link."""

from __future__ import annotations

import math

import streamlit as st

from bedside.cohort import Cohort, Outcome, Unit, convert
from components import desk


def choose(of: Cohort, outcome: Outcome, *, sure: float | None = None) -> tuple[float, Unit]:
    """A slider from one step to the last time at which at least 10 patients are still observed.

    Parameters
    ----------
    of : Cohort
    outcome : Outcome
    sure : float, optional
        A time in the outcome's unit beyond which the slider does not stand unless the reader moves it there.

    Returns
    -------
    value : float
        The horizon in `unit`.
    unit : str
        Years, or the largest unit in which the default horizon is a whole number.
    """
    default = desk.horizon(of, outcome)
    step, top = scale(of, outcome)
    key = f"horizon_{default.unit}"
    if top <= step:
        return default.value, default.unit
    start = default.value
    if sure is not None:
        start = min(start, max(math.floor(float(convert(sure, outcome.unit, default.unit)) / step) * step, step))
    chosen = f"{key}_chosen"
    # Not bound to the address by Streamlit: it lets nobody move to another page with a bound value in the address.
    linked = _linked(desk.from_link(key), step, top)
    if linked is not None:
        st.session_state[chosen] = True
    held = linked or (st.session_state.get(key) if st.session_state.get(chosen) else None) or start
    put(key, min(max(round(float(held) / step) * step, step), top))
    value = st.slider(
        f"Within how many {default.unit}",
        min_value=step,
        max_value=top,
        step=step,
        format="%g",
        key=key,
        persist_state="session",
        width=260,
        on_change=lambda: st.session_state.__setitem__(chosen, True),
        help="Up to the last time at which at least 10 patients of this cohort are still under observation.",
    )
    desk.keep_in_link(key, None if value == start else f"{value:g}")
    return float(value), default.unit


def put(key: str, value: float) -> None:
    """Where a slider stands. One that stands there already is left alone: told its place again, the browser would take
    back what the reader has done with it meanwhile.
    """
    if st.session_state.get(key) != value:
        st.session_state[key] = value


def stops(of: Cohort, outcome: Outcome) -> tuple[float, ...]:
    """Every time that the slider can stand at, ascending, in the outcome's unit."""
    default = desk.horizon(of, outcome)
    step, top = scale(of, outcome)
    values = [default.value] if top <= step else [step * (i + 1) for i in range(round(top / step))]
    return tuple(float(convert(value, default.unit, outcome.unit)) for value in values)


def scale(of: Cohort, outcome: Outcome) -> tuple[float, float]:
    """One step of the slider and its end, in the unit of the default horizon."""
    default = desk.horizon(of, outcome)
    curve = desk.curves(of, outcome, None)[0]
    last = float(convert(curve.reliable_until(10), outcome.unit, default.unit))
    step = 0.5 if default.unit == "years" and last < 4 else 1.0
    return step, max(math.floor(last / step) * step, default.value)


def _linked(text: str | None, low: float, high: float) -> float | None:
    """The time that an address asks for, if it is one that the slider has."""
    try:
        found = float(text or "nan")
    except ValueError:
        return None
    return found if low <= found <= high else None


def decimals() -> int:
    """Decimals of every risk on the page: none, unless the reader asks."""
    return int(st.toggle("Show more decimals", key="decimals", persist_state="session"))
