"""A model card in the terms of TRIPOD+AI: who, what, how made, how well, for whom not; complete enough to recompute.

Everything in it is plain data, so that its JSON is the card and not a picture of it.

References
----------
Collins et al. (2024), TRIPOD+AI, BMJ 385:e078378.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from bedside import __version__
from bedside.cohort import Cohort
from bedside.cohort.units import convert
from bedside.errors import Fixable
from bedside.report.model_card_parts import Parameters, Predictor, predictors, specification
from bedside.risk.fitted import Fitted
from bedside.risk.hazards import all_within

SCHEMA = "bedside-model-card/1"
MOST_YEARS = 30
FEW_PER_PARAMETER = 10
TREES = ("forest", "boosted", "average")
SHRUNK = (
    "Trees say the mean of similar patients, so their risks are drawn in: the highest tend to be too low and the "
    "lowest too high."
)
INTENDED = (
    "Decision support and education for clinicians: to see what risk goes with a patient's values in this cohort, with "
    "its uncertainty and its reasons. Not a medical device."
)
NOT_FOR = (
    "To decide on treatment by itself, or in place of clinical judgement.",
    "For time-critical decisions.",
    "To read what would happen if a value were changed: the model knows associations, not effects.",
    "For patients unlike those it learnt from (see population and ranges) without testing it on such patients first.",
)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Made(_Part):
    """What the numbers came from: enough to make them again."""

    date: str
    bedside: str
    python: str
    numpy: str
    cohort_key: str
    cohort_fingerprint: str
    model_fingerprint: str


class Population(_Part):
    """Whom the model learnt from."""

    title: str
    summary: str
    population: str
    citation: str
    licence: str
    origin: str
    url: str
    note: str


class Predicted(_Part):
    """What is predicted: the event, from when, by when, and what happens to those who have another event first."""

    label: str
    key: str
    event_phrase: str
    since: str
    unit: str
    longest: float
    horizons: tuple[float, ...]
    target: Literal["any", "event"]
    competing: tuple[str, ...]
    handling: str
    delayed_entry: bool
    note: str


class Size(_Part):
    """How much there was to learn from: `candidates` counts the parameters that were left out again, too."""

    n: int
    n_events: int
    n_competing: int
    censored: int
    parameters: int
    candidates: int
    events_per_parameter: float | None


class Performance(_Part):
    """One measure of how well the model does, and on whom it was measured."""

    name: str
    mean: float | None
    sd: float | None = None
    lower: float | None = None
    upper: float | None = None
    how: str


class ModelCard(_Part):
    """All of a model card; the fields are TRIPOD+AI's items in its order.

    Attributes
    ----------
    format : str
        Which fields to expect.
    title, kind, label : str
    version : int or None
        Among the saved models of its name.
    made : Made
    population : Population
    outcome : Predicted
    predictors : tuple of Predictor
    left_out : tuple of (label, reason)
    missing : tuple of str
        Sentences on missing values.
    size : Size
    specification : Parameters
        All coefficients with the baseline, or structure and settings.
    performance : tuple of Performance
    fairness : tuple of str
        Findings of the audit, a sentence each.
    limits, intended_use, not_for
    note : str
        The reader's own words.
    """

    format: Literal["bedside-model-card/1"] = SCHEMA
    title: str
    kind: str
    label: str
    version: int | None = None
    made: Made
    population: Population
    outcome: Predicted
    predictors: tuple[Predictor, ...]
    left_out: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]
    size: Size
    specification: Parameters
    performance: tuple[Performance, ...] = ()
    fairness: tuple[str, ...] = ()
    limits: tuple[str, ...]
    intended_use: str = INTENDED
    not_for: tuple[str, ...] = NOT_FOR
    note: str = Field(default="", max_length=4000)

    def as_json(self) -> dict[str, Any]:
        """The card as JSON holds it: every number with all its digits."""
        return self.model_dump(mode="json")


def model_card(
    model: Fitted,
    cohort: Cohort,
    *,
    title: str = "",
    version: int | None = None,
    horizons: Sequence[float] = (),
    performance: Mapping[str, Mapping[str, Any]] | None = None,
    fairness: Sequence[str] = (),
    limits: Sequence[str] = (),
    note: str = "",
    now: datetime | None = None,
) -> ModelCard:
    """Fill a card from a model and the cohort that it learnt from.

    Parameters
    ----------
    model : Fitted
    cohort : Cohort
        The one it was fitted on.
    title : str, optional
    version : int, optional
    horizons : sequence of float, optional
        Times, in the outcome's unit, at which the baseline is given besides the whole years.
    performance : mapping, optional
        Name of a measure to ``{"mean":, "sd":, "lower":, "upper":, "how":}``; all but ``how`` may be None or left out.
    fairness, limits : sequence of str, optional
        Findings of the audit, and what else limits the model: a sentence each.
    note : str, optional
    now : datetime, optional
        With a zone.

    Raises
    ------
    Fixable
        If the cohort is not the one that the model learnt from, or a horizon is beyond its follow-up.
    """
    if cohort.fingerprint != model.cohort_fingerprint:
        raise Fixable(
            "No model card for these patients.",
            "The model learnt from another cohort, or from another selection of it, and a card describes that one.",
            "Open the cohort and the filter that the model was fitted on.",
        )
    asked = baseline_times(model, horizons)
    return ModelCard(
        title=title or f"{model.label}: {model.outcome.label}",
        kind=model.kind,
        label=model.label,
        version=version,
        made=_made(model, now or datetime.now(UTC)),
        population=_population(cohort),
        outcome=_outcome(model, horizons),
        predictors=predictors(model),
        left_out=tuple((_label(cohort, dropped.variable), dropped.why) for dropped in model.design.dropped),
        missing=_missing(model),
        size=_size(model, cohort),
        specification=specification(model, asked),
        performance=tuple(_performance(name, told) for name, told in (performance or {}).items()),
        fairness=tuple(fairness),
        limits=(*_limits(model, cohort, validated=bool(performance)), *limits),
        note=note,
    )


def baseline_times(model: Fitted, horizons: Sequence[float]) -> tuple[float, ...]:
    """Whole years, the horizons and the longest follow-up, in the outcome's unit; quarters of it if under a year."""
    unit, last = model.outcome.unit, model.last
    years = [float(convert(float(k), "years", unit)) for k in range(1, MOST_YEARS + 1)]
    whole = [t for t in years if t <= last] or [last * k / 4 for k in (1, 2, 3)]
    if len(horizons):
        all_within(horizons, last, unit)
    return tuple(sorted({*whole, *(float(t) for t in horizons), last}))


