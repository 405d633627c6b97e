"""A fitted Cox model as one frozen value."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.linalg import cholesky
from scipy.special import ndtri

from bedside.cohort.outcome import Outcome
from bedside.cohort.units import Unit
from bedside.cohort.values import Range
from bedside.cohort.variable import Variable
from bedside.risk.design import Design, Dropped, Reading, Term, read
from bedside.risk.efron import Baseline
from bedside.risk.fitted import Limits, State
from bedside.risk.hazards import all_within, at_times, combine, survival_limits
from bedside.risk.learners import KINDS
from bedside.risk.state import common_facts, design_arrays, read_common
from bedside.risk.training import Target

BASELINE = ("time", "hazard", "cumulative", "variance", "drift")


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
    target : {"any", "event"}
        Which event the risk is of.
    settings : mapping
        Hyper-parameters in use: ``penalizer`` and ``knots``.
    kind, label : str
        Key of the learner, and what the model is called.
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
    target: Target = "any"
    settings: Mapping[str, float | int | str] = field(default_factory=dict)
    kind: str = "cox"
    label: str = KINDS["cox"]

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

    def contrast(self, name: str, values: Sequence[float]) -> np.ndarray:
        """What a continuous variable adds to the log hazard at values in its own unit, as weights of `coef`.

        Returns
        -------
        array, shape (n_values, p)
            Uncentred, so that the difference of two rows is a log hazard ratio's.
        """
        reading = self.reading(name)
        patients = pd.DataFrame({name: np.asarray(values, dtype=float)})
        columns = reading.columns(read(reading, patients))
        weights = np.zeros((len(patients), len(self.coef)))
        for term in self.terms:
            if term.variable == name:
                weights[:, term.column] = columns[:, term.part]
        return weights

    def rise(self, name: str) -> float:
        """Log hazard of a continuous variable's upper quartile less that of its lower one, or of its range's ends."""
        seen = self.ranges[name]
        low, high = (seen.q1, seen.q3) if seen.q1 < seen.q3 else (seen.low, seen.high)
        below, above = self.contrast(name, (low, high))
        return float((above - below) @ self.coef)

    def linear_predictor(self, patients: pd.DataFrame) -> np.ndarray:
        """Log hazard of patients relative to the centre of the training patients, shape (n,)."""
        return combine(self.design.encode(patients), self.coef)

    def risk(self, patients: pd.DataFrame, times: Sequence[float] | np.ndarray) -> np.ndarray:
        """Risk of the event by each time, shape (n, t)."""
        asked = all_within(times, self.last, self.unit)
        hazard = at_times(self.baseline.time, self.baseline.cumulative, asked)
        return -np.expm1(-np.outer(np.exp(self.linear_predictor(patients)), hazard))

    def score(self, patients: pd.DataFrame) -> np.ndarray:
        """The linear predictor, shape (n,)."""
        return self.linear_predictor(patients)

    def limits(self, patients: pd.DataFrame, times: Sequence[float] | np.ndarray, *, level: float = 0.95) -> Limits:
        """Interval of `risk` on the log-log scale, from the baseline and the coefficients together.

        NaN between time 0 and the first event: nothing is known of how rare an event is that nobody had.

        References
        ----------
        R: ``survfit(coxph(...), newdata, conf.type = "log-log")``.
        """
        asked = all_within(times, self.last, self.unit)
        base, x = self.baseline, self.design.encode(patients)
        # x' V x as a sum of squares: the coefficients' share of the variance can't turn negative by rounding.
        root = cholesky(self.variance, lower=True)
        hazard = at_times(base.time, base.cumulative, asked)
        drift = at_times(base.time, base.drift, asked)
        own = np.column_stack([combine(x, column) for column in root.T])
        spread = np.zeros((len(x), len(asked)))
        for j in range(own.shape[1]):
            spread += (np.outer(own[:, j], hazard) - combine(drift, root[:, j])) ** 2
        relative = np.exp(combine(x, self.coef))[:, None]
        se = relative * np.sqrt(at_times(base.time, base.variance, asked) + spread)
        lower, upper = survival_limits(relative * hazard, ndtri((1 + level) / 2) * se, "log-log")
        unknown = (hazard == 0) & (asked > 0)
        lower[:, unknown] = upper[:, unknown] = np.nan
        return Limits(1 - upper, 1 - lower, f"{100 * level:g}% interval")

    def state(self) -> State:
        """Everything that `restore_model` needs to have it back with the same bits."""
        facts = common_facts(self) | {
            "penalizer": self.penalizer,
            "log_likelihood": self.log_likelihood,
            "log_likelihood_null": self.log_likelihood_null,
            "tests": [asdict(test) for test in self.tests],
            "strong_ridge": self.strong_ridge,
        }
        arrays = {f"baseline.{name}": getattr(self.baseline, name) for name in BASELINE}
        arrays |= {"coef": self.coef, "variance": self.variance}
        return State(self.kind, facts, arrays | design_arrays(self.design))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of everything that a prediction depends on."""
        seal = hashlib.sha256()
        told = (
            self.cohort_key,
            self.cohort_fingerprint,
            self.outcome.model_dump_json(),
            self.design.readings,
            self.target,
        )
        seal.update(repr((told, self.terms, self.penalizer, self.n, self.n_events)).encode())
        b = self.baseline
        for numbers in (self.coef, self.variance, self.design.centre, b.time, b.cumulative, b.variance, b.drift):
            seal.update(np.ascontiguousarray(numbers))
        return seal.hexdigest()


def restore_model(state: State) -> Model:
    """The inverse of ``Model.state``."""
    facts, arrays = state.facts, state.arrays
    common = read_common(facts, arrays)
    base = {name: np.asarray(arrays[f"baseline.{name}"], dtype=float) for name in BASELINE}
    return Model(
        **{name: value for name, value in common.items() if name != "last"},
        coef=np.asarray(arrays["coef"], dtype=float),
        variance=np.asarray(arrays["variance"], dtype=float),
        penalizer=float(facts["penalizer"]),
        log_likelihood=float(facts["log_likelihood"]),
        log_likelihood_null=float(facts["log_likelihood_null"]),
        tests=tuple(ModelTest(**told) for told in facts["tests"]),
        baseline=Baseline(**base, last=common["last"]),
        strong_ridge=bool(facts["strong_ridge"]),
    )
