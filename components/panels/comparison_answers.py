"""Beside the curves: shares at one time, hazard ratios, and whether the two ways of adjusting agree."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import streamlit as st
from scipy.special import ndtr, ndtri
from streamlit.delta_generator import DeltaGenerator

from bedside.cohort import Cohort, Outcome, convert
from bedside.report import made_comparison as making
from bedside.report import say
from bedside.report.made import Made
from bedside.treatment import HazardRatio, Standardised, differences_at
from components import desk, numbers_comparison
from components.figures.palette import shades
from components.figures.subgroups import ratio_text
from components.panels import page, save
from components.panels.comparison_board import Found, noun, randomised, share_at, unsure, who
from components.panels.comparison_choices import Choice

CLOSE = 0.02
"""Two points: estimates that are no further apart say the same to a clinician."""

COX = (
    "Cox model: in patients alike in what is adjusted for. Such a ratio usually lies further from 1 than one of whole "
    "groups, even where these are alike: the columns need not agree."
)

GREY = "Grey: hangs on a few patients, not to be relied on."

Interval = tuple[float, float, float]


def answers(of: Cohort, outcome: Outcome, choice: Choice, found: Found, place: DeltaGenerator) -> None:
    """The cards beside the figure."""

    def made() -> Made:
        return making.curves_made(
            of, outcome, choice.groups, choice.plan.covariates, weighted=found.weighted, standard=found.standard,
            at=float(convert(choice.at, choice.unit, outcome.unit)), filters=numbers_comparison.filters(),
        )  # fmt: skip

    with place:
        with st.container(border=True, key="card_comparison_shares"), desk.fixable():
            _shares(of, outcome, choice, found, made)
        with st.container(border=True, key="card_comparison_ratio"), desk.fixable():
            _ratios(of, outcome, choice, found, made)
        if found.weighted is not None and found.standard is not None:
            with st.container(border=True, key="card_comparison_agree"):
                _agreement(outcome, choice, found)


# ------------------------------------------------------------------ the answer


def answer(of: Cohort, outcome: Outcome, choice: Choice, found: Found, kind: str) -> None:
    """The comparison in a sentence for each group, by the way that is drawn; none where it cannot be relied on."""
    way = "Standardised" if kind == "standardisation" else "Weighted"
    if way == "Weighted" and unsure(found):
        return
    when = float(convert(choice.at, choice.unit, outcome.unit))
    columns, gaps = shares(found, when), differences(found, choice, when)
    if way not in columns:
        return
    names, n = choice.groups.labels, len(choice.plan.covariates)
    rest = [share for name, share in zip(names, columns[way], strict=True) if name != choice.reference]
    basis = columns[way][choice.plan.reference]
    joint = "with {}" if noun(of, choice) == "treatment" else "in “{}”"
    told = [
        sentence((label, mine), (choice.reference, basis), gap, joint=joint, decimals=choice.decimals)
        for label, mine, gap in zip(choice.others, rest, gaps[way], strict=True)
    ]
    lead = f"Made alike in {n} variable{'s' * (n != 1)}, {outcome.free_phrase} at "
    lead += say.duration(choice.at, choice.unit)
    end = "" if randomised(of, choice) else " It may still be due to what nobody recorded."
    if len(told) == 1:
        text = page.fill("{t}", t=f"{lead}: {told[0]}.{end}")
    else:
        lines = page.join(page.fill(" <br>{t}.", t=one) for one in told)
        text = page.fill("{t}:{l}{e}", t=lead, l=lines, e=end)
    page.lead(text, of="comparison_curves")


def sentence(
    own: tuple[str, Interval], base: tuple[str, Interval], gap: Interval, *, joint: str = "in “{}”", decimals: int = 0
) -> str:
    """Two shares with their intervals, and how far they lie apart."""
    if math.isnan(gap[0]):
        return f"{own[0]} cannot be compared with {base[0]}, since one was not followed so long"
    sides = [
        f"{say.percent(share[0], decimals=decimals)} ({say.percent_range(share[1], share[2], decimals=decimals)}) "
        + joint.format(say.in_sentence(label) if joint.startswith("with") else label)
        for label, share in (own, base)
    ]
    return f"{sides[0]} against {sides[1]}, {apart(gap, decimals)}"


def apart(gap: Interval, decimals: int = 0) -> str:
    """A difference in words: ``"14 points more (5 to 23)"``, ``"2 points more (3 fewer to 7 more)"``."""
    value, low, high = (round(100 * v, decimals) if math.isfinite(v) else v for v in gap)
    size = f"{abs(value):.{decimals}f} point{'' if abs(value) == 1 else 's'} {'fewer' if value < 0 else 'more'}"
    size = "no difference" if value == 0 else size
    if math.isnan(low) or low == high:
        return size
    if low * high >= 0 and value != 0:
        ends = sorted((abs(low), abs(high)))
        return f"{size} ({ends[0]:.{decimals}f} to {ends[1]:.{decimals}f})"
    ends = [f"{abs(end):.{decimals}f}{' fewer' if end < 0 else ' more' if end > 0 else ''}" for end in (low, high)]
    return f"{size} ({ends[0]} to {ends[1]})"


# ------------------------------------------------------------------ shares


def _headed(name: str, head: str, aside: str, **taken: object) -> None:
    """A card's heading, with the ways to take its table along."""
    with st.container(horizontal=True, vertical_alignment="top", horizontal_alignment="distribute", gap="small"):
        with st.container(width="stretch"):
            page.heading(head, aside)
        save.numbers(f"comparison_{name}", **taken)  # type: ignore[arg-type]


