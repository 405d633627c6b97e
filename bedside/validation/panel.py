"""All measures of one model on one set of patients it has not seen, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bedside.validation.accuracy import brier, integrated_brier, prediction_accuracy
from bedside.validation.calibration import (
    calibration_slope,
    cloglog,
    overall_calibration,
)
from bedside.validation.calibration_curve import smooth_calibration
from bedside.validation.discrimination import auc, concordance, royston_d, uno
from bedside.validation.measure import Rows
from bedside.validation.weak import weak_calibration

Better = Literal["higher", "lower", "one", "zero"]


@dataclass(frozen=True)
class MeasureInfo:
    """What a measure is called and how it is read.

    Attributes
    ----------
    name : str
    better : {"higher", "lower", "one", "zero"}
        Which value is best.
    by_time : bool
        True if it belongs to one time of the risks.
    """

    name: str
    better: Better
    by_time: bool


MEASURES: dict[str, MeasureInfo] = {
    "harrell": MeasureInfo("Harrell's C", "higher", False),
    "uno": MeasureInfo("Uno's C", "higher", False),
    "auc": MeasureInfo("Time-dependent AUC", "higher", True),
    "brier": MeasureInfo("Brier score", "lower", True),
    "ipa": MeasureInfo("Index of prediction accuracy", "higher", True),
    "ibs": MeasureInfo("Integrated Brier score", "lower", False),
    "observed_expected": MeasureInfo("Observed / expected", "one", True),
    "slope": MeasureInfo("Calibration slope", "one", False),
    "slope_at": MeasureInfo("Calibration slope at the time", "one", True),
    "intercept_at": MeasureInfo("Calibration intercept", "zero", True),
    "ici": MeasureInfo("Integrated calibration index", "lower", True),
    "royston_d": MeasureInfo("Royston's D", "higher", False),
    "r2_d": MeasureInfo("R²_D", "higher", False),
}
"""Every measure, in the order in which they are shown."""


@dataclass(frozen=True, eq=False)
class Predicted:
    """What a model said of n patients.

    Attributes
    ----------
    times : array, shape (t,)
        Times asked for.
    grid : array, shape (g,)
        Times at which risks are known, ascending; `times` among them.
    risk : array, shape (n, g)
    score : array, shape (n,)
        Higher means sooner.
    """

    times: np.ndarray
    grid: np.ndarray
    risk: np.ndarray
    score: np.ndarray

    def at(self, t: float) -> np.ndarray:
        """Risk by one of the times asked for, shape (n,)."""
        return self.risk[:, int(np.searchsorted(self.grid, t))]

    def at_times(self) -> np.ndarray:
        """Risk by all of them, shape (n, t)."""
        return self.risk[:, np.searchsorted(self.grid, self.times)]

    def at_own(self, time: np.ndarray) -> np.ndarray:
        """Risk by each patient's own time, shape (n,): straight between the times of `grid`, flat after the last."""
        known = np.concatenate(([0.0], self.grid))
        values = np.concatenate((np.zeros((len(self.risk), 1)), self.risk), axis=1)
        place = np.clip(np.searchsorted(known, time, side="right") - 1, 0, len(known) - 2)
        share = np.clip((time - known[place]) / (known[place + 1] - known[place]), 0.0, 1.0)
        row = np.arange(len(time))
        return values[row, place] * (1 - share) + values[row, place + 1] * share


def measures(rows: Rows, said: Predicted, null: np.ndarray, *, full: bool = True) -> Mapping[str, np.ndarray]:
    """Every measure of `MEASURES`, each an array: of shape (t,) where it belongs to a time, else (1,).

    Parameters
    ----------
    rows : Rows
        Patients the model has not seen.
    said : Predicted
    null : array, shape (g,)
        Risk at the times of `said.grid` without a model: of the patients the model learnt from.
    full : bool, default True
        False leaves out what means nothing for a model without predictors: all but C, Brier score and O/E.
    """
    time, cause, entry, times = rows.time, rows.cause, rows.entry, said.times
    asked = np.searchsorted(said.grid, times)
    scored = brier(time, cause, said.risk, said.grid, entry=entry).value
    base = brier(time, cause, null, said.grid, entry=entry).value
    upto = asked[-1] + 1
    out = {
        "harrell": np.array([concordance(time, cause, said.score, entry=entry).c]),
        "uno": np.array([uno(time, cause, said.score, up_to=float(times[-1])) if entry is None else np.nan]),
        "auc": auc(time, cause, said.at_times(), times, entry=entry).value,
        "brier": scored[asked],
        "ipa": prediction_accuracy(scored[asked], base[asked]),
        "ibs": integrated_brier(said.grid[:upto], scored[:upto])[-1:],
        "observed_expected": np.array(
            [overall_calibration(time, cause, said.at(t), t, entry=entry).ratio for t in times]
        ),
    }
    return out | (_of_spread(rows, said) if full else {})


def _of_spread(rows: Rows, said: Predicted) -> dict[str, np.ndarray]:
    """Measures that need risks that differ."""
    time, cause, entry = rows.time, rows.cause, rows.entry
    given = [(time, cause, said.at(t), float(t)) for t in said.times]
    weak = [weak_calibration(*g, entry=entry) for g in given]
    smooth = [smooth_calibration(*g, entry=entry) for g in given]
    d = royston_d(time, cause, said.score, entry=entry)
    return {
        "slope": np.array([calibration_slope(time, cause, cloglog(said.at(said.times[-1])), entry=entry).value]),
        "slope_at": np.array([w.slope.value for w in weak]),
        "intercept_at": np.array([w.intercept.value for w in weak]),
        "ici": np.array([np.nan if s is None else s.ici for s in smooth]),
        "royston_d": np.array([d.d]),
        "r2_d": np.array([d.r2]),
    }
