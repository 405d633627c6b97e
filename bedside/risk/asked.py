"""Patients whom several models are asked about, with nothing worked out twice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bedside.risk.average import Average
from bedside.risk.fitted import Fitted
from bedside.risk.forest import Forest, mean_risk


class Asked:
    """Risks and scores of the same patients by one model after another, to the last bit those of the models alone.

    Patients go through the trees of a forest once, whether its risk, its score or that of an average with it is
    wanted.

    Parameters
    ----------
    patients : pandas.DataFrame
        In the cohort's units and codes, gaps included; not to be changed meanwhile.
    """

    def __init__(self, patients: pd.DataFrame) -> None:
        self.patients = patients
        self._known: list[tuple[Forest, np.ndarray]] = []

    def risk(self, model: Fitted, times: Sequence[float] | np.ndarray) -> np.ndarray:
        """As ``model.risk``, shape (n, t)."""
        if isinstance(model, Forest):
            return model.risk_between(self._at_grid(model), times)
        if isinstance(model, Average):
            return model.mean([self.risk(member, times) for member in model.members])
        return model.risk(self.patients, times)

    def score(self, model: Fitted) -> np.ndarray:
        """As ``model.score``, shape (n,)."""
        if isinstance(model, Forest):
            return mean_risk(self._at_grid(model))
        if isinstance(model, Average):
            return mean_risk(self.risk(model, model.ranking))
        return model.score(self.patients)

    def _at_grid(self, model: Forest) -> np.ndarray:
        for forest, known in self._known:
            if forest is model:
                return known
        found = model.at_grid(self.patients)
        self._known.append((model, found))
        return found