def _shares(of: Cohort, outcome: Outcome, choice: Choice, found: Found, made: Callable[[], Made]) -> None:
    when = float(convert(choice.at, choice.unit, outcome.unit))
    columns = shares(found, when)
    gaps = differences(found, choice, when)
    at = f"At {say.duration(choice.at, choice.unit)}"
    _headed(
        "shares", at, f"{outcome.free_phrase}, {choice.plan.level:.0%} interval",
        stem="fair-comparison-shares", title=f"{at}: {outcome.free_phrase}", note=who(of, choice, found), made=made,
        rows=lambda: share_rows(choice, columns, gaps), shown=lambda: share_words(choice, columns, gaps),
    )  # fmt: skip
    labels = choice.groups.labels
    marks = dict(zip(labels, _marks(labels), strict=True))
    rows: list[list[object]] = [
        [marks[label], *(_quiet(name, found, _percent(columns[name][i], choice.decimals)) for name in columns)]
        for i, label in enumerate(labels)
    ]
    for j, label in enumerate(choice.others):
        name = "Difference" if len(choice.others) == 1 else f"{label} less {choice.reference}"
        rows.append([name, *(_quiet(way, found, _points(gaps[way][j], choice.decimals)) for way in columns)])
    page.table(["", *columns], rows, label="Shares at the chosen time")
    if len(choice.others) == 1:
        page.caption(f"Difference in percentage points: {choice.others[0]} less {choice.reference}.")
    if unsure(found):
        page.caption(GREY)


def share_rows(
    choice: Choice, columns: dict[str, list[Interval]], gaps: dict[str, list[Interval]]
) -> tuple[list[str], list[list[object]]]:
    """Every share and difference of the card, unrounded."""
    when = [choice.at, choice.unit]
    rows: list[list[object]] = []
    for way, held in columns.items():
        rows += [[way, label, "", *when, *told] for label, told in zip(choice.groups.labels, held, strict=True)]
        rows += [[way, label, choice.reference, *when, *told]
                 for label, told in zip(choice.others, gaps[way], strict=True)]  # fmt: skip
    return ["Way", "Group", "Less", "Time", "Unit", "Share or difference", "Lower limit", "Upper limit"], rows


def share_words(
    choice: Choice, columns: dict[str, list[Interval]], gaps: dict[str, list[Interval]]
) -> tuple[list[str], list[list[object]]]:
    """The card as a report prints it."""

    def share(told: Interval) -> str:
        if math.isnan(told[0]):
            return "not followed so long"
        between = say.percent_range(told[1], told[2], decimals=choice.decimals)
        return f"{say.percent(told[0], decimals=choice.decimals)} ({between})"

    rows: list[list[object]] = [
        [label, *(share(held[i]) for held in columns.values())] for i, label in enumerate(choice.groups.labels)
    ]
    for i, label in enumerate(choice.others):
        told = [gaps[way][i] for way in columns]
        words = ["–" if math.isnan(one[0]) else _points_in_line(one, choice.decimals) for one in told]
        rows.append([f"{label} less {choice.reference}, percentage points", *words])
    return ["", *columns], rows


def _quiet(way: str, found: Found, told: page.Markup) -> page.Markup:
    """A weighted number that hangs on a few patients is grey and thin."""
    if way != "Weighted" or not unsure(found):
        return told
    thin = told.replace(page.Markup("<b>"), page.Markup("<span>")).replace(page.Markup("</b>"), page.Markup("</span>"))
    return page.fill('<span class="bs-muted">{t}</span>', t=thin)


def shares(found: Found, when: float) -> dict[str, list[Interval]]:
    """For each way: the share of each group at a time in the outcome's unit."""
    columns = {"As observed": [share_at(curve, when) for curve in found.raw]}
    if found.weighted is not None:
        columns["Weighted"] = [share_at(curve, when) for curve in found.weighted.curves]
    if found.standard is not None:
        columns["Standardised"] = [_read(c.time, (c.survival, c.lower, c.upper), when) for c in found.standard.at]
    return columns


