"""Whom does a model fail? Its performance in each group of patients, and what a decision by it would do to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from bedside.cohort import Cohort, Grouping, group_by
from bedside.errors import Fixable
from bedside.tails import chi2_tail
from bedside.validation.accuracy import brier, null_risk, prediction_accuracy
from bedside.validation.audit_threshold import RATES, AtThreshold, at_threshold, difference, observed_with_error
from bedside.validation.audit_words import Finding, findings, of_multiplicity
from bedside.validation.calibration import UNKNOWN, Estimate, estimate, overall_calibration
from bedside.validation.calibration_curve import smooth_calibration
from bedside.validation.discrimination import concordance
from bedside.validation.measure import Rows, rows_of
from bedside.validation.observed import ObservedRisk
from bedside.validation.resample import Resampled
from bedside.validation.weak import weak_calibration

FEWEST, FEWEST_EVENTS = 100, 20
"""Below either a group is greyed: its numbers are shown, and no finding rests on them."""
NOT_RECORDED = "Not recorded"


@dataclass(frozen=True)
class AuditGroup:
    """One model in one group of patients.

    Attributes
    ----------
    label : str
    n, n_events : int
        Patients, and events of the kind that is predicted, by the time of the risks.
    greyed : bool
        Fewer than 100 patients or 20 events.
    predicted : float
        Mean predicted risk.
    observed : ObservedRisk
        Kaplan-Meier, or Aalen-Johansen with competing events.
    ratio : Estimate
        Observed over expected; its standard error is that of its logarithm.
    c, brier, ipa : Estimate
        Harrell's C, Brier score, and index of prediction accuracy against the group's own curve.
    ici : float
    intercept, slope : Estimate
        Calibration intercept and slope at the time, from the group's pseudo-values.
    decision : AtThreshold or None
    to_reference : dict of str to Estimate
        Each rate of the decision less that of the reference group; empty for the reference itself.
    """

    label: str
    n: int
    n_events: int
    greyed: bool
    predicted: float
    observed: ObservedRisk
    ratio: Estimate
    c: Estimate
    brier: Estimate
    ipa: Estimate
    ici: float
    intercept: Estimate
    slope: Estimate
    decision: AtThreshold | None
    to_reference: dict[str, Estimate]


@dataclass(frozen=True)
class Heterogeneity:
    """Whether groups that are not greyed differ in a measure.

    Attributes
    ----------
    key, name : str
    statistic, df, p : float
        Cochran's Q, its degrees of freedom and p; NaN with fewer than two groups.
    groups : int
    """

    key: str
    name: str
    statistic: float
    df: int
    p: float
    groups: int


@dataclass(frozen=True, eq=False)
class Audit:
    """One model in the groups of one variable.

    Attributes
    ----------
    variable, title : str
        Column name, and what the patients are grouped by.
    sensitive : bool
    t, level : float
    threshold : float or None
    reference : str
        Label of the group that decisions in the others are compared with.
    groups : tuple of AuditGroup
    tests : tuple of Heterogeneity
        Of O/E (on the log scale), calibration intercept, calibration slope and C.
    findings : tuple of Finding
    """

    variable: str
    title: str
    sensitive: bool
    t: float
    level: float
    threshold: float | None
    reference: str
    groups: tuple[AuditGroup, ...]
    tests: tuple[Heterogeneity, ...]
    findings: tuple[Finding, ...] = field(default=())


@dataclass(frozen=True, eq=False)
class Audits:
    """Several variables, and what so many comparisons at once mean.

    Attributes
    ----------
    audits : tuple of Audit
        Sensitive attributes first.
    comparisons : int
    caution : str
        How many findings chance alone would bring, and how many hold after Holm's correction.
    """

    audits: tuple[Audit, ...]
    comparisons: int
    caution: str


def audit(
    rows: Rows,
    risk: np.ndarray,
    grouping: Grouping,
    t: float,
    *,
    score: np.ndarray | None = None,
    threshold: float | None = None,
    reference: str | None = None,
    level: float = 0.95,
    variable: str = "",
    sensitive: bool = False,
    unit: str = "days",
    when: str = "",
) -> Audit:
    """One model in the groups of one variable, on patients it has not seen.

    Parameters
    ----------
    rows : Rows
        Follow-up of n patients.
    risk : array, shape (n,)
        Predicted by time `t`.
    grouping : Grouping
        Patients of no group are one of their own, "Not recorded".
    t : float
        In the outcome's unit.
    score : array, shape (n,), optional
        To rank by; `risk` if not given.
    threshold : float, optional
        Risk from which on one would act.
    reference : str, optional
        Label of the group that others are compared with; the largest if not given.
    level : float, default 0.95
    variable, sensitive, unit, when
        For the words; `when` is the time as it is to be said, `t` with its unit if not given.

    Notes
    -----
    Groups hold different patients, so their estimates are independent, and Cochran's Q compares them: the weighted
    squares of log(O/E), of calibration intercept and slope (each from pseudo-values of the group alone, so that
    censoring may differ between groups), and of C. Standard errors of log(O/E) are those of the observed risk, the
    predicted one taken as given. The interval of the IPA takes the group's own curve as the null model; that curve
    minimises the Brier score, so that its own error does not matter to first order.

    References
    ----------
    Van Calster et al. (2016), J Clin Epidemiol 74:167-176. Cochran (1954), Biometrics 10:101-129. Kattan & Gerds
    (2018), Diagn Progn Res 2:7.
    """
    values = np.asarray(risk, dtype=float)
    ranks = values if score is None else np.asarray(score, dtype=float)
    labels, codes = _with_missing(grouping)
    places = [np.flatnonzero(codes == k) for k in range(len(labels))]
    largest = max(range(len(labels)), key=lambda k: len(places[k])) if labels else 0
    at = labels.index(reference) if reference in labels else largest
    found = [
        _group(label, _take(rows, here), values[here], ranks[here], t, threshold, level)
        for label, here in zip(labels, places, strict=True)
    ]
    groups = tuple(_against(group, found[at], level) if k != at else group for k, group in enumerate(found))
    tests = _tests([group for group in groups if not group.greyed])
    told = findings(
        groups, tests, title=grouping.title, t=t, unit=unit, level=level, reference=labels[at] if labels else "",
        when=when,
    )  # fmt: skip
    return Audit(
        variable=variable, title=grouping.title, sensitive=sensitive, t=float(t), level=level, threshold=threshold,
        reference=labels[at] if labels else "", groups=groups, tests=tests, findings=told,
    )  # fmt: skip


def audit_cohort(
    resampled: Resampled,
    kind: str,
    cohort: Cohort,
    *,
    variables: Sequence[str] | None = None,
    t: float | None = None,
    threshold: float | None = None,
    level: float = 0.95,
    when: str = "",
) -> Audits:
    """One cross-validated model by sensitive attributes and by any variables, from out-of-fold risks.

    Parameters
    ----------
    resampled : Resampled
    kind : str
        Which of its models.
    cohort : Cohort
        The patients that were resampled, in the same order.
    variables : sequence of str, optional
        Column names; the cohort's sensitive attributes if not given. Sensitive ones come first.
    t : float, optional
        One of the times of `resampled`; the last if not given.
    threshold, level, when
        As `audit`.

    Raises
    ------
    Fixable
        If the cohort is another one, the time was not asked for in the validation, or there is no variable.
    """
    if len(cohort) != len(resampled.rows.time):
        raise Fixable(
            "The groups can't be looked at.",
            "The model was checked on other patients than those chosen now.",
            "Check the model again on these patients.",
        )
    at = float(resampled.times[-1]) if t is None else float(t)
    if not np.isclose(resampled.times, at).any():
        raise Fixable(
            "The groups can't be looked at by that time.",
            "The model was checked at other times.",
            "Choose one of them: " + ", ".join(f"{x:.6g}" for x in resampled.times) + f" {resampled.outcome.unit}.",
        )
    said = resampled.mean(kind)
    at = float(resampled.times[np.isclose(resampled.times, at)][0])
    names = [v.name for v in cohort.sensitive] if variables is None else list(dict.fromkeys(variables))
    if not names:
        raise Fixable(
            "There is no group to look at.",
            "The cohort's dictionary declares no sensitive attribute.",
            "Choose variables, or mark attributes as sensitive in the dictionary.",
        )
    wanted = sorted((cohort.variable(name) for name in names), key=lambda v: not v.sensitive)
    audits = tuple(
        audit(
            resampled.rows,
            said.at(at),
            group_by(cohort, v.name, cuts=v.cutpoints or "quantiles:4"),
            at,
            score=said.score,
            threshold=threshold,
            level=level,
            variable=v.name,
            sensitive=v.sensitive,
            unit=resampled.outcome.unit,
            when=when,
        )
        for v in wanted
    )
    return together(audits, level=level)


def together(audits: Sequence[Audit], *, level: float = 0.95) -> Audits:
    """Several audits as one, with what the number of comparisons means."""
    told = [finding for one in audits for finding in one.findings]
    return Audits(tuple(audits), sum(np.isfinite(f.p) for f in told), of_multiplicity(told, level))


def _with_missing(grouping: Grouping) -> tuple[list[str], np.ndarray]:
    labels, codes = list(grouping.labels), np.asarray(grouping.codes)
    if (codes < 0).any():
        codes = np.where(codes < 0, len(labels), codes)
        labels.append(NOT_RECORDED)
    return labels, codes


def _group(
    label: str, rows: Rows, risk: np.ndarray, score: np.ndarray, t: float, threshold: float | None, level: float
) -> AuditGroup:
    given, entry = (rows.time, rows.cause), rows.entry
    overall = overall_calibration(*given, risk, t, entry=entry, level=level)
    seen = overall.observed
    smooth = smooth_calibration(*given, risk, t, entry=entry) if seen.n_events >= 2 else None
    weak = weak_calibration(*given, risk, t, entry=entry, level=level) if seen.n_events else None
    spread = observed_with_error(rows, t, level)[1] / seen.risk if seen.risk > 0 else np.nan
    score_of, accuracy = accuracy_of(rows, risk, t, level)
    return AuditGroup(
        label=label, n=seen.n, n_events=seen.n_events,
        greyed=seen.n < FEWEST or seen.n_events < FEWEST_EVENTS,
        predicted=overall.expected, observed=seen,
        ratio=Estimate(overall.ratio, spread, overall.lower, overall.upper),
        c=harrell(rows, score, level), brier=score_of, ipa=accuracy,
        ici=float("nan") if smooth is None else smooth.ici,
        intercept=UNKNOWN if weak is None else weak.intercept,
        slope=UNKNOWN if weak is None else weak.slope,
        decision=None if threshold is None else at_threshold(rows, risk, t, threshold, level=level),
        to_reference={},
    )  # fmt: skip


def harrell(rows: Rows, score: np.ndarray, level: float) -> Estimate:
    """Harrell's C with its interval."""
    if not (rows.cause == 1).any():
        return UNKNOWN
    found = concordance(rows.time, rows.cause, score, entry=rows.entry)
    return _within(estimate(found.c, found.se, level))


