"""Visits: the updated risk in words and as a curve, measurements with what is usual, the outcome only when asked."""

from __future__ import annotations

import numpy as np
import pytest

from bedside.patient.visits_models import landmark_models, risk_at_visits
from bedside.risk.learners import learn
from bedside.risk.training import training
from components import jobs
from tests.pages.reader import numbers
from tests.pages.test_page_patient_similar import bundled, opened

YEAR = 365.25


@pytest.fixture(scope="module")
def pbc():
    return bundled("pbc_liver")


def test_the_updated_risk_in_words_as_a_curve_and_what_it_gains(pbc, monkeypatch):
    monkeypatch.setenv(jobs.PATIENCE, "60")
    reader = opened("pbc_liver", 20, patient_section="visits")
    outcome = pbc.outcomes[0]
    first = learn("cox", training(pbc, outcome))
    by_hand = [
        r
        for r in risk_at_visits(landmark_models(pbc, outcome), pbc, outcome, 20, 7 * YEAR, first)
        if not np.isnan(r.risk)
    ]
    last = by_hand[-1]
    assert reader.box("the updated risk of death or transplant").startswith(
        f"At {last.at / YEAR:.1f} years the updated risk of death or transplant within the next 7 years was "
        f"{100 * last.risk:.0f} of 100 ({100 * last.lower:.0f} to more than 99); at the start it was "
        f"{100 * by_hand[0].risk:.0f} of 100, by the model of all patients. By the values of the start alone it would "
        f"have been {100 * last.unchanged:.0f} of 100 at that visit, by a model of the same patients as the update."
    )
    # What the last ones rest on, and why later ones are not told.
    weak = [f"{r.at / YEAR:.1f} years" for r in by_hand if r.weak]
    assert len(weak) == 3
    assert f"(fewer than 10, down to 5.3) at {weak[0]}, {weak[1]} and {weak[2]} (hollow)" in reader.text
    assert f"The visit at {last.at / YEAR:.1f} years is read by the model of patients who came 4" in reader.text
    assert "fewer than 5 events for each coefficient follow" in reader.text
    (drawn,) = [t for t in reader.figure("patient_visits_risk")["data"] if t.get("name") == "updated"]
    np.testing.assert_allclose(numbers(drawn["y"]), [r.risk for r in by_hand[1:]], atol=1e-9)
    (dashed,) = [t for t in reader.figure("patient_visits_risk")["data"] if t.get("name") == "unchanged"]
    np.testing.assert_allclose(numbers(dashed["y"]), [r.unchanged for r in by_hand[1:]], atol=1e-9)
    (bilirubin,) = [t for t in reader.figure("patient_visits_measured")["data"] if t["name"] == "Bilirubin"]
    values = np.array(numbers(bilirubin["y"]))
    assert bilirubin["marker"]["symbol"] == ["triangle-up" if v > 1.0 else "circle" for v in values]
    assert "Outside the usual range when last measured: bilirubin 7.8 mg/dl (above), albumin 2.4" in reader.text
    assert "why is told with what happened" in reader.text
    assert "Follow-up ended" not in reader.text
    # As docs/methods.md says, from the core.
    reader.click("patient_visits_gain")
    assert "updating at 3.0 years raises 5-fold C from 0.755 to 0.829" in reader.text
    reader.choose(next(t.key for t in reader.at.toggle if str(t.key).startswith("patient_visits_told")), True)
    assert "the patient's follow-up ended without the event before it, or at it" in reader.text
    assert reader.stops == []


def test_a_patient_with_one_visit_and_one_without(pbc):
    reader = opened("pbc_liver", 9, patient_section="visits")
    assert "No visit after the start updates the risk of death or transplant" in reader.text
    # One risk is no course, and one visit has no length.
    assert "patient_visits_risk" not in reader.figures
    assert reader.figure("patient_visits_measured")["layout"]["xaxis"]["range"][1] >= 1
    without = opened("pbc_liver", 312, patient_section="visits")
    assert "No visits are recorded for this patient" in without.text
    assert without.stops == []
