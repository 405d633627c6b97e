"""What if: a patient with other values stands beside this one, and says the same numbers as the model."""

from __future__ import annotations

import re

import pytest

from bedside.patient.scenarios import CAVEAT
from bedside.report import say
from bedside.risk.learners import learn
from bedside.risk.training import training
from components.panels.patient_what_if_kept import KEY, key_of
from tests.pages.reader import Reader, numbers
from tests.pages.test_page_patient import bundled

YEAR = 365.25
HOSTILE = "<b>x</b> ![y](http://evil) :red[z] $1$"
EFFECT = re.compile(r"if (you|he|she|they|the patient) chang|would (fall|drop|rise|reduce)|lowers|reduces", re.I)
THERAPY, NODES, GRADE = (key_of(name) for name in ("hormone_therapy", "nodes", "grade"))


def opened(cohort: str, row: int, **link: str) -> Reader:
    return Reader(cohort=cohort, patient_section="what_if", **link).patient(bundled(cohort).identifiers[row])


@pytest.fixture(scope="module")
def cox():
    cohort = bundled("gbsg2_breast")
    return learn("cox", training(cohort, cohort.outcomes[0]))


@pytest.fixture
def reader() -> Reader:
    return opened("gbsg2_breast", 303)


def by_hand(**values: object):
    return bundled("gbsg2_breast").frame.iloc[[303]].astype(object).assign(**values)


def test_both_risks_with_their_limits_are_the_models_own(reader, cox):
    assert "patient_what_if" not in reader.figures
    assert "Replace a value" in reader.text and reader.boxes.count(CAVEAT) == 1
    assert [w.key for w in (*reader.at.selectbox, *reader.at.number_input) if str(w.key).startswith("what_if")] == [
        THERAPY
    ]  # what can be modified; the rest is locked
    reader.choose(THERAPY, "yes").choose("what_if_all", True).choose(NODES, 3.0)
    edited, t = by_hand(hormone_therapy="yes", nodes=3.0), 4 * YEAR
    risk, own = cox.risk(edited, [t])[0, 0], cox.risk(by_hand(), [t])[0, 0]
    limits = cox.limits(edited, [t])
    answer = reader.box("between the two")
    low, high = limits.lower[0, 0], limits.upper[0, 0]
    assert f"{say.of_100(own)} this patient; 95% interval" in answer
    assert f"{say.of_100(risk)} a patient with these values; 95% interval {say.range_of_100(low, high)}" in answer
    assert f"{round(100 * own) - round(100 * risk)} points lower between the two" in answer
    assert "Hormone therapy instead of no hormone therapy 3 positive nodes instead of 9" in reader.boxes
    assert "this compares who was treated how, not what treatment does" in reader.text
    assert "Compare the groups fairly" in [link.proto.label for link in reader.at.get("page_link")]
    marks = [t for t in reader.figure("patient_what_if")["data"] if t.get("mode") == "markers"][-1]
    assert numbers(marks["y"]) == pytest.approx([1 - own, 1 - risk], abs=1e-9)
    curves = [t for t in reader.figure("patient_what_if")["data"] if t.get("name") == "these values"]
    for x, y in zip(numbers(curves[0]["x"])[::20], numbers(curves[0]["y"])[::20], strict=True):
        assert y == pytest.approx(1 - cox.risk(edited, [x * YEAR])[0, 0], abs=1e-9)
    assert sum(CAVEAT in box for box in reader.boxes) == 1
    assert not EFFECT.search(reader.text)
    assert not {"3", "3.0", "yes"} & set(reader.link.values()) and "what_if" not in "".join(reader.link)
    # The reasons of both, from the points beside the marks: all of them lead from the average to the risk.
    points = [numbers(t["x"]) for t in reader.figure("patient_what_if_reasons")["data"] if t.get("mode") == "markers"]
    assert sum(points[1]) - sum(points[0]) == pytest.approx(risk - own, abs=1e-3)
    assert reader.click("what_if_reset").at.number_input(key=NODES).value == 9.0
    assert "patient_what_if" not in reader.figures


def test_it_stays_with_the_patient_and_with_nobody_else(reader, cox):
    reader.choose(THERAPY, "yes").choose("horizon_years", 2.0)
    risk = cox.risk(by_hand(hormone_therapy="yes"), [2 * YEAR])[0, 0]
    assert f"{say.of_100(risk)} a patient with these values" in reader.box("between the two")
    reader.click("what_if_pin")
    reader.open("survival").open("patient")
    assert reader.at.selectbox(key=THERAPY).value == "yes"
    assert reader.table("Scenarios side by side")[3][0] == "hormone therapy"
    reader.choose("patient_alive_years", 1.0).choose("horizon_years", 2.0)
    before, after = cox.risk(by_hand(hormone_therapy="yes"), [YEAR, 2 * YEAR])[0]
    assert f"{say.of_100((after - before) / (1 - before))} a patient" in reader.box("between the two")
    # The reasons are of the same risk: what differs between the marks is what differs between the risks.
    points = [numbers(t["x"]) for t in reader.figure("patient_what_if_reasons")["data"] if t.get("mode") == "markers"]
    start, end = cox.risk(by_hand(), [YEAR, 2 * YEAR])[0]
    difference = (after - before) / (1 - before) - (end - start) / (1 - start)
    assert sum(points[1]) - sum(points[0]) == pytest.approx(difference, abs=1e-3)
    other = reader.patient(bundled("gbsg2_breast").identifiers[0])
    assert other.at.selectbox(key=THERAPY).value == "no"
    assert "Scenarios side by side" not in other.raw and "between the two" not in other.text


