"""The menu for paper on a patient's page: closed it makes nothing, and a name typed for one is nobody else's."""

from __future__ import annotations

from bedside.intake import read_cohort
from bedside.store import patient_token, server_key
from tests.pages.reader import ROOT, Reader

NAME = "Example, Ada"


def labels(reader: Reader) -> list[str]:
    return [button.proto.label for button in reader.at.get("download_button")]


def field(reader: Reader) -> str:
    (words,) = [each for each in reader.at.text_input if each.label == "Words on the sheet"]
    return words.key


def test_a_sheet_is_made_when_asked_for_with_the_name_of_this_patient_only():
    names = read_cohort(ROOT / "sample_data" / "gbsg2_breast").identifiers
    marks = [patient_token(server_key(), "gbsg2_breast", names[row]) for row in (303, 304)]
    reader = Reader(cohort="gbsg2_breast").open("patient", patient=marks[0])
    assert "Download PDF" not in labels(reader)
    reader.at.session_state["patient_paper_name"] = "own"
    reader.unfold("patient_paper")
    assert "Download PDF" in labels(reader) and "kept nowhere" in reader.text
    reader.at.session_state["patient_paper_sheet"], reader.at.session_state["patient_paper_size"] = "own", "Letter"
    reader.choose(field(reader), NAME)
    assert "Download PDF" in labels(reader) and reader.stops == []
    # Neither the address nor the field of another patient holds the name.
    assert NAME not in str(reader.link) and "paper" not in str(reader.link)
    reader.open("patient", patient=marks[1]).unfold("patient_paper")
    assert reader.at.session_state[field(reader)] == ""
    # The sheet is the one for whom the page is written for, whatever was chosen for another reader.
    assert reader.at.session_state["patient_paper_sheet"] == "own"
    reader.choose("reading", "analyst")
    assert reader.at.session_state["patient_paper_sheet"] == "board"
    reader.choose("reading", "patient")
    assert reader.at.session_state["patient_paper_sheet"] == "own"
    reader.choose("reading", "clinician")
    # A time that nobody was followed for has no sheet.
    reader.choose("horizon_years", 8.0)
    assert "Download PDF" not in labels(reader) and "No sheet can be made." in reader.text
