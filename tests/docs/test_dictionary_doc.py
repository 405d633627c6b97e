"""The dictionaries that docs/dictionary.md shows are read as they stand there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

import pytest

from bedside.cohort.outcome import Outcome
from bedside.cohort.units import Unit
from bedside.cohort.variable import Kind, Variable
from bedside.errors import Faults
from bedside.intake import read_cohort
from bedside.intake.dictionary import Dictionary, VisitsEntry

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "dictionary.md").read_text(encoding="utf-8")
FULLER = """patient,age,nodes,grade,arm,site,origin,response,surgery_date,months,status
P1,61,9,3,0,north,here,1,2011-02-03,14.5,recurrence
P2,48,1,1,1,north,elsewhere,0,2012-03-04,60.25,alive
P3,,0,2,1,south,here,,2013-04-05,31,death
"""
VISITS = "patient,month,marker\nP1,0,31.5\nP1,6,44\nP3,0,18\n"


def shown(language: str) -> list[str]:
    """The blocks of one language in the page, in order."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


def folder(tmp_path: Path, dictionary: str, **files: str) -> Path:
    """A cohort folder with a dictionary and some CSV files."""
    (tmp_path / "dictionary.json").write_text(dictionary, encoding="utf-8")
    for name, text in files.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    return tmp_path


def test_the_smallest_dictionary_is_enough_for_its_table(tmp_path):
    cohort = read_cohort(folder(tmp_path, shown("json")[0], data=shown("csv")[0]))

    assert (len(cohort), cohort.short_title, cohort.identifier) == (4, "Breast clinic", "patient_id")
    assert cohort.time("death").tolist() == [812, 305, 1460, 95]
    assert cohort.event("death").tolist() == [False, True, False, True]
    assert {v.name: v.kind for v in cohort.variables} == {
        "patient_id": "identifier",
        "age": "continuous",
        "grade": "continuous",
    }
    assert "dead: 1 read as event, 0 as censored." in cohort.readings


def test_the_fuller_dictionary_means_what_the_page_says(tmp_path):
    cohort = read_cohort(folder(tmp_path, shown("json")[1], data=FULLER, visits=VISITS))

    assert [v.name for v in cohort.predictors] == ["age", "nodes", "grade", "arm"]
    assert cohort.variable("nodes").say_with_label(1) == "1 positive node"
    assert cohort.variable("grade").say_with_label("3") == "Tumour grade: III"
    outcome = cohort.outcome("event_free")
    assert (outcome.label, outcome.cause_label) == ("Recurrence or death", "Recurrence")
    assert cohort.event(outcome).tolist() == [True, False, True]
    assert cohort.time(outcome).tolist() == [14.5, 60.25, 31.0]
    assert len(cohort.visits.frame) == 3
    assert [v.name for v in cohort.sensitive] == ["origin"]


def test_a_slip_of_the_pen_is_refused(tmp_path):
    told = json.loads(shown("json")[0]) | {"tilte": "Breast"}
    with pytest.raises(Faults) as caught:
        read_cohort(folder(tmp_path, json.dumps(told), data=shown("csv")[0]))
    assert [(f.column, f.expected) for f in caught.value.faults] == [("tilte", "no key of this name")]


@pytest.mark.parametrize("model", [Dictionary, Variable, Outcome, VisitsEntry])
def test_every_key_is_explained(model):
    missing = [name for name in model.model_fields if name != "cause_label" and f"`{name}`" not in PAGE]
    assert missing == []


def test_every_kind_and_unit_is_named():
    assert [word for word in (*get_args(Kind), *get_args(Unit)) if f"`{word}`" not in PAGE] == []


def test_methods_cites_only_tests_that_exist():
    cited = re.findall(r"`(test_\w+)(?:\.py)?(?:::(test_\w+))?`", (ROOT / "docs" / "methods.md").read_text("utf-8"))
    sources = {p.stem: p.read_text("utf-8") for p in (ROOT / "tests").rglob("test_*.py")}
    everything = "\n".join(sources.values())
    assert len(cited) > 30
    for first, second in cited:
        if first in sources:
            assert not second or f"def {second}(" in sources[first], f"{first}::{second}"
        else:
            assert f"def {first}(" in everything, first
