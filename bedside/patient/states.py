"""What may have become of a patient by a time: the event, another one first, or neither."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from bedside.errors import Fixable
from bedside.risk.average import Average
from bedside.risk.boosted import Boosted
from bedside.risk.cause_specific import FINE_GRAY, CompetingModel
from bedside.risk.fitted import Fitted
from bedside.risk.hazards import FURTHEST, all_within, at_times, combine
from bedside.risk.model import Model
from bedside.risk.penalised_model import Penalised
from bedside.risk.variability import Varied

Basis = Literal["one event", "one model", "two models", "event only"]
GRID = 60
"""Times at which two models are held beside each other."""


@dataclass(frozen=True, eq=False)
class StateRisks:
    """Shares of patients in each state by each time; they add up to 1.

    Attributes
    ----------
    times : array, shape (t,)
        In the outcome's unit.
    event, other, free : arrays, shape (n, t)
        The event that is predicted, another event before it, and neither. `event` and `other` never fall over time.
    basis : {"one event", "one model", "two models", "event only"}
        ``"one event"``: nothing competes, or the risk is of whichever event comes first, so `other` is 0. ``"one
        model"``: all three from one model. ``"two models"``: `other` is what a model of any event says beyond this
        one. ``"event only"``: nothing is known of other events, which are part of `free`.
    """

    times: np.ndarray
    event: np.ndarray = field(repr=False)
    other: np.ndarray = field(repr=False)
    free: np.ndarray = field(repr=False)
    basis: Basis


def state_risks(
    model: Fitted, patients: pd.DataFrame, times: Sequence[float] | np.ndarray, *, whole: Fitted | None = None
) -> StateRisks:
    """Risk of the event, of another event first, and of neither.

    Parameters
    ----------
    model : Fitted
        Its risk is `event`, unchanged.
    patients : pandas.DataFrame, shape (n, n_columns)
    times : sequence of float
        In the outcome's unit, from 0 to the longest follow-up.
    whole : Fitted, optional
        A model of any event of the same outcome, for kinds that model only one of several: forests and Fine-Gray.

    Raises
    ------
    Fixable
        If a time is outside, or `whole` predicts something else.
    """
    asked = np.atleast_1d(np.asarray(times, dtype=float))
    event = model.risk(patients, asked)
    if model.target == "any" or not model.outcome.has_competing:
        return _of(asked, event, np.zeros_like(event), "one event")
    free = _free(model, patients, asked)
    if free is not None:
        return _of(asked, event, 1 - event - free, "one model")
    if whole is None:
        return _of(asked, event, np.zeros_like(event), "event only")
    if whole.target != "any" or whole.outcome.key != model.outcome.key:
        raise Fixable(
            "The other events can't be told apart.",
            "The second model does not predict any event of the same outcome.",
            "Give the model of any event, fitted to the same patients.",
        )
    return _of(asked, event, _beyond(model, whole, patients, asked), "two models")


def _of(times: np.ndarray, event: np.ndarray, other: np.ndarray, basis: Basis) -> StateRisks:
    other = np.clip(other, 0.0, 1 - event)
    return StateRisks(times, event, other, np.maximum(1 - event - other, 0.0), basis)


def _free(model: Fitted, patients: pd.DataFrame, times: np.ndarray) -> np.ndarray | None:
    """Chance of no event of any kind, shape (n, t), where the model holds the hazard of every kind."""
    if isinstance(model, Varied):
        return _free(model.model, patients, times)
    if isinstance(model, Average):
        parts = [_free(member, patients, times) for member in model.members]
        known = [part for part in parts if part is not None]
        return sum(known[1:], known[0]) / len(parts) if len(known) == len(parts) else None
    hazard = all_hazards(model, patients, times)
    return None if hazard is None else np.exp(-hazard)


def all_hazards(model: Fitted, patients: pd.DataFrame, times: np.ndarray) -> np.ndarray | None:
    """Cumulative hazards of all kinds of event together, shape (n, t); None where the model does not hold them."""
    asked = all_within(times, model.last, model.outcome.unit)
    if isinstance(model, Varied):
        return all_hazards(model.model, patients, times)
    if isinstance(model, Model):
        base = model.baseline
        parts = [(model.linear_predictor(patients), base.time, base.hazard)]
    elif isinstance(model, Penalised):
        x = model.design.encode(patients)
        parts = [(combine(x, h.coef), h.time, h.increment) for h in model.hazards]
    elif isinstance(model, Boosted):
        log = np.clip(model.log_hazards(model.columns(patients)), -FURTHEST, FURTHEST)
        parts = [(log[:, k], model.time, cause.hazard) for k, cause in enumerate(model.causes)]
    elif isinstance(model, CompetingModel) and model.method != FINE_GRAY:
        x = model.design.encode(patients)
        parts = [(combine(x, cause.coef), model.time, cause.hazard) for cause in model.causes]
    else:
        return None
    total = np.zeros((len(patients), len(asked)))
    for log, time, steps in parts:
        total += np.outer(np.exp(log), at_times(time, np.cumsum(steps), asked))
    return total


def _beyond(model: Fitted, whole: Fitted, patients: pd.DataFrame, times: np.ndarray) -> np.ndarray:
    """What a model of any event says beyond the risk of one, made never to fall: its highest value so far.

    It is looked up at fixed times and straight between them, so that it depends on nothing else that is asked, and
    leaves room for the event's risk by the end of follow-up: two models may say more than everybody between them.
    """
    grid = np.linspace(0.0, min(model.last, whole.last), GRID + 1)
    gap = np.maximum(whole.risk(patients, grid) - model.risk(patients, grid), 0.0)
    room = 1 - model.risk(patients, [model.last])
    highest = np.minimum(np.maximum.accumulate(gap, axis=1), room)
    return np.array([np.interp(times, grid, row) for row in highest]).reshape(len(patients), len(times))
