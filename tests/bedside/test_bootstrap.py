"""Bootstrap optimism and sample size."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from bedside.errors import Fixable
from bedside.regression import cox_data, fit_cox
from bedside.regression.bootstrap import bootstrap_optimism
from bedside.regression.concordance import concordance
from bedside.regression.power import power_of, sample_size


def made_up(columns: int, *, effect: float, n: int = 120):
    rng = np.random.default_rng(8)
    x = rng.normal(size=(n, columns))
    time, end = rng.exponential(np.exp(-effect * x[:, 0])), rng.exponential(2.0, n)
    return cox_data(x, np.minimum(time, end), time <= end)


def test_resampling_everybody_once_has_no_optimism() -> None:
    """The identity as a resample: the same model, slope 1, nothing to correct."""
    data = made_up(3, effect=0.8)
    found = bootstrap_optimism(data, resamples=np.tile(np.arange(120), (2, 1)))
    own = concordance(data.time, data.event, data.x @ fit_cox(data).coef).c
    assert found.c_apparent == found.c_corrected == pytest.approx(own)
    assert found.optimism == 0 and found.shrinkage == pytest.approx(1, abs=1e-6)


def test_noise_is_optimistic_and_signal_less_so() -> None:
    """Ten columns of noise look better than a coin and are not; few columns of signal lose little."""
    noise = bootstrap_optimism(made_up(10, effect=0.0), count=30)
    assert noise.c_apparent > 0.58 and abs(noise.c_corrected - 0.5) < 0.06 and noise.shrinkage < 0.5
    signal = bootstrap_optimism(made_up(2, effect=1.0), count=30)
    assert signal.optimism < 0.02 < noise.optimism and signal.shrinkage > 0.9
    again = bootstrap_optimism(made_up(2, effect=1.0), count=30)
    np.testing.assert_array_equal(signal.c_boot, again.c_boot)


def test_resamples_without_a_model_are_counted() -> None:
    """A resample without events or with separation is left out; if nearly all are, that is said."""
    data = made_up(1, effect=0.5)
    silent = np.tile(np.flatnonzero(~data.event)[:1], 120)
    rows = np.stack([np.arange(120), silent, np.arange(120)])
    found = bootstrap_optimism(data, resamples=rows)
    assert (found.resamples, found.failed, len(found.slopes)) == (3, 1, 2)
    with pytest.raises(Fixable, match="1 of 3 resamples"):
        bootstrap_optimism(data, resamples=np.stack([silent, np.arange(120), silent]))
    with pytest.raises(Fixable, match="strata, weights or delayed entry"):
        bootstrap_optimism(cox_data(data.x, data.time, data.event, weights=np.full(120, 2.0)))


def test_a_level_that_a_resample_lacks_counts_as_the_reference() -> None:
    """The column has no coefficient there, and the others keep theirs."""
    data = made_up(1, effect=0.8)
    rare = np.zeros(120)
    rare[[3, 7, 9]] = 1
    two = cox_data(np.column_stack([data.x, rare]), data.time, data.event, names=("x", "rare"))
    without = np.resize(np.flatnonzero(rare == 0), 120)
    found = bootstrap_optimism(two, resamples=np.stack([without, without]))
    alone = fit_cox(data.take(without)).coef[0]
    score = data.x[:, 0] * alone
    assert found.failed == 0 and found.c_test[0] == concordance(data.time, data.event, score).c


def test_schoenfelds_events() -> None:
    """(1.96 + 0.84)² / (log 0.7)² * 4; power is the way back."""
    found = sample_size(0.7, event_probability=0.5)
    assert found.events == pytest.approx((1.959963984540054 + 0.8416212335729143) ** 2 * 4 / np.log(0.7) ** 2)
    assert (found.whole_events, found.whole_patients) == (247, 494)
    assert power_of(0.7, found.events) == pytest.approx(0.8, abs=1e-12)
    other = sample_size(1.6, alpha=0.01, power=0.93, allocation=0.25)
    assert power_of(1.6, other.events, alpha=0.01, allocation=0.25) == pytest.approx(0.93, abs=1e-12)
    # 50 events, equal groups, hazard ratio e^-1: the test's mean is sqrt(50) / 2 standard errors.
    assert power_of(np.exp(-1), 50) == pytest.approx(norm.sf(1.959963984540054 - 50**0.5 / 2), abs=1e-12)
    assert sample_size(1 / 0.7, alpha=0.05).events == pytest.approx(found.events)


def test_impossible_designs_are_refused() -> None:
    """Each number outside its range."""
    for wrong in (
        {"hazard_ratio": 1.0},
        {"hazard_ratio": -2.0},
        {"hazard_ratio": 0.7, "alpha": 0.0},
        {"hazard_ratio": 0.7, "power": 1.0},
        {"hazard_ratio": 0.7, "allocation": 1.2},
        {"hazard_ratio": 0.7, "event_probability": 0.0},
        {"hazard_ratio": 0.7, "alpha": 0.5, "power": 0.1},
    ):
        with pytest.raises(Fixable, match="No sample size"):
            sample_size(**wrong)
    with pytest.raises(Fixable):
        power_of(0.7, -1)
