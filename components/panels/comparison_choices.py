"""What the reader sets on the comparison page: which groups, alike in what, and for whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
import streamlit as st

from bedside.cohort import Cohort, Outcome, Unit, Variable, convert
from bedside.cohort.groups import Grouping, level_labels
from bedside.errors import Fixable
from bedside.treatment import Estimand
from components import desk
from components.numbers_comparison import Plan, sure_until, two_of
from components.panels import horizon
from components.panels.pick import pick, told_apart
from components.text import md

MOST = 6
"""Groups that one figure of curves with and without weights can hold apart."""
MOST_STEPS = 80
ALL = "all"
CUTS = {"": "Usual cuts", "quantiles:2": "Halves", "quantiles:3": "Thirds", "quantiles:4": "Quarters"}
METHODS = {"weighting": "Weighting", "standardisation": "Standardisation", "both": "Both"}
UNITS: tuple[Unit, ...] = ("days", "months", "years")
TRUNCATED = {0.0: "No", 0.01: "1st and 99th percentile", 0.025: "2.5th and 97.5th", 0.05: "5th and 95th"}
BOOTSTRAP = (0, 100, 200, 500)


@dataclass(frozen=True, eq=False)
class Choice:
    """What the reader has set; `at` is in `unit`.

    Attributes
    ----------
    by : Variable
        What the groups are made of.
    groups : Grouping
        Those that are compared.
    plan : Plan
    whom : str
        Whom the groups are made to look like, within a sentence.
    unit : Unit
    at : float
        The time at which shares are compared.
    times : tuple of float
        All times that the reader may come to choose, `at` among them, in the outcome's unit.
    decimals : int
    narrowed : bool
        True if there are more groups than one figure can hold, so that two were taken.
    unused : tuple of str
        Labels of predictors that nobody has a value of.
    skipped : tuple of str
        Labels of predictors known only after the groups were formed, and therefore not adjusted for.
    after : tuple of str
        Labels of such that the reader adjusts for all the same.
    """

    by: Variable
    groups: Grouping
    plan: Plan
    whom: str
    unit: Unit
    at: float
    times: tuple[float, ...]
    decimals: int
    narrowed: bool
    unused: tuple[str, ...]
    skipped: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    @property
    def reference(self) -> str:
        """Label of the group that the others are compared with."""
        return self.groups.labels[self.plan.reference]

    @property
    def others(self) -> tuple[str, ...]:
        """Labels of the other groups."""
        return tuple(label for i, label in enumerate(self.groups.labels) if i != self.plan.reference)


def choices(cohort: Cohort, outcome: Outcome) -> Choice:
    """The page's widgets in one line, the rarely needed ones behind buttons."""
    with st.container(key="screen_comparison_choices", horizontal=True, vertical_alignment="bottom", gap="small"):
        by, cuts = _by(cohort)
        every = desk.grouping(cohort, by.name, cuts)
        _check(every, by)
        _fresh(cohort, by, cuts, every)
        first = _reference(by, every)
        groups, narrowed = _against(every, first)
        reference = groups.labels.index(every.labels[first])
        estimand, target, whom = _whom(groups, reference)
        covariates, unused = _covariates(cohort, by)
        with st.popover("Options", icon=":material/tune:", key="comparison_options"):
            truncate, resamples, level = _statistics()
            plan = Plan(covariates, estimand, target, truncate or None, reference, level, resamples)
            unit = _unit(cohort, outcome)
            when, its_unit = _horizon(cohort, outcome, groups, plan)
            decimals = horizon.decimals()
    at = float(convert(when, its_unit, unit))
    times = _times(cohort, outcome, when, its_unit)
    later = cohort.known_after(by.name)
    skipped = tuple(v.label for v in later if v.use == "predictor" and v.name not in covariates)
    after = tuple(v.label for v in later if v.name in covariates)
    return Choice(by, groups, plan, whom, unit, at, times, decimals, narrowed, unused, skipped, after)


def _horizon(cohort: Cohort, outcome: Outcome, groups: Grouping, plan: Plan) -> tuple[float, Unit]:
    """By when, at first while enough of each group count; nobody followed beyond time zero: no time, but a Table 1."""
    try:
        default = desk.horizon(cohort, outcome)
        steps = convert(_steps(cohort, outcome, default.unit), default.unit, outcome.unit)
        sure = sure_until(cohort, outcome, groups, plan, np.asarray(steps, dtype=float).tolist())
        return horizon.choose(cohort, outcome, sure=sure)
    except Fixable as stop:
        st.caption(md(stop.why))
        return 1.0, outcome.unit


