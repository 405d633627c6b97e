"""What changed between two versions: each kind of event by itself, and what can't have happened."""

import pandas as pd

from bedside.cohort.outcome import Outcome
from bedside.intake.frame import cohort_from_frame
from bedside.store.cohorts_differences import compare_cohorts
from components.panels.library_versions import impossible, sentences

OUTCOMES = [
    Outcome(key="css", label="Any death", time="t", unit="months", status="s", censored=("0",), event=("1",),
            competing={"Death of another cause": ("2",)}, cause_label="Death of the disease"),
    Outcome(key="relapse", label="Relapse", time="t", unit="months", status="r", censored=("0",), event=("1",)),
]  # fmt: skip


def _of(deaths: str, relapses: str):
    rows = {"id": [f"P{i}" for i in range(len(deaths))], "t": [1.0 + i for i in range(len(deaths))],
            "s": list(deaths), "r": list(relapses)}  # fmt: skip
    return cohort_from_frame(pd.DataFrame(rows), outcomes=OUTCOMES, identifier="id", title="T")


def test_each_kind_of_event_is_counted_and_what_cannot_be_comes_first():
    found = compare_cohorts(_of("11112200", "11001100"), _of("10021200", "10001100"))
    told = [(each.label, each.events_before, each.events_after, each.undone) for each in found.outcomes]
    assert told == [
        ("Death of the disease", 4, 2, 2), ("Death of another cause (instead of “Death of the disease”)", 2, 2, 0),
        ("Relapse", 4, 3, 1),
    ]  # fmt: skip
    assert impossible(found, 2) == [
        "2 patients who had died are alive in version 2 (Death of the disease).",
        "1 patient who had the event “Relapse” has none in version 2.",
    ]
    assert sentences(found) == ["Patients: 8 before, 8 now (0 new, 0 no longer there)"]
