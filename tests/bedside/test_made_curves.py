"""The scripts that a figure gives away come to the figure's own numbers, in an interpreter of their own."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from bedside import competing, survival
from bedside.cohort import Cohort, Outcome
from bedside.cohort.groups import Grouping, group_by
from bedside.cohort.units import convert
from bedside.intake import read_cohort
from bedside.report.csv import csv_bytes
from bedside.report.made import Made
from bedside.report.made_curves import Recipe, differences_made, incidence_made, survival_made
from tests.bedside.scripts import printed
from tests.pages import made as made_up

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "sample_data"

OURS = 1e-8
"""The script does what the page does; only the way into another unit may round otherwise."""

THEIRS = 1e-8
"""lifelines multiplies and adds in another order, and no more: its estimates of the same rows are the same numbers."""

HOSTILE = (
    '"""\nimport os\nraise SystemExit(9)\n"""', "=1+1", "'); raise SystemExit(8) #", "{group}", "a\\nb\U0001f600",
    "عُمر", "-2",
)  # fmt: skip


# Runs every script it is given as a program of its own, and prints what each of them printed.
class Case(NamedTuple):
    cohort: Cohort
    outcome: Outcome
    grouping: Grouping | None
    recipe: Recipe
    made: Made

    @property
    def curves(self) -> list[survival.Curve]:
        """As the survival page shows them."""
        r = self.recipe
        found = survival.curves_by(
            self.cohort, self.outcome, self.grouping, level=r.level, interval=r.interval, estimator=r.estimator,
            entry=r.entry, weights=r.weights, alive_at=r.alive_at,
        )  # fmt: skip
        found = [curve.convert(r.unit) for curve in found]
        return [curve.restart() for curve in found] if r.restart else found

    @property
    def test(self) -> survival.GroupTest:
        """As the survival page shows it."""
        r = self.recipe
        return survival.compare_by(
            self.cohort, self.outcome, self.grouping, test=r.test, p=r.p, q=r.q, strata=r.strata, entry=r.entry,
            alive_at=r.alive_at,
        ).test  # fmt: skip

    @property
    def incidence(self) -> tuple[competing.Incidence, ...]:
        """As the survival page counts it, in the outcome's unit."""
        r = self.recipe
        return competing.incidence_by(
            self.cohort, self.outcome, self.grouping, level=r.level, interval=r.interval, entry=r.entry,
            weights=r.weights, alive_at=r.alive_at,
        )  # fmt: skip


def cohort_of(root: Path, name: str, **more: Any) -> Cohort:
    """Invented patients with hostile groups, whole and broken weights, late entries and two types of event."""
    columns = made_up.patients(240)
    rng = np.random.default_rng(3)
    days = np.asarray(columns["days"]) // 30 + 1
    columns |= {
        "days": days.tolist(),
        "group": [HOSTILE[k] for k in rng.integers(0, len(HOSTILE), 240)],
        "site": rng.choice(["north", "south"], 240).tolist(),
        "count": rng.integers(1, 4, 240).tolist(),
        "weight": [None if k < 5 else round(float(w), 2) for k, w in enumerate(rng.uniform(0.3, 3, 240))],
        "since": np.minimum(rng.integers(-2, 15, 240), days - 1).tolist(),
        "status": np.where(rng.random(240) < 0.3, 2, columns["status"]).tolist(),
    }
    kinds = [{"name": each, "kind": "continuous", "label": each} for each in ("age", "count", "weight")]
    kinds += [] if "entry" in more else [{"name": "since", "kind": "continuous", "label": "since"}]
    both = {"label": "Any event", "event_phrase": "have any event", "free_phrase": "alive"}
    end = made_up.outcome(
        composite=both, event=["1"], censored=["0"], competing={"=cmd|' /C calc'!A0": ["2"]}, unit="months", **more
    )
    told = made_up.dictionary('Made """ up', variables=kinds, outcomes=[end])
    made_up.write(root, name, columns, told)
    return read_cohort(root / name)


def case(cohort: Cohort, key: str | None, by: str | None, kind: str = "survival", **asked: Any) -> Case:
    outcome = cohort.outcomes[0] if key is None else cohort.outcome(key)
    grouping = None if by is None else group_by(cohort, by)
    more = {name: asked.pop(name) for name in ("tau", "reference") if name in asked}
    recipe = Recipe(**asked)
    build = {"survival": survival_made, "differences": differences_made, "incidence": incidence_made}[kind]
    return Case(cohort, outcome, grouping, recipe, build(cohort, outcome, grouping, recipe, **more))


