"""A model whose risks were fitted anew to other patients, as one model among others."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from bedside.errors import Fixable
from bedside.risk.around import Around
from bedside.risk.fitted import Fitted, Limits, State
from bedside.risk.learners import RECALIBRATED, restore
from bedside.survival.curve import SLACK
from bedside.validation.calibration import Estimate, cloglog
from bedside.validation.measure import Rows

How = Literal["baseline", "slope"]
"""``"baseline"``: the risks' order and distances stay, their level is learnt anew. ``"slope"``: their distances too."""
ENOUGH_EVENTS = 100
"""Fewer are few for an update."""


@dataclass(frozen=True, eq=False)
class Recalibrated(Around):
    """A model whose risks are those of other patients.

    With lp(x) = log(-log(1 - risk of x by `anchor`)) - `centre`, the risk by t is 1 - exp(-H(t) exp(slope lp(x))),
    where H is `hazard`. With competing events it is 1 - exp(-exp(shift + slope log(-log(1 - risk by t)))).

    Attributes
    ----------
    model : Fitted
        As it was.
    how : {"baseline", "slope"}
    slope : Estimate
        1 without an error where only the baseline was updated.
    shift : float
        With competing events.
    anchor : float
        In the unit of the model's outcome, as `time`.
    centre : float
    time, hazard : arrays
        Steps of H; empty with competing events.
    reach : float
        Longest follow-up of the patients it was updated on.
    updated : mapping
        ``title``, ``fingerprint``, ``n`` and ``n_events`` of these patients.
    """

    model: Fitted
    how: How
    slope: Estimate
    shift: float
    anchor: float
    centre: float
    time: np.ndarray = field(repr=False)
    hazard: np.ndarray = field(repr=False)
    reach: float
    updated: Map[str, Any]
    kind: str = RECALIBRATED

    @property
    def label(self) -> str:
        """The model's, and that it was recalibrated."""
        return f"{self.model.label}, recalibrated"

    @property
    def last(self) -> float:
        """The shorter of both follow-ups."""
        return min(self.model.last, self.reach)

    @property
    def settings(self) -> dict[str, float | int | str]:
        """The model's, and how it was updated."""
        return {**self.model.settings, "recalibrated": self.how, "calibration slope": self.slope.value}

    @property
    def cautions(self) -> tuple[str, ...]:
        """The model's, and what the update rests on."""
        n, events = int(self.updated["n"]), int(self.updated["n_events"])
        what = "Its baseline was" if self.how == "baseline" else "Its baseline and calibration slope were"
        told = f"{what} updated on {n:,} patients with {events:,} events ({self.updated['title']})."
        few = (
            (f"An update on fewer than {ENOUGH_EVENTS} events may follow chance; test it on further patients.",)
            if events < ENOUGH_EVENTS
            else ()
        )
        return (*self.model.cautions, told, *few)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the model's and of the update."""
        seal = hashlib.sha256(self.model.fingerprint.encode())
        seal.update(json.dumps([self.how, self.slope.value, self.shift, self.anchor, self.centre, self.reach]).encode())
        for array in (self.time, self.hazard):
            seal.update(np.ascontiguousarray(array))
        return seal.hexdigest()

    def risk(self, patients: pd.DataFrame, times: Sequence[float] | np.ndarray) -> np.ndarray:
        """Risk by each time, shape (n, t).

        Raises
        ------
        Fixable
            Beyond `last`.
        """
        at = np.atleast_1d(np.asarray(times, dtype=float))
        if len(at) and not (at.min() >= 0 and at.max() <= self.last * (1 + SLACK)):
            raise Fixable(
                "No risk at that time.",
                f"Follow-up ended at {self.last:.6g} {self.outcome.unit}.",
                "Choose a time above 0 and within it.",
            )
        anchor = self.model.risk(patients, [self.anchor])[:, 0]
        if len(self.time):
            return self.adjusted(anchor, np.zeros(0), at)
        return self.adjusted(anchor, self.model.risk(patients, np.minimum(at, self.model.last)), at)

    def adjusted(self, anchor: np.ndarray, before: np.ndarray, at: np.ndarray) -> np.ndarray:
        """Updated risks, shape (n, t), from the model's own.

        Parameters
        ----------
        anchor : array, shape (n,)
            The model's risk by `anchor`.
        before : array, shape (n, t)
            By each time; asked for with competing events alone.
        at : array, shape (t,)
        """
        if not len(self.time):
            after = -np.expm1(-np.exp(np.minimum(self.shift + self.slope.value * cloglog(before), 700.0)))
            return np.where(before > 0, after, 0.0)
        level = np.concatenate(([0.0], self.hazard))
        reached = level[np.searchsorted(self.time, at * (1 + SLACK), side="right")]
        lp = cloglog(anchor) - self.centre
        return -np.expm1(-np.exp(np.minimum(self.slope.value * lp, 700.0))[:, None] * reached)

    def limits(
        self, patients: pd.DataFrame, times: Sequence[float] | np.ndarray, *, level: float = 0.95
    ) -> Limits | None:
        """None: what the update adds to the model's own variability was not worked out."""
        return None

    def state(self) -> State:
        """The model's state inside that of the update."""
        inner = self.model.state()
        facts = {
            "model": {"kind": inner.kind, "facts": dict(inner.facts)}, "how": self.how,
            "slope": [self.slope.value, self.slope.std_err, self.slope.lower, self.slope.upper],
            "shift": self.shift, "anchor": self.anchor, "centre": self.centre, "reach": self.reach,
            "updated": dict(self.updated),
        }  # fmt: skip
        arrays = {f"model.{name}": array for name, array in inner.arrays.items()}
        return State(self.kind, facts, {**arrays, "time": self.time, "hazard": self.hazard})


