"""One risk seen in several ways, at several times and for several readers; and patients who are odd."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from bedside.patient.internals import internals
from bedside.risk.learners import learn
from bedside.risk.training import training
from tests.pages import made
from tests.pages.reader import Reader
from tests.pages.test_page_patient import ANSWER, bundled, headline, opened

YEAR = 365.25


@pytest.fixture(scope="module")
def cox() -> object:
    cohort = bundled("gbsg2_breast")
    return learn("cox", training(cohort, cohort.outcomes[0]))


def marks(reader: Reader) -> list[str]:
    """The class of each of the hundred marks."""
    found = re.search(r'class="bs-icons".*?</div>', reader.raw, re.S)
    assert found is not None
    return re.findall(r'<i class="([^"]*)"', found[0])


def bars(reader: Reader) -> dict[str, list[int]]:
    """Widths of the parts of each bar by its time."""
    rows = re.findall(r'<div class="bs-stack[^"]*".*?</div></div>', reader.raw, re.S)
    assert all(sum(map(int, re.findall(r'style="width:(\d+)%"', row))) == 100 for row in rows)
    times = [re.findall(r"<span>(.*?)</span>", row)[0] for row in rows]
    return {t: [*map(int, re.findall(r'style="width:(\d+)%"', row))] for t, row in zip(times, rows, strict=True)}


def cells(reader: Reader) -> dict[str, list[str]]:
    """The table's numbers by time."""
    header, *rows = reader.table("Of 100 such patients")
    assert all(len(row) == len(header) for row in rows)
    return {row[0]: row[1:] for row in rows}


def test_icons_bar_and_table_say_the_same_and_ranges_and_decimals_are_in_each(cox):
    reader = opened("gbsg2_breast", 303)
    risk, drawn = headline(reader), marks(reader)
    assert drawn == ["bs-event"] * risk + ["bs-free"] * (100 - risk)
    patient = bundled("gbsg2_breast").frame.iloc[[303]]
    limits = cox.limits(patient, [4 * YEAR])
    low, high = round(100 * limits.lower[0, 0]), round(100 * limits.upper[0, 0])
    # Half-toned between the limits, the number itself still to be counted.
    drawn = marks(reader.choose("patient_ranges", True))
    assert [i for i, mark in enumerate(drawn) if "bs-maybe" in mark] == list(range(low, high))
    assert sum("bs-event" in mark for mark in drawn) == risk
    assert f"half-toned: {low} to {high} (95% interval)" in reader.text
    # Bars and rows: a few whole years and the horizon, each with the model's own numbers.
    seen = bars(reader.choose("patient_shows", "bar"))
    assert list(seen) == [f"{year} year{'s' * (year > 1)}" for year in range(1, 8)]
    assert seen["4 years"] == [risk, 100 - risk]
    assert [row[0] for row in seen.values()] == [
        round(100 * r) for r in cox.risk(patient, [year * YEAR for year in range(1, 8)])[0]
    ]
    assert f"4 years: {risk} of 100 have a recurrence or die; {100 - risk} of 100" in reader.raw
    reader.choose("patient_shows", "table").choose("decimals", True)
    rows = cells(reader)
    assert rows["4 years"][1] == f"{100 * limits.lower[0, 0]:.1f} to {100 * limits.upper[0, 0]:.1f}"
    assert all(float(row[0]) + float(row[2]) == pytest.approx(100, abs=1e-9) for row in rows.values())
    assert rows["4 years"][0] in reader.box(ANSWER)
    assert reader.link["patient_shows"] == "table" and reader.link["patient_ranges"] == "1"


def test_three_states_add_up_in_every_view():
    reader = opened("mgus_competing", 20, target="event").choose("horizon_years", 20.0)
    drawn = marks(reader)
    counts = [drawn.count(f"bs-{key}") for key in ("event", "other", "free")]
    assert sum(counts) == 100 and counts[0] == headline(reader) and min(counts) > 0
    told = re.search(r"(\d+) would have death without progression first, and (\d+) be alive", reader.box(ANSWER))
    assert [int(n) for n in told.groups()] == counts[1:]
    assert bars(reader.choose("patient_shows", "bar"))["20 years"] == counts
    rows = cells(reader.choose("patient_shows", "table").choose("decimals", True))
    for row in rows.values():
        assert sum(map(float, row)) == pytest.approx(100, abs=1e-9)


