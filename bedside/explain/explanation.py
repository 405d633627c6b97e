"""The values that leave this room: what drives one patient's risk, and a whole cohort's."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bedside.cohort.units import Unit
from bedside.explain.coverage import INTERVAL

Method = Literal["exact", "permutation pairs"]


@dataclass(frozen=True)
class Contribution:
    """What one value of a patient goes with, compared with the background patients.

    Attributes
    ----------
    variable : str
        Column name.
    label : str
        The variable in words, e.g. "Positive nodes".
    value_text : str
        Variable and value in words, e.g. "9 positive nodes" or "PgR (missing; median used)".
    points : float
        Contribution to the risk as a share of 1: .17 is 17 percentage points.
    expected : bool or None
        Whether the model reads the variable in the direction the dictionary expects; None where the
        dictionary expects none.
    direction: str
        Where it is as expected: which values go with more risk, or with less.
    lower, upper : float
        Interval of `points` from refits; NaN where it was not worked out.
    partner : str
        The variable whose value its contribution depends on most; empty where there is none, or it was not worked out.
    measure : str
        What the interval is: ``"95% interval"``, or ``"spread over refits"`` where that is known to hold the true one
        less often.
    together : float
        Interaction index with that value: what both add beyond what each adds alone, as a share of 1.
    """

    variable: str
    label: str
    value_text: str
    points: float
    expected: bool | None = None
    direction: str = ""
    lower: float = math.nan
    upper: float = math.nan
    partner: str = ""
    together: float = math.nan
    measure: str = INTERVAL

    @property
    def has_interval(self) -> bool:
        """True if its interval was worked out."""
        return not (math.isnan(self.lower) or math.isnan(self.upper))

    @property
    def may_be_nothing(self) -> bool:
        """True if its interval, or its spread over refits, holds 0."""
        return self.has_interval and self.lower <= 0 <= self.upper


@dataclass(frozen=True)
class Explanation:
    """Why one patient's risk at one time differs from the background's mean risk.

    Attributes
    ----------
    t : float
        Time of the risk, in `unit`.
    unit : str
        Unit of `t`.
    base : float
        Mean risk of the background patients, 0 to 1: the average here, which no single patient need have.
    risk : float
        The model's risk for this patient, 0 to 1.
    contributions : tuple of Contribution
        Largest first; they add up to `risk` minus `base`.
    additivity_error : float
        Absolute difference between `risk` and `base` plus all contributions.
    method : {"exact", "permutation pairs"}
        All coalitions, or a sample of player orders.
    sampling_error : float or None
        Largest standard error of a contribution, as a share of 1; None when exact.
    n_background : int
        Background patients.
    since : float
        Time from which the risk counts, in `unit`: of patients who are event-free then. 0 from the start.
    """

    t: float
    unit: Unit
    base: float
    risk: float
    contributions: tuple[Contribution, ...]
    additivity_error: float
    method: Method
    sampling_error: float | None
    n_background: int
    since: float = 0.0


@dataclass(frozen=True)
class Global:
    """What drives risk across many patients at one time.

    Attributes
    ----------
    variables, labels : tuple of str
        Column names and their words, most important first.
    points : ndarray, shape (n_patients, n_variables)
        Contributions as shares of 1.
    values : ndarray, shape (n_patients, n_variables)
        Each value's place from 0 (lowest) to 1 (highest); levels in their order; NaN where missing or
        where the levels have no order.
    mean_abs : ndarray, shape (n_variables,)
        Mean absolute contribution, as a share of 1.
    n_patients : int
        Patients explained.
    t, unit
        Time of the risk.
    method, sampling_error, n_background
        As in `Explanation`; the error is the root mean square over patients and variables.
    rows : ndarray, shape (n_patients,)
        Positions of the explained patients in the cohort.
    """

    variables: tuple[str, ...]
    labels: tuple[str, ...]
    points: np.ndarray
    values: np.ndarray
    mean_abs: np.ndarray
    n_patients: int
    t: float
    unit: Unit
    method: Method
    sampling_error: float | None
    n_background: int
    rows: np.ndarray