def cases(root: Path) -> dict[str, Case]:
    """Every kind of figure, on cohorts that differ in what can go wrong."""
    gbsg2, mgus, colon = (read_cohort(SAMPLES / name) for name in ("gbsg2_breast", "mgus_competing", "colon_trial"))
    wild, late = cohort_of(root, "wild"), cohort_of(root, "late", entry="since")
    weeks = {"alive_at": 12.0, "restart": True, "unit": "years"}
    return {
        "grade": case(gbsg2, None, "grade", unit="years", test="log-rank"),
        "one": case(gbsg2, None, None, unit="months", level=0.9, interval="log"),
        "aalen": case(gbsg2, None, "grade", estimator="nelson-aalen", test="peto-peto", interval="plain"),
        "harrington": case(colon, "death", "arm", estimator="fleming-harrington", test="fleming-harrington", q=1.0),
        "stratified": case(colon, "death", "arm", test="gehan-breslow", strata=("sex", "differentiation")),
        "nodes": case(colon, "death", "arm", weights="age", test="modified-peto-peto"),
        "wild": case(wild, None, "group", weights="weight", test="tarone-ware"),
        "counts": case(wild, None, "group", weights="count", level=0.99),
        "landmark": case(wild, None, "site", test="log-rank", **weeks),
        "late": case(late, None, "site", test="log-rank", unit="years"),
        "late landmark": case(late, None, "site", test="log-rank", **weeks),
        "lived": case(gbsg2, None, "grade", "differences", unit="years", tau=5.0, reference="Grade 2"),
        "lived late": case(late, None, "site", "differences", tau=1.5, reference="South", **weeks),
        "lived weighted": case(wild, None, "group", "differences", weights="weight", tau=20.0, reference="=1+1"),
        "mgus": case(mgus, "progression", "sex", "incidence", unit="years"),
        "colon": case(colon, "recurrence", None, "incidence", level=0.9, interval="plain"),
        "wild types": case(wild, None, "group", "incidence", weights="count"),
        "late types": case(late, None, "site", "incidence", interval="log"),
        "later types": case(wild, None, "site", "incidence", weights="weight", alive_at=6.0),
    }  # fmt: skip


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Case], dict[str, dict[str, Any]]]:
    """Every case, and what each of its scripts printed."""
    root = tmp_path_factory.mktemp("cohorts")
    folder = tmp_path_factory.mktemp("scripts")
    found = cases(root)
    told: dict[str, dict[str, Any]] = {name: {} for name in found}
    for kind in ("bedside", "lifelines"):
        paths = {}
        for name, each in found.items():
            (folder / each.made.data_name).write_bytes(csv_bytes(*each.made.data))
            if kind in dict(each.made.scripts):
                paths[name] = folder / f"{name}-{kind}.py"
                paths[name].write_text(dict(each.made.scripts)[kind], encoding="ascii")
        for name, path in paths.items():
            told[name][kind] = json.loads(printed(path, knows_bedside=kind == "bedside", strict=False))
    return found, told


def start(kind: str, *arguments: str, folder: Path) -> str:
    """What a program prints that knows Bedside, or lifelines alone."""
    known = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    env = known | ({"PYTHONPATH": str(ROOT)} if kind == "bedside" else {}) | {"PYTHONWARNINGS": "ignore"}
    ended = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=env, text=True, capture_output=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


def close(found: Any, expected: Any, tolerance: float) -> None:
    held = np.array([np.nan if v is None else v for v in np.ravel(np.asarray(found, dtype=object))], dtype=float)
    np.testing.assert_allclose(held, np.ravel(np.asarray(expected, dtype=float)), rtol=tolerance, atol=1e-12)


CURVES = ("grade", "one", "aalen", "harrington", "stratified", "nodes", "wild", "counts", "landmark", "late",
          "late landmark")  # fmt: skip
DIFFERENCES = ("lived", "lived late", "lived weighted")
TYPES = ("mgus", "colon", "wild types", "late types", "later types")


@pytest.mark.parametrize("name", CURVES)
def test_bedside_alone_comes_to_the_curves_and_the_test(ran, name):
    each, told = ran[0][name], ran[1][name]["bedside"]
    assert [g["group"] for g in told["groups"]] == [c.group for c in each.curves]
    for group, curve in zip(told["groups"], each.curves, strict=True):
        assert (group["n"], group["events"]) == (curve.n, curve.n_events)
        for part in ("time", "survival", "lower", "upper", "at_risk", "median"):
            close(group[part], getattr(curve, part), OURS)
    if each.recipe.test is None:
        assert "test" not in told
        return
    test = each.test
    assert (told["test"]["name"], told["test"]["df"]) == (test.name, test.df)
    close((told["test"]["statistic"], told["test"]["p"]), (test.statistic, test.p), OURS)


def test_an_undrawn_patient_is_in_the_test_and_in_no_curve(ran):
    each, told = ran[0]["wild"], ran[1]["wild"]["bedside"]
    assert sum(group["n"] for group in told["groups"]) == 235
    assert each.test.n.sum() == 240


