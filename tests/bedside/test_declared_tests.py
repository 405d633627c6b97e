"""External tests that a dictionary declares: read, checked, and the patients they name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bedside.cohort.declared import selection_of
from bedside.errors import Faults
from bedside.intake import list_cohorts, read_cohort
from bedside.risk.scores import SCORES
from bedside.risk.scores.cohort import made_from

ROOT = Path(__file__).resolve().parents[2]
TABLE = "id,age,site,days,dead\n" + "".join(
    f"P{i},{40 + i},{'' if i % 3 == 0 else 'ab'[i % 2]},{100 + 7 * i},{i % 2}\n" for i in range(30)
)


def opened(tmp_path: Path, *tests: dict[str, Any], **more: Any) -> Any:
    told = {
        "title": "Two clinics", "short_title": "Two clinics", "identifier": "id",
        "variables": [{"name": "age", "kind": "continuous"}, {"name": "site", "kind": "categorical"}],
        "outcomes": [{"key": "death", "label": "Death", "time": "days", "unit": "days", "status": "dead"}],
        "source": {"citation": "Invented.", "licence": "none", "origin": "a test"}, "external": list(tests), **more,
    }  # fmt: skip
    (tmp_path / "dictionary.json").write_text(json.dumps(told), encoding="utf-8")
    (tmp_path / "data.csv").write_text(TABLE, encoding="utf-8")
    return read_cohort(tmp_path)


def declared(training: list[dict[str, Any]], test: list[dict[str, Any]]) -> dict[str, Any]:
    return {"title": "B", "training": {"label": "a", "where": training}, "test": {"label": "b", "where": test}}


A = {"column": "site", "codes": ["a"]}


def test_the_bundled_one_names_312_and_106_patients():
    cohort = read_cohort(ROOT / "sample_data" / "pbc_liver")
    (test,) = cohort.external
    training, other = (selection_of(part).apply(cohort) for part in (test.training, test.test))
    assert (test.title, len(training), len(other)) == ("Followed outside the trial", 312, 106)
    assert not set(training.rows) & set(other.rows)
    offered = {entry.key: entry.external for entry in list_cohorts([ROOT / "sample_data"])}
    assert offered["pbc_liver"] == ("Followed outside the trial",) and offered["gbsg2_breast"] == ()


def test_conditions_hold_together_and_take_the_missing_where_told(tmp_path):
    old = {"column": "age", "low": 50, "high": 59.5}
    nowhere = {"column": "site", "missing": True}
    cohort = opened(tmp_path, declared([A, old], [nowhere, old]), declared([A], [{**nowhere, "codes": ["b"]}]))
    first, second = cohort.external

    def rows(part: Any) -> list[int]:
        return selection_of(part).apply(cohort).rows.tolist()

    assert rows(first.training) == [10, 14, 16]
    assert rows(first.test) == [12, 15, 18]
    assert rows(second.test) == [i for i in range(30) if i % 3 == 0 or i % 2 == 1]


@pytest.mark.parametrize(
    ("test", "place", "expected"),
    [
        (declared([A], [A]), "external[0]", "nobody in both training and test"),
        (declared([A], [{"column": "site", "codes": ["c"]}]), "external[0].test", "codes that are levels"),
        (declared([A], [{"column": "site", "low": 1}]), "external[0].test", "codes or missing for a column with"),
        (declared([{"column": "age", "missing": True}], [A]), "external[0].training", "codes or missing for a"),
        (declared([A], [{"column": "age", "low": 500}]), "external[0].test", "patients of whom all its conditions"),
        (declared([A], [{"column": "dead", "codes": ["1"]}]), "external[0].test", "columns that patients can be"),
        (declared([A], [{"column": "id", "codes": ["P1"]}]), "external[0].test", "columns that patients can be"),
        (declared([A], [{"column": "age"}]), "external[0].test.where[0]", "codes, low, high or missing"),
        (declared([A], []), "external[0].test.where", "at least 1 item"),
    ],
)
def test_what_does_not_fit_is_a_fault_at_its_place(tmp_path, test, place, expected):
    with pytest.raises(Faults) as caught:
        opened(tmp_path, test)
    (fault,) = caught.value.faults
    assert fault.column.startswith(place) and expected in fault.expected


def test_scores_made_from_a_cohort_name_scores_that_exist_and_patients():
    cohort = read_cohort(ROOT / "sample_data" / "pbc_liver")
    assert {made.score for made in cohort.made_scores} <= set(SCORES)
    assert made_from(cohort, SCORES["mayo_pbc"]).sum() == 312
    assert made_from(cohort.take(cohort.frame["treatment"].isna().to_numpy(), seal="x"), SCORES["mayo_pbc"]).sum() == 0
    assert not made_from(cohort, SCORES["meld"]).any()


def test_a_score_made_from_nobody_or_by_an_absent_column_is_a_fault(tmp_path):
    for where in ([{"column": "age", "low": 900}], [{"column": "absent", "codes": ["a"]}]):
        with pytest.raises(Faults) as stop:
            opened(tmp_path, made_scores=[{"score": "npi", "where": where}])
        assert "made_scores[0]" in str(stop.value.faults)
    assert made_from(opened(tmp_path, made_scores=[{"score": "npi"}]), SCORES["npi"]).all()
