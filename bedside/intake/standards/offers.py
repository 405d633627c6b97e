"""What may be chosen of a source, in a form that a page can show, and a recipe with the answers in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from bedside.errors import Fixable
from bedside.intake.standards.fhir_map import Start
from bedside.intake.standards.folder import Offer

CONTACT, BIRTH, CANCER = "contact", "birth", "cancer"
LEAVE_OUT, LAST_CONTACT = "leave out", "last contact"
MOST_OFFERED = 200
LONGEST_TOLD = 2**20
"""Bytes of a recipe that is read back."""


# ------------------------------------------------------------------ from whom and when


def of_starts(plans: Sequence[Start], known: Iterable[tuple[str, str, int]], cancer: Sequence[str] = (),
              *, first: str = "diagnosis") -> tuple[Offer, ...]:  # fmt: skip
    """Whom cohorts of a clinical record follow, and from when.

    Parameters
    ----------
    plans : sequence of Start
        What was made.
    known : iterable of (code, label, n)
        Codes that time zero can be taken from, with the number of patients; the most frequent ones first.
    cancer : sequence of str
        Codes of the primary cancers of a record of mCODE.
    first : str
        What the first of them is called: ``"diagnosis"`` or ``"entry"``.
    """
    options = {CONTACT: "everybody, from the first contact"}
    if cancer:
        options["|".join((CANCER, *cancer))] = "cancer, from the first diagnosis (mCODE)"
    for code, label, n in list(known)[:MOST_OFFERED]:
        options[code] = f"{label}, from the first {first} ({n:,} patient{'s' * (n != 1)}; {code})"
    options[BIRTH] = "everybody, from birth"
    now: list[str] = []
    for plan in plans:
        own = [CONTACT] if plan.start == "contact" else [BIRTH] if plan.start == "birth" else _key(plan)
        now += [each for each in own if each not in now]
        options |= {each: each for each in own if each not in options}
    undated = plans[0].undated_deaths if plans else LEAVE_OUT
    coded = [code for plan in plans if not plan.cancer for code in plan.codes]
    together = any(len(plan.codes) > 1 and not plan.cancer for plan in plans)
    one = Offer("together", f"These codes are one disease: one cohort, from the first {first} with any of them", "yes",
                ("yes",) * together)  # fmt: skip
    return (
        Offer("follow", "Cohorts: who is followed, and from when", "several", tuple(now), tuple(options.items()),
              "A cohort for each"),
        *((one,) if len(coded) > 1 else ()),
        Offer("undated", "Who is dead without a date", "one", (undated,),
              ((LEAVE_OUT, "is left out"), (LAST_CONTACT, "died at the last contact"))),
        Offer("most_columns", "Columns of each kind at most", "number", (str(plans[0].most_columns if plans else 60),)),
    )  # fmt: skip


def _key(plan: Start) -> list[str]:
    return ["|".join((CANCER, *plan.codes))] if plan.cancer else list(plan.codes)


def _starts(options: Any, key: str, values: Sequence[str]) -> Any:
    """The options of a clinical record with an answer about its cohorts."""
    plans: list[Start] = list(options.cohorts)
    if key == "undated":
        return replace(options, cohorts=tuple(replace(p, undated_deaths=_undated(values[0])) for p in plans))
    if key == "most_columns":
        return replace(options, cohorts=tuple(replace(p, most_columns=_whole(values[0])) for p in plans))
    chosen = list(values) if key == "follow" else [code for p in plans for code in _code_of(p)]
    together = bool(values) if key == "together" else any(len(p.codes) > 1 and not p.cancer for p in plans)
    like = plans[0] if plans else Start()
    made = [_start(each, like) for each in dict.fromkeys(chosen)]
    coded = [each for each in made if each.codes and not each.cancer]
    if together and len(coded) > 1:
        one = replace(coded[0], codes=tuple(code for each in coded for code in each.codes))
        made = [one if each is coded[0] else each for each in made if each is coded[0] or each not in coded]
    return replace(options, cohorts=tuple(made))


def _code_of(plan: Start) -> list[str]:
    return [plan.start] if plan.start in (CONTACT, BIRTH) else _key(plan)


def _start(code: str, like: Start) -> Start:
    kept = {"undated_deaths": like.undated_deaths, "most_columns": like.most_columns}
    if code in (CONTACT, BIRTH):
        return Start(start="contact" if code == CONTACT else "birth", **kept)  # type: ignore[arg-type]
    if code.startswith(f"{CANCER}|"):
        codes = tuple(code.split("|")[1:])
        return Start(codes=codes, cancer=True, title="Cancer, from the first diagnosis" if len(codes) > 1 else "",
                     **kept)  # type: ignore[arg-type]  # fmt: skip
    return Start(codes=(code,), **kept)  # type: ignore[arg-type]


def _undated(told: str) -> Any:
    return told if told in (LEAVE_OUT, LAST_CONTACT) else LEAVE_OUT


# ------------------------------------------------------------------ the others


def _whole(told: str, least: int = 1, most: int = 2000) -> int:
    return min(max(int(told), least), most) if told.strip().lstrip("-").isdigit() else least


def _omop(options: Any, key: str, values: Sequence[str]) -> Any:
    if key == "whom":
        kind, _, number = values[0].partition(" ")
        return replace(options, cohort=int(number) if kind == "cohort" else None,
                       concept=int(number) if kind == "concept" else None, atlas="")  # fmt: skip
    return _plain(options, key, values)


def _plain(options: Any, key: str, values: Sequence[str]) -> Any:
    """An answer to a field that is called as its question."""
    if key not in {each.name for each in fields(options)}:
        raise _no_recipe()
    now = getattr(options, key)
    value: Any = values[0] if values else ""
    if isinstance(now, bool):
        value = bool(values)
    elif isinstance(now, int):
        value = _whole(value, 0 if key != "least" else 1)
    elif isinstance(now, tuple):
        parts = str(value).replace(";", ",").replace("\n", ",").split(",")
        value = tuple(dict.fromkeys(part.strip().upper() for part in parts if part.strip()))
    return replace(options, **{key: value})


_START_KEYS = ("follow", "together", "undated", "most_columns")


def answered(options: Any, key: str, values: Sequence[str]) -> Any:
    """Options with the answer to one question.

    Parameters
    ----------
    options : FhirOptions, MedsOptions, OmopOptions, AdamOptions or StudyOptions
        As they were used: with every cohort that was made.
    key : str
        Of the `Offer`.
    values : sequence of str
        In the form of ``Offer.now``.

    Raises
    ------
    Fixable
        If there is no such question.
    """
    apply: Callable[[Any, str, Sequence[str]], Any] = _plain
    if hasattr(options, "cohorts") and key in _START_KEYS:
        apply = _starts
    elif hasattr(options, "concept"):
        apply = _omop
    return apply(options, key, values)


# ------------------------------------------------------------------ recipes


def to_recipe(kind: str, options: Any) -> dict[str, Any]:
    """Kind and options as JSON has them."""
    return {"kind": kind, "options": asdict(options)}


def from_recipe(told: object, classes: Mapping[str, type]) -> tuple[str, Any]:
    """Kind and options of a recipe.

    Parameters
    ----------
    told : object
        From `to_recipe`, by way of JSON or not.
    classes : mapping
        The options of each kind.

    Raises
    ------
    Fixable
        If it is no recipe of a standard, or not of a form that this release knows.
    """
    kind = told.get("kind") if isinstance(told, Mapping) else None
    if not isinstance(told, Mapping) or not isinstance(kind, str) or kind not in classes:
        raise _no_recipe()
    try:
        return kind, _adapter(classes[kind]).validate_python(told.get("options", {}))
    except ValidationError:
        raise _no_recipe() from None


def _adapter(of: type) -> TypeAdapter[Any]:
    return TypeAdapter(with_config(ConfigDict(extra="forbid"))(of))


def _no_recipe() -> Fixable:
    return Fixable(
        "The recipe can't be followed.", "It is not of an import of this kind, or of a form that is not known here.",
        "Choose anew; a new recipe is kept then.",
    )  # fmt: skip
