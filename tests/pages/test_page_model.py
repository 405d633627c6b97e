"""The model page: which model, what is suspicious, what it is made of, what it goes by in short, and keeping it."""

from __future__ import annotations

import re

import numpy as np
import pytest

from bedside.cohort.selection import Between, Selection
from bedside.intake import read_cohort
from bedside.risk.learners import learn
from bedside.risk.parts import parts, ratios
from bedside.risk.training import training
from components import jobs
from tests.pages.reader import PAGES, ROOT, Reader, numbers, unescaped

YOUNG = Selection(((Between("age", 39.0, 60.0),),))
FEW = Selection(((Between("age", 73.0, 80.0),),)).to_text()


@pytest.fixture(scope="module", autouse=True)
def patient():
    """Pages wait for what is computed in the background."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(jobs.PATIENCE, "100")
        yield


@pytest.fixture
def hurry(monkeypatch):
    """Pages that do not wait: what they say without the check and its like is looked at."""
    monkeypatch.delenv(jobs.PATIENCE)


def opened(page: str = "model", **link: str) -> Reader:
    reader = Reader(**link)
    reader.at.default_timeout = 120
    return reader.open(page)


@pytest.fixture(scope="module")
def gbsg() -> Reader:
    return opened(cohort="gbsg2_breast")


# ------------------------------------------------------------------ the answer and what the model is made of


def test_the_answer_stands_in_one_sentence(gbsg):
    assert gbsg.title == "Model Recurrence or death, 686 patients"
    said = gbsg.box("learnt from")
    assert said.startswith(
        "A Cox model for the risk of recurrence or death, learnt from 686 patients with 299 events and 8 variables. "
        "Of 100 pairs of patients it had not seen, it ranks 71 rightly (64 to 77); 50 would be chance."
    )
    assert "In the fifth of patients with the highest risks it said 78 of 100 within 4 years, and 75 had" in said
    assert "not clearly better than giving everybody" not in said
    assert "Harrell’s C 0.71, 5 folds" in said
    assert gbsg.stops == []


def test_coefficients_are_those_of_the_learner_with_intervals_and_their_step(gbsg):
    cohort = read_cohort(ROOT / "sample_data" / "gbsg2_breast")
    (part,) = parts(learn("cox", training(cohort, "recurrence_or_death")))
    alt = gbsg.alt("model_forest")
    for c in ratios(part):
        label = c.label.removesuffix(" (along a curve)")
        assert f"{label}: {c.hr:.2f} ({c.lower:.2f} to {c.upper:.2f})" in alt
    assert "Positive lymph nodes, 7 against 1: 2.37 (1.71 to 3.29)" in alt
    points = [t for t in gbsg.figure("model_forest")["data"] if t.get("mode") == "markers"]
    assert sum(len(numbers(trace["x"])) for trace in points) == 9
    assert gbsg.figure("model_forest")["layout"]["xaxis"]["type"] == "log"
    assert "Variables read along a curve: the upper against the lower quartile." in gbsg.text


def test_settings_say_what_was_chosen_and_how(gbsg):
    assert "686 patients 299 events 8 variables in 19 terms, 16 events each" in gbsg.boxes
    assert "ridge" not in gbsg.box("It takes each hazard ratio to be the same").lower()
    gbsg.unfold("model_settings")
    assert gbsg.table("Settings of the model")[1:] == [["Ridge", "0.00146"], ["Knots of the curves", "4"]]
    assert "curves are tried only with at least 12 events for each coefficient" in gbsg.text
    straight = opened(cohort="gbsg2_breast", shape="0")
    straight.unfold("model_settings")
    assert ["Knots of the curves", "none: straight lines, fixed by you"] in straight.table("Settings of the model")
    # R: coxph(Surv(rfs_days, rfs_event) ~ ., ties = "efron") gives 0.71 for hormone therapy before log scale and ridge.
    assert "Hormone therapy (against no hormone therapy): 0.68 (0.53 to 0.87)" in straight.alt("model_forest")
    said = straight.unfold("how_model_forest").text
    assert "was modelled by Cox regression with a light ridge (686 patients, 299 events" in said


def test_a_curve_is_drawn_when_asked_for():
    reader = opened(cohort="gbsg2_breast").unfold("model_curves_0")
    assert "5 variables are read along a curve: see it" in [e.label for e in reader.at.expander]
    reader.choose("model_curve_0", "nodes")
    alt = reader.alt("model_spline_0")
    assert alt.startswith("Hazard ratio along Positive lymph nodes, against 3.")
    assert "4 knots" in reader.text


def test_missing_values_are_said(gbsg):
    assert "Missing values filled" not in gbsg.text
    said = opened(cohort="pbc_liver").box("Missing values filled")
    assert said.endswith("Platelets 11, Prothrombin time 2, Histological stage 6.")


# ------------------------------------------------------------------ what it goes by, in short


def test_the_five_most_important_variables_are_told_in_words_with_a_way_to_all_of_it(gbsg):
    said = gbsg.box("Positive lymph nodes : ")
    assert re.findall(r"([A-Z][a-z ]+) : (\d+) points on average", said) == [
        ("Positive lymph nodes", "12"), ("Progesterone receptor", "8"), ("Hormone therapy", "5"), ("Age", "4"),
        ("Tumour grade", "3"),
    ]  # fmt: skip
    assert "Hormone therapy : 5 points on average , higher with no hormone therapy" in said
    assert "3 further variables matter less." in gbsg.text
    assert "What it goes by how far each variable moves the risk within 4 years" in gbsg.boxes
    assert any(link.proto.page == "reasons" for link in gbsg.at.get("page_link"))
    assert gbsg.figures == ["model_forest"]


def test_the_horizon_moves_reasons_and_leaves_the_coefficients(gbsg):
    reader = opened(cohort="gbsg2_breast", horizon_years="2")
    assert reader.alt("model_forest") == gbsg.alt("model_forest")
    assert "What it goes by how far each variable moves the risk within 2 years" in reader.boxes
    assert "Positive lymph nodes : 8 points on average" in reader.box("Positive lymph nodes : ")
    assert "within 2 years" in reader.box("learnt from")


# ------------------------------------------------------------------ every kind, and both targets


def test_the_causes_of_competing_events_stand_side_by_side(hurry):
    reader = opened(cohort="mgus_competing", target="event")
    assert reader.box("learnt from").startswith(
        "A Cox model for the risk of progression, learnt from 1,384 patients with"
    )
    cohort = read_cohort(ROOT / "sample_data" / "mgus_competing")
    both = parts(learn("cox", training(cohort, "progression", target="event")))
    assert [part.n_events for part in both] == [115, 860]
    for key, part in zip(("model_forest", "model_forest_1"), both, strict=True):
        age = next(c for c in ratios(part) if c.variable == "age")
        assert f": {age.hr:.2f} ({age.lower:.2f} to {age.upper:.2f})" in reader.alt(key)
    assert "Death without progression hazard ratio, others held equal" in reader.boxes
    fine = opened(cohort="mgus_competing", target="event", competing="fine-gray")
    fine.unfold("model_settings")
    assert ["Competing events", "Fine-Gray, fixed by you"] in fine.table("Settings of the model")
    assert "Progression subdistribution hazard ratio, others held equal" in fine.boxes
    assert fine.figures == ["model_forest"]


def test_the_risk_of_what_names_its_events(hurry):
    reader = opened(cohort="mgus_competing", target="event")
    assert [option.replace("\\", "") for option in reader.options("model_target")] == [
        "Progression or death without progression, whichever first",
        "Progression; death without progression may come first",
    ]
    assert reader.title.startswith("Model Progression, with death without progression competing")


def test_columns_that_are_not_used_are_one_click_away(hurry):
    reader = opened(cohort="gse7390_breast_expression")
    assert "76 further variables are recorded and not used." in reader.boxes
    reader.at.button(key="model_add_all").click()
    reader.run()
    assert reader.at.session_state["model_pool"] == "all"
    assert reader.at.get_by_key("model_model").value == "penalised"
    next(button for button in reader.at.button if button.label == "Stop").click()
    reader.run()


def test_a_penalised_model_names_what_it_keeps(monkeypatch):
    reader = opened(cohort="lung_ncctg", model="penalised", filter=YOUNG.to_text(), page="reasons")
    monkeypatch.delenv(jobs.PATIENCE)  # how well it does is asked elsewhere
    reader.open("model")
    cohort = YOUNG.apply(read_cohort(ROOT / "sample_data" / "lung_ncctg"))
    fitted = learn("penalised", training(cohort, "death"))
    assert reader.box("as the penalty weakens").startswith(f"{len(fitted.kept)} of {fitted.offered} variables are kept")
    columns = int(np.count_nonzero(fitted.hazards[0].coef))
    assert f" {columns} are kept at the penalty in use" in reader.alt("model_path")
    (part,) = parts(fitted)
    first = ratios(part)[0]
    assert f"{first.label}: {first.hr:.2f};" in reader.alt("model_forest")
    assert "no intervals: a penalty pulls ratios towards 1 on purpose" in reader.text


TREES = (
    ("forest", "A forest of decision trees", ["Trees", "300"]),
    ("average", "The average of a Cox model and a forest", ["Forest: Trees", "300"]),
    ("boosted", "Boosted trees", ["Learning rate", "0.05"]),
)


def test_trees_say_what_they_are_and_what_they_go_by(monkeypatch):
    reader = opened(cohort="lung_ncctg", model="forest", filter=YOUNG.to_text(), page="reasons")
    for kind, lead, setting in TREES:
        monkeypatch.setenv(jobs.PATIENCE, "100")
        reader.open("reasons").choose("model_model", kind)
        assert "94 patients, against" in reader.text
        assert reader.figures == ["reasons_swarm", "reasons_dependence"]
        monkeypatch.delenv(jobs.PATIENCE)  # how well it does is asked elsewhere
        reader.open("model")
        said = f"{lead} for the risk of death, learnt from 94 patients with 64 events and 5 variables."
        assert reader.box("learnt from").startswith(said)
        assert setting in reader.unfold("model_settings").table("Settings of the model")
        assert len(re.findall(r"points? on average", reader.text)) in range(3, 6)
        assert reader.stops == []


# ------------------------------------------------------------------ the choice


def test_the_choice_is_kept_in_the_link_and_across_pages(hurry):
    reader = opened(cohort="lung_ncctg").choose("model_model", "penalised")
    assert reader.link["model"] == "penalised"
    reader.open("survival").open("model")
    assert reader.at.get_by_key("model_model").value == "penalised"
    assert reader.link["model"] == "penalised"
    other = opened(cohort="mgus_competing", target="event", model="nonsense")
    assert other.at.get_by_key("model_target").value == "event"
    assert other.at.get_by_key("model_model").value == "cox"
    assert "model" not in other.link


def test_a_variable_is_left_out_and_taken_back():
    reader = opened(cohort="lung_ncctg")
    everything = reader.alt("model_forest")
    reader.choose("model_out", ["age", "sex"])
    assert reader.link["without"] == "age,sex"
    assert "Age" not in reader.alt("model_forest")
    assert "and 3 variables" in reader.box("learnt from")
    for name in ("age", "sex"):
        reader.click(f"chip_model_{name.encode().hex()}")
    assert "without" not in reader.link
    assert reader.alt("model_forest") == everything


# ------------------------------------------------------------------ keeping it


def test_a_model_is_saved_listed_and_deleted():
    reader = opened(cohort="lung_ncctg").unfold("model_save", "model_saved")
    assert "None yet." in reader.text
    reader.at.text_input(key="model_save_name").set_value("<b>Ours</b>")
    reader.at.text_area(key="model_save_note").set_value("for *tests*")
    for version in (1, 2):
        next(b for b in reader.at.button if b.label == "Save").click()
        reader.run()
        assert f"version {version}." in unescaped(reader.at.success[0].value)
    reader.run()
    saved = [box for box in reader.boxes if box.startswith("<b>Ours</b>")]
    assert [re.search(r"version (\d)", box)[1] for box in saved] == ["2", "1"]
    assert "Cox model, Death; " in saved[0] and "228 patients, 165 events" in saved[0]
    assert reader.boxes.count("for *tests*") == 2


def test_the_card_is_previewed_and_downloaded_with_its_performance():
    reader = opened(cohort="lung_ncctg").unfold("model_card")
    assert "165" in reader.text and "Harrell's C" in reader.text
    files = {b.label for b in reader.at.get("download_button")}
    assert {"HTML", "PDF", "JSON"} <= files


# ------------------------------------------------------------------ bad input


def test_below_ten_events_the_model_is_refused_and_the_rest_lives():
    reader = Reader(cohort="gbsg2_breast", filter=FEW)
    assert reader.box("median follow-up").startswith("11 patients 7 recurrence or death (64%)")
    reader.open("model")
    (stop,) = reader.stops
    assert stop.startswith("**No model for this selection.** “Recurrence or death” occurred in 7 patients here;")
    assert stop.endswith("Include more patients, or choose an outcome that occurred more often.")
    assert "Model Recurrence or death, 11 patients" in reader.boxes
    assert reader.figures == []
    assert any(box.startswith("Before you trust it: the data") for box in reader.boxes)
    assert reader.unfold("model_saved").at.get("file_uploader")
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
def test_competing_events_are_read_together_on_every_page(cohort, outcome, label, phrase, cause, counts, monkeypatch):
    monkeypatch.delenv(jobs.PATIENCE)
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
    assert reader.title.startswith(f"Model {label},")
    assert f"with {n_events:,} events" in reader.box("learnt from")
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
