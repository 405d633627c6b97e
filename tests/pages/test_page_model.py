"""The model page: what it weighs, how it ranks, whether its risks come true, and what moves them."""

from __future__ import annotations

import re

import pytest

from bedside.cohort.selection import Between, Selection
from bedside.intake import read_cohort
from components.figures.beeswarm import DRAWN
from tests.pages.reader import PAGES, ROOT, Reader, numbers

FEW = Selection(((Between("age", 73.0, 80.0),),)).to_text()


@pytest.fixture(scope="module")
def gbsg() -> Reader:
    return Reader(cohort="gbsg2_breast").open("model")


def test_the_model_says_what_it_is(gbsg):
    assert gbsg.title == "The model Recurrence or death, 686 patients"
    about = gbsg.box("Cox proportional hazards model")
    assert "fitted on 686 patients with 299 events. It reads 8 variables known at time zero (9 coefficients)." in about
    assert "686 patients 299 events 8 variables in 9 terms 33 events per term" in gbsg.boxes
    assert gbsg.stops == []
    assert gbsg.figures == ["model_forest", "model_importance", "model_calibration", "model_swarm"]
    assert "each hazard ratio to be the same at all times" in about and "neither is checked here" in about
    assert "not used here" not in gbsg.text


def test_coefficients_are_hazard_ratios_with_intervals_and_their_step(gbsg):
    # R: coxph(Surv(rfs_days, rfs_event) ~ ., ties = "efron") gives 0.71 for hormone therapy before log scale and ridge.
    alt = gbsg.alt("model_forest")
    for said in (
        "Age, per 10 years: 0.92 (0.77 to 1.10)",
        "Hormone therapy (against no hormone therapy): 0.68 (0.53 to 0.87)",
        "Tumour grade: 2 (against 1): 1.84 (1.14 to 2.97)",
        "Tumour grade: 3 (against 1): 2.07 (1.23 to 3.47)",
        "Positive lymph nodes, per doubling: 1.41 (1.28 to 1.54)",
    ):
        assert said in alt
    assert "ties after Efron, 95% intervals" in gbsg.text
    points = [t for t in gbsg.figure("model_forest")["data"] if t.get("mode") == "markers"]
    assert sum(len(numbers(trace["x"])) for trace in points) == 9
    assert gbsg.figure("model_forest")["layout"]["xaxis"]["type"] == "log"


def test_ranking_is_harrells_c_of_five_folds_with_its_spread(gbsg):
    # Out of fold: mean C 0.6865, SD 0.0326; mean predicted 44.7%, observed 44.4% within 4 years.
    assert gbsg.box("How well does it do?").endswith("Harrell's C, 5 folds")
    said = gbsg.box("single folds vary")
    assert said.startswith("0.69 single folds vary with an SD of 0.03 Of 100 pairs of patients it had not seen")
    assert "the model put 69 in the right order (Harrell's C 0.69; 50 would be chance)" in said
    assert "On average it predicted 45 of 100, and 44 of 100 had the event." in said
    assert "Each fold is predicted by a model that has not seen it" in said


def test_calibration_is_in_fifths_and_of_unseen_patients(gbsg):
    # bedside.risk.validate, tested in tests/bedside: patients, events by 4 years, predicted and observed in per cent.
    groups = re.findall(
        r"(\d+) patients, (\d+) events by then: predicted (\d+)%, observed (\d+)% \(95% interval (\d+)% to (\d+)%\)",
        gbsg.alt("model_calibration"),
    )
    assert [tuple(map(int, group)) for group in groups] == [
        (137, 18, 18, 17, 11, 26),
        (137, 48, 32, 40, 31, 49),
        (137, 43, 42, 36, 28, 46),
        (137, 67, 56, 55, 46, 65),
        (138, 87, 76, 71, 63, 80),
    ]
    # Of the 299 events 263 came within 4 years.
    assert "686 patients, 263 events by then, in 5 groups of predicted risk" in gbsg.text
    assert gbsg.box("Do the predicted risks come true?").endswith("within 4 years")


def test_importance_is_in_falling_order_and_of_all_patients(gbsg):
    said = re.findall(r"([A-Z][a-z ]+) (\d+\.\d)", gbsg.alt("model_importance").split("points: ")[1])
    assert [name for name, _ in said[:3]] == ["Positive lymph nodes", "Progesterone receptor", "Hormone therapy"]
    sizes = [float(size) for _, size in said]
    assert sizes == sorted(sizes, reverse=True)
    (bars,) = [t for t in gbsg.figure("model_importance")["data"] if t["type"] == "bar"]
    assert [f"{size:.1f}" for size in numbers(bars["x"])] == [size for _, size in said]
    assert "Shapley values of the risk within 4 years: 686 patients, against 100 of them." in gbsg.text


def test_the_swarm_has_a_row_of_dots_for_every_variable_and_says_of_how_many_patients(gbsg):
    dots = [t for t in gbsg.figure("model_swarm")["data"] if "points" in t.get("hovertemplate", "")]
    assert sum(len(numbers(trace["x"])) for trace in dots) == 8 * min(686, DRAWN)
    assert gbsg.box("In which direction").endswith(f"up to {DRAWN} dots a row for 686 patients")
    assert gbsg.box("What the predicted risk depends on most").endswith("mean size, in points")
    assert gbsg.alt("model_swarm").startswith("Contributions of 686 patients to the risk within 4 years")


