"""What measures lose on new patients, by the bootstrap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bedside.errors import Fixable
from bedside.risk.fit import check_size
from bedside.risk.fitted import Fitted, Progress
from bedside.risk.learners import KINDS
from bedside.risk.training import Training
from bedside.validation.accuracy import null_risk
from bedside.validation.measure import rows_of
from bedside.validation.panel import measures
from bedside.validation.resample import Learners, Plan, Settings, checked_times, fit_all, grid_of, predicted

Judged = Literal["all patients", "out of bag"]
REGRESSIONS = ("cox", "penalised")
"""Kinds that can't learn patients by heart, so that Harrell's correction holds for them."""


@dataclass(frozen=True, eq=False)
class Optimism:
    """What a model's measures lose on patients it has not seen, by the bootstrap.

    Attributes
    ----------
    label : str
    apparent, optimism, corrected, sd : dict of str to array
        By measure. Judged on all patients: on the patients the model learnt from; mean over the resamples of (on the
        resample - on all patients); apparent less optimism; and the standard deviation of that difference over the
        resamples. Judged out of bag: `corrected` is the mean over the resamples on the patients who were not drawn,
        `optimism` is apparent less that, and `sd` is of the measure on those patients.
    resamples : int
        In which the model could be fitted.
    judged : {"all patients", "out of bag"}
    """

    label: str
    apparent: dict[str, np.ndarray]
    optimism: dict[str, np.ndarray]
    corrected: dict[str, np.ndarray]
    sd: dict[str, np.ndarray]
    resamples: int
    judged: Judged = "all patients"


def bootstrap_optimism(
    kinds: Learners,
    rows: Training,
    *,
    times: Sequence[float] | np.ndarray,
    resamples: int = 100,
    seed: int = 0,
    settings: Mapping[str, Settings] | None = None,
    progress: Progress | None = None,
) -> dict[str, Optimism]:
    """What is to be expected on new patients: fit in resamples, and see how the models do on those they do not know.

    A regression is judged on its resample and on all patients; the difference is its optimism (Harrell). All patients
    hold the two thirds that were drawn, whom trees know by heart: forest, boosted trees and an average with them would
    seem to be of use where nothing is. They are judged on the patients who were not drawn (out of bag). As about 63%
    of the patients teach each of these models, that is a little strict.

    Parameters
    ----------
    kinds, rows, times, settings, progress
        As in `cross_validate`. A model that chooses its settings does so anew in each resample, where a patient may
        stand on both sides of an inner fold: give settings for the forest, or cross-validate it.
    resamples, seed : int

    References
    ----------
    Harrell, Lee & Mark (1996), Stat Med 15:361-387. R: ``rms::validate(fit, B = )``. Efron & Tibshirani (1997),
    JASA 92:548-560 (leave-one-out bootstrap).
    """
    at = checked_times(rows, times)
    check_size(len(rows), int(rows.event.sum()), rows.outcome)
    plan = Plan(np.zeros((1, len(rows)), dtype=int), 1, at, grid_of(rows, at), seed, ())
    models, failed = fit_all(kinds, rows, settings=settings, seed=seed)
    if not models:
        raise Fixable("No model could be checked.", next(iter(failed.values())), "Choose other variables or models.")
    apparent = {kind: _judged(model, rows, rows, plan) for kind, model in models.items()}
    lost: dict[str, list[dict[str, np.ndarray]]] = {kind: [] for kind in models}
    rng = np.random.default_rng(seed)
    for b in range(resamples):
        if progress is not None:
            progress(b / resamples, f"Resample {b + 1} of {resamples}")
        chosen = rng.integers(0, len(rows), len(rows))
        drawn, others = rows.take(chosen), rows.take(np.bincount(chosen, minlength=len(rows)) == 0)
        again, _ = fit_all(kinds, drawn, settings=settings, seed=seed)
        for kind, model in again.items():
            if kind not in lost:
                continue
            if models[kind].kind in REGRESSIONS:
                here, there = _judged(model, drawn, drawn, plan), _judged(model, rows, drawn, plan)
                lost[kind].append({key: here[key] - there[key] for key in here})
            elif others.event.any():
                lost[kind].append(dict(_judged(model, others, drawn, plan)))
    if progress is not None:
        progress(1.0, "Models checked")
    return {
        kind: _optimism(
            KINDS.get(kind, kind), apparent[kind], lost[kind],
            judged="all patients" if model.kind in REGRESSIONS else "out of bag",
        )
        for kind, model in models.items()
    }  # fmt: skip


def _judged(model: Fitted, on: Training, learnt: Training, plan: Plan) -> Mapping[str, np.ndarray]:
    null = null_risk(learnt.time, learnt.cause, plan.grid, entry=learnt.entry, extend=True)
    return measures(rows_of(on.time, on.cause, on.entry), predicted(model, on, plan.times, plan.grid), null)


def _optimism(
    label: str, apparent: Mapping[str, np.ndarray], found: list[dict[str, np.ndarray]], *, judged: Judged
) -> Optimism:
    mean, sd = {}, {}
    for key, value in apparent.items():
        values = np.array([part[key] for part in found]).reshape(len(found), len(value))
        known = np.isfinite(values)
        count = known.sum(axis=0)
        mean[key] = np.divide(
            np.where(known, values, 0).sum(axis=0), count, out=np.full(len(value), np.nan), where=count > 0
        )
        spread = (np.where(known, values - mean[key], 0) ** 2).sum(axis=0)
        sd[key] = np.sqrt(np.divide(spread, count - 1, out=np.full(len(value), np.nan), where=count > 1))
    # Of what is lost the mean is taken from the apparent; of what is seen out of bag it is the answer itself.
    rest = {key: value - mean[key] for key, value in apparent.items()}
    lost, corrected = (mean, rest) if judged == "all patients" else (rest, mean)
    return Optimism(label, dict(apparent), lost, corrected, sd, len(found), judged)
