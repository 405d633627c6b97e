"""Measurements of which some are in another unit than most."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from bedside.intake.measured import analyte_of, unit_written
from bedside.intake.plan import ColumnPlan
from bedside.intake.quality import Finding
from bedside.intake.steps import Step
from bedside.intake.working import Working

FEW = 0.005
"""Share of the rows that a second unit has to have to be one, unless it is three rows or more."""
NO_FACTOR = float("nan")
_MEASURED: dict[str, tuple[tuple[str, float, float, float], ...]] = {
    "height": (("cm", 120, 220, 1), ("m", 1.2, 2.2, 100)),
    "creatinine": (("mg/dl", 0.2, 14, 1), ("umol/l", 30, 1500, 1 / 88.42)),
    "albumin": (("g/dl", 1, 7, 1), ("g/l", 10, 70, 0.1)),
    "haemoglobin": (("g/dl", 3, 25, 1), ("mmol/l", 2, 15, 1.6114), ("g/l", 40, 250, 0.1)),
    "glucose": (("mg/dl", 35, 900, 1), ("mmol/l", 1.5, 30, 18.016)),
    "cholesterol": (("mg/dl", 60, 900, 1), ("mmol/l", 1.5, 25, 38.67)),
    "hba1c": (("%", 3, 18, 1), ("mmol/mol", 20, 160, NO_FACTOR)),
    "temperature": (("°C", 30, 44, 1), ("°F", 86, 112, NO_FACTOR)),
}  # fmt: skip
"""Units of usual measurements, where values lie in each, and the factor to the first."""
_Range = tuple[str, float, float, float]


def mixed_units(working: Working) -> list[Finding]:
    """Of columns that are a usual measurement by their whole name: values that lie where another unit's do."""
    found = []
    for column in working.plan.columns:
        if column.kind != "continuous" or column.use == "drop":
            continue
        units = _MEASURED.get(analyte_of(column.name, column.label), ())
        told = unit_written(column.name, column.label) or column.unit
        if units and (not told or told in {unit for unit, *_ in units}):
            found += _mixed(working, column, units, told)
    return found


def _mixed(working: Working, column: ColumnPlan, units: Sequence[_Range], told: str) -> list[Finding]:
    """Two groups of values that no unit holds both of."""
    at = working.at(column.name)
    n, *within = working.one(exp.Count(this=at.copy()), *(exp.func("count_if", _in(at, each)) for each in units))
    pairs = [(n_of, unit, [other for other in units if _apart(unit, other)])
             for n_of, unit in zip(within, units, strict=True) if not told or unit[0] == told]  # fmt: skip
    n_mine, mine, others = max(pairs, key=lambda pair: pair[0])
    if not n_mine or n in within:
        return []
    counts = dict(zip((unit for unit, *_ in units), within, strict=True))
    other = max(others, key=lambda each: counts[each[0]])
    fewer = counts[other[0]]
    if not fewer or fewer < max(min(3, 0.5 * n), FEW * n):
        return []
    # Units that lie where one of the two lies: values alone do not tell grams from millimoles.
    to = [mine, *([] if told else (u for u in units if u is not mine and _apart(u, other) and not _apart(u, mine)))]
    of = [other, *(u for u in units if u is not other and _apart(u, mine) and not _apart(u, other))]
    middle = working.one(exp.func("median", at.copy()), where=_in(at, mine))[0]
    strange = working.one(exp.func("median", at.copy()), where=_in(at, other))[0]
    ways = [(a[3] / b[3], f"{a[0]} to {b[0]}") for a in of for b in to]
    fixes = tuple(
        Step("multiply", column=column.name, low=other[1], high=other[2], factor=factor,
             said=f"Multiply values of “{column.name}” from {other[1]:g} to {other[2]:g} by {factor:.4g} ({said})")
        for factor, said in sorted(ways, key=lambda way: abs(strange * way[0] / middle - 1)) if factor == factor
    )  # fmt: skip
    return [_finding(working, column, n, fewer, " or ".join(b[0] for b in to), " or ".join(a[0] for a in of),
                     _in(at, other), fixes)]  # fmt: skip


def _finding(
    working: Working,
    column: ColumnPlan,
    n: int,
    fewer: int,
    mine: str,
    other: str,
    rare: exp.Expr,
    fixes: Sequence[Step],
) -> Finding:
    why = "Read as one unit, they would be the most extreme patients of all."
    if not fixes:
        why += " No factor leads from one to the other: write them in one unit in the file."
    return Finding(
        "two units", "fault",
        f"“{column.name}” seems to be in two units: {n - fewer:,} values in {mine}, {fewer:,} in {other}.",
        why, (column.name,), fewer, working.rows(rare), tuple(fixes),
    )  # fmt: skip


def _apart(one: _Range, other: _Range) -> bool:
    return one[2] < other[1] or other[2] < one[1]


def _in(at: exp.Expr, unit: _Range) -> exp.Expr:
    return exp.Between(this=at.copy(), low=exp.Literal.number(unit[1]), high=exp.Literal.number(unit[2]))
