"""Comparisons of groups: the log-rank family, trend, pairs, and maximally selected cut-points.

Options that all kinds of this file share: ``time``, ``event`` (an expression that is 1 where the event was seen),
``group`` (a column or expression, or a list of them that are combined; the order of levels is that of
``data.levels``, else sorted) and, where a kind says so, ``strata`` (a list). A row is left out where one of them is
missing. A landmark analysis is ``where`` and ``derive``.

``log_rank``
    As ``survdiff``: ``rho``, ``n``, ``observed``, ``expected``, ``var/matrix``, ``chisq``, ``df``, ``p``. Options:
    ``rho`` (0), ``strata``. Several tests at once with ``tests``: ``{"<key>": {"rho": 1, "strata": ["sex"]}, ...}``
    gives the same under each key.
``weighted_log_rank``
    For each key of ``tests`` ``p_fh``, ``q_fh``, ``U``, ``V/matrix``, ``chisq``, ``df``, ``p``. Options: ``tests``:
    ``{"<key>": {"weighting": ..., "p": 0, "q": 1}}`` with a weighting of log-rank, gehan-breslow, tarone-ware,
    peto-peto, modified-peto-peto, fleming-harrington; without it the nine of the script's ``wlr_set``. ``strata``.
    Times are taken as they stand: rounding noise is not merged, as in the script.
``survmisc_comp``
    As ``survMisc::comp``: columns ``chiSq``, ``df``, ``pChisq``, one row for each weight; with two groups (and for
    ``"part": "trend"`` with more) also ``Q``, ``Var``, ``Z``, ``pNorm``. Options: ``powers`` (list of [p, q], one
    Fleming-Harrington row each; [[1, 1]] if not given), ``part`` ("groups", the default, or "trend"), ``scores`` (1, 2,
    3, ... if not given). Groups stand in survMisc's order: of a text column the first level and then the others from
    last to second, of numbers as if they were text.
``pairwise_log_rank``
    ``chisq``, ``p``, ``p_adjusted/{bonferroni, holm, BH}`` of each pair of groups, 1-2, 1-3, ..., 2-3, ....
    Options: ``rho`` (0), ``strata``.
``maxstat``
    As ``maxstat.test`` with log-rank scores: ``cutpoint``, ``statistic``, ``cuts``, ``stats``, ``minprop``,
    ``maxprop``, ``p``, ``p_lau94/M`` and ``logrank_chisq_at_cut``. Options: ``value`` (what is cut), ``minprop``
    (0.1), ``maxprop`` (1 - minprop), ``pmethod`` (what ``p`` is: Lau94, the default, Lau92, or HL, which rounds the
    scores and so changes the statistic).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import ndtr

from bedside.errors import Fixable
from bedside.survival.compare import GroupTest, compare_groups, log_rank, weighted_test
from bedside.survival.counted import Counted
from bedside.survival.cutpoint import best_cut
from bedside.survival.pairwise import adjust, pairwise_tests
from bedside.survival.selection_p import lausen_1992, lausen_1994
from bedside.survival.tally import stratum_of
from bedside.survival.trend import trend_of
from bedside.survival.weighted import weigh_by
from benchmarks.parity.expression import missing
from benchmarks.parity.kinds import kind, option
from benchmarks.parity.table import Table

WLR_SET: dict[str, dict[str, Any]] = {
    "logrank": {"weighting": "log-rank"},
    "gehan_breslow_wilcoxon": {"weighting": "gehan-breslow"},
    "tarone_ware": {"weighting": "tarone-ware"},
    "peto_peto": {"weighting": "peto-peto"},
    "modified_peto_peto": {"weighting": "modified-peto-peto"},
    "fh_1_0": {"weighting": "fleming-harrington", "p": 1, "q": 0},
    "fh_0_1": {"weighting": "fleming-harrington", "p": 0, "q": 1},
    "fh_1_1": {"weighting": "fleming-harrington", "p": 1, "q": 1},
    "fh_05_05": {"weighting": "fleming-harrington", "p": 0.5, "q": 0.5},
}
SURVMISC = ("log-rank", "gehan-breslow", "tarone-ware", "peto-peto", "modified-peto-peto")


@kind("log_rank")
def log_rank_block(table: Table, block: dict[str, Any]) -> object:
    """One test, or one under each key of ``tests``."""
    tests = option(block, "tests")
    if tests is None:
        return _survdiff(table, block)
    return {name: _survdiff(table, {**block, **told}) for name, told in tests.items()}


def _survdiff(table: Table, block: dict[str, Any]) -> dict[str, object]:
    rho = float(option(block, "rho", 0))
    time, event, codes, strata = _columns(table, block)
    n = np.bincount(codes[codes >= 0])
    try:
        test = weighted_test(time, event, codes, weighting="fleming-harrington", p=rho, strata=strata)
    except Fixable:
        # R answers even where groups never were at risk together: no difference, at no degrees of freedom.
        return {"rho": rho, "n": n, "chisq": 0.0, "df": 0, "p": 1.0}
    return {
        "rho": rho, "n": test.n, "observed": test.observed, "expected": test.expected,
        "var": {"matrix": test.variance}, "chisq": test.statistic, "df": test.df, "p": test.p,
    }  # fmt: skip


@kind("weighted_log_rank")
def weighted_block(table: Table, block: dict[str, Any]) -> object:
    """Each weighting's sums and test."""
    counted = _as_they_stand(table, block)
    return {name: _weighted(counted, **told) for name, told in option(block, "tests", WLR_SET).items()}


