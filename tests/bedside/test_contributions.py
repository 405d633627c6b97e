"""Contributions of every kind of model: against the definition written out, shap, and the same bits again."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import combinations
from math import factorial

import numpy as np
import pandas as pd
import pytest
from risk_cases import SOURCE, levels, number

from bedside.cohort import Cohort, Outcome
from bedside.errors import Fixable
from bedside.explain import (
    background,
    contributions,
    dependence,
    explain,
    global_explanation,
    global_over_time,
    interactions,
    reasons,
    stability,
)
from bedside.explain.asked import FrameGame
from bedside.explain.contributions import variable_terms
from bedside.explain.game import ONE, Effort
from bedside.explain.games import prepared
from bedside.risk.average import Average
from bedside.risk.learners import learn
from bedside.risk.training import training
from bedside.risk.variability import with_variability

TIMES = (0.0, 2.0, 5.5, 9.0)
SETTINGS = {
    "cox": {"knots": 0},
    "curves": {"knots": 3},
    "cause-specific": {"knots": 0},
    "fine-gray": {"knots": 0, "competing": "fine-gray"},
    "penalised": None,
    "penalised two": None,
    "forest": {"trees": 30, "leaf": 10, "share": 0.67},
    "forest two": {"trees": 30, "leaf": 10, "share": 0.67},
    "boosted": {"rounds": 40, "depth": 3},
    "boosted two": {"rounds": 30, "depth": 2, "rounds.2": 20, "depth.2": 3},
    "average": {"cox.knots": 0, "forest.trees": 30, "forest.leaf": 10, "forest.share": 0.67},
}
KIND = {"curves": "cox", "cause-specific": "cox", "fine-gray": "cox"}
TWO = ("cause-specific", "fine-gray")


@cache
def cohort(n: int = 260) -> Cohort:
    """Five variables, one with three levels, some values missing, two kinds of event."""
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({name: rng.normal(size=n) for name in ("age", "size", "marker")})
    site, sex = rng.integers(0, 3, n), rng.integers(0, 2, n)
    push = 0.7 * frame.age + 0.5 * frame["size"] * sex + 0.6 * (site == 2) - 0.4 * np.abs(frame.marker)
    first, other = rng.exponential(8 * np.exp(-push)), rng.exponential(20 * np.exp(-0.6 * frame.age))
    left = rng.uniform(3, 15, n)
    frame["years"] = np.minimum(np.minimum(first, other), left)
    status = np.where(frame.years == first, 1, np.where(frame.years == other, 2, 0))
    frame.loc[rng.random(n) < 0.1, "marker"] = np.nan
    frame["site"] = pd.Categorical(np.array(["a", "b", "c"])[site], categories=["a", "b", "c"])
    frame["sex"] = pd.Categorical(np.array(["f", "m"])[sex], categories=["f", "m"])
    frame["status"] = pd.Categorical(status.astype(str), categories=["0", "1", "2"])
    outcome = Outcome(
        key="relapse", label="Relapse or death", time="years", unit="years", status="status", censored=("0",),
        event=("1",), competing={"Death": ("2",)}, cause_label="Relapse",
    )  # fmt: skip
    variables = (
        number("age", expected="raises"), number("size"), number("marker"), levels("site", ["a", "b", "c"]),
        levels("sex", ["f", "m"]),
    )  # fmt: skip
    return Cohort(
        key="five", title="Five", short_title="Five", summary="", population="", identifier=None, variables=variables,
        outcomes=(outcome,), treatment=None, source=SOURCE, frame=frame,
    )  # fmt: skip


@cache
def model(name: str):
    target = "event" if name.endswith("two") or name in TWO else "any"
    kind = KIND.get(name, name.removesuffix(" two"))
    return learn(kind, training(cohort(), "relapse", target=target), SETTINGS[name])


@cache
def beside(name: str):
    return background(model(name), cohort(), size=7)


@cache
def patients() -> pd.DataFrame:
    """Two ordinary ones; one with a gap and a level never seen; one far outside."""
    frame = cohort().frame.iloc[[3, 40, 41, 42]].reset_index(drop=True)
    frame["site"] = frame["site"].astype(object)
    frame.loc[2, ["age", "site"]] = np.nan, "z"
    frame.loc[3, ["age", "size"]] = 40.0, -40.0
    return frame


def written_out(fitted, rows: pd.DataFrame, patient: pd.DataFrame, names: list[str], times) -> np.ndarray:
    """The definition, coalition by coalition and through raw columns: shape (n_variables, t)."""
    worth = {}
    for size in range(len(names) + 1):
        for inside in combinations(names, size):
            mixed = rows.copy()
            mixed["site"] = mixed["site"].astype(object)
            for name in inside:
                mixed[name] = patient[name].iloc[0]
            worth[frozenset(inside)] = fitted.risk(mixed, times).mean(axis=0)
    p, out = len(names), []
    for name in names:
        others = [each for each in names if each != name]
        total = np.zeros(len(times))
        for size in range(p):
            weight = factorial(size) * factorial(p - size - 1) / factorial(p)
            for inside in combinations(others, size):
                total += weight * (worth[frozenset((*inside, name))] - worth[frozenset(inside)])
        out.append(total)
    return np.array(out)


@pytest.mark.parametrize("name", SETTINGS)
def test_is_the_definition(name):
    fitted = model(name)
    found = contributions(fitted, patients(), beside(name), TIMES)
    assert found.how == "exact" and found.error is None and found.n_background == 7
    assert found.values.shape == (4, len(found.variables), 4)
    assert found.additivity_error < 1e-9
    names = [v.name for v in found.variables]
    if name != "penalised":
        assert sorted(names) == ["age", "marker", "sex", "site", "size"]
    for i in (0, 2, 3):
        asked = written_out(fitted, beside(name).frame, patients().iloc[[i]], names, TIMES)
        np.testing.assert_allclose(found.values[i], asked, rtol=0, atol=1e-11)
    assert np.abs(found.values[:, :, 1:]).max() > 0.02
    again = contributions(fitted, patients(), background(fitted, cohort(), size=7), TIMES)
    assert again.values.tobytes() == found.values.tobytes()


@pytest.mark.parametrize("name", ["cox", "cause-specific", "boosted", "boosted two", "penalised two"])
def test_sampled_orders_add_up_and_come_near(name):
    fitted, effort = model(name), Effort(cells=0, pairs=64, batch=16, sums=0)
    exact = contributions(fitted, patients(), beside(name), TIMES)
    found = contributions(fitted, patients(), beside(name), TIMES, effort=effort, seed=4)
    assert found.how == "permutation pairs"
    assert found.additivity_error < 1e-9
    assert 0 < found.error.max() < 0.02
    assert np.abs(found.values - exact.values).max() <= 4 * found.error.max()
    again = contributions(fitted, patients(), beside(name), TIMES, effort=effort, seed=4)
    assert again.values.tobytes() == found.values.tobytes()


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # matplotlib, imported by shap
def test_shap_says_the_same_of_trees():
    import shap

    for name in ("forest", "boosted"):
        fitted, rows = model(name), beside(name)
        x, own = fitted.columns(rows.frame), fitted.columns(patients())
        if name == "forest":
            weights = fitted.weights([5.5])[0][:, 0]

            def risk(columns, fitted=fitted, weights=weights):
                return fitted.trees.mean(columns.astype(np.float32)) @ weights
        else:
            hazard = fitted.boosters[0].hazard[fitted.time <= 5.5].sum()

            def risk(columns, fitted=fitted, hazard=hazard):
                return 1 - np.exp(-hazard * np.exp(fitted.log_hazards(columns.astype(np.float32))[:, 0]))

        masker = shap.maskers.Independent(x.astype(float), max_samples=len(x))
        theirs = shap.ExactExplainer(risk, masker)(own.astype(float)).values
        ours = contributions(fitted, patients(), rows, [5.5]).values[:, :, 0]
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)


def test_a_model_of_an_unknown_kind_is_asked():
    rows = beside("cox")
    game = FrameGame(model("cox"), rows.frame)
    asked, error = game.points(patients(), np.array(TIMES), seed=0, effort=ONE)
    assert error is None
    np.testing.assert_allclose(asked, contributions(model("cox"), patients(), rows, TIMES).values, atol=1e-12)


def test_average_and_refits_pass_on():
    average = model("average")
    assert isinstance(average, Average)
    varied = with_variability(model("cox"), training(cohort(), "relapse"), refits=2)
    found = contributions(varied, patients(), background(varied, cohort(), size=7), TIMES)
    assert found.values.tobytes() == contributions(model("cox"), patients(), beside("cox"), TIMES).values.tobytes()


def test_many_variables_are_sampled_and_unused_ones_get_nothing():
    rng = np.random.default_rng(1)
    n, p = 200, 18
    x = rng.normal(size=(n, p))
    frame = pd.DataFrame(x, columns=[f"x{j}" for j in range(p)])
    died, left = rng.exponential(5 * np.exp(-x[:, 0])), rng.uniform(2, 12, n)
    frame["years"], frame["event"] = np.minimum(died, left), died <= left
    from risk_cases import cohort_of

    many = cohort_of(frame, [number(f"x{j}") for j in range(p)], time="years", unit="years")
    for kind, settings in (("boosted", {"rounds": 30, "depth": 2}), ("cox", {"knots": 0})):
        fitted = learn(kind, training(many, "death"), settings)
        found = contributions(fitted, many.frame.head(1), background(fitted, many, size=10), [2.0, 4.0])
        assert found.additivity_error < 1e-9
        assert found.how == ("exact" if kind == "cox" else "permutation pairs")
        assert kind == "cox" or 0 < found.error.max() < 0.01
    kept = learn("penalised", training(many, "death"))
    found = contributions(kept, many.frame.head(3), background(kept, many), [4.0])
    assert {v.name for v in found.variables} == set(kept.kept)
    assert found.additivity_error < 1e-9
    silent = replace(kept, hazards=(replace(kept.hazards[0], coef=kept.hazards[0].coef * (kept.hazards[0].coef > 0)),))
    found = contributions(silent, many.frame.head(3), background(silent, many), [4.0])
    still = np.array([term.column for term in silent.design.terms if silent.hazards[0].coef[term.column] == 0])
    assert np.array_equal(found.values[:, still], np.zeros((3, len(still), 1)))


def test_explanations_in_words_for_every_kind():
    for name in SETTINGS:
        told = explain(model(name), patients().iloc[[2]], beside(name), [5.5])[0]
        assert told.additivity_error < 1e-9 and told.method == "exact"
        said = {part.variable: part for part in told.contributions}
        if "age" in said:
            assert said["age"].value_text == "age (missing; median used)"
            assert said["age"].expected is True
        assert reasons(told)


def test_another_models_background_is_refused():
    with pytest.raises(Fixable, match="another model"):
        contributions(model("forest"), patients(), beside("cox"), TIMES)


def test_global_views():
    for name in ("forest", "boosted two", "average", "cause-specific"):
        fitted, rows = model(name), beside(name)
        overall = global_over_time(fitted, cohort(), rows, [2.0, 9.0], max_patients=40)
        assert overall.points.shape == (40, len(overall.variables), 2)
        np.testing.assert_allclose(overall.mean_abs, np.abs(overall.points).mean(axis=0))
        risk = fitted.risk(cohort().frame.iloc[overall.rows], [2.0, 9.0])
        np.testing.assert_allclose(overall.base + overall.points.sum(axis=1), risk, atol=1e-9)
        one = global_explanation(fitted, cohort(), rows, 9.0, max_patients=40)
        np.testing.assert_allclose(one.mean_abs, np.sort(overall.mean_abs[:, 1])[::-1], rtol=1e-9)


def test_fewer_are_compared_with_where_all_would_take_long(monkeypatch):
    monkeypatch.setattr("bedside.explain.overtime.GLOBAL_CELLS", 1e4)
    fitted = model("cause-specific")
    overall = global_over_time(fitted, cohort(), background(fitted, cohort()), [9.0], max_patients=5)
    assert overall.n_background == 25 and overall.how == "permutation pairs"
    risk = fitted.risk(cohort().frame.iloc[overall.rows], [9.0])
    np.testing.assert_allclose(overall.base + overall.points.sum(axis=1), risk, atol=1e-9)
    assert 0 < overall.sampling_error < 0.05


def test_dependence_finds_the_partner():
    fitted, frame = model("forest"), cohort().frame
    overall = global_over_time(fitted, cohort(), beside("forest"), [9.0])
    names = [v.name for v in overall.variables]
    pairs = interactions(fitted, frame.iloc[:6], beside("forest"), 9.0)
    each = np.abs(pairs.values).mean(axis=0)
    for name in names:
        j, shown = names.index(name), dependence(fitted, cohort(), overall, name, 0, pairs=pairs)
        assert shown.partner.name == names[int(each[j].argmax())] and shown.strength == each[j].max() > 5e-4
    size, sex = names.index("size"), names.index("sex")
    told = np.zeros_like(pairs.values)
    told[:, size, sex] = told[:, sex, size] = -0.03
    told[:, size, 0] = told[:, 0, size] = 0.01
    pairs = replace(pairs, values=told)
    shown = dependence(fitted, cohort(), overall, "size", 0, pairs=pairs)
    assert shown.partner.name == "sex" and shown.strength == pytest.approx(0.03)
    np.testing.assert_array_equal(shown.value, frame["size"])
    np.testing.assert_array_equal(shown.partner_value, frame.sex.cat.codes)
    alone = dependence(fitted, cohort(), overall, "sex", 0, pairs=replace(pairs, values=told / 100))
    assert alone.partner is None and alone.strength == 0
    assert variable_terms(model("cox"), frame).shape == (len(frame), 5)


def test_stability_over_folds():
    rows = training(cohort(), "relapse")
    found = stability("cox", rows, 9.0, folds=3, settings={"knots": 0})
    assert found.variables[0].name == "age" and found.best[0] == found.worst[0] == 1
    np.testing.assert_allclose(found.mean, found.importance.mean(axis=0))
    assert (found.best <= found.worst).all() and (np.diff(found.mean) <= 0).all()
    assert prepared(model("cox"), cohort().frame.head(2)).players


def test_polynomials_stand_for_the_curve_of_two_hazards(monkeypatch):
    for name in ("cause-specific", "boosted two"):
        fitted, rows = model(name), background(model(name), cohort())
        usual = patients().iloc[:2]
        quick = contributions(fitted, usual, rows, TIMES)
        with monkeypatch.context() as slow:
            slow.setattr("bedside.explain.curves.Chebyshev", lambda curve: curve)
            plain = contributions(fitted, usual, background(fitted, cohort()), TIMES)
        assert quick.how == plain.how == "exact" and quick.additivity_error < 1e-9
        np.testing.assert_allclose(quick.values, plain.values, rtol=0, atol=1e-9)
        assert quick.values.tobytes() != plain.values.tobytes()
