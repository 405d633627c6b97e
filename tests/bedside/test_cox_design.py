"""From a cohort to rows, columns and hazard ratios in words."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from bedside.cohort import Level, Outcome, Variable, Visits
from bedside.errors import Fixable
from bedside.intake import cohort_from_frame
from bedside.regression import (
    CoxSpec,
    Factor,
    Interaction,
    Linear,
    Log,
    Ridge,
    Spline,
    curve_test,
    default_term,
    design,
    design_visits,
    fit_cox,
    multivariable,
    spec_of,
    univariable,
)
from bedside.regression.splines import spline_basis, spline_knots

DEATH = Outcome(key="death", label="Death", time="time", unit="days", status="status", censored=["0"], event=["1"])


@pytest.fixture(scope="module")
def colon(reference_frame):
    """The colon trial as R had it, with words."""
    arms = Variable(
        name="rx",
        label="Arm",
        kind="categorical",
        reference="Obs",
        levels=[
            Level(code=c, label=t) for c, t in (("Obs", "observation"), ("Lev", "levamisole"), ("Lev+5FU", "both"))
        ],
    )
    age = Variable(name="age", label="Age", unit="years", kind="continuous")
    frame = reference_frame("colon_death")
    return cohort_from_frame(frame, outcomes=[DEATH], variables=[arms, age])


FULL = ("sex", "age", "obstruct", "perfor", "adhere", "nodes", "differ", "extent", "surg")


def test_a_forest_equals_r(colon, r, same):
    """The model of 02_cox.R, age per 10 years and levels against the reference of the dictionary."""
    spec = CoxSpec((Factor("rx"), Linear("age", 10.0), *(Linear(name) for name in FULL if name != "age")))
    forest = multivariable(colon, "death", spec)
    block = r("02_cox")["models"]["colon_death_full"]
    names = ["rxLev", "rxLev+5FU", "age", *(name for name in FULL if name != "age")]
    order = [block["terms"].index(name) for name in names]
    scale = np.array([10.0 if name == "age" else 1.0 for name in names])
    coef, se = np.array(block["coef"])[order], np.array(block["se"])[order]
    rows = [row for row in forest.rows if not row.is_reference]
    np.testing.assert_allclose([row.hr for row in rows], np.exp(coef * scale), rtol=1e-8)
    reach = 1.959963984540054 * se
    np.testing.assert_allclose([row.lower for row in rows], np.exp((coef - reach) * scale), rtol=1e-8)
    np.testing.assert_allclose([row.p for row in rows], np.array(block["p"])[order], rtol=1e-8)
    assert forest.concordance.c == pytest.approx(block["concordance"]["c"], rel=1e-8)
    assert (forest.fit.n, forest.design.n_dropped) == (888, 41)
    assert dict(forest.design.dropped) == {"nodes": 18, "differ": 23}


def test_words_of_the_rows(colon):
    spec = CoxSpec((Factor("rx"), Linear("age", 10.0), Log("nodes", 2.0), Interaction(Factor("rx"), Linear("age"))))
    forest = multivariable(colon, "death", spec)
    assert [row.label for row in forest.rows] == [
        "observation",
        "Arm: levamisole against observation",
        "Arm: both against observation",
        "Age, per 10 years",
        "nodes, per doubling",
        "Arm: levamisole against observation × Age, per 1 year",
        "Arm: both against observation × Age, per 1 year",
    ]
    first = forest.rows[0]
    known = colon.frame["nodes"].notna()
    assert (first.is_reference, first.hr) == (True, 1.0) and first.n == int((colon.frame["rx"] == "Obs")[known].sum())
    zeros = int((colon.frame["nodes"] == 0).sum())
    assert any(f"{zeros} values of nodes of 0 or less" in note for note in forest.cautions)


def test_another_reference_turns_the_ratio_round(colon):
    usual = multivariable(colon, "death", CoxSpec((Factor("rx"),))).rows
    other = multivariable(colon, "death", CoxSpec((Factor("rx", reference="Lev+5FU"),))).rows
    both = next(row for row in usual if row.label == "Arm: both against observation")
    turned = next(row for row in other if row.label == "Arm: observation against both")
    assert turned.hr * both.hr == pytest.approx(1, rel=1e-7)
    assert turned.lower * both.upper == pytest.approx(1, rel=1e-7)
    assert usual[0].term_p == pytest.approx(other[0].term_p, rel=1e-6)


def test_each_variable_alone_on_the_same_rows_or_its_own(colon, r):
    spec = CoxSpec((Factor("rx"), Linear("nodes"), Linear("differ")))
    together = univariable(colon, "death", spec)
    own = univariable(colon, "death", spec, same_rows=False)
    block = r("02_cox")["models"]["colon_death_rx"]
    np.testing.assert_allclose([row.hr for row in own[1:3]], np.exp(block["coef"]), rtol=1e-8)
    assert {row.n for row in together if row.level is None} == {888}
    assert [row.n for row in own if row.level is None] == [929 - 18, 929 - 23]


def test_a_term_as_a_whole_by_likelihood_ratio(colon):
    """Twice the difference of the log-likelihoods with and without the arm."""
    spec = CoxSpec((Factor("rx"), Linear("nodes")))
    forest = multivariable(colon, "death", spec, test="lr")
    without = fit_cox(forest.design.data.with_columns([2]))
    assert forest.term_tests["Arm"].statistic == pytest.approx(2 * (forest.fit.loglik - without.loglik), rel=1e-10)
    assert forest.term_tests["Arm"].df == 2


def test_one_variable_without_an_answer_leaves_the_others(colon):
    """A level that nobody died with: its own row says why, the other variable has its ratio."""
    frame = colon.frame.assign(rare=np.where((colon.frame["status"] == "0") & (np.arange(929) % 3 == 0), "yes", "no"))
    cohort = cohort_from_frame(frame, outcomes=[DEATH])
    rows = univariable(cohort, "death", CoxSpec((Factor("rare"), Linear("nodes"))))
    assert math.isnan(rows[0].hr) and "had the event" in rows[0].note and "ridge" in rows[0].note
    assert rows[1].hr > 1


def test_strata_weights_offset_and_entry_come_from_columns(colon, r):
    forest = multivariable(colon, "death", CoxSpec((Factor("rx"),), strata=("extent",)))
    block = r("02_cox")["models"]["colon_death_rx_strata_extent"]
    np.testing.assert_allclose(forest.fit.coef, block["coef"], rtol=1e-8)
    assert forest.design.data.strata_labels == ("extent: 1", "extent: 2", "extent: 3", "extent: 4")
    frame = colon.frame.assign(w=np.arange(929) % 3 / 2 + 0.5, late=colon.frame["time"] / 4, push=0.1)
    cohort = cohort_from_frame(frame, outcomes=[DEATH])
    data = design(
        cohort, "death", CoxSpec((Linear("age"),), weights="w", entry="late", offset="push", cluster="id")
    ).data
    np.testing.assert_array_equal(data.weights, frame["w"])
    np.testing.assert_array_equal(data.entry, frame["late"])
    assert len(np.unique(data.cluster)) == 929 and set(data.offset) == {0.1}


def test_two_strata_columns_make_one_stratum_for_each_pair(colon):
    data = design(colon, "death", CoxSpec((Linear("age"),), strata=("surg", "rx"))).data
    assert data.strata_labels[0] == "surg: 0, Arm: observation" and len(data.strata_labels) == 6
    arm = colon.frame["rx"].map({"Obs": "observation", "Lev": "levamisole", "Lev+5FU": "both"}).astype(str)
    expected = ("surg: " + colon.frame["surg"].astype(str) + ", Arm: " + arm).tolist()
    assert [data.strata_labels[code] for code in data.strata] == expected


def test_a_variable_with_too_few_values_for_a_curve_is_a_line(colon):
    made = design(colon, "death", CoxSpec((Spline("surg"),)))
    assert made.data.x.shape[1] == 1 and "straight line" in made.notes[0]


def test_a_curve_and_its_test(colon):
    """A spline with the line as its first column: without the others it is the line."""
    forest = multivariable(colon, "death", CoxSpec((Spline("nodes", 4),)))
    knots = forest.design.terms[0].knots
    assert len(knots) == 4
    tested = curve_test(forest.fit, 0)
    inner = forest.fit.coef[1:] @ np.linalg.solve(forest.fit.variance[1:, 1:], forest.fit.coef[1:])
    assert (tested.df, tested.statistic) == (2, pytest.approx(inner, rel=1e-10))


def test_spline_basis_is_smooth_inside_and_straight_outside():
    knots = (1.0, 3.0, 4.0, 7.0)
    outside = np.array([-5.0, -4.0, -3.0, 8.0, 9.0, 10.0])
    basis = spline_basis(outside, knots)
    np.testing.assert_allclose(np.diff(basis[:3], 2, axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(np.diff(basis[3:], 2, axis=0), 0, atol=1e-12)
    assert spline_basis(np.array([2.0]), knots)[0, 1] == pytest.approx((2 - 1) ** 3 / 36, rel=1e-14)
    assert spline_knots(np.arange(101.0), 3) == (10.0, 50.0, 90.0)


def test_default_terms_follow_the_dictionary(gbsg2):
    assert default_term(gbsg2, "grade") == Factor("grade")
    assert default_term(gbsg2, "nodes") == Log("nodes", 2.0)
    assert default_term(gbsg2, "age") == Linear("age", 10.0)


@pytest.mark.parametrize(
    ("term", "said"),
    [
        (Linear("rfs_days"), "part of the outcome"),
        (Factor("patient_id"), "names patients"),
        (Linear("menopausal_status"), "has levels, not numbers"),
        (Linear("nothing"), "no variable of the name"),
    ],
)
def test_what_can_not_be_compared_is_refused(gbsg2, term, said):
    with pytest.raises(Fixable) as stop:
        design(gbsg2, "recurrence_or_death", CoxSpec((term,)))
    assert said in stop.value.why


def test_awkward_samples_have_answers(sample):
    """Every sample cohort's predictors in one model, and each alone."""
    for key in ("gbsg2_breast", "lung_ncctg", "pbc_liver", "mgus_competing", "colon_trial"):
        cohort = sample(key)
        spec = spec_of(cohort, [variable.name for variable in cohort.predictors])
        forest = multivariable(cohort, cohort.outcomes[0], spec)
        assert all(row.lower < row.hr < row.upper for row in forest.rows if not row.is_reference)
        assert len(univariable(cohort, cohort.outcomes[0], spec)) == len(forest.rows)


