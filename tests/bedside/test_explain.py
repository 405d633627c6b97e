"""Explanations of a fitted model: additivity, players, words, missing values, the cohort's view."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from bedside.cohort import Level, Outcome, Variable
from bedside.errors import Fixable
from bedside.explain import (
    Contribution,
    Explanation,
    background,
    explain,
    global_explanation,
    headline,
    points_text,
    reasons,
    shapley_cox,
    variable_terms,
)
from bedside.intake import cohort_from_frame
from bedside.risk import cumulative_hazard, fit, linear_predictor, predict, risks

YEARS = (1.0, 2.0, 5.0)
GRADES = tuple(Level(code=c, label=roman) for c, roman in (("1", "I"), ("2", "II"), ("3", "III")))
VARIABLES = (
    Variable(name="age", kind="continuous", label="Age", unit="years"),
    Variable(
        name="nodes", kind="continuous", label="Positive nodes", phrase="{value} positive nodes",
        phrase_one="{value} positive node", scale="log", expected="raises",
    ),
    Variable(name="pgr", kind="continuous", label="PgR", unit="fmol/mg", scale="log", expected="raises"),
    Variable(name="grade", kind="ordinal", label="Grade", levels=GRADES, phrase="grade {value}", expected="raises"),
    Variable(name="hormon", kind="binary", label="Hormone therapy", levels=(
        Level(code="0", label="no"), Level(code="1", label="yes")), expected="lowers"),
)  # fmt: skip
OUTCOME = Outcome(key="rfs", label="Recurrence or death", time="rfstime", unit="days", status="status")


@pytest.fixture(scope="module")
def cohort(reference_frame):
    frame = reference_frame("gbsg").drop(columns=["meno", "size", "er", "pid"])
    return cohort_from_frame(frame, outcomes=[OUTCOME], variables=VARIABLES)


@pytest.fixture(scope="module")
def model(cohort):
    return fit(cohort, "rfs")


@pytest.fixture(scope="module")
def compared(model, cohort):
    return background(model, cohort)


def _many(n: int, p: int):
    rng = np.random.default_rng(5)
    x = rng.normal(size=(n, p))
    frame = pd.DataFrame(x, columns=[f"v{j}" for j in range(p)])
    frame["years"] = rng.exponential(np.exp(-x @ np.linspace(0.5, -0.3, p)) * 4)
    frame["status"] = (rng.random(n) < 0.7).astype(int)
    outcome = Outcome(key="event", label="Event", time="years", unit="years", status="status")
    made = cohort_from_frame(frame, outcomes=[outcome])
    return made, fit(made, "event")


def test_contributions_add_up_to_the_predicted_risk_for_every_patient_and_time(model, cohort, compared):
    for row in range(0, len(cohort), 37):
        patient = cohort.frame.iloc[[row]]
        curves = predict(model, patient)
        for explanation in explain(model, patient, compared, YEARS, unit="years"):
            told = explanation.base + sum(c.points for c in explanation.contributions)
            assert abs(told - explanation.risk) < 1e-9
            assert explanation.additivity_error < 1e-9
            assert explanation.risk == pytest.approx(curves.risk_at(365.25 * explanation.t)[0][0], rel=1e-12)
            assert explanation.method == "exact"
            assert explanation.sampling_error is None


def test_the_base_is_the_mean_risk_of_the_background(model, cohort, compared):
    hazard = cumulative_hazard(model, 5 * 365.25)
    risk = 1 - np.exp(-hazard * np.exp(linear_predictor(model, cohort.frame.iloc[compared.rows])))
    (explanation,) = explain(model, cohort.frame.iloc[[0]], compared, [5], unit="years")
    assert explanation.base == pytest.approx(risk.mean(), rel=1e-12)
    assert explanation.n_background == 100


def test_the_background_is_the_middle_of_each_slice_in_order_of_risk(model, cohort):
    rows = background(model, cohort).rows
    assert len(np.unique(rows)) == 100 and (np.diff(rows) > 0).all()
    rank = np.empty(len(cohort), dtype=int)
    rank[np.argsort(linear_predictor(model, cohort.frame), kind="stable")] = np.arange(len(cohort))
    np.testing.assert_array_equal(np.sort(rank[rows]) * 100 // len(cohort), np.arange(100))
    np.testing.assert_array_equal(background(model, cohort).rows, rows)
    assert len(background(model, cohort, size=5000).rows) == 100
    few = cohort.take(np.arange(len(cohort)) < 30, seal="few")
    np.testing.assert_array_equal(background(model, few).rows, np.arange(30))


@pytest.mark.parametrize("years", [0.5, 1, 3, 5])
def test_the_base_is_close_to_the_mean_risk_of_everyone(model, cohort, compared, years):
    """A random hundred would often be a point or more away."""
    (explanation,) = explain(model, cohort.frame.iloc[[0]], compared, [years], unit="years")
    assert explanation.base == pytest.approx(risks(model, cohort, 365.25 * years).mean(), abs=0.001)


def test_a_rare_level_is_said_to_be_read_like_the_reference(cohort):
    grade = cohort.frame.grade.astype(object).where(lambda g: g != "1", "2")
    grade.iloc[:3] = "1"
    frame = cohort.frame.assign(grade=pd.Categorical(grade, ["1", "2", "3"]))
    few = dataclasses.replace(cohort, frame=frame, fingerprint="")
    model = fit(few, "rfs")
    (explanation,) = explain(model, few.frame.iloc[[0]], background(model, few), [5], unit="years")
    told = {c.variable: c for c in explanation.contributions}
    assert told["grade"].value_text == "grade I, read like II"
    assert told["grade"].expected is True


def test_an_empty_background_is_refused(model, cohort):
    nobody = cohort.take(np.zeros(len(cohort), dtype=bool), seal="nobody")
    with pytest.raises(Fixable, match="no patients to compare with"):
        background(model, nobody)


def test_a_background_of_another_model_is_refused(model, cohort, compared):
    other = fit(cohort, "rfs", variables=["age", "nodes"])
    with pytest.raises(Fixable, match="another model"):
        explain(other, cohort.frame.iloc[[0]], compared, [365.25])


def test_dummies_are_one_player(model, cohort, compared):
    """The terms of grade's two columns are added up before the game is played, not after it."""
    assert compared.terms.shape == (100, 5)
    terms = variable_terms(model, cohort.frame.iloc[:50])
    np.testing.assert_allclose(terms.sum(axis=1), linear_predictor(model, cohort.frame.iloc[:50]), atol=1e-12)
    (explanation,) = explain(model, cohort.frame.iloc[[3]], compared, [5], unit="years")
    assert sorted(c.variable for c in explanation.contributions) == ["age", "grade", "hormon", "nodes", "pgr"]
    hazard = [cumulative_hazard(model, 5 * 365.25)]
    _, points = shapley_cox(terms[3], compared.terms, hazard)
    found = {c.variable: c.points for c in explanation.contributions}
    for variable, expected in zip(model.variables, points[0], strict=True):
        assert found[variable.name] == pytest.approx(expected, abs=1e-14)


