"""From a model and a patient to an explanation: clinical variables are the players, risk is what they share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from bedside.cohort import Cohort, Unit, Variable, convert
from bedside.cohort.values import level_index, numbers
from bedside.errors import Fixable
from bedside.explain.explanation import Contribution, Explanation, Global, Method
from bedside.explain.shapley import EXACT_UP_TO, shapley_cox, shapley_cox_sampled
from bedside.risk.design import Reading
from bedside.risk.model import Model
from bedside.risk.prediction import cumulative_hazard, encode, linear_predictor

LARGEST_BACKGROUND = 100
"""More patients make every explanation slower and hardly move its base."""

_GLOBAL_BUDGET = 4.2e8  # risks worked out exactly for a whole cohort, about 3 s: 1,000 patients, 12 variables
_GLOBAL_PAIRS = 16  # permutation pairs a patient beyond it: single dots are then blurred, averages are not


@dataclass(frozen=True, eq=False)
class Background:
    """The patients that an explanation compares with, as the model reads them.

    Attributes
    ----------
    model_fingerprint : str
        The model that read them.
    rows : ndarray of int, shape (n_background,)
        Their positions in the cohort.
    terms : ndarray, shape (n_background, n_variables)
        Share of the linear predictor from each of the model's variables.
    """

    model_fingerprint: str
    rows: np.ndarray
    terms: np.ndarray


def background(model: Model, cohort: Cohort, *, size: int = LARGEST_BACKGROUND) -> Background:
    """The reference population: patients evenly spaced from the lowest to the highest risk in the cohort.

    Ordered by their linear predictor, the patients are cut into `size` equal slices and the middle one of each
    is taken, so that their mean risk is close to the whole cohort's at every time; that of a random sample is
    not. Nothing is left to chance.

    Parameters
    ----------
    model : Model
    cohort : Cohort
        The patients that the model was fitted to, or those to compare with.
    size : int
        At most 100; the whole cohort when it is no larger. Patients with equal predictors keep their order.

    Raises
    ------
    Fixable
        If the cohort is empty.
    """
    if not len(cohort):
        raise Fixable(
            "No explanation for this selection.",
            "There are no patients to compare with.",
            "Remove a filter so that patients remain.",
        )
    rows = _evenly(linear_predictor(model, cohort.frame), min(size, LARGEST_BACKGROUND))
    return Background(model.fingerprint, rows, variable_terms(model, cohort.frame.iloc[rows]))


def variable_terms(model: Model, frame: pd.DataFrame) -> np.ndarray:
    """Share of the linear predictor from each variable, shape (n, n_variables): its columns are added up."""
    columns = encode(model, frame) * model.coef
    player = {variable.name: j for j, variable in enumerate(model.variables)}
    terms = np.zeros((len(frame), len(player)))
    for term in model.terms:
        terms[:, player[term.variable]] += columns[:, term.column]
    return terms


def explain(
    model: Model,
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
    model : Model
    patient : pandas.DataFrame, shape (1, n_columns)
        One row in the cohort's units and codes.
    background : Background
        Made with the same model.
    times : sequence of float
        In `unit`, from 0 to the longest follow-up.
    unit : str, optional
        Default: the model's unit.
    seed : int
        Of the permutation pairs, which are used from 15 variables on.

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
    _check(model, background)
    asked = unit or model.unit
    hazard = np.array([cumulative_hazard(model, convert(float(t), asked, model.unit)) for t in times])
    relative = np.exp(linear_predictor(model, patient)[0])
    terms = variable_terms(model, patient)[0]
    base, points, error = _shapley(terms, background.terms, hazard, seed)
    said = [(v, _value_text(model.reading(v.name), patient), _as_expected(model, v)) for v in model.variables]
    method: Method = "exact" if error is None else "permutation pairs"
    explanations = []
    for i, t in enumerate(times):
        risk = float(-np.expm1(-hazard[i] * relative))
        parts = [
            Contribution(v.name, v.label, text, float(points[i, j]), expected)
            for j, (v, text, expected) in enumerate(said)
        ]
        explanations.append(
            Explanation(
                t=float(t), unit=asked, base=float(base[i]), risk=risk,
                contributions=tuple(sorted(parts, key=lambda c: -abs(c.points))),
                additivity_error=abs(float(base[i] + points[i].sum()) - risk),
                method=method, sampling_error=None if error is None else float(error[i].max(initial=0.0)),
                n_background=len(background.terms),
            )
        )  # fmt: skip
    return tuple(explanations)


def global_explanation(
    model: Model,
    cohort: Cohort,
    background: Background,
    t: float,
    *,
    unit: Unit | None = None,
    max_patients: int = 1000,
    seed: int = 0,
) -> Global:
    """Contributions of many patients at one time: what drives risk across the cohort.

    Exact while patients x background x 2**variables stays within what takes about three seconds (1,000
    patients with 12 variables); beyond it 16 permutation pairs a patient, with the error given.

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
    _check(model, background)
    asked = unit or model.unit
    hazard = np.array([cumulative_hazard(model, convert(float(t), asked, model.unit))])
    rows = _sample(len(cohort), max_patients, seed)
    frame = cohort.frame.iloc[rows]
    terms = variable_terms(model, frame)
    p = terms.shape[1]
    exact = p <= EXACT_UP_TO and len(rows) * len(background.terms) * 2.0**p <= _GLOBAL_BUDGET
    points, squares = np.zeros(terms.shape), 0.0
    for i, own in enumerate(terms):
        if exact:
            points[i] = shapley_cox(own, background.terms, hazard)[1][0]
        else:
            drawn = shapley_cox_sampled(
                own, background.terms, hazard, seed=seed + i, batch=_GLOBAL_PAIRS, most_pairs=_GLOBAL_PAIRS
            )
            points[i] = drawn.points[0]
            squares += float((drawn.error**2).sum())
    mean_abs = np.abs(points).mean(axis=0) if len(rows) else np.zeros(p)
    order = np.argsort(-mean_abs, kind="stable")
    variables = [model.variables[j] for j in order]
    return Global(
        variables=tuple(v.name for v in variables), labels=tuple(v.label for v in variables),
        points=points[:, order], values=_places(model, frame)[:, order], mean_abs=mean_abs[order],
        n_patients=len(rows), t=float(t), unit=asked, method="exact" if exact else "permutation pairs",
        sampling_error=None if exact else float(np.sqrt(squares / max(points.size, 1))),
        n_background=len(background.terms), rows=rows,
    )  # fmt: skip


