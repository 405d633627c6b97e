"""The survival page with bad input: an answer, or a stop that says what to do, and the rest of the page lives."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.pages import made
from tests.pages.reader import Reader, numbers, words

N = 80
WEIGHT = -931.17
"""A patient's value that no message, link or log may quote."""


def all_(value: object) -> made.Column:
    return lambda columns: [value] * len(columns["id"])


def where(name: str, change: Callable[[int, Any], Any]) -> made.Column:
    return lambda columns: [change(i, value) for i, value in enumerate(columns[name])]


def times(scale: Callable[[float], float]) -> dict[str, made.Column]:
    return {name: where(name, lambda _, t: scale(t)) for name in ("days", "worse_days")} | {"entry": all_(0)}


CASES: dict[str, dict[str, Any]] = {
    "quiet": {name: lambda c, n=name: [0 if a == "b" else s for a, s in zip(c["arm"], c[n], strict=True)]
              for name in ("status", "cause")},
    "of_one": {"arm": ["a"] * (N - 1) + ["b"]},
    "same_time": {"days": all_(100), "worse_days": all_(100), "entry": all_(10)},
    "ties": times(lambda t: 1 + t % 3),
    "zeros": times(lambda t: t * (t % 4 > 0)),
    "all_zero": times(lambda t: 0),
    "censored": {"status": all_(0), "cause": all_(0), "worse": all_(0)},
    "day_one": {"status": all_(1), "days": all_(1), "worse": all_(1), "worse_days": all_(1), "entry": all_(0)},
    "one_event": {name: where(name, lambda i, _: int(i == 5)) for name in ("status", "cause")},
    "one": {"n": 1},
    "two": {"n": 2, "arm": ["a", "b"], "status": [1, 1]},
    "one_level": {"arm": all_("only")},
    "constant": {"age": all_(50), "marker": all_(0)},
    "long": times(lambda t: t * 1e9),
    "endless": times(lambda t: t * 1e100),
    "short": times(lambda t: t * 1e-4),
    "brief": times(lambda t: t * 1e-12),
    "thirteen": {"n": 260, "arm": [f"g{i % 13:02d}" for i in range(260)]},
    "everyone_alone": {"arm": [f"g{i:02d}" for i in range(N)]},
    "labels": {"arm": [(*made.HOSTILE, "x" * 300, "-", "a&b<i>", "$\\frac{1}{2}$", "=1+1")[i % 10] for i in range(N)]},
}  # fmt: skip
OTHERS: dict[str, dict[str, Any]] = {
    "all_missing": {"arm": all_(""), "age": all_("")},
    "late_entry": {"entry": where("days", lambda i, t: t + 5 if i % 9 == 0 else 0)},
    "negative": {"weight": where("weight", lambda i, w: WEIGHT if i == 3 else w)},
    "weightless": {"weight": where("weight", lambda i, w: 0 if i < 2 else w)},
    "unweighed": {"weight": where("weight", lambda i, w: "" if i < 30 else w)},
    "no_second_type": {"cause": lambda c: list(c["status"])},
    "five_hundred": {"n": 1500, "arm": [f"g{min(i % 500, 490):03d}" for i in range(1500)]},
    "alike": {"arm": [("a", "b", "c")[i % 3] for i in range(N)]},
    **{unit: times(lambda t, f=f: t / f) for unit, f in (("days", 1), ("weeks", 7), ("years", 365.25))},
}


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """All of them in one folder, which an administrator has named."""
    root = tmp_path_factory.mktemp("survival")
    for name, changed in (CASES | OTHERS).items():
        unit = name if name in ("weeks", "years") else "days"
        arm = {
            "levels": [{"code": k, "label": text} for k, text in zip("abc", ("Same", "Same", " \u200b"), strict=True)]
        }
        made.write(
            root, name, made.workbench(**changed), made.workbench_told(name, unit, **(arm if name == "alike" else {}))
        )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BEDSIDE_COHORTS", os.pathsep.join(["", str(root)]))
        yield root


def opened(case: str, by: str = "arm", **link: str) -> Reader:
    return Reader(cohort=case).open("survival", survival_by=by, **link)


def unfolded(reader: Reader, *keys: str) -> Reader:
    for key in keys:
        reader.at.session_state[key] = True
    return reader.run()


def key_of(reader: Reader, start: str) -> str:
    """The whole key of a widget whose key goes on with the cohort's own numbers."""
    kinds = ("slider", "text_input", "selectbox", "number_input")
    (key,) = [each.key for kind in kinds for each in reader.at.get(kind) if each.key and each.key.startswith(start)]
    return key


