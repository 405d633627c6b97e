"""Columns that know what happened, and columns that say nothing: found before a model learns from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bedside.cohort import Cohort
from bedside.errors import Fixable
from bedside.intake import read_cohort
from bedside.regression.concordance import concordance
from bedside.risk.leaks import check, check_predictions
from bedside.risk.leaks_columns import Followed, level_score, ranking_of_two, read_column

INPUTS = Path(__file__).parents[1] / "reference" / "inputs"
SAMPLES = Path(__file__).parents[2] / "sample_data"
DEATH = {"key": "death", "label": "Death", "time": "futime", "status": "death", "unit": "days",
         "censored": ["0"], "event": ["1"]}  # fmt: skip

COMPOSITE = {"label": "Death or transplant", "event_phrase": "die or have a transplant", "free_phrase": "alive"}


@pytest.fixture
def made(cohort_folder):
    """A cohort of 600 patients with one honest predictor, and what a test adds."""

    def make(add=lambda d, rng: None, *, variables=None, n=600, outcomes=(DEATH,)) -> Cohort:
        rng = np.random.default_rng(5)
        x = rng.normal(size=n)
        death, censoring = rng.exponential(1000 * np.exp(-0.7 * x)), rng.uniform(300, 3000, n)
        time = np.ceil(np.minimum(death, censoring))
        d = pd.DataFrame({"x": x.round(3), "futime": time, "death": (death <= censoring).astype(int)})
        add(d, rng)
        told = {"variables": variables} if variables else {}
        return read_cohort(cohort_folder(d, outcomes=list(outcomes), **told))

    return make


def kinds(cohort, names=None, **options):
    return {(s.variable, s.kind) for s in check(cohort, "death", names, **options)}


def test_cause_of_death_as_predictor(cohort_folder):
    frame = pd.read_csv(INPUTS / "flchain_chapter.csv")
    cohort = read_cohort(cohort_folder(frame, outcomes=[DEATH]))
    found = {s.kind: s for s in check(cohort, "death")}
    assert {s.variable for s in found.values()} == {"chapter"}
    assert found["single"].evidence["C"] == pytest.approx(0.92, abs=0.01)
    assert "C .92" in found["single"].sentence and found["single"].action == "leave out"
    gaps = found["missingness"].evidence
    assert gaps["recorded with event"] == 1.0 and gaps["recorded without"] == 0.0
    plain = concordance(
        cohort.time("death"), cohort.event("death"), cohort.frame["chapter"].notna().to_numpy().astype(float)
    ).c
    assert gaps["C"] == pytest.approx(plain, rel=1e-12)


@pytest.mark.parametrize("folder", sorted(p.name for p in SAMPLES.iterdir()))
def test_nothing_grave_in_the_samples(folder, sample):
    cohort = sample(folder)
    for outcome in cohort.outcomes:
        everything = [v.name for v in cohort.filterable]
        for target, names in (("any", None), ("event" if outcome.has_competing else "any", everything)):
            found = check(cohort, outcome, names, target=target)
            later = {v.name for v in cohort.filterable if v.use == "later"}
            assert {s.variable for s in found if s.kind == "later"} == (later if names else set())
            assert {s.kind for s in found} <= {"later", "sparse"}


def test_an_honest_cohort(made):
    assert kinds(made()) == set()


def test_columns_that_contain_the_outcome(made):
    def add(d, rng):
        d["dead"] = np.where(d.death == 1, "gone", "here")
        d["years"] = d.futime / 365.25
        d["age"] = rng.uniform(40, 80, len(d)).round(2)
        d["age_at_end"] = (d.age + d.futime / 365.25).round(2)
        d["marker"] = d.death * 10 + rng.normal(size=len(d))

    found = check(made(add), "death")
    assert {(s.variable, s.kind) for s in found} >= {
        ("dead", "outcome"), ("years", "outcome"), ("age_at_end", "outcome"), ("marker", "outcome"),
    }  # fmt: skip
    assert {s.variable for s in found if s.kind == "outcome"} == {"dead", "years", "age_at_end", "marker"}
    assert next(s.related for s in found if s.variable == "age_at_end") == ("age",)
    assert kinds(made(add), ["futime"]) == {("futime", "outcome")} if made(add).has("futime") else True


def test_recorded_only_where_the_event_came(made):
    def add(d, rng):
        d["place"] = np.where(d.death == 1, rng.choice(["home", "hospital", "hospice"], len(d)), None)
        d["alive_check"] = np.where(d.death == 0, rng.normal(size=len(d)), np.nan)
        d["gaps"] = np.where(rng.random(len(d)) < 0.4, np.nan, rng.normal(size=len(d)))

    found = kinds(made(add))
    assert {("place", "missingness"), ("alive_check", "missingness")} <= found
    assert "gaps" not in {name for name, _ in found}


def test_fifty_levels_of_noise_are_not_predictive(made):
    def add(d, rng):
        d["centre"] = rng.integers(0, 50, len(d)).astype(str)
        d["ward"] = rng.integers(0, 250, len(d)).astype(str)

    cohort = made(add, variables=[{"name": n, "kind": "categorical"} for n in ("centre", "ward")])
    assert {kind for _, kind in kinds(cohort)} <= {"sparse"}
    time, event = cohort.time("death"), cohort.event("death")
    seen = Followed(time, time, event, event)
    honest = level_score(read_column(cohort.frame, cohort.variable("centre")), seen)
    assert concordance(time, event, honest).c == pytest.approx(0.5, abs=0.05)
    codes = cohort.frame["ward"].cat.codes.to_numpy()
    naive = np.bincount(codes, event) / np.bincount(codes, time)
    assert concordance(time, event, naive[codes]).c > 0.7


def test_strong_level_scores_have_no_patient_of_their_own(made):
    def add(d, rng):
        d["sign"] = pd.qcut(d.futime, 6, labels=list("abcdef")).astype(str)

    (found,) = [s for s in check(made(add), "death") if s.kind == "single"]
    assert found.variable == "sign" and found.evidence["C"] > 0.85


def test_identifiers(made):
    def add(d, rng):
        d["row"] = np.arange(len(d)) + 7
        d["number"] = rng.permutation(len(d)) + 1000
        d["name"] = [f"p{i}" for i in range(len(d))]
        d["platelets"] = rng.integers(50_000, 400_000, len(d))

    said = [{"name": n, "kind": "continuous"} for n in ("row", "number", "platelets")]
    cohort = made(add, variables=[*said, {"name": "name", "kind": "categorical"}])
    assert kinds(cohort) == {("row", "identifier"), ("number", "identifier"), ("name", "identifier")}
    text = made(add, variables=[*said, {"name": "name", "kind": "identifier"}])
    assert ("name", "identifier") in kinds(text, ["name", "x"])


def test_duplicates(made):
    def add(d, rng):
        d["again"] = 2.54 * d.x + rng.normal(scale=0.02, size=len(d))
        d["positive"] = np.exp(3 * d.x)
        d["sex"] = rng.choice(["f", "m"], len(d))
        d["gender"] = d.sex.map({"f": "woman", "m": "man"})
        d["rare"] = np.where(np.arange(len(d)) < 8, "yes", "no")
        d["rarer"] = np.where((np.arange(len(d)) > 20) & (np.arange(len(d)) < 29), "yes", "no")

    found = check(made(add), "death")
    assert {(s.variable, s.related) for s in found if s.kind == "duplicate"} == {
        ("again", ("x",)), ("positive", ("x",)), ("gender", ("sex",)),
    }  # fmt: skip


def test_constants_and_sparse_levels(made):
    def add(d, rng):
        d["one"] = 1.0
        d["none"] = np.nan
        d["rare"] = np.where(np.arange(len(d)) < 3, "c", rng.choice(["a", "b"], len(d)))

    variables = [{"name": n, "kind": "continuous"} for n in ("one", "none")]
    found = check(made(add, variables=variables), "death", ["one", "none", "rare", "x"])
    assert {(s.variable, s.kind, s.action) for s in found} == {
        ("one", "constant", "leave out"), ("none", "constant", "leave out"), ("rare", "sparse", "look"),
    }  # fmt: skip


def test_immortal_time(made):
    def add(d, rng):
        late = (d.futime > 400) & (rng.random(len(d)) < 0.7)
        d["responded"] = np.where(late, "yes", "no")
        d["second_line"] = np.where(late, rng.normal(size=len(d)), np.nan)
        d["cycles"] = np.where(late, 6, rng.integers(1, 6, len(d)))

    found = {s.variable: s for s in check(made(add), "death")}
    assert found["responded"].kind == "immortal" and "immortal time" in found["responded"].sentence
    assert found["responded"].evidence["first event"] > 400
    assert {s.kind for s in found.values()} == {"immortal"} and set(found) == {"responded", "second_line", "cycles"}


def test_protection_is_not_immortal_time(cohort_folder):
    rng = np.random.default_rng(2)
    treated = rng.random(800) < 0.5
    time = np.ceil(rng.exponential(np.where(treated, 4000, 800)))
    frame = pd.DataFrame({"arm": np.where(treated, "drug", "none"), "futime": np.minimum(time, 3000)})
    frame["death"] = (time <= 3000).astype(int)
    assert kinds(read_cohort(cohort_folder(frame, outcomes=[DEATH]))) == set()


def test_times_within_follow_up(made):
    def add(d, rng):
        d["on_drug_months"] = (d.futime * rng.uniform(0.05, 1, len(d)) / 30.4375).round(3)
        d["last_seen"] = np.where(d.death == 0, d.futime, (d.futime * rng.uniform(0, 1, len(d))).round(1))
        d["since_diagnosis"] = rng.exponential(900, len(d)).round()

    variables = [{"name": n, "kind": "continuous"} for n in ("on_drug_months", "last_seen", "since_diagnosis")]
    found = kinds(made(add, variables=variables))
    assert {("on_drug_months", "bounded"), ("last_seen", "bounded")} <= found
    assert "since_diagnosis" not in {name for name, _ in found}


def test_delayed_entry_competing_events_and_few(made):
    def add(d, rng):
        d["entry"] = np.floor(d.futime * rng.uniform(0, 0.5, len(d)))
        d.loc[d.index[::5], "death"] = 2

    outcome = {**DEATH, "competing": {"Transplant": ["2"]}, "entry": "entry", "composite": COMPOSITE}
    cohort = made(add, outcomes=(outcome,))
    assert kinds(cohort) == kinds(cohort, target="event") == set()
    few = made(lambda d, rng: d.update(pd.DataFrame({"death": np.r_[1, np.zeros(len(d) - 1, dtype=int)]})))
    assert check(few, "death") == ()
    with pytest.raises(Fixable):
        check(cohort, "death", ["nothing"])


def test_concordance_of_a_group_from_counts():
    rng = np.random.default_rng(1)
    time, event = rng.integers(1, 30, 300).astype(float), rng.random(300) < 0.5
    inside, entry = rng.random(300) < 0.3, np.floor(time * rng.random(300)) - 1
    for began in (None, entry):
        seen = Followed(time, time, event, event, began)
        plain = concordance(time, event, inside.astype(float), entry=began).c
        assert ranking_of_two(seen, inside) == pytest.approx(plain, rel=1e-12)


def test_a_model_that_says_the_same_of_everybody(made):
    class Flat:
        label = "Forest"

        def __init__(self, risk):
            self.own = risk

        def risk(self, patients, times):
            return np.full((len(patients), len(times)), 0.3) + self.own * np.arange(len(patients))[:, None]

    cohort = made()
    said = check_predictions(Flat(0.0), cohort, 500)
    assert said.kind == "constant" and "30.0 of 100" in said.sentence
    assert check_predictions(Flat(1e-4), cohort, 500) is None
