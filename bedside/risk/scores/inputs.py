"""What a score asks for: a number in one of several units, or one of a few choices."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from bedside.cohort.codes import normal_code
from bedside.cohort.wording import either
from bedside.errors import Fixable

_SAME = {
    "s": "seconds", "sec": "seconds", "second": "seconds", "year": "years", "yr": "years", "yrs": "years",
    "month": "months", "day": "days", "iu/l": "u/l", "percent": "%", "celsius": "°c", "degc": "°c",
    "/min": "perminute", "bpm": "perminute", "beats/min": "perminute", "breaths/min": "perminute",
    "ml/min/1.73m^2": "ml/min/1.73m2",
}  # fmt: skip


def same_unit(text: str) -> str:
    """One spelling of a unit, so that ``"µmol/l"``, ``"umol/L"`` and ``"μmol / L"`` are alike."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("μ", "u").replace("mcmol", "umol")
    plain = "".join(plain.split())
    plain = _SAME.get(plain, plain)
    return plain.removeprefix("×").removeprefix("x").removeprefix("*").replace("10^9", "109").replace("10e9", "109")


@dataclass(frozen=True)
class Choice:
    """One answer: its code in values, and what a clinician reads."""

    code: str
    label: str


YES_NO = (Choice("no", "No"), Choice("yes", "Yes"))


@dataclass(frozen=True)
class Input:
    """One thing a score needs to know.

    Attributes
    ----------
    key : str
        Name in values, and the concept by which a cohort's dictionary declares its column.
    label : str
        What a clinician reads.
    unit : str
        Unit of the published formula; empty for choices, counts and ratios.
    others : tuple of (str, float)
        Other units, each with the factor that turns it into ``unit``.
    kind : {"number", "choice"}
    choices : tuple of Choice
        In the order in which they are offered.
    range : (float, float), optional
        In ``unit``, both ends belong to it. Outside it a result carries a caution.
    published : bool
        True if ``range`` is the score's own; else it is what is usual at the bedside, so that what lies
        outside is often a mistaken unit.
    lasting : float
        How far beyond the range's end counts as within: a patient is 74 years old until the next birthday.
    zero : bool
        True if 0 has a meaning. Below 0 nothing has one.
    whole : bool
        True for counts: 1.5 is refused.
    highest : float
        Above it a value has no meaning (a saturation over 100%).
    default : str or float or None
        How it is read when it is not given; None if it must be given.
    note : str
        How it is to be taken, shown beside it.
    """

    key: str
    label: str
    unit: str = ""
    others: tuple[tuple[str, float], ...] = ()
    kind: Literal["number", "choice"] = "number"
    choices: tuple[Choice, ...] = ()
    range: tuple[float, float] | None = None
    published: bool = False
    lasting: float = 0.0
    zero: bool = False
    whole: bool = False
    highest: float = math.inf
    default: str | float | None = None
    note: str = ""

    @property
    def units(self) -> tuple[str, ...]:
        """The unit of the formula, then the others."""
        return (self.unit, *(name for name, _ in self.others))

    def factor(self, unit: str) -> float | None:
        """What a number in ``unit`` is multiplied by; None if that unit is not accepted."""
        wanted = same_unit(unit)
        table = {same_unit(name): factor for name, factor in ((self.unit, 1.0), *self.others)}
        return table.get(wanted)

    def convert(self, value: np.ndarray | float, unit: str) -> np.ndarray | float:
        """A value in the unit of the formula.

        Raises
        ------
        Fixable
            If the unit is not one of `units`.
        """
        factor = self.factor(unit)
        if factor is None:
            known = either([name or "no unit" for name in self.units])
            raise Fixable(
                f"{self.label} could not be read.",
                f"Its unit, {unit or 'none'}, is not one that can be converted.",
                f"Give it in {known}.",
            )
        return value * factor if factor != 1 else value

    def say_range(self, unit: str = "") -> str:
        """``"18 to 100 years"``: the range in a chosen unit, or in that of the formula."""
        if self.range is None:
            return ""
        factor = self.factor(unit) if unit else 1.0
        low, high = (end / (factor or 1.0) for end in self.range)
        shown = unit if unit and factor is not None else self.unit
        return f"{low:.3g} to {high:.3g} {shown}".strip()

    def caution(self, unit: str = "") -> str:
        """The sentence for a value outside the range."""
        if self.published:
            return f"{self.label} is outside {self.say_range(unit)}, the range for which the score was made."
        return f"{self.label} is outside the usual {self.say_range(unit)}: check the value and its unit."

    def read(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values of many patients, and which of them are there and have a meaning.

        Parameters
        ----------
        values : array, shape (n_patients,)
            Numbers in the formula's unit, or codes of choices.

        Returns
        -------
        values : array of float64 or str, shape (n_patients,)
        good : array of bool, shape (n_patients,)
        """
        if self.kind == "choice":
            places, seen = pd.factorize(np.asarray(values, dtype=object), use_na_sentinel=True)
            known = {c.code for c in self.choices}
            texts = np.array([*(_code(v) for v in seen), ""], dtype=object)
            return texts[places], np.array([text in known for text in texts], dtype=bool)[places]
        numbers = np.asarray(values, dtype=float)
        good = np.isfinite(numbers) & (numbers <= self.highest)
        good &= numbers >= 0 if self.zero else numbers > 0
        if self.whole:
            good &= numbers == np.round(numbers)
        return numbers, good

    def outside(self, numbers: np.ndarray) -> np.ndarray:
        """True where a number lies outside the range, by more than rounding of a conversion."""
        if self.kind == "choice" or self.range is None:
            return np.zeros(len(numbers), dtype=bool)
        low, high = self.range
        return (numbers < low * (1 - 1e-6)) | (numbers > high * (1 + 1e-6) + self.lasting)

    def one(self, value: Any) -> float | str | None:
        """A single value as it was entered; None if there is none.

        Raises
        ------
        Fixable
            If it is no number, or none of the choices.
        """
        if _blank(value):
            return None
        if self.kind == "choice":
            code = _code(value)
            if code not in {c.code for c in self.choices}:
                raise Fixable(
                    f"{self.label} could not be read.",
                    "It is none of the answers that the score knows.",
                    f"Choose {either([c.label for c in self.choices])}.",
                )
            return code
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise Fixable(
                f"{self.label} could not be read.", "It is not a number.", "Enter it as a number, such as 1.5."
            ) from None
        return number

    def demand(self) -> str:
        """What a number must be to have a meaning: the end of a sentence."""
        kind = "a whole number, " if self.whole else ""
        low = "0 or more" if self.zero else "above 0"
        high = f" and at most {self.highest:g}" if math.isfinite(self.highest) else ""
        return f"{kind}{low}{high}"


def _code(value: Any) -> str:
    """An answer as text: 3.0 is "3", True is "yes"."""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    return normal_code(value)


def _blank(value: Any) -> bool:
    if value is None:
        return True
    if isinstance(value, str):
        return not value.strip()
    try:
        return bool(value != value)
    except TypeError:  # pandas' NA refuses to be a truth value
        return True


def unit_of(units: Mapping[str, str] | None, item: Input) -> str:
    """The unit in which an input is given; that of the formula if nothing is said."""
    return item.unit if units is None else units.get(item.key, item.unit)
