"""The validation page: the answer in a sentence, models side by side, figures of unseen patients, and bad input."""

from __future__ import annotations

import re

import numpy as np
import pytest
from lifelines import KaplanMeierFitter
from lifelines.utils import concordance_index

from bedside.cohort.selection import Between, Selection
from bedside.intake import read_cohort
from bedside.risk.training import training
from bedside.validation import cross_validate, smooth_calibration, weak_calibration
from tests.pages.reader import ROOT, Reader, numbers

YEARS = 365.25
FIGURES = ["validation_calibration", "validation_decision", "validation_auc", "validation_brier", "validation_curves"]
FEW = Selection(((Between("age", 73.0, 80.0),),)).to_text()


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """Pages wait for their real child processes."""
    monkeypatch.setenv("BEDSIDE_PATIENCE", "60")


@pytest.fixture(scope="module")
def gbsg():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BEDSIDE_PATIENCE", "60")
        yield Reader(cohort="gbsg2_breast").open("validation")


@pytest.fixture(scope="module")
def folds():
    """Out-of-fold predictions of the Cox model, and the patients."""
    cohort = read_cohort(ROOT / "sample_data" / "gbsg2_breast")
    rows = training(cohort, cohort.outcomes[0])
    return rows, cross_validate(("cox",), rows, times=[YEARS * k for k in range(1, 7)])


def alone(**link: str) -> Reader:
    """The page with the Cox model alone: the others take long, and are looked at on two cohorts."""
    reader = Reader(**{name: value for name, value in link.items() if name != "validation_way"})
    reader.at.session_state["validation_kinds"] = ["cox"]
    return reader.open("validation", **{name: value for name, value in link.items() if name == "validation_way"})


def cells(reader: Reader, table: str, start: str) -> list[str]:
    (row,) = [row for row in reader.table(table) if row[0].startswith(start)]
    return row[1:]


def test_the_answer_is_a_sentence_with_what_lifelines_finds(gbsg, folds):
    rows, found = folds
    # lifelines, on the same out-of-fold scores and risks.
    c = [concordance_index(rows.time[p.rows], -p.said["cox"].score, rows.event[p.rows]) for p in found.parts]
    curve = KaplanMeierFitter().fit(rows.time, rows.event)
    happened = 100 * (1 - curve.predict(4 * YEARS))
    said = 100 * found.mean("cox").at(4 * YEARS).mean()
    (lead,) = [box for box in gbsg.boxes if box.startswith("Of 100 pairs")]
    reach = 2.776445 * np.sqrt((1 / 5 + 1 / 4) * np.var(c, ddof=1))  # Nadeau and Bengio, t with 4 degrees of freedom
    between = f"({100 * (np.mean(c) - reach):.0f} to {100 * (np.mean(c) + reach):.0f})"
    assert lead.startswith(
        f"Of 100 pairs of patients it had not seen, the Cox model ranks {100 * np.mean(c):.0f} rightly {between}; 50 "
        "would be chance. In the fifth of patients with the highest risks it said 78 of 100 within 4 years, and 75 had"
    )
    assert "not clearly better" not in lead
    told = f"On average it said {said:.0f} of 100, and {happened:.0f} had the event (40 to 48) within 4 years."
    assert told in gbsg.text
    assert (round(100 * np.mean(c)), round(happened), round(said)) == (71, 44, 45)
    assert "686 patients, 299 events; patients it had not seen." in gbsg.text
    assert gbsg.stops == [] and gbsg.figures == FIGURES


def test_slope_and_calibration_index_are_of_all_patients_together(gbsg, folds):
    rows, found = folds
    risk = found.risk["cox"][0, :, found.grid.searchsorted(4 * YEARS)]
    ici = smooth_calibration(rows.time, rows.event, risk, 4 * YEARS).ici
    slope = weak_calibration(rows.time, rows.event, risk, 4 * YEARS).slope.value
    assert cells(gbsg, "Models side by side", "Integrated calibration index")[0] == f"{ici:.3f}"
    assert cells(gbsg, "Models side by side", "Calibration slope")[0] == f"{slope:.3f}"
    # The mean over folds, which a perfect model would not bring to 0 either, is more than half as much again.
    assert ici < np.mean([part.measures["cox"]["ici"][3] for part in found.parts]) / 1.5
    assert "Uno's C and the integrated Brier score go up to" in gbsg.text
    assert "Harrell's C takes all of follow-up" in gbsg.text
    assert "Kaplan-Meier: the same risk, that of the patients the models learnt from, for everybody" in gbsg.text


