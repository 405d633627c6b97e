"""The page that asks whom a model fails: groups, decisions at a threshold, findings in words, and bad input."""

from __future__ import annotations

import re

import numpy as np
import pytest
from lifelines import KaplanMeierFitter
from lifelines.utils import concordance_index

from bedside.intake import read_cohort
from bedside.risk.training import training
from bedside.validation import cross_validate
from tests.pages import made
from tests.pages.reader import ROOT, Reader, numbers

TEN = 120.0
"""Ten years in the months of NHEFS."""


@pytest.fixture(scope="module", autouse=True)
def patience():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BEDSIDE_PATIENCE", "60")
        yield


@pytest.fixture(scope="module")
def nhefs():
    return Reader(cohort="nhefs_prevention").open("audit")


@pytest.fixture(scope="module")
def folds():
    cohort = read_cohort(ROOT / "sample_data" / "nhefs_prevention")
    rows = training(cohort, cohort.outcomes[0])
    return cohort, rows, cross_validate(("cox",), rows, times=[12.0 * k for k in range(1, 11)])


def group(reader: Reader, table: str, label: str) -> list[str]:
    (row,) = [row for row in reader.table(table) if row[0] == label]
    return row[1:]


def test_what_it_said_and_what_happened_in_each_group(nhefs, folds):
    cohort, rows, found = folds
    male = (cohort.frame["sex"] == "male").to_numpy()
    assert male.sum() == 799
    risk = found.mean("cox").at(TEN)
    happened = 1 - KaplanMeierFitter().fit(rows.time[male], rows.event[male]).predict(TEN)
    said = nhefs.alt("audit_groups")
    shares = re.search(r"Male: said (\d+) of 100, happened to (\d+) of 100 \((\d+) to (\d+)\)", said)
    assert (int(shares[1]), int(shares[2])) == (round(100 * risk[male].mean()), round(100 * happened)) == (24, 24)
    assert "799 patients, 195 events" in said
    c = concordance_index(rows.time[male], -found.mean("cox").score[male], rows.event[male])
    assert group(nhefs, "Measures by group", "Male")[1].startswith(f"{c:.2f} (")
    assert nhefs.figures == ["audit_groups"] and nhefs.stops == []


def test_small_groups_are_grey_and_named(nhefs):
    assert "Too few to judge by, and grey below: Age 70 years or more in 1971 (24 patients, 20 events)." in nhefs.text
    assert "Age 70 years or more in 1971: said 78 of 100" in nhefs.alt("audit_groups")
    grey = re.findall(r'<td class="bs-muted"><div[^>]*>([^<]+)', nhefs.raw)
    assert set(grey) == {"Age 70 years or more in 1971"}
    dots = [t for t in nhefs.figure("audit_groups")["data"] if t.get("mode") == "markers"]
    # Observed and predicted, in colour and grey.
    assert [len(numbers(t["x"])) for t in dots] == [8, 8, 1, 1]


def test_a_decision_flags_what_it_flags_with_differences_to_the_reference(folds):
    cohort, rows, found = folds
    male = (cohort.frame["sex"] == "male").to_numpy()
    flagged = found.mean("cox").at(TEN) >= 0.2
    nhefs = Reader(cohort="nhefs_prevention").open("audit", decision_threshold="20")
    row = group(nhefs, "Decisions by group", "Male")
    right = group(nhefs, "Whether the flag was right, by group", "Male")
    share = 100 * flagged[male].mean()
    assert row[0].startswith(f"{share:.0f} (")
    apart = share - 100 * flagged[~male].mean()
    assert f"of 799 {apart:+.0f} (" in row[0]

    def risk(here: np.ndarray) -> float:
        return 1 - KaplanMeierFitter().fit(rows.time[here], rows.event[here]).predict(TEN)

    p, up, low = flagged[male].mean(), risk(male & flagged), risk(male & ~flagged)
    assert row[1].startswith(f"{100 * p * up / (p * up + (1 - p) * low):.0f} (")
    assert f"of about {799 * risk(male):,.0f}" in row[1]
    assert right[0].startswith(f"{100 * up:.0f} (") and f"of {flagged[male].sum():,}" in right[0]
    assert f"of {(male & ~flagged).sum():,}" in right[1]
    assert "It holds when all looks are allowed for." in nhefs.text
    other = Reader(cohort="nhefs_prevention").open("audit").choose("decision_threshold", 50)
    assert other.link["decision_threshold"] == "50"
    assert group(other, "Decisions by group", "Male")[0] != row[0]
    assert "flagged: a risk of 50 of 100 or more within 10 years" in other.text


def test_findings_are_sentences_and_their_number_is_put_in_proportion(nhefs):
    assert "Sex: " in nhefs.box("Male said 24, happened 24 (22 to 28)", "no sign that it fails any of them")
    assert re.search(r"\d+ comparisons were made: about 0\.\d findings would be expected by chance alone", nhefs.text)
    # Without a threshold nothing is said of decisions.
    assert "at a threshold of" not in nhefs.text
    assert "Set above the risk from which on you would treat" in nhefs.text