def whole(stop: str) -> bool:
    """What happened, why, and what to do: three sentences."""
    return bool(re.fullmatch(r"\*\*[^*]+[.)]\*\* .+[.] .+[.]", stop, re.S))


# ------------------------------------------------------------------ everything is drawn

ALLOWED = ("**No comparison.**", "**No comparison in pairs.**", "**These two outcomes are not two steps.**")


@pytest.mark.parametrize("case", CASES)
def test_the_page_lives(case):
    """Every view, fold and drawer; only a test between groups that cannot be told apart may be declined."""
    reader = opened(case)
    drawers = ("save_survival_km", "how_survival_km", "save_survival_groups", "how_survival_differences")
    unfolded(reader, "survival_pairs", "survival_groups", "survival_states", *drawers)
    for view in ("hazard", "complementary-log-log"):
        reader.choose("survival_view", view)
        assert reader.figures[0] == "survival_km"
        assert reader.medians and reader.table("Shares at chosen times") and reader.table("Each group in numbers")
        assert "data and filter" in reader.text  # the page reaches its foot
        for stop in reader.stops:
            assert stop.startswith(ALLOWED) and whole(stop), stop
    reader.choose("outcome", "cause")
    unfolded(reader.choose("survival_view", "causes"), "save_survival_incidence", "how_survival_incidence")
    assert reader.figures[0] == "survival_incidence"
    assert reader.table("Incidence and 1 - Kaplan-Meier")
    reader.choose("survival_arrangement", "stacked")
    assert reader.figures[0] == "survival_incidence"


@pytest.mark.parametrize("case", ["quiet", "same_time", "ties", "two", "thirteen", "labels", "short"])
def test_the_latest_later_start_and_the_shortest_axis_have_an_answer(case):
    reader = opened(case)
    sliders = [each for each in reader.at.slider if each.key.startswith(("survival_alive", "survival_until"))]
    for each in sorted(sliders, key=lambda each: each.key):
        reader.choose(each.key, each.max if each.key.startswith("survival_alive") else each.min)
        assert reader.figures == ["survival_km"] and reader.medians
        assert all(stop.startswith(ALLOWED) for stop in reader.stops)
    assert reader.choose("outcome", "cause").choose("survival_view", "causes").figures == ["survival_incidence"]


@pytest.mark.parametrize("case", ["all_zero", "labels", "long"])
def test_a_report_of_it_leaves_as_pdf_and_html(case):
    reader = unfolded(opened(case), "save_survival_km", "survival_groups", "save_survival_groups")
    reader.click("report_survival_km").click("report_survival_groups").open("report")
    assert "2 cards" in reader.title
    unfolded(reader, "report_export")
    assert [b.label for b in reader.at.get("download_button")] == ["PDF", "HTML, one file"]
    assert reader.stops == []


# ------------------------------------------------------------------ and the answers are right


def test_one_time_for_all_is_one_table_of_two_by_two():
    """The log-rank test of one time is the hypergeometric one; S is the share without the event."""
    columns = made.workbench(**CASES["same_time"])
    arm, status = np.array(columns["arm"]) == "a", np.array(columns["status"])
    n, a, d = N, arm.sum(), status.sum()
    excess = status[arm].sum() - d * a / n
    chi = excess**2 / (a * (n - a) * d * (n - d) / (n**2 * (n - 1)))
    reader = opened("same_time")
    assert f"Chi-squared {chi:.2f} on 1 degree of freedom" in reader.text
    reader.choose("survival_unit_months", "days").choose("decimals", True)
    reader.choose(key_of(reader, "survival_times"), "100")
    shares = [row[0] for row in reader.table("Shares at chosen times")[2::2]]
    assert [s.split("%")[0] for s in shares] == [f"{100 * (1 - status[g].mean()):.1f}" for g in (arm, ~arm)]


def test_nobody_was_followed_at_all():
    columns = made.workbench(**CASES["all_zero"])
    status = np.array(columns["status"])
    reader = opened("all_zero", by=" all").choose("decimals", True)
    assert reader.stops == []
    cells = reader.table("Shares at chosen times")
    assert cells[0] == ["0 days"] and cells[2][0].startswith(f"{100 * (1 - status.mean()):.1f}%")


def test_ties_everywhere():
    columns = made.workbench(**CASES["ties"])
    days, status = np.array(columns["days"]), np.array(columns["status"])
    at_risk = [(days >= t).sum() for t in (1, 2, 3)]
    left = np.cumprod([1 - status[days == t].sum() / n for t, n in zip((1, 2, 3), at_risk, strict=True)])
    reader = opened("ties", by=" all").choose("decimals", True)
    reader.choose(key_of(reader, "survival_times"), "1; 2; 3")
    assert [c.split("%")[0] for c in reader.table("Shares at chosen times")[2]] == [f"{100 * s:.1f}" for s in left]


