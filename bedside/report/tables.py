"""Results as rows of text, for a page, a file or a report."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bedside.cohort.table_one import Summary
from bedside.report import say

Rows = tuple[list[str], list[list[str]]]


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
