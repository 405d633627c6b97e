"""The answer of the survival page in a sentence, before anything else is read."""

from __future__ import annotations

import math
from collections.abc import Sequence

import streamlit as st

from bedside import survival
from bedside.cohort import Outcome, convert
from bedside.competing import Incidence
from bedside.report import say
from components.panels import page
from components.panels.survival_board import names, shown_as
from components.panels.survival_choices import Choice

MOST = 4
"""Groups that a sentence can name."""


def reference_of(curves: Sequence[object]) -> int:
    """Which group the others are compared with, as the reader set it in the card of differences."""
    return min(int(st.session_state.get(f"survival_reference_{len(curves)}") or 0), max(len(curves) - 1, 0))


def told(curves: Sequence[survival.Curve], outcome: Outcome, choice: Choice, times: Sequence[float]) -> None:
    """Each group's share at the last of the chosen times that all were followed to, and by how much they differ."""
    if not 1 <= len(curves) <= MOST:
        return
    shown = shown_as(curves, choice)
    when = next((t for t in reversed(times) if _is_known(shown, t)), None)
    if when is None:
        return
    at = reference_of(curves)
    found = survival.milestones(shown, [when], reference=shown[at].group)
    marks = dict(zip((c.group for c in curves), names(curves), strict=True))
    shares = [(_mark(marks, point.group, len(curves)), _share(point, choice)) for point in found.points]
    answer = page.fill(
        "{free} {when}: {shares}.{more}", free=_capital(outcome.free_phrase), when=_when(when, outcome, choice),
        shares=_listed(shares), more=_differences(found, choice),
    )  # fmt: skip
    page.lead(answer, of="survival_km")


def told_by_type(groups: Sequence[Incidence], choice: Choice, times: Sequence[float]) -> None:
    """Each group's share with the event that is waited for at the last of the chosen times."""
    if not 1 <= len(groups) <= MOST:
        return
    for when in reversed(times):
        points = [g.at([float(convert(when, choice.unit, g.unit))]) for g in groups]
        if not any(math.isnan(float(p.incidence[0, 0])) for p in points):
            break
    else:
        return
    marks = dict(zip((g.group for g in groups), names(groups), strict=True))
    said = []
    for k, cause in enumerate(groups[0].causes):
        values = ((float(a[0, k]) for a in (p.incidence, p.lower, p.upper)) for p in points)
        shares = [
            (_mark(marks, g.group, len(groups)), _between(*v, choice)) for g, v in zip(groups, values, strict=True)
        ]
        name = say.in_sentence(cause) if k else cause
        said.append(page.fill("{cause}: {shares}", cause=name, shares=_listed(shares)))
    when_said = say.duration(when, choice.unit)
    answer = page.fill("First event by {when}. {said}.", when=when_said, said=page.Markup("; ").join(said))
    page.lead(answer, of="survival_incidence")


def _is_known(shown: Sequence[survival.Curve], when: float) -> bool:
    return not any(math.isnan(float(curve.at([when]).survival[0])) for curve in shown)


def _mark(marks: dict[str, page.Markup], group: str, n: int) -> page.Markup:
    return marks[group] if n > 1 else page.Markup("")


def _listed(shares: Sequence[tuple[page.Markup, page.Markup]]) -> page.Markup:
    return page.Markup(", ").join(
        page.fill("{mark} {share}", mark=mark, share=share) if mark else share for mark, share in shares
    )


def _share(point: survival.Milestone, choice: Choice) -> page.Markup:
    sure = 0 < point.survival < 1
    return _between(point.survival, *((point.lower, point.upper) if sure else (math.nan, math.nan)), choice)


def _between(value: float, low: float, high: float, choice: Choice) -> page.Markup:
    none = math.isnan(low) or math.isnan(high)
    between = "" if none else f" ({say.percent_range(low, high, decimals=choice.decimals)})"
    return page.fill("<b>{v}</b>{b}", v=say.percent(value, decimals=choice.decimals), b=between)


def _when(when: float, outcome: Outcome, choice: Choice) -> str:
    if choice.restarted:
        return f"{say.duration(when, choice.unit)} after the {choice.mark(outcome.unit)} mark"
    text = f"at {say.duration(when, choice.unit)}"
    if choice.plan.alive_at:
        come = say.duration(float(convert(choice.plan.alive_at, outcome.unit, choice.unit)), choice.unit)
        return f"{text}, of those who were at {come}"
    return text


def _differences(found: survival.Milestones, choice: Choice) -> str:
    sure = {point.group: 0 < point.survival < 1 for point in found.points}
    said = []
    for each in found.contrasts:
        words = f"{points_of(each.difference.estimate, choice)} points"
        if sure[each.group] and sure[each.reference]:
            words += f" ({points_of(each.difference.lower, choice)} to {points_of(each.difference.upper, choice)})"
        said.append(f"{each.group} {words}")
    return f" Against {found.contrasts[0].reference}: {'; '.join(said)}." if said else ""


def points_of(value: float, choice: Choice) -> str:
    """A difference of shares in signed points, without the sign of a zero."""
    return signed(100 * value, choice.decimals)


def signed(value: float, decimals: int) -> str:
    """A number with its sign; a zero has none.

    >>> signed(-0.04, 1), signed(3.0, 0), signed(-12.34, 1)
    ('0.0', '+3', '−12.3')
    """
    text = f"{value:+.{decimals}f}"
    return text[1:] if not float(text) else text.replace("-", "−")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