def differences(found: Found, choice: Choice, when: float) -> dict[str, list[Interval]]:
    """For each way: the difference of each other group from the reference."""
    plan = choice.plan

    def of(curves: Sequence[object]) -> list[Interval]:
        told = differences_at(curves, [when], reference=plan.reference, level=plan.level)  # type: ignore[arg-type]
        return [(one.difference, one.lower, one.upper) for one in told]

    columns = {"As observed": of(found.raw)}
    if found.weighted is not None:
        columns["Weighted"] = of(found.weighted.curves)
    if found.standard is not None:
        columns["Standardised"] = [
            _read(d.time, (d.difference, d.lower, d.upper), when) for d in found.standard.differences
        ]
    return columns


def _read(times: np.ndarray, values: tuple[np.ndarray, ...], when: float) -> Interval:
    """What was found at one of the times that were asked for."""
    place = int(np.argmin(np.abs(times - when)))
    return tuple(float(each[place]) for each in values)  # type: ignore[return-value]


def _marks(labels: Sequence[str]) -> list[page.Markup]:
    return [
        page.fill('<i class="bs-swatch" style="background:{c}"></i>{name}', c=colour, name=label)
        for colour, label in zip(shades(len(labels), desk.mode()), labels, strict=True)
    ]


def _percent(told: Interval, decimals: int) -> page.Markup:
    value, low, high = told
    if math.isnan(value):
        return page.Markup('<span class="bs-muted">not followed so long</span>')
    between = "no event so far" if value == 1 else say.percent_range(low, high, decimals=decimals)
    return page.fill(
        '<b>{v}</b><br><span class="bs-muted">{b}</span>', v=say.percent(value, decimals=decimals), b=between
    )


def points(value: float, decimals: int = 0) -> str:
    """A difference of shares in percentage points with its sign."""
    text = f"{100 * value:+.{decimals}f}"
    return text.replace("-", "−") if float(text) else f"{0:.{decimals}f}"


def _points(told: Interval, decimals: int) -> page.Markup:
    value, low, high = told
    if math.isnan(value):
        return page.Markup('<span class="bs-muted">–</span>')
    between = "" if math.isnan(low) or low == high else f"{points(low, decimals)} to {points(high, decimals)}"
    return page.fill('<b>{v}</b><br><span class="bs-muted">{b}</span>', v=points(value, decimals), b=between)


# ------------------------------------------------------------------ hazard ratios


def _ratios(of: Cohort, outcome: Outcome, choice: Choice, found: Found, made: Callable[[], Made]) -> None:
    if found.weighted is not None:
        columns = {"As observed": found.weighted.raw_ratios, "Weighted": found.weighted.ratios}
    else:
        columns = {"As observed": numbers_comparison.raw_ratios(of, outcome, found.groups, choice.plan)}
    if found.standard is not None:
        columns |= conditional(found.standard, choice)
    aside = f"against {choice.reference}, {choice.plan.level:.0%} interval"
    _headed(
        "ratios", "Hazard ratio", aside, stem="fair-comparison-hazard-ratios", title=f"Hazard ratio {aside}",
        note=f"{who(of, choice, found)} Below 1: a lower rate of the event.", made=made,
        rows=lambda: ratio_rows(columns), shown=lambda: ratio_words(choice, columns),
    )  # fmt: skip
    rows = [
        [label, *(_quiet(way, found, _ratio(column[i])) for way, column in columns.items())]
        for i, label in enumerate(choice.others)
    ]
    page.table(("", *columns), rows, label="Hazard ratios")
    why = next((one for column in columns.values() for one in column if one.why), None)
    if why is not None:
        page.caption(f"{why.label}: no hazard ratio. {why.why}")
    reading = "" if unsure(found) else _reading(choice, columns.get("Weighted", ()))
    told = [reading, "Weighted: robust standard errors."] if "Weighted" in columns else []
    told += [COX] if "Cox model" in columns else []
    page.caption(" ".join(filter(None, [*told, "Below 1: a lower rate of the event."])))


def ratio_rows(columns: Mapping[str, Sequence[HazardRatio]]) -> tuple[list[str], list[list[object]]]:
    """Every hazard ratio of the card, unrounded."""
    header = ["Way", "Group", "Against", "Patients", "Events", "Hazard ratio", "Lower limit", "Upper limit",
              "Standard error of the logarithm", "p"]  # fmt: skip
    return header, [
        [way, one.label, one.reference, one.n, one.events, one.hr, one.lower, one.upper, one.se, one.p]
        for way, held in columns.items()
        for one in held
    ]


