"""Similar patients: what happened to them in words, as a curve, and a click away; small counts are not told."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pytest
from lifelines import KaplanMeierFitter

from bedside.cohort import Cohort
from bedside.intake import read_cohort
from bedside.patient.held_out import held_out
from bedside.patient.metric import metric
from bedside.patient.similar import nearest
from bedside.risk.learners import learn
from bedside.risk.training import training
from bedside.store import key as keys
from bedside.validation import cross_validate
from tests.pages.reader import ROOT, Reader, numbers

ROW = 303


@cache
def bundled(cohort: str) -> Cohort:
    return read_cohort(ROOT / "sample_data" / cohort)


def opened(cohort: str, row: int, **link: str) -> Reader:
    """The page of the patient in a row of the file, counted from 0."""
    return Reader(cohort=cohort, **link).patient(bundled(cohort).identifiers[row])


def table(reader: Reader):
    (shown,) = [each for each in reader.at.dataframe if "alike" in each.value]
    return shown


@pytest.fixture(scope="module")
def by_hand():
    """The fifty nearest of a patient and everybody's rows, without the page."""
    cohort = bundled("gbsg2_breast")
    rows = training(cohort, cohort.outcomes[0])
    model = learn("cox", rows)
    near, _ = nearest(metric(model, rows), cohort.frame.iloc[[ROW]], k=50, leave_out=ROW)
    return rows, model, near


def test_the_page_says_what_happened_to_them_and_opens_each(by_hand):
    rows, model, near = by_hand
    reader = opened("gbsg2_breast", ROW)
    # The first section of all, and none of visits in a cohort without any.
    assert reader.options("patient_section")[0] == "Similar patients"
    assert "Visits" not in reader.options("patient_section")
    seen = KaplanMeierFitter().fit(rows.time[near], rows.event[near])
    at = 1 - float(seen.predict(4 * 365.25))
    said = float(model.risk(rows.frame.iloc[near], [4 * 365.25]).mean())
    assert reader.box("patients most alike").startswith(
        f"Of the 50 patients most alike, {100 * at:.0f} of 100 (52 to 81) were seen to have a recurrence or die within "
        f"4 years of surgery; the model said {100 * said:.0f} of 100 for them, and says "
    )
    (drawn,) = [t for t in reader.figure("patient_similar")["data"] if t.get("name") == "observed"]
    time, share = (np.array(numbers(drawn[k])) for k in ("x", "y"))
    np.testing.assert_allclose(share, seen.predict(np.round(time * 365.25)).to_numpy(), atol=1e-12)
    assert "what happened to" in str(reader.figure("patient_similar")["layout"]["annotations"])
    assert reader.table("What counts as alike")[1][0].startswith("Positive lymph nodes")
    assert "Alike in positive lymph nodes" in reader.text
    close = int((metric(model, rows).distances(rows.frame.iloc[[ROW]])[near] <= np.log(2)).sum())
    assert f"{close} of these 50 are much like this patient (all differences together" in reader.text
    shown = table(reader).value
    names = bundled("gbsg2_breast").identifiers
    assert shown["patient"].tolist() == [names[i] for i in near]
    # Nothing of what happened to each: identifier, likeness, risk and predictors.
    assert set(shown.columns) == {"patient", "alike", "risk", *(f"v{i}" for i in range(6))}
    assert shown["alike"].is_monotonic_decreasing
    assert 0 < shown["alike"].iloc[-1] < shown["alike"].iloc[0] <= 100

    token = keys.patient_token(keys.server_key(), "gbsg2_breast", names[ROW])
    key = f"patient_similar_{token[:12]}_50_0"
    assert key in reader.at.session_state
    reader.at.session_state[key] = {"selection": {"rows": [2], "columns": [], "cells": []}}
    reader.run().open("patient")
    assert reader.title.startswith(f"Patient {names[near[2]]} ")
    # The tick is not taken along to the patient that it opened.
    assert reader.run().title.startswith(f"Patient {names[near[2]]} ")
    assert names[near[2]] not in table(reader).value["patient"].tolist()
    assert reader.stops == []


def test_how_many_and_from_when_on(by_hand):
    rows, model, _ = by_hand
    reader = opened("gbsg2_breast", ROW, patient_similar_k="20")
    assert len(table(reader).value) == 20
    # 13 of the 20 had it, so 7 did not: neither is told.
    assert "a number of events that is not shown" in reader.text
    reader.choose("patient_similar_k", "100")
    assert reader.link["patient_similar_k"] == "100"
    assert len(table(reader).value) == 100
    reader.choose("patient_alive_years", 2.0).choose("horizon_years", 4.0)
    lead = reader.box("patients most alike")
    assert lead.startswith("Of the 100 patients most alike among those who were alive and free of recurrence 2 years")
    cohort = bundled("gbsg2_breast")
    came = rows.time > 2 * 365.25
    near, _ = nearest(metric(model, rows), cohort.frame.iloc[[ROW]], k=100, leave_out=ROW, among=came)
    seen = KaplanMeierFitter().fit(rows.time[near] - 2 * 365.25, rows.event[near])
    (at,) = re.findall(r"after surgery, (\d+) of 100 \(", lead)
    assert int(at) == round(100 * (1 - float(seen.predict(2 * 365.25))))
    assert "had not seen them said" not in reader.text
    # Whether it was right for them is judged by models that had not seen them.
    other = 621
    near, _ = nearest(metric(model, rows), cohort.frame.iloc[[other]], k=100, leave_out=other)
    held = held_out(cross_validate(["cox"], rows, times=[4 * 365.25]), "cox", 4 * 365.25)[near].mean()
    reader.patient(cohort.identifiers[other])
    assert f"Fewer of them had it than models that had not seen them said ({100 * held:.0f} of 100)" in reader.text


def test_with_competing_events_and_an_unusual_patient_it_says_how_far_it_goes():
    reader = opened("mgus_competing", 47, target="event")
    lead = reader.box("patients most alike")
    assert "fewer than 10 are still under observation after 9.5 years" in lead
    assert "had been seen to have progression first" in lead
    # One story with the line beside the number.
    assert "of 1,383 other patients similar" in reader.text
    assert re.search("(None of these 50 is|Fewer than 10 of these 50 are) much like this patient", reader.text)
    assert "Aalen-Johansen" in reader.box("pointwise 95% interval, as far as 10 are left")
    (drawn,) = [t for t in reader.figure("patient_similar")["data"] if t.get("name") == "observed"]
    # Who dies first has not progressed: the curve stays above the one that would end with them.
    assert min(numbers(drawn["y"])) > 0.8