def test_a_time_is_the_same_in_any_unit():
    shares = set()
    for case in ("days", "weeks", "years"):
        reader = opened(case, by="site").choose("survival_unit_years", "years")
        reader.choose(key_of(reader, "survival_times"), "1; 2")
        shares.add(str(reader.table("Shares at chosen times")) + str(reader.medians))
    assert len(shares) == 1


def test_a_type_of_event_that_never_occurs_stays_at_nothing():
    """Then cumulative incidence is 1 - Kaplan-Meier, and Gray's test of that type has nothing to say."""
    reader = Reader(cohort="no_second_type", outcome="cause").open("survival", survival_by="arm")
    assert reader.figures == ["survival_incidence"] and reader.stops == []
    assert all(right.split(" ")[0] == wrong for _, right, wrong in reader.table("Incidence and 1 - Kaplan-Meier")[1:])
    assert re.search(r"p Relapse \d+\.\d\d 1 p .* Death without relapse no events$", reader.box("Type of event"))


@pytest.mark.parametrize("case", ["thirteen", "five_hundred"])
def test_many_groups_are_tested_and_the_largest_are_drawn(case):
    columns = made.workbench(**(CASES | OTHERS)[case])
    groups = len(set(columns["arm"]))
    reader = opened(case)
    assert reader.stops == []
    assert len(reader.medians) == 12
    assert f"Only the 12 largest of {groups} groups are drawn and listed" in reader.text
    assert f"on {groups - 1} degrees of freedom" in reader.text
    if case == "five_hundred":  # the last group holds thirty patients, all others three
        assert reader.medians[-1][0] == "G490"
    reader.choose("outcome", "cause").choose("survival_view", "causes")
    assert re.search(rf"Relapse \d+\.\d\d {groups - 1} ", reader.box("Type of event"))
    assert reader.stops == []
    (stop,) = unfolded(reader.choose("survival_view", "survival"), "survival_pairs").stops
    assert stop.startswith(f"**No comparison in pairs.** {groups} groups make") and whole(stop)


def test_levels_that_look_alike_are_told_apart():
    reader = unfolded(opened("alike"), "survival_groups")
    names = [name for name, _ in reader.medians]
    assert names == ["Same [a]", "Same [b]", "C"]
    columns = made.workbench(**OTHERS["alike"])
    seen = [sum(arm == code for arm in columns["arm"]) for code in "abc"]
    assert [row[:2] for row in reader.table("Each group in numbers")[1:]] == [
        [name, str(n)] for name, n in zip(names, seen, strict=True)
    ]
    assert len({row[4] for row in reader.table("Each group in numbers")[1:]}) == 3
    assert set(names) <= {text for text in words(reader.figure("survival_km"))}


# ------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(("case", "rows"), [("negative", "row 4"), ("weightless", "rows 1, 2")])
def test_weights_that_are_none_stop_the_curves_alone(case, rows, caplog, capfd):
    reader = unfolded(opened(case), "survival_states").choose("survival_state_first", "worse")
    assert reader.stops == []
    reader.choose("survival_weights", "weight")
    assert reader.stops == [
        f"**Weighted survival cannot be counted.** A weight must be above 0; it is not in {rows}. Correct the weights, "
        "or leave these rows out with a filter: a patient of weight 0 is not in the curve."
    ]
    assert reader.figures == ["survival_states_figure"]
    assert "Chi-squared" in reader.box("The test counts every patient once") or "Chi-squared" in reader.text
    output = capfd.readouterr()
    for text in (caplog.text, output.out, output.err, str(reader.link), reader.sent.decode("utf-8", "replace")):
        assert "931.17" not in text
    assert reader.choose("survival_weights", " none").figures[0] == "survival_km"
    assert reader.stops == []


def test_weights_that_are_missing_leave_patients_out_and_say_so():
    reader = opened("unweighed").choose("survival_weights", "weight")
    assert reader.stops == []
    assert (
        "50 patients, " in reader.title and "30 patients without a time of entry or a weight left out" in reader.title
    )


def test_entry_after_exit_stops_the_curves_alone():
    reader = unfolded(opened("late_entry"), "survival_states").choose("survival_state_first", "worse")
    reader.choose("survival_entry", "entry")
    (stop,) = reader.stops
    assert stop == (
        "**Delayed entry cannot be counted.** Observation must begin before it ends; it does not in rows 1, 10, 19, "
        "28, 37, 46, 55, 64, 73. Correct the time of entry or of follow-up in these rows, or leave them out with a "
        "filter."
    )
    assert reader.figures == ["survival_states_figure"]
    assert reader.choose("survival_entry", " none").figures[0] == "survival_km"


