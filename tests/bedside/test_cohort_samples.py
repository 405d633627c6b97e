"""The sample cohorts are what their sources say they are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bedside.cohort.table_one import table_one
from bedside.intake import list_cohorts, read_cohort
from bedside.intake.dictionary import read_dictionary

SAMPLES = Path(__file__).parents[2] / "sample_data"
KEYS = sorted(folder.name for folder in SAMPLES.iterdir() if folder.is_dir())

# Patients and events as published with each table.
EXPECTED = {
    "gbsg2_breast": (686, {"recurrence_or_death": 299, "death": 171}),
    "pbc_liver": (418, {"death": 161 + 25}),
    "actg175_hiv_trial": (2139, {"progression": 521}),
    "colon_trial": (929, {"death": 452, "recurrence": 468 + 38}),
    "mgus_competing": (1384, {"progression": 115 + 860, "death": 963}),
    "nhefs_prevention": (1629, {"death": 318}),
    "gse7390_breast_expression": (198, {"metastasis": 51}),
    "lung_ncctg": (228, {"death": 165}),
}

OF_OUTCOMES = {
    "gbsg2_breast": {"rfs_days", "rfs_event", "os_days", "os_event"},
    "pbc_liver": {"followup_days", "status"},
    "actg175_hiv_trial": {"time_days", "event"},
    "colon_trial": {
        "recurrence_days", "recurrence_event", "death_days", "death_event", "first_event_days", "first_event",
    },
    "mgus_competing": {
        "progression_months", "progression_event", "death_months", "death_event", "time_months", "status",
    },
    "nhefs_prevention": {"followup_months", "death_event"},
    "gse7390_breast_expression": {"dmfs_days", "dmfs_event"},
    "lung_ncctg": {"time_days", "death_event"},
}  # fmt: skip


def test_all_of_them_are_listed():
    entries = list_cohorts([SAMPLES])
    assert {entry.key for entry in entries} == set(EXPECTED) == set(KEYS)
    assert entries[0].key == "gbsg2_breast"


@pytest.mark.parametrize("key", KEYS)
def test_patients_and_events(sample, key):
    n, events = EXPECTED[key]
    cohort = sample(key)
    assert len(cohort) == n
    assert {o.key: int(cohort.event(o).sum()) for o in cohort.outcomes} == events


@pytest.mark.parametrize("key", KEYS)
def test_every_column_is_explained(sample, key):
    """Nothing is guessed in a sample: kinds, levels and codes all come from its dictionary."""
    cohort = sample(key)
    assert cohort.readings == ()
    for variable in cohort.filterable:
        assert variable.label != variable.name
        assert variable.decimals is not None or not variable.is_numeric


@pytest.mark.parametrize("key", KEYS)
def test_values_are_plausible(sample, key):
    cohort = sample(key)
    for variable in (v for v in cohort.filterable if v.plausible is not None):
        low, high = variable.plausible
        assert cohort.frame[variable.name].dropna().between(low, high).all(), variable.name


@pytest.mark.parametrize("key", KEYS)
def test_logarithms_are_of_positive_numbers(sample, key):
    for variable in (v for v in sample(key).filterable if v.scale == "log"):
        assert (sample(key).frame[variable.name].dropna() > 0).all(), variable.name


@pytest.mark.parametrize("key", KEYS)
def test_every_outcome_can_be_said(sample, key):
    for outcome in sample(key).outcomes:
        sentence = f"63 of 100 would {outcome.event_phrase} within 5 years of {outcome.since}; 37 {outcome.free_phrase}"
        assert "the event" not in sentence
        assert outcome.label[0].isupper()


@pytest.mark.parametrize("key", KEYS)
def test_source_licence_and_citation_are_there(sample, key):
    source = sample(key).source
    text = (SAMPLES / key / "SOURCE.md").read_text(encoding="utf-8")
    assert source.citation in text
    assert source.licence in text
    assert key in (SAMPLES.parent / "NOTICE").read_text(encoding="utf-8")


@pytest.mark.parametrize("key", KEYS)
def test_reading_twice_gives_the_same_fingerprint(sample, key):
    assert read_cohort(SAMPLES / key).fingerprint == sample(key).fingerprint


def test_competing_events_are_opened_as_event_free_survival(pbc, sample):
    death = pbc.outcome("death")
    assert (death.label, death.cause_label) == ("Death or transplant", "Death")
    assert death.event_phrase == "die or have a liver transplant"
    progression = sample("mgus_competing").outcome("progression")
    assert (progression.label, progression.cause_label) == ("Progression or death", "Progression")
    assert progression.competing == {"Death without progression": ("death",)}
    assert progression.event_phrase == "die or progress to a plasma cell malignancy"
    recurrence = sample("colon_trial").outcome("recurrence")
    assert (recurrence.label, recurrence.cause_label) == ("Recurrence or death", "Recurrence")
    assert recurrence.event_phrase == "have a recurrence or die"


def test_the_first_event_of_the_colon_trial_is_the_earlier_of_recurrence_and_death(sample):
    cohort = sample("colon_trial")
    rows = cohort.frame
    again, dead = rows["recurrence_event"] == "1", rows["death_event"] == "1"
    first = np.where(again, "recurrence", np.where(dead, "death", "censored"))
    assert (rows["first_event"] == first).all()
    assert dict(rows["first_event"].value_counts()) == {"recurrence": 468, "censored": 423, "death": 38}
    assert (rows["first_event_days"] == rows[["recurrence_days", "death_days"]].min(axis=1)).all()


@pytest.mark.parametrize("key", KEYS)
def test_no_part_of_an_outcome_is_offered_or_described(sample, key):
    """Of all columns only the identifier and what happened are left out."""
    cohort = sample(key)
    offered = {v.name for v in cohort.groupings}
    assert offered == {v.name for v in cohort.filterable} == {s.variable.name for s in table_one(cohort)}
    assert set(cohort.frame) - offered - {cohort.identifier} == OF_OUTCOMES[key]
    assert not {v.name for v in cohort.variables} & OF_OUTCOMES[key]


@pytest.mark.parametrize("key", KEYS)
def test_labels_are_short_and_the_reference_level_has_patients(sample, key):
    cohort = sample(key)
    for variable in cohort.filterable:
        assert len(variable.label) <= 28, variable.label
        if variable.is_grouping and variable.use == "predictor":
            share = (cohort.frame[variable.name] == variable.reference_code).sum() / len(cohort)
            assert share >= 0.1, variable.name


def test_what_was_recorded_years_before_says_so(sample):
    cohort = sample("nhefs_prevention")
    said = [v.say_with_label(cohort.frame[v.name].dropna().iloc[0]) for v in cohort.filterable]
    undated = [text for text in said if "1971" not in text and "1982" not in text]
    assert undated == ["male", "Race: other than white", "Education: 8th grade or less", "Height 174 cm"]
    assert {v.name for v in cohort.filterable if v.modifiable} == {
        "quit_smoking", "weight_1982_kg", "sbp_1982_mmhg", "dbp_1982_mmhg",
    }  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
def test_why_later_fits_into_brackets(sample, key):
    for variable in (v for v in sample(key).variables if v.use == "later"):
        assert variable.why_later[0].islower() and variable.why_later[-1] != ".", variable.name


def test_what_was_measured_after_people_had_stopped_smoking_is_known_as_such(sample):
    cohort = sample("nhefs_prevention")
    after = {v.name: v.earlier for v in cohort.known_after("quit_smoking")}
    assert after == {"weight_1982_kg": "weight_1971_kg", "sbp_1982_mmhg": "", "dbp_1982_mmhg": ""}
    assert cohort.known_after("sex") == ()  # sex was there before
    assert {v.name for v in cohort.filterable if "1982" in v.label} == {*after, "quit_smoking"}


def test_treatments(sample):
    randomised = {key: t.randomised for key in KEYS if (t := sample(key).treatment) is not None}
    assert randomised == {
        "gbsg2_breast": False,
        "pbc_liver": True,
        "actg175_hiv_trial": True,
        "colon_trial": True,
        "nhefs_prevention": False,
    }
    assert len(sample("actg175_hiv_trial").variable("arm").levels) == 4
    assert len(sample("colon_trial").variable("arm").levels) == 3


@pytest.mark.parametrize("key", KEYS)
def test_a_dictionary_names_only_what_the_format_has(key):
    draft = read_dictionary(SAMPLES / key / "dictionary.json")
    assert draft.faults == ()
    told = json.loads((SAMPLES / key / "dictionary.json").read_text(encoding="utf-8"))
    assert set(told) <= set(type(draft.whole).model_fields)
