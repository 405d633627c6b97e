"""The report: what is added on other pages stands there with its cohort, filter and method, and leaves as a file."""

from __future__ import annotations

import os
import re
import zlib

import pytest

from bedside.cohort.selection import Between, OneOf, Selection
from bedside.report.card import MOST
from bedside.report.ending import HEADING
from components.figures.views import CAUSES
from components.panels.report_board import FILES
from tests.pages import made
from tests.pages.made import SCRIPT
from tests.pages.reader import Reader

ARMS = "by hormone therapy (Breast cancer, GBSG-2)"
MIDDLE = Selection(((Between("age", 50, 65),), (OneOf("grade", ("2", "3")),))).to_text()


def add(reader: Reader, figure: str = "survival_km") -> Reader:
    """Open a figure's menu and add it."""
    return reader.unfold(f"save_{figure}").click(f"report_{figure}")


def cards(reader: Reader) -> list[str]:
    """Headings of the cards, in their order; the page's own heading left out."""
    heads = [re.search(r"<h2[^>]*>(.*?)</h2>", b.proto.body)[1] for b in reader.at.get("html") if "<h2" in b.proto.body]
    assert heads.pop() == HEADING
    return heads


def keys(reader: Reader) -> list[str]:
    """Keys of the cards, in their order."""
    return [box.key.removeprefix("words_") for box in reader.at.text_area]


@pytest.fixture
def two() -> Reader:
    """A survival curve and the differences of its groups, in a report."""
    reader = Reader(cohort="gbsg2_breast").open("survival", survival_by="hormone_therapy")
    add(reader)
    return add(reader, "survival_differences").open("report")


def test_an_empty_report_says_how_to_fill_it():
    reader = Reader(cohort="gbsg2_breast").open("report")
    assert reader.title == "Report nothing in it yet"
    assert "Wherever a figure or table has a Save menu, Add to report stands in it." in reader.text
    assert "report_title" not in {box.key for box in reader.at.text_input}


def test_cards_bring_cohort_method_and_fingerprint(two):
    assert two.title == "Report 2 cards, kept in this tab only until they are exported"
    assert cards(two) == [
        f"Alive and free of recurrence, {ARMS}", f"How large is the difference? Mean time and share at 6 years, {ARMS}"
    ]  # fmt: skip
    assert "Kaplan-Meier estimate, 686 patients, 299 events." in two.text
    # 299 events and 686 - 299 censored; survdiff(Surv(rfs_days, rfs_event) ~ hormone_therapy) = 8.56.
    assert "299 had the event; 387 were censored." in two.text
    assert "compared by the log-rank test: chi-squared 8.56 on 1 degree of freedom, two-sided p = 0.003" in two.text
    assert "Outcome: Recurrence or death. All patients." in two.text
    assert re.search(r"Data and filter [0-9a-f]{12}, Bedside [\d.]+ \(numpy [\d.]+, Python [\d.]+\)\.", two.text)
    rows = two.table(f"How large is the difference? Mean time and share at 6 years, {ARMS}")
    assert rows[0] == [
        "",
        "Mean time within 6 years",
        "Difference",
        "Ratio of mean times",
        "Share at 6 years",
        "Difference in points",
    ]
    assert [row[0] for row in rows[1:]] == ["No hormone therapy", "Hormone therapy"]
    assert re.fullmatch(r"\+0\.\d \(\+0\.\d to \+0\.\d\); p = 0\.\d+", rows[2][2].replace("\xa0", " "))


def test_a_card_keeps_the_cautions_and_the_answer_of_its_page(two):
    card, table = two.at.session_state["basket"].cards
    for each in (card, table):
        assert any("not formed by randomisation" in text for text in each.cautions)
    assert card.reading.startswith("Alive and free of recurrence at") and "%" in card.reading
    raw = two.raw
    assert raw.count("not formed by randomisation") == 2
    assert raw.index("not formed by randomisation") < raw.index("Kaplan-Meier estimate, 686 patients")
    two.unfold("report_export")
    assert two.at.session_state[FILES][1][1].count(b"not formed by randomisation") == 2


