"""What follows a Cox fit, for the keys of a block that a Cox kind fills: tests of proportional hazards
(``cox_zph``), curves of new patients (``pred_lp_centered``, ``pred_lp_zero``, ``curves``), ``residuals``, and baseline
hazards. Their options are those of the kind ``cox``.
"""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
from numpy.typing import ArrayLike

from bedside.errors import Fixable
from bedside.regression.baseline import baseline_hazard
from bedside.regression.curves import Patients, PredictedCurve, linear_predictor, predicted_curves
from bedside.regression.model import CoxFit
from bedside.regression.moments import moments
from bedside.regression.residuals import residuals
from bedside.regression.zph import TimeScale, check_proportional
from bedside.survival.intervals import Interval

INTERVALS: tuple[Interval, ...] = ("log", "log-log", "plain")


def zph_part(fit: CoxFit) -> dict[str, Any]:
    """A block's ``cox_zph``: each time scale's tests; None where there is none."""
    return {scale: _zph(fit, scale) for scale in get_args(TimeScale)}


def _zph(fit: CoxFit, scale: TimeScale) -> dict[str, Any] | None:
    try:
        checked = check_proportional(fit, scale)
    except Fixable:
        return None
    tests = (*checked.tests, checked.overall)
    return {
        "term": [*checked.terms, "GLOBAL"],
        "chisq": [test.statistic for test in tests],
        "df": [test.df for test in tests],
        "p": [test.p for test in tests],
    }


def curves_part(fit: CoxFit, newdata: Patients, times: ArrayLike) -> dict[str, Any]:
    """A block's ``pred_lp_centered``, ``pred_lp_zero`` and ``curves``."""
    sets = moments(fit)
    by_interval = {name: predicted_curves(fit, newdata, interval=name, level=0.95, sets=sets) for name in INTERVALS}
    return {
        "pred_lp_centered": linear_predictor(fit, newdata),
        "pred_lp_zero": linear_predictor(fit, newdata, reference="zero"),
        "curves": [
            {name: _curve([c for c in curves if c.patient == i], times) for name, curves in by_interval.items()}
            for i in range(len(newdata.x))
        ],
    }


def _curve(curves: list[PredictedCurve], times: ArrayLike) -> dict[str, Any]:
    """One patient's curves, one below the other; of the quantiles R's script reads cells of a matrix, by column."""
    points = [curve.at(np.sort(np.asarray(times, dtype=float))) for curve in curves]
    cells = [[curve.quantile(p) for curve in curves] for p in (0.25, 0.5, 0.75)]
    flat = [cell for column in cells for cell in column]
    return {
        "times": times,
        "surv": np.concatenate([part.survival for part in points]),
        "std_err": np.concatenate([part.std_err for part in points]),
        "cumhaz": np.concatenate([part.cumulative_hazard for part in points]),
        "lower": np.concatenate([part.lower for part in points]),
        "upper": np.concatenate([part.upper for part in points]),
        "median": flat[1].estimate,
        "median_lower": flat[1].lower,
        "median_upper": flat[1].upper,
        "q25": flat[0].estimate,
        "q75": flat[2].estimate,
    }


def residuals_part(fit: CoxFit) -> dict[str, Any]:
    """A block's ``residuals``."""
    found = residuals(fit)
    return {
        "martingale": found.martingale,
        "deviance": found.deviance,
        "score": _matrix(found.score),
        "schoenfeld": _matrix(found.schoenfeld.raw),
        "scaled_schoenfeld": _matrix(found.schoenfeld.scaled),
        "dfbeta": _matrix(found.dfbeta),
        "dfbetas": _matrix(found.dfbetas),
    }


def _matrix(values: np.ndarray) -> dict[str, Any]:
    return {"matrix": values.tolist()}


def base_part(fit: CoxFit) -> dict[str, Any]:
    """A block of baseline hazards."""
    base = baseline_hazard(fit)
    return {
        "time": base.time,
        "strata": None if fit.data.strata is None else list(base.stratum),
        "cumhaz_uncentered": base.uncentred,
        "cumhaz_centered": base.centred,
    }