def visit_cohort(patients: pd.DataFrame, visits: pd.DataFrame, names: tuple[str, ...], unit: str = "days"):
    measured = tuple(Variable(name=name, kind="continuous") for name in names)
    held = Visits(visits.assign(id=visits["id"].astype(str)), "id", "day", unit, measured)
    return cohort_from_frame(patients, outcomes=[DEATH], identifier="id", visits=held)


def test_visits_become_intervals():
    """Values carried forward; visits after the end and of the same day leave no interval."""
    patients = pd.DataFrame(
        {"id": ["a", "b", "c"], "time": [100.0, 50.0, 30.0], "status": ["1", "0", "1"], "age": [1.0, 2.0, 3.0]}
    )
    visits = pd.DataFrame(
        {"id": list("abaab"), "day": [0.0, 10.0, 40.0, 120.0, 10.0], "bili": [1.0, 5.0, np.nan, 9.0, 6.0]}
    )
    cohort = visit_cohort(patients, visits, ("bili",))
    made = design_visits(cohort, "death", CoxSpec((Linear("bili"), Linear("age"))))
    data = made.data
    assert data.entry.tolist() == [0, 40, 10] and data.time.tolist() == [40, 100, 50]
    assert data.event.tolist() == [False, True, False] and data.rows.tolist() == [0, 0, 1]
    np.testing.assert_array_equal(data.x, [[1, 1], [1, 1], [6, 2]])
    assert "1 patients have no visit" in made.notes[0]
    without = design_visits(cohort, "death", CoxSpec((Linear("bili"),)), carry=False)
    assert without.data.time.tolist() == [40, 50] and without.n_dropped == 1


