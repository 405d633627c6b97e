"""Groups of the survival page against each other: how large the differences are, and between which groups."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import streamlit as st

from bedside import survival
from bedside.cohort import Cohort, Outcome
from bedside.cohort.groups import Grouping
from bedside.report import say
from bedside.report.made import Made
from bedside.report.tables import differences_rows, differences_said
from bedside.report.tables_survival import groups_rows, pairs_rows
from components import desk, numbers
from components.panels import page, save, survival_made
from components.panels.pick import told_apart
from components.panels.survival_board import FEW, drawn, names, shown_as, time_of
from components.panels.survival_choices import Choice
from components.panels.survival_lead import points_of, signed

ADJUSTMENTS = {"holm": "Holm", "BH": "Benjamini–Hochberg", "bonferroni": "Bonferroni"}


def differences(
    of: Cohort, grouping: Grouping | None, curves: Sequence[survival.Curve], outcome: Outcome, choice: Choice,
    times: Sequence[float],
) -> None:  # fmt: skip
    """Groups against one of them: mean time within a window, and shares at chosen times."""
    if len(curves) < 2 or grouping is None or survival.longest_tau(curves) <= max(c.origin for c in curves):
        return
    with st.container(border=True, key="card_differences"), desk.fixable():
        labels = told_apart({str(i): curve.group for i, curve in enumerate(curves)})
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            with st.container(width="stretch"):
                head = st.container()
            with st.container(key="screen_survival_reference", width="content"):
                against = int(
                    st.selectbox("Compared with", list(labels), format_func=labels.__getitem__, width=190,
                                 key=f"survival_reference_{len(curves)}", persist_state="session")
                )  # fmt: skip
        with head:
            compared = f"compared with {curves[against].group}; not adjusted for anything"
            page.heading("How large is the difference?", compared)
        shown = shown_as(curves, choice)
        ordered = [shown[against], *(c for i, c in enumerate(shown) if i != against)]
        marks = names(curves)
        ordered_names = [marks[against], *(m for i, m in enumerate(marks) if i != against)]
        if times:
            _at_times(ordered, ordered_names, choice, times)
        with st.container(key="screen_survival_window"):
            tau = _window(curves, choice)
        made = survival_made.of_differences(of, outcome, grouping, choice, tau=tau, reference=curves[against].group)
        _means(ordered, ordered_names, outcome, choice, tau, made)


def _window(curves: Sequence[survival.Curve], choice: Choice) -> float:
    shown = shown_as(curves, choice)
    step = {"days": 1.0, "weeks": 1.0, "months": 0.5, "years": 0.1}[choice.unit]
    longest = survival.longest_tau(shown)
    top = max(math.floor(longest / step + 1e-9) * step, step)
    # On its own clock a curve starts at the time that its patients are known to have come to.
    low = (math.floor(max(curve.origin for curve in shown) / step + 1e-9) + 1) * step
    if top <= low:
        return longest
    # As far as ten patients of every group are under observation: later, one of them decides. Where a group is so
    # small that little is left, as far as ten of all patients are.
    sure = min(curve.reliable_until(FEW) for curve in shown)
    if sure < top / 4:
        sure = min(top, max(curve.reliable_until(FEW) for curve in shown))
    usual = float(math.floor(sure)) if sure >= 1 else math.floor(sure / step) * step
    return float(
        st.slider(
            f"Within ({choice.unit})", min_value=low, max_value=top, value=min(max(usual, low), top), step=step,
            width=190, key=f"survival_window_{choice.unit}_{low:.6g}_{top:.6g}_{usual:.6g}", persist_state="session",
            format="%.1f" if choice.unit in ("years", "months") else "%.0f",
            help="Up to the shortest longest follow-up of the groups; at first as far as ten patients of each are "
            "under observation.",
        )
    )  # fmt: skip


def _means(
    shown: Sequence[survival.Curve], marks: Sequence[page.Markup], outcome: Outcome, choice: Choice, tau: float,
    made: Callable[[], Made],
) -> None:  # fmt: skip
    unit, more = choice.unit, 2 if choice.decimals else 1
    means = survival.restricted_means(shown, tau, level=choice.level)
    points = survival.milestones(shown, [tau])
    when = say.duration(tau, unit)
    began = max(curve.origin for curve in shown)
    # On its own clock the area begins at the time that patients are known to have come to.
    window = f"between {say.number_of(began)} and {when}" if began else f"within {when}"
    at = when
    if choice.restarted:
        window += f" of the {choice.mark(outcome.unit)} mark"
        at += f" after the {choice.mark(outcome.unit)} mark"
    length = say.duration(tau - began, unit)
    broken = page.Markup("<br>")
    head = ("", page.fill("Mean time{br}{w}", br=broken, w=window), "Difference",
            page.fill("Ratio of{br}mean times", br=broken))  # fmt: skip
    rows = []

    def plus(value: float) -> str:
        return signed(value, more)

    for i, (mark, mean) in enumerate(zip(marks, means.groups, strict=True)):
        against = means.contrasts[i - 1] if i else None
        sure = mean.std_err > 0 and means.groups[0].std_err > 0
        rows.append(
            (
                mark,
                _with_interval(mean.mean, *_limits(mean), lambda v: f"{v:.{more}f}"),
                _effect(against.difference, plus, sure=sure) if against else "reference",
                _effect(against.ratio, lambda v: f"{v:.2f}", sure=sure) if against else "",
            )
        )  # fmt: skip
    page.table(head, rows, label="Differences between groups")
    page.caption(
        f"Mean time: {unit} {outcome.free_phrase} out of {length}, the area under the curve (restricted mean); needs "
        f"no proportional hazards. Intervals of {choice.level:.0%}."
    )
    save.numbers(
        "survival_differences", stem="differences", rows=lambda: differences_rows(means, points),
        shown=lambda: differences_said(means, points, decimals=more, window=window, at=at),
        title=f"How large is the difference? Mean time and share at {at}",
        note=f"{say.patients(sum(g.n for g in means.groups))}. Mean time: {unit} {outcome.free_phrase} out of {length} "
        f"(restricted mean). Share: {outcome.free_phrase} at {at}. Intervals of {choice.level:.0%}.",
        made=made,
    )  # fmt: skip


def _at_times(
    shown: Sequence[survival.Curve], marks: Sequence[page.Markup], choice: Choice, times: Sequence[float]
) -> None:
    """How many points each group's share differs from the reference's, at the times that the reader chose."""
    found = survival.milestones(shown, times)
    by_place = {(c.group, c.time): c for c in found.contrasts}
    varies = {(point.group, point.time): _varies(point) for point in found.points}
    head = ("", *(f"at {t:g} {say.unit_of(t, choice.unit)}" for t in times))
    rows = [
        (
            mark,
            *(
                _points(
                    by_place[curve.group, float(t)],
                    choice,
                    sure=all(varies[g.group, float(t)] for g in (shown[0], curve)),
                )
                for t in times
            ),
        )
        for curve, mark in zip(shown[1:], marks[1:], strict=True)
    ]
    page.table(head, rows, label="Differences at the chosen times")
    page.caption(
        f"Points more or fewer than in {shown[0].group}, at the times chosen above. Intervals of {choice.level:.0%}; "
        "the p is of log(−log S), so that it can lie on the other side of 0.05 than the interval says."
    )


def _varies(point: survival.Milestone) -> bool:
    """False where all or none of a group had the event: its standard error of 0 would call that certain."""
    return 0 < point.survival < 1


def _limits(mean: survival.RestrictedMean) -> tuple[float, float]:
    """None where everybody had the event at one time, or nobody had it."""
    return (mean.lower, mean.upper) if mean.std_err > 0 else (math.nan, math.nan)


def _points(contrast: survival.MilestoneContrast, choice: Choice, *, sure: bool) -> page.Markup:
    return _effect(contrast.difference, lambda v: points_of(v, choice), p=contrast.p, sure=sure)


def _with_interval(value: float, low: float, high: float, words: object) -> page.Markup:
    if math.isnan(value):
        return page.Markup('<span class="bs-muted">not followed so long</span>')
    between = "" if math.isnan(low) or math.isnan(high) else f"{words(low)} to {words(high)}"
    return page.fill('<b>{v}</b><br><span class="bs-muted">{b}</span>', v=words(value), b=between)


def _effect(effect: survival.Effect, words: object, *, p: float | None = None, sure: bool) -> page.Markup:
    if math.isnan(effect.estimate):
        return page.Markup('<span class="bs-muted">–</span>')
    if not sure:
        return page.fill('<b>{v}</b><br><span class="bs-muted">no interval</span>', v=words(effect.estimate))
    return page.fill(
        '<b>{v}</b><br><span class="bs-muted">{a} to {b}<br>{p}</span>', v=words(effect.estimate),
        a=words(effect.lower), b=words(effect.upper), p=say.p_value(effect.p if p is None else p),
    )  # fmt: skip


def pairs(of: Cohort, outcome: Outcome, grouping: Grouping, choice: Choice, asked: numbers.Question) -> None:
    """Every two groups compared, corrected for how many comparisons that makes; of two, the test says all."""
    if len(grouping.labels) < 3:
        return
    panel = st.expander("Which groups differ? Every pair", key="survival_pairs", on_change="rerun")
    if not panel.open:
        return
    with panel, desk.fixable():
        adjustment = st.segmented_control(
            "Corrected after", list(ADJUSTMENTS), default="holm", required=True,
            format_func=ADJUSTMENTS.__getitem__, key="survival_adjustment", persist_state="session",
        )  # fmt: skip
        found = numbers.pairs(of, outcome, grouping, choice.plan, asked, adjustment or "holm")
        rows = [
            (f"{a} – {b}", _number(s), say.p_value(p), say.p_value(corrected))
            for (a, b), s, p, corrected in zip(
                found.labels, found.pairs.statistic, found.pairs.p, found.pairs.adjusted, strict=True
            )
        ]
        header = ("Groups", "Chi-squared", "p alone", "p corrected")
        page.table(header, rows, label="Every pair of groups")
        told = f"{found.pairs.name}. With {len(rows)} comparisons some look different by chance: read the corrected p."
        page.caption(told)
        save.numbers(
            "survival_pairs", stem="pairs", rows=lambda: pairs_rows(found), shown=lambda: (header, rows),
            title=f"{outcome.label}, every pair of groups",
            note=f"{told} Corrected after {ADJUSTMENTS[found.pairs.adjustment]}.",
            made=survival_made.of_pairs(of, outcome, grouping, choice, found),
        )  # fmt: skip


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.2f}"


def groups_in_numbers(
    of: Cohort, outcome: Outcome, grouping: Grouping | None, curves: Sequence[survival.Curve], choice: Choice
) -> None:
    """Each group in one row: patients, events, follow-up, and the times by which shares had the event."""
    if not curves:
        return
    panel = st.expander("Each group in numbers", key="survival_groups", on_change="rerun")
    if not panel.open:
        return
    with panel, desk.fixable():
        follow = numbers.follow_up(of, outcome, drawn(grouping), choice.plan)
        header = ["Group", "Patients", "Events", "Censored", "Median follow-up", "A quarter by", "Half by",
                  "Three quarters by"]  # fmt: skip
        found = [_in_numbers(curve, follow.get(curve.group), choice) for curve in curves]
        rows = [[*counts, *(f"{v} ({b})" if b else v for v, b in times)] for counts, times in found]
        shown = [
            [
                page.fill('<span style="white-space:nowrap">{m}</span>', m=mark),
                *counts[1:],
                *(_stacked(*t) for t in times),
            ]
            for mark, (counts, times) in zip(names(curves), found, strict=True)
        ]
        page.table(header, shown, label="Each group in numbers")
        level = f"{choice.level:.0%}"
        since = ", counted from time zero" if choice.plan.alive_at else ""
        once = ", every patient counted once" if choice.plan.weights else ""
        page.caption(f"Times with {level} intervals{since}. Follow-up by the reverse Kaplan-Meier method{once}.")
        save.numbers(
            "survival_groups", stem="groups", rows=lambda: groups_rows(curves, follow, choice.unit),
            shown=lambda: (header, rows), title=f"{outcome.label}, in numbers",
            note=f"Kaplan-Meier quantiles with {level} intervals; median follow-up by reverse Kaplan-Meier.",
            made=survival_made.of_groups(of, outcome, drawn(grouping), choice),
        )  # fmt: skip


def _stacked(text: str, between: str) -> page.Markup:
    return page.fill('{v}<br><span class="bs-muted">{b}</span>', v=text, b=between)


def _in_numbers(
    curve: survival.Curve, follow: survival.Curve | None, choice: Choice
) -> tuple[list[str], list[tuple[str, str]]]:
    """A group's name and counts, and its times with their intervals: follow-up first."""
    times = [time_of(curve, curve.quantile(share), choice) for share in (0.25, 0.5, 0.75)]
    observed = ("", "") if follow is None else time_of(follow, follow.median, choice)
    return [curve.group, f"{curve.n:,}", f"{curve.n_events:,}", f"{curve.n - curve.n_events:,}"], [observed, *times]