def restore_recalibrated(state: State) -> Recalibrated:
    """The inverse of ``Recalibrated.state``."""
    told, start = state.facts, "model."
    inner = {k.removeprefix(start): v for k, v in state.arrays.items() if k.startswith(start)}
    return Recalibrated(
        model=restore(State(told["model"]["kind"], told["model"]["facts"], inner)),
        how=told["how"], slope=Estimate(*(float(x) for x in told["slope"])), shift=float(told["shift"]),
        anchor=float(told["anchor"]), centre=float(told["centre"]), reach=float(told["reach"]),
        time=np.asarray(state.arrays["time"], dtype=float), hazard=np.asarray(state.arrays["hazard"], dtype=float),
        updated=dict(told["updated"]),
    )  # fmt: skip


def baseline_hazard(rows: Rows, offset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cumulative hazard of a patient with offset 0, with Efron's share for ties: event times and steps.

    Parameters
    ----------
    rows : Rows
    offset : array, shape (n,)
        Linear predictor with a coefficient of 1.

    References
    ----------
    Efron (1977), JASA 72:557-565. R: ``survfit(coxph(Surv(time, event) ~ offset(lp)))``.
    """
    weight, event = np.exp(offset), rows.cause == 1
    order = np.argsort(rows.time, kind="stable")
    after = np.concatenate((np.cumsum(weight[order][::-1])[::-1], [0.0]))
    when, place = np.unique(rows.time[event], return_inverse=True)
    at_risk = after[np.searchsorted(rows.time[order], when, side="left")]
    if rows.entry is not None:
        came = np.argsort(rows.entry, kind="stable")
        later = np.concatenate((np.cumsum(weight[came][::-1])[::-1], [0.0]))
        at_risk = at_risk - later[np.searchsorted(rows.entry[came], when, side="left")]
    count = np.bincount(place)
    tied = np.bincount(place, weights=weight[event])
    # Each of d events at one time finds the weights of all at risk less what the earlier ones of them take away.
    sort = np.argsort(place, kind="stable")
    rank = np.empty(len(place))
    rank[sort] = np.arange(len(place)) - (np.cumsum(count) - count)[place[sort]]
    step = 1 / (at_risk[place] - rank / count[place] * tied[place])
    return when, np.cumsum(np.bincount(place, weights=step))