def _evenly(score: np.ndarray, size: int) -> np.ndarray:
    """Positions, ascending, of the middle ones of `size` equal slices in the order of a score; all if so few."""
    n = len(score)
    if size >= n:
        return np.arange(n)
    middle = ((np.arange(size) + 0.5) * n / size).astype(int)
    return np.sort(np.argsort(score, kind="stable")[middle])


def _sample(n: int, size: int, seed: int) -> np.ndarray:
    """Positions of a random sample, ascending; everyone when `size` is not smaller."""
    return np.arange(n) if size >= n else np.sort(np.random.default_rng(seed).choice(n, size=size, replace=False))


def _check(model: Model, background: Background) -> None:
    if background.model_fingerprint != model.fingerprint:
        raise Fixable(
            "No explanation.",
            "The patients compared with were read by another model.",
            "Open the patient again, so that both are made from the same model.",
        )


def _shapley(
    terms: np.ndarray, rows: np.ndarray, hazard: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    if len(terms) <= EXACT_UP_TO:
        return *shapley_cox(terms, rows, hazard), None
    drawn = shapley_cox_sampled(terms, rows, hazard, seed=seed)
    return drawn.base, drawn.points, drawn.error


def _value_text(reading: Reading, patient: pd.DataFrame) -> str:
    """The variable and this patient's value in words; what stands in for it where it can't be used."""
    variable = reading.variable
    if variable.is_numeric:
        value = float(numbers(patient, variable.name)[0])
        return f"{variable.label} (missing; median used)" if np.isnan(value) else variable.say_with_label(value)
    index = int(level_index(patient, variable.name, reading.codes)[0])
    if index == -1:
        return f"{variable.label} (missing; commonest value used)"
    if index < 0 or reading.codes[index] not in reading.present:
        return f"{variable.label} (a value the model has not seen; commonest value used)"
    said = variable.say_with_label(reading.codes[index])
    rare = reading.codes[index] in reading.rare
    return f"{said}, read like {variable.label_of(reading.stand_in(reading.codes[index]))}" if rare else said


def _as_expected(model: Model, variable: Variable) -> bool | None:
    """Whether higher values go with more risk in the model where the dictionary expects it; None if neither."""
    if variable.expected is None:
        return None
    rises = _rises(model, variable)
    return None if rises == 0 else (rises > 0) == (variable.expected == "raises")


def _rises(model: Model, variable: Variable) -> float:
    """Above 0 if the log hazard rises with the value, or on the whole with the order of the levels."""
    reading = model.reading(variable.name)
    if variable.is_numeric:
        return model.rise(variable.name)
    judged = [code for code in reading.present if code not in reading.rare]
    effect = dict.fromkeys(judged, 0.0)
    effect |= {term.level: float(model.coef[term.column]) for term in model.terms if term.variable == variable.name}
    heights = np.array([effect[code] for code in judged])
    steps = np.arange(len(heights)) - (len(heights) - 1) / 2
    return float(steps @ heights)


def _places(model: Model, frame: pd.DataFrame) -> np.ndarray:
    """Each value's place from 0 to 1 among the patients, shape (n, n_variables); NaN if missing or unordered."""
    places = np.full((len(frame), len(model.variables)), np.nan)
    for j, variable in enumerate(model.variables):
        if variable.is_numeric:
            values = numbers(frame, variable.name)
        elif variable.kind == "categorical":
            continue
        else:
            index = level_index(frame, variable.name, model.reading(variable.name).codes)
            values = np.where(index < 0, np.nan, index)
        known = np.isfinite(values)
        if known.any():
            rank = rankdata(values[known], method="dense") if variable.is_grouping else rankdata(values[known])
            places[known, j] = (rank - rank.min()) / max(np.ptp(rank), 1)
    return places
