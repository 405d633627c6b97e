"""Measurements by their whole name: units, concepts, limits and mixed units; levels, steps and outcomes as written."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bedside.intake import read_cohort
from bedside.intake.building import build
from bedside.intake.formats.any_file import read_any
from bedside.intake.guess import guess
from bedside.intake.plan import ColumnPlan
from bedside.intake.quality import findings
from bedside.intake.staging import ROWS, Staged, staged_of
from bedside.intake.standards.export_cbioportal import export_cbioportal
from bedside.intake.steps import Step
from bedside.intake.units_guess import one_each, unit_of

N = 60


def staged(folder: Path, frame: pd.DataFrame, name: str = "registry.csv") -> Staged:
    path = folder / name
    frame.to_csv(path, index=False)
    told = read_any(path, folder, None, lambda share, sentence: None)
    return staged_of(json.loads(json.dumps(told)), folder / ROWS)


def frame(**columns: object) -> pd.DataFrame:
    numbers = np.arange(N)
    return pd.DataFrame({"id": [f"p{i}" for i in numbers], **columns, "months": 5 + numbers, "dead": numbers % 2})


@pytest.mark.parametrize(
    "name",
    [
        "creatinine_clearance", "urine_creatinine", "albumin_creatinine_ratio", "bilirubin_direct", "bilirubin_d",
        "urine_albumin", "albumin_u", "serum_albumin_change", "platelets_mean_volume", "sodium_intake", "delta_bmi",
        "age_at_menarche", "mother_age", "creatinine_2", "creatinine_csf", "sodium_at_death", "creatinine_min",
    ],
)  # fmt: skip
def test_another_quantity_is_no_measurement(name):
    for value in (3.0, 35.0, 50.0, 140.0):
        assert unit_of(name, "", np.array([value])) == ("", "")


@pytest.mark.parametrize(
    ("name", "middle", "unit", "concept"),
    [
        ("serum_creatinine", 80.0, "umol/l", "creatinine"), ("S-Kreatinin (µmol/l)", 80.0, "umol/l", "creatinine"),
        ("s_crea_mg_dl", 80.0, "mg/dl", "creatinine"), ("creatinine_umol", 1.0, "umol/l", "creatinine"),
        ("Alter bei Erstdiagnose", 60.0, "years", "age"), ("AGE_AT_DIAGNOSIS", 60.0, "years", "age"),
        ("age_months", 700.0, "months", "age"), ("bmi (kg/m^2)", 25.0, "kg/m2", "bmi"),
        ("platelets_g_l", 250.0, "10^9/l", "platelets"), ("creatinine_ml_min", 80.0, "ml/min", ""),
        ("total_bilirubin", 1.0, "mg/dl", "bilirubin"), ("hb_a1c", 8.0, "", ""),
        ("albumin_baseline", 40.0, "g/l", "albumin"),
    ],
)  # fmt: skip
def test_a_measurement_by_its_whole_name(name, middle, unit, concept):
    assert unit_of(name, "", np.array([middle])) == (unit, concept)


def test_a_unit_anywhere_in_a_name_beats_a_range():
    pounds = np.full(90, 175.0)
    for name in ("Weight_lb", "BodyWeightLbs", "weight_lb_baseline", "WeightPounds", "weight (lbs)"):
        assert unit_of(name, "", pounds) == ("lb", "")
    for name in ("weight_stone", "weight_oz", "weightlb", "height_in", "Height inches", "height_ft"):
        assert unit_of(name, "", np.full(90, 67.0)) == ("", "")
    assert unit_of("creatinine_mg_dl_baseline", "", np.full(90, 1.0)) == ("mg/dl", "creatinine")
    assert unit_of("age_months_baseline", "", np.full(90, 60.0))[0] == "months"


def test_a_label_that_says_otherwise_is_believed():
    assert unit_of("LBXSCR", "Creatinine (mg/dl)", np.array([1.0])) == ("mg/dl", "creatinine")
    assert unit_of("albumin", "Albumin in urine (g/l)", np.array([40.0])) == ("g/l", "")


def test_a_concept_stands_at_one_column(tmp_path):
    ages = 40 + np.arange(N) % 30
    file = staged(tmp_path, frame(age_at_diagnosis=ages, age=ages + 1, creatinine=1 + np.arange(N) / 100))
    plan = guess(file).plan
    assert [c.name for c in plan.columns if c.concept == "age"] == ["age"]
    # A recipe that says otherwise does not stop the import either.
    twice = plan.with_column(replace(plan.column("age_at_diagnosis"), concept="age"))
    build(file, twice, tmp_path)
    assert [v.name for v in read_cohort(tmp_path).variables if v.concept == "age"] == ["age"]
    left_out = (ColumnPlan("age", "drop", concept="age"), ColumnPlan("age_at_entry", concept="age"))
    assert [c.concept for c in one_each(left_out)] == ["", "age"]


def test_two_units_only_where_no_unit_explains_all(tmp_path):
    few = np.arange(N) % 5 == 0
    spread = np.arange(N) / N
    file = staged(tmp_path, frame(
        creatinine_clearance=np.where(few, 5 + 9 * spread, 40 + 90 * spread),
        urine_albumin=np.where(few, 20 + 9 * spread, 1 + 5 * spread),
        creatinine_umol=np.where(~few, 0.5 + spread, 60 + 90 * spread),
        haemoglobin=np.where(few, 7 + 3 * spread, 110 + 40 * spread),
        albumin=np.where(few, 30 + 15 * spread, 3 + 1.5 * spread),
        hba1c=np.where(few, 42 + 40 * spread, 5 + 5 * spread),
        glucose=36 + 200 * spread,
        age_months=np.round(300 + 600 * spread), birth_weight_g=np.round(2500 + 1500 * spread),
    ))  # fmt: skip
    plan = guess(file).plan
    found = {each.key: each for each in findings(file, plan)}
    assert not [key for key in found if key.startswith("impossible")]
    mixed = {each.columns[0]: each for each in found.values() if each.kind == "two units"}
    assert sorted(mixed) == ["albumin", "creatinine_umol", "haemoglobin", "hba1c"]
    assert mixed["hba1c"].fixes == () and "No factor" in mixed["hba1c"].why
    # The column's own name says its unit, however few values are in it.
    assert [(s.low, s.high, s.factor) for s in mixed["creatinine_umol"].fixes] == [(0.2, 14, 88.42)]
    # Haemoglobin of 7 to 10 beside 110 to 150 g/l is likelier millimoles; grams a decilitre are offered as well.
    assert [round(s.factor, 2) for s in mixed["haemoglobin"].fixes] == [16.11, 10.0]
    assert "12" not in mixed["albumin"].fixes[0].said


def test_steps_count_the_cells_of_this_file(tmp_path):
    start = pd.date_range("2010-01-01", periods=N).strftime("%Y-%m-%d")
    end = pd.date_range("2012-01-01", periods=N).strftime("%Y-%m-%d").to_numpy().copy()
    end[:4] = "2009-05-05"
    file = staged(tmp_path, frame(creatinine=np.where(np.arange(N) < 7, 80.0, 1.0 + np.arange(N) / 100),
                                  age=np.where(np.arange(N) < 3, 300, 50), start_date=start, end_date=end))  # fmt: skip
    plan = guess(file).plan
    for column in ("creatinine", "age"):
        plan = plan.with_column(replace(plan.column(column), kind="continuous", use="predictor"))
    for step in (
        Step("multiply", column="creatinine", low=30, high=1500, factor=1 / 88.42),
        Step("swap_dates", column="start_date", other="end_date"),
        Step("set_missing_outside", column="age", low=0, high=120),
        Step("set_missing_outside", column="age", low=0, high=120),
        Step("drop_outside", column="creatinine", low=0, high=1.595),
    ):
        plan = plan.with_step(step)
    report = build(file, plan, tmp_path)
    assert [n for _, n in report.steps] == [7, 4, 3, 0, 0]
    assert [step.drops_rows for step, _ in report.steps] == [False, False, False, False, True]


def test_one_code_in_two_spellings_is_one_level(tmp_path):
    grades = np.resize(["1", "1.0", "2", "2", "unclear"], N)
    file = staged(tmp_path, frame(grade=grades, age=np.arange(N) % 40 + 30))
    plan = guess(file).plan
    assert [code for code, _ in plan.column("grade").levels] == ["1", "2", "unclear"]
    assert not [each for each in findings(file, plan) if "grade" in each.columns and each.kind == "sparse levels"]
    twice = plan.with_column(
        replace(plan.column("grade"), levels=(("1", "I"), ("1.0", "I"), ("2", "II"), ("unclear", "?")))
    )
    build(file, twice, tmp_path)
    counts = read_cohort(tmp_path).frame["grade"].value_counts().to_dict()
    assert counts == {"1": 24, "2": 24, "unclear": 12}


def test_the_status_that_follow_up_was_made_of_is_no_variable(tmp_path):
    start = pd.date_range("2010-01-01", periods=N).strftime("%Y-%m-%d")
    last = pd.date_range("2014-01-01", periods=N).strftime("%Y-%m-%d")
    table = pd.DataFrame({
        "id": [f"p{i}" for i in range(N)], "age": np.arange(N) % 40 + 30, "date_of_diagnosis": start,
        "last_contact": last, "vital_status": np.resize(["alive", "dead", "dead"], N),
    })  # fmt: skip
    file = staged(tmp_path, table)
    plan = guess(file).plan
    assert plan.outcomes[0].of_dates and plan.outcomes[0].status == "vital_status"
    build(file, plan, tmp_path)
    cohort = read_cohort(tmp_path)
    assert "vital_status" not in [v.name for v in cohort.variables]
    assert [v.name for v in cohort.predictors] == [v.name for v in cohort.filterable] == ["age"]
    # Death of any cause goes by the portal's own name, and nothing else of the outcome goes along.
    assert cohort.outcomes[0].concept == "death"
    export_cbioportal(cohort, tmp_path / "study")
    written = pd.read_csv(tmp_path / "study" / "data_clinical_patient.txt", sep="\t", comment="#")
    assert list(written.columns) == ["PATIENT_ID", "OS_STATUS", "OS_MONTHS", "AGE"]
    assert set(written["OS_STATUS"]) == {"0:LIVING", "1:DECEASED"}