def test_a_regressions_sentence_goes_with_its_figure_and_the_next_page_brings_its_own():
    reader = Reader(cohort="gbsg2_breast").open("survival", survival_by="hormone_therapy").open("regression")
    add(reader, "regression_forest").open("report")
    (card,) = reader.at.session_state["basket"].cards
    assert "these go most clearly with recurrence or death" in card.reading
    assert card.reading.endswith("Associations, not effects.") and card.reading in reader.text
    assert not any("randomisation" in text for text in card.cautions) and "hormone" not in card.title


def test_methods_stand_once_at_the_end_and_the_source_once(two):
    source = two.raw[two.raw.index("<b>Source.</b>") :]
    assert two.raw.count("Schumacher") == source.count("Schumacher") > 0
    assert two.text.count("Fingerprint of data and filter") == 2
    assert two.at.text_input(key="report_title").value == "Breast cancer, GBSG-2"


def test_how_it_was_made_is_short_first_and_a_paragraph_when_asked_for():
    reader = Reader(cohort="gbsg2_breast").open("survival", survival_by="hormone_therapy").unfold("how_survival_km")
    short = reader.box("These files compute it again")
    assert (
        short
        == "Kaplan-Meier estimate, 686 patients, 299 events. These files compute it again: keep them in one folder."
    )
    (fold,) = [each for each in reader.at.expander if each.label.startswith("Methods")]
    assert not fold.proto.expanded


def test_a_card_added_twice_is_replaced_where_it_stands(two):
    first = keys(two)
    two.choose(f"words_{first[0]}", "Mind the gap.")
    two.open("survival", survival_by="hormone_therapy")
    add(two).open("report")
    assert keys(two) == first
    assert two.at.text_area(key=f"words_{first[0]}").value == "Mind the gap."


def test_cards_move_and_leave(two):
    first, second = keys(two)
    assert two.at.button(key=f"Up_{first}").disabled and two.at.button(key=f"Down_{second}").disabled
    two.click(f"Down_{first}")
    assert keys(two) == [second, first]
    two.click(f"Up_{first}")
    assert keys(two) == [first, second]
    two.click(f"out_{first}")
    assert keys(two) == [second]
    two.unfold("report_empty").click("report_clear")
    assert two.title == "Report nothing in it yet"


def test_the_filter_is_told_on_the_card_and_outlives_the_filter():
    reader = Reader(cohort="gbsg2_breast", filter=MIDDLE).open("survival", survival_by="hormone_therapy")
    n = int(re.search(r"(\d+) patients", reader.title)[1])
    assert n < 686
    add(reader)
    reader.at.session_state["filter"] = (None, Selection())
    reader.open("report")
    assert f"Kaplan-Meier estimate, {n} patients" in reader.text
    assert "Patients: Age 50 to 65 years; Grade 2 or 3." in reader.text
    assert "Patients were chosen by: Age 50 to 65 years; Grade 2 or 3." in reader.text


def test_selected_patients_against_the_others_say_who_is_selected():
    reader = Reader(cohort="gbsg2_breast", filter=MIDDLE).open("survival", survival_by=" selected")
    add(reader).open("report")
    assert "686 patients" in reader.box("Kaplan-Meier estimate")
    assert "All patients. Selected patients: Age 50 to 65 years; Grade 2 or 3." in reader.text


def test_cards_of_several_cohorts_stand_together():
    reader = Reader(cohort="gbsg2_breast").open("survival")
    add(reader).choose("cohort", "mgus_competing")
    add(reader.open("survival", survival_by="sex", survival_view=CAUSES), "survival_incidence").open("report")
    assert cards(reader) == [
        "Alive and free of recurrence (Breast cancer, GBSG-2)", "What happens first, by sex (MGUS, Mayo Clinic)"
    ]  # fmt: skip
    assert reader.at.text_input(key="report_title").value == "Report"
    assert "German Breast Cancer Study Group" in reader.text and "Monoclonal gammopathy" in reader.text
    assert "by the Aalen-Johansen method" in reader.text


