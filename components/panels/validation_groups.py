"""Groups of risk, with the curves that were observed in them."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import streamlit as st

from bedside.cohort import Cohort, Outcome, convert
from bedside.cohort.groups import Grouping
from bedside.errors import Fixable
from bedside.report import say
from bedside.validation import Resampled
from bedside.validation.calibration import quantile_groups
from bedside.validation.risk_groups import NAMES
from components import desk
from components import numbers as workbench
from components import numbers_validation as numbers
from components.figures.incidence import incidence_alt, incidence_figure, incidence_rows
from components.figures.km import km_alt, km_figure, km_rows
from components.panels import page, save
from components.panels.validation_board import basis
from components.panels.validation_choices import Shown

KINDS = {"2": "Halves", "3": "Thirds", "4": "Quarters", "own": "Cuts of my own"}


def show(cohort: Cohort, outcome: Outcome, shown: Shown, of: Resampled) -> None:
    """The curves of the groups, and in words how far they are apart."""
    grouping = _grouping(shown, numbers.risk(of, shown.kind, shown.ask.t), of)
    at = _at(cohort, outcome, shown)
    if of.rows.competes:
        _incidence(cohort, outcome, shown, of, grouping, at)
    else:
        _curves(cohort, outcome, shown, of, grouping, at)


def _grouping(shown: Shown, risk: np.ndarray, of: Resampled) -> Grouping:
    with st.container(key="screen_validation_groups", horizontal=True, vertical_alignment="bottom", gap="medium"):
        how = st.segmented_control(
            "Groups of risk", list(KINDS), default="3", required=True, format_func=KINDS.__getitem__,
            key="validation_groups", persist_state="session",
        )  # fmt: skip
        cuts = ()
        if how == "own":
            cuts = st.slider(
                f"Risk {shown.within} cut at, of 100", 1, 99, (20, 50), key="validation_cuts", persist_state="session",
                width=260,
            )  # fmt: skip
    if how == "own":
        return _cut(risk, tuple(sorted(set(cuts))))
    present, codes = np.unique(quantile_groups(of.mean(shown.kind).score, int(how or 3)), return_inverse=True)
    names = NAMES.get(len(present)) or tuple(f"Group {k + 1}" for k in range(len(present)))
    labels = tuple(f"{name} risk" for name in names) if len(present) > 1 else ("All patients",)
    return Grouping(labels, codes.astype(np.int64), 0, "Predicted risk")


def _cut(risk: np.ndarray, cuts: tuple[int, ...]) -> Grouping:
    """Groups by the risk itself; those without patients are left out."""
    codes = np.searchsorted(np.array(cuts) / 100, risk, side="right")
    ends = [f"Under {cuts[0]} of 100", *(f"{a} to {b} of 100" for a, b in pairwise(cuts)),
            f"{cuts[-1]} of 100 or more"]  # fmt: skip
    present, places = np.unique(codes, return_inverse=True)
    return Grouping(tuple(ends[k] for k in present), places.astype(np.int64), 0, "Predicted risk")


def _at(cohort: Cohort, outcome: Outcome, shown: Shown) -> float:
    """End of the time axis in the page's unit: as far as ten patients are followed."""
    last = float(desk.curves(cohort, outcome, None)[0].reliable_until(10))
    return max(float(convert(last, outcome.unit, shown.unit)), shown.when)


def _curves(
    cohort: Cohort, outcome: Outcome, shown: Shown, of: Resampled, grouping: Grouping, until: float
) -> None:  # fmt: skip
    curves = desk.curves(cohort, outcome, grouping)
    shares = [float(curve.at([shown.ask.t]).survival[0]) for curve in curves]
    save.figure(
        lambda mode: km_figure(
            curves, unit=shown.unit, until=until, mode=mode, y_title=outcome.free_phrase.capitalize(),
            x_title=f"{shown.unit.capitalize()} since {outcome.since}",
        ),
        key="validation_curves",
        title="Do groups of predicted risk fare differently?",
        aside=f"{shown.label}, what was observed",
        lead=page.fill("<p>{t}</p>", t=_told([1 - s for s in shares], grouping, shown)),
        alt=km_alt(curves),
        note=f"{basis(of, outcome, averaged=True)} Kaplan-Meier, 95% bands. {_test(cohort, outcome, grouping)}",
        stem="risk-groups",
        rows=lambda: km_rows(curves),
    )  # fmt: skip


def _incidence(
    cohort: Cohort, outcome: Outcome, shown: Shown, of: Resampled, grouping: Grouping, until: float
) -> None:  # fmt: skip
    groups = workbench.incidence(cohort, outcome, grouping, workbench.Plan())
    shares = [float(g.at([shown.ask.t]).incidence[0, 0]) for g in groups]
    save.figure(
        lambda mode: incidence_figure(
            groups, unit=shown.unit, until=until, mode=mode, x_title=f"{shown.unit.capitalize()} since {outcome.since}"
        ),
        key="validation_curves",
        title="Do groups of predicted risk fare differently?",
        aside=f"{shown.label}, what was observed",
        lead=page.fill("<p>{t}</p>", t=_told(shares, grouping, shown)),
        alt=incidence_alt(groups, unit=shown.unit, until=until),
        note=f"{basis(of, outcome, averaged=True)} Aalen-Johansen, 95% bands. {_gray(cohort, outcome, grouping)}",
        stem="risk-groups",
        rows=lambda: incidence_rows(groups, unit=shown.unit),
    )  # fmt: skip


def _told(shares: list[float], grouping: Grouping, shown: Shown) -> str:
    sizes = np.bincount(grouping.codes, minlength=len(grouping.labels))
    parts = [
        f"{label.lower() if label.endswith('risk') else label[:1].lower() + label[1:]} {_share(share)} ({n:,} patients)"
        for label, share, n in zip(grouping.labels, shares, sizes, strict=True)
    ]
    return f"Had the event {shown.within}: {'; '.join(parts)}."


def _share(share: float) -> str:
    return "not known" if math.isnan(share) else say.of_100(share)


def _test(cohort: Cohort, outcome: Outcome, grouping: Grouping) -> str:
    if len(grouping.labels) < 2:
        return ""
    try:
        test = desk.log_rank(cohort, outcome, grouping)
    except Fixable:
        return ""
    return f"Log-rank test {say.p_value(test.p)}: it asks whether the groups differ, not whether risks are right."


def _gray(cohort: Cohort, outcome: Outcome, grouping: Grouping) -> str:
    if len(grouping.labels) < 2:
        return ""
    try:
        test = workbench.gray(cohort, outcome, grouping, workbench.Plan())[0]
    except Fixable:
        return ""
    return f"Gray's test {say.p_value(test.p)}: it asks whether the groups differ, not whether risks are right."