def test_contributions_come_largest_first_with_value_and_direction(model, cohort, compared):
    (explanation,) = explain(model, cohort.frame.iloc[[303]], compared, [5], unit="years")
    sizes = [abs(c.points) for c in explanation.contributions]
    assert sizes == sorted(sizes, reverse=True)
    told = {c.variable: c for c in explanation.contributions}
    assert told["nodes"].value_text == "7 positive nodes"
    assert told["grade"].value_text == "grade III"
    assert told["hormon"].value_text == "Hormone therapy: no"
    assert told["nodes"].expected is True
    assert told["hormon"].expected is True
    assert told["grade"].expected is True
    assert told["pgr"].expected is False  # declared the wrong way round on purpose
    assert told["age"].expected is None


def test_missing_and_unseen_values_are_filled_and_said(model, cohort, compared):
    patient = pd.DataFrame({"age": [50.0], "nodes": [np.nan], "pgr": [10.0], "grade": ["9"], "hormon": [None]})
    (explanation,) = explain(model, patient, compared, [5], unit="years")
    told = {c.variable: c.value_text for c in explanation.contributions}
    assert told["nodes"] == "Positive nodes (missing; median used)"
    assert told["hormon"] == "Hormone therapy (missing; commonest value used)"
    assert told["grade"] == "Grade (a value the model has not seen; commonest value used)"
    assert explanation.additivity_error < 1e-9


