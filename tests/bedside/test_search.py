"""Finding patients by what a reader types."""

from __future__ import annotations

import pandas as pd
import pytest

from bedside.cohort import Level, Outcome, Variable
from bedside.cohort.search import find_rows
from bedside.intake import cohort_from_frame


@pytest.fixture(scope="module")
def cohort():
    frame = pd.DataFrame(
        {
            "who": ["A-12", "B-1", "a-1", "1", "C-10"],
            "grade": ["1", "2", "3", "2", "1"],
            "t": [1.0, 2, 3, 4, 5],
            "e": [0, 1, 0, 1, 0],
        }
    )
    grade = Variable(
        name="grade", kind="ordinal", levels=tuple(Level(code=c, label=f"Grade {c}") for c in ("1", "2", "3"))
    )
    outcome = Outcome(key="death", label="Death", time="t", unit="years", status="e", censored=("0",), event=("1",))
    return cohort_from_frame(frame, key="five", outcomes=(outcome,), variables=(grade,), identifier="who")


@pytest.mark.parametrize(
    ("text", "rows"),
    [("", [0, 1, 2, 3, 4]), ("1", [3, 0, 1, 2, 4]), ("a-1", [2, 0]), ("grade 2", [1, 3]), ("  B-1 ", [1]), ("zzz", [])],
)
def test_the_best_match_comes_first(cohort, text, rows):
    assert find_rows(cohort, ("grade",), text).tolist() == rows


def test_a_variable_that_is_not_shown_is_not_searched(cohort):
    assert find_rows(cohort, (), "grade 2").tolist() == []
