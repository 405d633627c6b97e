"""Table 1 by group, weighted comparisons, standardised survival and subgroups.

``table_one_by``: groups compared variable by variable.
  group          column whose levels are the groups
  numeric        columns of numbers: missing, mean, sd, median, q1, q3, tests and standardised difference
  binary         columns with two levels: count1 (patients at the second level), tests, difference
  categorical    columns with any levels: levels, counts (levels by groups), tests, difference (as smd)
Gives group_levels, n, numeric, binary, categorical; tests that are for two groups are left out where there are more.
p-values: welch_p, student_p, wilcoxon_p_corrected, wilcoxon_p_uncorrected, kruskal_p, anova_p, welch_anova_p; chisq_p,
chisq_yates_p, fisher_p.

``iptw``: inverse probability weights.
  treated        expression that is 1 in the treated and 0 in the others
  terms          covariates of the propensity model, as for Cox models
  time, event    of the weighted Cox model and curves
  times          where the weighted curves are read, in the unit of time
  balance        columns whose weighted standardised differences are given
  truncate       share of the weights that is cut at each end, none if not given
Gives ps_coef, ps_loglik, ps, and for each of ate, ate_stabilised, att and overlap weights_sum, ess, loghr, robust_se,
naive_se, weighted_km (time, surv, and with the robust error std_err, and lower and upper on the log scale) and
weighted_smd. With three or more groups ``group`` instead of ``treated``: then ps_coef has a row for each group but the
first, ps a row for each patient, and only weights_sum and ess are given.

``g_formula``: mean of individual predictions of a Cox model with everyone treated, and with nobody.
  treated, terms, time, event   as above; terms without the treatment
  ties           "breslow" (default) or "efron"
  times          in the unit of time; or ``times_years``, of 365.25 days
Gives surv_treated and surv_control (and times_years).

``subgroup_forest``: a hazard ratio in each level of each variable, and interaction tests.
  treated, time, event   as above
  subgroups      columns
Gives for each column levels (n, events, hr, lower, upper), interaction_lr_chisq, df, interaction_p.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bedside.cohort.compare_groups.comparison import Comparison
from bedside.cohort.compare_groups.counts import chi_squared, fisher, trimmed
from bedside.cohort.compare_groups.differences import difference_of_levels
from bedside.cohort.table_by import row_of_numbers
from bedside.cohort.variable import Variable
from bedside.regression.cox import fit_cox
from bedside.regression.data import cox_data
from bedside.regression.model import chi_test
from bedside.survival.build import curve_of
from bedside.survival.curve import Curve
from bedside.survival.events import rows_of, tabulate
from bedside.treatment.balance import balance
from bedside.treatment.covariates import Column, Covariates
from bedside.treatment.logistic import logistic
from bedside.treatment.propensity import Propensity, propensity
from bedside.treatment.standardise import designs_of, standard_survival
from bedside.treatment.subgroups import SubgroupRows, subgroup_rows
from bedside.treatment.weights import Weights, weights_of
from benchmarks.parity.kinds import kind, option
from benchmarks.parity.kinds.cox import expanded, terms_of
from benchmarks.parity.table import Table

YEAR = 365.25
WORK = 20_000_000
"""Work accepted for an exact test: a benchmark may take its time."""
NUMBER_TESTS = {
    "welch_p": "welch",
    "student_p": "student",
    "wilcoxon_p_corrected": "wilcoxon_corrected",
    "wilcoxon_p_uncorrected": "wilcoxon",
    "kruskal_p": "kruskal",
    "anova_p": "anova",
    "welch_anova_p": "welch_anova",
}


@kind("table_one_by")
def table_one_by(table: Table, block: dict[str, Any]) -> dict[str, Any]:
    """Variables by group with tests."""
    codes, labels = table.codes(block["group"])
    return {
        "group_levels": [_plain(label) for label in labels],
        "n": np.bincount(codes[codes >= 0], minlength=len(labels)),
        "numeric": {name: _numeric(table.number(name), codes, len(labels)) for name in option(block, "numeric", [])},
        "binary": {name: _binary(table, name, codes, len(labels)) for name in option(block, "binary", [])},
        "categorical": {
            name: _categorical(table, name, codes, len(labels)) for name in option(block, "categorical", [])
        },
    }


def _plain(label: str) -> float | str:
    try:
        return float(label)
    except ValueError:
        return label


def _numeric(values: np.ndarray, codes: np.ndarray, k: int) -> dict[str, Any]:
    row = row_of_numbers(Variable(name="x", kind="continuous"), [values[codes == code] for code in range(k)])
    told: dict[str, Any] = {"missing": list(row.missing), "smd": row.difference.value}
    for name in ("mean", "sd", "median", "q1", "q3"):
        told[name] = [getattr(one, name) for one in row.numbers]
    tests = {name: row.test(key) for name, key in NUMBER_TESTS.items()}
    return told | {name: test.p for name, test in tests.items() if test is not None}


def _counted(table: Table, name: str, codes: np.ndarray, k: int) -> tuple[np.ndarray, tuple[str, ...]]:
    levels, labels = table.codes(name)
    both = (levels >= 0) & (codes >= 0)
    flat = np.bincount(levels[both] * k + codes[both], minlength=len(labels) * k)
    return flat.reshape(len(labels), k), labels


def _binary(table: Table, name: str, codes: np.ndarray, k: int) -> dict[str, Any]:
    counts, _ = _counted(table, name, codes, k)
    return {"count1": counts[1], "smd": difference_of_levels(counts).value} | _count_tests(counts)


def _categorical(table: Table, name: str, codes: np.ndarray, k: int) -> dict[str, Any]:
    counts, labels = _counted(table, name, codes, k)
    smd = difference_of_levels(counts).value
    return {"levels": list(labels), "counts": {"matrix": counts}, "smd": smd} | _count_tests(counts)


def _count_tests(counts: np.ndarray) -> dict[str, float]:
    tests: dict[str, Comparison] = {
        "chisq_p": chi_squared(counts),
        "chisq_yates_p": chi_squared(counts, yates=True),
        "fisher_p": fisher(trimmed(counts), most=WORK),
    }
    return {name: test.p for name, test in tests.items()}


def _covariates(table: Table, block: dict[str, Any]) -> Covariates:
    parts = expanded(table, terms_of(table, block))
    x = np.column_stack([part.values for part in parts])
    others = [table.number(block[name]) for name in ("treated", "time", "event") if block.get(name) is not None]
    rows = np.flatnonzero(~np.any([*(part.missing for part in parts), *map(np.isnan, others)], axis=0))
    columns = tuple(
        Column(Variable(name=column.name, kind="continuous"), None, column.name)
        for part in parts
        for column in part.columns
    )
    return Covariates(x[rows], columns, x[rows], columns, rows, len(x) - len(rows), ())


@kind("iptw")
def iptw(table: Table, block: dict[str, Any]) -> dict[str, Any]:
    """Weighted comparison of two groups, or weights of several."""
    found = _covariates(table, block)
    if block.get("group") is not None:
        codes, labels = table.codes(block["group"])
        scores = propensity(found, codes[found.rows], labels)
        told = {name: weights_of(scores, name, truncate=block.get("truncate")) for name in ESTIMANDS}
        return {
            "ps_coef": scores.coef,
            "ps_loglik": scores.loglik,
            "ps": scores.probability,
            "estimands": {
                name: {"weights_sum": w.value.sum(), "ess": {g.label: g.effective for g in w.groups}}
                for name, w in told.items()
            },
        }
    codes = table.number(block["treated"])[found.rows].astype(int)
    # R gives an answer where groups are separated, too; so the model is fitted without the check.
    fit = logistic(found.x, codes == 1)
    chance = np.column_stack((1 - fit.fitted, fit.fitted))
    scores = Propensity(("control", "treated"), codes, chance, fit.coef[None, :], found.columns, fit.loglik)
    weighted = {name: weights_of(scores, name, truncate=block.get("truncate")) for name in ESTIMANDS}
    return {
        "ps_coef": fit.coef,
        "ps_loglik": fit.loglik,
        "ps": fit.fitted,
        "estimands": {name: _estimand(table, block, found.rows, codes, w) for name, w in weighted.items()},
    }


ESTIMANDS = ("ate", "ate_stabilised", "att", "overlap")


def _estimand(
    table: Table, block: dict[str, Any], kept: np.ndarray, codes: np.ndarray, weights: Weights
) -> dict[str, Any]:
    time, event = table.number(block["time"])[kept], table.number(block["event"])[kept]
    rows = rows_of(time, event, weights=weights.value)
    fit = fit_cox(cox_data(codes, rows.time, rows.event, weights=weights.value), robust=True)
    times = np.asarray(option(block, "times", []), dtype=float)
    parts = [rows.take(codes == code) for code in (0, 1)]
    curves = [curve_of(tabulate(part), rows=part, interval="log") for part in parts]
    points = [curve.at(times, extend=True) for curve in curves]
    told = option(block, "balance", [])
    plain = np.column_stack([np.empty((len(kept), 0)), *(table.number(name)[kept] for name in told)])
    columns = tuple(Column(Variable(name=name, kind="continuous"), None, name) for name in told)
    return {
        "weights_sum": weights.value.sum(),
        "ess": {group.label: group.effective for group in weights.groups},
        "loghr": fit.coef[0],
        "robust_se": fit.se[0],
        "naive_se": fit.naive_se[0],
        "weighted_km": {
            "time": np.concatenate([times, times]),
            "surv": np.concatenate([point.survival for point in points]),
            "std_err": np.concatenate([_std_err(curve, times) for curve in curves]),
            "lower": np.concatenate([point.lower for point in points]),
            "upper": np.concatenate([point.upper for point in points]),
        },
        "weighted_smd": {row.column.label: row.after for row in balance(plain, columns, codes, weights.value)},
    }


def _std_err(curve: Curve, times: np.ndarray) -> np.ndarray:
    return curve.std_err[np.searchsorted(curve.time, times, side="right") - 1]


@kind("g_formula")
def g_formula(table: Table, block: dict[str, Any]) -> dict[str, Any]:
    """Standardised survival of two groups."""
    found = _covariates(table, block)
    codes = table.number(block["treated"])[found.rows]
    time, event = (table.number(block[name])[found.rows] for name in ("time", "event"))
    data = cox_data(np.column_stack((codes, found.x)), time, event == 1)
    fit = fit_cox(data, ties=option(block, "ties", "breslow"))
    years = block.get("times_years")
    times = np.asarray(block["times"], dtype=float) if years is None else YEAR * np.asarray(years, dtype=float)
    control, treated = standard_survival(fit, designs_of(found.x, 2), times)[0]
    return {"times_years": times / YEAR, "surv_treated": treated, "surv_control": control}


@kind("subgroup_forest")
def subgroup_forest(table: Table, block: dict[str, Any]) -> dict[str, Any]:
    """Hazard ratios by subgroup."""
    treated, time, event = (table.number(block[name]) for name in ("treated", "time", "event"))
    known = ~(np.isnan(treated) | np.isnan(time) | np.isnan(event))
    rows = rows_of(time[known], event[known])
    told = {}
    for name in block["subgroups"]:
        codes, labels = table.codes(name)
        found = subgroup_rows(rows, treated[known].astype(int), ("control", "treated"), codes[known], labels)
        told[name] = _forest(found)
    return told


def _forest(found: SubgroupRows) -> dict[str, Any]:
    levels: dict[str, Any] = {}
    for level in found.levels:
        ratio = level.ratios[0]
        levels[level.label] = (
            None
            if math.isnan(ratio.hr)
            else {
                "n": level.n,
                "events": level.events,
                "hr": ratio.hr,
                "lower": ratio.lower,
                "upper": ratio.upper,
            }
        )
    test = found.interaction
    if test is None:
        return {"levels": levels}
    # R's script counts coefficients that it could not estimate (NA) too; Bedside's own test does not.
    df = len(found.levels) - 1
    nominal = chi_test(test.statistic, df)
    return {"levels": levels, "interaction_lr_chisq": nominal.statistic, "df": df, "interaction_p": nominal.p}