def _made(model: Fitted, now: datetime) -> Made:
    return Made(
        date=now.astimezone(UTC).isoformat(timespec="seconds"),
        bedside=__version__,
        python=platform.python_version(),
        numpy=np.__version__,
        cohort_key=model.cohort_key,
        cohort_fingerprint=model.cohort_fingerprint,
        model_fingerprint=model.fingerprint,
    )


def _population(cohort: Cohort) -> Population:
    source = cohort.source
    return Population(
        title=cohort.title,
        summary=cohort.summary,
        population=cohort.population,
        citation=source.citation,
        licence=source.licence,
        origin=source.origin,
        url=source.url,
        note=source.note,
    )


def _outcome(model: Fitted, horizons: Sequence[float]) -> Predicted:
    o = model.outcome
    names = ", ".join(o.competing)
    if not o.has_competing:
        handling = "No other event is recorded that prevents it."
    elif model.target == "any":
        handling = f"The first of the event and what competes with it ({names}) counts: their risk taken together."
    else:
        handling = f"The risk of the event itself where {names} may come first and prevent it: cumulative incidence."
    return Predicted(
        label=o.label,
        key=o.key,
        event_phrase=o.event_phrase,
        since=o.since,
        unit=o.unit,
        longest=model.last,
        horizons=tuple(float(t) for t in horizons),
        target=model.target,
        competing=tuple(o.competing),
        handling=handling,
        delayed_entry=bool(o.entry),
        note=o.note,
    )


def _missing(model: Fitted) -> tuple[str, ...]:
    gaps = [r for r in model.design.readings if r.missing]
    how = (
        "A missing value is read as the median, or the commonest level, of the patients the model learnt from; so is "
        "a level that nobody had among them."
    )
    if not gaps:
        return ("No value was missing among the patients the model learnt from.", how)
    told = "; ".join(f"{r.variable.label} {r.missing:,} ({r.missing / model.n:.0%})" for r in gaps)
    return (f"Patients of {model.n:,} with a missing value: {told}.", how)


def _size(model: Fitted, cohort: Cohort) -> Size:
    types = cohort.cause(model.outcome)
    competing = int((types > 1).sum()) if model.target == "event" else 0
    tried = candidates(model, cohort)
    return Size(
        n=model.n,
        n_events=model.n_events,
        n_competing=competing,
        censored=model.n - model.n_events - competing,
        parameters=len(model.design.terms),
        candidates=tried,
        events_per_parameter=model.n_events / tried if tried else None,
    )


def candidates(model: Fitted, cohort: Cohort) -> int:
    """Parameters that the variables asked for could have had: also of what was left out, and of rare levels."""
    design = model.design
    kept = {r.variable.name: sum(term.variable == r.variable.name for term in design.terms) for r in design.readings}
    levels = {r.variable.name: len(r.present) - 1 for r in design.readings}
    for dropped in design.dropped:
        if dropped.variable not in kept and cohort.has(dropped.variable):
            kept[dropped.variable], levels[dropped.variable] = 1, len(cohort.variable(dropped.variable).levels) - 1
    return sum(max(kept[name], levels[name], 1) for name in kept)


def _performance(name: str, told: Mapping[str, Any]) -> Performance:
    def number(key: str) -> float | None:
        value = told.get(key)
        return None if value is None or not np.isfinite(value) else float(value)

    return Performance(
        name=name, mean=number("mean"), sd=number("sd"), lower=number("lower"), upper=number("upper"),
        how=str(told["how"]),
    )  # fmt: skip


def _limits(model: Fitted, cohort: Cohort, *, validated: bool) -> tuple[str, ...]:
    per = model.n_events / max(candidates(model, cohort), 1)
    told = list(model.cautions)
    if per < FEW_PER_PARAMETER and not any("coefficient" in caution for caution in told):
        told.append(f"There are {per:.1f} events for each candidate parameter; fewer than {FEW_PER_PARAMETER} is few.")
    if not validated:
        told.append("How well it predicts was not measured when this card was made.")
    told += [SHRUNK] if model.kind in TREES else []
    told += [
        f"Nothing is known beyond {model.last:.4g} {model.outcome.unit}, the longest follow-up.",
        "It has learnt from one cohort; elsewhere its risks may be too high or too low until it is tested there.",
        "Values outside the ranges given here are extrapolated.",
    ]
    return tuple(told)


def _label(cohort: Cohort, name: str) -> str:
    return cohort.variable(name).label if cohort.has(name) else name
