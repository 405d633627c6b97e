"""Fine-Gray and cause-specific models: against long-hand forms, and where they must say why not."""

from __future__ import annotations

import numpy as np
import pytest

from bedside.competing import cause_specific_models, cumulative_incidence, fine_gray
from bedside.errors import Fixable
from bedside.regression import cox_data, fit_cox


def made_up(n=150, seed=5):
    rng = np.random.default_rng(seed)
    x = np.column_stack((rng.normal(size=n), rng.integers(0, 2, n)))
    return x, np.ceil(rng.exponential(12, n)), rng.integers(0, 3, n)


def expanded(x, time, cause):
    """Each patient's follow-up cut by hand: a row for each time of the event after another one, with its weight."""
    at = np.unique(time[cause == 1])

    def chance(t):
        """Of not being censored before t; patients with an event at a time have left before its censorings."""
        curve = 1.0
        for u in np.unique(time[(cause == 0) & (time < t)]):
            there = (time > u) | ((time == u) & (cause == 0))
            curve *= 1 - ((time == u) & (cause == 0)).sum() / there.sum()
        return curve

    rows = []
    for xi, ti, ci in zip(x, time, cause, strict=True):
        rows.append((*xi, 0.0, ti, ci == 1, 1.0))
        start = ti
        for t in at[at > ti] if ci == 2 else ():
            rows.append((*xi, start, t, False, chance(t) / chance(ti)))
            start = t
    return np.array([row for row in rows if row[-1] > 0])


@pytest.mark.parametrize("ties", ["breslow", "efron"])
def test_fine_gray_is_a_weighted_cox_model_of_rows_cut_by_hand(ties):
    x, time, cause = made_up()
    rows = expanded(x, time, cause)
    cox = fit_cox(
        cox_data(rows[:, :2], rows[:, 3], rows[:, 4] == 1, entry=rows[:, 2], weights=rows[:, 5]),
        ties=ties,
        robust=False,
    )
    ours = fine_gray(x, time, cause, definition="finegray", ties=ties)
    np.testing.assert_allclose(ours.coef, cox.coef, rtol=1e-9)
    np.testing.assert_allclose(ours.naive_variance, cox.variance, rtol=1e-9)
    np.testing.assert_allclose([ours.loglik_null, ours.loglik], [cox.loglik_null, cox.loglik], rtol=1e-11)


def test_without_another_event_both_forms_are_a_cox_model():
    x, time, cause = made_up()
    cause = np.minimum(cause, 1)
    cox = fit_cox(cox_data(x, time, cause == 1), ties="breslow")
    survival = fine_gray(x, time, cause, definition="finegray")
    cmprsk = fine_gray(x, time, cause, definition="crr")
    np.testing.assert_allclose(survival.coef, cox.coef, rtol=1e-10)
    np.testing.assert_allclose(survival.variance, cox.variance, rtol=1e-10)
    np.testing.assert_allclose(cmprsk.coef, cox.coef, rtol=1e-4)
    assert survival.n_rows == len(time)


def test_prediction_begins_at_zero_and_never_falls():
    x, time, cause = made_up()
    fit = fine_gray(x, time, cause)
    risk = fit.predict([[0, 0], [2, 1]], [0, 1, 5, 20, 1e6])
    np.testing.assert_array_equal(risk[:, 0], 0)
    assert (np.diff(risk, axis=1) >= 0).all()
    assert (risk < 1).all()
    lower, upper = fit.interval(0.9)
    assert (lower < fit.ratio).all()
    assert (fit.ratio < upper).all()


def test_a_column_that_others_determine_is_left_out_and_named():
    x, time, cause = made_up()
    fit = fine_gray(np.column_stack((x, 2 * x[:, 0] + 1)), time, cause, names=("a", "b", "c"))
    assert [column.name for column in fit.aliased] == ["c"]
    assert fit.aliased[0].made_of == ("a",)
    np.testing.assert_allclose(fit.coef, fine_gray(x, time, cause).coef, rtol=1e-9)


