"""Simple expressions over the columns of a table: the only code that a blocks file may hold."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping

import numpy as np

Value = np.ndarray
"""Numbers as float64 with NaN where missing; text as objects with None where missing."""

TICKED = re.compile(r"`([^`]*)`")
FACTOR = re.compile(r"factor\((.*)\)")
BETWEEN_COLONS = re.compile(r"""(?:`[^`]*`|'[^']*'|"[^"]*"|[^:`'"])+""")


def bare(text: str) -> str:
    """A name that stands alone in backticks, without them; any other text as it is."""
    found = TICKED.fullmatch(text)
    return found.group(1) if found else text


def factor_of(text: str) -> str | None:
    """The column of ``factor(column)``; None for anything else."""
    found = FACTOR.fullmatch(text.strip())
    return bare(found.group(1).strip()) if found else None


def multiplied(text: str) -> list[str]:
    """The parts of ``a:b``; a colon in quotes or backticks parts nothing."""
    return [part.strip() for part in BETWEEN_COLONS.findall(text)]


def evaluate(text: str, columns: Mapping[str, Value], n: int) -> Value:
    """The value of an expression for each row.

    Parameters
    ----------
    text : str
        Column names (in backticks where they are no Python names), numbers, texts in quotes, ``+ - * / **``,
        comparisons, ``in``, ``and or not``, and the functions of `FUNCTIONS`.
    columns : mapping of str to array, shape (n,)
        What the names stand for.
    n : int
        Number of rows.

    Raises
    ------
    ValueError
        If the text is no such expression.
    KeyError
        If a name is no column.
    """
    ticked: list[str] = []

    def name(found: re.Match[str]) -> str:
        ticked.append(found.group(1))
        return f" _ticked_{len(ticked) - 1} "

    try:
        tree = ast.parse(TICKED.sub(name, text).strip(), mode="eval")
    except SyntaxError as fault:
        raise ValueError(f"no expression: {text}") from fault
    names = {f"_ticked_{i}": column for i, column in enumerate(ticked)}
    value = _value(tree.body, columns, names)
    return np.broadcast_to(value, (n,)).copy() if np.ndim(value) == 0 else value


def _value(node: ast.expr, columns: Mapping[str, Value], names: Mapping[str, str]) -> Value:
    def of(part: ast.expr) -> Value:
        return _value(part, columns, names)

    match node:
        case ast.Constant(value=bool() | int() | float() | str()):
            return np.asarray(node.value, dtype=object if isinstance(node.value, str) else float)
        case ast.Name():
            return columns[names.get(node.id, node.id)]
        case ast.UnaryOp(op=ast.USub()):
            return -of(node.operand)
        case ast.UnaryOp(op=ast.Not()):
            return 1.0 - of(node.operand)
        case ast.BinOp() if type(node.op) in ARITHMETIC:
            with np.errstate(divide="ignore", invalid="ignore"):
                return ARITHMETIC[type(node.op)](of(node.left), of(node.right))
        case ast.BoolOp():
            return _logic(isinstance(node.op, ast.And), [of(part) for part in node.values])
        case ast.Compare(ops=[op], comparators=[right]):
            return _compare(op, of(node.left), right, of)
        case ast.Call(func=ast.Name(id=called), keywords=[]) if called in FUNCTIONS:
            return FUNCTIONS[called](*(of(part) for part in node.args))
        case _:
            raise ValueError(f"not part of an expression: {ast.unparse(node)}")


def _logic(all_of: bool, parts: list[Value]) -> Value:
    """Three-valued, as in R: a part that decides decides, whatever is missing beside it."""
    deciding = 0.0 if all_of else 1.0
    table = np.stack(np.broadcast_arrays(*parts))
    value = np.where(np.isnan(table).any(axis=0), np.nan, 1.0 - deciding)
    return np.where((table == deciding).any(axis=0), deciding, value)


def _compare(op: ast.cmpop, left: Value, right: ast.expr, of: Callable[[ast.expr], Value]) -> Value:
    if isinstance(op, ast.In | ast.NotIn):
        if not isinstance(right, ast.Tuple | ast.List):
            raise ValueError("“in” needs a list of values")
        found = np.any([_told(operator.eq, left, of(part)) == 1 for part in right.elts], axis=0)
        return (found if isinstance(op, ast.In) else ~found).astype(float)
    if type(op) not in COMPARISONS:
        raise ValueError("no such comparison")
    return _told(COMPARISONS[type(op)], left, of(right))


def _told(compare: Callable[[Value, Value], Value], left: Value, right: Value) -> Value:
    """1 where it holds, 0 where not, NaN where a side is missing."""
    left, right = np.broadcast_arrays(left, right)
    known = ~(missing(left) | missing(right))
    told = np.full(left.shape, np.nan)
    told[known] = compare(left[known], right[known]).astype(float)
    return told


def missing(value: Value) -> np.ndarray:
    """True where a value is missing."""
    if value.dtype == object:
        return np.array([part is None for part in np.atleast_1d(value)]).reshape(value.shape)
    return np.isnan(value)


def _log(x: Value) -> Value:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(x)


def _where(condition: Value, yes: Value, no: Value) -> Value:
    chosen = np.where(condition == 1, yes, no)
    return np.where(np.isnan(condition), None if chosen.dtype == object else np.nan, chosen)


ARITHMETIC: dict[type, Callable[[Value, Value], Value]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
COMPARISONS: dict[type, Callable[[Value, Value], Value]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
FUNCTIONS: dict[str, Callable[..., Value]] = {
    "log": _log,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "minimum": np.minimum,
    "maximum": np.maximum,
    "where": _where,
    "missing": lambda x: missing(x).astype(float),
    "integer": np.trunc,
}