def test_visits_equal_r(reference_frame, r, same):
    """The model of bilirubin that changes with time, from its visits."""
    rows = reference_frame("pbcseq_td")
    patients = rows.groupby("id", as_index=False).agg(
        time=("futime", "first"), status=("status", "first"), age=("age", "first")
    )
    patients["status"] = np.where(patients["status"] == 2, "1", "0")
    patients["id"] = patients["id"].astype(str)
    names = ("bili", "protime", "edema", "albumin")
    cohort = visit_cohort(patients, rows[["id", "day", *names]], names)
    spec = CoxSpec((Log("bili"), Log("protime"), Linear("age"), Linear("edema"), Log("albumin")))
    forest = multivariable(cohort, "death", spec, at_visits=True)
    block = r("02_cox")["models"]["pbcseq_td"]
    same(forest.fit.coef, block["coef"])
    same(forest.fit.se, block["se"])
    assert forest.fit.n == block["n"] and forest.fit.n_events == block["n_event"]


def test_without_visits_values_can_not_change(gbsg2):
    with pytest.raises(Fixable, match="no table of visits"):
        design_visits(gbsg2, "death", CoxSpec((Linear("age"),)))


def test_a_ridge_is_told_of(colon):
    forest = multivariable(colon, "death", CoxSpec((Factor("rx"), Linear("nodes"))), ridge=Ridge(50.0))
    plain = multivariable(colon, "death", CoxSpec((Factor("rx"), Linear("nodes"))))
    assert any("ridge" in caution for caution in forest.cautions) and not any("ridge" in c for c in plain.cautions)
    pulled, free = (abs(math.log(f.rows[2].hr)) for f in (forest, plain))
    assert 0 < pulled < free


