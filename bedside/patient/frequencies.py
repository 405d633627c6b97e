"""A risk as natural frequencies: so many patients of 100, the same counts wherever they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from bedside.cohort.outcome import Outcome
from bedside.cohort.wording import either, sentence_case
from bedside.patient.states import Basis, StateRisks, state_risks
from bedside.report import say
from bedside.risk.fitted import Fitted
from bedside.risk.training import Target

StateKey = Literal["event", "other", "free"]
ROUNDING = 1e-13
"""A share nearer to none or all is it: smaller than any prediction, larger than what a sum is out by."""


@dataclass(frozen=True)
class State:
    """What may have become of a patient.

    Attributes
    ----------
    key : {"event", "other", "free"}
    label : str
        For a legend or a table, e.g. ``"Death"``.
    phrase : str
        After "would", e.g. ``"die"``, ``"be alive"``.
    """

    key: StateKey
    label: str
    phrase: str


@dataclass(frozen=True)
class FrequencyRow:
    """One state at one time: a row of the table."""

    time: float
    state: State
    count: int
    share: float


@dataclass(frozen=True, eq=False)
class Frequencies:
    """One patient's risk as counts of patients with the same values, at several times.

    Sentence, icons, bar and table are all read from `count`.

    Attributes
    ----------
    of : int
        Out of how many.
    times : array, shape (t,)
        In the outcome's unit.
    states : tuple of State
        The event first, event-free last.
    share : array, shape (t, k)
        Shares by each time; each row adds up to 1.
    count : array of int, shape (t, k)
        Each row adds up to `of`. Over time only the last state's ever falls.
    basis : str
        As `StateRisks.basis`.
    """

    of: int
    times: np.ndarray
    states: tuple[State, ...]
    share: np.ndarray = field(repr=False)
    count: np.ndarray = field(repr=False)
    basis: Basis

    def icons(self, i: int = 0) -> tuple[StateKey, ...]:
        """The state of each icon of the array at the i-th time, `of` of them in the order of `states`."""
        return tuple(state.key for state, k in zip(self.states, self.count[i], strict=True) for _ in range(int(k)))

    def said(self, i: int, state: int, *, decimals: int = 0) -> str:
        """A count in words: ``"31"``; never a false none or all: ``"fewer than 1"``, ``"more than 99"``.

        With decimals the counts are those of so many times more patients, e.g. of 1,000, so that they add up too.
        """
        finer = 10**decimals
        k, share = int(self.count[i, state]), float(self.share[i, state])
        if decimals:
            k = int(self.finer(i, finer)[state])
        if k == 0 and share > ROUNDING:
            return f"fewer than {1 / finer:,.{decimals}f}"
        if k == self.of * finer and share < 1 - ROUNDING:
            return f"more than {self.of - 1 / finer:,.{decimals}f}"
        return f"{k / finer:,.{decimals}f}"

    def finer(self, i: int, times: int) -> np.ndarray:
        """Counts at the i-th time of so many times more patients, shape (k,); they add up to `of` times `times`."""
        share = self.share[i]
        other = share[1] if len(share) > 2 else 0.0
        three = whole_counts(share[0], other, of=self.of * times)
        return three if len(share) > 2 else three[[0, 2]]

    def sentence(self, within: str, i: int = 0, *, decimals: int = 0) -> str:
        """All counts in one sentence.

        Parameters
        ----------
        within : str
            E.g. ``"within 5 years of surgery"``.
        i : int
            Which time.
        """
        told = [f"{self.said(i, k, decimals=decimals)} would {state.phrase}" for k, state in enumerate(self.states)]
        told[0] += f" {within}"
        return f"Of {self.of:,} patients with these values, {', '.join(told[:-1])} and {told[-1]}."

    def rows(self) -> tuple[FrequencyRow, ...]:
        """Every state at every time, for a table."""
        return tuple(
            FrequencyRow(float(t), state, int(self.count[i, k]), float(self.share[i, k]))
            for i, t in enumerate(self.times)
            for k, state in enumerate(self.states)
        )


def whole_counts(event: np.ndarray, other: np.ndarray, *, of: int = 100) -> np.ndarray:
    """Shares of event, other event and neither as whole numbers that add up.

    Event and other event are each rounded to the nearest whole number, halves to the even one, and those who are free
    of both take the rest. So a count depends on nothing but its own share: it can't change when another does, and
    never falls while its share rises. Of three numbers each is then the next whole one above or below its share, as
    with the largest remainder, whose counts of events can fall while risks rise, and can differ from the rounded risk
    in the text.

    Parameters
    ----------
    event, other : arrays of one shape
        Shares from 0 to 1, together at most 1.
    of : int
        What the counts add up to.

    Returns
    -------
    array of int, shape (..., 3)

    References
    ----------
    Balinski & Young (1982), Fair Representation, chapters 5 and 8 (paradoxes of the largest remainder).
    """
    first = np.clip(np.rint(of * np.asarray(event, dtype=float)), 0, of)
    second = np.clip(np.rint(of * np.asarray(other, dtype=float)), 0, of - first)
    return np.stack([first, second, of - first - second], axis=-1).astype(int)


def frequencies(
    model: Fitted,
    patient: pd.DataFrame,
    times: Sequence[float] | np.ndarray,
    *,
    of: int = 100,
    whole: Fitted | None = None,
) -> Frequencies:
    """One patient's risk as natural frequencies.

    Parameters
    ----------
    model : Fitted
    patient : pandas.DataFrame of one row
    times : sequence of float
        In the outcome's unit, from 0 to the longest follow-up.
    of : int, default 100
        10, 100 or 1,000.
    whole : Fitted, optional
        As in `state_risks`.

    Raises
    ------
    Fixable
        If a time is outside the follow-up.

    References
    ----------
    Gigerenzer & Hoffrage (1995), Psychol Rev 102:684-704. Trevena et al. (2013), BMC Med Inform Decis Mak 13(S2):S7.
    """
    return frequencies_of(state_risks(model, patient.iloc[[0]], times, whole=whole), model.outcome, model.target, of=of)


def frequencies_of(risks: StateRisks, outcome: Outcome, target: Target, *, of: int = 100, row: int = 0) -> Frequencies:
    """The frequencies of risks that are there already, e.g. of a conditional risk."""
    states = states_of(outcome, target, risks.basis)
    count = whole_counts(risks.event[row], risks.other[row], of=of)
    share = np.stack([risks.event[row], risks.other[row], risks.free[row]], axis=-1)
    if len(states) == 2:
        count, share = count[:, [0, 2]], share[:, [0, 2]]
    return Frequencies(of, risks.times, states, share, count, risks.basis)


def states_of(outcome: Outcome, target: Target, basis: Basis) -> tuple[State, ...]:
    """The states that a risk tells apart, in words."""
    if basis == "one event" and (target == "any" or not outcome.has_competing):
        return (
            State("event", outcome.label, outcome.event_phrase),
            State("free", sentence_case(outcome.free_phrase), f"be {outcome.free_phrase}"),
        )
    cause = outcome.cause_labels[0]
    own = State("event", cause, f"have {say.in_sentence(cause)} first")
    if basis == "event only":
        without = f"without {say.in_sentence(cause)}"
        return (own, State("free", sentence_case(without), f"be {without}"))
    rest = either([say.in_sentence(label) for label in outcome.competing])
    return (
        own,
        State("other", f"{sentence_case(rest)}, before it", f"have {rest} first"),
        State("free", sentence_case(outcome.free_phrase), f"be {outcome.free_phrase}"),
    )
