"""The scripts behind a regression compute the same numbers again, with bedside and with lifelines alone."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bedside.cohort import Cohort
from bedside.competing import fine_gray
from bedside.intake import read_cohort
from bedside.regression import CoxData, Log, Ridge, Spline, cox_data, design, fit_cox, spec_of
from bedside.regression.diagnose import spline_curve
from bedside.regression.forest import rows_of, term_tests
from bedside.regression.forest_curve import curves_as_quartiles, quartile_contrasts
from bedside.regression.imputation import impute, pool_cox
from bedside.regression.influence import influence
from bedside.regression.parametric_compare import compare_parametric
from bedside.regression.zph import check_proportional
from bedside.report import made_regression
from bedside.report.csv import csv_bytes
from bedside.report.made import Made
from tests.bedside.scripts import printed

ROOT = Path(__file__).resolve().parents[2]
EXACT = 1e-9
CLOSE, ROBUST = 2e-4, 2e-3
"""lifelines stops a little before the exact maximum; its robust variance counts tied events in a way of its own."""

HOSTILE = ('"""\nimport os; os.abort()\n"""', "{x}\\", "é\u2028'")


def about(data: Sequence[Any], **more: Any) -> made_regression.About:
    plain = {
        "event": "Recurrence or death", "level": 0.95, "ties": "efron", "robust": None, "ridge": 0.0,
        "at_visits": False, "patients": len(data), "dropped": (), "n_dropped": 0, "products": (), "fingerprint": "abc",
    }  # fmt: skip
    return made_regression.About(**(plain | more))


def mixed() -> CoxData:
    """Entries, weights, and columns of very different size."""
    rng = np.random.default_rng(5)
    time = np.round(rng.exponential(10, 200), 1) + 1.5
    x = rng.normal(size=(200, 2)) * (1, 10)
    entry, weights = np.round(rng.random(200), 1), rng.integers(1, 4, 200)
    return cox_data(x, time, rng.random(200) < 0.7, entry=entry, weights=weights)


class Everything:
    """What the scripts are asked to compute, computed here."""

    def __init__(self, gbsg2: Cohort, pbc: Cohort) -> None:
        outcome = gbsg2.outcomes[0]

        def data(names: list[object], **more: object) -> CoxData:
            return design(gbsg2, outcome, spec_of(gbsg2, names, **more)).data  # type: ignore[arg-type]

        self.strata = data(["age", "hormone_therapy", "nodes"], strata=("grade",))
        self.cluster = data(["age", "nodes"], cluster="menopausal_status")
        self.plain = data(["age", "grade"])
        self.mixed = mixed()
        rng = np.random.default_rng(1)
        self.hostile = cox_data(rng.normal(size=(60, 3)), rng.exponential(1, 60), np.ones(60), names=HOSTILE)
        self.competing = design(pbc, "death", spec_of(pbc, ["age", "bilirubin_mg_dl"])).data
        self.causes = pbc.cause("death")[self.competing.rows]
        spec = spec_of(pbc, ["age", "platelets_1e9_l"])
        copies = impute(pbc, "death", ["age", "platelets_1e9_l"], m=3).cohorts
        self.copies = [design(copy, "death", spec).data for copy in copies]
        curved = design(gbsg2, outcome, spec_of(gbsg2, [Spline("age", 4), "nodes"]))
        self.curve = spline_curve(curved, fit_cox(curved.data), "age", reference=50.0)
        self.models = compare_parametric(gbsg2, outcome)
        self.quarters = design(
            gbsg2, outcome, spec_of(gbsg2, [Spline("age", 4), "grade", Log("tumour_size_mm", base=8.0)])
        )
        self.contrasts = quartile_contrasts(gbsg2, self.quarters)
        fit = fit_cox(self.quarters.data)
        rows = rows_of(gbsg2, self.quarters, fit, term_tests(fit))
        self.drawn = curves_as_quartiles(gbsg2, self.quarters, fit, rows)
        m = made_regression
        self.made: dict[str, Made] = {
            "strata": m.made_cox(self.strata, about(self.strata)),
            "cluster": m.made_cox(self.cluster, about(self.cluster)),
            "mixed": m.made_cox(self.mixed, about(self.mixed, ridge=3.0)),
            "hostile": m.made_cox(self.hostile, about(self.hostile)),
            "breslow": m.made_cox(self.plain, about(self.plain, ties="breslow")),
            "fine-gray": m.made_fine_gray(self.competing, self.causes, 1, about(self.competing)),
            "pooled": m.made_pooled(self.copies, about(self.copies[0])),
            "quarters": m.made_cox(self.quarters.data, about(self.quarters.data, contrasts=self.contrasts)),
            "zph": m.made_proportional(self.plain, about(self.plain), scale="rank"),
            "influence": m.made_influence(self.plain, about(self.plain)),
            "curve": m.made_curve(curved.data, about(curved.data), self.curve),
            "parametric": m.made_parametric(
                gbsg2.time(outcome), gbsg2.event(outcome), None, None, self.models, event_name=outcome.label,
                fingerprint="abc",
            ),
        }  # fmt: skip


@pytest.fixture(scope="module")
def all_of(gbsg2) -> Everything:
    return Everything(gbsg2, read_cohort(ROOT / "sample_data" / "pbc_liver"))


@pytest.fixture(scope="module")
def ran(all_of, tmp_path_factory):
    """What the scripts print, each beside its data: some know bedside, some are not told where it is."""
    root = tmp_path_factory.mktemp("scripts")
    said: dict[tuple[str, str], str] = {}
    for case, made in all_of.made.items():
        (root / case).mkdir()
        (root / case / made.data_name).write_bytes(csv_bytes(*made.data))
        for name, text in made.scripts:
            script = root / case / f"regression-{name}.py"
            script.write_text(text, encoding="utf-8")
            said[case, name] = printed(script, knows_bedside=name == "bedside", strict=False)

    def lines(case: str, name: str) -> list[list[str]]:
        return [line.split("\t") for line in said[case, name].splitlines()]

    return lines


def table_of(lines: Sequence[Sequence[str]]) -> dict[tuple[str, str], list[float]]:
    """Ratio, limits and p of each column, alone and together."""
    return {(line[0], ast.literal_eval(line[1])): [float(v) for v in line[2:]] for line in lines}


def expected(fit: Any, where: str = "together") -> dict[tuple[str, str], list[float]]:
    low, high = fit.interval(0.95)
    values = zip(np.exp(fit.coef), low, high, fit.p, strict=True)
    return {(where, name): [float(v) for v in each] for name, each in zip(fit.data.names, values, strict=True)}


def same(found: dict, wanted: dict, tolerance: float) -> None:
    for key, values in wanted.items():
        np.testing.assert_allclose(found[key], values, rtol=tolerance, atol=tolerance * 1e-2, err_msg=str(key))


@pytest.mark.parametrize(("name", "tolerance"), [("bedside", EXACT), ("lifelines", CLOSE)])
@pytest.mark.parametrize("case", ["strata", "cluster"])
def test_a_cox_model(all_of, ran, case, name, tolerance):
    data = getattr(all_of, case)
    found = table_of(ran(case, name))
    if (case, name) == ("cluster", "lifelines"):
        tolerance = ROBUST
    same(found, expected(fit_cox(data)), tolerance)
    same(found, expected(fit_cox(data.with_columns([0])), "alone"), tolerance)
    assert len(found) == 2 * len(data.names)


@pytest.mark.parametrize(("name", "tolerance"), [("bedside", EXACT), ("lifelines", CLOSE)])
def test_what_the_figure_shows_as_quartiles_the_script_prints_as_quartiles(all_of, ran, name, tolerance):
    lines = ran("quarters", name)
    found, drawn = table_of(lines), [row for row in all_of.drawn if not row.is_reference]
    assert [ast.literal_eval(line[1]) for line in lines if line[0] == "together"] == [row.label for row in drawn]
    assert [row.label for row in drawn if row.level is None] == [
        "Age, 61 years against 46 years", "Tumour size, 35 mm against 20 mm",
    ]  # fmt: skip
    same(found, {("together", r.label): [r.hr, r.lower, r.upper, r.p] for r in drawn}, tolerance)
    # 35 mm is 1.75 times 20 mm: the ratio is the one for each natural logarithm to the power of log(1.75).
    data = all_of.quarters.data
    own = data.columns_of(2)
    by_log = fit_cox(data.with_columns(own)).coef[0] / np.log(8)
    alone = found[("alone", "Tumour size, 35 mm against 20 mm")]
    np.testing.assert_allclose(alone[0], np.exp(by_log * np.log(35 / 20)), rtol=tolerance)


def test_a_ridge_weights_and_entries(all_of, ran):
    data, fit = all_of.mixed, fit_cox(all_of.mixed, ridge=Ridge(3.0))
    same(table_of(ran("mixed", "bedside")), expected(fit), EXACT)
    # lifelines scales columns by the weighted standard deviation and has another variance under a penalty.
    found = table_of(ran("mixed", "lifelines"))
    np.testing.assert_allclose([found[("together", n)][0] for n in data.names], np.exp(fit.coef), rtol=0.02)
    same(found, expected(fit_cox(data.with_columns([1])), "alone"), CLOSE)


def test_breslow_has_no_script_for_lifelines(all_of, ran):
    made = all_of.made["breslow"]
    assert [name for name, _ in made.scripts] == ["bedside"]
    assert "lifelines has no Breslow's form" in made.methods
    same(table_of(ran("breslow", "bedside")), expected(fit_cox(all_of.plain, ties="breslow")), EXACT)


def test_a_fine_gray_model(all_of, ran):
    data = all_of.competing
    fit = fine_gray(data.x, data.time, all_of.causes, of=1, names=data.names)
    same(table_of(ran("fine-gray", "bedside")), expected(fit), EXACT)
    assert "25 with another type of event" in all_of.made["fine-gray"].methods  # the transplants


@pytest.mark.parametrize(("name", "tolerance"), [("bedside", EXACT), ("lifelines", CLOSE)])
def test_imputed_copies(all_of, ran, name, tolerance):
    same(table_of(ran("pooled", name)), expected(pool_cox(all_of.copies)), tolerance)


def test_proportional_hazards(all_of, ran):
    tests = check_proportional(fit_cox(all_of.plain), "rank")
    told = {ast.literal_eval(name): [float(v) for v in values] for name, *values in ran("zph", "bedside")}
    for term, test in zip((*tests.terms, "All together"), (*tests.tests, tests.overall), strict=True):
        np.testing.assert_allclose(told[term], [test.statistic, test.df, test.p], rtol=EXACT)


def test_the_influential(all_of, ran):
    first, line = influence(fit_cox(all_of.plain)).patients[0], ran("influence", "bedside")[0]
    assert int(line[0]) == first.rows[0] + 1
    assert ast.literal_eval(line[1]) == first.column
    wanted = [first.hazard_ratio, first.without, first.dfbetas, first.displacement]
    np.testing.assert_allclose([float(v) for v in line[2:]], wanted, rtol=EXACT)


@pytest.mark.parametrize(("name", "tolerance"), [("bedside", EXACT), ("lifelines", 1e-3)])
def test_a_curve(all_of, ran, name, tolerance):
    curve, lines = all_of.curve.curve, ran("curve", name)
    for value, *three in ([float(v) for v in line] for line in lines):
        at = int(np.argmin(np.abs(curve.value - value)))
        np.testing.assert_allclose(
            three, [a[at] for a in (curve.hazard_ratio, curve.lower, curve.upper)], rtol=tolerance
        )
    assert len(lines) == 9


@pytest.mark.parametrize(("name", "tolerance"), [("bedside", EXACT), ("lifelines", 1e-6)])
def test_parametric_models(all_of, ran, name, tolerance):
    told = {key: float(value) for key, value in ran("parametric", name)}
    wanted = {m.key: m.aic for m in all_of.models.models}
    assert set(told) == (set(wanted) if name == "bedside" else {"exponential", "weibull", "lognormal", "loglogistic"})
    for key, value in told.items():
        assert value == pytest.approx(wanted[key], rel=tolerance)


@pytest.mark.parametrize("name", ["bedside", "lifelines"])
def test_names_from_data_cannot_leave_their_strings(ran, name):
    assert {key for _, key in table_of(ran("hostile", name))} == set(HOSTILE)


def test_the_paragraph_says_what_was_done(all_of):
    data = all_of.strata
    said = made_regression.made_cox(data, about(data, dropped=(("Age", 3),), n_dropped=3, robust=True)).methods
    assert said.startswith(
        "Hazard ratios of recurrence or death were estimated with Cox regression (686 patients, 299 events; ties after "
        "Efron), of each variable alone and of all together, with 95% Wald intervals. The baseline hazard was left to "
        "differ between 3 strata. Standard errors were robust."
    )
    assert "Complete cases: 3 left out for missing values (Age 3" in said
    assert "data and filter abc" in said