def test_models_stand_side_by_side_with_the_baseline(gbsg):
    assert gbsg.table("Models side by side")[0] == ["Measure", "Cox", "Forest", "Average", "Kaplan-Meier"]
    assert cells(gbsg, "Models side by side", "Harrell's C")[0] == "0.708 (0.644 to 0.773; SD 0.035)"
    assert cells(gbsg, "Models side by side", "Harrell's C")[-1] == "0.500"
    brier = [float(cell.split(" ")[0]) for cell in cells(gbsg, "Models side by side", "Brier score at 4 years")]
    assert all(0.19 < value < 0.22 for value in brier[:-1]) and brier[-1] == pytest.approx(0.247, abs=5e-4)
    # 1 - .201/.247, fold by fold
    # mean 0.184, SD 0.095: 2.776 x root of (1/5 + 1/4) x 0.095 = 0.177 either way
    accuracy = cells(gbsg, "Models side by side", "Index of prediction accuracy at 4 years")[0]
    low, high = map(float, re.fullmatch(r"0\.184 \((\d\.\d{3}) to (\d\.\d{3}); SD 0\.095\)", accuracy).groups())
    assert (low, high) == pytest.approx((0.184 - 0.177, 0.184 + 0.177), abs=2e-3)
    for name in ("Uno's C", "Time-dependent AUC at 4 years", "Integrated Brier score", "Calibration slope at 4 years",
                 "Observed / expected at 4 years", "Integrated calibration index at 4 years"):  # fmt: skip
        assert len(cells(gbsg, "Models side by side", name)) == 4


def test_differences_within_noise_are_said_to_be_noise(gbsg):
    assert "No model ranks patients or predicts their risks clearly better than another" in gbsg.text
    assert all("within noise" in cell for cell in cells(gbsg, "Differences", "Harrell's C")[:2])
    forest = re.match(r"([+−]\d\.\d{3}) \((−?\d\.\d{3}) to (−?\d\.\d{3})\)", cells(gbsg, "Differences", "Harrell")[0])
    mean, lower, upper = (float(text.replace("−", "-")) for text in forest.groups())
    assert lower < mean < upper and lower <= 0 <= upper
    assert cells(gbsg, "Differences", "Brier score at 4 years")[-1].endswith("clearly worse")
    # The model's C less the forest's is the same number with the other sign.
    other = Reader(cohort="gbsg2_breast").open("validation", validation_shown="forest")
    assert cells(other, "Differences", "Harrell's C")[0].startswith(f"{-mean:+.3f} ({-upper:.3f} to".replace("-", "−"))
    assert other.box("Of 100 pairs").startswith("Of 100 pairs of patients it had not seen, the forest ranks 69 rightly")


def test_calibration_has_groups_and_a_curve_of_unseen_patients(gbsg, folds):
    rows, found = folds
    said = gbsg.alt("validation_calibration")
    groups = re.findall(r"(\d+) patients, (\d+) events by then: predicted (\d+)%, observed (\d+)%", said)
    assert len(groups) == 10 and sum(int(g[0]) for g in groups) == 686
    assert sum(int(g[1]) for g in groups) == int((rows.event & (rows.time <= 4 * YEARS)).sum()) == 263
    risk = found.mean("cox").at(4 * YEARS)
    first = risk <= np.quantile(risk, 0.1)
    observed = 1 - KaplanMeierFitter().fit(rows.time[first], rows.event[first]).predict(4 * YEARS)
    assert (int(groups[0][2]), int(groups[0][3])) == (round(100 * risk[first].mean()), round(100 * observed))
    bars = [t for t in gbsg.figure("validation_calibration")["data"] if t["type"] == "bar"]
    assert sum(numbers(bars[0]["y"])) == 686
    assert "D-calibration: chi-squared 10.2 on 8 degrees of freedom, p = 0.25" in gbsg.text
    assert "56 of 100 patients were censored" in gbsg.text


def test_net_benefit_is_told_per_1000_at_the_threshold_that_is_asked_for(gbsg, folds):
    rows, found = folds
    reader = Reader(cohort="gbsg2_breast").open("validation").choose("decision_threshold", 30)
    said = reader.box("At a threshold of 30 of 100")
    risk = found.mean("cox").at(4 * YEARS)
    above = risk >= 0.3
    hit = 1 - KaplanMeierFitter().fit(rows.time[above], rows.event[above]).predict(4 * YEARS)
    right = 1000 * above.mean() * hit
    net = right - (1000 * above.mean() - right) * 3 / 7
    everybody = 1000 * (1 - KaplanMeierFitter().fit(rows.time, rows.event).predict(4 * YEARS))
    more = net - (everybody - (1000 - everybody) * 3 / 7)
    assert f"{1000 * above.mean():.0f} of 1,000 would be treated, of whom {right:.0f} have the event" in said
    assert f"the same as {net:.0f} events treated rightly and nobody treated needlessly (179 to 283)" in said
    assert f"Beside treating everybody it is worth {more:.0f} more (2 to 57)" in said
    assert reader.at.query_params["decision_threshold"] in ("30", ["30"])
    assert reader.open("audit").at.number_input(key="decision_threshold").value == 30


