"""Boosted trees: xgboost's own numbers, the baseline, delayed entry, other causes, damage, and life without xgboost."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from risk_cases import cohort_of, levels, number, simulated
from test_contributions import cohort as two_causes

from bedside.errors import Fixable
from bedside.regression.concordance import concordance
from bedside.risk.boosted import Boosted, restore_boosted
from bedside.risk.boosted_grow import DEFAULTS, Cases, Likelihood, grown
from bedside.risk.boosted_trees import margins, trees_of
from bedside.risk.fitted import State
from bedside.risk.learners import learn
from bedside.risk.save import about_model, pack, unpack
from bedside.risk.training import training

SMALL = {"rounds": 40, "depth": 2}


@pytest.fixture(scope="module")
def cohort():
    return simulated(300, seed=3)


@pytest.fixture(scope="module")
def model(cohort) -> Boosted:
    return learn("boosted", training(cohort, "death"), SMALL)


def test_log_hazards_are_xgboosts(cohort, model):
    import xgboost

    theirs = xgboost.Booster()
    theirs.load_model(bytearray(model.boosters[0].text.encode()))
    x = model.columns(cohort.frame)
    edge = x.copy()  # on a threshold xgboost goes right
    trees = model.boosters[0].trees
    split = np.flatnonzero(trees.left != np.arange(len(trees.left)))[:100]
    edge[np.arange(len(split)), trees.feature[split]] = np.nextafter(
        trees.threshold[split].astype(np.float32), np.float32(np.inf)
    )
    for asked in (x, edge):
        away = margins(trees, asked) - theirs.predict(xgboost.DMatrix(asked), output_margin=True)
        assert np.ptp(away) < 2e-6


def test_baseline_gives_the_events_back(cohort, model):
    """Breslow: the expected events of the training patients are those that occurred."""
    rows = training(cohort, "death")
    untied = replace(rows, time=rows.time + np.arange(len(rows)) * 1e-5)
    fitted = learn("boosted", untied, SMALL)
    hazard = np.concatenate(([0.0], np.cumsum(fitted.boosters[0].hazard)))
    expected = hazard[np.searchsorted(fitted.time, untied.time, side="right")] * np.exp(fitted.score(cohort.frame))
    assert expected.sum() == pytest.approx(rows.event.sum(), rel=1e-9)
    assert concordance(rows.time, rows.event, model.score(cohort.frame)).c > 0.65


def test_risks(cohort, model):
    times = [0.0, 1.0, 100.0, 500.0, model.last]
    risk = model.risk(cohort.frame, times)
    assert (risk[:, 0] == 0).all() and (np.diff(risk, axis=1) >= 0).all() and 0 < risk.max() <= 1
    assert np.array_equal(np.argsort(risk[:, 3], kind="stable"), np.argsort(model.score(cohort.frame), kind="stable"))
    assert model.limits(cohort.frame, times) is None
    with pytest.raises(Fixable, match="No risk at that time"):
        model.risk(cohort.frame, [model.last * 1.01])


def test_the_same_bits_again_and_from_a_file(cohort, model):
    again = learn("boosted", training(cohort, "death"), SMALL)
    assert again.fingerprint == model.fingerprint
    back = unpack(pack(model, about_model(model, name="Trees", saved="2025-01-01T00:00:00"))).model
    times = [100.0, 900.0]
    assert back.risk(cohort.frame, times).tobytes() == model.risk(cohort.frame, times).tobytes()
    # Patients are told the same alone and among others.
    assert model.risk(cohort.frame.iloc[[7]], times).tobytes() == model.risk(cohort.frame, times)[7].tobytes()
    assert learn("boosted", training(cohort, "death"), SMALL, seed=1).fingerprint != model.fingerprint


def test_settings_are_chosen_inside(cohort):
    told = []
    fitted = learn("boosted", training(cohort, "death"), {"eta": 0.2}, progress=lambda *now: told.append(now))
    assert fitted.settings["eta"] == 0.2 and 1 <= fitted.settings["rounds"] <= 100
    assert fitted.settings["depth"] in (1, 2, 3)
    shares = [share for share, _ in told]
    assert shares == sorted(shares) and shares[-1] == 1.0
    fixed = learn("boosted", training(cohort, "death"), {"rounds": 7})
    assert fixed.settings["rounds"] == 7 and len(fixed.boosters[0].trees) == 7


def test_noise_stays_near_the_average():
    cohort = simulated(300, 5, seed=1, effect=0.0)
    fitted = learn("boosted", training(cohort, "death"))
    assert fitted.risk(cohort.frame, [700.0]).std() < 0.06


def test_gradient_is_the_likelihoods():
    rng = np.random.default_rng(0)
    n = 40
    entry, margin = rng.uniform(0, 2, n), rng.normal(size=n)
    time = np.round(entry + 0.1 + rng.exponential(2, n), 1)
    event = rng.random(n) < 0.6
    for came in (None, entry):
        of = Likelihood(time, event, came)
        at_risk = (time >= time[event][:, None]) & ((0.0 if came is None else came) < time[event][:, None])
        plain = np.log(at_risk @ np.exp(margin)).sum() - margin[event].sum()
        assert of.loss(margin) == pytest.approx(plain / event.sum())
        first, second = of.derivatives(margin)
        for i in range(5):
            step = np.zeros(n)
            step[i] = 1e-5
            up, down, here = (of.loss(margin + s) * event.sum() for s in (step, -step, 0 * step))
            assert first[i] == pytest.approx((up - down) / 2e-5, abs=1e-5)
            assert second[i] == pytest.approx((up - 2 * here + down) / 1e-10, abs=1e-3)


def test_own_gradient_grows_xgboosts_trees(cohort):
    """Without delay both ways to learn are one: survival:cox, and its gradient handed over."""
    rows = training(cohort, "death")
    x = cohort.frame[["x0", "x1", "x2"]].to_numpy(np.float32)
    used = DEFAULTS | {"drawn": 1.0, "share": 1.0, "depth": 2, "rounds": 20}
    untied = rows.time + np.arange(len(rows)) * 1e-5
    plain = Cases(x, untied, rows.event, None)
    late = Cases(x, untied, rows.event, np.full(len(rows), -1.0))
    one, other = (margins(trees_of(grown(cases, used, 0), 3), x) for cases in (plain, late))
    np.testing.assert_allclose(one - one.mean(), other - other.mean(), atol=2e-3)


def test_delayed_entry_is_heard():
    """The sick come late: whoever takes them as seen from the start misses what the variable does."""
    rng = np.random.default_rng(2)
    n = 3000
    x = rng.normal(size=n)
    died, entry = rng.exponential(5 * np.exp(-x)), rng.uniform(0, 6, n)
    seen = died > entry
    frame = pd.DataFrame({"x": x, "time": died, "event": True})[seen].reset_index(drop=True)
    rows = replace(training(cohort_of(frame, [number("x")]), "death"), entry=entry[seen])
    late = learn("boosted", rows, {"rounds": 150, "depth": 1})
    naive = learn("boosted", replace(rows, entry=None), {"rounds": 150, "depth": 1})
    ask = pd.DataFrame({"x": [-1.0, 0.0, 1.0]})
    true = 1 - np.exp(-3 / 5 * np.exp([-1.0, 0.0, 1.0]))
    assert np.abs(late.risk(ask, [3.0])[:, 0] - true).max() < 0.08
    assert np.abs(naive.risk(ask, [3.0])[:, 0] - true).max() > 0.12


def test_another_cause_competes():
    rows = training(two_causes(), "relapse", target="event")
    fitted = learn("boosted", rows, {"rounds": 20, "depth": 2, "rounds.2": 10, "depth.2": 1})
    assert [booster.cause for booster in fitted.boosters] == [1, 2]
    assert [len(booster.trees) for booster in fitted.boosters] == [20, 10]
    flip = replace(rows, cause=np.array([0, 2, 1])[rows.cause])
    other = learn("boosted", flip, {"rounds": 10, "depth": 1, "rounds.2": 20, "depth.2": 2})
    either = fitted.risk(rows.frame, [3.0, 6.0]) + other.risk(rows.frame, [3.0, 6.0])
    assert (either <= 1).all() and (np.diff(fitted.risk(rows.frame, [0, 3.0, 6.0]), axis=1) >= 0).all()
    # A cause too rare to learn from has a hazard, but no trees.
    rare = rows.cause.copy()
    rare[np.flatnonzero(rare == 2)[5:]] = 0
    lone = learn("boosted", replace(rows, cause=rare), {"rounds": 20, "depth": 2})
    assert [len(booster.trees) for booster in lone.boosters] == [20, 0]
    back = restore_boosted(State("boosted", json.loads(json.dumps(lone.state().facts)), lone.state().arrays))
    assert back.fingerprint == lone.fingerprint


def test_odd_patients_are_read(model):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=200), "arm": rng.choice(list("abc"), 200)})
    frame["time"], frame["event"] = np.ceil(rng.exponential(100, 200)) - 1, rng.random(200) < 0.7
    fitted = learn("boosted", training(cohort_of(frame, [number("x"), levels("arm", list("abc"))]), "death"), SMALL)
    odd = pd.DataFrame({"x": [np.nan, 1e300, -1e300, np.inf, 0.0], "arm": [None, "z", "a", "b", "c"]})
    assert np.isfinite(fitted.risk(odd, [50.0])).all()
    assert fitted.risk(pd.DataFrame(index=[0]), [50.0]).shape == (1, 1)


def test_nine_events_and_nothing_to_predict_with(cohort):
    rows = training(cohort, "death")
    few = rows.cause.copy()
    few[np.flatnonzero(few)[9:]] = 0
    with pytest.raises(Fixable, match="at least 10 events"):
        learn("boosted", replace(rows, cause=few))
    with pytest.raises(Fixable, match="None of the variables"):
        learn("boosted", replace(rows, frame=rows.frame.assign(x0=1.0, x1=1.0, x2=1.0)))


def test_damaged_trees_are_refused(model, cohort):
    """One character changed, many times: refused, or trees that still end; never a crash."""
    text, rng, refused = model.boosters[0].text, np.random.default_rng(1), 0
    x = model.columns(cohort.frame.head(5))
    for _ in range(60):
        at = int(rng.integers(len(text)))
        try:
            margins(trees_of(text[:at] + "]}9-x"[int(rng.integers(5))] + text[at + 1 :], x.shape[1]), x)
        except Fixable:
            refused += 1
    assert refused > 10
    circle = json.loads(text)
    circle["learner"]["gradient_booster"]["model"]["trees"][0]["left_children"][0] = 0
    far = json.loads(text)
    far["learner"]["gradient_booster"]["model"]["trees"][0]["split_indices"][0] = 99
    for wrong in (json.dumps(circle), json.dumps(far), "", "{}", "[" * 100_000, text[:-9], text.replace("trees", "t")):
        with pytest.raises(Fixable, match="damaged"):
            trees_of(wrong, x.shape[1])


def test_without_xgboost(tmp_path, cohort, model):
    """Other kinds live; boosted trees name the remedy; a saved model of them still opens."""
    (tmp_path / "model").write_bytes(pack(model, about_model(model, name="Trees", saved="2025-01-01T00:00:00")))
    script = f"""
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "xgboost":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Blocked())
sys.path.insert(0, "tests/bedside")
import pathlib, pandas as pd
from risk_cases import simulated
from bedside.errors import Fixable
from bedside.explain import background, contributions
from bedside.risk.learners import learn
from bedside.risk.save import unpack
from bedside.risk.training import training
cohort = simulated(300, seed=3)
rows = training(cohort, "death")
assert learn("cox", rows, {{"knots": 0}}).n == 300
try:
    learn("boosted", rows)
except Fixable as told:
    print(told.next_step)
opened = unpack(pathlib.Path({str(tmp_path / "model")!r}).read_bytes()).model
found = contributions(opened, cohort.frame.head(1), background(opened, cohort), [500.0])
print(found.additivity_error < 1e-9, opened.risk(cohort.frame, [500.0]).tobytes().hex()[:32])
assert "xgboost" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=".")
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert "pip install -r requirements-boost.txt" in first
    assert second == f"True {model.risk(cohort.frame, [500.0]).tobytes().hex()[:32]}"
