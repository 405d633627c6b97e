"""What the facts of a saved model must be, kind by kind: nothing of a file is used before it has passed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

MOST_CONTAINERS, MOST_VALUES, DEEPEST = 200_000, 2_000_000, 60
"""Objects and lists in a text, values in it, and how far one may stand inside another."""
LONGEST_TIME = 1e12

# A text without an end reaches to the end of all, so that this takes one pass whatever stands there.
_TEXT = re.compile(rb'"(?:[^"\\]++|\\.|\\\Z)*+(?:"|\Z)', re.DOTALL)
_STEP = np.zeros(256, dtype=np.int8)
_STEP[list(b"[{")], _STEP[list(b"]}")] = 1, -1

Count = Annotated[int, Field(ge=0, le=10**12)]
Short = Annotated[str, Field(max_length=10_000)]
Scalar = bool | int | float | Short | None


def check_extent(block: bytes) -> None:
    """Whether a JSON text may be parsed at all: small texts of empty lists would take gigabytes.

    Raises
    ------
    ValueError
        If it holds too much, or too deep.
    """
    plain = np.frombuffer(_TEXT.sub(b"", block), dtype=np.uint8)
    steps = _STEP[plain]
    if int((steps == 1).sum()) > MOST_CONTAINERS or int((plain == ord(",")).sum()) > MOST_VALUES:
        raise ValueError("too much")
    if int(np.cumsum(steps, dtype=np.int64).max(initial=0)) > DEEPEST:
        raise ValueError("too deep")


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class _Range(_Told):
    low: float
    p01: float
    q1: float
    median: float
    q3: float
    p99: float
    high: float

    @model_validator(mode="after")
    def _ordered(self) -> _Range:
        if not self.low <= self.q1 <= self.median <= self.q3 <= self.high:
            raise ValueError("a range that rises")
        return self


class _Reading(_Told):
    variable: dict[str, Any]
    codes: list[Short]
    present: list[Short]
    rare: list[Short]
    reference: Short | None
    fill: float | Short
    missing: Count
    range: _Range | None
    floor: float | None
    knots: list[float] = Field(max_length=100)

    @model_validator(mode="after")
    def _of_a_kind(self) -> _Reading:
        grouped = self.variable.get("kind") != "continuous"
        if grouped != isinstance(self.fill, str) or grouped != (self.range is None):
            raise ValueError("a number with a range, or levels")
        if len(set(self.codes)) != len(self.codes) or set(self.present) - set(self.codes):
            raise ValueError("levels that are among the codes")
        if set(self.rare) - set(self.present) or (grouped and self.fill not in self.present):
            raise ValueError("levels that somebody had")
        if self.reference is not None and self.reference not in self.codes:
            raise ValueError("a reference that is a level")
        if any(a >= b for a, b in zip(self.knots, self.knots[1:], strict=False)) or len(self.knots) in (1, 2):
            raise ValueError("knots that rise")
        return self


class _Term(_Told):
    variable: Short
    level: Short | None
    column: Count
    label: Short
    part: Count


class _Dropped(_Told):
    variable: Short
    why: str = Field(max_length=100_000)


class _Design(_Told):
    readings: list[_Reading] = Field(max_length=5_000)
    terms: list[_Term] = Field(max_length=50_000)
    dropped: list[_Dropped] = Field(max_length=50_000)

    @model_validator(mode="after")
    def _fitting(self) -> _Design:
        known = {reading.variable.get("name"): reading for reading in self.readings}
        if len(known) != len(self.readings):
            raise ValueError("each variable once")
        for term in self.terms:
            reading = known.get(term.variable)
            if reading is None or (term.level is None) != (reading.range is not None):
                raise ValueError("terms of the variables")
            if term.level is not None and term.level not in reading.codes:
                raise ValueError("terms of the levels")
            if term.part > max(len(reading.knots) - 2, 0):
                raise ValueError("parts of a curve")
        return self


class _Common(_Told):
    outcome: dict[str, Any]
    target: Literal["any", "event"]
    cohort_key: Short
    cohort_fingerprint: Short
    n: Annotated[int, Field(ge=1, le=10**12)]
    n_events: Count
    last: Annotated[float, Field(gt=0, le=LONGEST_TIME)]
    settings: dict[Short, int | float | Short]
    cautions: list[Short] = Field(max_length=1_000)
    design: _Design

    @model_validator(mode="after")
    def _some_of_all(self) -> _Common:
        if self.n_events > self.n:
            raise ValueError("no more events than patients")
        return self


class _Test(_Told):
    name: Short
    statistic: float
    df: Count
    p: Annotated[float, Field(ge=0, le=1)]


class _Cox(_Common):
    penalizer: Annotated[float, Field(ge=0)]
    log_likelihood: float
    log_likelihood_null: float
    tests: list[_Test] = Field(max_length=10)
    strong_ridge: bool


class _Competing(_Common):
    numbers: list[Annotated[int, Field(ge=1, le=1_000)]] = Field(min_length=1, max_length=100)
    events: list[Count]

    @model_validator(mode="after")
    def _alike(self) -> _Competing:
        if len(self.numbers) != len(self.events):
            raise ValueError("a count for each event")
        return self


class _Curve(_Told):
    min: float
    one_se: float = Field(alias="1se")
    folds: Count


class _Path(_Told):
    names: list[Short] = Field(max_length=50_000)
    alpha: Annotated[float, Field(ge=0, le=1)]
    null_deviance: float
    chosen: float | None
    curve: _Curve | None = None


class _Hazard(_Told):
    cause: Annotated[int, Field(ge=0, le=1_000)]
    n_events: Count
    path: _Path | None


class _Penalised(_Common):
    offered: Count
    hazards: list[_Hazard] = Field(min_length=1, max_length=100)


class _Forest(_Common):
    ordered: list[Short] = Field(max_length=5_000)


class _Booster(_Told):
    cause: Annotated[int, Field(ge=0, le=1_000)]
    n_events: Count
    centre: float
    trees: str


class _Boosted(_Forest):
    boosters: list[_Booster] = Field(min_length=1, max_length=100)


class _Inner(_Told):
    kind: Short
    facts: dict[str, Any]


class _Average(_Told):
    members: list[_Inner] = Field(min_length=1, max_length=20)


class _Varied(_Told):
    models: list[_Inner] = Field(min_length=3, max_length=1_001)
    slope: float = Field(1.0, ge=0, le=3)
    slope_std_err: float = Field(0.0, ge=0)


class _Recalibrated(_Told):
    model: _Inner
    how: Short
    slope: list[float] = Field(min_length=4, max_length=4)
    shift: float
    anchor: float
    centre: float
    reach: float
    updated: dict[Short, Scalar]


KINDS: Mapping[str, type[_Told]] = {
    "cox": _Cox, "penalised": _Penalised, "forest": _Forest, "boosted": _Boosted, "average": _Average,
    "varied": _Varied, "recalibrated": _Recalibrated,
}  # fmt: skip


def check_facts(kind: str, facts: Mapping[str, Any]) -> None:
    """Whether facts are those of a kind: names, types, sizes, and what must agree.

    Raises
    ------
    pydantic.ValidationError
        A ValueError, if not.
    """
    told = _Competing if kind == "cox" and "numbers" in facts else KINDS[kind]
    told.model_validate(dict(facts))
