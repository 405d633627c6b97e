"""From a cohort to all that is said of its Cox model."""

from __future__ import annotations

import numpy as np
import pytest

from bedside.errors import Fixable
from bedside.regression.cox import fit_cox
from bedside.regression.curves import predicted_curves
from bedside.regression.design import design, spec_of
from bedside.regression.diagnose import diagnose, patients_like, spline_curve
from bedside.regression.terms import Factor, Linear, Log, Spline


@pytest.fixture(scope="module")
def made(gbsg2):
    outcome = gbsg2.outcomes[0]
    terms = (
        Spline("age", 4),
        Linear("tumour_size_mm", 10),
        Log("nodes", 2),
        Factor("grade"),
        Factor("hormone_therapy"),
    )
    model = design(gbsg2, outcome, spec_of(gbsg2, terms))
    return gbsg2, model, fit_cox(model.data)


def test_everything_of_one_fit(made):
    _, model, fit = made
    found = diagnose(model, fit, most=5)
    assert found.n == 686
    assert found.proportional.terms == model.data.terms
    assert [test.df for test in found.proportional.tests] == [3, 1, 1, 2, 1]
    assert len(found.residuals.martingale) == 686
    assert len(found.influence.patients) == 5
    assert [name for name, _ in found.forms] == [model.data.terms[i] for i in (0, 1, 2)]
    assert found.curves[0].column == "age"
    assert found.baseline.centred[-1] > 0


def test_doubtful_terms_are_those_with_a_small_p(made):
    proportional = diagnose(made[1], made[2]).proportional
    small = [term for term, p in zip(proportional.terms, proportional.p, strict=True) if p < 0.05]
    assert set(proportional.doubtful()) == set(small)
    assert list(proportional.doubtful(1.0)) == [proportional.terms[i] for i in np.argsort(proportional.p)]


def test_a_line_is_shown_in_its_own_unit(made):
    cohort, model, fit = made
    size = dict(diagnose(model, fit).forms)[model.data.terms[1]]
    np.testing.assert_allclose(size.value, cohort.frame["tumour_size_mm"].to_numpy(float))


def test_beta_early_and_late(made):
    """Read off the smooth at the quartiles of the times of deaths, on the scale of the test."""
    series = diagnose(made[1], made[2], scale="rank").proportional.series
    for beta in series:
        early, late = beta.early_and_late
        at = np.quantile(beta.scaled_time, (0.25, 0.75))
        near = [int(np.argmin(np.abs(beta.smooth_scaled - t))) for t in at]
        assert early == pytest.approx(beta.smooth[near[0]], abs=0.2)
        assert late == pytest.approx(beta.smooth[near[1]], abs=0.2)


def test_the_spline_against_a_chosen_value(made):
    cohort, model, fit = made
    found = spline_curve(model, fit, "age", reference=50)
    at = np.searchsorted(found.curve.value, 50)
    assert found.curve.hazard_ratio[at] == found.curve.lower[at] == found.curve.upper[at] == 1
    default = spline_curve(model, fit, "age")
    assert default.curve.reference == np.median(cohort.frame["age"])
    both = np.searchsorted(default.curve.value, (50, 60))
    ours = default.curve.hazard_ratio[both[1]] / default.curve.hazard_ratio[both[0]]
    there = found.curve.hazard_ratio[np.searchsorted(found.curve.value, 60)]
    assert ours == pytest.approx(there, rel=0.02)
    assert found.nonlinearity.wald.df == 2


def test_no_spline_no_curve(made):
    _, model, fit = made
    with pytest.raises(Fixable, match="not in the model as a spline"):
        spline_curve(model, fit, "tumour_size_mm")
    with pytest.raises(Fixable, match="outside the range"):
        spline_curve(model, fit, "age", reference=500)


def test_curves_of_patients_of_the_fit(made):
    """The mean of everybody's predicted survival is near the Kaplan-Meier curve's."""
    _, _, fit = made
    everyone = predicted_curves(fit, patients_like(fit, np.arange(686)))
    mean = np.mean([curve.at(1500).survival[0] for curve in everyone])
    assert mean == pytest.approx(0.57, abs=0.04)