def test_files_are_made_when_asked_for_and_only_once(two):
    assert FILES not in two.at.session_state
    two.choose("report_title", f"Round {SCRIPT}").unfold("report_export")
    assert {b.key for b in two.at.get("download_button")} >= {"report_pdf", "report_html"}
    pdf, page = two.at.session_state[FILES][1]
    assert pdf.startswith(b"%PDF-") and len(re.findall(rb"/Type /Page\b", pdf)) == 2
    assert b"Round &lt;script&gt;alert(1)&lt;/script&gt;" in page and b"<script" not in page
    two.run()
    assert two.at.session_state[FILES][1][0] is pdf
    two.choose(f"words_{keys(two)[1]}", "Longer, by half a year.")
    assert two.at.session_state[FILES][1][0] is not pdf
    assert b"Longer, by half a year." in two.at.session_state[FILES][1][1]
    assert zlib.crc32(two.at.session_state[FILES][1][0]) != zlib.crc32(pdf)


def test_a_full_report_says_so(two):
    held = two.at.session_state["basket"]
    first = held.cards[0]
    for i in range(MOST - 2):
        held = held.with_card(type(first)(f"copy{i}", first.title, "", None, None, "", "", ()))
    two.at.session_state["basket"] = held
    two.open("survival", survival_by="grade")
    add(two)
    assert any("The report is full." in toast.value for toast in two.at.toast)
    assert len(two.at.session_state["basket"]) == MOST


def test_hostile_words_of_a_cohort_stay_words(tmp_path, monkeypatch):
    made.hostile(tmp_path)
    monkeypatch.setenv("BEDSIDE_COHORTS", os.pathsep.join(["", str(tmp_path)]))
    reader = Reader(cohort="hostile").open("survival", survival_by=made.SCRIPT)
    add(reader)
    add(reader, "survival_differences").open("report").unfold("report_export")
    assert len(cards(reader)) == 2
    assert "<script>" not in reader.raw
    pdf, page = reader.at.session_state[FILES][1]
    assert pdf.startswith(b"%PDF-")
    assert b"<script" not in page and b"&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert b"<img" not in page and b"src=" not in page


def test_a_caution_of_one_card_goes_with_what_is_taken_from_it():
    """cox.zph(coxph(...)) of GBSG-2: progesterone receptor and grade change over time."""
    reader = Reader(cohort="gbsg2_breast").open("regression")
    add(reader, "regression_beta")
    add(reader, "regression_forest").open("report")
    beta, forest = reader.at.session_state["basket"].cards
    (said,) = [text for text in beta.cautions if text.startswith("The ratio seems to change over time for")]
    assert said not in forest.cautions
    assert said in reader.raw


def test_a_table_after_a_landmark_has_the_heads_of_the_screen():
    reader = Reader(cohort="gbsg2_breast", survival_since="3-years", survival_by="grade").open("survival")
    add(reader, "survival_differences")
    reader.choose("survival_restart", True)
    add(reader, "survival_differences").open("report")
    kept, restarted = (each.table.header for each in reader.at.session_state["basket"].cards)
    assert kept[1:] == (
        "Mean time between 3 and 5 years", "Difference", "Ratio of mean times", "Share at 5 years",
        "Difference in points",
    )  # fmt: skip
    assert (restarted[1], restarted[4]) == (
        "Mean time within 2 years of the 3-year mark", "Share at 2 years after the 3-year mark",
    )  # fmt: skip
    assert {each.table.rows[0][2] for each in reader.at.session_state["basket"].cards} == {"reference"}


def test_a_landmark_with_types_of_event_says_who_is_left():
    reader = Reader(cohort="mgus_competing").open("survival", survival_by="sex")
    (key,) = [each.key for each in reader.at.slider if each.key.startswith("survival_alive")]
    reader.choose(key, 5.0)
    # 865 of 1,384 were followed beyond 60 months without any event.
    assert "865 patients" in reader.box("Aalen-Johansen estimate")
    assert "after 5 years" in reader.box("Aalen-Johansen estimate")
    add(reader, "survival_incidence").open("report")
    assert "Only patients still under observation and alive and free of progression after 60 months" in reader.text
    assert "Groups were compared by Gray's test." in reader.text
