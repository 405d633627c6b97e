"""The card of an updated model: that of the model it was, with the update and how it did on the new patients."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np

from bedside.cohort.units import convert
from bedside.report import say
from bedside.report.model_card import MOST_YEARS, ModelCard, Performance
from bedside.validation.calibration import Estimate
from bedside.validation.external import Performance as Measured
from bedside.validation.recalibrate import Update
from bedside.validation.recalibrated import Recalibrated

RISK = (
    "Updated: risk by t = 1 - exp(-H(t) exp(slope (z - {centre:.10g}))), where z = log(-log(1 - p)), p is the risk by "
    "{anchor:.10g} {unit} as the model was, slope = {slope:.10g}, and H is the updated baseline."
)
RISK_COMPETING = (
    "Updated: risk by t = 1 - exp(-exp({shift:.10g} + {slope:.10g} log(-log(1 - p)))), where p is the risk by t as the "
    "model was."
)


def updated_card(base: ModelCard, update: Update, *, note: str = "", now: datetime | None = None) -> ModelCard:
    """A card for an update.

    Parameters
    ----------
    base : ModelCard
        Of the model before.
    update : Update
    note : str, optional
        The reader's own words.
    now : datetime, optional
        With a zone.
    """
    model = update.model
    when = (now or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds")
    stamp = base.made.model_copy(update={"date": when, "model_fingerprint": model.fingerprint})
    parameters = base.specification
    told = base.specification.model_copy(update={
        "formula": (*parameters.formula, *formula(model)),
        "settings": {**parameters.settings, "recalibrated": model.how, "calibration slope": model.slope.value},
    })  # fmt: skip
    limits = [text for text in base.limits if not text.startswith(("How well it predicts", "It has learnt from one"))]
    new = [text for text in (*update.cautions, *model.cautions) if text not in limits]
    return base.model_copy(update={
        "title": f"{model.label}: {model.outcome.label}", "kind": model.kind, "label": model.label, "version": None,
        "made": stamp, "specification": told, "performance": measured(update), "fairness": (),
        "limits": (*new, *limits), "note": note,
    })  # fmt: skip


def formula(model: Recalibrated) -> tuple[str, ...]:
    """How a risk follows from that of the model before, with the updated baseline at whole years."""
    if not len(model.time):
        return (RISK_COMPETING.format(shift=model.shift, slope=model.slope.value),)
    unit = model.outcome.unit
    years = [float(convert(float(k), "years", unit)) for k in range(1, MOST_YEARS + 1)]
    at = [t for t in years if t <= model.last] or [model.last]
    level = np.concatenate(([0.0], model.hazard))[np.searchsorted(model.time, np.array(at), side="right")]
    baseline = "; ".join(f"{t:.6g} {unit} {h:.10g}" for t, h in zip(at, level, strict=True))
    first = RISK.format(centre=model.centre, anchor=model.anchor, unit=unit, slope=model.slope.value)
    return first, f"Updated baseline H at: {baseline}."


def measured(update: Update) -> tuple[Performance, ...]:
    """How it did on the new patients, before and after."""
    n, events = say.patients(int(update.model.updated["n"])), say.events(int(update.model.updated["n_events"]))
    where = f"{update.before.cohort_title}, {n}, {events}"
    when = say.readable(float(update.before.times[-1]), update.before.unit)
    held = f"{update.folds}-fold cross-validation, {update.repeats} times"
    return (
        *_of(update.after, f"After the update, {when}", f"{where}; risks from updates on the other patients ({held})"),
        *_of(update.before.performance, f"Before the update, {when}", f"{where}; the model as it was"),
    )


def _of(found: Measured, start: str, how: str) -> tuple[Performance, ...]:
    at = found.at[-1]
    o = at.overall
    values: Mapping[str, Estimate] = {
        "Harrell's C": found.c, "observed over expected": Estimate(o.ratio, at.ratio_error, o.lower, o.upper),
        "calibration slope": at.slope, "Brier score": at.brier, "IPA": at.ipa,
    }  # fmt: skip
    return tuple(_one(f"{start}: {name}", value, how) for name, value in values.items())


def _one(name: str, value: Estimate, how: str) -> Performance:
    def finite(number: float) -> Any:
        return float(number) if np.isfinite(number) else None

    lower, upper = finite(value.lower), finite(value.upper)
    return Performance(name=name, mean=finite(value.value), lower=lower, upper=upper, how=how)
