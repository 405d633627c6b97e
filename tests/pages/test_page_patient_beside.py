"""One patient beside other models, scores and states, and whom the model learnt from."""

from __future__ import annotations

import re

from bedside.risk.coverage import table
from components import jobs
from tests.pages.test_page_patient import ANSWER, opened


def test_other_models_and_scores_stand_on_the_same_axis_and_are_flagged_when_far():
    # Patient 1: 0.2 x 1.8 + 3 (5 nodes) + 3 = 6.36, poor; of that group 59% had the event here, 13 points more.
    reader = opened("gbsg2_breast", 0, patient_section="others")
    said = reader.alt("patient_beside")
    assert "Cox model (686 patients, 299 events): 46% (33% to 62%)" in said
    group = "observed here in its group “Poor”: 301 patients, 155 events"
    assert f"Nottingham Prognostic Index: 6.36 ({group}): 59% (53% to 65%)" in said
    # 53% to 65% lies partly within the model's own 33% to 62%: 13 points apart, and no contradiction.
    assert "Find out why" not in reader.text
    # Patient 525: 70 mm, 26 nodes, grade 3: 7.40, and 65% at most where the model says 84% at least.
    far = opened("gbsg2_breast", 524, patient_section="others").box("37 points less than the Cox model says")
    assert far.startswith(f"Nottingham Prognostic Index: 7.40 ({group})")


def test_a_score_of_an_organ_is_no_risk_of_the_event():
    # CKD-EPI says how kidneys filter; with 5 mL/min it used to be set beside the risk of progression or death.
    reader = opened("mgus_competing", 1258, patient_section="others")
    assert "patient_beside" not in reader.figures
    assert "CKD-EPI 2021 (creatinine): 5 mL/min/1.73 m²; it foretells another thing" in reader.text
    assert "Find out why" not in reader.text
    liver = opened("pbc_liver", 5, patient_section="others")
    assert "ALBI" not in liver.alt("patient_beside") and "ALBI grade: " in liver.text


def test_a_published_risk_of_the_same_time_stands_beside_the_model():
    # Mayo score 4.60, 7-year survival 0.653 at R = 5.07: 1 - 0.653 ** exp(4.60 - 5.07) = 24%.
    reader = opened("pbc_liver", 5, patient_section="others").choose("horizon_years", 7.0)
    assert "biliary cholangitis: 4.60 (published risk of death without transplantation): 24%." in reader.alt(
        "patient_beside"
    )
    # None is published for 8 years: then what happened in its fourth.
    assert "observed here in its group “Second fourth”" in reader.choose("horizon_years", 8.0).alt("patient_beside")


def test_without_scores_and_other_models_nothing_stands_beside():
    reader = opened("lung_ncctg", 3, patient_section="others")
    assert "patient_beside" not in reader.figures
    assert any(
        box.startswith("No other model is fitted yet and no published score applies here.") for box in reader.boxes
    )
    assert "Set other models beside it" in [link.proto.label for link in reader.at.get("page_link")]


def test_a_model_without_limits_says_so_and_names_them_once_known(monkeypatch):
    monkeypatch.setenv(jobs.PATIENCE, "120")
    reader = opened("lung_ncctg", 3, model="penalised", patient_section="others")
    assert "By the penalised Cox." in reader.boxes
    assert "No interval yet" in reader.box(ANSWER)
    assert "Penalised Cox (228 patients, 165 events)" in reader.alt("patient_beside")
    assert "; Cox model: " in reader.alt("patient_beside")
    reader.click("patient_vary")
    assert re.search(r"Model variability: \d+ to \d+ of 100", reader.box(ANSWER))
    assert "(model variability " in reader.alt("patient_curve")
    # Beside the name of the band, under the number and under the curve, what it held in simulations.
    shares = " / ".join(f"{100 * share:.0f}" for share in table()["kinds"]["penalised"]["held"].values())
    held = f"In simulations this band held the true risk in {shares} of 100 patients of low / middle / high risk"
    assert sum(held in box for box in reader.boxes) == 2


def test_the_risk_of_one_event_while_others_can_come_first():
    reader = opened("mgus_competing", 20, target="event")
    answer = reader.box(ANSWER)
    assert answer.startswith("Progression 6 of 100 patients with these values would have progression first within")
    assert "What can come first instead: death without progression." in reader.boxes
    # 94 are spared progression within 12 years, and not all of them are alive: the three counts add up to 100.
    drawn = re.search(r'class="bs-icons".*?</div>', reader.raw, re.S)[0]
    told = re.search(r"(\d+) have progression first; (\d+) have death without progression first; (\d+) alive", drawn)
    counts = [int(part) for part in told.groups()]
    assert counts[0] == 6 and sum(counts) == 100 and counts[1] > counts[0]
    assert [
        drawn.count(f"<i{kind}>") for kind in (' class="bs-event"', ' class="bs-other"', ' class="bs-free"')
    ] == counts
    assert "Without progression: alive and free of progression, or death without progression first" in reader.boxes
    assert "all 1,384 patients 93%, with 115 events" in reader.alt("patient_curve")


def test_what_was_left_out_is_said():
    reader = opened("gbsg2_breast", 0, without="nodes").unfold("patient_trust_more")
    assert '<i role="img" aria-label="Caution">!</i><span>Left out by choice: Positive lymph nodes</span>' in reader.raw
    assert "all 7 values are known" in reader.box("ranked rightly")
    assert "Left out of the model by choice: Positive lymph nodes." in reader.boxes


def test_whom_the_model_learnt_from_is_said_with_the_years_where_they_are_known():
    known = opened("mgus_competing", 20).unfold("patient_trust_more").box("Learnt from: ")
    assert known.endswith("found at the Mayo Clinic between 1960 and 1994. Outcomes may be others today.")
    assert (
        opened("gbsg2_breast", 0)
        .unfold("patient_trust_more")
        .box("Learnt from: ")
        .endswith(
            "When they were recruited is not recorded, the source cited is of 1994: outcomes may be others today."
        )
    )


def test_a_remark_in_brackets_is_said_once():
    assert opened("gse7390_breast_expression", 3, patient_section="others").text.count("were nobody to die first") == 1
