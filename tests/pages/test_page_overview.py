"""The overview: who is in the cohort, and is that what the files hold?"""

from __future__ import annotations

import pytest

from components.figures.palette import DARK, LIGHT
from tests.pages.reader import ALONE, PAGES, Reader

SIZES = {
    "gbsg2_breast": ("686 patients", "299 recurrence or death (44%)"),
    "pbc_liver": ("418 patients", "186 death or transplant (44%)"),
    "actg175_hiv_trial": ("2,139 patients", "521 "),
    "colon_trial": ("929 patients", "452 death (49%)"),
    "mgus_competing": ("1,384 patients", "975 progression or death (70%)"),
    "nhefs_prevention": ("1,629 patients", "318 "),
    "gse7390_breast_expression": ("198 patients", "51 distant metastasis (26%)"),
    "lung_ncctg": ("228 patients", "165 "),
}


@pytest.mark.parametrize("cohort", SIZES)
def test_every_bundled_cohort_opens_with_its_patients_and_events(cohort):
    reader = Reader(cohort=cohort)
    patients, events = SIZES[cohort]
    facts = reader.box(patients, "median follow-up")
    assert facts.startswith(f"{patients} {events}")
    assert reader.stops == []
    assert f"**All {patients}**" in reader.text


def test_what_the_cohort_is_stands_first_and_where_it_comes_from_last():
    reader = Reader(cohort="gbsg2_breast")
    assert reader.title == "German Breast Cancer Study Group 2: node-positive breast cancer"
    facts = reader.box("median follow-up")
    # Median follow-up by reverse Kaplan-Meier, 1,645 days; the longest time in the file is 2,659 days.
    assert facts.endswith("4.5 years median follow-up (reverse Kaplan-Meier); longest 7.3 years")
    assert "Schumacher M et al." in reader.box("Licence:")
    assert "Hormone therapy was not randomised" in reader.box("Licence:")


def test_table_one_in_pictures_says_medians_and_shares():
    reader = Reader(cohort="gbsg2_breast")
    assert reader.box("Age 53 years").startswith("Age 53 years (46 to 61)")
    assert reader.box("Hormone therapy", "64%") == "Hormone therapy no hormone therapy 64% hormone therapy 36%"
    assert reader.box("Tumour grade") == "Tumour grade 1 12% 2 65% 3 23%"
    assert 'aria-label="Histogram of Age from 21 years to 80 years."' in reader.raw
    assert "No value is missing." in reader.boxes


def test_table_one_in_numbers_is_made_when_asked_for():
    reader = Reader(cohort="gbsg2_breast")
    assert "Mean (SD)" not in reader.text
    table = reader.unfold("overview_table").table("Who is in the cohort, in numbers")
    assert table[1] == ["Age (years)", "53 (46 to 61)", "53 (10)", "0"]
    assert ["hormone therapy", "246 (35.9%)", "", ""] in table
    reader.unfold("save_overview")
    assert [button.proto.label for button in reader.at.get("download_button")] == ["Numbers (CSV)"]


def test_gaps_are_counted_most_incomplete_first():
    reader = Reader(cohort="pbc_liver")
    assert reader.box("What is missing").endswith("12 of 17 variables")
    gaps = reader.box("Triglycerides 136 (33%)")
    assert gaps.index("Triglycerides 136 (33%)") < gaps.index("Treatment 106 (25%)") < gaps.index("Platelets 11 (3%)")


def test_a_cohort_of_two_causes_says_what_came_first():
    reader = Reader(cohort="pbc_liver")
    assert "First event: Death 161; Liver transplant 25." in reader.boxes


def test_a_later_variable_is_named_as_known_only_later():
    assert "Known only later and never used to predict:" in Reader(cohort="actg175_hiv_trial").text


@pytest.mark.parametrize(("theme", "palette"), [("light", LIGHT), ("dark", DARK)])
def test_the_page_and_its_figures_follow_the_readers_appearance(theme, palette):
    reader = Reader(theme=theme, cohort="gbsg2_breast")
    assert f"--bs-ink:{palette.ink}" in reader.raw
    figure = reader.open("survival").figure("survival_km")
    assert figure["layout"]["template"]["layout"]["font"]["color"] == palette.ink


@pytest.mark.parametrize("page", PAGES)
def test_every_page_says_what_it_is_for_and_from_which_data(page):
    reader = Reader(cohort="gbsg2_breast").open(page)
    use = "Decision support and education for clinicians. Not a medical device"
    assert sum(use in box for box in reader.boxes) == 2  # in the sidebar, and on a printed sheet
    assert "by Bedside 0.1.0; data and filter" in reader.text


@pytest.mark.parametrize("page", PAGES)
def test_the_stamp_names_the_same_data_on_every_page_and_other_data_for_a_filter(page):
    everyone = Reader(cohort="gbsg2_breast")
    seal = everyone.box("data and filter").split("data and filter ")[1][:12]
    assert seal in everyone.open(page).box("data and filter")
    assert seal not in Reader(cohort="gbsg2_breast", filter="W1tbImJldHdlZW4iLCJhZ2UiLDYwLjAsODAuMCwwXV1d").open(
        page
    ).box("data and filter")


@pytest.mark.parametrize("page", ALONE)
def test_a_page_of_no_cohort_says_what_it_is_for_and_carries_no_stamp(page):
    reader = Reader(cohort="gbsg2_breast").open(page)
    use = "Decision support and education for clinicians. Not a medical device"
    assert sum(use in box for box in reader.boxes) == 1
    assert "data and filter" not in reader.text and reader.stops == []


def test_nothing_is_shown_before_the_gate():
    reader = Reader(signed_in=False, cohort="gbsg2_breast", patient="A" * 22)
    assert reader.at.get("plotly_chart") == reader.at.get("selectbox") == []
    assert reader.boxes == ["Read and accept the intended use"]
    assert 'href="/gate"' in reader.raw
    assert b"GBSG" not in reader.sent and b"686" not in reader.sent
