"""Whether a model fits another cohort: what is refused, what is asked, what is only said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from risk_cases import cohort_of, levels, number

from bedside.cohort import Cohort
from bedside.errors import Fixable
from bedside.risk.fits import check_fits, require_fit
from bedside.risk.learners import learn
from bedside.risk.training import training


def patients(seed: int, n: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({
        "glucose": rng.normal(100, 15, n).clip(60, 180),
        "bili": rng.lognormal(0.3, 0.8, n),
        "age": rng.normal(60, 8, n).clip(30, 90),
        "grade": rng.choice(["I", "II", "III"], n),
    })  # fmt: skip
    time = rng.exponential(1000 / np.exp(0.03 * (frame["age"] - 60) + 0.5 * np.log(frame["bili"])))
    return frame.assign(time=time.clip(1, 2000), event=(time < 2000).astype(int))


def variables(**changed: object) -> list:
    told = {
        "glucose": number("glucose", label="Glucose", unit="mg/dL"),
        "bili": number("bili", label="Bilirubin", unit="mg/dL", scale="log"),
        "age": number("age", label="Age", unit="years"),
        "grade": levels("grade", ["I", "II", "III"], label="Grade"),
        **changed,
    }
    return [variable for variable in told.values() if variable is not None]


def cohort(frame: pd.DataFrame, **changed: object) -> Cohort:
    return cohort_of(frame, variables(**changed))


MODEL = learn("cox", training(cohort(patients(1)), "death"))


def told(other: Cohort) -> list[tuple[str, str]]:
    return [(misfit.weight, misfit.variable) for misfit in check_fits(MODEL, other)]


def test_patients_alike_fit_without_a_word():
    frame = patients(2)
    for name in ("glucose", "bili", "age"):
        frame[name] = frame[name].clip(patients(1)[name].min(), patients(1)[name].max())
    assert told(cohort(frame)) == []


@pytest.mark.parametrize(
    ("name", "factor"),
    [("glucose", 1 / 18.02), ("bili", 17.1), ("age", 12), ("age", 365.25), ("glucose", 0.01), ("bili", 0.1)],
)
def test_values_in_another_unit_raise_an_alarm(name: str, factor: float):
    frame = patients(3)
    frame[name] *= factor
    (misfit,) = [m for m in check_fits(MODEL, cohort(frame)) if m.variable == name]
    assert misfit.weight == "alarm"
    variable = next(v for v in variables() if v.name == name)
    assert f"the median {variable.number(frame[name].median())} is far" in misfit.why
    assert ("above" if factor > 1 else "below") in misfit.why
    assert variable.unit in misfit.why and variable.unit in misfit.next_step
    assert require_fit(MODEL, cohort(frame))


def test_older_patients_are_no_other_unit():
    frame = patients(4)
    frame["age"] += 12
    notes = [m for m in check_fits(MODEL, cohort(frame)) if m.variable == "age"]
    assert [m.weight for m in notes] == ["note"] and "extrapolated" in notes[0].why


def test_few_patients_are_not_judged_and_their_values_not_told():
    frame = patients(5).head(3)
    frame["glucose"] = [4.41, 5.27, 6.83]
    notes = [m for m in check_fits(MODEL, cohort(frame)) if m.variable == "glucose"]
    assert [m.weight for m in notes] == ["note"] and notes[0].why.startswith("Glucose of 3 patients is outside")
    assert not any(text in notes[0].why for text in ("4.41", "5.27", "6.83"))


@pytest.mark.parametrize(
    ("unit", "refused"),
    [("mmol/L", True), ("mg / dl", False), ("", False), ("MG/DL", False), ("mg/L", True)],
)
def test_units_are_compared_by_meaning(unit: str, refused: bool):
    other = cohort(patients(6), glucose=number("glucose", label="Glucose", unit=unit))
    assert (("refuse", "glucose") in told(other)) is refused
    if refused:
        with pytest.raises(Fixable, match=rf"Glucose is in {unit} here, but the model learnt it in mg/dL"):
            require_fit(MODEL, other)


@pytest.mark.parametrize(("one", "other"), [("µmol/L", "umol/l"), ("μmol/L", "µmol/L"), ("kg/m²", "kg/m2")])
def test_spellings_of_a_unit_are_one(one: str, other: str):
    model = learn("cox", training(cohort(patients(1), glucose=number("glucose", unit=one)), "death"))
    found = check_fits(model, cohort(patients(2), glucose=number("glucose", unit=other)))
    assert "refuse" not in [misfit.weight for misfit in found]


def test_a_column_that_is_not_there_is_declared_with_what_stands_in():
    (misfit,) = [m for m in check_fits(MODEL, cohort(patients(7), glucose=None)) if m.variable == "glucose"]
    fill = patients(1)["glucose"].median()
    assert misfit.weight == "note"
    assert misfit.why == (
        f"Glucose has no column here: {fill:.1f} mg/dL, from the model's own patients, stands in for all."
    )
    empty = patients(7).assign(glucose=np.nan)
    (misfit,) = [m for m in check_fits(MODEL, cohort(empty)) if m.variable == "glucose"]
    assert "is missing for every patient here" in misfit.why


def test_no_column_at_all_is_refused():
    other = cohort_of(patients(8).assign(height=170.0), [number("height")])
    assert told(other)[0] == ("refuse", "")
    with pytest.raises(Fixable, match="None of the model's variables is recorded"):
        require_fit(MODEL, other)


def test_another_kind_is_refused_both_ways():
    as_group = cohort(patients(9).assign(age="old"), age=levels("age", ["old", "young"], label="Age"))
    with pytest.raises(Fixable, match="Age is a group here, but the model learnt it as a number"):
        require_fit(MODEL, as_group)
    as_number = cohort(patients(9).assign(grade=2.0), grade=number("grade", label="Grade"))
    with pytest.raises(Fixable, match="Grade is a number here, but the model learnt it as a group"):
        require_fit(MODEL, as_number)


def test_a_level_nobody_had_is_counted_named_and_read_as_the_commonest():
    frame = patients(10)
    frame.loc[:6, "grade"] = "IV"
    other = cohort(frame, grade=levels("grade", ["I", "II", "III", "IV"], label="Grade"))
    (misfit,) = [m for m in check_fits(MODEL, other) if m.variable == "grade"]
    commonest = patients(1)["grade"].mode()[0]
    assert misfit.weight == "note"
    assert misfit.why == (
        "7 patients have a level of Grade that nobody had in training (“IV”); the model reads it as the commonest "
        f"one, “{commonest}”."
    )
    as_commonest = frame.assign(grade=frame["grade"].replace("IV", commonest))
    np.testing.assert_array_equal(MODEL.risk(other.frame, [500.0]), MODEL.risk(as_commonest, [500.0]))


def test_levels_all_unknown_are_refused():
    frame = patients(11)
    frame["grade"] = frame["grade"].map({"I": "low", "II": "mid", "III": "high"})
    other = cohort(frame, grade=levels("grade", ["low", "mid", "high"], label="Grade"))
    with pytest.raises(Fixable, match=r"No patient here has a level of Grade that the model knows \(“high”, “low”"):
        require_fit(MODEL, other)
