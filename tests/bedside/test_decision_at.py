"""The interval of net benefit against a bootstrap over patients."""

from __future__ import annotations

import numpy as np
import pytest

from bedside.validation import decision_curve
from bedside.validation.decision_at import net_benefit


def _patients(n: int, *, competing: bool, seed: int = 5):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    event = rng.exponential(1 / (0.1 * np.exp(0.8 * x)))
    other = rng.exponential(15, n) if competing else np.full(n, np.inf)
    censored = rng.uniform(2, 12, n)
    time = np.minimum(np.minimum(event, other), censored)
    cause = np.where(event <= time, 1, np.where(other <= time, 2, 0))
    return time, cause, 1 - np.exp(-0.5 * np.exp(0.8 * x))


@pytest.mark.parametrize("competing", [False, True])
@pytest.mark.parametrize("threshold", [0.2, 0.45])
def test_its_standard_errors_are_those_of_a_bootstrap_over_patients(competing, threshold):
    time, cause, risk = _patients(400, competing=competing)
    found = net_benefit(time, cause, risk, 5.0, threshold)
    rng, drawn = np.random.default_rng(1), []
    for _ in range(400):
        k = rng.integers(0, len(time), len(time))
        curve = decision_curve(time[k], cause[k], risk[k], 5.0, thresholds=(threshold,))
        drawn.append((curve.model[0], curve.model[0] - curve.everybody[0]))
    model, beyond = np.std(drawn, axis=0, ddof=1)
    assert found.model.std_err == pytest.approx(model, rel=0.1)
    assert found.beyond_everybody.std_err == pytest.approx(beyond, rel=0.1)
    curve = decision_curve(time, cause, risk, 5.0, thresholds=(threshold,))
    assert found.model.value == curve.model[0]
    assert found.model.upper - found.model.value == pytest.approx(1.959964 * found.model.std_err)
    assert found.beyond.value == min(found.model.value, found.beyond_everybody.value)


def test_treating_nobody_or_everybody_by_it_has_nothing_to_be_unsure_of():
    time, cause, risk = _patients(200, competing=False)
    none = net_benefit(time, cause, np.full(len(risk), 0.1), 5.0, 0.2)
    assert (none.model.value, none.model.lower, none.model.upper, none.treated) == (0, 0, 0, 0)
    everybody = net_benefit(time, cause, np.full(len(risk), 0.9), 5.0, 0.2).beyond_everybody
    assert everybody.value == pytest.approx(0) and everybody.upper == pytest.approx(0, abs=1e-12)
