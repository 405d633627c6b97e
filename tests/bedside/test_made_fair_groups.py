"""The scripts behind "How made" of the subgroup forest and of Table 1, run as a reader runs them."""

from __future__ import annotations

import numpy as np
import pytest

from bedside.cohort.groups import group_by
from bedside.cohort.table_by import TableBy, table_by
from bedside.intake import read_cohort
from bedside.report.made_fair_groups import subgroups_made, table_made
from bedside.treatment import Subgroup, SubgroupForest, subgroups
from tests.bedside.test_made_comparison import grouped, run
from tests.pages.made import EMOJI, HOSTILE, dictionary, hostile, patients, write
from tests.pages.made import outcome as made_outcome


def near(value: float | None, expected: float, tolerance: float) -> bool:
    """What is not known, or not finite, is null in JSON."""
    return value is None if not np.isfinite(expected) else value == pytest.approx(expected, rel=tolerance)


def same_level(said: dict, one: Subgroup, tolerance: float) -> None:
    assert (said["level"], said["n"], said["events"]) == (one.label, one.n, one.events)
    for told, ratio in zip(said["hazard_ratios"], one.ratios, strict=True):
        assert (told["group"], told["against"]) == (ratio.label, ratio.reference)
        for value, expected in zip([told["hr"], *told["interval"]], (ratio.hr, ratio.lower, ratio.upper), strict=True):
            assert near(value, expected, tolerance), (one.label, value, expected)


def same_forest(said: dict, found: SubgroupForest, which: str) -> None:
    # lifelines stops its Newton steps a little earlier.
    tolerance = 1e-9 if which == "bedside" else 1e-5
    same_level(said["all"], found.overall, tolerance)
    for told, row in zip(said["variables"], found.rows, strict=True):
        assert (told["variable"], told["missing"]) == (row.title, row.dropped_missing)
        for level, one in zip(told["levels"], row.levels, strict=True):
            same_level(level, one, tolerance)
        if which == "bedside":
            test = told["interaction"]
            assert (test is None) == (row.interaction is None)
            assert test is None or test["p"] == pytest.approx(row.interaction.p, rel=1e-9)


def same_table(said: dict, table: TableBy) -> None:
    assert (tuple(said["groups"]), tuple(said["n"])) == (table.labels, table.n)
    for told, row in zip(said["variables"], table.rows, strict=True):
        assert told["variable"] == row.variable.label
        if np.isinf(row.difference.value):
            assert told["smd"] == "no overlap"
        else:
            assert near(told["smd"], row.difference.value, 1e-12)
        assert told["test"]["name"] == row.shown.name and near(told["test"]["p"], row.shown.p, 1e-12)
        for one, numbers in zip(told.get("numbers", ()), row.numbers, strict=True):
            assert (one["n"], one["missing"]) == (numbers.n, numbers.missing)
            assert all(near(one[k], getattr(numbers, k), 1e-12) for k in ("mean", "sd", "median", "q1", "q3", "max"))
        for one, level in zip(told.get("levels", ()), row.levels, strict=True):
            assert (one["level"], tuple(one["counts"])) == (level.label, level.counts)


@pytest.mark.parametrize("which", ["bedside", "lifelines"])
def test_the_forest_of_three_arms_is_recomputed(which, tmp_path):
    cohort, grouping, _ = grouped("colon_trial", "arm")
    outcome = cohort.outcomes[0]
    names = ["sex", "age", "differentiation"]
    found = subgroups(cohort, outcome, grouping, names, reference=1, level=0.9)
    made = subgroups_made(cohort, outcome, grouping, found, filters=("Age 50 to 65 years",))
    same_forest(run(made, which, tmp_path), found, which)
    assert "likelihood ratio test of its interaction with the group (Sex, " in made.methods
    assert "Age 50 to 65 years" in made.methods
    assert not set(made.data[0]) & set(cohort.identifiers)


@pytest.mark.parametrize("which", ["bedside", "lifelines"])
def test_hostile_names_delayed_entry_missing_values_and_groups_without_events(which, tmp_path):
    base = patients(200)
    n = len(base["id"])
    chance = np.random.default_rng(5)
    quiet = [i % 5 == 0 for i in range(n)]
    ward = ["=1+1" if q else "" if i % 7 == 0 else HOSTILE[i % 2 + 2] for i, q in enumerate(quiet)]
    status = [0 if q and a == "b" else s for q, a, s in zip(quiet, base["arm"], base["status"], strict=True)]
    entry = [int(max(0, days - chance.integers(1, 400))) if i % 17 else "" for i, days in enumerate(base["days"])]
    wards = [{"name": "ward", "kind": "categorical"}, {"name": "arm", "kind": "binary"}]
    told = dictionary("Late", outcomes=[made_outcome(entry="entry")], variables=wards)
    write(tmp_path, "late", base | {"entry": entry, "ward": ward, "status": status}, told)
    cohort = read_cohort(tmp_path / "late")
    grouping, outcome = group_by(cohort, "arm"), cohort.outcomes[0]
    found = subgroups(cohort, outcome, grouping, ["ward"])
    assert found.rows[0].dropped_missing and any(np.isnan(one.ratios[0].hr) for one in found.rows[0].levels)
    made = subgroups_made(cohort, outcome, grouping, found)
    same_forest(run(made, which, tmp_path), found, which)
    assert dict(made.scripts)[which].isascii()


def test_table_one_is_recomputed(tmp_path):
    cohort, grouping, _ = grouped("colon_trial", "arm")
    found = table_by(cohort, grouping)
    made = table_made(cohort, grouping, found, tests=True)
    same_table(run(made, "bedside", tmp_path), found)
    quiet = table_made(cohort, grouping, found, tests=False)
    assert "Welch" in made.methods and "Welch" not in quiet.methods
    assert "TESTS = False" in quiet.scripts[0][1]


def test_hostile_names_do_not_lead_a_table_astray(tmp_path):
    hostile(tmp_path)
    cohort = read_cohort(tmp_path / "hostile")
    grouping = group_by(cohort, EMOJI)
    found = table_by(cohort, grouping)
    made = table_made(cohort, grouping, found, tests=True)
    same_table(run(made, "bedside", tmp_path), found)
    assert made.scripts[0][1].isascii()