def test_free_of_it_so_far_moves_every_part(cox):
    reader = opened("gbsg2_breast", 303).choose("patient_alive_years", 2.0)
    # As far ahead as before.
    assert "within 6 years of surgery" in reader.box(ANSWER) and "(the next 4 years)" in reader.box(ANSWER)
    reader.choose("horizon_years", 4.0)
    patient = bundled("gbsg2_breast").frame.iloc[[303]]
    at_two, at_four = cox.risk(patient, [2 * YEAR, 4 * YEAR])[0]
    later = (at_four - at_two) / (1 - at_two)
    assert headline(reader) == round(100 * later) != round(100 * at_four)
    assert (
        "within 4 years of surgery, having been alive and free of recurrence for 2 years (the next 2 years)."
        in reader.box(ANSWER)
    )
    assert marks(reader).count("bs-event") == round(100 * later)
    assert f"this patient {100 - round(100 * later)}%" in reader.alt("patient_curve")
    assert "of patients event-free at 2 years" in reader.alt("patient_curve")
    line = next(t for t in reader.figure("patient_curve")["data"] if t.get("name") == "this patient")
    assert reader.link["patient_alive_years"] == "2"
    assert line["mode"] == "lines"
    low, high = map(int, re.search(r"95% interval: (\d+) to (\d+) of 100", reader.box(ANSWER)).groups())
    assert low < round(100 * later) < high
    assert next(iter(bars(reader.choose("patient_shows", "bar")))) == "3 years"
    # The horizon stays the later one, whichever of the two is moved.
    reader.choose("patient_alive_years", 6.0)
    assert "within 7 years of surgery, having been alive and free of recurrence for 6 years" in reader.box(ANSWER)
    reader.choose("horizon_years", 3.0)
    assert "within 3 years of surgery, having been alive and free of recurrence for 2 years" in reader.box(ANSWER)
    # It is known of this patient, and of no other.
    kept = Reader(**reader.link).open("patient")
    assert "for 2 years (the next 1 year)." in kept.box(ANSWER)
    other = reader.patient(bundled("gbsg2_breast").identifiers[0])
    assert "having been" not in other.box(ANSWER) and "patient_alive_years" not in other.link


def test_the_same_horizon_in_months():
    reader = opened("gbsg2_breast", 303)
    risk = headline(reader)
    reader.choose("horizon_unit", "months")
    assert headline(reader) == risk
    assert "within 48 months of surgery" in reader.box(ANSWER)
    fresh = Reader(**reader.link | {"horizon_months": "30"}).open("patient")
    assert "within 30 months of surgery" in fresh.box(ANSWER)
    assert "At 30 months: this patient" in fresh.alt("patient_curve")


def test_beyond_follow_up_everything_is_grey_and_says_why():
    # The last patient here was followed for 7.3 years: the scale ends a step beyond the next whole one.
    reader = opened("gbsg2_breast", 303)
    assert reader.at.get_by_key("horizon_years").max == 9
    reader.choose("horizon_years", 8.0)
    assert "Not known Nothing can be said 8 years after surgery: nobody here was followed for so long." in reader.text
    assert "The longest follow-up behind this model is 7.3 years." in reader.text
    assert 'class="bs-icons"' not in reader.raw and "nan" not in reader.text.lower()
    assert reader.alt("patient_curve").startswith("Event-free share over years since surgery. It ends at 7.3 years")
    assert not [t for t in reader.figure("patient_curve")["data"] if t.get("mode") == "markers"]
    assert "patient_why" not in reader.figures
    assert reader.choose("patient_section", "values").table("All recorded values")
    for reading in ("analyst", "patient"):
        assert "of 100 patients" not in reader.choose("reading", reading).text
    # Where few remain the number stands, with its caution.
    thin = reader.choose("reading", "clinician").choose("horizon_years", 7.0)
    assert "after 6.7 years fewer than 10 patients were still under observation." in thin.text
    assert headline(thin) == marks(thin).count("bs-event")


@pytest.mark.parametrize(
    ("asked", "said"),
    [("0", "when nothing can have happened yet"), ("-3", "a time that is none"), ("soon", "a time that is none"),
     ("nan", "a time that is none"), ("1e9", "the scale ends at 9 years")],
)  # fmt: skip
def test_a_horizon_that_is_none_is_told_and_the_usual_one_shown(asked, said):
    reader = opened("gbsg2_breast", 303)
    fresh = Reader(**reader.link | {"horizon_years": asked}).open("patient")
    (stop,) = fresh.stops
    assert said in stop and stop.endswith("4 years is shown instead.")
    assert headline(fresh) == headline(reader)
    assert "horizon_years" not in fresh.run().link and fresh.stops == []