def test_far_outside_values_still_add_up(model, cohort, compared):
    patient = pd.DataFrame({"age": [-1e7], "nodes": [1e12], "pgr": [0.0], "grade": ["3"], "hormon": ["0"]})
    (explanation,) = explain(model, patient, compared, [5], unit="years")
    assert explanation.additivity_error < 1e-9
    assert np.isfinite(explanation.risk)


def test_time_zero_has_no_risk_and_beyond_follow_up_is_refused(model, cohort, compared):
    (explanation,) = explain(model, cohort.frame.iloc[[0]], compared, [0], unit="years")
    assert explanation.base == explanation.risk == 0
    with pytest.raises(Fixable, match="longest follow-up"):
        explain(model, cohort.frame.iloc[[0]], compared, [50], unit="years")


def test_units_are_only_another_name_for_the_same_time(model, cohort, compared):
    (years,) = explain(model, cohort.frame.iloc[[0]], compared, [4], unit="years")
    (days,) = explain(model, cohort.frame.iloc[[0]], compared, [1461])
    assert years.risk == days.risk
    assert [c.points for c in years.contributions] == [c.points for c in days.contributions]
    assert (years.unit, days.unit) == ("years", "days")


def test_more_than_fourteen_variables_are_exact_too():
    cohort, model = _many(400, 16)
    compared = background(model, cohort)
    patient = cohort.frame.iloc[[11]]
    first, second = explain(model, patient, compared, [1.0, 3.0])
    assert first.method == "exact" and first.sampling_error is None
    assert max(first.additivity_error, second.additivity_error) < 1e-9
    again = explain(model, patient, compared, [1.0, 3.0])[0]
    assert again == first
    hazard = [cumulative_hazard(model, 1.0)]
    _, exact = shapley_cox(variable_terms(model, patient)[0], compared.terms, hazard)
    found = {c.variable: c.points for c in first.contributions}
    worst = max(abs(found[v.name] - e) for v, e in zip(model.variables, exact[0], strict=True))
    assert worst < 1e-10


def test_global_contributions_are_those_of_each_patient(model, cohort, compared):
    everyone = global_explanation(model, cohort, compared, 5, unit="years", max_patients=40, seed=2)
    assert everyone.n_patients == 40
    assert everyone.method == "exact"
    assert list(everyone.mean_abs) == sorted(everyone.mean_abs, reverse=True)
    np.testing.assert_allclose(everyone.mean_abs, np.abs(everyone.points).mean(axis=0))
    for i in (0, 17, 39):
        (one,) = explain(model, cohort.frame.iloc[[everyone.rows[i]]], compared, [5], unit="years")
        found = {c.variable: c.points for c in one.contributions}
        np.testing.assert_allclose(everyone.points[i], [found[v] for v in everyone.variables], atol=1e-14)


def test_global_values_are_places_from_low_to_high(model, cohort, compared):
    everyone = global_explanation(model, cohort, compared, 5, unit="years")
    assert everyone.n_patients == len(cohort)
    for name in ("age", "grade", "hormon"):
        values = everyone.values[:, everyone.variables.index(name)]
        raw = cohort.frame[name].cat.codes.to_numpy() if name != "age" else cohort.frame[name].to_numpy()
        assert (values.min(), values.max()) == (0, 1)
        order = np.argsort(raw, kind="stable")
        assert np.all(np.diff(values[order]) >= 0)


