"""The list of patients: found, sorted and opened, and never named in an address."""

from __future__ import annotations

import json
import re

import pandas as pd
import pytest

from bedside.cohort.selection import Between, Selection
from bedside.intake import read_cohort
from bedside.risk.learners import learn
from bedside.risk.training import training
from components import jobs
from tests.pages.reader import ROOT, Reader

OLD = Selection(((Between("age", 60, 80),),)).to_text()
TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")


@pytest.fixture
def reader() -> Reader:
    return Reader(cohort="gbsg2_breast").open("patients")


def table(reader: Reader) -> pd.DataFrame:
    (shown,) = reader.at.dataframe
    return shown.value


def titles(reader: Reader) -> dict[str, str]:
    (shown,) = reader.at.dataframe
    return {name: told["label"] for name, told in json.loads(shown.proto.columns).items() if "label" in told}


def test_everybody_is_listed_with_key_variables_and_risk(reader):
    shown = table(reader)
    assert len(shown) == 686
    # Highest risk first.
    assert list(shown["patient"][:3]) == ["259", "495", "684"]
    assert shown["risk"].is_monotonic_decreasing
    assert titles(reader) == {
        "patient": "Patient",
        "v0": "Age (years)",
        "v1": "Menopausal status",
        "v2": "Hormone therapy",
        "v3": "Tumour size (mm)",
        "v4": "Tumour grade",
        "v5": "Positive lymph nodes",
        "v6": "Progesterone receptor (fmol/mg)",
        "v7": "Oestrogen receptor (fmol/mg)",
        "risk": "Risk within 4 years, Cox model",
    }
    assert shown.set_index("patient").loc["684", ["v0", "v1", "v3", "v5"]].tolist() == [61, "post-menopausal", 60, 51]
    assert shown.set_index("patient").loc["1", ["v0", "v1", "v5"]].tolist() == [38, "pre-menopausal", 5]
    assert reader.title == "Patients 686 patients"


def test_numbers_are_numbers_so_that_the_table_sorts_by_them(reader):
    shown = table(reader)
    assert all(shown[name].dtype == "float64" for name in ("risk", "v0", "v3", "v5", "v6", "v7"))
    highest = shown.sort_values("risk").iloc[-1]
    assert (highest["patient"], highest["v5"]) == ("259", 24)
    assert highest["risk"] == pytest.approx(99, abs=0.05)  # 99.2, and none is a certainty
    assert shown.set_index("patient").loc["684", "risk"] == pytest.approx(97.8, abs=0.05)
    # The mean risk over the cohort is near what Kaplan-Meier says at 4 years, 44%: no column of another scale.
    assert shown["risk"].mean() == pytest.approx(44, abs=2)


@pytest.mark.parametrize(
    ("typed", "found"), [("686", 1), ("post-menop", 396), ("POST-menop", 396), ("  684 ", 1), ("68", 14)]
)
def test_search_finds_identifiers_and_values(reader, typed, found):
    shown = table(reader.choose("patients_search", typed))
    assert len(shown) == found
    assert f"{found} patient{'s' * (found != 1)} found" in reader.text


def test_a_search_outside_the_filter_says_so_and_takes_the_filter_away():
    # Patient 684 is 61 years old, patient 685 is 46: outside the filter.
    reader = Reader(cohort="gbsg2_breast", filter=OLD).open("patients").choose("patients_search", "684")
    assert table(reader)["patient"].tolist() == ["684"]
    reader.choose("patients_search", "685")
    assert reader.at.get("dataframe") == []
    assert [info.value for info in reader.at.info] == ["1 patient found, but outside the filter above."]
    reader.click("patients_unfilter")
    assert "**All 686 patients**" in reader.text
    assert "filter" not in reader.link
    assert table(reader)["patient"].tolist() == ["685"]
    # Whom nobody is outside either is said as without a filter, and there is no button.
    reader = Reader(cohort="gbsg2_breast", filter=OLD).open("patients").choose("patients_search", "zzz")
    assert reader.at.info[0].value.startswith("No patient matches.")
    assert not [button for button in reader.at.button if button.key == "patients_unfilter"]


def test_what_is_found_is_in_the_order_of_the_search_and_is_not_called_sorted_by_risk(reader):
    reader.choose("patients_search", "68")
    assert table(reader)["patient"].tolist()[:3] == ["68", "680", "681"]
    assert "highest first" not in reader.text
    assert "highest first" in reader.choose("patients_search", "").text
    # Blanks are no search.
    assert table(reader.choose("patients_search", "  "))["patient"].tolist()[:2] == ["259", "495"]


def test_search_puts_the_exact_identifier_first(reader):
    reader.choose("patients_search", "68")
    assert table(reader)["patient"].iloc[0] == "68"
    assert [button.label for button in reader.at.button] == ["Open patient 68"]