def _times(cohort: Cohort, outcome: Outcome, when: float, unit: Unit) -> tuple[float, ...]:
    """Every step of the slider, so that moving it needs nothing computed anew."""
    steps = _steps(cohort, outcome, unit)
    known = bool((np.abs(steps - when) < 1e-9).any())
    return tuple(float(convert(t, unit, outcome.unit)) for t in (steps.tolist() if known else [when]))


def _steps(cohort: Cohort, outcome: Outcome, unit: Unit) -> np.ndarray:
    longest = float(convert(max(cohort.time(outcome), default=0.0), outcome.unit, unit))
    return 0.5 * np.arange(1, min(longest, MOST_STEPS / 2) * 2 + 1)


def default_by(cohort: Cohort) -> str | None:
    """The cohort's treatment, else the first predictor of few kinds, else whatever patients can be grouped by."""
    told = cohort.treatment
    if told is not None and any(v.name == told.column for v in cohort.groupings):
        return told.column
    ranked = [
        [v for v in cohort.predictors if v.kind in ("binary", "categorical")],
        [v for v in cohort.groupings if v.kind in ("binary", "categorical") and v.use != "later"],
        [v for v in cohort.groupings if v.use != "later"],
        list(cohort.groupings),
    ]
    return next((of[0].name for of in ranked if of), None)


def _by(cohort: Cohort) -> tuple[Variable, str | None]:
    first = default_by(cohort)
    if first is None:
        raise Fixable(
            "Nothing to compare.",
            "No variable of this cohort puts patients into groups.",
            "Add a column with a treatment or another grouping, and describe it in the dictionary.",
        )
    labels = {v.name: v.label for v in cohort.groupings}
    chosen = pick("Compare by", labels, key="comparison_by", default=first, width=210) or first
    variable = cohort.variable(chosen)
    if not variable.is_numeric:
        return variable, None
    cut = st.selectbox(
        "Cut into", list(CUTS), format_func=CUTS.__getitem__, key="comparison_cuts", persist_state="session", width=120,
        help="The dictionary's clinical cut-points, or thirds where it names none.",
    )  # fmt: skip
    return variable, cut or None


def _check(every: Grouping, by: Variable) -> None:
    if len(every.labels) < 2:
        raise Fixable(
            "There are no two groups to compare.",
            f"All patients with a recorded value of “{by.label}” are in one group.",
            "Compare by another variable, or widen the filter.",
        )


def _fresh(cohort: Cohort, by: Variable, cuts: str | None, every: Grouping) -> None:
    """Other groups: what was chosen among the old ones has no meaning."""
    now, seen = (cohort.key, by.name, cuts or "", len(every.labels)), st.session_state.get("comparison_seen")
    if seen not in (None, now):
        for key in ("comparison_reference", "comparison_against", "comparison_whom"):
            st.session_state[key] = None
    st.session_state["comparison_seen"] = now


def _reference(by: Variable, every: Grouping) -> int:
    labels = {str(i): label for i, label in enumerate(every.labels)}
    largest = int(np.argmax(_sizes(every)))
    first = largest if len(every.labels) > MOST else _usual(by, every)
    chosen = pick("Compared with", labels, key="comparison_reference", default=str(first), width=200)
    return int(chosen or first)


def _usual(by: Variable, every: Grouping) -> int:
    """The group of the dictionary's reference level, where it is among them."""
    if by.reference_code is None or by.is_numeric:
        return 0
    (said,) = level_labels(by, [by.reference_code])
    return every.labels.index(said) if said in every.labels else 0


def _against(every: Grouping, reference: int) -> tuple[Grouping, bool]:
    """All groups against the reference, or one of them."""
    others = {str(i): label for i, label in enumerate(every.labels) if i != reference}
    if len(others) == 1:
        return every, False
    many = len(every.labels) > MOST
    sizes = _sizes(every)
    options = others if many else {ALL: "Each other group", **others}
    default = max(others, key=lambda i: sizes[int(i)]) if many else ALL
    chosen = pick("Against it", options, key="comparison_against", default=default, width=190) or default
    return (every, False) if chosen == ALL else (two_of(every, reference, int(chosen)), many)


def _sizes(every: Grouping) -> np.ndarray:
    return np.bincount(every.codes[every.codes >= 0], minlength=len(every.labels))


