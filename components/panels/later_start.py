"""From when patients count on the survival page: kept over pages and in the link, and told where it is not used."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import streamlit as st

from bedside.cohort import Unit, convert
from bedside.report import say
from components import desk
from components.panels import page

LINK, RESTART = "survival_since", "survival_restart"
_STATE = "later_start"
_WRITTEN = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)-(days|weeks|months|years)")


@dataclass(frozen=True)
class Slider:
    """What the later start is set with; times in `unit`.

    Attributes
    ----------
    key : str
    unit : {"days", "weeks", "months", "years"}
    step, most : float
        An end of 0 means that there is no slider: nobody is followed for long enough.
    at : float
        Where it stands.
    """

    key: str
    unit: Unit
    step: float
    most: float
    at: float


def slider(known: float, unit: Unit, step: float) -> Slider:
    """The slider that goes almost as far as `known`, standing where a link or an earlier visit had it."""
    key = f"survival_alive_{unit}_{known:.6g}"
    _from_link()
    number, its_unit = kept()
    if known <= 2 * step:
        _remember(0.0, unit)
        return Slider(key, unit, step, 0.0, 0.0)
    most = step * (math.ceil(known / step) - 1)  # before the last time, so that somebody comes further
    wanted = float(convert(number, its_unit, unit))
    at = min(round(round(wanted / step) * step, 6), most)
    if abs(at - wanted) > step:
        _remember(at, unit)
    st.session_state[key] = at
    return Slider(key, unit, step, most, at)


def draw(slider: Slider, label: str) -> tuple[float, bool]:
    """The slider and the switch of the clock, both kept in the link: since when in its unit, and where time starts."""
    since, restart = 0.0, False
    if slider.most:
        since = st.slider(
            label,
            min_value=0.0,
            max_value=slider.most,
            step=slider.step,
            key=slider.key,
            persist_state="session",
            on_change=_moved,
            args=(slider,),
            format="%.1f" if slider.unit in ("years", "months") else "%.0f",
            help="Conditional survival, also called a landmark analysis: what happens to those who have come so far.",
        )
        news = desk.from_link(RESTART)
        if news is not None:
            st.session_state[RESTART] = news == "yes"
        restart = st.toggle("Start the clock there", key=RESTART, persist_state="session")
    number, unit = kept()
    desk.keep_in_link(LINK, f"{number:g}-{unit}" if number else None)
    desk.keep_in_link(RESTART, "yes" if restart and since else None)
    return since, restart


def kept() -> tuple[float, Unit]:
    """The later start that is on for the open cohort; 0 if there is none."""
    of, number, unit = st.session_state.get(_STATE, (None, 0.0, "days"))
    return (number, unit) if of == st.session_state.get("cohort") else (0.0, "days")


def elsewhere() -> None:
    """On every other page: that it holds on Survival only."""
    number, unit = kept()
    if number:
        page.caption(f"The {say.number_of(number)}-{unit.removesuffix('s')} start on Survival is not used here.")


def _remember(number: float, unit: Unit) -> None:
    st.session_state[_STATE] = (st.session_state.get("cohort"), number, unit)


def _moved(slider: Slider) -> None:
    _remember(round(float(st.session_state[slider.key]), 6), slider.unit)


def _from_link() -> None:
    news = desk.from_link(LINK)
    if news is None:
        return
    found = _WRITTEN.fullmatch(news)
    if found is None:
        st.warning(
            "This link asks for a later start that could not be read. Patients count from time zero instead.",
            icon=":material/link_off:",
        )
        _remember(0.0, "days")
        return
    _remember(float(found[1]), found[2])