def _weighted(counted: Counted, *, weighting: Any, p: float = 0.0, q: float = 0.0) -> dict[str, object]:
    test = compare_groups(counted, weighting=weighting, p=p, q=q)
    return {
        "p_fh": p, "q_fh": q, "U": test.excess, "V": {"matrix": test.variance},
        "chisq": test.statistic, "df": test.df, "p": test.p,
    }  # fmt: skip


@kind("survmisc_comp")
def survmisc_block(table: Table, block: dict[str, Any]) -> object:
    """survMisc's table of tests, column by column."""
    order = _survmisc_order(table, block["group"])
    counted = _as_they_stand(table, block, order=order)
    weights = [{"weighting": name} for name in SURVMISC]
    weights += [{"weighting": "fleming-harrington", "p": p, "q": q} for p, q in option(block, "powers", [[1.0, 1.0]])]
    trend = option(block, "part", "groups") == "trend"
    if len(counted.n) == 2:
        rows = [_two_groups(counted, told) for told in weights]
    else:
        tests = [compare_groups(counted, **told) for told in weights]
        rows = [_survmisc_trend(test, option(block, "scores")) if trend else _survmisc_groups(test) for test in tests]
    return {name: [row[name] for row in rows] for name in rows[0]}


def _survmisc_groups(test: GroupTest) -> dict[str, float]:
    return {"chiSq": test.statistic, "df": test.df, "pChisq": test.p}


def _survmisc_trend(test: GroupTest, scores: list[float] | None) -> dict[str, float]:
    # survMisc adds up expected less observed.
    trend = trend_of(test, scores=scores)
    return _normal(-trend.gradient, trend.variance)


def _two_groups(counted: Counted, told: dict[str, Any]) -> dict[str, float]:
    """survMisc's own variance for two groups: where both have events at one time, each group's are spread alone."""
    stratum = counted.strata[0]
    n, d = stratum.at_risk, stratum.deaths
    weight = weigh_by(**told)(n, d)
    events = np.zeros((len(n), 2))
    np.add.at(events, (stratum.events.at, stratum.events.group), stratum.events.count)
    share = np.zeros(len(n))
    for span, risk in stratum.blocks():
        share[span] = risk[:, 0] / n[span]
    each = (events * (n[:, None] - events)).sum(axis=1) / np.maximum(n - 1, 1)
    gap = share * d - events[:, 0]
    return _normal(float(weight @ gap), float(weight**2 @ (share * (1 - share) * each)))


