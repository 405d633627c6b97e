"""A model around another one: what is not said anew is the inner model's own."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from bedside.cohort.outcome import Outcome
from bedside.risk.design import Design
from bedside.risk.fitted import Fitted
from bedside.risk.training import Target


class Around:
    """What `Fitted` asks for, answered by `model`.

    Attributes
    ----------
    model : Fitted
    """

    model: Fitted

    @property
    def label(self) -> str:
        """The model's."""
        return self.model.label

    @property
    def outcome(self) -> Outcome:
        """The model's."""
        return self.model.outcome

    @property
    def target(self) -> Target:
        """The model's."""
        return self.model.target

    @property
    def cohort_key(self) -> str:
        """What the model learnt from."""
        return self.model.cohort_key

    @property
    def cohort_fingerprint(self) -> str:
        """What the model learnt from, to the last value."""
        return self.model.cohort_fingerprint

    @property
    def n(self) -> int:
        """Patients the model learnt from."""
        return self.model.n

    @property
    def n_events(self) -> int:
        """Events the model learnt from."""
        return self.model.n_events

    @property
    def design(self) -> Design:
        """The model's."""
        return self.model.design

    @property
    def last(self) -> float:
        """The model's."""
        return self.model.last

    @property
    def settings(self) -> Mapping[str, float | int | str]:
        """The model's."""
        return self.model.settings

    @property
    def cautions(self) -> tuple[str, ...]:
        """The model's."""
        return self.model.cautions

    def score(self, patients: pd.DataFrame) -> np.ndarray:
        """The model's."""
        return self.model.score(patients)