@pytest.mark.parametrize("typed", ["zzz", "<script>alert(1)</script>", "![x](http://evil/x.png)", "%", "\\", "("])
def test_a_search_without_a_match_says_what_can_be_searched(reader, typed):
    reader.choose("patients_search", typed)
    assert reader.at.get("dataframe") == []
    (info,) = reader.at.info
    assert info.value.startswith("No patient matches. Search by identifier or by a value")
    assert reader.choose("patients_search", "").at.get("dataframe") != []


def test_the_horizon_changes_every_risk_and_its_title(reader):
    four = table(reader).set_index("patient")["risk"]
    reader.choose("horizon_years", 1.0)
    assert titles(reader)["risk"] == "Risk within 1 year, Cox model"
    assert "within 1 year of surgery, from the Cox model of these 686 patients, highest first" in reader.text
    one = table(reader).set_index("patient")["risk"]
    assert (one <= four[one.index]).all()
    assert one["684"] == pytest.approx(38.4, abs=0.05)
    # Nobody stands at the floor of the table both times: the lowest risk within 4 years is 6%.
    assert (one < four[one.index]).all()


def test_no_risk_in_the_table_is_a_certainty(reader):
    # Within 1 year the model gives 3 patients less than 1%, within 6 years 7 patients more than 99%.
    low = table(reader.choose("horizon_years", 1.0))["risk"]
    assert low.min() == 1 and (low == 1).sum() == 3
    high = table(reader.choose("horizon_years", 6.0))["risk"]
    assert high.max() == 99 and (high == 99).sum() == 7
    assert "shown between 1% and 99%" in reader.text


def test_a_row_opens_its_patient_by_an_opaque_token(reader):
    reader.patient("524")
    assert reader.title.startswith("Patient 524 ")
    assert TOKEN.fullmatch(reader.link["patient"])
    assert "524" not in str(reader.link.values())


def test_the_row_of_a_search_opens_the_patient_it_shows(reader):
    reader.choose("patients_search", "pre-menop")
    shown = table(reader)["patient"].tolist()
    assert shown[4] != "5"
    reader.row(4)
    assert reader.title.startswith(f"Patient {shown[4]} ")


def test_what_is_found_opens_with_one_click(reader):
    reader.choose("patients_search", "686").click("patients_open").open("patient")
    assert reader.title.startswith("Patient 686 Age 63 years")
    assert TOKEN.fullmatch(reader.link["patient"])
    assert "686" not in str(reader.link)


def test_a_patient_has_one_token_whatever_the_filter_and_another_in_another_cohort(reader):
    first, last = reader.patient("1").link["patient"], reader.patient("686").link["patient"]
    assert first != last
    filtered = Reader(cohort="gbsg2_breast", filter=OLD).open("patients").choose("patients_search", "686")
    assert filtered.click("patients_open").link["patient"] == last
    assert Reader(cohort="pbc_liver").open("patients").row(0).link["patient"] != first


def test_the_horizon_goes_along_to_the_patient(reader):
    reader.choose("horizon_years", 2.0).row(0)
    assert "within 2 years of surgery" in reader.box("patients with these values")


def test_a_filter_narrows_the_list_and_the_model_with_it():
    reader = Reader(cohort="gbsg2_breast", filter=OLD).open("patients")
    shown = table(reader)
    assert len(shown) == 211
    assert shown["v0"].min() == 60
    assert "from the Cox model of these 211 patients" in reader.text
    whole = table(Reader(cohort="gbsg2_breast").open("patients")).set_index("patient")["risk"]
    assert not shown.set_index("patient")["risk"].equals(whole.loc[shown["patient"]])


def test_missing_values_stay_missing():
    shown = table(Reader(cohort="pbc_liver").open("patients"))
    names = titles(Reader(cohort="pbc_liver").open("patients"))
    platelets = next(name for name, title in names.items() if title.startswith("Platelets"))
    assert shown[platelets].isna().sum() == 11
    assert shown["risk"].notna().all()


def test_the_list_can_be_taken_along(reader):
    reader.unfold("save_patients")
    (button,) = reader.at.get("download_button")
    assert button.proto.label == "Numbers (CSV)"


def test_the_chosen_model_gives_the_risks_and_is_named(monkeypatch):
    monkeypatch.setenv(jobs.PATIENCE, "120")
    reader = Reader(cohort="lung_ncctg", model="penalised").open("patients")
    assert titles(reader)["risk"] == "Risk within 1 year, Penalised Cox"
    assert "from the penalised Cox of these 228 patients" in reader.text
    cohort = read_cohort(ROOT / "sample_data" / "lung_ncctg")
    expected = 100 * learn("penalised", training(cohort, cohort.outcomes[0])).risk(cohort.frame, [365.25])[:, 0]
    shown = table(reader).set_index("patient")["risk"]
    assert shown[cohort.identifiers[3]] == pytest.approx(expected[3], abs=1e-9)


def test_a_model_that_is_still_being_fitted_is_not_called_missing():
    reader = Reader(cohort="lung_ncctg", model="forest").open("patients")
    assert "No risk is shown yet: the forest is not fitted, see above." in reader.boxes
    assert "there is no model" not in reader.text
    assert "risk" not in table(reader)
