"""What is known about a column: its clinical name, unit, kind and how it is said aloud."""

from __future__ import annotations

import itertools
import math
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from bedside.cohort.codes import normal_code
from bedside.cohort.concepts import CONCEPTS

Kind = Literal["continuous", "categorical", "ordinal", "binary", "identifier", "date", "text"]
GROUPED: frozenset[str] = frozenset({"categorical", "ordinal", "binary"})
UNSHARED: frozenset[str] = frozenset({"identifier", "date", "text"})
"""Kinds that may identify a person: never in a filter, a link or a model."""

_TIMES = ("days", "weeks", "months", "years")
GROUPED_FROM, POWERS_FROM = 1e4, 1e10
"""From here on numbers have thousands separators, and are said as powers of ten."""
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class Part(BaseModel):
    """Base of everything a dictionary holds: frozen, and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Level(Part):
    """One level of a grouped variable.

    Parameters
    ----------
    code : str
        What stands in the data, as text, e.g. ``"post"`` or ``"1"``.
    label : str
        What a clinician reads, e.g. ``"post-menopausal"``.
    """

    code: str
    label: str

    @field_validator("code", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        return normal_code(value)


class Variable(Part):
    """A column of a cohort as a clinician knows it.

    Parameters
    ----------
    name : str
        Column name in the data. It comes from outside and may hold anything.
    label : str
        Clinical name, e.g. ``"Progesterone receptor"``; the column's name if
        not given.
    unit : str
        Unit of a continuous variable, e.g. ``"fmol/mg"``.
    kind : str
        How the column is read.
    plausible : (float, float), optional
        Values outside are counted, not refused.
    levels : tuple of Level
        Levels of a grouped variable in their clinical order.
    reference : str, optional
        Code of the level that others are compared with; the first if not given.
    use : {"predictor", "optional", "later", "outcome"}
        ``optional`` is eligible for a model without being in the default one;
        ``later`` is known only after time zero and never a predictor;
        ``outcome`` is part of what happened, and no variable of the cohort.
    after_treatment : bool
        Known at time zero, but only after the treatment's groups were formed, so that it may be a consequence of
        them: a fair comparison of these groups does not adjust for it unless told to.
    earlier : str
        Column of the same measurement from before the groups were formed, adjusted for in its place.
    scale : {"linear", "log"}
        How a model reads the values.
    reference_range : (float or None, float or None), optional
        What is usual in healthy people, for a measurement drawn over time; None for an open end.
    cutpoints : tuple of float
        Clinical cut-points, ascending; a value equal to one belongs above it.
    sensitive : bool
        An attribute across which fairness is to be checked.
    decimals : int, optional
        Decimals a clinician would say; three significant figures if not given.
    expected : {"raises", "lowers"}, optional
        What higher values are known to do to the risk.
    concept : str
        Which input of published scores the column holds, e.g. ``"bilirubin"``: one of `CONCEPTS`.
    concept_levels : tuple of (str, str)
        Which answer of a score each level's code stands for, where they differ; an object of code and answer in
        the dictionary. A level that is not named and is no answer itself is read as missing.
    phrase, phrase_one : str
        Templates with ``{value}``, e.g. ``"{value} positive nodes"``, and for
        the value 1 ``"{value} positive node"``.
    """

    name: str = Field(min_length=1)
    label: str = ""
    unit: str = ""
    kind: Kind
    plausible: tuple[float, float] | None = None
    reference_range: tuple[float | None, float | None] | None = None
    levels: tuple[Level, ...] = ()
    reference: str | None = None
    use: Literal["predictor", "optional", "later", "outcome"] = "predictor"
    why_later: str = ""
    after_treatment: bool = False
    earlier: str = ""
    scale: Literal["linear", "log"] = "linear"
    cutpoints: tuple[float, ...] = ()
    sensitive: bool = False
    decimals: int | None = Field(default=None, ge=0, le=6)
    expected: Literal["raises", "lowers"] | None = None
    modifiable: bool = False
    concept: str = ""
    concept_levels: tuple[tuple[str, str], ...] = ()
    phrase: str = ""
    phrase_one: str = ""
    note: str = ""

    @model_validator(mode="before")
    @classmethod
    def _named(cls, value: object) -> object:
        if isinstance(value, dict) and not value.get("label") and isinstance(value.get("name"), str):
            return {**value, "label": value["name"]}
        return value

    @field_validator("reference", mode="before")
    @classmethod
    def _reference_as_text(cls, value: object) -> object:
        return None if value is None else normal_code(value)

    @field_validator("concept")
    @classmethod
    def _known_concept(cls, value: str) -> str:
        if value and value not in CONCEPTS:
            raise ValueError("a concept of this list: " + ", ".join(CONCEPTS))
        return value

    @field_validator("concept_levels", mode="before")
    @classmethod
    def _concept_codes(cls, value: object) -> object:
        return tuple((normal_code(k), v) for k, v in value.items()) if isinstance(value, dict) else value

    @field_validator("plausible")
    @classmethod
    def _low_before_high(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        if value is not None and not (math.isfinite(value[0]) and math.isfinite(value[1]) and value[0] < value[1]):
            raise ValueError("two finite numbers, the lower one first")
        return value

    @field_validator("reference_range")
    @classmethod
    def _a_range(cls, value: tuple[float | None, float | None] | None) -> tuple[float | None, float | None] | None:
        ends = [end for end in value or () if end is not None]
        if value is not None and (not ends or not all(map(math.isfinite, ends)) or ends != sorted(set(ends))):
            raise ValueError("two numbers, the lower one first; null for one that is open")
        return value

    @field_validator("cutpoints")
    @classmethod
    def _ascending(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if any(not math.isfinite(v) for v in value) or any(a >= b for a, b in itertools.pairwise(value)):
            raise ValueError("finite numbers in ascending order")
        return value

    @field_validator("phrase", "phrase_one")
    @classmethod
    def _has_place(cls, value: str) -> str:
        if value and "{value}" not in value:
            raise ValueError("a sentence with {value} in it, or nothing")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Variable:
        codes = [level.code for level in self.levels]
        if codes and self.kind not in GROUPED:
            raise ValueError("levels only for a categorical, ordinal or binary variable")
        if len(set(codes)) != len(codes):
            raise ValueError("each level code once")
        if self.kind == "binary" and codes and len(codes) != 2:
            raise ValueError("two levels for a binary variable")
        if self.reference is not None and codes and self.reference not in codes:
            raise ValueError("a reference that is one of the levels")
        self._consistent_concept(codes)
        if self.use == "later" and not self.why_later:
            raise ValueError("why_later, when use is later")
        if self.earlier and not self.after_treatment:
            raise ValueError("earlier only where after_treatment is true")
        if self.kind != "continuous" and (
            self.scale == "log" or self.cutpoints or self.plausible or self.reference_range
        ):
            raise ValueError("scale log, cutpoints, plausible and reference_range only for a continuous variable")
        return self

    def _consistent_concept(self, codes: list[str]) -> None:
        if self.concept_levels and not self.concept:
            raise ValueError("concept_levels only beside a concept")
        if codes and {code for code, _ in self.concept_levels} - set(codes):
            raise ValueError("concept_levels only for codes of the levels")

    @property
    def is_numeric(self) -> bool:
        """True if the variable is continuous."""
        return self.kind == "continuous"

    @property
    def is_grouping(self) -> bool:
        """True if the variable has levels."""
        return self.kind in GROUPED

    @property
    def codes(self) -> tuple[str, ...]:
        """Codes of the levels in dictionary order."""
        return tuple(level.code for level in self.levels)

    @property
    def reference_code(self) -> str | None:
        """Code that the other levels are compared with."""
        return self.reference if self.reference is not None else next(iter(self.codes), None)

    def label_of(self, code: object) -> str:
        """The label of a level, or the code itself when the dictionary has none."""
        text = normal_code(code)
        return next((level.label for level in self.levels if level.code == text), text)

    def number(self, value: float) -> str:
        """A number as a clinician would say it, without its unit: ``"116"``, ``"12,000"``, ``"2 × 10¹²"``."""
        value = float(value)
        if not math.isfinite(value):
            return "missing"
        said = self.digits(abs(value))
        if abs(value) >= POWERS_FROM:
            mantissa, power = f"{abs(value):.2e}".split("e")
            said = f"{float(mantissa):g} × 10{str(int(power)).translate(_RAISED)}"
        elif float(said) >= GROUPED_FROM:
            whole, point, rest = said.partition(".")
            said = f"{int(whole):,}{point}{rest}"
        return f"\u2212{said}" if value < 0 and said.strip("0.") else said

    def digits(self, value: float) -> str:
        """The same finite number so that it can be read again as one: ``"-1.5"``, ``"12000"``."""
        decimals = self.decimals
        if decimals is None:
            decimals = 0 if value == int(value) else max(0, 2 - math.floor(math.log10(abs(value))))
        shown = f"{value:.{min(decimals, 6)}f}"
        return shown.replace("-", "", 1) if float(shown) == 0 else shown

    def with_unit(self, shown: str) -> str:
        """A number that is already text, followed by the unit where there is one."""
        if not self.unit:
            return shown
        if self.unit == "%":
            return f"{shown}%"
        unit = self.unit[:-1] if shown == "1" and self.unit in _TIMES else self.unit
        return f"{shown} {unit}"

    def say(self, value: object) -> str:
        """A value in words: ``"116 fmol/mg"``, ``"post-menopausal"``, ``"missing"``."""
        if is_missing(value):
            return "missing"
        if self.is_numeric:
            return self.with_unit(self.number(float(value)))  # type: ignore[arg-type]
        return self.label_of(value)

    def say_with_label(self, value: object) -> str:
        """A value that can stand alone: ``"9 positive nodes"``, ``"Age 55 years"``, ``"Grade 3"``."""
        said = self.say(value)
        if is_missing(value):
            return f"{self.label} missing"
        if self.is_numeric and self.phrase_one and self.number(float(value)) == "1":  # type: ignore[arg-type]
            return self.phrase_one.replace("{value}", said)
        return self.within_phrase(said)

    def within_phrase(self, said: str) -> str:
        """Text about the variable's value, set into the dictionary's phrase."""
        if self.phrase:
            return self.phrase.replace("{value}", said)
        return f"{self.label} {said}" if self.is_numeric else f"{self.label}: {said}"


def is_missing(value: object) -> bool:
    """True for None, NaN, NaT and pandas' NA."""
    if value is None:
        return True
    try:
        return bool(value != value)
    except TypeError:  # pandas' NA refuses to be a truth value
        return True
