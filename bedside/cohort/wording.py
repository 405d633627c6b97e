"""Ranges and lists of values in a clinician's words."""

from __future__ import annotations

from collections.abc import Sequence

from bedside.cohort.variable import Variable


def exact(variable: Variable, value: float) -> str:
    """A number as it is usually said, with more decimals where rounding would change it."""
    same = float(variable.digits(value)) == value
    if same:
        return variable.number(value)
    said = f"{abs(value):.10g}"
    return f"\u2212{said}" if value < 0 else said


def say_range(variable: Variable, low: float | None, high: float | None) -> str:
    """``"50 to 65 years"``, ``"50 years or more"``, ``"up to 65 years"``, ``"any value"``; both ends belong to it."""
    if low is None and high is None:
        return "any value"
    if low is None:
        return "up to " + variable.with_unit(exact(variable, high))  # type: ignore[arg-type]
    if high is None:
        return variable.with_unit(exact(variable, low)) + " or more"
    if low == high:
        return variable.with_unit(exact(variable, low))
    return variable.with_unit(f"{exact(variable, low)} to {exact(variable, high)}")


def either(texts: Sequence[str]) -> str:
    """``"1, 2 or 3"``."""
    return " or ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


def sentence_case(text: str) -> str:
    """The first letter large, the others as they are."""
    return text[:1].upper() + text[1:]
