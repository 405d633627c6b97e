"""Cells as their plan reads them, as expressions over the columns of a staged file."""

from __future__ import annotations

from sqlglot import exp

from bedside.intake.columns import MISSING
from bedside.intake.dates import PLACEHOLDERS, SERIAL_ZERO, SERIALS
from bedside.intake.plan import ColumnPlan
from bedside.intake.staging import StagedColumn

ROW = "row"
"""Column with the number of each row; the first below the header is 1."""
_DATE = exp.DataType.build("DATE")
_ZONED = "TIMESTAMP WITH TIME ZONE"
BLANKS = " \t\n\r\u00a0\ufeff"
_THOUSANDS = {".": r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", ",": r"[+-]?\d{1,3}(\.\d{3})+(,\d+)?"}


def value_of(cell: exp.Expr, column: StagedColumn, own: ColumnPlan, time_zone: str = "UTC") -> exp.Expr:
    """A cell as its plan reads it."""
    if own.kind == "date":
        return _day_of_number(cell, own) if column.kind == "number" else _day_of(cell, column, time_zone)
    if own.kind == "continuous":
        return number_of(cell, own) if column.kind == "text" else _known_number(cell, column, own)
    if column.kind == "text":
        return known(trimmed(cell), own)
    code = code_text(cell, column)
    return known(code, own)


def _day_of(cell: exp.Expr, column: StagedColumn, time_zone: str) -> exp.Expr:
    """The day in the plan's zone of a point in time that has a zone; of one without, the day that stands there."""
    day = exp.TryCast(this=cell, to=exp.DataType.build("DATE"))
    if column.kind != "datetime":
        return day
    there = exp.func("timezone", exp.Literal.string(time_zone), cell.copy())
    zoned = exp.EQ(this=exp.Anonymous(this="typeof", expressions=[cell.copy()]), expression=exp.Literal.string(_ZONED))
    return exp.Case().when(zoned, exp.TryCast(this=there, to=exp.DataType.build("DATE"))).else_(day)


def _day_of_number(cell: exp.Expr, own: ColumnPlan) -> exp.Expr:
    """The day of a typed number such as 20150401 or, where the plan says so, of days as spreadsheets count them."""
    number = exp.TryCast(this=cell.copy(), to=exp.DataType.build("DOUBLE"))
    whole = exp.TryCast(this=exp.func("floor", number.copy()), to=exp.DataType.build("INTEGER"))
    text = exp.Cast(this=whole.copy(), to=exp.DataType.build("VARCHAR"))
    together = exp.Anonymous(this="try_strptime", expressions=[text, exp.Literal.string("%Y%m%d")])
    day = exp.Case().when(_within(whole, 18_500_101, 20_991_231), exp.Cast(this=together, to=_DATE.copy()))
    if own.serials:
        zero = exp.Cast(this=exp.Literal.string(SERIAL_ZERO.isoformat()), to=_DATE.copy())
        day = day.when(_within(whole, *SERIALS), exp.Add(this=zero, expression=whole.copy()))
    stands = [exp.Literal.string(each.isoformat()) for each in sorted(PLACEHOLDERS)]
    gone = [exp.Literal.number(float(code)) for code in own.missing if _is_number(code)]
    day = _unless(exp.In(this=day.copy(), expressions=[exp.Cast(this=each, to=_DATE.copy()) for each in stands]), day)
    return _unless(exp.In(this=number, expressions=gone), day) if gone else day


def _within(number: exp.Expr, low: int, high: int) -> exp.Expr:
    return exp.Between(this=number.copy(), low=exp.Literal.number(low), high=exp.Literal.number(high))


def _known_number(cell: exp.Expr, column: StagedColumn, own: ColumnPlan) -> exp.Expr:
    number = exp.TryCast(this=cell, to=exp.DataType.build("DOUBLE"))
    gone = [float(code) for code in own.missing if _is_number(code)]
    if column.kind not in ("number", "bool") or not gone:
        return number
    return _unless(exp.In(this=number, expressions=[exp.Literal.number(each) for each in gone]), number)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def code_text(cell: exp.Expr, column: StagedColumn) -> exp.Expr:
    """A typed cell as a code: whole numbers without a point, truth values as 1 and 0."""
    text = exp.Cast(this=cell, to=exp.DataType.build("VARCHAR"))
    if column.kind == "bool":
        return exp.Cast(this=exp.Cast(this=cell, to=exp.DataType.build("TINYINT")), to=exp.DataType.build("VARCHAR"))
    if column.kind == "number":
        return regexp_replace(text, exp.Literal.string(r"\.0+$"), exp.Literal.string(""))
    return text


def regexp_replace(text: exp.Expr, pattern: exp.Expr, new: exp.Expr, how: exp.Expr | None = None) -> exp.Expr:
    """DuckDB's own, in its order of arguments."""
    return exp.Anonymous(this="regexp_replace", expressions=[text, pattern, new, *([how] if how is not None else [])])


def trimmed(cell: exp.Expr) -> exp.Expr:
    """Text without blanks around it; nothing where nothing is left."""
    text = exp.Cast(this=cell.copy(), to=exp.DataType.build("VARCHAR"))
    bare = exp.Anonymous(this="trim", expressions=[text, exp.Literal.string(BLANKS)])
    return exp.func("nullif", bare, exp.Literal.string(""))


def known(text: exp.Expr, own: ColumnPlan) -> exp.Expr:
    """Text unless it says that nothing is known."""
    gone = [exp.Literal.string(each) for each in sorted((MISSING - {""}) | set(own.missing))]
    return _unless(exp.In(this=text.copy(), expressions=gone), text)


def number_of(cell: exp.Expr, own: ColumnPlan) -> exp.Expr:
    """A number from text with a point or a comma, and with or without marks between thousands."""
    text = known(trimmed(cell), own)
    bare = regexp_replace(text, exp.Literal.string(r"(\d)[\s\x{a0}\x{202f}'’](\d{3})"),
                    exp.Literal.string(r"\1\2"), exp.Literal.string("g"))  # fmt: skip
    mark = "," if own.decimal == "." else "."
    grouped = exp.Anonymous(
        this="regexp_full_match", expressions=[bare.copy(), exp.Literal.string(_THOUSANDS[own.decimal])]
    )
    plain = exp.Case().when(grouped, _replaced(bare, mark, "")).else_(bare.copy())
    if own.decimal == ",":
        plain = _replaced(plain, ",", ".")
    # What DuckDB takes for numbers besides: "inf", "1_000".
    usual = exp.Anonymous(
        this="regexp_full_match",
        expressions=[plain.copy(), exp.Literal.string(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")],
    )
    number = exp.TryCast(this=plain, to=exp.DataType.build("DOUBLE"))
    return exp.Case().when(usual, number)


def _replaced(text: exp.Expr, old: str, new: str) -> exp.Expr:
    return exp.func("replace", text.copy(), exp.Literal.string(old), exp.Literal.string(new))


def _unless(condition: exp.Expr, value: exp.Expr) -> exp.Expr:
    return exp.Case().when(condition, exp.Null()).else_(value.copy())


def as_code(column: exp.Expr) -> exp.Expr:
    """A cell as the text that codes are told apart by."""
    text = exp.Cast(this=column.copy(), to=exp.DataType.build("VARCHAR"))
    whole = regexp_replace(text, exp.Literal.string(r"\.0+$"), exp.Literal.string(""))
    # Looking for a pattern in every cell takes ten times as long as seeing that few have a point at all.
    pointed = exp.Anonymous(this="contains", expressions=[text.copy(), exp.Literal.string(".0")])
    return exp.Case().when(pointed, whole).else_(text.copy())
