"""Results as rows of text, for a page, a file or a report."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bedside.cohort.table_one import Summary
from bedside.report import say
from bedside.survival import Effect, MilestoneContrast, Milestones, RestrictedContrast, RestrictedMeans

Rows = tuple[list[str], list[list[str]]]
NO_BREAK = "\u00a0"


def table_one_rows(summaries: Sequence[Summary]) -> Rows:
    """Table 1 in words: a row for each continuous variable and for each level of the others.

    Returns
    -------
    header : list of str
    rows : list of list of str
        Median with quartiles, mean with standard deviation, or patients with
        their share of those in whom the variable was recorded.
    """
    rows: list[list[str]] = []
    for s in summaries:
        gaps = f"{s.missing:,}" if s.missing else "0"
        if s.variable.is_numeric:
            unit = f" ({s.variable.unit})" if s.variable.unit else ""
            rows.append([f"{s.variable.label}{unit}", _centre(s), _mean(s), gaps])
            continue
        rows.append([s.variable.label, "", "", gaps])
        rows += [
            [f"   {level.label}", f"{level.n:,} ({say.percent(level.share, decimals=1)})", "", ""] for level in s.levels
        ]
    return ["Variable", "Median (quartiles), or patients (share)", "Mean (SD)", "Missing"], rows


def differences_rows(means: RestrictedMeans, shares: Milestones) -> tuple[list[str], list[list[object]]]:
    """Groups against a reference, unrounded: restricted mean and share at its end, differences and ratio.

    Parameters
    ----------
    means : RestrictedMeans
    shares : Milestones
        At one time, of the same groups in the same order with the same reference.
    """
    header = ["Group", "Compared with", "Patients", f"Mean time ({means.unit})", "Lower limit", "Upper limit"]
    for what in ("Difference", "Ratio of mean times"):
        header += [what, f"{what}: lower limit", f"{what}: upper limit", f"{what}: p"]
    header += ["Share", "Share: lower limit", "Share: upper limit"]
    header += [f"Difference of shares{more}" for more in ("", ": lower limit", ": upper limit", ": p")]
    rows: list[list[object]] = []
    for g, point in zip(means.groups, shares.points, strict=True):
        mean, share = _contrasts(g.group, means, shares)
        row: list[object] = [g.group, mean.reference if mean else None, g.n, g.mean, g.lower, g.upper]
        row += [*_effect(mean.difference), *_effect(mean.ratio)] if mean else [None] * 8
        row += [point.survival, point.lower, point.upper]
        rows.append([*row, *(_effect(share.difference, share.p) if share else [None] * 4)])
    return header, rows


def differences_said(
    means: RestrictedMeans, shares: Milestones, *, decimals: int = 1, window: str = "", at: str = ""
) -> Rows:
    """The same in words, for a page of paper: estimate (interval), p.

    Parameters
    ----------
    means, shares
        As in `differences_rows`.
    decimals : int
        Of mean times; shares have one less.
    window, at : str
        The window of the mean, "within 2 years of the 3-year mark", and the time of the share; by default those of
        curves that begin at time zero.
    """
    when = say.duration(means.tau, means.unit)
    header = [
        "", f"Mean time {window or f'within {when}'}", "Difference", "Ratio of mean times", f"Share at {at or when}",
        "Difference in points",
    ]  # fmt: skip
    rows = []
    for g, point in zip(means.groups, shares.points, strict=True):
        mean, share = _contrasts(g.group, means, shares)
        # A group of which nobody or everybody had the event has a standard error of 0, and is not certain for that.
        limits = (g.lower, g.upper) if g.std_err > 0 else (math.nan, math.nan)
        sure = g.std_err > 0 and means.groups[0].std_err > 0
        varies = 0 < point.survival < 1 and 0 < shares.points[0].survival < 1
        rows.append([
            g.group,
            _said(g.mean, *limits, f".{decimals}f"),
            _said_effect(mean.difference, f"+.{decimals}f", sure=sure) if mean else "reference",
            _said_effect(mean.ratio, ".2f", sure=sure) if mean else "",
            _said(100 * point.survival, 100 * point.lower, 100 * point.upper, f".{decimals - 1}f", "%"),
            _said_effect(share.difference, f"+.{decimals - 1}f", p=share.p, times=100, sure=varies) if share else "",
        ])  # fmt: skip
    return header, rows


def _contrasts(
    group: str, means: RestrictedMeans, shares: Milestones
) -> tuple[RestrictedContrast | None, MilestoneContrast | None]:
    return (
        next((c for c in means.contrasts if c.group == group), None),
        next((c for c in shares.contrasts if c.group == group), None),
    )


def _effect(effect: Effect, p: float | None = None) -> list[object]:
    return [effect.estimate, effect.lower, effect.upper, effect.p if p is None else p]


def _said(value: float, low: float, high: float, form: str, unit: str = "") -> str:
    if math.isnan(value):
        return "not followed so long"
    text = f"{value:{form}}{unit}"
    return text if math.isnan(low) else f"{text} ({low:{form}} to {high:{form}}{unit})".replace("-", "−")


def _said_effect(effect: Effect, form: str, *, p: float | None = None, times: float = 1, sure: bool) -> str:
    if math.isnan(effect.estimate):
        return "–"
    if not sure:
        return f"{_said(times * effect.estimate, math.nan, math.nan, form)}; no interval"
    ends = (times * v for v in (effect.estimate, effect.lower, effect.upper))
    shown = say.p_value(effect.p if p is None else p).replace(" ", NO_BREAK)
    return f"{_said(*ends, form)}; {shown}"


def _centre(s: Summary) -> str:
    if not s.n:
        return "not recorded"
    v = s.variable
    return f"{v.number(s.median)} ({v.number(s.q1)} to {v.number(s.q3)})"


def _mean(s: Summary) -> str:
    if not s.n:
        return ""
    if math.isnan(s.sd):
        return s.variable.number(s.mean)
    return f"{s.variable.number(s.mean)} ({s.variable.number(s.sd)})"
