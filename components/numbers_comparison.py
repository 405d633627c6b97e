"""The numbers of the comparison page, each computed once per session under the choices it was computed with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bedside import treatment
from bedside.cohort import Cohort, Outcome
from bedside.cohort.groups import Grouping
from bedside.cohort.table_by import TableBy, table_by
from bedside.errors import Fixable
from bedside.survival.columns import columns_of
from bedside.treatment.adjusted import complete_cases
from components import desk

FEWEST = 10
"""Effective patients below which a weighted share hangs on a few."""


@dataclass(frozen=True)
class Plan:
    """How groups are made alike: part of every key.

    Attributes
    ----------
    covariates : tuple of str
        Columns to adjust for.
    estimand, target, truncate
        As in `treatment.weights_of`.
    reference : int
        Group that the others are compared with.
    level : float
    resamples : int
        Bootstrap samples behind the intervals; 0 for those that need none.
    """

    covariates: tuple[str, ...]
    estimand: treatment.Estimand = "ate_stabilised"
    target: int | None = None
    truncate: float | None = None
    reference: int = 0
    level: float = 0.95
    resamples: int = 0

    @property
    def names(self) -> str:
        """The covariates as one word of a key."""
        return "\x1f".join(self.covariates)

    @property
    def key(self) -> tuple[str | float | int | None, ...]:
        """All of it, for a cache."""
        weights = (self.estimand, -1 if self.target is None else self.target, self.truncate)
        return (self.names, *weights, self.reference, self.level, self.resamples)


def two_of(groups: Grouping, first: int, second: int) -> Grouping:
    """Two of the groups, in their own order; all other patients are in none."""
    kept = sorted((first, second))
    codes = np.full(len(groups.codes), -1, dtype=np.int64)
    for place, code in enumerate(kept):
        codes[groups.codes == code] = place
    return replace(groups, labels=tuple(groups.labels[code] for code in kept), codes=codes)


def scores(of: Cohort, end: Outcome, groups: Grouping, plan: Plan) -> treatment.Propensity:
    """How likely each patient was to be in their group."""

    def make() -> treatment.Propensity:
        found, _, codes, _ = complete_cases(of, end, groups, plan.covariates)
        return treatment.propensity(found, codes, groups.labels)

    return desk.kept(("propensity", of.fingerprint, end.key, desk.seal(groups), plan.names), make)


def sure_until(of: Cohort, end: Outcome, groups: Grouping, plan: Plan, times: Sequence[float]) -> float | None:
    """The last of some times (ascending, the outcome's unit) up to which `FEWEST` effective patients of each group are
    under observation; None if there is none, or no weights can be found.

    Of the patients still under observation, (sum of weights)² / sum of squared weights. The number can rise again
    once a patient of a large weight has had the event, but that event is in the curve from then on.
    """

    def make() -> float | None:
        try:
            _, rows, codes, _ = complete_cases(of, end, groups, plan.covariates)
            found = scores(of, end, groups, plan)
            weight = treatment.weights_of(found, plan.estimand, target=plan.target, truncate=plan.truncate).value
        except Fixable:
            return None
        last = None
        for t in times:
            inside = rows.time >= t
            if rows.entry is not None:
                inside &= rows.entry < t
            total = np.bincount(codes[inside], weight[inside], len(groups.labels))
            squares = np.bincount(codes[inside], weight[inside] ** 2, len(groups.labels))
            if (total**2 < FEWEST * squares).any() or (squares == 0).any():
                return last
            last = float(t)
        return last

    return desk.kept(("sure", of.fingerprint, end.key, desk.seal(groups), *plan.key, repr(tuple(times))), make)


def adjusted(of: Cohort, end: Outcome, groups: Grouping, plan: Plan) -> treatment.Adjusted:
    """The groups with and without weights."""

    def make() -> treatment.Adjusted:
        with desk.progress(_resampling("Weighting the groups", plan)):
            return treatment.adjusted(
                of, end, groups, plan.covariates, plan.estimand, target=plan.target, truncate=plan.truncate,
                reference=plan.reference, level=plan.level, resamples=plan.resamples,
                scores=scores(of, end, groups, plan),
            )  # fmt: skip

    return desk.kept(("adjusted", of.fingerprint, end.key, desk.seal(groups), *plan.key), make)


def standardised(
    of: Cohort, end: Outcome, groups: Grouping, plan: Plan, times: tuple[float, ...]
) -> treatment.Standardised:
    """Survival with everybody in one group and then in another; `times` in the outcome's unit."""

    def make() -> treatment.Standardised:
        with desk.progress(_resampling("Standardising", plan)):
            return treatment.standardised(
                of, end, groups, plan.covariates, times=times, reference=plan.reference, level=plan.level,
                resamples=plan.resamples,
            )  # fmt: skip

    key = (plan.names, plan.reference, plan.level, plan.resamples, repr(times))
    return desk.kept(("standardised", of.fingerprint, end.key, desk.seal(groups), *key), make)


def _resampling(text: str, plan: Plan) -> str:
    return f"{text}: {plan.resamples} bootstrap samples" if plan.resamples else text


def one_sided(of: Cohort, groups: Grouping, covariates: Sequence[str]) -> tuple[str, ...]:
    """Covariates with a level that some group has no patient of, among those in whom all covariates are known."""
    used = groups.codes >= 0
    for name in covariates:
        used &= of.frame[name].notna().to_numpy()
    found = []
    for variable in (of.variable(name) for name in covariates):
        if variable.is_numeric or not used.any():
            continue
        levels = of.frame[variable.name].cat.codes.to_numpy()[used]
        counts = np.zeros((int(levels.max()) + 1, len(groups.labels)), dtype=int)
        np.add.at(counts, (levels, groups.codes[used]), 1)
        if ((counts == 0).any(axis=1) & (counts.sum(axis=1) > 0)).any():
            found.append(variable.name)
    return tuple(found)


def complete(of: Cohort, end: Outcome, groups: Grouping, plan: Plan) -> Grouping:
    """The same groups with the complete cases alone, as both ways of adjusting count them."""
    found, _, codes, _ = complete_cases(of, end, groups, plan.covariates)
    kept = np.full(len(groups.codes), -1, dtype=np.int64)
    kept[found.rows] = codes
    return replace(groups, codes=kept)


def raw_ratios(of: Cohort, end: Outcome, groups: Grouping, plan: Plan) -> tuple[treatment.HazardRatio, ...]:
    """Hazard ratios of the patients in the groups, not adjusted."""

    def make() -> tuple[treatment.HazardRatio, ...]:
        chosen = columns_of(of, end)
        codes = groups.codes[chosen.kept]
        rows = chosen.rows.take(codes >= 0)
        return treatment.hazard_ratios(
            rows, codes[codes >= 0], groups.labels, reference=plan.reference, level=plan.level
        )

    return desk.kept(("ratios", of.fingerprint, end.key, desk.seal(groups), plan.reference, plan.level), make)


def table(of: Cohort, groups: Grouping) -> TableBy:
    """Table 1 by group."""
    return desk.kept(("table by", of.fingerprint, desk.seal(groups)), lambda: table_by(of, groups))


def forest(
    of: Cohort, end: Outcome, groups: Grouping, variables: Sequence[str], *, reference: int, level: float
) -> treatment.SubgroupForest:
    """Hazard ratios by subgroup."""

    def make() -> treatment.SubgroupForest:
        with desk.progress("Comparing within subgroups"):
            return treatment.subgroups(of, end, groups, variables, reference=reference, level=level)

    key = ("subgroups", of.fingerprint, end.key, desk.seal(groups), "\x1f".join(variables), reference, level)
    return desk.kept(key, make)


def filters() -> tuple[str, ...]:
    """The filter in force, in words; empty for all patients."""
    chosen = desk.selection()
    return () if chosen.is_everyone else tuple(chosen.say(desk.whole()))
