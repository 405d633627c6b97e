"""The file ``dictionary.json``: what a cohort's columns mean, checked before a row is read."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field, ValidationError, field_validator, model_validator

from bedside.cohort.elsewhere import Chosen, Condition, ExternalTest, MadeScore
from bedside.cohort.outcome import Outcome, Source, Treatment
from bedside.cohort.units import Unit
from bedside.cohort.variable import Part, Variable
from bedside.errors import Fault
from bedside.intake.columns import clean_name
from bedside.intake.paths import beside, leads_out

FILE = "dictionary.json"
MAX_BYTES = 20 * 2**20


class Composite(Part):
    """Words for an outcome and its competing events taken together."""

    label: str = Field(min_length=1)
    event_phrase: str = Field(min_length=1)
    free_phrase: str = Field(min_length=1)


class OutcomeEntry(Outcome):
    """An outcome in the dictionary; with competing events it says how it is opened."""

    composite: Composite | None = None

    @model_validator(mode="after")
    def _opened_as_a_whole(self) -> OutcomeEntry:
        if bool(self.competing) != (self.composite is not None):
            raise ValueError("composite words where there are competing events, and only there")
        return self

    def opened(self) -> Outcome:
        """The outcome as pages see it: event-free survival where events compete."""
        told = self.model_dump(exclude={"composite"})
        if self.composite is not None:
            told |= {**self.composite.model_dump(), "cause_label": self.label}
        return Outcome(**told)


class VisitsEntry(Part):
    """The file of repeated measurements."""

    file: str
    patient: str
    time: str
    unit: Unit
    variables: tuple[Variable, ...] = Field(min_length=1)

    @field_validator("file")
    @classmethod
    def _beside(cls, value: str) -> str:
        return beside(value)


class Dictionary(Part):
    """A whole dictionary.

    ``data`` is the name of the CSV or Parquet file beside it. A column that
    ``variables`` does not name is understood from its values and kept out of
    the default model. ``order`` places the cohort in lists.
    """

    title: str = Field(min_length=1)
    short_title: str = Field(min_length=1, max_length=40)
    summary: str = ""
    population: str = ""
    order: int = 100
    data: str = "data.csv"
    identifier: str | None = None
    variables: tuple[Variable, ...] = ()
    outcomes: tuple[OutcomeEntry, ...] = Field(min_length=1)
    treatment: Treatment | None = None
    source: Source
    visits: VisitsEntry | None = None
    external: tuple[ExternalTest, ...] = ()
    made_scores: tuple[MadeScore, ...] = ()
    readings: tuple[str, ...] = ()
    guarded: bool = False

    @field_validator("data")
    @classmethod
    def _beside(cls, value: str) -> str:
        return beside(value)

    @model_validator(mode="after")
    def _one_column_a_concept(self) -> Dictionary:
        named = [v.concept for v in self.variables if v.concept]
        if len(set(named)) < len(named):
            raise ValueError("each concept at one variable only")
        return self

    @model_validator(mode="after")
    def _after_what(self) -> Dictionary:
        """What is known only after the treatment needs a treatment, and what came before it stands among the others."""
        before = {v.name for v in self.variables if not v.after_treatment}
        for v in self.variables:
            if v.after_treatment and (self.treatment is None or v.name == self.treatment.column):
                raise ValueError("after_treatment only beside a treatment, and not at its own column")
            if v.earlier and v.earlier not in before:
                raise ValueError("as earlier, another of the variables without after_treatment")
        return self


@dataclass(frozen=True)
class Draft:
    """As much of a dictionary as could be understood, so that the data are checked all the same."""

    variables: tuple[Variable, ...] = ()
    outcomes: tuple[OutcomeEntry, ...] = ()
    identifier: str | None = None
    treatment: Treatment | None = None
    visits: VisitsEntry | None = None
    data: str = "data.csv"
    guarded: bool = False
    faults: tuple[Fault, ...] = field(default=())
    whole: Dictionary | None = None


def read_dictionary(path: Path) -> Draft:
    """Read and check a dictionary.

    Parameters
    ----------
    path : Path
        The file ``dictionary.json``.

    Returns
    -------
    Draft
        The parts that are sound, every fault, and the whole dictionary if
        there was none.
    """
    told = _told(path)
    if isinstance(told, Fault):
        return Draft(faults=(told,))
    try:
        whole = Dictionary.model_validate(told)
    except ValidationError as error:
        return _salvage(told, tuple(_faults(error, told, path.name)))
    return Draft(
        variables=tuple(cleaned(v) for v in whole.variables),
        outcomes=whole.outcomes,
        identifier=None if whole.identifier is None else clean_name(whole.identifier),
        treatment=_cleaned_treatment(whole.treatment),
        visits=whole.visits,
        data=whole.data,
        guarded=whole.guarded,
        whole=whole,
    )


def _told(path: Path) -> dict[str, Any] | Fault:
    """The JSON object in a file, or why there is none."""
    try:
        if not path.is_file():
            return Fault(path.name, "", "a readable file of this name in the cohort's folder")
        if leads_out(path):
            return Fault(path.name, "", "a file in the cohort's folder, not a link that leads out of it")
        if path.stat().st_size > MAX_BYTES:
            return Fault(path.name, "", f"a dictionary of at most {MAX_BYTES // 2**20} MB")
        told = json.loads(path.read_text(encoding="utf-8-sig"))
        json.dumps(told, ensure_ascii=False).encode()
    except OSError:
        return Fault(path.name, "", "a readable file of this name in the cohort's folder")
    except RecursionError:
        return Fault(path.name, "", "JSON that is nested a few levels deep")
    except ValueError as error:
        return _no_json(path.name, error)
    if not isinstance(told, dict):
        return Fault(path.name, "", "a JSON object", type(told).__name__)
    return told


def _no_json(file: str, error: ValueError) -> Fault:
    if isinstance(error, UnicodeDecodeError):
        return Fault(file, "", "text in UTF-8")
    if isinstance(error, UnicodeEncodeError):
        return Fault(file, "", "text of whole characters", "half a surrogate pair, such as \\ud800")
    if isinstance(error, json.JSONDecodeError):
        return Fault(file, f"line {error.lineno}", "valid JSON", error.msg)
    return Fault(file, "", "numbers of a usual length", "one of thousands of digits")


def cleaned(variable: Variable) -> Variable:
    """With names of columns as they are after reading."""
    earlier = clean_name(variable.earlier) if variable.earlier else ""
    return variable.model_copy(update={"name": clean_name(variable.name), "earlier": earlier})


def _cleaned_treatment(treatment: Treatment | None) -> Treatment | None:
    return None if treatment is None else treatment.model_copy(update={"column": clean_name(treatment.column)})


def cleaned_test(test: ExternalTest) -> ExternalTest:
    """With names of columns as they are after reading."""

    def clean(part: Chosen) -> Chosen:
        return part.model_copy(update={"where": _cleaned_where(part.where)})

    return test.model_copy(update={"training": clean(test.training), "test": clean(test.test)})


def cleaned_made(made: MadeScore) -> MadeScore:
    """With names of columns as they are after reading."""
    return made.model_copy(update={"where": _cleaned_where(made.where)})


def _cleaned_where(where: tuple[Condition, ...]) -> tuple[Condition, ...]:
    return tuple(c.model_copy(update={"column": clean_name(c.column)}) for c in where)


PartT = TypeVar("PartT", bound=Part)


def _salvage(told: dict[str, Any], faults: tuple[Fault, ...]) -> Draft:
    identifier = told.get("identifier")
    visits = _sound(VisitsEntry, [told.get("visits")])
    treatment = _sound(Treatment, [told.get("treatment")])
    try:
        data = beside(str(told.get("data", "data.csv")))
    except ValueError:
        data = "data.csv"
    return Draft(
        variables=tuple(cleaned(v) for v in _sound(Variable, told.get("variables"))),
        outcomes=_sound(OutcomeEntry, told.get("outcomes")),
        identifier=clean_name(identifier) if isinstance(identifier, str) else None,
        treatment=treatment[0] if treatment else None,
        visits=visits[0] if visits else None,
        data=data,
        faults=faults,
    )


def _sound(model: type[PartT], entries: object) -> tuple[PartT, ...]:
    kept = []
    for entry in entries if isinstance(entries, list) else ():
        try:
            kept.append(model.model_validate(entry))
        except ValidationError:
            continue  # named already, in the faults of the whole dictionary
    return tuple(kept)


def _faults(error: ValidationError, told: dict[str, Any], file: str) -> Iterable[Fault]:
    for one in error.errors(include_url=False, include_context=False):
        where = _where(one["loc"], told)
        if one["type"] == "too_short" and one["input"]:
            continue  # only short because of entries that are faults themselves
        if one["type"] == "missing":
            yield Fault(file, where, "a value: this key is required", "nothing")
        elif one["type"] == "extra_forbidden":
            yield Fault(file, where, "no key of this name", "an unknown key")
        else:
            expected = one["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
            yield Fault(file, where, expected, type(one["input"]).__name__)


def _where(loc: tuple[int | str, ...], told: Any) -> str:
    """``variables[3].kind (nodes)``: the place in the file, and the column it is about."""
    path, name, here = "", "", told
    for step in loc:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else str(step)
        here = here[step] if _leads_on(here, step) else None
        if isinstance(here, dict):
            name = next((here[k] for k in ("name", "key") if isinstance(here.get(k), str)), name)
    return f"{path} ({name})" if name else path


def _leads_on(here: Any, step: int | str) -> bool:
    if isinstance(here, dict):
        return step in here
    return isinstance(here, list) and isinstance(step, int) and step < len(here)