@pytest.mark.parametrize("name", CURVES)
def test_lifelines_alone_comes_to_the_same_estimates(ran, name):
    each, told = ran[0][name], ran[1][name]["lifelines"]
    for group, curve in zip(told["groups"], each.curves, strict=True):
        assert group["group"] == curve.group
        # lifelines has more steps, where patients come under observation, and starts every curve at time zero.
        at = curve.time[1:]
        steps = np.asarray(group["time"])
        rows = np.searchsorted(steps, at * (1 + 1e-9) + 1e-12, side="right") - 1
        close(steps[rows], at, THEIRS)
        # Fractional weights that add up to those at risk but for rounding cost lifelines the step down to 0.
        kept = (curve.survival[1:] > 0) | (not curve.robust)
        close(np.asarray(group["survival"])[rows][kept], curve.survival[1:][kept], THEIRS)
        if "lower" in group:
            # Where a curve is still at 1 or has come to 0 there is no log(-log) interval; lifelines writes a point.
            inside = (curve.survival[1:] > 0) & (curve.survival[1:] < 1)
            close(np.asarray(group["lower"])[rows][inside], curve.lower[1:][inside], THEIRS)
            close(np.asarray(group["upper"])[rows][inside], curve.upper[1:][inside], THEIRS)
        if not np.isclose(curve.survival, 0.5, rtol=1e-9).any():
            close([group["median"]], [curve.median.estimate], THEIRS)
    limited = {"grade", "counts", "landmark", "late", "late landmark", "stratified", "nodes"}
    assert ("lower" in told["groups"][0]) is (name in limited)


def test_lifelines_has_the_family_without_strata_and_entries(ran):
    tested = {name for name in CURVES if "test" in ran[1][name]["lifelines"]}
    assert tested == {"grade", "aalen", "harrington", "wild", "landmark"}
    for name in tested:
        test, told = ran[0][name].test, ran[1][name]["lifelines"]["test"]
        close((told["statistic"], told["df"], told["p"]), (test.statistic, test.df, test.p), THEIRS)
    assert "lifelines does not have this test." in dict(ran[0]["nodes"].made.scripts)["lifelines"]
    assert "does not have a test within strata." in dict(ran[0]["stratified"].made.scripts)["lifelines"]


@pytest.mark.parametrize("name", DIFFERENCES)
def test_both_come_to_the_restricted_means_and_shares(ran, name):
    each, told = ran[0][name], ran[1][name]
    (tau, reference) = {"lived": (5.0, "Grade 2"), "lived late": (1.5, "South"), "lived weighted": (20.0, "=1+1")}[name]
    means = survival.restricted_means(each.curves, tau, reference=reference, level=each.recipe.level)
    shares = survival.milestones(each.curves, [tau], reference=reference)
    ours, theirs = told["bedside"], told["lifelines"]
    close(ours["mean"], [(g.mean, g.lower, g.upper) for g in means.groups], OURS)
    close(ours["share"], [(g.survival, g.lower, g.upper) for g in shares.points], OURS)
    effects = [c.difference for c in means.contrasts]
    close(ours["mean_difference"], [(e.estimate, e.lower, e.upper, e.p) for e in effects], OURS)
    close(ours["mean_ratio"], [(c.ratio.estimate, c.ratio.lower, c.ratio.upper, c.ratio.p) for c in means.contrasts],
          OURS)  # fmt: skip
    assert ours["others"] == theirs["others"] == [c.group for c in means.contrasts]
    assert ours["against"] == theirs["against"] == reference
    close(theirs["mean"], [g.mean for g in means.groups], THEIRS)
    close(theirs["mean_difference"], [e.estimate for e in effects], THEIRS)
    close(theirs["share"], [g.survival for g in shares.points], THEIRS)
    close(theirs["share_difference"], [c.difference.estimate for c in shares.contrasts], THEIRS)
    assert ("share_p" in theirs) is (name == "lived")
    if "share_p" in theirs:
        close(theirs["share_p"], [c.p for c in shares.contrasts], THEIRS)


