"""Why: reasons with their intervals, beside whom the reader chooses, over time, and of a risk from later on."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from bedside.cohort import Outcome
from bedside.explain import background, contributions
from bedside.intake import cohort_from_frame
from bedside.risk.learners import learn
from bedside.risk.training import training
from components.panels.patient_over_time import how_many
from tests.pages.reader import Reader
from tests.pages.test_page_patient import bundled, headline, opened

YEAR = 365.25


@pytest.fixture(scope="module")
def reader():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BEDSIDE_REASONS_AT_ONCE", "1")
        yield opened("gbsg2_breast", 303)


def why(reader: Reader) -> tuple[int, int]:
    """The two numbers of the headline."""
    found = re.findall(r"Why (\d+) and not (\d+)", reader.text)
    return int(found[0][0]), int(found[0][1])


def test_reasons_know_their_intervals_and_what_is_expected(reader):
    alt = reader.alt("patient_why")
    nodes = re.search(r"9 positive nodes \+(\d+) \((\d+) to (\d+); depends most on (.+?)\)", alt)
    assert nodes is not None and int(nodes[2]) < int(nodes[1]) < int(nodes[3])
    assert re.search(r"Age 55 years −1 \(−\d+ to \d+, may be nothing", alt)
    assert "95% intervals from refits to samples of the patients. Grey bars may be nothing." in reader.text
    lead = reader.box("Compared with the average of 100 patients spread evenly over the 686 here:")
    assert "9 positive nodes: goes with 16 points more risk. Higher goes with more risk: as expected." in lead
    assert why(reader)[0] == headline(reader)


def test_the_risk_does_not_depend_on_whom_it_is_compared_with(reader):
    risk, (_, average) = headline(reader), why(reader)
    cohort = bundled("gbsg2_breast")
    same = cohort.frame[cohort.frame["grade"].astype(str) == str(cohort.frame["grade"].iloc[303])]
    model = learn("cox", training(cohort, cohort.outcomes[0]))
    found = contributions(model, cohort.frame.iloc[[303]], background(model, same), [4 * YEAR])
    reader.choose("patient_reference", "level.grade")
    assert headline(reader) == risk and why(reader) == (risk, round(100 * found.base[0]))
    whom = f"of 100 patients spread evenly over the {len(same):,} here with tumour grade: 2:"
    assert f"Compared with the average {whom}" in reader.text
    assert reader.link["patient_reference"] == "level.grade"
    assert "Grade 2 0" in reader.alt("patient_why")
    reader.choose("patient_reference", "")
    assert why(reader) == (risk, average) and "patient_reference" not in reader.link


def test_reasons_over_time(reader):
    reader.choose("patient_section", "over_time")
    assert "The largest reason is positive lymph nodes at all times." in reader.text
    assert "Bands: 95% intervals" in reader.text
    first, _, last = re.search(r"9 positive nodes \+(\d+), \+(\d+), \+(\d+)", reader.alt("patient_over_time")).groups()
    assert int(first) <= 2 and int(last) > 12
    reader.choose("patient_section", "values")


def test_reasons_of_those_free_of_it_so_far(reader):
    whole = why(reader)
    reader.choose("patient_alive_years", 2.0).choose("horizon_years", 4.0)
    assert why(reader)[0] == headline(reader) < whole[0] and why(reader)[1] < whole[1]
    assert "from the start" not in reader.text
    cohort, s, t = bundled("gbsg2_breast"), 2 * YEAR, 4 * YEAR
    there = cohort.frame[cohort.time(cohort.outcomes[0]) > s]
    model = learn("cox", training(cohort, cohort.outcomes[0]))
    risk = model.risk(background(model, there).frame, [s, t])
    average = 100 * float(((risk[:, 1] - risk[:, 0]) / (1 - risk[:, 0])).mean())
    everyone = model.risk(background(model, cohort).frame, [s, t])
    start = 100 * float(((everyone[:, 1] - everyone[:, 0]) / (1 - everyone[:, 0])).mean())
    assert why(reader)[1] == round(average) < round(start)
    whom = f"of 100 patients spread evenly over the {len(there)} here who have come 2 years without it:"
    assert f"Compared with the average {whom}" in reader.text


def test_a_link_that_asks_for_other_patients_says_so():
    found = opened("gbsg2_breast", 303)
    found.open("patient", patient_reference="level.nothing<b>")
    assert any("compared with whom" in stop for stop in found.stops)
    assert "over the 686 here:" in found.box("Compared with the average")
    assert np.isfinite(headline(found))
    found.choose("reading", "patient")
    assert "9 positive nodes: about 16 more of 100." in found.box("What goes with this number")
    assert "points" not in found.box("What goes with this number")


def test_fewer_times_where_each_takes_all_coalitions_of_many_variables():
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(rng.normal(size=(150, 14)), columns=[f"x{j}" for j in range(14)])
    frame["years"], frame["status"] = rng.exponential(3, 150), rng.integers(0, 2, 150)
    outcome = Outcome(key="event", label="Event", time="years", unit="years", status="status")
    wide = cohort_from_frame(frame, outcomes=[outcome])
    rows = training(wide, "event")
    trees = learn("boosted", rows, {"eta": 0.1, "rounds": 20, "depth": 2})
    assert how_many(background(trees, wide), trees.last) == 8
    few = learn("boosted", training(wide, "event", variables=["x0", "x1"]), {"eta": 0.1, "rounds": 20, "depth": 2})
    assert how_many(background(few, wide), few.last) == 16
    linear = learn("cox", rows, {"knots": 0})
    assert how_many(background(linear, wide), linear.last) == 16
