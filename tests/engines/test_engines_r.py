"""What databases count leads to R's numbers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
import pandas as pd
import psycopg
import pytest

from bedside.cohort import Between, Level, OneOf, Outcome, Selection, Variable
from bedside.engine import Engine, event_tables, groups_of
from bedside.engine.duck import open_file
from bedside.engine.postgres import open_postgres
from tests.conftest import REFERENCE
from tests.engines.conftest import fill

FILES = {name: REFERENCE / "inputs" / f"{name}.csv" for name in ("lung", "lung_weights", "mgus2_cr", "channing")}


@pytest.fixture(scope="module", params=["duckdb", "postgres"])
def held(request: pytest.FixtureRequest, server: str) -> Iterator[dict[str, Engine]]:
    """The files that R was given, in DuckDB or in PostgreSQL."""
    with ExitStack() as stack:
        if request.param == "postgres":
            with psycopg.connect(server) as connection:
                for name, path in FILES.items():
                    fill(connection, name, pd.read_csv(path, dtype=str), {})
            yield {name: stack.enter_context(open_postgres(server, name)) for name in FILES}
        else:
            yield {name: stack.enter_context(open_file(path)) for name, path in FILES.items()}


def outcome(time: str, status: str, event: tuple[str, ...] = ("1",), **told: object) -> Outcome:
    return Outcome(key="o", label="O", time=time, unit="days", status=status, censored=("0",), event=event, **told)


def levels(name: str, *codes: str) -> Variable:
    return Variable(name=name, kind="categorical", levels=tuple(Level(code=c, label=c) for c in codes))


def number(name: str) -> Variable:
    return Variable(name=name, kind="continuous")


LUNG = Selection(((Between("age", 50, 70), Between("meal.cal", 1, 0, missing=True)), (OneOf("ph.ecog", ("0", "1")),)))
MGUS = Selection(((Between("hgb"),), (OneOf("sex", ("F",)), Between("age", None, 69.9))))
CASES = {
    "lung_filtered_by_age": ("lung", outcome("time", "status"), number("age"), (55.0, 65.0), LUNG, {}),
    "lung_weighted_by_sex": (
        "lung_weights", outcome("time", "status"), levels("sex", "1", "2"), None,
        Selection(((Between("age", 45, 75),),)), {"weights": "w"},
    ),
    "mgus_any_event_by_hgb": ("mgus2_cr", outcome("etime", "ev", ("1", "2")), number("hgb"), (12.0, 14.0), MGUS, {}),
}  # fmt: skip


@pytest.mark.parametrize("block", CASES)
def test_filtered_curves_equal_r(r, same, held, block):
    """survfit and survdiff of the rows that the filter keeps; the calls stand in 19_engines.R."""
    name, waited_for, variable, cuts, selection, told = CASES[block]
    theirs = r("19_engines")[block]
    groups = groups_of(held[name], variable, cuts=cuts)
    tables = event_tables(held[name], waited_for, groups, selection=selection, **told)
    assert_curves(same, tables.curves(), theirs)
    if "chisq" in theirs:
        test = tables.log_rank()
        same(test.statistic, theirs["chisq"])
        same(test.observed, theirs["observed"])
        same(test.expected, theirs["expected"])


def test_delayed_entry_equals_r(r, same, held):
    """survfit(Surv(ageentry, age, death) ~ gender); two residents left at the age at which they came."""
    inside = Selection(((Between("age", 800, None),), (Between("time", 1, None),)))
    groups = groups_of(held["channing"], levels("gender", "1", "2"))
    told = outcome("age", "death", entry="ageentry")
    tables = event_tables(held["channing"], told, groups, selection=inside)
    theirs = r("19_engines")["channing_entry_by_gender"]
    assert_curves(same, tables.curves(), theirs)


def test_kinds_of_event_equal_r(r, held):
    """table(etime[ev == 1]) and table(etime[ev == 2])."""
    theirs = r("19_engines")["mgus_kinds"]
    told = outcome("etime", "ev", competing={"Death": ("2",)})
    (group,) = event_tables(held["mgus2_cr"], told, selection=MGUS).groups
    np.testing.assert_array_equal(group.table.time, theirs["time"])
    np.testing.assert_array_equal(group.causes, np.column_stack((theirs["kind_1"], theirs["kind_2"])))


def assert_curves(same, curves, theirs) -> None:
    sizes = list(theirs["strata_sizes"].values())
    for name, of in {
        "time": "time", "n_risk": "at_risk", "n_event": "events", "n_censor": "censored", "surv": "survival",
        "lower": "lower", "upper": "upper",
    }.items():  # fmt: skip
        for curve, part in zip(
            curves, np.split(np.array(theirs[name], dtype=object), np.cumsum(sizes)[:-1]), strict=True
        ):
            same(getattr(curve, of)[1:], list(part))
    assert [curve.n for curve in curves] == theirs["n"]
