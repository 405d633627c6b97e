"""The fit once more, by software that shares no line with ours."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bedside.cohort import Cohort
from bedside.risk.model import Model
from bedside.risk.prediction import encode


def against_lifelines(model: Model, cohort: Cohort) -> float:
    """Fit the same design with lifelines and compare the coefficients.

    lifelines maximises the same penalised partial likelihood with Efron's ties (its definition of the ridge is
    the one `fit` uses) but stops earlier, so that agreement to about five decimals is what can be expected.

    Parameters
    ----------
    model : Model
        As `fit` returned it.
    cohort : Cohort
        The patients it was fitted on.

    Returns
    -------
    float
        Largest absolute difference between two coefficients (log hazard ratios), each in standard deviations of
        its design column, so that the size does not depend on units.

    References
    ----------
    Davidson-Pilon (2019), lifelines, JOSS 4:1317.
    """
    from lifelines import CoxPHFitter  # heavy, and needed here alone

    columns = [f"x{j}" for j in range(len(model.coef))]
    design = pd.DataFrame(encode(model, cohort.frame), columns=columns)
    table = design.assign(t=cohort.time(model.outcome), e=cohort.event(model.outcome).astype(int))
    theirs = CoxPHFitter(penalizer=model.penalizer, l1_ratio=0.0).fit(table, "t", "e").params_[columns].to_numpy()
    return float(np.abs((theirs - model.coef) * design.std().to_numpy()).max())
