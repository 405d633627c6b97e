"""Cox models.

Options of every kind here: ``time``, ``event`` (an expression that is 1 where the event was seen), ``entry``,
``weight``, ``cluster``, ``offset`` (expressions), ``strata`` (a list of expressions), ``ties`` ("efron", the default,
"breslow" or "exact"), ``robust`` (as R if not given), and ``terms``, a list of

* an expression: a number as it stands, or, of a text column, a factor; ``"factor(a)"`` and ``"a:b"`` are what they
  are in R; columns of the model stand in the order of the terms;
* ``{"factor": column, "reference": level, "full": true}``: levels in the order of ``data.levels``, else sorted, and
  none that no row has; the first is the reference if none is given; ``full`` gives each level its own column;
* ``{"spline": column, "knots": [...]}`` or ``{"spline": column, "knots": 4}``, or ``"quantiles": [...]``: a restricted
  cubic spline;
* ``{"interaction": [term, term, ...]}``: products of their columns, the first varying fastest, without the terms
  themselves. R's ``x:strata(s)`` also stratifies: ``s`` is then a ``full`` factor here and stands in ``strata`` too;
* ``{"tt": column, "transform": "x * log(t + 20)"}``: a column worked out at each event time, of the value x and the
  time t.

Rows with anything missing are left out. Kinds:

``cox``
    Everything of the script's ``cox_block``: coefficients, variances, tests, information criteria, concordance, and
    with ``zph`` (true if not given), ``residuals`` (false) and ``newdata`` (columns of new patients, with ``times``)
    what follows from the fit.
``cox_short``
    ``coef``, ``se``, ``loglik`` (at 0 and at the end), and with a spline ``knots`` and ``basis_first5``. Option
    ``ridge``: ``{"theta": 1, "scale": false}``, of all columns; then also ``var`` and ``var2``.
``cox_base``
    Cumulative baseline hazards, centred and not.
``case_cohort``
    ``coef`` and ``se``; options ``subcohort`` (1 where drawn), ``cohort_size``, ``method``.
``concordance_variants``
    ``c``, ``se`` and ``counts`` for each time weight. Options ``score`` (an expression, or numbers) or ``terms`` (the
    linear predictor of that Cox model), ``up_to`` (the last event time that counts).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pandas as pd

from bedside.regression.case_cohort import fit_case_cohort
from bedside.regression.concordance import Concordance, TimeWeight, concordance, concordance_of
from bedside.regression.cox import column_means, fit_cox
from bedside.regression.curves import Patients
from bedside.regression.data import CoxData
from bedside.regression.model import ChiTest, CoxFit, Ridge
from bedside.regression.splines import spline_basis, spline_knots
from bedside.regression.terms import Expanded, Factor, Interaction, Linear, Spline, Term, expand
from bedside.regression.timevarying import TimeTerm, with_time_terms
from benchmarks.parity.expression import evaluate, factor_of, multiplied
from benchmarks.parity.kinds import kind, option
from benchmarks.parity.kinds.cox_more import base_part, curves_part, residuals_part, zph_part
from benchmarks.parity.table import Table


def term_of(table: Table, told: Any) -> Term:
    """A term as a block tells it."""
    if isinstance(told, str):
        return _written(table, told)
    if "factor" in told:
        return Factor(told["factor"], told.get("reference"), bool(told.get("full")))
    if "spline" in told:
        if "quantiles" in told:
            values = table.number(told["spline"])
            return Spline(told["spline"], tuple(np.quantile(values[~np.isnan(values)], told["quantiles"])))
        knots = told["knots"]
        return Spline(told["spline"], knots if isinstance(knots, int) else tuple(knots))
    return _product([term_of(table, part) for part in told["interaction"]])


def _written(table: Table, told: str) -> Term:
    """A term that is written as in R."""
    parts = multiplied(told)
    if told not in table.frame and len(parts) > 1:
        return _product([_written(table, part) for part in parts])
    column = factor_of(told)
    if column is not None:
        return Factor(column)
    return Factor(told) if table.value(told).dtype == object else Linear(told)


def _product(terms: list[Term]) -> Term:
    first, *others = terms
    for other in others:
        first = Interaction(first, other)
    return first


def terms_of(table: Table, block: dict[str, Any]) -> list[Term]:
    """A block's terms but for those that change with time."""
    return [term_of(table, told) for told in block["terms"] if not _is_timed(told)]


def _is_timed(told: Any) -> bool:
    return isinstance(told, dict) and "tt" in told


def expanded(table: Table, terms: list[Term]) -> list[Expanded]:
    """The terms' columns over all rows of a table."""
    return [expand(term, table) for term in terms]


def _codes(table: Table, block: dict[str, Any], name: str) -> np.ndarray | None:
    told = option(block, name)
    if not told:
        return None
    return table.combined(told)[0] if isinstance(told, list) else table.codes(told)[0]


