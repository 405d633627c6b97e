"""A model on other patients: the PBC trial against R, outcomes that differ, columns under other names and units."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from risk_cases import cohort_of, levels, number, simulated

from bedside.cohort import OneOf, Selection
from bedside.errors import Fixable
from bedside.risk.fitted import State
from bedside.risk.learners import learn, restore
from bedside.risk.save import about_model, pack, unpack
from bedside.risk.training import training
from bedside.validation.external import external
from bedside.validation.external_map import compare_definitions, guess_mapping, mapped_cohort, unit_factor
from bedside.validation.measure import rows_of
from bedside.validation.recalibrate import recalibrate
from bedside.validation.recalibrated import baseline_hazard
from bedside.validation.weak import weak_calibration

YEARS = np.array([2, 5]) * 365.25
MAYO = (number("age"), number("edema"), *(number(name, scale="log") for name in ("bili", "albumin", "protime")))
PLAIN = {"knots": 0, "penalizer": 0.0}


@pytest.fixture(scope="module")
def mayo(reference_frame):
    """The model of the 312 trial patients, and the 106 outside the trial."""
    d = reference_frame("pbc").assign(event=lambda d: (d.status > 0).astype(int))
    everyone = cohort_of(d, MAYO)
    trial = d.trt.notna().to_numpy()
    model = learn("cox", training(everyone.take(trial, seal="trial"), "death"), PLAIN)
    return model, everyone.take(~trial, seal="outside")


def test_outside_the_trial_against_r(mayo, r, same):
    model, outside = mayo
    theirs = r("27_audit")["external"]
    found = external(model, outside, "death", times=YEARS)
    same(model.coef[[0, 1, 2, 3, 4]], theirs["coefficients"], rtol=1e-7)
    said = found.performance
    assert (said.n, said.n_events) == (theirs["n"], theirs["events"]) == (106, 42)
    np.testing.assert_allclose(found.risk[:8], np.array(theirs["risk"], dtype=float), rtol=1e-7)
    for j, at in enumerate(said.at):
        observed = theirs["observed"][j]
        same([at.overall.observed.risk, at.overall.observed.lower, at.overall.observed.upper],
             [observed[k] for k in ("risk", "lower", "upper")])  # fmt: skip
        same(at.overall.expected, theirs["expected"][j], rtol=1e-7)
        same(at.overall.ratio, observed["risk"] / theirs["expected"][j], rtol=1e-7)
        same(at.ratio_error, observed["std_err"] / observed["risk"])
        same([at.intercept.value, at.intercept.std_err],
             [theirs["intercept"][j][k] for k in ("value", "se")], rtol=1e-6)  # fmt: skip
    same([said.c.value, said.c.std_err], [theirs["concordance"][k] for k in ("c", "se")])
    same([said.slope.value, said.slope.std_err], [theirs["slope"][k] for k in ("value", "se")], rtol=1e-7)
    assert said.at[0].overall.ratio == pytest.approx(1.70, abs=0.005) and said.at[0].overall.lower > 1
    assert said.c.value == pytest.approx(0.783, abs=5e-4) and said.slope.value < 1
    assert any("42 events" in caution for caution in found.cautions)


def test_updates_against_r(mayo, r, same):
    model, outside = mayo
    theirs = r("27_audit")["external"]
    for how, key in (("baseline", "baseline_only"), ("slope", "slope_and_baseline")):
        update = recalibrate(model, outside, "death", times=YEARS, how=how)
        risk = update.model.risk(mapped_cohort(model, outside).frame, YEARS)
        np.testing.assert_allclose(risk[:8].T, np.array(theirs[key], dtype=float), rtol=1e-6)
    assert update.model.slope.value == pytest.approx(theirs["slope"]["value"], rel=1e-7)


def test_before_and_after_of_the_trial_model(mayo):
    model, outside = mayo
    update = recalibrate(model, outside, "death", times=YEARS)
    before, after, apparent = (
        p.at[0].overall.ratio for p in (update.before.performance, update.after, update.apparent)
    )
    assert abs(after - 1) < abs(before - 1) and abs(apparent - 1) < 0.05
    assert update.before.performance.c == update.after.c
    assert update.after.at[0].brier.value > update.apparent.at[0].brier.value
    assert "10-fold" in update.sentence and any("few for an update" in c for c in update.cautions)
    again = recalibrate(model, outside, "death", times=YEARS)
    assert again.after.at[1].brier.value == update.after.at[1].brier.value


@pytest.mark.parametrize("target", ["any", "event"])
def test_the_sample_by_two_selections(sample, target):
    cohort = sample("pbc_liver")
    treated = cohort.variable("treatment").codes
    trial = Selection(((OneOf("treatment", treated),),)).apply(cohort)
    outside = Selection(((OneOf("treatment", (), missing=True),),)).apply(cohort)
    assert (len(trial), len(outside)) == (312, 106)
    model = learn("cox", training(trial, "death", target=target), {"knots": 0})
    found = external(model, outside, "death", times=YEARS)
    assert 0.7 < found.performance.c.value < 0.85 and found.problems == ()
    assert 1.2 < found.performance.at[0].overall.ratio < 2.2
    for how in ("baseline", "slope"):
        update = recalibrate(model, outside, "death", times=YEARS, how=how)
        assert abs(update.after.at[1].intercept.value) < 0.1
        risk = update.model.risk(outside.frame, np.linspace(0, update.model.last, 9))
        assert (np.diff(risk, axis=1) >= 0).all() and (risk[:, 0] == 0).all() and (risk <= 1).all()
        if target == "event" and how == "slope":
            weak = weak_calibration(found.rows.time, found.rows.cause, update.model.risk(outside.frame, YEARS)[:, 1],
                                    YEARS[1])  # fmt: skip
            assert weak.intercept.value == pytest.approx(0, abs=1e-6) and weak.slope.value == pytest.approx(1, abs=1e-4)
    assert any("if some were among those" in c for c in found.cautions)
    apart = external(model, outside, "death", times=YEARS, learnt_from=trial)
    assert not any("learnt from" in c for c in apart.cautions)
    overlap = external(model, cohort, "death", times=YEARS, learnt_from=trial)
    assert overlap.cautions[0] == "The model learnt from 312 of these 418 patients: the test is too kind."
    own = external(model, trial, "death", times=YEARS)
    assert own.cautions[0].startswith("These are the patients that the model learnt from")


def test_an_updated_model_comes_back_with_the_same_bits(mayo):
    model, outside = mayo
    made = recalibrate(model, outside, "death", times=YEARS, how="slope").model
    state = made.state()
    back = restore(State(state.kind, json.loads(json.dumps(dict(state.facts))), dict(state.arrays)))
    assert back.risk(outside.frame, YEARS).tobytes() == made.risk(outside.frame, YEARS).tobytes()
    assert (back.fingerprint, back.label, back.cautions) == (made.fingerprint, made.label, made.cautions)
    opened = unpack(pack(made, about_model(made, name="Mayo, updated", saved="2024-01-01T00:00:00+00:00"))).model
    assert opened.fingerprint == made.fingerprint and opened.kind == "recalibrated"
    assert opened.score(outside.frame).tobytes() == model.score(outside.frame).tobytes()
    with pytest.raises(Fixable, match="No risk at that time"):
        made.risk(outside.frame, [made.last * 1.01])
    assert any("106 patients with 42 events" in c for c in made.cautions)


def test_other_events_are_refused_as_a_pair(sample):
    gbsg, metastasis = sample("gbsg2_breast"), sample("gse7390_breast_expression")
    model = learn("cox", training(gbsg, "recurrence_or_death"), {"knots": 0})
    (problem,) = [p for p in compare_definitions(model, metastasis, "metastasis") if p.weight == "refuse"]
    assert "“Recurrence or death”" in problem.why and "“Distant metastasis”" in problem.why
    for confirmed in (False, True):
        with pytest.raises(Fixable, match="can't be tested on this outcome"):
            external(model, metastasis, "metastasis", times=[5], confirmed=confirmed)
    assert [p.weight for p in compare_definitions(model, gbsg, "death")] == ["refuse"]
    assert compare_definitions(model, gbsg, "recurrence_or_death") == ()
    colon = sample("colon_trial")
    told = compare_definitions(model, colon, "recurrence")
    assert "refuse" not in {p.weight for p in told}


def test_undeclared_events_must_be_confirmed():
    here, there = simulated(200, seed=1), simulated(200, seed=2)
    model = learn("cox", training(here, "death"), PLAIN)
    other = there.outcomes[0].model_copy(update={"label": "Exit", "event_phrase": "leave"})
    there = replace(there, outcomes=(other,), fingerprint="")
    assert [p.weight for p in compare_definitions(model, there, other)] == ["confirm"]
    with pytest.raises(Fixable, match="Confirm that they are the same event"):
        external(model, there, other, times=[500])
    assert external(model, there, other, times=[500], confirmed=True).problems[0].weight == "confirm"


def test_columns_under_other_names_units_and_codes():
    rng = np.random.default_rng(6)
    n = 400
    frame = simulated(n, seed=8).frame.assign(
        size=rng.uniform(5, 60, n).round(), sex=rng.choice(["f", "m"], n), gone=rng.normal(size=n)
    )
    told = [number("size", label="Tumour size", unit="mm"), levels("sex", ["f", "m"], label="Sex", concept="sex"),
            number("gone"), number("x0", unit="weeks", label="Delay")]  # fmt: skip
    here = cohort_of(frame.assign(event=frame.event == "1"), told)
    model = learn("cox", training(here, "death"), PLAIN)
    there_frame = frame.assign(diameter=frame["size"] / 10, gender=frame.sex.map({"f": "woman", "m": "man"}),
                               delay=frame.x0 * 7, event=frame.event == "1")  # fmt: skip
    gender = levels("gender", ["woman", "man"], concept="sex", concept_levels={"woman": "f", "man": "m"})
    there = cohort_of(there_frame, [number("diameter", label="tumour size", unit="cm"), gender,
                                    number("delay", label="delay", unit="days")])  # fmt: skip
    mapping = guess_mapping(model, there)
    assert [(m.variable, m.column, m.how) for m in mapping] == [
        ("size", "diameter", "label"), ("sex", "gender", "concept"), ("gone", None, "absent"), ("x0", "delay", "label"),
    ]  # fmt: skip
    assert [m.factor for m in mapping] == pytest.approx([10, 1, 1, 1 / 7])
    found = external(model, there, "death", times=[500])
    filled = here.frame.assign(gone=np.nan)
    np.testing.assert_allclose(found.risk, model.risk(filled, [500.0]), rtol=1e-10)
    (absent,) = [m for m in found.misfits if m.variable == "gone"]
    assert "stands in for all" in absent.why
    assert unit_factor(number("a", unit="mmol/L"), number("b", unit="mg/dL")) is None
    bilirubin = [number(k, unit=u, concept="bilirubin") for k, u in (("a", "µmol/L"), ("b", "mg/dL"))]
    assert unit_factor(*bilirubin) == pytest.approx(1 / 17.1, rel=0.01)


def test_another_unit_is_refused_and_another_scale_alarms():
    frame = simulated(300, seed=8).frame.assign(lab=lambda d: np.exp(d.x0 * 0.2) * 5)
    frame = frame.assign(event=frame.event == "1")
    model = learn("cox", training(cohort_of(frame, [number("lab", unit="mmol/L")]), "death"), PLAIN)
    stated = cohort_of(frame.assign(lab=frame.lab * 38.7), [number("lab", unit="furlong")])
    with pytest.raises(Fixable, match="is in furlong here"):
        external(model, stated, "death", times=[500])
    silent = cohort_of(frame.assign(lab=frame.lab * 38.7), [number("lab")])
    with pytest.raises(Fixable, match="in another unit"):
        external(model, silent, "death", times=[500])
    assert external(model, silent, "death", times=[500], confirmed=True).misfits[0].weight == "alarm"


def test_times_in_another_unit():
    here = simulated(300, seed=3)
    model = learn("cox", training(here, "death"), PLAIN)
    years = here.frame.assign(time=here.frame.time / 365.25, event=here.frame.event == "1")
    there = cohort_of(years, here.variables, unit="years")
    found = external(model, there, "death", times=[1.0])
    np.testing.assert_allclose(found.risk, model.risk(here.frame, [365.25]), rtol=1e-12)
    assert [p.weight for p in found.problems] == ["note"]
    made = recalibrate(model, there, "death", times=[1.0]).model
    np.testing.assert_allclose(made.risk(here.frame, [365.25]),
                               recalibrate(model, here, "death", times=[365.25]).model.risk(here.frame, [365.25]),
                               rtol=1e-9)  # fmt: skip
    with pytest.raises(Fixable, match="at that time"):
        external(model, there, "death", times=[400])


def test_baseline_by_hand():
    time, event = np.array([1.0, 2, 2, 2, 3, 4]), np.array([1, 1, 1, 0, 1, 0])
    w = np.array([0.5, 1, 2, 1, 3, 1])
    when, hazard = baseline_hazard(rows_of(time, event), np.log(w))
    steps = [1 / 8.5, 1 / 8 + 1 / (8 - 1.5), 1 / 4]
    np.testing.assert_allclose(hazard, np.cumsum(steps), rtol=1e-14)
    assert when.tolist() == [1, 2, 3]
    entry = np.array([0.0, 0, 1.5, 0, 2.5, 0])
    _, late = baseline_hazard(rows_of(time, event, entry), np.log(w))
    np.testing.assert_allclose(late, np.cumsum([1 / 3.5, 1 / 5 + 1 / (5 - 1.5), 1 / 4]), rtol=1e-14)


def test_any_kind_can_be_updated():
    here, there = simulated(300, seed=3), simulated(300, seed=4, effect=0.2)
    model = learn("forest", training(here, "death"), {"trees": 10, "leaf": 30})
    update = recalibrate(model, there, "death", times=[500.0], how="slope")
    assert 0 < update.model.slope.value < 1
    assert abs(update.apparent.at[0].slope.value - 1) < abs(update.before.performance.at[0].slope.value - 1)


def test_too_few_and_the_wrong_way():
    here = simulated(300, seed=3)
    model = learn("cox", training(here, "death"), PLAIN)
    few = here.take(np.arange(300) < 12, seal="few")
    with pytest.raises(Fixable, match="at least 10 events"):
        recalibrate(model, few, "death", times=[200])
    around = here.frame.assign(event=here.frame.event == "1", **{f"x{j}": -here.frame[f"x{j}"] for j in range(3)})
    with pytest.raises(Fixable, match="do not rank them"):
        recalibrate(model, cohort_of(around, here.variables), "death", times=[200], how="slope")
    none = cohort_of(here.frame.assign(event=False), here.variables)
    with pytest.raises(Fixable, match="occurred in none"):
        external(model, none, "death", times=[200])