def test_each_reader_is_spoken_to_in_their_own_words(cox):
    reader = opened("gbsg2_breast", 303)
    risk = headline(reader)
    plain = reader.choose("reading", "patient")
    assert f"Of 100 people with the same values as you, {risk} have a recurrence or die within 4 years" in plain.text
    assert f"people like you {100 - risk} of 100" in plain.alt("patient_curve")
    said = plain.text + plain.alt("patient_curve") + str(plain.figure("patient_curve")["layout"].get("annotations"))
    shown = said.split("Patient 304")[1].split("Breast cancer, GBSG-2. Shown")[0]
    for word in ("%", "percent", "point", "hazard", "Shapley", "log", "Cox", "Kaplan"):
        assert word not in shown, word
    assert plain.figures == ["patient_curve"] and "patient_section" not in [w.key for w in plain.at.get("button_group")]
    analyst = reader.choose("reading", "analyst")
    assert re.search(rf"{risk - 1}\.\d|{risk}\.\d", analyst.box(ANSWER))
    table = analyst.unfold("patient_internals").table("Hazard ratios of these values")
    nodes = next(row for row in table if row[0] == "9 positive nodes")
    # Against the median of 3 nodes, from the coefficients and their variance.
    column = [term.column for term in cox.terms if term.variable == "nodes"]
    away = (cox.contrast("nodes", [9]) - cox.contrast("nodes", [3]))[0]
    log, se = float(away @ cox.coef), math.sqrt(float(away @ cox.variance @ away))
    assert column and nodes[1:] == [
        "3", f"{math.exp(log):.2f}", f"{math.exp(log - 1.96 * se):.2f} to {math.exp(log + 1.96 * se):.2f}"
    ]  # fmt: skip
    assert cox.fingerprint[:16] in analyst.text
    assert Reader(**analyst.link).open("patient").link["reading"] == "analyst"


def test_hazard_ratios_of_a_patient_multiply_to_the_linear_predictor(cox):
    cohort = bundled("gbsg2_breast")
    found = internals(cox, cohort.frame.iloc[[303]], cohort.frame, [4 * YEAR])
    typical = pd.DataFrame({r.variable.name: [r.fill] for r in cox.design.readings})
    away = cox.linear_predictor(cohort.frame.iloc[[303]])[0] - cox.linear_predictor(typical)[0]
    assert sum(math.log(each.ratio) for each in found.ratios) == pytest.approx(away, abs=1e-12)
    scores = cox.score(cohort.frame)
    assert found.percentile == pytest.approx(np.mean(scores < found.score) + np.mean(scores == found.score) / 2)
    assert found.typical[0] == pytest.approx(1 - cox.risk(typical, [4 * YEAR])[0, 0], abs=1e-15)


# ------------------------------------------------------------------ odd patients


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of 90 patients the first has no value, the second values far outside, the third a level of her own."""
    root = tmp_path_factory.mktemp("odd")
    data = made.patients()
    data["age"] = ["", 100_000, *data["age"][2:]]
    data["marker"] = ["", -1e6, *data["marker"][2:]]
    data["arm"] = ["", "a", "only one", *data["arm"][3:]]
    told = made.dictionary("Odd patients", outcomes=[made.outcome(censored=["0"], event=["1"])])
    made.write(root, "odd", data, told)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BEDSIDE_COHORTS", os.pathsep.join(["", str(root)]))
        yield "odd"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (0, "Nothing is known: the risk of a typical patient"),
        (1, "An unusual patient: no patient here is further from the typical one."),
        (2, "Too few patients here have arm “only one” to judge: it was read like “a”."),
    ],
)
def test_odd_patients_have_a_risk_with_its_warnings(odd, row, said):
    reader = Reader(cohort=odd).patient(f"P{row:04d}")
    assert re.search(r"\d+ of 100 patients", reader.box(ANSWER))
    assert len(marks(reader)) == 100
    assert {"patient_curve", "patient_why"} <= set(reader.figures)
    reader.unfold("patient_trust_more")
    assert said in reader.text
    for section in ("what_if", "others", "values"):
        reader.choose("patient_section", section)
    for reading in ("patient", "analyst"):
        reader.choose("reading", reading)
    assert "nan" not in re.findall(r"[a-z]+", reader.text.lower())
