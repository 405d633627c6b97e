"""The scripts of the states over time come to the page's own numbers, in an interpreter of their own."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import numpy as np
import pytest

from bedside import competing
from bedside.cohort.groups import group_by
from bedside.intake import read_cohort
from bedside.report.csv import csv_bytes
from bedside.report.made import Made, sealed
from bedside.report.made_rows import Recipe
from bedside.report.made_states import states_made, steps_made
from tests.bedside.scripts import printed
from tests.bedside.test_made_curves import OURS, SAMPLES, close

TERMS = ("age", "sex")
RECIPE = Recipe(unit="years", filters=("Age 50 to 65 years",))


@pytest.fixture(scope="module")
def cohort():
    return read_cohort(SAMPLES / "mgus_competing")


@pytest.fixture(scope="module")
def found(cohort):
    first, last = cohort.outcome("progression"), cohort.outcome("death")
    by = group_by(cohort, "sex")
    states = competing.illness_death(cohort, first, last, by, tau=120.0, level=0.9, interval="log")
    model = competing.illness_death_model(cohort, first, last, TERMS, level=0.9)
    return states, model, {
        "states": sealed(states_made(cohort, first, last, by, RECIPE, states, times=[2.0, 10.0])),
        "steps": sealed(steps_made(cohort, first, last, RECIPE, model, states)),
    }  # fmt: skip


@pytest.fixture(scope="module")
def told(found, tmp_path_factory):
    return ran(found[2], tmp_path_factory.mktemp("scripts"))


def ran(made: dict[str, Made], folder: Path) -> dict[str, dict]:
    """What each of the scripts of bedside printed."""
    paths = {name: folder / f"{name}.py" for name in made}
    for name, each in made.items():
        (folder / each.data_name).write_bytes(csv_bytes(*each.data))
        paths[name].write_text(dict(each.scripts)["bedside"], encoding="ascii")
    return {name: json.loads(printed(path, knows_bedside=True, strict=False)) for name, path in paths.items()}


def test_the_states_are_the_page_s(cohort, found, told):
    assert cohort.outcome("death").unit == "months" and RECIPE.unit == "years"
    groups = told["states"]["groups"]
    assert [g["group"] for g in groups] == ["Female", "Male"]
    for group, states in zip(groups, found[0].occupations, strict=True):
        assert group["n"] == states.n
        close(group["time"], states.time / 12, OURS)
        for part in ("chance", "std_err", "lower", "upper"):
            close(group[part], getattr(states, part).T, OURS)
        points = states.at([24.0, 120.0])
        close(group["share"], points.chance.T, OURS)
        close(group["share_lower"], points.lower.T, OURS)
        close(group["share_upper"], points.upper.T, OURS)
        close(group["mean"], states.within.mean / 12, OURS)
        close(group["mean_lower"], states.within.lower / 12, OURS)
        close(group["mean_upper"], states.within.upper / 12, OURS)


def test_the_hazard_ratios_of_each_step_are_the_page_s(found, told):
    fit, p = found[1].fit, len(found[1].fit.names)
    steps = told["steps"]["steps"]
    assert [step["events"] for step in steps] == list(fit.n_events)
    for k, step in enumerate(steps):
        assert (step["from"], step["to"]) == tuple(fit.states[i] for i in fit.moves[k])
        here = slice(k * p, (k + 1) * p)
        close(step["coef"], fit.coef[here], OURS)
        close(step["robust_se"], fit.robust_se[here], OURS)
        # qnorm(0.95) in R.
        close(step["lower"], np.exp(fit.coef[here] - 1.6448536269514722 * fit.robust_se[here]), OURS)


def test_the_rows_name_nobody_and_the_paragraph_says_what_was_done(cohort, found):
    for made in found[2].values():
        tree = ast.parse(dict(made.scripts)["bedside"])
        assert ast.get_docstring(tree).startswith("Recomputes")
        allowed = {"patient", "start", "stop", "event", "group", "group_name", "event_name", "x1", "x2"}
        assert set(made.data[0]) <= allowed
        assert "115 came from the first to the second, 860 from the first to the last" in made.methods or (
            made is found[2]["steps"]
        )
        assert "Patients were chosen by: Age 50 to 65 years." in made.methods
    states, steps = found[2]["states"].methods, found[2]["steps"].methods
    assert "Aalen-Johansen method, with pointwise 90%" in states and "within 10.0 years" in states
    assert "Efron" in steps and "robust" in steps and "associations, not effects" in steps