def test_global_sampling_says_its_error(monkeypatch):
    monkeypatch.setattr("bedside.explain.overtime.GLOBAL_CELLS", 1e5)
    cohort, model = _many(300, 16)
    compared = background(model, cohort)
    everyone = global_explanation(model, cohort, compared, 2.0, max_patients=60)
    assert everyone.method == "permutation pairs"
    assert 0 < everyone.sampling_error < 0.01
    hazard = [cumulative_hazard(model, 2.0)]
    risk = 1 - np.exp(-hazard[0] * np.exp(linear_predictor(model, cohort.frame.iloc[everyone.rows])))
    base, _ = shapley_cox(compared.terms[0], compared.terms, hazard)
    np.testing.assert_allclose(base[0] + everyone.points.sum(axis=1), risk, atol=1e-12)


def _explanation(base: float, *parts: tuple[str, float]) -> Explanation:
    told = tuple(Contribution(text, "Hormone therapy", text, points) for text, points in parts)
    return Explanation(5, "years", base, base + sum(p for _, p in parts), told, 0.0, "exact", None, 100)


def test_reasons_say_sign_size_and_association():
    told = reasons(
        _explanation(0.52, ("9 positive nodes", 0.168), ("PgR 116 fmol/mg", -0.103), ("Hormone therapy: no", 0.0123))
    )
    assert told == (
        "9 positive nodes: goes with 17 points more risk.",
        "PgR 116 fmol/mg: goes with 10 points less risk.",
        "Hormone therapy (no): goes with 1 point more risk.",
    )
    assert not any(word in " ".join(told) for word in ("because", "cause", "adds", "due to"))


def test_reasons_with_decimals_and_small_values():
    explanation = _explanation(0.3, ("post-menopausal", 0.0712), ("p53 high", -0.004), ("age 40 years", 0.0005))
    assert reasons(explanation, decimals=1) == (
        "Post-menopausal: goes with 7.1 points more risk.",
        "p53 high: makes little difference here.",
        "Age 40 years: makes little difference here.",
    )
    assert len(reasons(explanation, k=1)) == 1


def test_reasons_are_honest_when_nothing_matters_and_when_all_cancels():
    nothing = _explanation(0.5, ("age 40 years", 0.001), ("grade 2", -0.001))
    assert reasons(nothing) == (
        "No single value makes a difference of half a point here.",
        "Taken together, this patient's risk is the average here: 50 of 100.",
    )
    cancelled = _explanation(0.4, ("age 80 years", 0.1), ("grade 1", -0.1))
    assert reasons(cancelled)[-1] == "Taken together, this patient's risk is the average here: 40 of 100."


def test_a_direction_against_what_is_expected_is_said():
    parts = (
        Contribution("nodes", "Nodes", "9 positive nodes", -0.05, expected=False),
        Contribution("age", "Age", "Age 80 years", 0.02, expected=True),
        Contribution("pgr", "PgR", "PgR 1", 0.001, expected=False),
    )
    assert reasons(Explanation(5, "years", 0.5, 0.471, parts, 0.0, "exact", None, 100)) == (
        "9 positive nodes: goes with 5 points less risk (the opposite of what is usually seen: it may be chance, or "
        "overlap with the other values).",
        "Age 80 years: goes with 2 points more risk.",
        "PgR 1: makes little difference here.",
    )


@pytest.mark.parametrize(
    ("base", "points", "title"),
    [
        (0.52, 0.11, "Why 63 and not 52"),
        (0.524, 0.001, "Why 52, like the average here"),
        (0.08, -0.077, "Why fewer than 1 and not 8"),
    ],
)
def test_headline(base, points, title):
    assert headline(_explanation(base, ("grade 2", points))) == title


@pytest.mark.parametrize(
    ("points", "decimals", "text"),
    [(0.168, 0, "+17"), (-0.103, 0, "−10"), (0.004, 0, "0"), (-0.004, 0, "0"), (-0.0042, 1, "−0.4"), (0, 1, "0")],
)
def test_points_carry_their_sign(points, decimals, text):
    assert points_text(points, decimals=decimals) == text