@pytest.mark.parametrize("name", TYPES)
def test_both_come_to_the_cumulative_incidence(ran, name):
    each, told = ran[0][name], ran[1][name]
    unit = each.recipe.unit
    groups = zip(told["bedside"]["groups"], told["lifelines"]["groups"], each.incidence, strict=True)
    for ours, theirs, curve in groups:
        assert (ours["n"], tuple(ours["events"])) == (curve.n, curve.n_events)
        close(ours["time"], convert(curve.time, each.outcome.unit, unit), OURS)
        for part in ("incidence", "lower", "upper"):
            close(ours[part], getattr(curve, part).T, OURS)
        # Tied times are parted in order, not at random: the same numbers, whatever the seed.
        close(np.asarray(theirs["incidence"], dtype=float)[:, -len(curve.time) + 1 :], curve.incidence[1:].T, THEIRS)
        close(theirs["time"][-len(curve.time) + 1 :], convert(curve.time[1:], each.outcome.unit, unit), THEIRS)
    assert ("tests" in told["bedside"]) is (name in ("mgus", "wild types", "later types"))
    if "tests" not in told["bedside"]:
        return
    gray = competing.gray_by(each.cohort, each.outcome, each.grouping, alive_at=each.recipe.alive_at)
    close([t["statistic"] for t in told["bedside"]["tests"]], [t.statistic for t in gray], OURS)
    close([t["p"] for t in told["bedside"]["tests"]], [t.p for t in gray], OURS)


def test_names_from_data_are_never_code(ran):
    for each in ran[0].values():
        for _, text in each.made.scripts:
            assert text.isascii()
            tree = ast.parse(text)
            named = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
            labels = each.grouping.labels if each.grouping is not None else ("All patients",)
            assert set(labels) <= named
            compile(tree, "script", "exec")


def test_the_rows_hold_nothing_that_names_a_patient(ran):
    for each in ran[0].values():
        header, body = each.made.data
        allowed = {"time", "event", "cause", "group", "entry", "weight", "stratum", "group_name", "cause_name"}
        assert set(header) <= allowed
        if each.cohort.identifiers[0] == "P0000":
            assert not {str(cell) for row in body for cell in row} & set(each.cohort.identifiers)
    written = csv_bytes(*ran[0]["wild types"].made.data).decode("utf-8-sig")
    assert '"\'=1+1"' in written
    assert ',"=' not in written


def test_the_paragraph_says_what_was_done(ran):
    grade = ran[0]["grade"].made
    assert "Recurrence or death was analysed in 686 patients of" in grade.methods
    assert "299 had the event; 387 were censored. Time was counted in days since" in grade.methods
    assert "Grade 3 (161 patients, 79 events)" in grade.methods
    assert "the Kaplan-Meier method, with pointwise 95% confidence intervals on the log(−log) scale" in grade.methods
    assert (
        "compared by the log-rank test: chi-squared 21.09 on 2 degrees of freedom, two-sided p < 0.001" in grade.methods
    )
    assert f"Bedside 0.1.0 (numpy {np.__version__}, Python {sys.version.split()[0]})" in grade.methods
    assert ran[0]["grade"].cohort.fingerprint[:16] in grade.methods
    late = ran[0]["late landmark"].made.methods
    assert "Entry was delayed (left truncation)" in late
    assert "Only patients still under observation and alive after 12 months" in late
    wild = ran[0]["wild"].made.methods
    assert "robust" in wild and "which counts every patient once" in wild
    layers = ran[0]["stratified"].made.methods
    assert "Gehan-Breslow test within strata of sex and differentiation: chi-squared" in layers
    assert "First events: " in ran[0]["mgus"].made.methods and "Gray's test" in ran[0]["mgus"].made.methods


def test_a_filter_is_told_in_words_and_in_the_stamp():
    cohort = read_cohort(SAMPLES / "gbsg2_breast")
    end = cohort.outcomes[0]
    made = survival_made(cohort, end, None, Recipe(filters=("Age 50 to 65 years", "Grade 2 or 3")))
    assert "Patients were chosen by: Age 50 to 65 years; Grade 2 or 3." in made.methods
    assert "Patients: Age 50 to 65 years; Grade 2 or 3." in made.stamp[0]
    assert cohort.fingerprint[:12] in made.stamp[1]


def test_no_test_is_written_where_there_is_none(tmp_path):
    columns = made_up.patients(60) | {"status": [0] * 60}
    made_up.write(tmp_path, "calm", columns, made_up.dictionary("Calm"))
    calm = read_cohort(tmp_path / "calm")
    made = survival_made(calm, calm.outcomes[0], group_by(calm, "arm"), Recipe(test="log-rank"))
    assert "Nobody had the event; 60 were censored." in made.methods
    assert "compared by" not in made.methods
    assert all("test" not in text.split("def plain")[1] for _, text in made.scripts)


def test_a_script_runs_as_a_user_runs_it(ran, tmp_path):
    made = ran[0]["grade"].made
    (tmp_path / made.data_name).write_bytes(csv_bytes(*made.data))
    (tmp_path / "again.py").write_text(dict(made.scripts)["bedside"], encoding="utf-8")
    said = start("bedside", str(tmp_path / "again.py"), folder=tmp_path.parent)
    assert json.loads(said) == ran[1]["grade"]["bedside"]
