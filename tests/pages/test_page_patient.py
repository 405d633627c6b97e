"""One patient: the sentence, the icons, the curve and the reasons say one and the same risk."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import pytest

from bedside.cohort import Cohort
from bedside.cohort.selection import Between, Selection
from bedside.intake import read_cohort
from bedside.risk.learners import learn
from bedside.risk.training import training
from tests.pages.reader import ROOT, Reader, numbers, words

ANSWER = "patients with these values"

YOUNG = Selection(((Between("age", 20, 50),),)).to_text()


@cache
def bundled(cohort: str) -> Cohort:
    return read_cohort(ROOT / "sample_data" / cohort)


def opened(cohort: str, row: int, **link: str) -> Reader:
    """The page of the patient in a row of the file, counted from 0."""
    return Reader(cohort=cohort, **link).patient(bundled(cohort).identifiers[row])


@pytest.fixture
def reader() -> Reader:
    return opened("gbsg2_breast", 524)


def headline(reader: Reader) -> int:
    said = re.search(r"(\d+) of 100 patients", reader.box(ANSWER))
    assert said is not None
    return int(said[1])


def waterfall(reader: Reader) -> tuple[float, list[float], float]:
    """Where the waterfall begins, each bar with its sign, and where it ends; as shares."""
    data = reader.figure("patient_why")["data"]
    marks = [numbers(trace["x"]) for trace in data if trace["type"] == "scatter" and len(numbers(trace["x"])) == 2]
    (start, _), (end, _) = marks
    bars: dict[float, float] = {}
    # First those that add, then those that take away: one too small to be said has no sign in words.
    for sign, trace in zip((1, -1), [t for t in data if t["type"] == "bar"], strict=True):
        for size, place in zip(numbers(trace["x"]), numbers(trace["y"]), strict=True):
            bars[place] = sign * size
    return start, [bars[place] for place in sorted(bars)], end


def test_the_risk_in_words_with_its_interval(reader):
    assert reader.title.startswith(
        "Patient 525 Age 65 years · post-menopausal · no hormone therapy · Tumour of 70 mm · Grade 3 · 26 positive"
    )
    answer = reader.box(ANSWER)
    # The Cox learner, which chooses curves here: 96.0%, 84.5% to 99.6%; log-log as R's survfit (tests/bedside).
    assert answer.startswith(
        "Recurrence or death 96 of 100 patients with these values would have a recurrence or die "
        "within 4 years of surgery. 95% interval: 84 to more than 99 of 100"
    )
    assert reader.stops == []


def test_the_reasons_are_sentences_and_not_causes(reader):
    assert "Why 96 and not 45" in reader.boxes
    # The mean predicted risk of 100 patients is 44.9%; by Kaplan-Meier 43.6% of all 686 had the event by 4 years.
    # bedside.explain: 31.56, 7.88 and 4.05 points, over a base of 44.9%.
    assert reader.box("Compared with") == (
        "Compared with the average of 100 patients spread evenly over the 686 here: 26 positive nodes: goes with 32 "
        "points more risk. "
        "Higher goes with more risk: as expected. "
        "Progesterone receptor 2 fmol/mg: goes with 8 points more risk. Higher goes with less risk: as expected. "
        "No hormone therapy: goes with 4 points more risk."
    )
    assert (
        "Exact Shapley values of the risk, in percentage points, against 100 patients of this cohort. "
        "They add up to the risk (checked to nine decimals). The average here, 45%, is the model's of those patients; "
        "44% of all were observed to have it."
    ) in reader.boxes


def test_a_patient_at_the_edge_is_called_unusual():
    # Of 1,384 patients hardly any is further from the centre by Mahalanobis' distance (creatinine 9.3 mg/dl).
    far = opened("mgus_competing", 1258).unfold("patient_trust_more")
    assert "No other patient is much like this one" in far.box("Within the data") or "Fewer than 10" in far.text
    assert "fewer than 1 of 100 patients here are further from the typical one" in far.box("An unusual patient")
    usual = opened("pbc_liver", 417).unfold("patient_trust_more")
    assert "21 other patients are much like this one" in usual.box("Within the data: every known value is in the range")
    assert "An unusual patient" not in usual.text


@pytest.mark.parametrize("row", [494, 683])
def test_no_interval_reads_as_a_certainty(row):
    cohort = bundled("gbsg2_breast")
    outcome = cohort.outcomes[0]
    fitted = learn("cox", training(cohort, outcome))
    upper = fitted.limits(cohort.frame.iloc[[row]], [6 * 365.25]).upper
    assert upper[0, 0] > 0.9995  # rounded, 100.0 of 100
    reader = opened("gbsg2_breast", row).choose("horizon_years", 6.0)
    assert re.search(r"95% interval: [\d.]+ to more than 99 of 100", reader.box(ANSWER))
    assert "100%" not in reader.alt("patient_curve")
    reader.choose("decimals", True)
    assert re.search(r"95% interval: [\d.]+ to more than 99\.9 of 100", reader.box(ANSWER))
    assert "100 of 100" not in reader.text and "100.0 of 100" not in reader.text


def cases() -> Iterator[tuple[str, int, float]]:
    for row, years in [(524, 1.0), (524, 6.0), (0, 2.0), (3, 4.0), (685, 5.0), (11, 3.0)]:
        yield "gbsg2_breast", row, years
    yield "pbc_liver", 5, 3.0
    yield "mgus_competing", 20, 10.0


@pytest.mark.parametrize(("cohort", "row", "years"), list(cases()))
def test_every_part_of_the_page_says_the_same_risk_at_any_horizon(cohort, row, years):
    reader = opened(cohort, row).choose("horizon_years", years)
    risk = headline(reader)
    said = f"within {years:g} year{'s' * (years != 1)}"
    # Icons: one for each patient of 100, and one in the key below them.
    icons = re.search(r'class="bs-icons".*?</div>', reader.raw, re.S)
    assert icons is not None
    assert icons[0].count("<i") == 100
    assert icons[0].count('<i class="bs-event">') == risk
    assert f"Of 100 patients, {risk} " in icons[0] and f"; {100 - risk} " in icons[0]
    # The sentence, the figures' texts and their alternative texts name this horizon and this risk.
    assert said in reader.box(ANSWER)
    assert f"At {years:g} year" in reader.alt("patient_curve")
    free = re.search(r"this patient (\d+)%", reader.alt("patient_curve"))
    assert free is not None and int(free[1]) == 100 - risk
    assert any(f"this patient {100 - risk}%" in text for text in words(reader.figure("patient_curve")))
    assert said in reader.alt("patient_why")
    assert reader.alt("patient_why").endswith(f"this patient {risk}%.")
    assert any(box.startswith(f"Why {risk} and not ") for box in reader.boxes)
    # Contributions lead from the average to this risk.
    start, bars, end = waterfall(reader)
    assert start + sum(bars) == pytest.approx(end, abs=1e-9)
    assert round(100 * end) == risk
    average = re.search(r"Average here (\d+)%", reader.alt("patient_why"))
    assert average is not None and int(average[1]) == round(100 * start)
    # The mark on the curve stands at the horizon, at this share.
    mark = [t for t in reader.figure("patient_curve")["data"] if t.get("mode") == "markers"][-1]
    assert numbers(mark["x"])[0] == pytest.approx(years)
    assert any(share == pytest.approx(1 - end, abs=1e-9) for share in numbers(mark["y"]))


def test_the_interval_holds_the_risk_and_is_the_band_of_the_curve(reader):
    reader.choose("horizon_years", 2.0)
    low, high = map(int, re.search(r"95% interval: (\d+) to (\d+) of 100", reader.box(ANSWER)).groups())
    assert low < headline(reader) < high
    assert f"(95% band {100 - high}% to {100 - low}%)" in reader.alt("patient_curve")


def test_a_prediction_is_never_a_certainty():
    # Within 11 years the computer rounds this risk to 1; all of the fifth nearest to it had the event.
    reader = opened("pbc_liver", 0).choose("horizon_years", 11.0)
    answer = reader.box(ANSWER)
    assert answer.startswith("Death or transplant more than 99 of 100 patients")
    assert "95% interval: more than 99 of 100" in answer
    assert "more than 99 die or have a liver transplant fewer than 1 alive" in reader.text
    assert "Why more than 99 and not 64" in reader.boxes
    assert reader.alt("patient_why").endswith("this patient over 99%.")
    start, bars, end = waterfall(reader)
    assert start + sum(bars) == pytest.approx(end, abs=1e-9)
    near = reader.unfold("patient_trust_more").box("ranked rightly")
    assert "100 of 100 (no interval) had it among the 50 patients nearest in risk" in near


def test_few_of_the_nearest_patients_are_said_with_their_interval():
    # Of the 50 patients with the lowest risks one had the event within a year.
    last = Reader(cohort="pbc_liver").open("patients").row(417)
    near = last.choose("horizon_years", 1.0).unfold("patient_trust_more").box("ranked rightly")
    assert re.search(r"\d+ of 100 \((no interval|[^)]+ to \d+)\) had it among the 50 patients nearest in risk", near)


def test_decimals_come_on_demand_and_everywhere(reader):
    assert "96 of 100 patients" in reader.box(ANSWER)
    reader.choose("decimals", True)
    assert "96.0 of 100 patients" in reader.box(ANSWER)
    assert re.search(r"goes with \d+\.\d points more risk", reader.box("Compared with"))
    assert re.search(r"this patient 96\.0%", reader.alt("patient_why"))


def test_a_longer_horizon_never_lowers_the_risk(reader):
    seen = [headline(reader.choose("horizon_years", years)) for years in (1.0, 2.0, 4.0, 6.0)]
    assert seen == sorted(seen)
    assert seen[0] < seen[-1]


def test_a_missing_value_is_named_with_what_stood_in_for_it():
    reader = opened("pbc_liver", 5).unfold("patient_trust_more")
    assert (
        "Platelets was missing for this patient: the median of the patients here (251 ×10⁹/l) was used; the interval "
        "leaves this out."
    ) in reader.boxes
    assert "1 filled in Platelets" in reader.text
    assert reader.title.endswith(" · not recorded: platelets")
    known = opened("pbc_liver", 0).unfold("patient_trust_more")
    assert "was missing for this patient" not in known.text
    assert "Nothing filled in all 8 values are known" in known.text


def test_what_was_recorded_is_listed_without_identifier_and_without_what_came_later(reader):
    reader.choose("patient_section", "values")
    table = reader.table("All recorded values")
    assert ["Positive lymph nodes", "26", ""] in table
    assert len(table) == 1 + 8
    assert "Patient" not in [row[0] for row in table]
    assert not any("recurrence" in cell.lower() for row in table for cell in row)


def test_what_is_known_only_later_is_marked():
    reader = opened("actg175_hiv_trial", 0, patient_section="values")
    later = [row for row in reader.table("All recorded values") if row[2] == "known only later"]
    assert {row[0] for row in later} >= {"CD4 count at week 20", "Stopped before week 96"}


def test_nobody_open_asks_for_a_choice():
    reader = Reader(cohort="gbsg2_breast").open("patient")
    assert reader.stops[0].startswith("**No patient is open.**")
    assert [link.proto.label for link in reader.at.get("page_link")] == ["Choose a patient"]
    assert reader.box("data and filter")
    assert reader.title == "Patient"
    reader.choose("patients_search", "525").click("patients_open")
    assert reader.title.startswith("Patient 525 Age 65 years")


@pytest.mark.parametrize(
    "token", ["A" * 22, "x", "525", "<script>alert(1)</script>", "é" * 22, "../../etc/passwd", "\u202e" * 22]
)
def test_a_token_of_nobody_shows_nobody(token):
    reader = Reader(cohort="gbsg2_breast").open("patient", patient=token)
    (stop,) = reader.stops
    assert stop.startswith("**This link names no patient of this cohort.**")
    assert stop.endswith("Choose a patient from the list.")
    assert token not in stop
    assert reader.figures == []
    assert [link.proto.label for link in reader.at.get("page_link")] == ["All patients"]


def test_a_link_opens_the_patient_in_a_fresh_session(reader):
    fresh = Reader(**reader.link).open("patient")
    assert fresh.title == reader.title
    assert headline(fresh) == 96


def test_a_token_of_one_cohort_opens_nobody_in_another(reader):
    elsewhere = Reader(cohort="pbc_liver").open("patient", patient=reader.link["patient"])
    assert elsewhere.stops[0].startswith("**This link names no patient of this cohort.**")


def test_a_patient_whom_the_filter_leaves_out_is_not_shown(reader):
    filtered = Reader(cohort="gbsg2_breast", filter=YOUNG).open("patient", patient=reader.link["patient"])
    (stop,) = filtered.stops
    assert stop.startswith("**This patient is not among those selected.**")
    assert stop.endswith("Remove a part of the filter, or choose another patient.")
    assert "525" not in filtered.text and filtered.figures == []
    filtered.click("chip_0")
    assert filtered.stops == []
    assert filtered.title.startswith("Patient 525 ")


def test_no_identifier_is_in_any_address_on_the_page():
    reader = opened("gse7390_breast_expression", 3)
    identifier = re.match(r"Patient (\S+)", reader.title)[1]
    assert len(identifier) > 3
    assert identifier not in str(reader.link)
    for link in reader.at.get("page_link"):
        assert identifier.encode() not in link.proto.SerializeToString()
    assert re.findall(rf'(?:href|src)="[^"]*{re.escape(identifier)}', reader.raw) == []


def test_another_cohort_closes_the_patient(reader):
    reader.choose("cohort", "pbc_liver")
    assert reader.stops[0].startswith("**This link names no patient of this cohort.**")
    assert "525" not in reader.text


def test_the_curve_stands_over_the_cohorts_curve(reader):
    named = {trace.get("name") for trace in reader.figure("patient_curve")["data"]}
    assert {"this patient", "all 686"} <= named
    assert "all 686 patients 56%" in reader.alt("patient_curve")
    assert "Paler from 6.7 years" in reader.alt("patient_curve")