def _within(found: Estimate) -> Estimate:
    return Estimate(found.value, found.std_err, max(found.lower, 0.0), min(found.upper, 1.0))


def accuracy_of(rows: Rows, risk: np.ndarray, t: float, level: float) -> tuple[Estimate, Estimate]:
    """Brier score, and IPA with the interval that the influences of both scores give."""
    if not (rows.event.any() and t <= rows.time.max()):
        return UNKNOWN, UNKNOWN
    own = brier(rows.time, rows.cause, risk, [t], entry=rows.entry, level=level)
    base = null_risk(rows.time, rows.cause, [t], entry=rows.entry)
    null = brier(rows.time, rows.cause, base, [t], entry=rows.entry, level=level)
    b, b0, n = own.value[0], null.value[0], len(rows.time)
    told = Estimate(float(b), float(own.std_err[0]), float(own.lower[0]), float(own.upper[0]))
    if not (np.isfinite(b) and b0 > 0 and n > 1):
        return told, UNKNOWN
    moved = -(own.influence[:, 0] / b0 - b * null.influence[:, 0] / b0**2)
    spread = float(moved.std(ddof=1) / np.sqrt(n))
    return told, estimate(float(prediction_accuracy(b, b0)), spread, level)


def _against(group: AuditGroup, reference: AuditGroup, level: float) -> AuditGroup:
    if group.decision is None or reference.decision is None:
        return group
    apart = {
        rate: difference(getattr(group.decision, rate), getattr(reference.decision, rate), level=level)
        for rate in RATES
    }
    return replace(group, to_reference=apart)