def test_four_are_pinned_by_names_that_may_be_anything(reader):
    reader.choose("what_if_all", True).choose(NODES, 1.0).choose("what_if_name", HOSTILE[:40])
    for count, nodes in enumerate((1.0, 2.0, 3.0, 4.0), start=1):
        reader.choose(NODES, nodes).click("what_if_pin")
        assert reader.at.button(key="what_if_pin").disabled
        assert len(reader.table("Scenarios side by side")) == 3 + count
    rows = reader.table("Scenarios side by side")
    assert [row[0] for row in rows[1:4]] == ["This patient", "These values", HOSTILE[:40]]
    assert "<b>x</b>" not in reader.raw
    names = {trace.get("name") for trace in reader.figure("patient_what_if")["data"]}
    assert {"this patient", "these values", "2 positive nodes", "4 positive nodes"} <= names
    reader.choose(NODES, 5.0)
    assert reader.at.button(key="what_if_pin").disabled and "4 are pinned. Unpin one first." in reader.boxes
    reader.click("what_if_take_1")
    assert reader.at.number_input(key=NODES).value == 2.0
    reader.click("what_if_unpin_0")
    rows = reader.table("Scenarios side by side")
    assert [row[0] for row in rows[3:]] == ["2 positive nodes", "3 positive nodes", "4 positive nodes"]


def test_what_was_smuggled_in_is_refused_and_the_rest_lives(reader):
    odd = (500.0, float("nan"), "<script>", [3])
    for key, value in [*((NODES, value) for value in odd), (GRADE, "IX")]:
        reader.at.session_state[key] = value
        reader.run()
        assert [stop for stop in reader.stops if stop.startswith("**That value can't be used.**")] == reader.stops != []
        assert "<script>" not in reader.raw and "patient_curve" in reader.figures
    assert not reader.choose("what_if_all", True).stops
    assert reader.at.number_input(key=NODES).value == 9.0 and reader.at.selectbox(key=GRADE).value == "2"
    for beyond_or_nothing in (500.0, None):
        (stop,) = reader.choose(NODES, beyond_or_nothing).stops
        assert stop.startswith("**Positive lymph nodes is as recorded again.**") and stop.endswith("from 1 to 60.")
        assert reader.at.number_input(key=NODES).value == 9.0
    assert not reader.choose(NODES, 4.0).stops
    reader.at.session_state[KEY] = {"values": {"nodes": 7}}
    assert not reader.run().stops and reader.at.number_input(key=NODES).value == 9.0


def test_the_nearest_values_beyond_a_chosen_risk(reader, cox):
    own, other = (cox.risk(by_hand(hormone_therapy=code), [4 * YEAR])[0, 0] for code in ("no", "yes"))
    reader.at.session_state["decision_threshold"] = 31
    assert reader.unfold("what_if_crossing").at.slider(key="what_if_threshold").value == 31
    reader.choose("what_if_threshold", round(100 * other) + 2)
    assert other < (round(100 * other) + 2) / 100 < own
    found = reader.box("The nearest patient with a risk at or below")
    assert f"predicted risk is {say.of_100(other)}, this one's {say.of_100(own)}." in found
    reader.choose("what_if_threshold", round(100 * other) - 5)
    assert "There is none within plausible values" in reader.text
    assert not EFFECT.search(reader.text)


def test_missing_values_can_be_filled_and_nothing_marked_is_said():
    reader = opened("pbc_liver", 5)
    assert "marked as such, but not in the model: Treatment." in reader.text
    platelets = reader.at.number_input(key=key_of("platelets_1e9_l"))  # all are open where none can be modified
    assert platelets.value is None and platelets.label == "Platelets (×10⁹/l)"
    reader.choose(key_of("platelets_1e9_l"), 100.0)
    assert "Platelets 100 ×10⁹/l, if it were known (not recorded)" in reader.boxes
    reader.unfold("what_if_crossing")
    assert "reads nothing that the dictionary marks as modifiable" in reader.text
    reader.choose("horizon_years", 14.0)
    assert "between the two" not in reader.text and "patient_what_if" not in reader.figures