def ratio_words(choice: Choice, columns: Mapping[str, Sequence[HazardRatio]]) -> tuple[list[str], list[list[object]]]:
    """The card as a report prints it."""

    def words(one: HazardRatio) -> str:
        if math.isnan(one.hr):
            return "cannot be given"
        return f"{ratio_text(one.hr)} ({ratio_text(one.lower)} to {ratio_text(one.upper)}), {say.p_value(one.p)}"

    return ["", *columns], [
        [label, *(words(held[i]) for held in columns.values())] for i, label in enumerate(choice.others)
    ]


def conditional(found: Standardised, choice: Choice) -> dict[str, tuple[HazardRatio, ...]]:
    """Hazard ratios of the groups from the Cox model that standardisation rests on, the covariates held."""
    k, reference = len(choice.groups.labels), choice.plan.reference
    if found.fit.data.names[: k - 1] != choice.groups.labels[1:]:
        return {}
    coef = np.concatenate(([0.0], found.fit.coef[: k - 1]))
    variance = np.zeros((k, k))
    variance[1:, 1:] = found.fit.variance[: k - 1, : k - 1]
    z = float(ndtri((1 + found.level) / 2))
    told = []
    for i, label in enumerate(choice.groups.labels):
        if i == reference:
            continue
        log_hr = float(coef[i] - coef[reference])
        se = math.sqrt(variance[i, i] + variance[reference, reference] - 2 * variance[i, reference])
        ends = (math.exp(log_hr), math.exp(log_hr - z * se), math.exp(log_hr + z * se))
        p = float(2 * ndtr(-abs(log_hr) / se))
        told.append(HazardRatio(label, choice.reference, found.n, found.events, *ends, log_hr, se, p, False))
    return {"Cox model": tuple(told)}


def _ratio(one: HazardRatio) -> page.Markup:
    if math.isnan(one.hr):
        return page.Markup('<span class="bs-muted">cannot be given</span>')
    return page.fill(
        '<b>{v}</b><br><span class="bs-muted">{a} to {b}<br>{p}</span>', v=ratio_text(one.hr), a=ratio_text(one.lower),
        b=ratio_text(one.upper), p=say.p_value(one.p),
    )  # fmt: skip


def _reading(choice: Choice, ratios: Sequence[HazardRatio]) -> str:
    """The first weighted hazard ratio as a sentence."""
    if len(ratios) != 1 or math.isnan(ratios[0].hr):
        return ""
    one = ratios[0]
    if one.lower <= 1 <= one.upper:
        return f"After weighting, {one.label} does not clearly go with a higher or lower rate of the event."
    word = "lower" if one.hr < 1 else "higher"
    return f"After weighting, {one.label} goes with a {word} rate of the event than {choice.reference}."


# ------------------------------------------------------------------ agreement


def _agreement(outcome: Outcome, choice: Choice, found: Found) -> None:
    page.heading("Do the two ways agree?", "differences in percentage points")
    when = float(convert(choice.at, choice.unit, outcome.unit))
    gaps = differences(found, choice, when)
    rows = list(zip(choice.others, gaps["Weighted"], gaps["Standardised"], strict=True))
    alike = choice.plan.estimand not in ("att", "overlap")
    told = [agreement(*row, many=len(rows) > 1, alike=alike, decimals=choice.decimals) for row in rows]
    page.put("{t}", t=page.join(page.fill("<p>{t}</p>", t=one) for one in told))
    page.caption(
        "Weighting models who was in which group, standardisation who had the event."
        + (" Standardisation speaks of all patients, the weights of others: the two need not agree."
           if not alike else "")
    )  # fmt: skip


def agreement(
    label: str, weighted: Interval, standard: Interval, *, many: bool = False, alike: bool = True, decimals: int = 0
) -> str:
    """How far two estimates of one difference lie apart, in a line; `alike` if they are of the same patients."""
    first = f"{label}: " if many else ""
    if math.isnan(weighted[0]) or math.isnan(standard[0]):
        return f"{first}Not every group was followed so long."
    apart = abs(weighted[0] - standard[0])
    text = f"{_points_in_line(weighted, decimals)} by weighting, {_points_in_line(standard, decimals)} by "
    text += "standardisation"
    inside = weighted[1] <= standard[0] <= weighted[2] and standard[1] <= weighted[0] <= standard[2]
    if apart <= CLOSE:
        return f"{first}Yes: {text}."
    if inside:
        return f"{first}Within their uncertainty: {text}."
    if not alike:
        return f"{first}Not well: {text}. They are of different patients, or one of the two models is off."
    return (
        f"{first}Not well: {text}. At least one of the two models is off: look at the balance; standardisation also "
        "takes the hazard ratio to be the same at all times."
    )


def _points_in_line(told: Interval, decimals: int) -> str:
    between = "" if math.isnan(told[1]) else f" ({points(told[1], decimals)} to {points(told[2], decimals)})"
    return points(told[0], decimals) + between
