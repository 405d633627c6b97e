"""A test on patients from elsewhere: its scripts compute it again, and an updated model's card says the update."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bedside.cohort.declared import selection_of
from bedside.report.csv import csv_bytes
from bedside.report.made import sealed
from bedside.report.made_external import external_made
from bedside.report.model_card import ModelCard, model_card
from bedside.report.model_card_updated import updated_card
from bedside.risk.learners import learn
from bedside.risk.training import training
from bedside.validation.external import external
from bedside.validation.recalibrate import recalibrate
from tests.bedside.scripts import printed

ROOT = Path(__file__).resolve().parents[2]
YEARS = np.array([2, 5]) * 365.25


@pytest.fixture(scope="module", params=["any", "event"])
def test_of(sample, request):
    cohort = sample("pbc_liver")
    (told,) = cohort.external
    trial, outside = (selection_of(part).apply(cohort) for part in (told.training, told.test))
    return learn("cox", training(trial, "death", target=request.param)), trial, outside


def values(text: str) -> dict[str, list[float]]:
    """The numbers that a script printed, by the first word of each line; groups one after another."""
    found: dict[str, list[float]] = {}
    for line in text.splitlines():
        name, *numbers = line.split("\t")
        found.setdefault(name, []).extend(map(float, numbers))
    return found


def test_scripts_compute_it_again(test_of, tmp_path):
    model, _, outside = test_of
    found = external(model, outside, "death", times=YEARS)
    made = sealed(external_made(model, found, outside.outcomes[0], outside.fingerprint))
    names = [name for name, _ in made.scripts]
    assert names == (["bedside"] if found.rows.competes else ["bedside", "lifelines"])
    assert "106 patients" in made.methods and "applied unchanged" in made.methods
    (tmp_path / made.data_name).write_bytes(csv_bytes(*made.data))
    at = found.performance.at[-1]
    for name, text in made.scripts:
        script = tmp_path / f"of_{name}.py"
        script.write_text(text, encoding="utf-8")
        told = values(printed(script, knows_bedside=name == "bedside"))
        o = at.overall
        assert told["all"] == pytest.approx([o.expected, o.observed.risk, o.ratio], rel=1e-9)
        assert told["concordance"][0] == pytest.approx(found.performance.c.value, rel=1e-9)
        each = 4 if name == "bedside" else 2
        assert told["group"][1::each] == pytest.approx([g.observed for g in at.groups], rel=1e-9)
        if name == "bedside":
            assert told["brier"][0] == pytest.approx(at.brier.value, rel=1e-9)
            assert told["slope"][0] == pytest.approx(at.slope.value, rel=1e-9)


@pytest.mark.parametrize("how", ["baseline", "slope"])
def test_the_card_of_an_update_is_enough_to_compute_its_risks(test_of, how):
    model, trial, outside = test_of
    update = recalibrate(model, outside, "death", times=YEARS, how=how, learnt_from=trial)
    card = updated_card(model_card(model, trial), update, note="For clinic B")
    again = ModelCard.model_validate(card.as_json())
    assert (again.kind, again.note, again.made.model_fingerprint) == (
        "recalibrated", "For clinic B", update.model.fingerprint,
    )  # fmt: skip
    assert again.specification.settings["recalibrated"] == how
    assert again.size.n == 312 and again.population.title == trial.title
    before = model.risk(outside.frame, [YEARS[1]])[:, 0]
    told = " ".join(again.specification.formula)
    wanted = update.model.risk(outside.frame, [YEARS[1]])[:, 0]
    z = np.log(-np.log1p(-before))
    if model.target == "event":
        shift, slope = update.model.shift, update.model.slope.value
        assert f"exp({shift:.10g} + {slope:.10g} log" in told
        assert -np.expm1(-np.exp(shift + slope * z)) == pytest.approx(wanted, rel=1e-9)
        return
    baseline = told.split("Updated baseline H at: ")[1]
    hazard = float(baseline.split(f"{YEARS[1]:.6g} days ")[1].split(";")[0].rstrip("."))
    slope, centre = (float(told.split(name)[1].split(",")[0].split(")")[0]) for name in ("slope = ", "(z - "))
    assert -np.expm1(-hazard * np.exp(slope * (z - centre))) == pytest.approx(wanted, rel=1e-7)


def test_its_performance_names_how_after_was_judged(test_of):
    model, trial, outside = test_of
    update = recalibrate(model, outside, "death", times=YEARS)
    card = updated_card(model_card(model, trial), update)
    after, before = (next(p for p in card.performance if p.name.startswith(s) and "expected" in p.name)
                     for s in ("After", "Before"))  # fmt: skip
    assert after.mean == pytest.approx(update.after.at[-1].overall.ratio)
    assert before.mean == pytest.approx(update.before.performance.at[-1].overall.ratio)
    assert f"{update.folds}-fold cross-validation, 5 times" in after.how and "as it was" in before.how
    assert not any("until it is tested there" in text for text in card.limits)
    assert any("few for an update" in text for text in card.limits)
