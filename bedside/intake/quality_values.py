"""Values that can't be, and numbers that stand for "unknown"."""

from __future__ import annotations

from sqlglot import exp

from bedside.intake.measured import analyte_of, unit_written
from bedside.intake.names import words_of, wordset
from bedside.intake.plan import ColumnPlan
from bedside.intake.quality import Finding
from bedside.intake.steps import Step
from bedside.intake.working import Working

SENTINELS = (-9.0, -8.0, -1.0, -99.0, -999.0, -9999.0, 99.0, 999.0, 9999.0, 88.0, 888.0, 77.0, 99999.0)
"""Numbers that coders write for "unknown"."""
FAR = 1.5
"""A number beyond the largest of the others by so many times stands apart."""
_AGES = wordset("age alter edad eta idade leeftijd wiek")
_OLDEST = {"years": 120, "months": 1_440, "weeks": 6_262, "days": 43_830}
_EXACTLY: dict[str, dict[str, tuple[float, float]]] = {
    "bmi": {"kg/m2": (8, 90)}, "weight": {"kg": (0.3, 400), "g": (300, 400_000), "lb": (0.7, 880)},
}  # fmt: skip
"""Of measurements by their whole name: another weight is a loss, or a tumour's. The first unit is the usual one."""
_LIMITS: tuple[tuple[frozenset[str], float, float], ...] = (
    (wordset("systolic sbp sys"), 30, 320), (wordset("diastolic dbp"), 10, 220), (wordset("spo2 saturation"), 30, 100),
    (wordset("karnofsky kps"), 0, 100), (wordset("ecog"), 0, 5), (wordset("percent pct prozent"), 0, 100),
)  # fmt: skip
"""What no living person's value lies beyond."""
_SIGNED = wordset("score change delta diff difference excess zscore log residual temperature loss gain gap")


def _numbers(working: Working) -> list[ColumnPlan]:
    return [c for c in working.plan.columns if c.kind == "continuous" and c.use != "drop"]


def impossible(working: Working) -> list[Finding]:
    """Values beyond what can be, by name; negative ones where nearly all others are not."""
    found = []
    for column in _numbers(working):
        words, at = set(words_of(column.name)), working.at(column.name)
        low, high = _limits(column, words)
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
            possible = f"{_range(low, high)} is possible"
            said = f"“{column.name}” has {what} ({possible})."
            found.append(
                Finding(
                    "impossible", "fault", said, "One such value can bend a curve or a coefficient.", (column.name,), n,
                    working.rows(outside),
                    (
                        Step("set_missing_outside", column=column.name, **bounds,
                             said=f"Count impossible values of “{column.name}” as not recorded ({possible})"),
                        Step("drop_outside", column=column.name, **bounds,
                             said=f"Leave out rows with impossible “{column.name}” ({possible})"),
                    ),
                )
            )  # fmt: skip
    return found


def _limits(column: ColumnPlan, words: set[str]) -> tuple[float | None, float | None]:
    """Between what a value can be, in the unit that the column is in; nothing where that unit is another."""
    if words & _SIGNED:
        return None, None
    unit = unit_written(column.name, column.label) or column.unit
    if words & _AGES:
        return (0, high) if (high := _OLDEST.get(unit or "years")) is not None else (None, None)
    if by_unit := _EXACTLY.get(analyte_of(column.name, column.label)):
        return by_unit.get(unit or next(iter(by_unit)), (None, None))
    return next(((low, high) for names, low, high in _LIMITS if words & names), (None, None))


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
