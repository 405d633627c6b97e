"""The risk of an event in the presence of others: a Cox model for each cause, or Fine and Gray's."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.special import ndtri

from bedside.cohort.outcome import Outcome
from bedside.risk.design import Design
from bedside.risk.fitted import Limits, State
from bedside.risk.hazards import all_within, combine, survival_limits
from bedside.risk.incidence import CauseSteps, incidence, standard_error
from bedside.risk.learners import KINDS
from bedside.risk.state import common_facts, design_arrays, read_common
from bedside.risk.training import Target

ARRAYS = ("coef", "cov", "hazard", "variance", "drift")
CAUSE_SPECIFIC, FINE_GRAY = "cause-specific", "fine-gray"


@dataclass(frozen=True, eq=False)
class CompetingModel:
    """Cumulative incidence of one event, the others taking part.

    Attributes
    ----------
    causes : tuple of CauseSteps
        Cause-specific: one for each cause that occurred, the one that is predicted first. Fine-Gray: one, whose
        hazard is the subdistribution's.
    numbers : tuple of int
        Which of the outcome's causes each is, counted from 1.
    events : tuple of int
        Events of each.
    time : array, shape (g,)
        Times of the steps, ascending, in the outcome's unit.
    ranking : array, shape (r,)
        Times over which the risk is averaged into `score`.
    settings : mapping
        ``competing`` ("cause-specific" or "fine-gray"), ``penalizer``, ``knots``.
    """

    cohort_key: str
    cohort_fingerprint: str
    outcome: Outcome
    design: Design = field(repr=False)
    n: int
    n_events: int
    last: float
    settings: Mapping[str, float | int | str]
    cautions: tuple[str, ...]
    causes: tuple[CauseSteps, ...] = field(repr=False)
    numbers: tuple[int, ...]
    events: tuple[int, ...]
    time: np.ndarray = field(repr=False)
    ranking: np.ndarray = field(repr=False)
    target: Target = "event"
    kind: str = "cox"
    label: str = KINDS["cox"]

    @property
    def method(self) -> str:
        """Cause-specific or Fine-Gray."""
        return str(self.settings["competing"])

    def _read(self, patients: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        x = self.design.encode(patients)
        return x, np.exp(np.column_stack([combine(x, cause.coef) for cause in self.causes]))

    def risk(self, patients: pd.DataFrame, times: Sequence[float] | np.ndarray) -> np.ndarray:
        """Risk of the event by each time, shape (n, t).

        References
        ----------
        R: ``survfit(coxph(Surv(time, factor(cause)) ~ ...), newdata)$pstate``; ``predict(crr(...))``.
        """
        upto = np.searchsorted(self.time, all_within(times, self.last, self.outcome.unit), side="right")
        relative = self._read(patients)[1]
        if self.method == FINE_GRAY:
            hazard = np.concatenate(([0.0], np.cumsum(self.causes[0].hazard)))[upto]
            return -np.expm1(-np.outer(relative[:, 0], hazard))
        return incidence(relative, self.causes, upto)

    def score(self, patients: pd.DataFrame) -> np.ndarray:
        """Mean risk over the times of `ranking`, shape (n,): higher means sooner."""
        risk = self.risk(patients, self.ranking)
        total = np.zeros(len(risk))
        for column in risk.T:
            total += column
        return total / len(self.ranking)

    def limits(
        self, patients: pd.DataFrame, times: Sequence[float] | np.ndarray, *, level: float = 0.95
    ) -> Limits | None:
        """Interval of `risk` on the complementary log-log scale; None for Fine-Gray (`with_variability` has one).

        NaN between time 0 and the first event. Where nothing competes it is the interval of a Cox model.
        """
        if self.method == FINE_GRAY:
            return None
        asked = all_within(times, self.last, self.outcome.unit)
        upto = np.searchsorted(self.time, asked, side="right")
        x, relative = self._read(patients)
        risk = incidence(relative, self.causes, upto)
        se = standard_error(x, relative, self.causes, upto)
        free = np.maximum(1 - risk, np.finfo(float).tiny)
        lower, upper = survival_limits(-np.log(free), ndtri((1 + level) / 2) * se / free, "log-log")
        unknown = (risk == 0) & (asked > 0)
        return Limits(
            np.where(unknown, np.nan, 1 - upper), np.where(unknown, np.nan, 1 - lower), f"{100 * level:g}% interval"
        )

    def state(self) -> State:
        """Everything that `restore_competing` needs to have it back with the same bits."""
        facts = common_facts(self) | {"numbers": list(self.numbers), "events": list(self.events)}
        arrays = {
            f"cause.{number}.{name}": getattr(cause, name)
            for number, cause in zip(self.numbers, self.causes, strict=True)
            for name in ARRAYS
        }
        return State(
            self.kind, facts, {**arrays, "time": self.time, "ranking": self.ranking, **design_arrays(self.design)}
        )

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of everything that a prediction depends on."""
        seal = hashlib.sha256()
        source = (self.cohort_key, self.cohort_fingerprint, self.outcome.model_dump_json(), self.numbers, self.events)
        seal.update(repr((source, self.design.readings, self.design.terms, sorted(self.settings.items()))).encode())
        for cause in self.causes:
            for name in ARRAYS:
                seal.update(np.ascontiguousarray(getattr(cause, name)))
        for numbers in (self.time, self.ranking, self.design.centre):
            seal.update(np.ascontiguousarray(numbers))
        return seal.hexdigest()


def restore_competing(state: State) -> CompetingModel:
    """The inverse of ``CompetingModel.state``."""
    facts, arrays = state.facts, state.arrays
    numbers = tuple(int(number) for number in facts["numbers"])
    parts = [{name: np.asarray(arrays[f"cause.{number}.{name}"], dtype=float) for name in ARRAYS} for number in numbers]
    return CompetingModel(
        **read_common(facts, arrays),
        causes=tuple(CauseSteps(**part) for part in parts),
        numbers=numbers,
        events=tuple(int(count) for count in facts["events"]),
        time=np.asarray(arrays["time"], dtype=float),
        ranking=np.asarray(arrays["ranking"], dtype=float),
    )
