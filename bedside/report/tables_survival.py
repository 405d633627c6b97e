"""Survival of several groups as rows for a file, unrounded."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from bedside.cohort import Unit
from bedside.survival import Curve, PairComparison

SHARES = {"A quarter by": 0.25, "Half by": 0.5, "Three quarters by": 0.75}


def pairs_rows(found: PairComparison) -> tuple[list[str], list[list[object]]]:
    """Every pair of groups: chi-squared, p alone and p corrected; empty where a pair cannot be compared."""
    p = found.pairs
    rows = [
        [*labels, *(known(float(v)) for v in values)]
        for labels, *values in zip(found.labels, p.statistic, p.p, p.adjusted, strict=True)
    ]
    return ["Group", "Compared with", "Chi-squared", "p", f"p corrected ({p.adjustment})"], rows


def groups_rows(
    curves: Sequence[Curve], follow_up: Mapping[str, Curve], unit: Unit
) -> tuple[list[str], list[list[object]]]:
    """Each group: counts, median follow-up and quantiles with limits, in `unit`; empty where not reached."""
    header = ["Group", "Patients", "Events", "Censored"]
    for what in ("Median follow-up", *SHARES):
        header += [f"{what} ({unit})", f"{what}: lower limit", f"{what}: upper limit"]
    rows: list[list[object]] = []
    for curve in curves:
        shown, follow = curve.convert(unit), follow_up.get(curve.group)
        times = [(math.nan,) * 3 if follow is None else follow.convert(unit).median]
        times += [shown.quantile(share) for share in SHARES.values()]
        row: list[object] = [curve.group, curve.n, curve.n_events, curve.n - curve.n_events]
        rows.append(row + [known(value) for each in times for value in each])
    return header, rows


def known(value: float) -> float | None:
    """A number for a file; what is not known is left empty."""
    return None if math.isnan(value) else value