def _tests(groups: Sequence[AuditGroup]) -> tuple[Heterogeneity, ...]:
    asked = (
        ("observed_expected", "Observed / expected", [(np.log(g.ratio.value), g.ratio.std_err) for g in groups
                                                      if g.ratio.value > 0]),
        ("intercept", "Calibration intercept", [(g.intercept.value, g.intercept.std_err) for g in groups]),
        ("slope", "Calibration slope", [(g.slope.value, g.slope.std_err) for g in groups]),
        ("c", "Harrell's C", [(g.c.value, g.c.std_err) for g in groups]),
    )  # fmt: skip
    return tuple(cochran(key, name, np.array(pairs).reshape(-1, 2)) for key, name, pairs in asked)


def cochran(key: str, name: str, pairs: np.ndarray) -> Heterogeneity:
    """Cochran's Q of independent estimates, an array of value and standard error, shape (k, 2).

    References
    ----------
    Cochran (1954), Biometrics 10:101-129. R: ``meta::metagen(value, std_err)$Q``.
    """
    known = pairs[np.isfinite(pairs).all(axis=1) & (pairs[:, 1] > 0)]
    if len(known) < 2:
        return Heterogeneity(key, name, np.nan, max(len(known) - 1, 0), np.nan, len(known))
    weight = 1 / known[:, 1] ** 2
    mean = (weight * known[:, 0]).sum() / weight.sum()
    q = float((weight * (known[:, 0] - mean) ** 2).sum())
    return Heterogeneity(key, name, q, len(known) - 1, chi2_tail(q, len(known) - 1), len(known))


def _take(rows: Rows, here: np.ndarray) -> Rows:
    return rows_of(rows.time[here], rows.cause[here], None if rows.entry is None else rows.entry[here])
