"""Weights that make groups comparable, and whether they can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from bedside.errors import Fixable
from bedside.treatment.propensity import Propensity

Estimand = Literal["ate", "ate_stabilised", "att", "overlap"]
"""Whom the groups are made to look like: everybody (plain or stabilised), the treated, or those who could be either."""
UNLIKELY = 0.05
"""A patient with a lower chance of the group they were in carries at least twenty others."""
TAIL = 0.01
LARGE = 10.0
"""A weight of ten times its group's mean, and one patient speaks for ten."""


@dataclass(frozen=True)
class GroupWeights:
    """The weights of one group.

    Attributes
    ----------
    label : str
    n : int
    total, mean, largest : float
        Of the weights.
    quantiles : tuple of float
        1st, 5th, 25th, 50th, 75th, 95th and 99th percentiles (R's type 7).
    effective : float
        Effective sample size, (sum of weights)² / sum of squared weights.
    unlikely : int
        Patients whose chance of their own group was below 5%.
    outside : int
        Patients whose chance of some group lies outside the range of those who were in it.
    """

    label: str
    n: int
    total: float
    mean: float
    largest: float
    quantiles: tuple[float, ...]
    effective: float
    unlikely: int
    outside: int


@dataclass(frozen=True, eq=False)
class Weights:
    """Weights of n patients.

    Attributes
    ----------
    value : array, shape (n,)
        Above 0.
    estimand : {"ate", "ate_stabilised", "att", "overlap"}
    target : int or None
        The group that others are made to look like; only of "att".
    truncated : float or None
        Weights below this quantile and above 1 less it were set to those quantiles.
    n_truncated : int
    groups : tuple of GroupWeights
    """

    value: np.ndarray
    estimand: Estimand
    target: int | None
    truncated: float | None
    n_truncated: int
    groups: tuple[GroupWeights, ...]

    @property
    def poor_overlap(self) -> bool:
        """True if some patients speak for very many, so that the result hangs on them.

        A chance of the own group below 5% in more than one patient of a hundred, or a weight of more than ten times
        its group's mean. Overlap weights are bounded, and never warned of.
        """
        if self.estimand == "overlap":
            return False
        n = sum(group.n for group in self.groups)
        unlikely = sum(group.unlikely for group in self.groups)
        return unlikely > TAIL * n or any(group.largest > LARGE * group.mean for group in self.groups)


def weights_of(
    scores: Propensity,
    estimand: Estimand = "ate_stabilised",
    *,
    target: int | None = None,
    truncate: float | None = None,
) -> Weights:
    """Weights for an estimand.

    Parameters
    ----------
    scores : Propensity
        With chance e_j of group j, own group a.
    estimand : {"ate", "ate_stabilised", "att", "overlap"}
        1/e_a; (share of group a)/e_a; e_target/e_a; or (1/e_a) / sum of 1/e_j. With two groups the last is the chance
        of the group that the patient was *not* in.
    target : int, optional
        Group that the others are made to look like, of "att"; the last group (the treated) without it.
    truncate : float, optional
        E.g. 0.01: weights beyond the 1st and 99th percentile are set to those. Less noise, some bias.

    Returns
    -------
    Weights

    Raises
    ------
    Fixable
        If the estimand or the share to truncate is none of these.

    References
    ----------
    Robins, Hernán & Brumback (2000), Epidemiology 11:550-560; Li, Morgan & Zaslavsky (2018), JASA 113:390-400; Li & Li
    (2019), Ann Appl Stat 13:2389-2415 (more than two groups); Cole & Hernán (2008), Am J Epidemiol 168:656-664
    (truncation).
    """
    if estimand not in get_args(Estimand):
        known = ", ".join(get_args(Estimand))
        raise Fixable("No weights.", "It is not known for whom they are to be.", f"Choose one of: {known}.")
    if truncate is not None and not 0 < truncate < 0.5:
        raise Fixable("No weights.", "The share to truncate must lie between 0 and 0.5.", "Choose 0.01, say.")
    k = len(scores.labels)
    aim = (k - 1 if target is None else target) if estimand == "att" else None
    value = _value(scores, estimand, aim)
    changed = 0
    if truncate is not None:
        low, high = np.quantile(value, [truncate, 1 - truncate])
        changed = int(((value < low) | (value > high)).sum())
        value = np.clip(value, low, high)
    groups = tuple(_group(scores, value, code) for code in range(k))
    return Weights(value, estimand, aim, truncate, changed, groups)


def _value(scores: Propensity, estimand: Estimand, target: int | None) -> np.ndarray:
    own = scores.own
    if estimand == "ate_stabilised":
        share = np.bincount(scores.codes, minlength=len(scores.labels)) / len(own)
        return share[scores.codes] / own
    if estimand == "att":
        return scores.probability[:, target] / own
    if estimand == "overlap":
        return (1 / own) / (1 / scores.probability).sum(axis=1)
    return 1 / own


def _group(scores: Propensity, value: np.ndarray, code: int) -> GroupWeights:
    inside = scores.codes == code
    w, chance = value[inside], scores.own[inside]
    points = np.quantile(w, [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99])
    return GroupWeights(
        label=scores.labels[code],
        n=int(inside.sum()),
        total=float(w.sum()),
        mean=float(w.mean()),
        largest=float(w.max()),
        quantiles=tuple(points.tolist()),
        effective=effective_size(w),
        unlikely=int((chance < UNLIKELY).sum()),
        outside=int(_outside(scores)[inside].sum()),
    )


def effective_size(weights: np.ndarray) -> float:
    """How many patients without weights would know as much: (sum w)² / sum w²."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def _outside(scores: Propensity) -> np.ndarray:
    """True where some group has nobody as unlikely, or as likely, to be in it."""
    found = np.zeros(len(scores.codes), dtype=bool)
    for code in range(len(scores.labels)):
        chance = scores.probability[:, code]
        inside = chance[scores.codes == code]
        found |= (chance < inside.min()) | (chance > inside.max())
    return found


def histogram(
    scores: Propensity, *, group: int | None = None, bars: int = 20
) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """Patients by their chance of one group, for each group they were in.

    Parameters
    ----------
    scores : Propensity
    group : int, optional
        The group whose chance is counted; the last one without it.
    bars : int, default 20

    Returns
    -------
    edges : array, shape (bars + 1,)
        From 0 to 1.
    counts : tuple of int arrays, shape (bars,)
    """
    edges = np.linspace(0, 1, bars + 1)
    chance = scores.probability[:, len(scores.labels) - 1 if group is None else group]
    counts: Sequence[np.ndarray] = [
        np.histogram(chance[scores.codes == code], bins=edges)[0] for code in range(len(scores.labels))
    ]
    return edges, tuple(counts)