def _whom(groups: Grouping, reference: int) -> tuple[Estimand, int | None, str]:
    """For whom the comparison is to hold."""
    others = [i for i in range(len(groups.labels)) if i != reference]
    options = {"ate_stabilised": "Everybody (stabilised)", "ate": "Everybody (plain weights)"}
    options |= {f"att{i}": f"Those in “{groups.labels[i]}”" for i in others}
    options["overlap"] = "Those who might have had either" if len(others) == 1 else "Those who might have had any"
    chosen = pick(
        "As if all were like", options, key="comparison_whom", default="ate_stabilised", width=220,
        help="Everybody: average treatment effect (ATE). Those in one group: effect in the treated (ATT). Those who "
        "might have had either: overlap weights, which lean on patients whose group was least certain.",
    ) or "ate_stabilised"  # fmt: skip
    if chosen.startswith("att"):
        target = int(chosen.removeprefix("att"))
        return "att", target, f"the patients in “{groups.labels[target]}”"
    kind = next(kind for kind in get_args(Estimand) if kind == chosen)
    either = "either" if len(others) == 1 else "any"
    return kind, None, f"those who might have been in {either} group" if chosen == "overlap" else "all patients"


def eligible(cohort: Cohort, by: Variable) -> list[Variable]:
    """What can be adjusted for: known at time zero, and not what the groups are made of."""
    return [v for v in cohort.filterable if v.use != "later" and v.name != by.name]


def adjust_key(cohort: Cohort, by: Variable) -> str:
    """Where the choice of covariates is kept: for each grouping of each cohort its own."""
    return f"comparison_adjust_{cohort.key}_{by.name}"


def adjusted_at_first(cohort: Cohort, by: Variable) -> list[Variable]:
    """The predictors known before the groups were formed; of one measured again later, the earlier measurement."""
    later = cohort.known_after(by.name)
    instead = {v.earlier for v in later if v.use == "predictor"}
    return [v for v in eligible(cohort, by) if v not in later and (v.use == "predictor" or v.name in instead)]


def _covariates(cohort: Cohort, by: Variable) -> tuple[tuple[str, ...], tuple[str, ...]]:
    open_to = eligible(cohort, by)
    wanted = adjusted_at_first(cohort, by)
    known = [v.name for v in wanted if cohort.frame[v.name].notna().any()]
    unused = tuple(v.label for v in wanted if v.name not in known)
    key = adjust_key(cohort, by)
    n = len(st.session_state.get(key, known))
    with st.popover(f"Alike in {n} variable{'s' * (n != 1)}", icon=":material/balance:", key="comparison_alike"):
        shown = told_apart({v.name: v.label for v in open_to})
        chosen = st.multiselect(
            "Adjust for", list(shown), default=known, format_func=lambda name: shown.get(name, ""), key=key,
            persist_state="session",
        )  # fmt: skip
        st.caption(
            md("Only what was known at time zero is offered; what came later may be a consequence of the group.")
        )
    return tuple(chosen), unused


def _statistics() -> tuple[float, int, float]:
    truncate = st.selectbox(
        "Truncate weights", list(TRUNCATED), format_func=TRUNCATED.__getitem__, key="comparison_truncate",
        persist_state="session", help="Weights beyond these percentiles are set to them: less noise, some bias.",
    )  # fmt: skip
    resamples = st.selectbox(
        "Intervals", BOOTSTRAP, format_func=lambda n: f"Bootstrap, {n} samples" if n else "Robust (no resampling)",
        key="comparison_bootstrap", persist_state="session",
        help="The bootstrap fits the model of who is in which group anew in every sample; it takes a while.",
    )  # fmt: skip
    level = st.select_slider(
        "Confidence level", [0.80, 0.90, 0.95, 0.99], value=0.95, format_func=lambda v: f"{v:.0%}",
        key="comparison_level", persist_state="session",
    )  # fmt: skip
    return float(truncate or 0), int(resamples or 0), float(level)


def _unit(of: Cohort, outcome: Outcome) -> Unit:
    units = UNITS if outcome.unit in UNITS else (outcome.unit, *UNITS)
    longest = float(convert(max(of.time(outcome), default=0.0), outcome.unit, "months"))
    usual: Unit = "years" if longest >= 36 else "months" if longest >= 3 else "days"
    chosen = st.segmented_control(
        "Unit", units, default=usual, required=True, key=f"comparison_unit_{usual}", persist_state="session"
    )
    return chosen or usual