def test_the_horizon_moves_calibration_and_reasons_and_leaves_the_coefficients(gbsg):
    reader = Reader(cohort="gbsg2_breast").open("model").choose("horizon_years", 2.0)
    assert reader.alt("model_forest") == gbsg.alt("model_forest")
    assert reader.box("Do the predicted risks come true?").endswith("within 2 years")
    assert "the risk within 2 years" in reader.alt("model_importance")
    assert reader.alt("model_calibration") != gbsg.alt("model_calibration")


def test_missing_values_are_said(gbsg):
    assert "Missing values filled" not in gbsg.text
    said = Reader(cohort="pbc_liver").open("model").box("Missing values filled")
    assert said.endswith("Platelets 11, Prothrombin time 2, Histological stage 6.")


def test_below_ten_events_the_model_is_refused_and_the_rest_lives():
    reader = Reader(cohort="gbsg2_breast", filter=FEW)
    assert reader.box("median follow-up").startswith("11 patients 7 recurrence or death (64%)")
    reader.open("model")
    (stop,) = reader.stops
    assert stop.startswith("**No model for this selection.** “Recurrence or death” occurred in 7 patients here;")
    assert stop.endswith("Include more patients, or choose an outcome that occurred more often.")
    assert "The model Recurrence or death, 11 patients" in reader.boxes
    assert reader.figures == []
    assert reader.open("survival").stops == []
    # 5 of the 11 are at risk at the median.
    assert reader.medians == [["Selected patients", "2.3 years (few at risk) 1.29 to 5.4 years"]]
    reader.open("patients")
    assert len(reader.stops) == 1
    assert "risk" not in reader.at.dataframe[0].value.columns
    assert "No risk is shown: there is no model for these patients." in reader.text
    reader.row(0)
    assert len(reader.stops) == 1
    assert reader.title.startswith("Patient ")
    assert reader.unfold("patient_values").table("All recorded values")[1][0] == "Age"
    assert reader.open("model").click("filter_clear").stops == []


# ------------------------------------------------------------------ competing events


@pytest.mark.parametrize(
    ("cohort", "outcome", "label", "phrase", "cause", "counts"),
    [
        ("pbc_liver", "death", "Death or transplant", "die or have a liver transplant", "Death", (161, 25)),
        ("colon_trial", "recurrence", "Recurrence or death", "have a recurrence or die", "Recurrence", (468, 38)),
        (
            "mgus_competing",
            "progression",
            "Progression or death",
            "die or progress to a plasma cell malignancy",
            "Progression",
            (115, 860),
        ),
    ],
)
def test_competing_events_are_read_together_on_every_page(cohort, outcome, label, phrase, cause, counts):
    reader = Reader(cohort=cohort, outcome=outcome)
    assert reader.stops == []
    assert label in reader.options("outcome")
    # Death alone is an outcome of its own where nothing competes with it.
    assert cause not in reader.options("outcome")
    n_events = sum(counts)
    first = reader.box("First event:")
    assert all(f" {count:,}" in first for count in counts)
    assert f"{n_events:,} {label.lower()}" in reader.box("median follow-up")
    reader.open("survival")
    assert reader.title.startswith(f"{label}: ")
    assert f"{n_events:,} events" in reader.title
    # Told apart at first; read together where the reader asks for one curve.
    assert all(f"{count:,} " in reader.box("Aalen-Johansen estimate") for count in counts)
    assert f"{n_events:,} events" in reader.choose("survival_view", "survival").alt("survival_km")
    reader.open("patients")
    assert f"Risk of {label.lower()} within" in reader.text
    reader.row(3)
    assert f"patients with these values would {phrase} within" in reader.box("patients with these values")
    assert "Which of them comes first is not told apart here." in reader.text
    reader.open("model")
    assert reader.title.startswith(f"The model {label},")
    assert f"with {n_events:,} events" in reader.box("Cox proportional hazards model")
    for page in PAGES:
        text = reader.open(page).text
        assert all(risk == phrase for risk in re.findall(r"would ([a-z ]+?) within", text))
        assert all(risk == label.lower() for risk in re.findall(r"Risk of ([a-z ]+?) within", text))


def test_no_outcome_on_offer_is_one_cause_with_the_others_censored():
    for folder in sorted((ROOT / "sample_data").iterdir()):
        if not (folder / "dictionary.json").exists():
            continue
        cohort = read_cohort(folder)
        for outcome in cohort.outcomes:
            events = cohort.frame[outcome.status].isin(outcome.any_event).sum()
            assert cohort.event(outcome).sum() == events
            reader = Reader(cohort=cohort.key, outcome=outcome.key)
            said = f"{events:,} {outcome.label} (".lower()
            assert said in reader.box("median follow-up").lower(), (cohort.key, outcome.key)


def test_every_figure_of_the_model_says_how_it_was_made():
    reader = Reader(cohort="gbsg2_breast").open("model")
    for key in ("model_forest", "model_calibration", "model_importance", "model_swarm"):
        said = reader.unfold(f"how_{key}").text
        assert "was modelled by Cox regression with a light ridge (686 patients, 299 events" in said, key
    assert "5-fold cross-validation" in reader.unfold("how_model_calibration").text
