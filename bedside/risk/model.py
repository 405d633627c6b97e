"""A fitted Cox model as one frozen value."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from bedside.cohort.outcome import Outcome
from bedside.cohort.units import Unit
from bedside.cohort.variable import Variable
from bedside.risk.design import Design, Dropped, Range, Reading, Term
from bedside.risk.efron import Baseline


@dataclass(frozen=True)
class ModelTest:
    """A test of the whole model against one without variables: chi-squared, degrees of freedom, p."""

    name: str
    statistic: float
    df: int
    p: float


@dataclass(frozen=True, eq=False)
class Model:
    """A Cox model of one outcome, ready to predict.

    Attributes
    ----------
    cohort_key, cohort_fingerprint : str
        What it was fitted on.
    outcome : Outcome
    design : Design
        How patients are read.
    coef : array, shape (p,)
        Log hazard ratios, one for each of `terms`, per unit of the design column.
    variance : array, shape (p, p)
        Inverse of the penalised information.
    penalizer : float
        The ridge in lifelines' unit: the log partial likelihood loses n·penalizer/2 · Σ (sd_j β_j)².
    log_likelihood, log_likelihood_null : float
        Log partial likelihood at `coef` and at 0, both without the penalty.
    tests : tuple of ModelTest
        Likelihood ratio, Wald and score.
    n, n_events : int
    baseline : Baseline
        For a patient at the centre of the design, in the outcome's unit.
    cautions : tuple of str
        Sentences the reader of any number from this model should see.
    strong_ridge : bool
        True where the default ridge was raised for want of events: intervals are then too narrow.
    ties : str
        Always Efron's.
    """

    cohort_key: str
    cohort_fingerprint: str
    outcome: Outcome
    design: Design = field(repr=False)
    coef: np.ndarray
    variance: np.ndarray = field(repr=False)
    penalizer: float
    log_likelihood: float
    log_likelihood_null: float
    tests: tuple[ModelTest, ...]
    n: int
    n_events: int
    baseline: Baseline = field(repr=False)
    cautions: tuple[str, ...] = ()
    strong_ridge: bool = False
    ties: str = "efron"

    @property
    def outcome_key(self) -> str:
        """Key of the outcome in its cohort."""
        return self.outcome.key

    @property
    def unit(self) -> Unit:
        """Unit of every time that goes into this model or comes out of it."""
        return self.outcome.unit

    @property
    def terms(self) -> tuple[Term, ...]:
        """The design columns, in the order of `coef`."""
        return self.design.terms

    @property
    def variables(self) -> tuple[Variable, ...]:
        """Variables with at least one coefficient, in dictionary order."""
        return tuple(reading.variable for reading in self.design.readings)

    @property
    def dropped(self) -> tuple[Dropped, ...]:
        """What was left out, each with its reason."""
        return self.design.dropped

    @property
    def fills(self) -> dict[str, float | str]:
        """What stands in for a missing value of each variable: training median or commonest level."""
        return {r.variable.name: r.fill for r in self.design.readings}

    @property
    def n_missing(self) -> dict[str, int]:
        """Training patients whose value was filled, for each variable."""
        return {r.variable.name: r.missing for r in self.design.readings}

    @property
    def ranges(self) -> dict[str, Range]:
        """What each continuous variable looked like in training."""
        return {r.variable.name: r.range for r in self.design.readings if r.range is not None}

    @property
    def last(self) -> float:
        """Longest follow-up in training: no risk is known beyond it."""
        return self.baseline.last

    def reading(self, name: str) -> Reading:
        """How the model reads one of its variables."""
        return next(r for r in self.design.readings if r.variable.name == name)

    def columns(self, name: str) -> list[int]:
        """Positions of a variable's columns in `coef` and in the design matrix."""
        return [term.column for term in self.terms if term.variable == name]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of everything that a prediction depends on."""
        seal = hashlib.sha256()
        told = (self.cohort_key, self.cohort_fingerprint, self.outcome.model_dump_json(), self.design.readings)
        seal.update(repr((told, self.terms, self.penalizer, self.n, self.n_events)).encode())
        b = self.baseline
        for numbers in (self.coef, self.variance, self.design.centre, b.time, b.cumulative, b.variance, b.drift):
            seal.update(np.ascontiguousarray(numbers))
        return seal.hexdigest()
