"""Values that can't be, numbers in two units, and numbers that stand for "unknown"."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from bedside.intake.names import words_of, wordset
from bedside.intake.plan import ColumnPlan
from bedside.intake.quality import Finding
from bedside.intake.steps import Step
from bedside.intake.working import Working

SENTINELS = (-9.0, -8.0, -1.0, -99.0, -999.0, -9999.0, 99.0, 999.0, 9999.0, 88.0, 888.0, 77.0, 99999.0)
"""Numbers that coders write for "unknown"."""
FAR = 1.5
"""A number beyond the largest of the others by so many times stands apart."""
FEW = 0.005
"""Share of the rows that a second unit has to have to be one, unless it is three rows or more."""


@dataclass(frozen=True)
class _Measured:
    """A usual measurement in two units: names, where values lie in each, and from the second to the first."""

    names: frozenset[str]
    unit: str
    low: float
    high: float
    other: str
    other_low: float
    other_high: float
    factor: float


_MEASURED = (
    _Measured(wordset("height groesse grosse taille altura altezza"), "cm", 120, 220, "m", 1.2, 2.2, 100),
    _Measured(wordset("creatinine kreatinin crea creat creatinina"), "mg/dl", 0.2, 14, "umol/l", 30, 1500, 1 / 88.42),
    _Measured(wordset("albumin alb albumina"), "g/dl", 1, 7, "g/l", 10, 70, 0.1),
    _Measured(wordset("hemoglobin haemoglobin hb hgb hamoglobin"), "g/dl", 3, 25, "g/l", 40, 250, 0.1),
    _Measured(wordset("glucose glukose glucosa glykemie"), "mg/dl", 35, 900, "mmol/l", 1.5, 30, 18.016),
    _Measured(wordset("cholesterol cholesterin colesterol"), "mg/dl", 60, 900, "mmol/l", 1.5, 25, 38.67),
    _Measured(wordset("temperature temp temperatur"), "°C", 30, 44, "°F", 86, 112, float("nan")),
)  # fmt: skip
"""Two ranges that do not overlap, so that a value tells its unit."""
_LIMITS: tuple[tuple[frozenset[str], float, float], ...] = (
    (wordset("age alter edad eta idade leeftijd"), 0, 120),
    (wordset("bmi"), 8, 90),
    (wordset("weight gewicht poids peso"), 0.3, 400),
    (wordset("systolic sbp sys"), 30, 320),
    (wordset("diastolic dbp"), 10, 220),
    (wordset("spo2 saturation"), 30, 100),
    (wordset("karnofsky kps"), 0, 100),
    (wordset("ecog"), 0, 5),
    (wordset("percent pct prozent"), 0, 100),
)  # fmt: skip
"""What no living person's value lies beyond."""
_SIGNED = wordset("score change delta diff difference excess zscore log residual temperature")


def _numbers(working: Working) -> list[ColumnPlan]:
    return [c for c in working.plan.columns if c.kind == "continuous" and c.use != "drop"]


def impossible(working: Working) -> list[Finding]:
    """Values beyond what can be, by name; negative ones where nearly all others are not."""
    found = []
    for column in _numbers(working):
        words, at = set(words_of(column.name)), working.at(column.name)
        low, high = next(((low, high) for names, low, high in _LIMITS if words & names), (None, None))
        if low is None and not words & _SIGNED and column.use != "outcome":
            share = working.one(exp.func("avg", exp.Case().when(_below(at, 0), exp.Literal.number(1)).else_(
                exp.Case().when(at.is_(exp.Null()).not_(), exp.Literal.number(0)))))[0]  # fmt: skip
            low = 0 if share is not None and 0 < share < 0.02 else None
        if low is None and high is None:
            continue
        outside = _outside(at, low, high)
        if n := working.count(outside):
            bounds = {"low": low, "high": high}
            what = f"{n:,} value{'s' if n > 1 else ''} that can't be"
            said = f"“{column.name}” has {what} ({_range(low, high)} is possible)."
            found.append(
                Finding(
                    "impossible", "fault", said, "One such value can bend a curve or a coefficient.", (column.name,), n,
                    working.rows(outside),
                    (
                        Step("set_missing_outside", column=column.name, **bounds,
                             said=f"Count {n:,} impossible values of “{column.name}” as not recorded"),
                        Step("drop_outside", column=column.name, **bounds,
                             said=f"Leave out {n:,} rows with impossible “{column.name}”"),
                    ),
                )
            )  # fmt: skip
    return found


