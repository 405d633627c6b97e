"""What the reader sets on the survival page: groups, what is drawn, who is observed since when."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import get_args

import streamlit as st

from bedside import survival
from bedside.cohort import Cohort, Outcome, Unit, Variable, convert
from bedside.errors import Fixable
from bedside.report import say
from components import desk, numbers
from components.figures.views import CAUSES, VIEWS
from components.panels import horizon, later_start, page
from components.panels.pick import pick
from components.text import md

# No column can be called so: names of columns are trimmed when a cohort is read.
EVERYONE, AGAINST, NONE = " all", " selected", " none"
UNITS: tuple[Unit, ...] = ("days", "months", "years")
CUTS = {
    "clinical": "Clinical",
    "quantiles:2": "Halves",
    "quantiles:3": "Thirds",
    "quantiles:4": "Quarters",
    "quantiles:5": "Fifths",
    "own": "My own",
    "best": "Sharpest",
}
CUT, OWN = "survival_cut", "survival_cut_at"
"""In the address: how the variable is cut, and where by the reader's own numbers."""
NUMBERS = re.compile(r"[-0-9.,; ]{1,80}")
ESTIMATORS = {
    "kaplan-meier": "Kaplan-Meier",
    "nelson-aalen": "Nelson-Aalen",
    "fleming-harrington": "Fleming-Harrington",
}


@dataclass(frozen=True)
class Choice:
    """What the reader has set on the survival page; times in `unit`."""

    by: str
    cuts: str | tuple[float, ...] | None
    view: str
    unit: Unit
    until: float
    band: bool
    decimals: int
    restart: bool
    plan: numbers.Plan

    @property
    def against(self) -> bool:
        """True if the selected patients are compared with everyone else."""
        return self.by == AGAINST

    @property
    def level(self) -> float:
        """Coverage of every interval on the page."""
        return self.plan.level

    @property
    def restarted(self) -> bool:
        """True if the clock of the page starts at the landmark, not at time zero."""
        return self.restart and bool(self.plan.alive_at)

    def mark(self, stored: Unit) -> str:
        """The time that patients have come to as an adjective, "3-year"; `stored` is the outcome's unit."""
        return f"{say.number_of(float(convert(self.plan.alive_at, stored, self.unit)))}-{self.unit.removesuffix('s')}"


def choices(everyone: Cohort, cohort: Cohort, outcome: Outcome) -> Choice:
    """The page's widgets in one line, the rarely needed ones behind buttons."""
    with st.container(key="screen_survival_choices", horizontal=True, vertical_alignment="bottom", gap="small"):
        by = _by(cohort)
        if by != AGAINST and not desk.selection().is_everyone:
            st.button(
                "Against everyone else", icon=":material/compare_arrows:", key="survival_against", on_click=_against
            )
        cuts, stop = _cuts(cohort, outcome, by)
        view = _view(outcome)
        unit = _unit(everyone, outcome)
        until = _until(everyone if by == AGAINST else cohort, outcome, unit)
        observed = everyone if by == AGAINST else cohort
        slider = _slider(observed, outcome, unit)
        with st.popover(_started(slider), icon=":material/schedule:", key="survival_observed"):
            alive_at, restart, entry, weights = _observed(observed, outcome, slider)
        with st.popover("Options", icon=":material/tune:", key="survival_options"):
            band = st.toggle("Show uncertainty", value=True, key="survival_band", persist_state="session")
            level, interval, estimator = _statistics()
            decimals = horizon.decimals()
    if stop is not None:
        desk.show(stop)
    plan = numbers.Plan(level, interval, estimator, entry, weights, alive_at)
    if alive_at:  # the axis goes beyond the time that curves start at
        until = max(until, float(convert(alive_at, outcome.unit, unit)) + _step(unit))
    return Choice(by, cuts, view, unit, until, band, decimals, restart, plan)


def _statistics() -> tuple[float, survival.Interval, survival.Estimator]:
    level = st.select_slider(
        "Confidence level",
        [0.80, 0.90, 0.95, 0.99],
        value=0.95,
        format_func=lambda v: f"{v:.0%}",
        key="survival_level",
        persist_state="session",
    )
    kinds = get_args(survival.Interval)
    interval = st.selectbox(
        "Kind of interval",
        kinds,
        index=kinds.index("log-log"),
        key="survival_interval",
        persist_state="session",
        help="log-log stays between 0 and 100% and is reliable in small groups; R's own default is log.",
    )
    estimator = st.selectbox(
        "Estimate",
        list(ESTIMATORS),
        format_func=ESTIMATORS.__getitem__,
        key="survival_estimator",
        persist_state="session",
        help="Nelson-Aalen sums the hazard and gives exp(−hazard) as survival; Fleming-Harrington does so with tied "
        "events one after the other. In large groups all three are alike.",
    )
    return level, interval, estimator


def _by(cohort: Cohort) -> str:
    labels = {EVERYONE: "No grouping"}
    if not desk.selection().is_everyone:
        labels[AGAINST] = "Selected patients against everyone else"
    labels |= {v.name: v.label for v in cohort.groupings}
    return pick("Compare patients by", labels, key="survival_by", default=EVERYONE, width=228) or EVERYONE


def _against() -> None:
    st.session_state["survival_by"] = AGAINST


def _view(outcome: Outcome) -> str:
    """What is drawn: by type of event where there are several, since anything else would mislead."""
    types = outcome.has_competing
    # A view chosen where events were of one type is no choice between the types.
    if types and st.session_state.get("survival_types") is False and desk.from_link("survival_view") is None:
        st.session_state.pop("survival_view", None)
    st.session_state["survival_types"] = types
    labels = ({CAUSES: "Each type of event"} if types else {}) | VIEWS
    first = next(iter(labels))
    return pick("Show", labels, key="survival_view", default=first, width=176) or first