def test_one_cause_of_several(pbc):
    """Death alone: patients who had a transplant are censored at it."""
    outcome = pbc.outcomes[0]
    forest = multivariable(pbc, outcome, CoxSpec((Log("bilirubin_mg_dl"),)), event=pbc.cause(outcome) == 1)
    assert forest.fit.n_events == int((pbc.cause(outcome) == 1).sum()) < int(pbc.event(outcome).sum())


def test_five_hundred_levels_are_refused_or_answered(colon):
    frame = colon.frame.assign(site=(np.arange(929) % 500).astype(str))
    cohort = cohort_from_frame(frame, outcomes=[DEATH], variables=[Variable(name="site", kind="categorical")])
    with pytest.raises(Fixable) as stop:
        multivariable(cohort, "death", CoxSpec((Factor("site"),)))
    assert "452 events" in stop.value.why and "merge levels" in stop.value.next_step
    merged = cohort_from_frame(frame.assign(site=(np.arange(929) % 20).astype(str)), outcomes=[DEATH])
    assert len(multivariable(merged, "death", CoxSpec((Factor("site"),))).rows) == 20


def test_visits_before_delayed_entry_are_no_time_at_risk():
    """R: tmerge with tstart = entry; what was measured on day 0 holds from day 15 on."""
    patients = pd.DataFrame(
        {"id": ["a", "b"], "time": [50.0, 40.0], "status": ["1", "0"], "began": [15.0, 35.0], "age": [60.0, 70.0]}
    )
    visits = pd.DataFrame({"id": ["a", "a", "b", "b"], "day": [0, 20, 0, 30], "bili": [1.0, 2.0, 3.0, 4.0]})
    measured = (Variable(name="bili", kind="continuous"),)
    held = Visits(visits, "id", "day", "days", measured)
    late = DEATH.model_copy(update={"entry": "began"})
    cohort = cohort_from_frame(patients, outcomes=[late], identifier="id", visits=held)
    made = design_visits(cohort, "death", CoxSpec((Linear("bili"),)))
    assert made.data.entry.tolist() == [15, 20, 35]
    assert made.data.time.tolist() == [20, 50, 40]
    assert made.data.event.tolist() == [False, True, False]
