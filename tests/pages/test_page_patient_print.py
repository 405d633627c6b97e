"""The menu for paper on a patient's page: closed it makes nothing, and a name typed for one is nobody else's."""

from __future__ import annotations

from bedside.intake import read_cohort
from tests.pages.reader import ROOT, Reader

NAME = "Example, Ada"


def labels(reader: Reader) -> list[str]:
    return [button.proto.label for button in reader.at.get("download_button")]


def test_a_sheet_is_made_when_asked_for_with_the_name_of_this_patient_only():
    names = read_cohort(ROOT / "sample_data" / "gbsg2_breast").identifiers
    reader = Reader(cohort="gbsg2_breast").patient(names[303])
    assert "Download PDF" not in labels(reader)
    reader.unfold("patient_paper")
    assert "Download PDF" in labels(reader) and "kept nowhere" in reader.text
    reader.choose("patient_paper_name", "own")
    (words,) = [field for field in reader.at.text_input if field.label == "Words on the sheet"]
    reader.choose(words.key, NAME)
    reader.choose("patient_paper_sheet", "own").choose("patient_paper_size", "Letter")
    assert "Download PDF" in labels(reader) and reader.stops == []
    # Neither the address nor anything for another patient holds the name, nor the file its own.
    assert NAME not in str(reader.link) and "paper" not in str(reader.link)
    mine = reader.at.session_state["patient"]
    reader.patient(names[304]).unfold("patient_paper")
    (words,) = [field for field in reader.at.text_input if field.label == "Words on the sheet"]
    assert reader.at.session_state["patient"] != mine and words.value == ""
    # A time that nobody was followed for has no sheet.
    reader.choose("horizon_years", 8.0)
    assert "Download PDF" not in labels(reader) and "No sheet can be made." in reader.text