@pytest.mark.parametrize("by", ["arm", "age"])
def test_a_grouping_that_is_missing_for_all_shows_all_together(by):
    reader = opened("all_missing", by=by)
    (stop,) = reader.stops
    assert stop.startswith(f"**There are no groups to compare.** “{by}” is missing for all of these patients.")
    assert whole(stop)
    assert [name for name, _ in reader.medians] == ["All patients"]
    assert reader.figures == ["survival_km"]


@pytest.mark.parametrize("case", ["constant", "censored", "one"])
def test_a_sharpest_cut_that_is_none_leaves_the_usual_one(case):
    reader = opened(case, by="age").choose("survival_cuts_quantiles:2", "best")
    assert reader.stops[0].startswith("**No cut-point.**") and whole(reader.stops[0])
    assert reader.figures == ["survival_km"] and reader.medians


def test_a_model_of_each_step_says_which_level_has_no_ratio_and_lives_without_it():
    reader = unfolded(opened("of_one"), "survival_states").choose("survival_state_first", "worse")
    reader.choose("survival_state_model", True)
    (stop,) = reader.stops[-1:]
    assert "separation" in stop and "“arm: b against a" in stop and "leave the variable out" in stop
    assert reader.figures == ["survival_km", "survival_states_figure"]
    reader.choose("survival_state_terms_of_one", ["age", "marker"])
    assert [row[0] for row in reader.table("Hazard ratios of each step")[1:]] == ["age, per 20", "marker, per 2"]


# ------------------------------------------------------------------ links and endpoints

NONSENSE = ("", made.SCRIPT, "x" * 3000, "[" * 1900, "id", "\x00🩺")


@pytest.mark.parametrize(
    "key", ["survival_view", "survival_by", "survival_entry", "survival_weights", "outcome", "endpoint", "filter"]
)
def test_nonsense_in_a_link_is_said_and_taken_out(key):
    for text in NONSENSE:
        reader = Reader(cohort="ties", **{key: text})
        told_at_once = reader.stops
        reader.open("survival")
        assert reader.figures == ["survival_km"]
        assert told_at_once or reader.stops or not text, text
        assert reader.link.get(key) != text
        assert made.SCRIPT not in reader.raw


LATER = sum(t >= 7 * age for t, age in zip(made.workbench()["worse_days"], made.workbench()["age"], strict=True))
COLUMNS = {"time": "days", "status": "arm", "unit": "days", "event": ["a"]}


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        ({"first_of": ["worse"], "start": "age", "start_unit": "weeks"}, LATER),
        ({"first_of": ["worse"], "competing": ["cause"]}, N),
        ({"first_of": ["worse", "worse"], "start": "age"}, None),
        ({"columns": COLUMNS | {"time": "weight", "unit": "years"}}, N),
        ({"columns": COLUMNS, "start": "entry"}, N),
        ({"first_of": ["gone"]}, "**That outcome is not in this cohort.**"),
        ({"first_of": ["own"]}, "**That outcome is not in this cohort.**"),
        ({"first_of": ["death"], "competing": ["death"]}, "**The endpoint in this link could not be read.**"),
        ({"first_of": ["death"], "start": "id"}, "**This endpoint cannot be made here.**"),
        ({"columns": COLUMNS | {"status": "id", "event": ["P0001"]}}, "**This endpoint cannot be made here.**"),
        ({"columns": COLUMNS | {"event": ["z"]}}, "**This endpoint has no event here.**"),
        ({"columns": COLUMNS | {"event": []}}, "**The endpoint in this link could not be read.**"),
    ],
)
def test_an_odd_endpoint_works_or_is_taken_away(endpoint, said):
    reader = Reader(cohort="days", endpoint=json.dumps({"label": made.SCRIPT, **endpoint}))
    if isinstance(said, str):
        (stop,) = reader.stops
        assert stop.startswith(said) and whole(stop)
        assert "endpoint" not in reader.link and reader.open("survival").figures == ["survival_km"]
        return
    reader.open("survival", survival_by="site").choose("outcome", "own")
    assert reader.figures in (["survival_km"], ["survival_incidence"]) and reader.stops == []
    assert "<script" not in reader.raw
    if said is not None:
        assert f" {said} patients, " in f" {reader.title}"


def test_times_beyond_reason_have_an_axis_that_can_be_read():
    for case in ("short", "brief", "long", "endless"):
        axis = opened(case, by=" all").figure("survival_km")["layout"]["xaxis"]
        assert len(set(axis["ticktext"])) == len(axis["ticktext"]) >= 2, case
        assert all(len(text) <= 14 for text in axis["ticktext"]), case
        assert all(math.isfinite(v) for v in numbers(axis["tickvals"])), case
