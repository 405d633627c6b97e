"""The average of models: their risks are averaged, patient by patient and time by time."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from bedside.cohort.outcome import Outcome
from bedside.risk.design import Design
from bedside.risk.fitted import Fitted, Limits, Progress, State
from bedside.risk.learners import KINDS, LEARNERS, restore
from bedside.risk.training import Target, Training

MEMBERS = ("cox", "forest")
RANKING_TIMES = 15
"""Times at which risks are averaged to rank patients."""


@dataclass(frozen=True, eq=False)
class Average:
    """Models of one outcome from the same rows, whose mean risk is the risk.

    Attributes
    ----------
    members : tuple of Fitted
    ranking : array, shape (t,)
        Times at which the mean risk is averaged again into `score`: quantiles of the event times in training.
    """

    members: tuple[Fitted, ...]
    ranking: np.ndarray
    kind: str = "average"
    label: str = KINDS["average"]

    @property
    def outcome(self) -> Outcome:
        """What it predicts."""
        return self.members[0].outcome

    @property
    def target(self) -> Target:
        """Any event, or the event itself."""
        return self.members[0].target

    @property
    def cohort_key(self) -> str:
        """What it learnt from."""
        return self.members[0].cohort_key

    @property
    def cohort_fingerprint(self) -> str:
        """What it learnt from, to the last value."""
        return self.members[0].cohort_fingerprint

    @property
    def n(self) -> int:
        """Patients."""
        return self.members[0].n

    @property
    def n_events(self) -> int:
        """Events of the kind that is predicted."""
        return self.members[0].n_events

    @property
    def design(self) -> Design:
        """How its first member reads patients."""
        return self.members[0].design

    @property
    def last(self) -> float:
        """Longest follow-up in training."""
        return min(member.last for member in self.members)

    @property
    def settings(self) -> dict[str, float | int | str]:
        """Those of the members, each name with the member's kind before it."""
        return {f"{m.kind}.{name}": value for m in self.members for name, value in m.settings.items()}

    @property
    def cautions(self) -> tuple[str, ...]:
        """Those of all members, each once."""
        return tuple(dict.fromkeys(caution for member in self.members for caution in member.cautions))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of everything that a prediction depends on."""
        seal = hashlib.sha256(" ".join(member.fingerprint for member in self.members).encode())
        seal.update(np.ascontiguousarray(self.ranking))
        return seal.hexdigest()

    def risk(self, patients: pd.DataFrame, times: Sequence[float] | np.ndarray) -> np.ndarray:
        """Mean of the members' risks, shape (n, t)."""
        return self.mean([member.risk(patients, times) for member in self.members])

    def mean(self, risks: Sequence[np.ndarray]) -> np.ndarray:
        """Mean of the members' risks, which are given in their order."""
        total = risks[0]
        for risk in risks[1:]:
            total = total + risk
        return total / len(risks)

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
        """None: how much an average varies takes refits (`with_variability`)."""
        return None

    def state(self) -> State:
        """The members' states, one inside the other."""
        states = [member.state() for member in self.members]
        arrays = {f"{i}.{name}": array for i, s in enumerate(states) for name, array in s.arrays.items()}
        facts = {"members": [{"kind": s.kind, "facts": dict(s.facts)} for s in states]}
        return State(self.kind, facts, {**arrays, "ranking": self.ranking})


def fit_average(
    rows: Training,
    *,
    settings: Mapping[str, float | int | str] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Average:
    """Learn the members one after the other and average them.

    Parameters
    ----------
    rows, seed, progress
        As in `learn`.
    settings : mapping, optional
        Names begin with the member: ``{"cox.knots": 0, "forest.leaf": 30}``. A member without any chooses its own.
    """
    members = []
    for i, kind in enumerate(MEMBERS):
        own = {k.removeprefix(f"{kind}."): v for k, v in (settings or {}).items() if k.startswith(f"{kind}.")}
        told = None if progress is None else _part(progress, i, len(MEMBERS))
        members.append(LEARNERS[kind](rows, settings=own or None, seed=seed, progress=told))
    return average_of(members, rows)


def average_of(members: Sequence[Fitted], rows: Training) -> Average:
    """The average of models that are there already, from the rows that all of them learnt from."""
    last = min(member.last for member in members)
    shares = (np.arange(RANKING_TIMES) + 0.5) / RANKING_TIMES
    times = np.unique(np.minimum(np.quantile(rows.time[rows.event], shares), last))
    return Average(tuple(members), times)


def restore_average(state: State) -> Average:
    """The inverse of ``Average.state``."""
    members = []
    for i, told in enumerate(state.facts["members"]):
        start = f"{i}."
        arrays = {k.removeprefix(start): v for k, v in state.arrays.items() if k.startswith(start)}
        members.append(restore(State(told["kind"], told["facts"], arrays)))
    return Average(tuple(members), np.asarray(state.arrays["ranking"], dtype=float))


def _part(progress: Progress, i: int, of: int) -> Progress:
    """A member's progress as a part of the whole."""

    def told(share: float, sentence: str) -> None:
        progress((i + share) / of, sentence)

    return told