def test_right_for_women_is_not_a_failure_of_women():
    """Women of ACTG 175 have fewer events and are flagged less often; risks are right for them, so says the lead."""
    reader = Reader(cohort="actg175_hiv_trial").open("audit", decision_threshold="20")
    assert reader.box("No sign that it fails any of the groups") == (
        "No sign that it fails any of the groups that could be compared."
    )
    # survfit(Surv(days, event) ~ gender): women by three years 24 (19 to 29) of 100.
    assert "Female said 24, happened 24 (19 to 29)" in reader.text
    told = reader.box("Female, at a threshold of 20 of 100: of 100 who have the event")
    assert "difference −" in told and " -" not in told and "-0" not in told
    assert "a difference here is no fault of the model where its risks are right" in reader.text


def test_groups_that_could_not_be_looked_at_come_first():
    """Lung: 90 women with 36 events by a year, and no age group is large enough."""
    reader = Reader(cohort="lung_ncctg").open("audit")
    lead = reader.box("Cannot be told for Female or by age: too few patients or events.")
    assert "Only Male (said 67, happened 66 (58 to 75)) could be looked at" in lead and "No sign" not in lead


def test_a_finding_that_does_not_hold_is_a_hint():
    reader = Reader(cohort="mgus_competing").open("audit")
    lead = reader.box("No finding holds once 10 looks are allowed for. The largest hint: ")
    assert "C: Age 50 to 59 years 0.69 (0.63 to 0.75)" in lead


def test_a_threshold_that_flags_everybody_compares_nothing():
    reader = Reader(cohort="lung_ncctg").open("audit", decision_threshold="10")
    assert "almost everybody is flagged (228 of 228): there is nothing to compare" in reader.text
    assert 'aria-label="Decisions by group"' not in reader.raw


def test_nothing_found_is_said_with_what_could_have_been_missed():
    reader = Reader(cohort="gbsg2_breast").open("audit")
    assert "fails any of" in reader.text
    told = reader.box("What could have been missed: ")
    # The least sure group that is judged: Kaplan-Meier by 4 years in 60 to 69 years olds, 32% to 48%, predicted 40%.
    assert "up to 8 of 100 (Age 60 to 69 years, 185 patients, of whom it is least sure)" in told


def test_any_variable_and_all_sentences():
    reader = Reader(cohort="gbsg2_breast").open("audit").choose("audit_by", "grade")
    assert reader.link["audit_by"] == "grade"
    assert [row[0] for row in reader.table("Measures by group")[2:]] == ["Grade 1", "Grade 2", "Grade 3"]
    text = reader.unfold("audit_all").text
    assert re.search(r"it said \d+ of 100 by 4 years and \d+ of 100 had the event", text)
    assert "within 4 years" in reader.text and "Cochran's Q" in text


def test_with_competing_events_observed_is_cumulative_incidence():
    reader = Reader(cohort="pbc_liver").open("audit", target="event")
    assert reader.title.startswith("Who does it fail? Cox model, Death, with")
    # R: survfit(Surv(time, factor(status)) ~ sex) of pbc, women: 0.36 by 7 years.
    assert "Female: said 37 of 100, happened to 36 of 100" in reader.alt("audit_groups")
    assert "Observed by Aalen-Johansen" in reader.text


def test_every_group_too_small_is_said_to_show_nothing():
    reader = Reader(cohort="lung_ncctg").open("audit").choose("audit_by", "age")
    assert "No group is large enough to judge by (100 patients and 20 events)" in reader.text


# ------------------------------------------------------------------ bad input


@pytest.fixture
def invented(tmp_path, monkeypatch):
    """A cohort in which nobody of one site had the event, another site has one patient, and nothing is sensitive."""

    def sites(columns: dict) -> list[str]:
        free = [i for i, status in enumerate(columns["status"]) if not status]
        return ["calm" if i in free[:15] else "lone" if i == free[-1] else "usual" for i in range(len(columns["id"]))]

    told = made.dictionary("Sites", variables=[
        {"name": "age", "kind": "continuous"}, {"name": "site", "kind": "categorical", "use": "optional"},
        {"name": "marker", "kind": "continuous"}, {"name": "arm", "kind": "categorical"},
    ])  # fmt: skip
    columns = made.patients(160)
    columns["site"] = sites(columns)
    made.write(tmp_path, "sites", columns, told)
    monkeypatch.setenv("BEDSIDE_COHORTS", str(tmp_path))
    return "sites"


def test_a_group_without_events_and_a_group_of_one_leave_the_page_alive(invented):
    reader = Reader(cohort=invented).open("audit").choose("audit_by", "site")
    assert reader.stops == [] and reader.figures == ["audit_groups"]
    assert group(reader, "Measures by group", "Calm")[0] == "15 no events"
    assert group(reader, "Measures by group", "Lone")[0] == "1 no events"
    assert group(reader, "Measures by group", "Calm")[1] == "–"
    assert "Calm (15 patients, no events)" in reader.text
    assert reader.unfold("audit_all").stops == []


def test_without_sensitive_attributes_any_variable_is_looked_at(invented):
    reader = Reader(cohort=invented).open("audit")
    assert "All sensitive attributes" not in reader.options("audit_by")
    assert reader.stops == [] and reader.figures == ["audit_groups"]
