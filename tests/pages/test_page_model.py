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
    assert gbsg.figures == ["model_forest", "model_calibration", "model_importance", "model_swarm"]


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
    assert gbsg.box("Does it rank patients rightly?").endswith("Harrell's C, 5 folds")
    said = gbsg.box("a coin would reach 50")
    assert said.startswith("0.69 ± 0.03 SD Of two patients")
    assert "in 69 of 100 pairs" in said
    assert "Each fold is predicted by a model that has not seen it" in said


def test_calibration_is_in_fifths_and_of_unseen_patients(gbsg):
    groups = re.findall(r"(\d+) patients, predicted (\d+)%, observed (\d+)%", gbsg.alt("model_calibration"))
    assert [int(n) for n, _, _ in groups] == [137, 137, 137, 137, 138]
    predicted = [int(p) for _, p, _ in groups]
    assert predicted == sorted(predicted)
    assert all(abs(int(p) - int(o)) <= 8 for _, p, o in groups)
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
    assert gbsg.box("In which direction").endswith(f"one dot for each of {DRAWN} patients")
    lung = Reader(cohort="lung_ncctg").open("model")
    assert lung.box("In which direction").endswith("one dot per patient")
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
    assert reader.table("Median times")[1][0] == "Selected patients"
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
    ("cohort", "label", "phrase", "cause", "counts"),
    [
        ("pbc_liver", "Death or transplant", "die or have a liver transplant", "Death", (161, 25)),
        (
            "mgus_competing",
            "Progression or death",
            "die or progress to a plasma cell malignancy",
            "Progression",
            (115, 860),
        ),
    ],
)
def test_competing_events_are_read_together_on_every_page(cohort, label, phrase, cause, counts):
    reader = Reader(cohort=cohort)
    assert reader.options("outcome")[0] == label
    assert cause not in reader.options("outcome")[:1]
    n_events = sum(counts)
    assert f"{n_events:,} {label.lower()}" in reader.box("median follow-up")
    reader.open("survival")
    assert reader.title.startswith(f"{label} in ")
    assert f"{n_events:,} events" in reader.title
    assert f"{n_events:,} events" in reader.alt("survival_km")
    reader.open("patients")
    assert f"Risk to {phrase} within" in reader.text
    reader.row(3)
    assert f"patients with these values would {phrase} within" in reader.box("of 100 patients")
    assert "Which of them comes first is not told apart here." in reader.text
    reader.open("model")
    assert reader.title.startswith(f"The model {label},")
    assert f"with {n_events:,} events" in reader.box("Cox proportional hazards model")
    for page in PAGES:
        for risk in re.findall(r"(?:Risk to|would) ([a-z ]+?) within", reader.open(page).text):
            assert risk == phrase


def test_no_outcome_on_offer_is_one_cause_with_the_others_censored():
    for folder in sorted((ROOT / "sample_data").iterdir()):
        if not (folder / "dictionary.json").exists():
            continue
        cohort = read_cohort(folder)
        for outcome in cohort.outcomes:
            events = cohort.frame[outcome.status].isin(outcome.any_event).sum()
            assert cohort.event(outcome).sum() == events
            reader = Reader(cohort=cohort.key, outcome=outcome.key)
            assert f"{events:,} {outcome.label.lower()}" in reader.box("median follow-up"), (cohort.key, outcome.key)
