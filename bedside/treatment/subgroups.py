"""Whether the treatment does the same in everybody: hazard ratios by subgroup, and the tests of interaction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bedside.cohort.cohort import Cohort
from bedside.cohort.groups import Grouping, group_by
from bedside.cohort.outcome import Outcome
from bedside.cohort.variable import Variable
from bedside.errors import Fixable
from bedside.regression.data import cox_data
from bedside.regression.likelihood import partial
from bedside.regression.model import ChiTest, chi_test
from bedside.regression.newton import maximise, redundant_columns
from bedside.survival.columns import columns_of
from bedside.survival.events import Rows
from bedside.treatment.adjusted import randomised
from bedside.treatment.hazards import HazardRatio, hazard_ratios


@dataclass(frozen=True)
class Subgroup:
    """The patients at one level.

    Attributes
    ----------
    label : str
        The level, or the range of a continuous variable.
    n, events : int
        Patients and events, all arms together.
    by_arm : tuple of (int, int)
        The same in each arm.
    ratios : tuple of HazardRatio
        Each further arm against the reference.
    """

    label: str
    n: int
    events: int
    by_arm: tuple[tuple[int, int], ...]
    ratios: tuple[HazardRatio, ...]


@dataclass(frozen=True)
class SubgroupRows:
    """One variable of a subgroup forest.

    Attributes
    ----------
    variable : Variable or None
        None where the codes came without one.
    title : str
    levels : tuple of Subgroup
        In clinical order.
    dropped_missing : int
        Patients of the comparison in whom the variable is missing.
    interaction : ChiTest or None
        Likelihood ratio test of whether the hazard ratio differs between levels; None where it cannot be made.
    """

    variable: Variable | None
    title: str
    levels: tuple[Subgroup, ...]
    dropped_missing: int
    interaction: ChiTest | None


@dataclass(frozen=True)
class SubgroupForest:
    """A treatment effect in everybody and by subgroup.

    Attributes
    ----------
    labels : tuple of str
        Arms.
    reference : int
    overall : Subgroup
    rows : tuple of SubgroupRows
        A variable each.
    randomised : bool or None
        None where the groups are not the cohort's treatment.
    level : float
        Coverage.
    """

    labels: tuple[str, ...]
    reference: int
    overall: Subgroup
    rows: tuple[SubgroupRows, ...]
    randomised: bool | None
    level: float


def subgroups(
    cohort: Cohort,
    outcome: Outcome,
    grouping: Grouping,
    variables: Sequence[str],
    *,
    reference: int = 0,
    level: float = 0.95,
) -> SubgroupForest:
    """Hazard ratios of the groups by subgroup, with interaction tests and no p-value within a subgroup.

    Parameters
    ----------
    cohort : Cohort
    outcome : Outcome
        With competing events, the composite. Delayed entry is heeded.
    grouping : Grouping
        Arms; patients with code -1 are left out.
    variables : sequence of str
        Column names. A continuous variable is cut at the dictionary's clinical cut-points, else into thirds.
    reference : int, default 0
        The arm that others are compared with.
    level : float, default 0.95

    Returns
    -------
    SubgroupForest

    Raises
    ------
    Fixable
        If there are fewer than two arms, or no patient has one.

    Notes
    -----
    A subgroup's own p-value answers no question that is asked: whether the effect differs is the interaction test's,
    and with ten variables one of them is likely to be below 0.1 by chance alone.

    References
    ----------
    Pocock et al (2002), Stat Med 21:2917-2930; Wang et al (2007), NEJM 357:2189-2194.
    R: ``anova(coxph(Surv(time, event) ~ trt + g), coxph(Surv(time, event) ~ trt * g))``.
    """
    chosen = columns_of(cohort, outcome)
    arms = grouping.codes[chosen.kept]
    inside = arms >= 0
    if len(grouping.labels) < 2 or not inside.any():
        raise Fixable(
            "No treatment effect.", "There are no two groups to compare.", "Choose a grouping with two groups."
        )
    rows, arms = chosen.rows.take(inside), arms[inside]
    told = []
    for name in variables:
        by = group_by(cohort, name)
        codes = by.codes[chosen.kept][inside]
        one = subgroup_rows(rows, arms, grouping.labels, codes, by.labels, reference=reference, level=level)
        told.append(SubgroupRows(cohort.variable(name), by.title, one.levels, one.dropped_missing, one.interaction))
    everyone = _subgroup("All patients", rows, arms, grouping.labels, reference, level)
    return SubgroupForest(grouping.labels, reference, everyone, tuple(told), randomised(cohort, grouping), level)


def subgroup_rows(
    rows: Rows,
    arms: np.ndarray,
    arm_labels: tuple[str, ...],
    codes: np.ndarray,
    labels: tuple[str, ...],
    *,
    reference: int = 0,
    level: float = 0.95,
) -> SubgroupRows:
    """One variable's subgroups, on plain arrays of n patients.

    Parameters
    ----------
    rows : Rows
        Checked times and events.
    arms : int array, shape (n,)
        Arm of each, from 0.
    arm_labels : tuple of str
    codes : int array, shape (n,)
        Level of each, from 0; -1 where missing.
    labels : tuple of str
        Levels. One that nobody has is left out.
    """
    levels = []
    for code, label in enumerate(labels):
        here = codes == code
        if here.any():
            levels.append(_subgroup(label, rows.take(here), arms[here], arm_labels, reference, level))
    known = codes >= 0
    test = interaction_test(rows.take(known), arms[known], codes[known]) if known.any() else None
    return SubgroupRows(None, "", tuple(levels), int((~known).sum()), test)


def interaction_test(rows: Rows, arms: np.ndarray, codes: np.ndarray) -> ChiTest | None:
    """Likelihood ratio test of arm x level, given both; None with one arm or one level, or no degree of freedom.

    Where some level's hazard ratio has no finite value the likelihood still has its limit, and the test its meaning.
    """
    if not rows.event.any():
        return None
    arm, by = _marks(arms), _marks(codes)
    both = (arm[:, :, None] * by[:, None, :]).reshape(len(arms), -1)
    if not both.shape[1]:
        return None
    plain = _loglik(rows, np.column_stack((arm, by)))
    crossed = _loglik(rows, np.column_stack((arm, by, both)))
    df = crossed[1] - plain[1]
    return chi_test(max(2 * (crossed[0] - plain[0]), 0.0), df) if df > 0 else None


def _subgroup(
    label: str, rows: Rows, arms: np.ndarray, arm_labels: tuple[str, ...], reference: int, level: float
) -> Subgroup:
    n = np.bincount(arms, minlength=len(arm_labels)).tolist()
    events = np.bincount(arms[rows.event], minlength=len(arm_labels)).tolist()
    ratios = hazard_ratios(rows, arms, arm_labels, reference=reference, level=level)
    return Subgroup(label, len(arms), int(rows.event.sum()), tuple(zip(n, events, strict=True)), ratios)


def _marks(codes: np.ndarray) -> np.ndarray:
    """A column for each value but the first that occurs."""
    present = np.unique(codes)
    return (codes[:, None] == present[1:]).astype(float)


def _loglik(rows: Rows, x: np.ndarray) -> tuple[float, int]:
    """The highest log partial likelihood (Efron's ties), and how many coefficients it has."""
    data = cox_data(x, rows.time, rows.event, entry=rows.entry)
    likelihood = partial(data, x - x.mean(axis=0), "efron")
    gone = redundant_columns(likelihood.derivatives(np.zeros(x.shape[1]))[2])
    kept = [j for j in range(x.shape[1]) if j not in gone]
    if not kept:
        return likelihood.derivatives(np.zeros(x.shape[1]))[0], 0
    z = x[:, kept]
    best = maximise(partial(data, z - z.mean(axis=0), "efron"))
    return best.value if math.isfinite(best.value) else best.value_null, len(kept)
