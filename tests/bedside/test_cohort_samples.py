"""The sample cohorts are what their sources say they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bedside.intake import list_cohorts, read_cohort
from bedside.intake.dictionary import read_dictionary

SAMPLES = Path(__file__).parents[2] / "sample_data"
KEYS = sorted(folder.name for folder in SAMPLES.iterdir() if folder.is_dir())

# Patients and events as published with each table.
EXPECTED = {
    "gbsg2_breast": (686, {"recurrence_or_death": 299, "death": 171}),
    "pbc_liver": (418, {"death": 161 + 25}),
    "actg175_hiv_trial": (2139, {"progression": 521}),
    "colon_trial": (929, {"death": 452, "recurrence": 468}),
    "mgus_competing": (1384, {"progression": 115 + 860, "death": 963}),
    "nhefs_prevention": (1629, {"death": 318}),
    "gse7390_breast_expression": (198, {"metastasis": 51}),
    "lung_ncctg": (228, {"death": 165}),
}


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
