"""Shapley values of any model that gives risks, whatever is in it: it is asked about mixed patients."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from bedside.cohort.variable import Variable
from bedside.explain.game import Effort, Points, players_of
from bedside.explain.hazard_shapley import exact, sampled, table
from bedside.explain.pairs import drawn, of_table
from bedside.explain.shapley import EXACT_UP_TO
from bedside.risk.fitted import Fitted

_ROWS = 1 << 17
"""Mixed patients up to which a model of an unknown kind is asked about every coalition."""


@dataclass(frozen=True, eq=False)
class FrameGame:
    """Any model that gives risks: patients are mixed column by column, and the model is asked."""

    model: Fitted
    background: pd.DataFrame = field(repr=False)

    @property
    def players(self) -> tuple[Variable, ...]:
        """Variables that the model reads."""
        return players_of(self.model.design)

    def points(self, patients: pd.DataFrame, times: np.ndarray, *, seed: int, effort: Effort) -> Points:
        """See `Game`."""
        names = tuple(v.name for v in self.players)
        values, errors = np.zeros((2, len(patients), len(names), len(times)))
        sampling = False
        for i in range(len(patients)):
            mixed = _Mixed(self.model, names, pd.concat([self.background, patients.iloc[[i]]]), times)
            if 2 ** len(names) * len(self.background) <= _ROWS:
                values[i] = exact(mixed, np.empty(0), np.transpose, len(times)).T
                continue
            found, error = sampled(
                mixed, np.empty(0), np.transpose, len(times), seed=seed + i, most_pairs=min(effort.pairs, 64), batch=4
            )
            values[i], errors[i], sampling = found.T, error.T, True
        return values, errors if sampling else None

    def pairs(self, patients: pd.DataFrame, t: float, *, seed: int, effort: Effort) -> Points:
        """See `Game`."""
        names, times = tuple(v.name for v in self.players), np.array([t])
        p, values, errors, sampling = len(names), [], [], False
        for i in range(len(patients)):
            mixed = _Mixed(self.model, names, pd.concat([self.background, patients.iloc[[i]]]), times)
            if p <= EXACT_UP_TO and 2**p * len(self.background) <= _ROWS:
                values.append(of_table(table(mixed, np.empty(0), np.transpose, 1))[0])
                errors.append(np.zeros((p, p)))
                continue
            found, error = drawn(mixed.beside, p, len(self.background), seed=seed + i, draws=effort.pairs // 2)
            values.append(found[0])
            errors.append(error[0])
            sampling = True
        return np.array(values), np.array(errors) if sampling else None

    def risk(self, patients: pd.DataFrame, times: np.ndarray) -> np.ndarray:
        """See `Game`."""
        return self.model.risk(patients, times)

    def after(self, since: float) -> None:
        """See `Game`: not known of a model that is only asked."""
        return None

    def base(self, times: np.ndarray) -> np.ndarray:
        """See `Game`."""
        return self.model.risk(self.background, times).mean(axis=0)

    def cells(self, times: np.ndarray) -> float:
        """See `Game`: asking the model takes longer than adding numbers."""
        return 1000.0 * 2.0 ** len(self.players) * len(self.background)


@dataclass(frozen=True, eq=False)
class _Mixed:
    """Risks, in the place of log hazards, of one patient (the last row of `frame`) mixed with the rows before."""

    model: Fitted
    names: tuple[str, ...]
    frame: pd.DataFrame = field(repr=False)
    times: np.ndarray

    @property
    def n_players(self) -> int:
        return len(self.names)

    @property
    def n_background(self) -> int:
        return len(self.frame) - 1

    def coalitions(self, patient: np.ndarray, rows: slice) -> np.ndarray:
        member = (np.arange(1 << self.n_players)[:, None] >> np.arange(self.n_players)) & 1 == 1
        return self._risk(member, rows)

    def orders(self, patient: np.ndarray, orders: np.ndarray, rows: slice) -> np.ndarray:
        joined = np.argsort(orders, axis=1)[:, None, :] < np.arange(self.n_players + 1)[:, None]
        found = self._risk(joined.reshape(-1, self.n_players), rows)
        return found.reshape(len(found), *joined.shape[:2], -1)

    def mixed(self, patient: np.ndarray, member: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """See `LogHazards`; the patient is the frame's last row."""
        return self._lent(member, rows)

    def beside(self, member: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """As `mixed`, shape (t, m)."""
        return self._lent(member, rows).T

    def _risk(self, member: np.ndarray, rows: slice) -> np.ndarray:
        """Risks where the patient lends the values of some variables, shape (rows, n_sets, t)."""
        lender = np.arange(self.n_background)[rows]
        found = self._lent(np.tile(member, (len(lender), 1)), np.repeat(lender, len(member)))
        return found.reshape(len(lender), len(member), -1)

    def _lent(self, member: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Risks of each set of variables beside one background patient, shape (m, t)."""
        mixed = self.frame.iloc[rows].reset_index(drop=True)
        for name, own in zip(self.names, member.T, strict=True):
            if name in mixed:
                mixed[name] = self.frame[name].take(np.where(own, self.n_background, rows)).array
        return self.model.risk(mixed, self.times)
