"""Risk from here on: of patients who are event-free and under observation some time after time zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from scipy.linalg import cholesky
from scipy.special import ndtri

from bedside.errors import Fixable
from bedside.patient.states import StateRisks, all_hazards, state_risks
from bedside.risk.cause_specific import FINE_GRAY, CompetingModel
from bedside.risk.fitted import Fitted, Limits
from bedside.risk.hazards import all_within, at_times, combine, survival_limits
from bedside.risk.incidence import CauseSteps, incidence, standard_error
from bedside.risk.model import Model
from bedside.risk.variability import Varied, scaled
from bedside.survival.curve import SLACK

NOBODY = 1e-12
"""A chance of having come so far below it is none."""


@dataclass(frozen=True, eq=False)
class Conditional:
    """Risks of patients who are event-free at some time.

    Attributes
    ----------
    alive_at : float
        That time, in the outcome's unit since time zero.
    states : StateRisks
        By each of its times, also counted from time zero; 0 up to `alive_at`.
    limits : Limits or None
        Of the risk of the event; None where the model has none.
    """

    alive_at: float
    states: StateRisks
    limits: Limits | None = field(repr=False)

    @property
    def risk(self) -> np.ndarray:
        """Risk of the event, shape (n, t)."""
        return self.states.event


def conditional_risk(
    model: Fitted,
    patients: pd.DataFrame,
    alive_at: float,
    times: Sequence[float] | np.ndarray,
    *,
    whole: Fitted | None = None,
    level: float = 0.95,
) -> Conditional:
    """Risk of patients known to be event-free for some time so far, from any kind of model.

    With R the risk of the event and S the chance of no event of any kind, it is (R(t) - R(s)) / S(s); where nothing
    competes S is 1 - R. Values are those of time zero: what happened since is not used but that no event came.

    Parameters
    ----------
    model : Fitted
    patients : pandas.DataFrame, shape (n, n_columns)
    alive_at : float
        s, in the outcome's unit since time zero.
    times : sequence of float
        From time zero too, within the longest follow-up. Up to s the risk is 0.
    whole : Fitted, optional
        As in `state_risks`. Without it a forest or Fine-Gray model takes for S the chance of not having had the event
        that is predicted (``states.basis`` is then ``"event only"``).
    level : float, default 0.95

    Returns
    -------
    Conditional
        Limits of a Cox model count what is uncertain after s only, on the log-log scale; those of refits are their
        spread.

    Raises
    ------
    Fixable
        If a time is outside the follow-up, or nobody with these values is expected to come so far.

    References
    ----------
    Hieke et al. (2015), Clin Cancer Res 21:1530-1536. R: ``survfit(coxph(...), newdata, start.time = s)``.
    """
    asked = np.atleast_1d(np.asarray(times, dtype=float))
    s = float(all_within([alive_at], model.last, model.outcome.unit)[0]) / (1 + SLACK)
    states = conditional_states(model, patients, s, asked, whole=whole)
    return Conditional(s, states, _limits(model, patients, s, asked, states.event, whole, level))


def conditional_states(
    model: Fitted, patients: pd.DataFrame, s: float, times: np.ndarray, *, whole: Fitted | None = None
) -> StateRisks:
    """Shares in each state by each time, of patients who are event-free at s."""
    asked = np.concatenate([[s], np.maximum(times, s)])
    hazard = all_hazards(model, patients, asked)
    if hazard is not None and (model.target == "any" or not model.outcome.has_competing):
        # From the hazard after s, which is known however few come so far.
        event = -np.expm1(hazard[:, :1] - hazard[:, 1:])
        return StateRisks(times, event, np.zeros_like(event), 1 - event, "one event")
    found = state_risks(model, patients, asked, whole=whole)
    left = found.free[:, :1]
    if (left <= NOBODY).any():
        raise Fixable(
            "No risk from there on.",
            "By this model nobody with these values is event-free for so long.",
            "Choose an earlier time, or check the values.",
        )
    event = np.clip((found.event[:, 1:] - found.event[:, :1]) / left, 0.0, 1.0)
    other = np.clip((found.other[:, 1:] - found.other[:, :1]) / left, 0.0, 1 - event)
    return StateRisks(times, event, other, 1 - event - other, found.basis)


def _limits(
    model: Fitted, patients: pd.DataFrame, s: float, times: np.ndarray, risk: np.ndarray, whole: Fitted | None,
    level: float,
) -> Limits | None:  # fmt: skip
    if isinstance(model, Varied):
        return _spread(model, patients, s, times, risk, whole, level)
    reach = float(ndtri((1 + level) / 2))
    if isinstance(model, Model):
        hazard, se = _residual_hazard(model, patients, np.concatenate([[s], np.maximum(times, s)]))
    elif isinstance(model, CompetingModel) and model.method != FINE_GRAY:
        hazard, se = _residual_incidence(model, patients, s, np.maximum(times, s))
    else:
        return None
    lower, upper = survival_limits(hazard, reach * se, "log-log")
    unknown = (risk == 0) & (times > s)
    return Limits(
        np.where(unknown, np.nan, 1 - upper), np.where(unknown, np.nan, 1 - lower), f"{100 * level:g}% interval"
    )


def _residual_hazard(model: Model, patients: pd.DataFrame, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cumulative hazard after the first of the times, and its standard error, shape (n, t - 1)."""
    asked = all_within(times, model.last, model.unit)
    base, x = model.baseline, model.design.encode(patients)

    def after(running: np.ndarray) -> np.ndarray:
        found = at_times(base.time, running, asked)
        return found[1:] - found[:1]

    hazard, drift, variance = after(base.cumulative), after(base.drift), after(base.variance)
    root = cholesky(model.variance, lower=True)
    spread = np.zeros((len(x), len(hazard)))
    for column in root.T:
        spread += (np.outer(combine(x, column), hazard) - drift @ column) ** 2
    relative = np.exp(combine(x, model.coef))[:, None]
    return relative * hazard, relative * np.sqrt(np.maximum(variance, 0.0) + spread)


def _residual_incidence(
    model: CompetingModel, patients: pd.DataFrame, s: float, times: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The incidence after s on the scale of a hazard, and its standard error there."""
    asked = all_within([s, *times], model.last, model.outcome.unit)
    upto = np.searchsorted(model.time, asked, side="right")
    x = model.design.encode(patients)
    relative = np.exp(np.column_stack([combine(x, cause.coef) for cause in model.causes]))
    later = [_later(cause, int(upto[0])) for cause in model.causes]
    risk = incidence(relative, later, upto[1:] - upto[0])
    se = standard_error(x, relative, later, upto[1:] - upto[0])
    free = np.maximum(1 - risk, np.finfo(float).tiny)
    return -np.log(free), se / free


def _later(cause: CauseSteps, start: int) -> CauseSteps:
    return replace(cause, hazard=cause.hazard[start:], variance=cause.variance[start:], drift=cause.drift[start:])


def _spread(
    model: Varied, patients: pd.DataFrame, s: float, times: np.ndarray, risk: np.ndarray, whole: Fitted | None,
    level: float,
) -> Limits:  # fmt: skip
    """The band from the spread of the refits' conditional risks, as the risk from time zero has it."""
    own = [
        conditional_states(refit, patients, min(s, refit.last), np.minimum(times, refit.last), whole=whole).event
        for refit in model.refits
    ]
    spread = np.stack([scaled(each) for each in own]).std(axis=0, ddof=1)
    return model.band(risk, spread, times, since=s, level=level)
