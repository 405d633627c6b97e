"""From a model and a patient to an explanation: clinical variables are the players, risk is what they share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bedside.cohort import Cohort, Unit, convert
from bedside.explain.contributions import Background, contributions, readings_of
from bedside.explain.explanation import Contribution, Explanation, Global
from bedside.explain.overtime import global_over_time
from bedside.explain.value_words import direction, directions, value_text
from bedside.risk.fitted import Fitted


def explain(
    model: Fitted,
    patient: pd.DataFrame,
    background: Background,
    times: Sequence[float],
    *,
    unit: Unit | None = None,
    seed: int = 0,
) -> tuple[Explanation, ...]:
    """Why one patient's risk differs from the background's, at several times at once.

    Parameters
    ----------
    model : Fitted
        Of any kind.
    patient : pandas.DataFrame, shape (1, n_columns)
        One row in the cohort's units and codes.
    background : Background
        Made with the same model.
    times : sequence of float
        In `unit`, from 0 to the longest follow-up.
    unit : str, optional
        Default: the outcome's unit.
    seed : int
        Of the permutation pairs, where there are too many variables for every coalition.

    Returns
    -------
    tuple of Explanation
        One for each time.

    Raises
    ------
    Fixable
        If a time lies outside the follow-up, or the background belongs to another model.

    References
    ----------
    Lundberg & Lee (2017), NeurIPS 30. Janzing, Minorics & Bloebaum (2020), AISTATS 108:2907-2916 (why the
    interventional expectation).
    """
    asked: Unit = unit or model.outcome.unit
    own_times = [convert(float(t), asked, model.outcome.unit) for t in times]
    found = contributions(model, patient, background, own_times, seed=seed)
    readings, expected = readings_of(model), _directions(model, background)
    said = [(v, value_text(readings[v.name], patient), expected[v.name]) for v in found.variables]
    since = convert(background.since, model.outcome.unit, asked)
    explanations = []
    for i, t in enumerate(times):
        points = found.values[0, :, i]
        parts = [
            Contribution(v.name, v.label, text, float(points[j]), expected, direction(v) if expected else "")
            for j, (v, text, expected) in enumerate(said)
        ]
        base, risk = float(found.base[i]), float(found.prediction[0, i])
        explanations.append(
            Explanation(
                t=float(t), unit=asked, base=base, risk=risk,
                contributions=tuple(sorted(parts, key=lambda c: -abs(c.points))),
                additivity_error=abs(base + float(points.sum()) - risk), method=found.how,
                sampling_error=None if found.error is None else float(found.error[0, :, i].max(initial=0.0)),
                n_background=found.n_background, since=since,
            )
        )  # fmt: skip
    return tuple(explanations)


def global_explanation(
    model: Fitted,
    cohort: Cohort,
    background: Background,
    t: float,
    *,
    unit: Unit | None = None,
    max_patients: int = 1000,
    seed: int = 0,
) -> Global:
    """Contributions of many patients at one time: what drives risk across the cohort.

    As `global_over_time`, at one time.

    Parameters
    ----------
    model, background, unit
        As in `explain`.
    cohort : Cohort
        Patients to explain.
    t : float
        In `unit`, from 0 to the longest follow-up.
    max_patients : int
        A random sample of this size is explained where there are more.
    seed : int
        Of that sample and of the permutation pairs.
    """
    asked: Unit = unit or model.outcome.unit
    own = convert(float(t), asked, model.outcome.unit)
    found = global_over_time(model, cohort, background, [own], max_patients=max_patients, seed=seed)
    order = np.argsort(-found.mean_abs[:, 0], kind="stable")
    variables = [found.variables[j] for j in order]
    return Global(
        variables=tuple(v.name for v in variables), labels=tuple(v.label for v in variables),
        points=found.points[:, order, 0], values=found.values[:, order], mean_abs=found.mean_abs[order, 0],
        n_patients=len(found.rows), t=float(t), unit=asked, method=found.how,
        sampling_error=found.sampling_error, n_background=found.n_background, rows=found.rows,
    )  # fmt: skip


def _directions(model: Fitted, background: Background) -> dict[str, bool | None]:
    """Worked out once for a background, since some models have to be asked."""
    if "directions" not in background.kept:
        background.kept["directions"] = directions(model, background)
    return background.kept["directions"]
