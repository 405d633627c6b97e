"""Reference and result side by side, number by number."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

RELATIVE, ABSOLUTE = 1e-8, 1e-12
SPELLED = {"NaN": math.nan, "Inf": math.inf, "-Inf": -math.inf}


@dataclass
class Tally:
    """What came out of one comparison.

    `gaps` counts places where one side is missing or infinite and the other is not the same; they are no numeric
    leaves, so they stand beside the count, not in it.
    """

    passed: int = 0
    failed: int = 0
    gaps: int = 0
    worst: float = 0.0
    faults: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Count another comparison in."""
        self.passed += other.passed
        self.failed += other.failed
        self.gaps += other.gaps
        self.worst = max(self.worst, other.worst)
        self.faults += other.faults


def is_number(value: object) -> bool:
    """True for what counts as a numeric leaf."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def count(reference: object) -> int:
    """Numeric leaves in a reference."""
    if isinstance(reference, dict):
        return sum(map(count, reference.values()))
    if isinstance(reference, list):
        return sum(map(count, reference))
    return int(is_number(reference))


def compare(reference: object, got: object, path: str = "") -> Tally:
    """Compare every number below a place in the references with the one at the same place in a result."""
    tally = Tally()
    for where, expected, found in _pairs(reference, got, path):
        if is_number(expected):
            _number(tally, where, float(expected), found)
        else:
            _gap(tally, where, SPELLED.get(str(expected), math.nan), found)
    return tally


def _number(tally: Tally, where: str, expected: float, found: object) -> None:
    value = _float(found)
    gap = math.inf if value is None or math.isnan(value) else abs(value - expected)
    if gap <= max(RELATIVE * abs(expected), ABSOLUTE):
        tally.passed += 1
        if expected:
            tally.worst = max(tally.worst, gap / abs(expected))
    else:
        tally.failed += 1
        tally.faults.append(f"{where}: expected {expected!r}, got {found!r}")


def _gap(tally: Tally, where: str, expected: float, found: object) -> None:
    value = math.nan if found is None else _float(found)
    if value is None or not (value == expected or (math.isnan(value) and math.isnan(expected))):
        tally.gaps += 1
        tally.faults.append(f"{where}: expected {expected!r}, got {found!r}")


def _float(found: object) -> float | None:
    if isinstance(found, bool | str) or found is None:
        return None
    try:
        return float(found)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None


def _pairs(reference: object, got: object, path: str) -> Iterator[tuple[str, object, object]]:
    """Leaves of the reference that are numbers or stand for one, each with what was computed there, None if nothing."""
    if isinstance(reference, dict):
        inner = got if isinstance(got, Mapping) else {}
        for key, value in reference.items():
            yield from _pairs(value, inner.get(key), f"{path}/{key}")
    elif isinstance(reference, list):
        items = _items(got)
        if len(items) != len(reference):
            items = [None] * len(reference)
        for i, value in enumerate(reference):
            yield from _pairs(value, items[i], f"{path}/{i}")
    elif is_number(reference) or reference is None or reference in SPELLED:
        items = _items(got)
        yield path, reference, items[0] if len(items) == 1 else None


def _items(got: object) -> Sequence[object]:
    """What was computed as a sequence: a single number is one of length 1, as R does not tell the two apart."""
    if isinstance(got, np.ndarray):
        return got.tolist() if got.ndim else [got.item()]
    return got if isinstance(got, list | tuple) else [got]