@pytest.mark.parametrize("definition", ["crr", "finegray"])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda x, t, c: (np.column_stack((x, c == 1)), t, c), "had the event"),
        (lambda x, t, c: (np.ones((len(t), 1)), t, c), "not differ"),
        (lambda x, t, c: (x, t, np.where(c == 1, 0, c)), "None of the 150 patients"),
        (lambda x, t, c: (np.random.default_rng(0).normal(size=(len(t), 60)), t, c), "can't support 60"),
        (lambda x, t, c: (np.where(x > 2, np.nan, x), t, c), "no finite value"),
    ],
    ids=["separation", "constant", "no event", "too few events", "missing"],
)
def test_a_model_that_cannot_be_fitted_says_why(change, said, definition):
    with pytest.raises(Fixable) as stop:
        fine_gray(*change(*made_up()), definition=definition)
    assert said in stop.value.why
    assert "Cox" not in stop.value.what
    assert "ridge" not in stop.value.next_step


def test_cmprsk_has_no_delayed_entry_and_no_efron():
    x, time, cause = made_up()
    with pytest.raises(Fixable, match="no delayed entry"):
        fine_gray(x, time, cause, entry=time - 0.5)
    with pytest.raises(Fixable, match="Breslow's ties only"):
        fine_gray(x, time, cause, ties="efron")


def test_absolute_risks_of_all_types_and_none_add_up_to_one():
    """With product limits: risks of the types, and the product of what is left at each time."""
    x, time, cause = made_up()
    models = cause_specific_models(x, time, cause, ties="breslow")
    at = [3.0, 10.0, 25.0]
    asked = x[:4]
    risks = sum(models.absolute_risk(asked, at, of=k).risk for k in (1, 2))
    free = np.ones_like(risks)
    for t in np.unique(time[cause > 0]):
        step = 0
        for fit in models.fits:
            event = (time == t) & fit.data.event
            risk = np.exp((fit.data.x - fit.data.x.mean(axis=0)) @ fit.coef)
            step = step + event.sum() / risk[time >= t].sum() * np.exp((asked - fit.data.x.mean(axis=0)) @ fit.coef)
        free *= np.where(t <= np.array(at), (1 - step)[:, None], 1)
    np.testing.assert_allclose(risks + free, 1, rtol=1e-10)


def test_a_covariate_that_says_nothing_leaves_the_cumulative_incidence():
    """Coefficients of 0, since each patient is there twice with opposite values."""
    _, time, cause = made_up()
    twice = np.tile(time, 2), np.tile(cause, 2)
    x = np.repeat([1.0, -1.0], len(time))[:, None]
    models = cause_specific_models(x, *twice, ties="breslow")
    risk = models.absolute_risk([[0.0]], [5, 20]).risk
    theirs = cumulative_incidence(*twice).at([5, 20]).incidence[:, 0]
    np.testing.assert_allclose(risk[0], theirs, rtol=1e-10)


def test_a_type_that_never_occurs_has_no_risk():
    x, time, cause = made_up()
    models = cause_specific_models(x, time, np.minimum(cause, 1), causes=("seen", "never"))
    assert models.fits[1] is None
    np.testing.assert_array_equal(models.absolute_risk(x[:2], [5, 10], of=2).risk, 0)
    assert (models.absolute_risk(x[:2], [5, 10], of=1).risk > 0).all()


def test_risk_is_not_known_beyond_follow_up():
    x, time, cause = made_up()
    risk = cause_specific_models(x, time, cause).absolute_risk(x[:1], [time.max(), time.max() + 1])
    assert np.isfinite(risk.risk[0, 0])
    assert np.isnan([risk.risk[0, 1], risk.std_err[0, 1], risk.lower[0, 1]]).all()


def test_the_type_whose_model_fails_is_named():
    x, time, cause = made_up()
    with pytest.raises(Fixable) as stop:
        cause_specific_models(np.column_stack((x, cause == 2)), time, cause, causes=("relapse", "death"))
    assert stop.value.what.startswith("relapse: ")
    with pytest.raises(Fixable, match="No event of any type"):
        cause_specific_models(x, time, cause * 0)