def _cuts(cohort: Cohort, outcome: Outcome, by: str) -> tuple[str | tuple[float, ...] | None, Fixable | None]:
    """Where a continuous variable is cut, and why not where the reader wants it: then it is cut as usual."""
    if by in (EVERYONE, AGAINST) or not cohort.variable(by).is_numeric:
        desk.keep_in_link(CUT, None)
        desk.keep_in_link(OWN, None)
        return None, None
    variable = cohort.variable(by)
    options = [key for key in CUTS if key != "clinical" or variable.cutpoints]
    if desk.from_link(CUT) in options:
        st.session_state[f"survival_cuts_{options[0]}"] = desk.from_link(CUT)
    chosen = st.selectbox(
        "Cut into",
        options,
        format_func=CUTS.__getitem__,
        key=f"survival_cuts_{options[0]}",
        persist_state="session",
        width=130,
        help="“Sharpest” looks for the cut-point at which survival differs most, and corrects the test for looking.",
    )
    usual = variable.cutpoints or None
    desk.keep_in_link(CUT, None if chosen == options[0] else chosen)
    if chosen != "own":
        desk.keep_in_link(OWN, None)
    if chosen == "clinical":
        return usual, None
    try:
        if chosen == "own":
            return _own_cuts(variable) or usual, None
        if chosen == "best":
            numbers.best_cut(cohort, outcome, by)
    except Fixable as stop:
        return usual, stop
    return chosen, None


def _own_cuts(variable: Variable) -> tuple[float, ...]:
    linked = desk.from_link(OWN)
    if linked is not None and NUMBERS.fullmatch(linked):
        st.session_state[f"survival_own_{variable.name}"] = linked
    text = st.text_input(
        f"Cut at{f' ({md(variable.unit)})' if variable.unit else ''}",
        placeholder="50; 65",
        key=f"survival_own_{variable.name}",
        width=150,
        help="One or more numbers, parted by semicolons or spaces. A value equal to a cut belongs above it.",
    )
    # Numbers alone: what else may have been typed stays out of an address.
    desk.keep_in_link(OWN, text if NUMBERS.fullmatch(text) else None)
    parts = text.replace(";", " ").split()
    try:
        points = tuple(sorted({float(part.replace(",", ".")) for part in parts}))
    except ValueError:
        points = (math.nan,)
    if not all(map(math.isfinite, points)):
        raise Fixable(
            "These cut-points could not be read.",
            "Each one has to be a number.",
            "Write them as numbers parted by semicolons, for example 50; 65; until then the usual cut is shown.",
        )
    return points


def _unit(of: Cohort, outcome: Outcome) -> Unit:
    units = UNITS if outcome.unit in UNITS else (outcome.unit, *UNITS)
    longest = float(convert(_longest(of, outcome), outcome.unit, "months"))
    usual: Unit = "years" if longest >= 36 else "months" if longest >= 3 else "days"
    chosen = st.segmented_control(
        "Unit", units, default=usual, required=True, key=f"survival_unit_{usual}", persist_state="session"
    )
    return chosen or usual


def _until(cohort: Cohort, outcome: Outcome, unit: Unit) -> float:
    longest = float(convert(_longest(cohort, outcome), outcome.unit, unit))
    if longest <= 0:
        return 1.0
    step = _step(unit)
    if longest <= 2 * step:
        return longest
    return st.slider(
        f"Show up to ({unit})",
        min_value=step,
        max_value=longest,
        value=longest,
        key=f"survival_until_{unit}_{longest:.6g}",
        persist_state="session",
        format="%.1f" if unit == "years" else "%.0f",
        width=136,
    )


def _longest(of: Cohort, outcome: Outcome) -> float:
    longest = desk.follow_up(of, outcome).longest
    return 0.0 if math.isnan(longest) else longest


def _step(unit: Unit) -> float:
    return {"days": 1.0, "weeks": 1.0, "months": 0.5, "years": 0.1}[unit]


def _slider(cohort: Cohort, outcome: Outcome, unit: Unit) -> later_start.Slider:
    """A later start is offered as far as at least ten patients are observed."""
    known = float(convert(desk.curves(cohort, outcome, None)[0].reliable_until(10), outcome.unit, unit))
    return later_start.slider(known, unit, _step(unit))


def _started(slider: later_start.Slider) -> str:
    """What stands on the button: since when patients count, where that is not time zero."""
    return f"From {say.duration(slider.at, slider.unit)} on" if slider.at else "Still free after…"


def _observed(
    cohort: Cohort, outcome: Outcome, slider: later_start.Slider
) -> tuple[float, bool, str | None, str | None]:
    """From when patients count, and with what weight: `alive_at` in the outcome's unit."""
    unit = slider.unit
    since, restart = later_start.draw(slider, f"Only patients still {_plain(outcome)} after ({unit})")
    page.heading("Advanced")
    columns = {v.name: v.label for v in cohort.filterable if v.is_numeric}
    entry = pick("Observed only from", {NONE: "Time zero", **columns}, key="survival_entry", default=NONE)
    st.caption(f"Delayed entry (left truncation): a column with the time, in {outcome.unit}, at which each patient "
               "came under observation.")  # fmt: skip
    weights = pick("Case weights", {NONE: "None", **columns}, key="survival_weights", default=NONE)
    alive_at = float(convert(since, unit, outcome.unit))
    return alive_at, restart, *(None if name in (None, NONE) else name for name in (entry, weights))


def _plain(outcome: Outcome) -> str:
    return md(outcome.free_phrase)
