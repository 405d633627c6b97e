"""The scripts of each group in numbers and of every pair come to the page's numbers."""

from __future__ import annotations

import ast
import json
from typing import Any

import pytest

from bedside import survival
from bedside.cohort.groups import group_by
from bedside.intake import read_cohort
from bedside.report.csv import csv_bytes
from bedside.report.made_rows import Recipe
from bedside.report.made_survival_groups import groups_made, pairs_made
from bedside.report.tables_survival import groups_rows, pairs_rows
from tests.bedside.scripts import printed
from tests.bedside.test_made_curves import OURS, SAMPLES, THEIRS, close, cohort_of


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    """Name, then: what the page shows, and its making."""
    root = tmp_path_factory.mktemp("cohorts")
    gbsg2, wild, late = (
        read_cohort(SAMPLES / "gbsg2_breast"), cohort_of(root, "wild"), cohort_of(root, "late", entry="since")
    )  # fmt: skip
    asked = {
        "holm": (gbsg2, "grade", Recipe(test="log-rank", unit="years"), "holm"),
        "BH": (wild, "group", Recipe(test="fleming-harrington", q=1.0, weights="weight"), "BH"),
        "bonferroni": (wild, "group", Recipe(test="peto-peto", alive_at=3.0), "bonferroni"),
        "late": (late, "group", Recipe(test="log-rank", strata=("site",)), "holm"),
        "grade": (gbsg2, "grade", Recipe(unit="years"), None),
        "weights": (wild, "group", Recipe(weights="weight", unit="years"), None),
        "landmark": (wild, "site", Recipe(alive_at=6.0, restart=True, unit="years", level=0.9), None),
        "entry": (late, "site", Recipe(interval="log", unit="months"), None),
    }
    return {name: _case(*each) for name, each in asked.items()}


def _case(cohort, by, recipe, adjustment):
    end, groups = cohort.outcomes[0], group_by(cohort, by)
    if adjustment is not None:
        found = survival.pairs_by(
            cohort, end, groups, test=recipe.test, p=recipe.p, q=recipe.q, strata=recipe.strata,
            alive_at=recipe.alive_at, adjustment=adjustment,
        )  # fmt: skip
        return found, pairs_made(cohort, end, groups, recipe, found)
    plan = {"level": recipe.level, "interval": recipe.interval, "alive_at": recipe.alive_at}
    curves = survival.curves_by(cohort, end, groups, weights=recipe.weights, **plan)
    follow = {curve.group: curve for curve in survival.follow_up_by(cohort, end, groups, **plan)}
    return groups_rows(curves, follow, recipe.unit), groups_made(cohort, end, groups, recipe)


@pytest.fixture(scope="module")
def told(cases, tmp_path_factory) -> dict[str, dict[str, Any]]:
    folder, said = tmp_path_factory.mktemp("scripts"), {name: {} for name in cases}
    for kind in ("bedside", "lifelines"):
        paths = {}
        for name, (_, made) in cases.items():
            (folder / made.data_name).write_bytes(csv_bytes(*made.data))
            if kind in dict(made.scripts):
                paths[name] = folder / f"{name}-{kind}.py"
                paths[name].write_text(dict(made.scripts)[kind], encoding="ascii")
        for name, path in paths.items():
            said[name][kind] = json.loads(printed(path, knows_bedside=kind == "bedside", strict=False))
    return said


@pytest.mark.parametrize("name", ["holm", "BH", "bonferroni", "late"])
def test_every_pair_is_the_page_s(cases, told, name):
    found, _ = cases[name]
    assert set(told[name]) == ({"bedside"} if name == "late" else {"bedside", "lifelines"})
    for kind, said in told[name].items():
        assert [tuple(pair) for pair in said["pairs"]] == list(found.labels)
        tolerance = OURS if kind == "bedside" else THEIRS
        for part, values in zip(("statistic", "p", "corrected"), list(zip(*pairs_rows(found)[1], strict=True))[2:],
                                strict=True):  # fmt: skip
            close(said[part], [float("nan") if v is None else v for v in values], tolerance)


@pytest.mark.parametrize("name", ["grade", "weights", "landmark", "entry"])
def test_each_group_in_numbers_is_the_page_s(cases, told, name):
    (_, rows), _ = cases[name]
    for kind, said in told[name].items():
        limits = kind == "bedside"
        for group, row in zip(said["groups"], rows, strict=True):
            assert (group["group"], group["n"]) == (row[0], row[1])
            shown = [[float("nan") if v is None else v for v in row[k : k + 3]] for k in (4, 7, 10, 13)]
            for ours, theirs in zip(shown, (group["follow_up"], *group["times"]), strict=True):
                close(theirs, ours if limits or len(theirs) == 3 else ours[:1], OURS)
    assert set(told[name]) == {"bedside", "lifelines"}


def test_names_are_never_code_and_the_paragraph_says_what_was_done(cases):
    for _, made in cases.values():
        for _, text in made.scripts:
            assert text.isascii() and ast.get_docstring(ast.parse(text))
    holm, weights = cases["holm"][1].methods, cases["weights"][1].methods
    assert "by the log-rank test (chi-squared" in holm and "corrected for 3 comparisons after Holm." in holm
    assert "reverse Kaplan-Meier curve, in which events count as censored, every patient counted once." in weights
