"""The page turned to the patient: one quantity in words and curve, extremes in words of their own, nothing of a job."""

from __future__ import annotations

import re

from bedside.intake import read_cohort
from bedside.store import patient_token, server_key
from tests.pages.reader import ROOT, Reader


def opened(cohort: str, row: int, **more: str) -> Reader:
    name = read_cohort(ROOT / "sample_data" / cohort).identifiers[row]
    return Reader(cohort=cohort).open(
        "patient", patient=patient_token(server_key(), cohort, name), reading="patient", **more
    )


def test_of_one_event_words_and_curve_are_of_the_same_people():
    reader = opened("mgus_competing", 30, target="event")
    had, died, free = map(int, re.search(
        r"(\d+) have progression before anything else .* The others: (\d+) die without progression and (\d+) are alive",
        reader.text,
    ).groups())  # fmt: skip
    assert had + died + free == 100
    assert "how many are without progression" in reader.text
    assert re.search(
        rf"Without progression: .*after 12 years, {100 - had} of 100\. People who die without", reader.text
    )
    assert f"people like you {100 - had} of 100" in reader.alt("patient_curve")
    assert re.search(r"Those who have progression could be as few as \d+ or as many as \d+ of 100\.", reader.text)
    # These were followed from a diagnosis; the check goes on unseen, and cannot be stopped from here.
    assert "people who were followed earlier" in reader.text and "treated earlier" not in reader.text
    assert "Whether risks like this one come out right is being checked." in reader.text
    assert not [button for button in reader.at.button if button.label == "Stop"]
    # Age and sex are sensitive: they stand in no line above the number.
    assert "Haemoglobin 10.7 g/dl" in reader.text.split("Of 100 people")[0]
    assert "Age 67" not in reader.text.split("Of 100 people")[0]


def test_an_extreme_is_told_as_likely_and_not_as_sure():
    reader = opened("pbc_liver", 9)
    assert "nearly all (more than 99) die or have a liver transplant within 7 years" in reader.text
    assert "Nearly everybody, by this model; few people here were like you." in reader.text
    assert "Some of these are counted for death, some for liver transplant" in reader.text
    assert "it is likely, but not certain" in reader.text and "The exact number. Few people here" in reader.text
    for said in ("Nobody can know beforehand", "The others: fewer than", "hardly likely to be far"):
        assert said not in reader.text
    assert "Before you turn the screen" not in reader.text
    assert "Before you turn the screen" in reader.choose("reading", "clinician").text