def _range(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return f"{low:g} or more" if low is not None else f"at most {high:g}"
    return f"{low:g} to {high:g}"


def _below(at: exp.Expr, low: float) -> exp.Expr:
    return exp.LT(this=at.copy(), expression=exp.Literal.number(low))


def _outside(at: exp.Expr, low: float | None, high: float | None) -> exp.Expr:
    parts = [] if low is None else [_below(at, low)]
    parts += [] if high is None else [exp.GT(this=at.copy(), expression=exp.Literal.number(high))]
    return exp.or_(*parts)


def mixed_units(working: Working) -> list[Finding]:
    """Measurements of which some are in another unit than most."""
    found = []
    for column in _numbers(working):
        words, at = set(words_of(column.name)), working.at(column.name)
        measured = next((each for each in _MEASURED if words & each.names), None)
        if measured is None:
            continue
        mine = exp.Between(this=at.copy(), low=exp.Literal.number(measured.low), high=exp.Literal.number(measured.high))
        other = exp.Between(
            this=at.copy(), low=exp.Literal.number(measured.other_low), high=exp.Literal.number(measured.other_high)
        )
        n, n_mine, n_other = working.one(
            exp.Count(this=at.copy()), exp.func("count_if", exp.and_(mine, exp.Not(this=other.copy()))),
            exp.func("count_if", exp.and_(other, exp.Not(this=mine.copy()))),
        )  # fmt: skip
        fewer = min(n_mine, n_other)
        if not fewer or fewer < max(min(3, 0.5 * n), FEW * n):
            continue
        first = n_mine >= n_other
        unit, strange = (measured.unit, measured.other) if first else (measured.other, measured.unit)
        low, high = (measured.other_low, measured.other_high) if first else (measured.low, measured.high)
        factor = measured.factor if first else 1 / measured.factor
        rare = exp.Between(this=at.copy(), low=exp.Literal.number(low), high=exp.Literal.number(high))
        fixes = (
            (Step("multiply", column=column.name, low=low, high=high, factor=factor,
                  said=f"Multiply {fewer:,} values of “{column.name}” by {factor:.4g} ({strange} to {unit})"),)
            if factor == factor else ()
        )  # fmt: skip
        found.append(
            Finding(
                "two units", "fault",
                f"“{column.name}” seems to be in two units: {n - fewer:,} values in {unit}, {fewer:,} in {strange}.",
                "Read as one unit, they would be the most extreme patients of all.", (column.name,), fewer,
                working.rows(rare), fixes,
            )
        )  # fmt: skip
    return found


def placeholders(working: Working) -> list[Finding]:
    """Numbers that stand for "unknown": far from all others, and several times the same."""
    found = []
    for column in _numbers(working):
        at = working.at(column.name)
        is_one = exp.In(this=at.copy(), expressions=[exp.Literal.number(each) for each in SENTINELS])
        query = exp.select(at.copy().as_("v"), exp.Count(this=exp.Star()).as_("n")).from_(working.table)
        present = working.ask(query.where(is_one).group_by("v"))
        if not present:
            continue
        others = exp.and_(exp.Not(this=is_one.copy()), at.copy().is_(exp.Null()).not_())
        low, high = working.one(exp.Min(this=at.copy()), exp.Max(this=at.copy()), where=others)
        if low is None:
            continue
        strange = [(value, n) for value, n in present if n >= 2 and _apart(value, low, high)]
        for value, n in strange:
            code = f"{value:g}"
            here = exp.EQ(this=at.copy(), expression=exp.Literal.number(value))
            found.append(
                Finding(
                    "placeholder", "fault", f"“{column.name}” holds {code} {n:,} times, far from all other values.",
                    "It looks like a code for unknown, and would be read as a measurement.", (column.name,), n,
                    working.rows(here),
                    (Step("set_missing", column=column.name, codes=((code, ""),),
                          said=f"Count {code} in “{column.name}” as not recorded"),),
                )
            )  # fmt: skip
    return found


def _apart(value: float, low: float, high: float) -> bool:
    if value < 0:
        return low >= 0
    return value > FAR * high and value > low + 2 * (high - low)