def _numbers(table: Table, block: dict[str, Any], name: str) -> np.ndarray | None:
    told = option(block, name)
    return None if told is None else table.number(told)


def data_of(table: Table, block: dict[str, Any]) -> CoxData:
    """The rows of a block that have all values, as a Cox model takes them."""
    columns = {name: _numbers(table, block, name) for name in ("time", "event", "entry", "weight", "offset")}
    codes = {name: _codes(table, block, name) for name in ("strata", "cluster")}
    timed = [table.number(told["tt"]) for told in block["terms"] if _is_timed(told)]
    parts = expanded(table, terms_of(table, block))
    gone = np.zeros(len(table), dtype=bool)
    for values in [*columns.values(), *timed]:
        gone |= False if values is None else np.isnan(values)
    for values in codes.values():
        gone |= False if values is None else values < 0
    for part in parts:
        gone |= part.missing
    labels = table.combined(block["strata"])[1] if option(block, "strata") else ()
    whole = CoxData(
        x=np.column_stack([np.empty((len(table), 0)), *(part.values for part in parts)]),
        names=tuple(column.name for part in parts for column in part.columns),
        assign=tuple(i for i, part in enumerate(parts) for _ in part.columns),
        terms=tuple(part.name for part in parts),
        time=columns["time"],
        event=columns["event"] == 1,
        entry=columns["entry"],
        strata=codes["strata"],
        strata_labels=labels,
        weights=columns["weight"],
        cluster=codes["cluster"],
        offset=columns["offset"],
        rows=np.arange(len(table)),
    )
    data = whole.take(~gone)
    changing = [_time_term(table, told, ~gone) for told in block["terms"] if _is_timed(told)]
    return _in_order(with_time_terms(data, changing), block["terms"]) if changing else data


def _in_order(data: CoxData, terms: list[Any]) -> CoxData:
    """Columns that change with time, which come last, where the block has them."""
    told = sorted(range(len(terms)), key=lambda i: _is_timed(terms[i]))
    columns = np.array([i for term in np.argsort(told) for i in data.columns_of(int(term))], dtype=int)
    place = dict(enumerate(told))
    return replace(
        data,
        x=data.x[:, columns],
        names=tuple(data.names[i] for i in columns),
        assign=tuple(place[data.assign[i]] for i in columns),
        terms=tuple(data.terms[i] for i in np.argsort(told)),
    )


def _time_term(table: Table, told: dict[str, Any], keep: np.ndarray) -> TimeTerm:
    def transform(x: np.ndarray, t: np.ndarray) -> np.ndarray:
        return evaluate(told["transform"], {"x": x, "t": t}, len(x))

    return TimeTerm(told["tt"], table.number(told["tt"])[keep], transform)


def fit_of(table: Table, block: dict[str, Any]) -> CoxFit:
    """The Cox model of a block."""
    data = data_of(table, block)
    return fit_cox(
        data, ties=option(block, "ties", "efron"), robust=option(block, "robust"), ridge=_ridge(table, data, block)
    )


def _ridge(table: Table, data: CoxData, block: dict[str, Any]) -> Ridge | None:
    told = option(block, "ridge")
    if told is None:
        return None
    # R takes the variances before it leaves out rows with something missing elsewhere.
    whole = np.column_stack([part.values for part in expanded(table, terms_of(table, block))])
    columns = tuple(range(data.x.shape[1]))
    return Ridge(told["theta"], told.get("scale", True), columns, tuple(np.nanvar(whole, axis=0, ddof=1)))


def new_patients(table: Table, block: dict[str, Any]) -> Patients:
    """The patients of ``newdata``, in the columns of the block's model."""
    given = table.new_rows(block["newdata"])
    m = len(given)
    # Behind the rows of the fit, so that levels, reference and knots are the fit's.
    frame = pd.concat([table.frame, given.reindex(columns=table.frame.columns)], ignore_index=True)
    both = Table(frame, table.levels)
    parts = expanded(both, terms_of(table, block))
    known = option(block, "strata") and set(block["strata"]) <= set(given)
    offset = _numbers(both, block, "offset")
    return Patients(
        x=np.column_stack([part.values for part in parts])[-m:],
        strata=both.combined(block["strata"])[0][-m:] if known else None,
        offset=None if offset is None else offset[-m:],
    )


def _test(test: ChiTest | None) -> dict[str, float] | None:
    return None if test is None else {"test": test.statistic, "df": test.df, "pvalue": test.p}


def _matrix(values: np.ndarray) -> dict[str, Any]:
    return {"matrix": values.tolist()}


def _counts(found: Concordance) -> dict[str, float]:
    return {
        "concordant": found.concordant,
        "discordant": found.discordant,
        "tied.x": found.tied_x,
        "tied.y": found.tied_time,
        "tied.xy": found.tied_both,
    }


