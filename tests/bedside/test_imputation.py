"""Multiple imputation and Rubin's rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import f as f_distribution

from bedside.cohort import Cohort
from bedside.errors import Fixable
from bedside.intake import read_cohort
from bedside.regression import cox_data, fit_cox
from bedside.regression.design import design, spec_of
from bedside.regression.imputation import cox_imputed, cumulative_hazard_at, fit_imputed, impute, pool
from bedside.regression.imputation_chain import MOST_LEVELS, Series, chain


def test_rubins_rules_by_hand() -> None:
    """Three estimates: every number from the formulas of Rubin (1987) and Barnard and Rubin (1999)."""
    found = pool([[1.0], [2.0], [3.0]], [[0.5], [0.4], [0.6]], complete_df=40)
    assert found.estimate[0] == 2 and found.within[0] == pytest.approx(0.5) and found.between[0] == 1
    assert found.total[0] == pytest.approx(0.5 + 4 / 3)
    share = (4 / 3) / (0.5 + 4 / 3)
    old, seen = 2 / share**2, 41 / 43 * 40 * (1 - share)
    assert found.df[0] == pytest.approx(old * seen / (old + seen))
    assert found.riv[0] == pytest.approx((4 / 3) / 0.5)
    assert found.fmi[0] == pytest.approx((found.riv[0] + 2 / (found.df[0] + 3)) / (found.riv[0] + 1))
    low, high = found.interval(0.95)
    assert low[0] < 0 < 2 < high[0] and found.p[0] > 0.05


def test_pooling_what_does_not_differ_is_the_one_answer() -> None:
    """Nothing missing: the estimate, its variance, and almost all of its degrees of freedom."""
    matrix = np.array([[0.2, 0.05], [0.05, 0.3]])
    found = pool(np.tile([0.4, -1.0], (5, 1)), np.tile(matrix, (5, 1, 1)), complete_df=98)
    np.testing.assert_allclose(found.covariance, matrix)
    np.testing.assert_allclose(found.df, 98, rtol=0.03)
    np.testing.assert_allclose(found.riv, 0)


def test_the_joint_test_of_several_coefficients() -> None:
    """D1 of Li, Raghunathan and Rubin, worked out with loops; a single column is Wald's F."""
    rng = np.random.default_rng(4)
    q, u = rng.normal(0.3, 0.2, (6, 3)), np.stack([np.eye(3) * 0.03 + 0.005 for _ in range(6)])
    found, k, m = pool(q, u), 2, 6
    mean, own = q[:, :2].mean(axis=0), u[0][:2, :2]
    between = sum(np.outer(row - mean, row - mean) for row in q[:, :2]) / (m - 1)
    increase = (1 + 1 / m) * np.trace(between @ np.linalg.inv(own)) / k
    value = mean @ np.linalg.inv(own) @ mean / (k * (1 + increase))
    t = k * (m - 1)
    df = 4 + (t - 4) * (1 + (1 - 2 / t) / increase) ** 2
    assert found.joint_p([0, 1]) == pytest.approx(f_distribution.sf(value, k, df), rel=1e-10)


def test_estimates_are_unbiased_and_intervals_cover() -> None:
    """Missing at random, by the event and another variable: 60 cohorts of 300, ten copies each.

    Complete cases lose 40% of the patients. The tolerance is three standard errors of the mean over the cohorts,
    and the attenuation of 0.03 that White and Royston's approximation allows.
    """
    truth, cohorts, n = np.array([0.3, 0.4, 0.3]), 60, 300
    estimates, covered = [], []
    for number in range(cohorts):
        rng = np.random.default_rng([11, number])
        other = rng.normal(size=n)
        x = 0.5 * other + 0.9 * rng.normal(size=n)
        level = (rng.random(n) < 1 / (1 + np.exp(-0.5 * other))).astype(float)
        risk = np.exp(np.column_stack([x, level, other]) @ truth)
        due, end = rng.exponential(1 / risk), rng.exponential(2.0, n)
        time, event = np.minimum(due, end), due <= end
        no_x = rng.random(n) < 1 / (1 + np.exp(1.5 - 0.6 * other - 0.6 * event))
        no_level = rng.random(n) < 1 / (1 + np.exp(1.5 + 0.6 * other))
        series = [
            Series("x", np.where(no_x, np.nan, x)),
            Series("level", np.where(no_level, -1.0, level), 2),
            Series("other", other),
        ]
        always = np.column_stack([event, cumulative_hazard_at(time, event)])
        fits = []
        for copy in range(10):
            filled = chain(series, always, iterations=3, rng=np.random.default_rng([number, copy]))
            fits.append(fit_cox(cox_data(np.column_stack([filled["x"], filled["level"], other]), time, event)))
        found = pool([f.coef for f in fits], [f.variance for f in fits], complete_df=event.sum() - 3)
        low, high = found.interval()
        estimates.append(found.estimate)
        covered.append((low <= truth) & (truth <= high))
    spread = np.std(estimates, axis=0) / np.sqrt(cohorts)
    assert (np.abs(np.mean(estimates, axis=0) - truth) < 3 * spread + 0.03).all()
    assert (np.mean(covered, axis=0) >= 0.87).all()


