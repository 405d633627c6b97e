"""Numbers as a clinician says them: whole by default, decimals on demand, the interval beside the number."""

from __future__ import annotations

import math

from bedside.cohort.label_words import in_sentence as in_sentence
from bedside.cohort.units import DAYS, Unit, convert


def percent(share: float, *, decimals: int = 0) -> str:
    """A share from 0 to 1 as a percentage; never a false 0% or 100%.

    >>> percent(0.634), percent(0.634, decimals=1), percent(0.0004)
    ('63%', '63.4%', 'under 1%')
    """
    if math.isnan(share):
        return "not known"
    # Rounded as counts of 100, 1,000 and so on are, so that a number and its icons are never one apart.
    whole, parts = 10 ** (decimals + 2), round(10 ** (decimals + 2) * share)
    if share > 0 and parts <= 0:
        return f"under {10.0**-decimals:.{decimals}f}%"
    if share < 1 and parts >= whole:
        return f"over {100 - 10.0**-decimals:.{decimals}f}%"
    return f"{parts / 10**decimals:.{decimals}f}%"


def of_100(share: float, *, decimals: int = 0) -> str:
    """A share from 0 to 1 as a natural frequency, e.g. ``"63 of 100"``."""
    if math.isnan(share):
        return "not known"
    return f"{_hundredths(share, decimals)} of 100"


def split_of_100(share: float, *, decimals: int = 0) -> tuple[str, str]:
    """Both halves of a natural frequency, which always add up: ``("63", "37")``.

    >>> split_of_100(0.9990), split_of_100(0.634, decimals=1)
    (('more than 99', 'fewer than 1'), ('63.4', '36.6'))
    """
    text = _hundredths(share, decimals)
    if not text[0].isdigit():
        return text, _hundredths(1 - share, decimals)
    return text, f"{100 - float(text):.{decimals}f}"


def range_of_100(lower: float, upper: float, *, decimals: int = 0) -> str:
    """An interval on the same scale, e.g. ``"53 to 76"``; says so when it cannot be given."""
    if math.isnan(lower) or math.isnan(upper):
        return "cannot be given"
    ends = [_hundredths(_uncertain(end), decimals) for end in (lower, upper)]
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


def _hundredths(share: float, decimals: int) -> str:
    text = percent(share, decimals=decimals).removesuffix("%")
    return text.replace("under ", "fewer than ").replace("over ", "more than ")


def percent_range(lower: float, upper: float, *, decimals: int = 0) -> str:
    """An interval in per cent, e.g. ``"53% to 76%"``."""
    if math.isnan(lower) or math.isnan(upper):
        return "cannot be given"
    ends = [percent(_uncertain(end), decimals=decimals) for end in (lower, upper)]
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


def _uncertain(end: float) -> float:
    """The end of an interval is never a certainty, even where its last digit is lost to rounding."""
    return min(max(end, 1e-9), 1 - 1e-9)


def duration(value: float, unit: Unit, *, decimals: int | None = None) -> str:
    """A time with its unit, e.g. ``"5 years"``, ``"1 year"``, ``"not reached"`` when it is not known."""
    if math.isnan(value):
        return "not reached"
    return f"{number_of(value, decimals=decimals)} {unit_of(value, unit, decimals=decimals)}"


def readable(value: float, unit: Unit) -> str:
    """A time in the unit a person would use: 1,645 days is "4.5 years"."""
    if math.isnan(value):
        return "not reached"
    days = value * DAYS[unit]
    best: Unit = "years" if days >= 2 * DAYS["years"] else "months" if days >= 2 * DAYS["months"] else "days"
    return duration(convert(value, unit, best), best, decimals=None if best == "days" else 1)


def number_of(value: float, *, decimals: int | None = None) -> str:
    """A time without its unit: whole when it is whole, otherwise one decimal, two below 2; never a false 0.

    >>> number_of(5.0), number_of(4.23), number_of(0.849), number_of(0.5), number_of(0.0192)
    ('5', '4.2', '0.85', '0.5', '0.02')
    """
    if math.isnan(value):
        return "not reached"
    if decimals is None and 1e-9 < value < 0.1:
        decimals = min(-math.floor(math.log10(value)), 6)
    if decimals is None and 0.1 <= value < 2:
        return f"{value:.2f}".rstrip("0").rstrip(".")
    if decimals is None:
        decimals = 0 if abs(value - round(value)) < 1e-9 or value >= 100 else 1
    return f"{value:,.{decimals}f}"


def unit_of(value: float, unit: Unit, *, decimals: int | None = None) -> str:
    """The unit in the singular or plural that fits the number as it is shown."""
    return unit[:-1] if number_of(value, decimals=decimals) == "1" else unit


def duration_range(lower: float, upper: float, unit: Unit, *, decimals: int | None = None) -> str:
    """An interval of times, e.g. ``"4.2 to 5.6 years"``; an open end is "not reached"."""
    if math.isnan(lower) and math.isnan(upper):
        return "not reached"
    return f"{number_of(lower, decimals=decimals)} to {duration(upper, unit, decimals=decimals)}"


def p_value(p: float) -> str:
    """A p-value to two significant places, never 0 and never 1.

    >>> p_value(0.0123), p_value(1e-9), p_value(0.9996)
    ('p = 0.012', 'p < 0.001', 'p > 0.99')
    """
    if math.isnan(p):
        return "p not known"
    if p < 0.001:
        return "p < 0.001"
    if p > 0.99:
        return "p > 0.99"
    return f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def count(n: float) -> str:
    """A number of patients: "1,204"; a sum of weights that is no whole number with one decimal."""
    whole = abs(n - round(n)) < 1e-6
    return f"{round(n):,}" if whole else f"{n:,.1f}"


def patients(n: int) -> str:
    """A number of patients, e.g. ``"1 patient"``, ``"2,139 patients"``."""
    return f"{n:,} patient{'' if n == 1 else 's'}"


def events(n: int) -> str:
    """A number of events, e.g. ``"no events"``, ``"1 event"``."""
    return "no events" if n == 0 else f"{n:,} event{'' if n == 1 else 's'}"
