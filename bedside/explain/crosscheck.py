"""The contributions once more, by software that shares no line with ours."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bedside.explain.contributions import Background, variable_terms
from bedside.explain.explain import explain
from bedside.explain.shapley import EXACT_UP_TO
from bedside.risk import Model, cumulative_hazard


def against_shap(model: Model, patients: pd.DataFrame, background: Background, t: float) -> float | None:
    """Explain the same risks with shap's ExactExplainer and compare the contributions.

    Parameters
    ----------
    model : Model
    patients : pandas.DataFrame, shape (n, n_columns)
        A few rows; each costs 2 to the power of the number of variables evaluations.
    background : Background
        Made with the same model.
    t : float
        In the model's unit.

    Returns
    -------
    float or None
        Largest absolute difference between two contributions, as a share of 1; None beyond 14 variables, where
        neither side is exact.

    References
    ----------
    Lundberg & Lee (2017), NeurIPS 30; ``shap.ExactExplainer``.
    """
    if len(model.variables) > EXACT_UP_TO:
        return None
    import shap  # heavy, and needed here alone

    hazard = cumulative_hazard(model, t)

    def risk(terms: np.ndarray) -> np.ndarray:
        return -np.expm1(-hazard * np.exp(terms.sum(axis=1)))

    masker = shap.maskers.Independent(background.terms, max_samples=len(background.terms))
    theirs = shap.ExactExplainer(risk, masker)(variable_terms(model, patients)).values
    place = {variable.name: j for j, variable in enumerate(model.variables)}
    ours = np.zeros_like(theirs)
    for i in range(len(patients)):
        for part in explain(model, patients.iloc[[i]], background, [t])[0].contributions:
            ours[i, place[part.variable]] = part.points
    return float(np.abs(ours - theirs).max())