def _normal(total: float, variance: float) -> dict[str, float]:
    z = total / np.sqrt(variance)
    p = float(2 * ndtr(-abs(z)))
    return {"Q": total, "Var": variance, "Z": z, "pNorm": p, "chiSq": z * z, "df": 1, "pChisq": p}


def _survmisc_order(table: Table, group: str) -> list[int]:
    _, labels = table.codes(group)
    if table.value(group).dtype == object:
        return [0, *range(len(labels) - 1, 0, -1)]
    return sorted(range(len(labels)), key=lambda code: labels[code])


@kind("pairwise_log_rank")
def pairwise_block(table: Table, block: dict[str, Any]) -> object:
    """Every pair, with three corrections."""
    time, event, codes, strata = _columns(table, block)
    rho = float(option(block, "rho", 0))
    pairs = pairwise_tests(time, event, codes, weighting="fleming-harrington", p=rho, strata=strata, adjustment="none")
    adjusted = {name: adjust(pairs.p, name) for name in ("bonferroni", "holm", "BH")}
    return {"chisq": pairs.statistic, "p": pairs.p, "p_adjusted": adjusted}


@kind("maxstat")
def maxstat_block(table: Table, block: dict[str, Any]) -> object:
    """The cut-point, every statistic, and the corrected p-values that need no random numbers."""
    time, event, value = (table.number(block[name]) for name in ("time", "event", "value"))
    known = ~(np.isnan(time) | np.isnan(event) | np.isnan(value))
    time, event, value = time[known], event[known], value[known]
    low = float(option(block, "minprop", 0.1))
    high = float(option(block, "maxprop", 1 - low))
    method = option(block, "pmethod", "Lau94")
    cut = best_cut(
        time, event, value, low_share=low, high_share=high, correction="exact" if method == "HL" else "lausen-1994"
    )
    below = np.searchsorted(np.sort(value), cut.cuts, side="right")
    # As maxstat has it: a bound, which may exceed 1.
    bound = lausen_1994(cut.statistic, cut.n, below)
    p = {"HL": cut.p, "Lau94": bound, "Lau92": lausen_1992(cut.statistic, low, high)}[method]
    return {
        "cutpoint": cut.cut, "statistic": cut.statistic, "cuts": cut.cuts, "stats": cut.statistics, "minprop": low,
        "maxprop": high, "p": p, "p_lau94": {"M": bound},
        "logrank_chisq_at_cut": log_rank(time, event, value > cut.cut).statistic,
    }  # fmt: skip


def _columns(
    table: Table, block: dict[str, Any], *, order: list[int] | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
    """Times, events, groups and strata of the rows in which none is missing."""
    time, event = table.number(block["time"]), table.value(block["event"])
    group = block["group"]
    codes = (table.combined(group) if isinstance(group, list) else table.codes(group))[0]
    if order is not None:
        codes = np.where(codes < 0, -1, np.argsort(order)[codes])
    known = ~(np.isnan(time) | missing(event)) & (codes >= 0)
    strata = None
    if option(block, "strata"):
        strata, _ = table.combined(block["strata"])
        known &= strata >= 0
        strata = strata[known]
    return time[known], event[known].astype(float), codes[known], strata


def _as_they_stand(table: Table, block: dict[str, Any], *, order: list[int] | None = None) -> Counted:
    """Counts of each stratum, nothing merged."""
    time, event, codes, strata = _columns(table, block, order=order)
    used, local = np.unique(codes, return_inverse=True)
    layer = np.zeros(len(time), dtype=int) if strata is None else strata
    parts = [layer == code for code in np.unique(layer)]
    strata_counted = tuple(stratum_of(time[part], event[part] == 1, local[part]) for part in parts)
    return Counted(used, np.bincount(local), strata_counted)
