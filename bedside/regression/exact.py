"""The exact partial likelihood for tied events: all ways in which so many of those at risk could have had them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.special import gammaln

from bedside.errors import Fixable
from bedside.regression.data import CoxData
from bedside.regression.risksets import RiskSets, risk_sets, same_times

MOST_WAYS = 600.0
"""Logarithm of the number of ways above which sums overflow."""


@dataclass(frozen=True, eq=False)
class ExactPartial:
    """Sorted rows; see `derivatives`.

    Attributes
    ----------
    sets : RiskSets
    x : array, shape (n, p)
        Columns in sorted order.
    offset : array, shape (n,)
        Likewise.
    """

    sets: RiskSets
    x: np.ndarray
    offset: np.ndarray

    def derivatives(self, beta: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Log likelihood, gradient (p,) and observed information (p, p).

        Sums over all subsets of d of those at risk grow row by row: a new row is either left out of a subset or
        joins one that was smaller by one.

        References
        ----------
        Gail, Lubin & Rubinstein (1981), Biometrika 68:703-707. R: ``coxph(..., ties = "exact")``.
        """
        linear = self.x @ beta + self.offset
        value, gradient = float(linear[self.sets.deaths].sum()), self.x[self.sets.deaths].sum(axis=0)
        information = np.zeros((len(beta), len(beta)))
        for begin, end in pairwise([*self.sets.strata_begin, len(linear)]):
            groups = np.flatnonzero((self.sets.last >= begin) & (self.sets.last < end))
            if len(groups):
                more = self._stratum(linear, int(begin), groups)
                value, gradient, information = value - more[0], gradient - more[1], information + more[2]
        return value, gradient, (information + information.T) / 2

    def _stratum(self, linear: np.ndarray, begin: int, groups: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        last, size = self.sets.last[groups], self.sets.size[groups]
        shift = float(linear[begin : last[-1] + 1].max())
        risk = np.exp(linear - shift)
        p, most = self.x.shape[1], int(size.max())
        ways, first, second = np.zeros(most + 1), np.zeros((most + 1, p)), np.zeros((most + 1, p, p))
        ways[0] = 1.0
        value, mean, spread = 0.0, np.zeros(p), np.zeros((p, p))
        for since, until, d in zip([begin, *(last[:-1] + 1)], last, size, strict=True):
            for row in range(since, until + 1):
                _join(ways, first, second, risk[row], self.x[row])
            centre = first[d] / ways[d]
            value += float(np.log(ways[d])) + float(d) * shift
            mean += centre
            spread += second[d] / ways[d] - np.outer(centre, centre)
        return value, mean, spread


def _join(ways: np.ndarray, first: np.ndarray, second: np.ndarray, risk: float, x: np.ndarray) -> None:
    """One more row that a subset may hold; sums of products of risks and their two derivatives, by size."""
    moved = ways[:-1, None] * x
    crossed = (first[:-1, :, None] + moved[:, :, None] / 2) * x
    second[1:] += risk * (second[:-1] + crossed + crossed.transpose(0, 2, 1))
    first[1:] += risk * (first[:-1] + moved)
    ways[1:] += risk * ways[:-1]


def exact_partial(data: CoxData, x: np.ndarray) -> ExactPartial:
    """The exact partial likelihood of some rows.

    Raises
    ------
    Fixable
        With case weights or entries, or so many ties that the ways can't be counted.
    """
    if data.weights is not None or data.entry is not None:
        raise Fixable(
            "No exact treatment of ties here.",
            "It is not defined for case weights, and not available with delayed entry or values that change with time.",
            "Use Efron's treatment of ties.",
        )
    time, _ = same_times(data.time, None)
    sets = risk_sets(time, data.event, strata=data.strata)
    held = sets.last - sets.first + 1
    ways = gammaln(held + 1) - gammaln(sets.size + 1) - gammaln(held - sets.size + 1)
    if ways.max(initial=0.0) > MOST_WAYS:
        raise Fixable(
            "Too many ties for their exact treatment.",
            f"{int(sets.size.max())} events at one time can fall on those at risk in too many ways to count.",
            "Use Efron's treatment of ties, which is very close.",
        )
    offset = np.zeros(len(data)) if data.offset is None else (data.offset - data.offset.mean())[sets.order]
    return ExactPartial(sets, np.ascontiguousarray(x[sets.order]), offset)