def test_no_threshold_is_set_until_the_reader_sets_one(gbsg):
    assert gbsg.at.number_input(key="decision_threshold").value is None
    assert "Set below the risk from which on you would treat" in gbsg.text and "At a threshold of" not in gbsg.text


def test_groups_of_risk_are_observed_and_may_be_cut_anywhere(gbsg, folds):
    _, found = folds
    text = gbsg.box("Had the event within 4 years")
    assert "low risk 24 of 100 (229 patients); middle risk 38 of 100 (228 patients); high risk 71 of 100" in text
    reader = Reader(cohort="gbsg2_breast").open("validation").choose("validation_groups", "own")
    reader.choose("validation_cuts", (30, 60))
    n = np.bincount(np.searchsorted([0.3, 0.6], found.mean("cox").at(4 * YEARS), side="right"))
    text = reader.box("Had the event within 4 years")
    assert all(f"({count:,} patients)" in text for count in n)
    assert "under 30 of 100" in text and "60 of 100 or more" in text


def test_the_time_moves_everything_without_checking_again(gbsg):
    reader = Reader(cohort="gbsg2_breast").open("validation").choose("horizon_years", 2.0)
    assert "within 2 years" in reader.box("Of 100 pairs")
    assert cells(reader, "Models side by side", "Harrell's C") == cells(gbsg, "Models side by side", "Harrell's C")
    assert cells(reader, "Models side by side", "Brier score at 2 years")[0] != "–"


def test_every_figure_says_how_it_was_made():
    reader = Reader(cohort="gbsg2_breast").open("validation")
    for key in ("validation_calibration", "validation_decision"):
        text = reader.unfold(f"how_{key}").text
        assert "5-fold cross-validation (1 repeat, folds stratified by type of event, seed 0)" in text


def test_on_training_data_only_when_chosen_and_said_in_amber():
    reader = alone(cohort="lung_ncctg", validation_way="training")
    assert "On the training data: each model is asked about the patients it learnt from" in reader.text
    assert 'class="bs-caution">On the training data' in reader.raw
    seen = float(cells(reader, "Models side by side", "Harrell's C")[0])
    held = alone(cohort="lung_ncctg")
    assert "On the training data" not in held.text
    assert seen > float(cells(held, "Models side by side", "Harrell's C")[0].split(" ")[0])


def test_bootstrap_says_what_is_lost_on_new_patients():
    reader = alone(cohort="lung_ncctg", validation_way="bootstrap")
    said = re.search(r"ranks (\d+) of 100 pairs rightly; on new ones about (\d+) are to be expected", reader.text)
    assert int(said[1]) > int(said[2]) > 50
    assert "100 resamples. Cox model: on the training data, less the optimism after Harrell." in reader.text
    assert re.match(r"0\.\d{3} \(seen 0\.\d{3}\)", cells(reader, "Corrected for optimism", "Harrell's C")[0])


def test_with_competing_events_it_is_the_event_itself():
    reader = Reader(cohort="pbc_liver").open("validation", target="event")
    assert reader.stops == [] and reader.figures == FIGURES
    # R: survfit(Surv(time, factor(status)) ~ 1) of pbc: cumulative incidence of death by 7 years 0.376.
    assert "38 had the event (32 to 43) within 7 years" in reader.text
    assert "418 patients, 161 events" in reader.text
    assert "D-calibration has no definition where other events compete" in reader.text
    assert reader.table("Models side by side")[0][-1] == "Aalen-Johansen"


# ------------------------------------------------------------------ bad input


def test_below_ten_events_it_is_refused_with_a_way_out_and_the_page_stands():
    reader = Reader(cohort="gbsg2_breast", filter=FEW).open("validation")
    assert reader.stops and all("Include more patients" in stop for stop in reader.stops)
    assert reader.figures == [] and reader.title.startswith("Validation")
    assert reader.open("audit").stops and reader.title.startswith("Who does it fail?")


def test_few_events_make_more_or_fewer_folds_and_it_is_said():
    few = Selection(((Between("age", 68.0, 80.0),),)).to_text()
    reader = alone(cohort="gbsg2_breast", filter=few)
    n = int(re.search(r"(\d+) patients, (\d+) events; patients it had not seen", reader.text)[2])
    assert reader.stops == [] and 10 < n < 20
    assert f"{n} events allow" in reader.text


def test_a_model_that_waits_leaves_the_quick_one_on_the_page_and_can_be_stopped(monkeypatch):
    monkeypatch.setenv("BEDSIDE_PATIENCE", "0")
    reader = Reader(cohort="actg175_hiv_trial").open("validation", validation_way="folds5")
    (stop,) = [b for b in reader.at.button if b.label == "Stop"][:1]
    reader.click(stop.key)
    assert "stopped" in reader.text
    assert [b.label for b in reader.at.button if b.label == "Start again"]
    assert reader.title.startswith("Validation")
