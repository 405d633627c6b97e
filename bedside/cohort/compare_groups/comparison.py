"""What a test of groups answered, or why it could not."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Comparison:
    """One test of whether groups differ.

    Attributes
    ----------
    key : str
        Short name, e.g. ``"welch"``.
    name : str
        What it is called in a footnote, e.g. ``"Welch's t test"``.
    statistic : float
        t, W, F or chi-squared; NaN where the test has none, as Fisher's.
    df : tuple of float
        Degrees of freedom; two for an F test, none where there are none.
    p : float
        Two-sided; NaN where the test is not possible.
    note : str
        Why it is not possible, or what a reader must know.
    """

    key: str
    name: str
    statistic: float
    df: tuple[float, ...]
    p: float
    note: str = ""


def not_possible(key: str, name: str, why: str) -> Comparison:
    """A test without an answer, and the reason in half a sentence."""
    return Comparison(key, name, math.nan, (), math.nan, why)
