"""What enters a model, what is dropped and why, and when there is none."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from risk_cases import cohort_of, levels, number, simulated
from scipy.stats import norm

from bedside.cohort import Level, Outcome, Variable
from bedside.errors import Fixable
from bedside.risk import coefficients, describe, fit, linear_predictor, notes, predict, ridge_sentence, risks
from bedside.risk.design import Term, _repeats


def rows(n=120, seed=1):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": rng.normal(60, 10, n).round(1),
            "time": rng.exponential(500, n).round() + 1,
            "event": rng.random(n) < 0.6,
        }
    )


def test_default_ridge_is_one_event_of_evidence():
    cohort = simulated(400)
    model = fit(cohort, "death")
    assert model.penalizer == 1 / 400
    assert "as 1 event of evidence" in ridge_sentence(model)
    assert "400 patients" in describe(model)
    assert describe(model).endswith(
        "It takes each hazard ratio to be the same at all times and, for a number, each step to count alike (on its "
        "own or a logarithmic scale); neither is checked here."
    )
    information = np.linalg.inv(model.variance) / np.outer(1 / model.design.scale, 1 / model.design.scale)
    plain = fit(cohort, "death", penalizer=0)
    assert np.linalg.eigvalsh(information).min() > 1  # the prior alone gives every direction 1
    assert np.linalg.norm(model.coef) < np.linalg.norm(plain.coef)
    np.testing.assert_allclose(model.coef, plain.coef, rtol=0.05)


def test_same_cohort_same_bits():
    first, second = (fit(simulated(300, seed=3), "death") for _ in range(2))
    assert first.coef.tobytes() == second.coef.tobytes()
    assert first.fingerprint == second.fingerprint
    assert first.fingerprint != fit(simulated(300, seed=4), "death").fingerprint
    assert first.fingerprint != fit(simulated(300, seed=3), "death", penalizer=0.01).fingerprint


def test_model_is_frozen():
    model = fit(simulated(200), "death")
    with pytest.raises(dataclasses.FrozenInstanceError):
        model.n = 1
    with pytest.raises(ValueError, match="read-only"):
        model.coef[0] = 1


def test_order_of_rows_and_units_do_not_matter():
    frame = rows()
    model = fit(cohort_of(frame, [number("age")]), "death")
    shuffled = frame.sample(frac=1, random_state=0).assign(age=lambda f: f.age * 365.25)
    other = fit(cohort_of(shuffled, [number("age")]), "death")
    np.testing.assert_allclose(other.coef * 365.25, model.coef, rtol=1e-9)


@pytest.mark.parametrize(
    ("column", "why"),
    [
        (lambda f: np.full(len(f), 3.0), "the same for every patient"),
        (lambda f: np.full(len(f), np.nan), "missing for every patient"),
        (lambda f: f.age * 12 - 4, "can be worked out from “age”"),
        (lambda f: f.time / 30.4375, "repeats the outcome"),
        (lambda f: 1.0 - f.event, "repeats the outcome"),
    ],
)
def test_useless_columns_are_dropped_with_the_reason(column, why):
    frame = rows().assign(extra=column)
    model = fit(cohort_of(frame, [number("age"), number("extra")]), "death")
    assert [v.name for v in model.variables] == ["age"]
    assert [d.variable for d in model.dropped] == ["extra"]
    assert why in model.dropped[0].why
    alone = fit(cohort_of(frame, [number("age")]), "death")
    np.testing.assert_array_equal(model.coef, alone.coef)


def test_levels_that_say_the_same_as_a_number_are_dropped():
    frame = rows()
    frame["group"] = np.where(np.arange(len(frame)) % 3 == 0, "b", "a")
    frame["flag"] = (frame.group == "b").astype(float)
    model = fit(cohort_of(frame, [levels("group", ["a", "b"]), number("flag"), number("age")]), "death")
    assert [v.name for v in model.variables] == ["group", "age"]
    assert "“flag” can be worked out from “group: b”" in model.dropped[0].why


def test_level_equal_to_the_event_is_dropped():
    frame = rows().assign(vital=lambda f: np.where(f.event, "dead", "alive"))
    model = fit(cohort_of(frame, [number("age"), levels("vital", ["alive", "dead"])]), "death")
    assert [d.variable for d in model.dropped] == ["vital"]


def test_level_without_patients_has_no_coefficient():
    frame = rows().assign(stage=lambda f: np.where(f.age > 60, "1", "3"))
    model = fit(cohort_of(frame, [levels("stage", ["1", "2", "3"]), number("age")]), "death")
    assert [(t.variable, t.level) for t in model.terms] == [("stage", "3"), ("age", None)]
    assert model.dropped[0].why == "No patient here has stage “2”, so that level has no coefficient."


def test_absent_reference_is_replaced_by_the_commonest_level():
    frame = rows().assign(stage=lambda f: np.where(f.age > 55, "2", "3"))
    model = fit(cohort_of(frame, [levels("stage", ["1", "2", "3"])]), "death")
    assert model.reading("stage").reference == "2"
    assert any("usual reference of stage" in c for c in model.cautions)


def staged(counts, n=120, *, codes="1234", without=()):
    """Patients in stages of given sizes, the rest in the last one; those in `without` have no event."""
    frame = rows(n).assign(stage=codes[-1])
    frame["stage"] = [code for code, k in counts.items() for _ in range(k)] + [codes[-1]] * (n - sum(counts.values()))
    for code in counts:
        of_level = np.flatnonzero(frame.stage == code)
        frame.loc[of_level, "event"] = False if code in without else np.arange(len(of_level)) % 2 == 0
    return cohort_of(frame, [levels("stage", list(codes), label="Stage"), number("age")])


def test_rare_levels_are_read_like_the_reference():
    cohort = staged({"1": 40, "2": 4, "3": 9}, without="3")
    model = fit(cohort, "death")
    assert [(t.variable, t.level) for t in model.terms] == [("stage", "4"), ("age", None)]
    assert [(d.variable, d.why) for d in model.dropped] == [
        ("stage", "Too few patients with Stage “2” (4) and “3” (9) to judge: they are read like the reference, “1”.")
    ]
    lp = linear_predictor(model, pd.DataFrame({"age": 60.0, "stage": ["1", "2", "3", "4"]}))
    assert lp[0] == lp[1] == lp[2] != lp[3]
    merged = cohort.frame.assign(
        stage=["1" if s in "23" else s for s in cohort.frame.stage], event=cohort.event("death")
    )
    same = fit(cohort_of(merged, [levels("stage", ["1", "4"]), number("age")]), "death")
    np.testing.assert_array_equal(model.coef, same.coef)
    assert notes(model, pd.DataFrame({"age": [60.0], "stage": ["2"]})) == (
        "Too few patients here have Stage “2” to judge: it was read like “1”.",
    )


@pytest.mark.parametrize(("k", "without", "judged"), [(5, "", True), (4, "", False), (9, "2", False), (10, "2", True)])
def test_a_level_is_judged_from_five_patients_or_ten_alike(k, without, judged):
    model = fit(staged({"1": 40, "2": k}, without=without), "death")
    assert ("2" in [t.level for t in model.terms]) == judged
    assert (model.dropped[-1].why.startswith("Too few patients")) != judged


def test_a_rare_reference_gives_way_to_the_commonest_level():
    model = fit(staged({"1": 3, "2": 30, "3": 40}), "death")
    assert model.reading("stage").reference == "4"
    assert [t.level for t in model.terms] == ["2", "3", None]
    assert model.dropped[0].why == (
        "Too few patients with Stage “1” (3) to judge: they are read like “4”, the commonest, which takes the place of "
        "the usual reference."
    )
    assert not any("usual reference" in c for c in model.cautions)


def test_a_variable_left_with_one_level_is_dropped():
    model = fit(staged({"1": 3}), "death")
    assert [v.name for v in model.variables] == ["age"]
    assert model.dropped[-1].why == "Too few patients with Stage “1” (3) to judge, so Stage is left out."


def test_missing_values_are_filled_and_counted():
    frame = rows().assign(stage="a")
    frame.loc[frame.index % 4 == 0, "stage"] = "b"
    frame.loc[:9, "stage"] = None
    frame.loc[5:34, "age"] = np.nan
    cohort = cohort_of(frame, [number("age"), levels("stage", ["b", "a"])])
    model = fit(cohort, "death")
    assert model.n_missing == {"age": 30, "stage": 10}
    assert model.fills == {"age": frame.age.median(), "stage": "a"}
    filled = frame.assign(age=frame.age.fillna(frame.age.median()), stage=frame.stage.fillna("a"))
    same = fit(cohort_of(filled, [number("age"), levels("stage", ["b", "a"])]), "death")
    np.testing.assert_array_equal(model.coef, same.coef)


def test_mostly_missing_is_said():
    frame = rows().assign(lab=lambda f: f.age.where(f.index % 3 == 0) * 1.7 + np.arange(len(f)))
    model = fit(cohort_of(frame, [number("age"), number("lab", label="Ferritin")]), "death")
    assert any(c.startswith("Ferritin is missing for 67% of the patients") for c in model.cautions)


def test_log_scale_reads_zero_as_half_the_smallest():
    frame = rows().assign(crp=lambda f: np.where(f.index % 5 == 0, 0.0, 2.0 + f.index))
    model = fit(cohort_of(frame, [number("crp", scale="log")]), "death")
    assert model.reading("crp").floor == 1.5  # the smallest positive value is 3
    patients = pd.DataFrame({"crp": [0.0, -4.0, 1.5, 3.0]})
    lp = linear_predictor(model, patients)
    assert lp[0] == lp[1] == lp[2]
    assert lp[3] - lp[0] == pytest.approx(model.coef[0] * np.log(2))


def test_fewer_than_ten_events_are_refused():
    frame = rows()
    frame["event"] = False
    frame.loc[:8, "event"] = True
    with pytest.raises(Fixable) as stop:
        fit(cohort_of(frame, [number("age")]), "death")
    assert stop.value.why == "“Death” occurred in 9 patients here; a model of risk needs at least 10 events."
    frame.loc[9, "event"] = True
    assert fit(cohort_of(frame, [number("age")]), "death").n_events == 10


@pytest.mark.parametrize(("n", "why"), [(0, "there are none"), (1, "there is only one")])
def test_too_few_patients_are_refused(n, why):
    with pytest.raises(Fixable, match=why):
        fit(cohort_of(rows().head(n), [number("age")]), "death")


def test_all_censored_is_refused():
    with pytest.raises(Fixable, match="occurred in no patient"):
        fit(cohort_of(rows().assign(event=False), [number("age")]), "death")


def test_nothing_left_is_refused():
    with pytest.raises(Fixable, match="the same for every patient"):
        fit(cohort_of(rows().assign(age=1.0), [number("age")]), "death")


def chooser():
    frame = rows().assign(
        late=lambda f: f.age + f.index, gene=lambda f: f.index * 1.0, note="x", day=pd.Timestamp("2020-01-01")
    )
    variables = [
        number("age"),
        number("late", use="later", why_later="measured at relapse"),
        number("gene", use="optional"),
        Variable(name="note", kind="text"),
        Variable(name="day", kind="date"),
    ]
    return cohort_of(frame, variables)


def test_default_variables_are_the_predictors():
    assert [v.name for v in fit(chooser(), "death").variables] == ["age"]
    assert [v.name for v in fit(chooser(), "death", variables=["gene", "age"]).variables] == ["age", "gene"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("late", "known only after time zero: measured at relapse."),
        ("note", "free text"),
        ("day", "is a date"),
        ("event", "belongs to an outcome"),
        ("nothing", "no variable of the name"),
    ],
)
def test_what_can_not_be_a_predictor_is_refused(name, why):
    with pytest.raises(Fixable, match=why):
        fit(chooser(), "death", variables=["age", name])


def test_separation_converges_thanks_to_the_ridge():
    frame = rows(60)
    frame["event"] = frame.index < 30
    frame["time"] = np.where(frame.event, frame.index + 1.0, 500.0 + frame.index)
    frame["marker"] = np.where(frame.event, "yes", "no")
    frame.loc[0, "marker"] = "no"
    frame.loc[0, "time"] = 400.0
    cohort = cohort_of(frame, [levels("marker", ["no", "yes"])])
    model = fit(cohort, "death")
    assert 1 < model.coef[0] < 20
    assert np.isfinite(model.variance).all()
    curve = predict(model, cohort.frame.head(2))
    assert np.isfinite(curve.survival).all() and np.isfinite(curve.lower).all()


def test_infinite_coefficient_without_ridge_is_said():
    frame = rows(80)
    frame["marker"] = np.where(frame.event, "yes", np.where(frame.index % 2 == 0, "yes", "no"))
    model = fit(cohort_of(frame, [levels("marker", ["no", "yes"])]), "death", penalizer=0)
    assert any("no finite value" in c for c in model.cautions)
    ridged = fit(cohort_of(frame, [levels("marker", ["yes", "no"])]), "death")
    assert any("No patient with “marker: no” had the event" in c for c in ridged.cautions)
    reference = fit(cohort_of(frame, [levels("marker", ["no", "yes"])]), "death")
    assert reference.cautions == (
        "No patient with “marker: no” had the event. The other levels are compared with it, so their hazard ratios "
        "rest on the ridge rather than on what was seen.",
    )


def test_sixty_columns_converge_and_are_held_back():
    cohort = simulated(100, 60, seed=5, effect=0.2)
    model = fit(cohort, "death")
    assert len(model.terms) == 60 > model.n_events / 2
    assert model.penalizer == 60 / 100
    assert any("ridge was raised" in c for c in model.cautions)
    assert "Intervals leave out the pull of this strong ridge and are too narrow." in model.cautions
    assert model.strong_ridge
    assert "as 60 events of evidence" in ridge_sentence(model)
    with_light = fit(cohort, "death", penalizer=1 / 100)
    assert not with_light.strong_ridge
    assert np.linalg.norm(model.coef) < np.linalg.norm(with_light.coef)


def test_more_columns_than_patients_converge():
    model = fit(simulated(40, 60, seed=6), "death")
    assert len(model.terms) == 39  # a 40th is already determined by the others
    assert np.isfinite(model.coef).all()
    assert np.isfinite([t.statistic for t in model.tests]).all()


def test_few_events_for_each_coefficient_are_said():
    cohort = simulated(60, 6, seed=2)
    model = fit(cohort, "death")
    assert model.n_events < 60
    assert any("for 6 coefficients" in c for c in model.cautions)
    assert fit(simulated(1000, 3), "death").cautions == ()


def test_hostile_names_are_only_names():
    frame = rows().rename(columns={"age": "<script>alert(1)</script>"})
    frame["عمر 🙂"] = np.arange(len(frame)) % 7
    cohort = cohort_of(frame, [number("<script>alert(1)</script>"), number("عمر 🙂")])
    model = fit(cohort, "death")
    assert [c.variable for c in coefficients(model)] == ["<script>alert(1)</script>", "عمر 🙂"]


def test_competing_events_count_as_the_composite():
    cohort = simulated(200)
    frame = cohort.frame.assign(
        event=pd.Categorical(
            np.where(cohort.event("death"), np.where(cohort.frame.index % 3 == 0, "2", "1"), "0"), list("012")
        )
    )
    outcome = Outcome(
        key="death", label="Death or transplant", time="time", unit="days", status="event", censored=("0",),
        event=("1",), competing={"Transplant": ("2",)},
    )  # fmt: skip
    both = dataclasses.replace(cohort, frame=frame, outcomes=(outcome,), fingerprint="")
    np.testing.assert_array_equal(fit(both, "death").coef, fit(cohort, "death").coef)


def test_times_apart_by_rounding_are_tied():
    """R: coxph(Surv(c(.3, .1 + .2), ...)) treats the two times as one (timefix = TRUE)."""
    frame = rows().assign(time=lambda f: np.where(f.index % 2 == 0, 0.3, 0.1 + 0.2) + f.index // 20)
    model = fit(cohort_of(frame, [number("age")]), "death")
    tidy = fit(cohort_of(frame.assign(time=frame.time.round(6)), [number("age")]), "death")
    np.testing.assert_allclose(model.coef, tidy.coef, rtol=1e-12)
    assert len(model.baseline.time) == len(tidy.baseline.time)


def test_progress_is_told():
    seen = []
    fit(simulated(100), "death", progress=lambda share, sentence: seen.append((share, sentence)))
    assert [share for share, _ in seen] == sorted(share for share, _ in seen)
    assert seen[-1] == (1.0, "Model ready")


def test_coefficients_are_told_per_readable_step():
    frame = rows(300).assign(
        bili=lambda f: np.exp(np.linspace(-1, 3, len(f))), sex=lambda f: np.where(f.index % 2, "f", "m")
    )
    variables = [
        number("age", label="Age", unit="years"),
        number("bili", label="Bilirubin", unit="mg/dl", scale="log"),
        levels("sex", ["m", "f"], label="Sex", reference="f"),
    ]
    model = fit(cohort_of(frame, variables), "death")
    age, bili, sex = coefficients(model)
    assert (age.label, bili.label, sex.label) == (
        "Age, per 10 years",
        "Bilirubin, per doubling",
        "Sex: m (against f)",
    )
    assert age.hr == pytest.approx(np.exp(10 * model.coef[0]))
    assert bili.hr == pytest.approx(2 ** model.coef[1])
    se = np.sqrt(np.diag(model.variance))
    assert (sex.lower, sex.upper) == pytest.approx(tuple(np.exp(model.coef[2] + np.array([-1, 1]) * 1.959964 * se[2])))
    assert age.p == pytest.approx(2 * (1 - norm.cdf(abs(model.coef[0] / se[0]))))


@pytest.mark.parametrize(
    ("low", "high", "text", "step"), [(9.0, 14.0, "per 10% more", 1.1), (1.0, 30.0, "per doubling", 2.0)]
)
def test_doubling_is_told_only_where_values_double(low, high, text, step):
    frame = rows(300).assign(clotting=lambda f: np.linspace(low, high, len(f)))
    model = fit(cohort_of(frame, [number("clotting", label="Prothrombin time", scale="log")]), "death")
    (told,) = coefficients(model)
    assert told.label == f"Prothrombin time, {text}"
    assert told.hr == pytest.approx(step ** model.coef[0])


@pytest.mark.parametrize(
    ("values", "step"),
    [(np.arange(301), 100), (np.arange(301) / 1000, 0.1), (np.arange(301) % 4, 2), (np.arange(301) >= 290, 0.2)],
)
def test_step_is_tidy_and_within_the_interquartile_range(values, step):
    """A column whose quartiles are equal falls back on a quarter of its 1st to 99th percentile."""
    frame = rows(301).assign(x=values.astype(float))
    (told,) = coefficients(fit(cohort_of(frame, [number("x")]), "death"))
    assert told.step == pytest.approx(step)


def test_level_that_repeats_its_variable_is_said_once():
    frame = rows().assign(chf=lambda f: np.where(f.index % 3, "0", "1"))
    variable = Variable(
        name="chf",
        kind="binary",
        label="Heart failure",
        levels=(Level(code="0", label="no heart failure"), Level(code="1", label="heart failure")),
    )
    (told,) = coefficients(fit(cohort_of(frame, [variable]), "death"))
    assert told.label == "Heart failure (against no heart failure)"


def test_whole_cohort_is_predicted_at_once():
    cohort = simulated(500)
    model = fit(cohort, "death")
    at = risks(model, cohort, 365)
    assert at.shape == (500,)
    np.testing.assert_allclose(at, predict(model, cohort.frame).risk_at(365)[0], rtol=1e-12)


def test_no_variables_at_all_is_refused():
    with pytest.raises(Fixable, match="None of the variables can predict here"):
        fit(simulated(100), "death", variables=[])


@pytest.mark.parametrize("penalizer", [-0.1, np.nan, np.inf])
def test_penalizer_is_a_number_of_at_least_zero(penalizer):
    with pytest.raises(ValueError, match="penalizer"):
        fit(simulated(100), "death", penalizer=penalizer)


def test_an_implausible_value_is_said(gbsg2):
    model = fit(gbsg2, gbsg2.outcomes[0])
    patient = gbsg2.frame.iloc[[0]].assign(age=7.0)
    (said,) = notes(model, patient)
    low, high = gbsg2.variable("age").plausible
    assert f"Age is outside the plausible range ({low:g} to {high:g} years): check it" in said
    assert "outside the values the model has seen (21 to 80 years)" in said


def test_a_rare_level_of_an_ordered_variable_is_read_like_its_neighbour(sample):
    """One patient with the worst performance status must not be read like those without symptoms."""
    lung = sample("lung_ncctg")
    model = fit(lung, lung.outcomes[0])
    ordered = next(v for v in lung.predictors if v.kind == "ordinal")
    codes = lung.frame[ordered.name]
    (rare,) = [code for code in ordered.codes if 0 < (codes == code).sum() < 5]
    neighbour = ordered.codes[ordered.codes.index(rare) - 1]
    alike = lung.frame[codes == rare].iloc[[0]]
    other = alike.assign(**{ordered.name: codes.astype(object).where(codes != rare, neighbour).loc[alike.index]})
    assert linear_predictor(model, alike) == pytest.approx(linear_predictor(model, other), rel=1e-12)
    assert any("read like the nearest level" in d.why for d in model.dropped) or any(
        "read like the nearest level" in c for c in model.cautions
    )


def test_a_sentence_names_a_few_levels_and_counts_the_others():
    frame = rows(300)
    frame["name"] = [f"p{i}" if i < 200 else "all" for i in range(300)]
    codes = tuple(Level(code=code, label=code) for code in dict.fromkeys(frame["name"]))
    for kind in ("categorical", "ordinal"):
        name = Variable(name="name", label="Name", kind=kind, levels=codes)
        said = " ".join(each.why for each in fit(cohort_of(frame, [number("age"), name]), "death").dropped)
        assert "and 195 other levels to judge" in said and len(said) < 600


def test_values_beyond_computing_are_said_without_a_gap():
    said = _repeats([Term("marker", None, 0, "Marker")], 0, []).why
    assert said == "“Marker” holds values that can't be computed with, so it has no coefficient."