@kind("cox")
def cox(table: Table, block: dict[str, Any]) -> dict[str, Any]:
    """A block as the script's ``cox_block`` writes it."""
    fit = fit_of(table, block)
    names = data_of(table, block).names if fit.aliased else fit.data.names

    def whole(values: np.ndarray, gap: float) -> np.ndarray:
        """With what R writes for the columns that it left without a coefficient."""
        out = np.full((len(names), *values.shape[1:]), gap)
        out[[names.index(name) for name in fit.data.names]] = values
        return out

    lower, upper = fit.interval(0.95)
    ranked = concordance_of(fit)
    rsq, highest = fit.r2
    out = {
        "n": fit.n,
        "n_event": fit.n_events,
        "coef": whole(fit.coef, np.nan),
        "hr": whole(np.exp(fit.coef), np.nan),
        "se": whole(fit.naive_se, 0.0),
        "robust_se": whole(fit.se, 0.0) if fit.robust else None,
        "vcov": _matrix(whole(whole(fit.variance, 0.0).T, 0.0)),
        "means": column_means(data_of(table, block), fit.ridge) if fit.aliased else fit.means,
        "loglik_null": fit.loglik_null,
        "loglik": fit.loglik,
        "aic": fit.aic,
        "iterations": fit.iterations,
        "z": whole(fit.z, np.nan),
        "p": whole(fit.p, np.nan),
        "hr_lower95": whole(lower, np.nan),
        "hr_upper95": whole(upper, np.nan),
        "lr_test": _test(fit.lr_test),
        "wald_test": _test(fit.wald_test),
        "score_test": _test(fit.score_test),
        "robust_score_test": _test(fit.robust_score_test),
        "r2_coxsnell": {"rsq": rsq, "maxrsq": highest},
        "concordance": {"c": ranked.c, "se": ranked.se, "counts": _counts(ranked)},
    }
    if option(block, "zph", True):
        out["cox_zph"] = zph_part(fit)
    if option(block, "residuals", False):
        out["residuals"] = residuals_part(fit)
    if option(block, "newdata"):
        out["newdata"] = block["newdata"]
        out |= curves_part(fit, new_patients(table, block), block["times"])
    return out


@kind("cox_short")
def cox_short(table: Table, block: dict[str, Any]) -> dict[str, Any]:
    """Coefficients and likelihoods of a model with a ridge, a spline or a column that changes with time."""
    fit = fit_of(table, block)
    out: dict[str, Any] = {"coef": fit.coef, "se": fit.se, "loglik": [fit.loglik_null, fit.loglik]}
    if fit.variance2 is not None:
        out |= {"var": _matrix(fit.variance), "var2": _matrix(fit.variance2)}
    splines = [term for term in terms_of(table, block) if isinstance(term, Spline)]
    if splines:
        values, knots = table.number(splines[0].column), splines[0].knots
        knots = spline_knots(values, knots) if isinstance(knots, int) else knots
        basis = spline_basis(values[:5], knots)
        out |= {"knots": list(knots), "basis_first5": _matrix(basis)}
    return out


@kind("cox_base")
def cox_base(table: Table, block: dict[str, Any]) -> dict[str, Any]:
    """Cumulative baseline hazards as the script's ``base_block`` writes them."""
    return base_part(fit_of(table, block))


@kind("case_cohort")
def case_cohort(table: Table, block: dict[str, Any]) -> dict[str, Any]:
    """Coefficients and standard errors of R's ``cch``."""
    data = data_of(table, block)
    drawn = table.flag(block["subcohort"])[data.rows]
    fit = fit_case_cohort(data, drawn, int(block["cohort_size"]), method=block["method"])
    return {"coef": fit.coef, "se": fit.se}


@kind("concordance_variants")
def concordance_variants(table: Table, block: dict[str, Any]) -> dict[str, Any]:
    """A block as the script's ``conc_set`` writes it."""
    if option(block, "terms"):
        fit = fit_of(table, block)
        data, score = fit.data, fit.linear_predictor
    else:
        given = block["score"]
        if isinstance(given, list):
            table, given = table.with_column("given_score", np.asarray(given, dtype=float)), "given_score"
        data = data_of(table, {**block, "terms": [given]})
        score = data.x[:, 0]
    last = option(block, "up_to")
    out = {}
    for weight in get_args(TimeWeight):
        found = concordance(
            data.time,
            data.event,
            score,
            entry=data.entry,
            strata=data.strata,
            weights=data.weights,
            cluster=data.cluster,
            time_weight=weight,
            up_to=last,
        )
        out[weight] = {"c": found.c, "se": found.se, "counts": _counts(found), "ymax": last}
    return out