def test_cumulative_hazard_is_nelson_and_aalens() -> None:
    """Ties, a censoring at an event's time, and a time before the first event."""
    time, event = np.array([2.0, 3.0, 3.0, 5.0, 1.0]), np.array([1, 1, 0, 1, 0])
    expected = [1 / 4, 1 / 4 + 1 / 3, 1 / 4 + 1 / 3, 1 / 4 + 1 / 3 + 1, 0]
    np.testing.assert_allclose(cumulative_hazard_at(time, event), expected)


def test_copies_of_a_cohort(lung: Cohort) -> None:
    """Every gap is filled with a value that somebody has, known values stay, and the seed says it all."""
    outcome = lung.outcomes[0]
    names = [variable.name for variable in lung.predictors]
    found = impute(lung, outcome, names, m=4, seed=3)
    missing = lung.frame[names].isna()
    assert found.missing == {name: int(k) for name, k in missing.sum().items() if k}
    assert found.n_incomplete == int(missing.any(axis=1).sum()) > 0
    for frame in found.frames:
        assert not frame[names].isna().any().any()
        for name in found.missing:
            known = lung.frame[name].dropna()
            assert set(frame[name]) <= set(known)
            assert frame[name].dtype == lung.frame[name].dtype
            assert (frame.loc[known.index, name] == known).all()
    assert len({cohort.fingerprint for cohort in found.cohorts} | {lung.fingerprint}) == 5
    again = impute(lung, outcome, names, m=4, seed=3)
    assert all(a.equals(b) for a, b in zip(found.frames, again.frames, strict=True))
    assert again.cohorts[0].fingerprint == found.cohorts[0].fingerprint
    assert not impute(lung, outcome, names, m=4, seed=4).frames[0].equals(found.frames[0])
    assert lung.frame[names].isna().equals(missing)


def test_a_model_over_all_copies(lung: Cohort) -> None:
    """All patients count; a variable that nobody lacks keeps about its standard error; FMI is that of the gaps."""
    outcome = lung.outcomes[0]
    names = [variable.name for variable in lung.predictors]
    spec = spec_of(lung, names)
    pooled = cox_imputed(impute(lung, outcome, names, m=8), outcome, spec)
    complete = fit_cox(design(lung, outcome, spec).data)
    assert pooled.n == len(lung) > complete.n and pooled.names == complete.data.names
    assert pooled.n_events == int(lung.event(outcome).sum())
    assert (pooled.pooled.se <= complete.se * 1.05).all()
    assert (np.abs(pooled.pooled.estimate - complete.coef) < complete.se).all()
    assert pooled.names[pooled.pooled.fmi.argmax()].startswith("Weight")
    by_hand = pool([f.coef for f in pooled.fits], [f.variance for f in pooled.fits], complete_df=pooled.n_events - 7)
    np.testing.assert_array_equal(by_hand.df, pooled.pooled.df)


def test_nothing_missing_gives_the_complete_answer(gbsg2: Cohort) -> None:
    """Copies are the cohort, and pooling is its Cox model."""
    outcome, names = gbsg2.outcomes[0], [gbsg2.predictors[0].name, gbsg2.predictors[1].name]
    found = impute(gbsg2, outcome, names, m=2)
    assert found.missing == {} and found.n_incomplete == 0
    spec = spec_of(gbsg2, names)
    pooled = fit_imputed(found, lambda cohort: design(cohort, outcome, spec).data)
    np.testing.assert_allclose(pooled.pooled.estimate, fit_cox(design(gbsg2, outcome, spec).data).coef, rtol=1e-12)


def test_many_levels_separation_and_few_known_values() -> None:
    """Many levels are matched, a separated level keeps finite chances, two known values are enough."""
    rng = np.random.default_rng(0)
    n = 600
    x = rng.normal(size=n)
    many = np.where(rng.random(n) < 0.2, -1.0, np.floor((x + 4) * 3))
    separated = np.where(rng.random(n) < 0.2, -1.0, (x > 0).astype(float))
    few = np.full(n, np.nan)
    few[:2] = 1.0, 2.0
    always = np.column_stack([rng.random(n) < 0.5, rng.exponential(size=n)])
    series = [Series("many", many, 500), Series("separated", separated, 2), Series("few", few), Series("x", x)]
    filled = chain(series, always, iterations=2, rng=rng)
    assert set(np.unique(filled["many"])) <= set(np.unique(many)) - {-1.0} and len(np.unique(many)) > MOST_LEVELS
    assert np.corrcoef(filled["many"][many < 0], x[many < 0])[0, 1] > 0.9
    gaps = separated < 0
    assert (filled["separated"][gaps] == (x[gaps] > 0)).mean() > 0.9
    assert set(filled["few"]) == {1.0, 2.0}


def test_what_cannot_be_imputed_is_said(lung: Cohort, cohort_folder: Callable[..., Path]) -> None:
    """A variable that nobody has, and a single copy."""
    outcome, name = lung.outcomes[0], lung.predictors[0].name
    with pytest.raises(Fixable, match="One copy"):
        impute(lung, outcome, [name], m=1)
    frame = lung.frame.copy()
    frame[name] = np.nan
    with pytest.raises(Fixable, match="missing for every patient"):
        impute(replace(lung, frame=frame, fingerprint=""), outcome, [name])
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        {"days": rng.integers(1, 90, 60), "status": rng.integers(0, 2, 60), "stage": ["I", "II", None] * 20}
    )
    made = read_cohort(cohort_folder(table))
    found = impute(made, made.outcomes[0], ["stage"], m=2)
    assert found.missing == {"stage": 20} and not found.frames[1]["stage"].isna().any()
