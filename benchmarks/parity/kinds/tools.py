"""Tools around a Cox model.

``bootstrap_optimism``: Harrell's bootstrap with given resamples.
  time, event    columns or expressions
  terms          as for ``parametric``
  ties           "efron" (default) or "breslow"
  index_1based   rows of each resample, counted from 1 (a ``$ref``)
Gives B, index_1based, c_apparent, c_boot, c_test_on_original, optimism, c_corrected, slope_test, shrinkage.

``nomogram``: R's ``rms::nomogram`` of a Cox model.
  time, event, terms, ties   as above
  axes           values of each numeric term, {"age": [20, 30, ...]}; factors show all levels
  tolerance      where Newton's method stops; ``cph`` stops at 1e-4 (the default here), ``coxph`` at 1e-9
  maxscale       100 by default; ``nint`` ticks of the lines of totals, 10 by default
Gives coef (by column), center, points (by term: value, points), total_points_range, lp_axis (points, lp).

``schoenfeld_events``: numbers of events for a two-sided test.
  hr (list), alpha, power, allocation, p_event (optional)
Gives hr, alpha, power, allocation, events and, with p_event, p_event and patients.

``rubin``: estimates of several imputed data sets pooled by Rubin's rules.
  estimates, variances (lists), n (rows; absent: infinitely many), k (parameters)
Gives estimate, within, between, total, df, riv, fmi.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bedside.regression.bootstrap import bootstrap_optimism
from bedside.regression.data import CoxData
from bedside.regression.imputation import pool
from bedside.regression.likelihood import partial
from bedside.regression.nomogram import nomogram
from bedside.regression.power import sample_size
from benchmarks.parity.kinds import kind, option
from benchmarks.parity.kinds.parametric import bare_name, levels_of, read_data, terms_told
from benchmarks.parity.table import Table

MOST_STEPS = 30


@kind("bootstrap_optimism")
def optimism(table: Table, block: dict[str, Any]) -> dict[str, Any]:
    """Apparent and corrected concordance."""
    data = read_data(table, block, terms_told(block))[0]
    resamples = np.array(block["index_1based"]) - 1
    found = bootstrap_optimism(data, resamples=resamples, ties=option(block, "ties", "efron"))
    return {
        "B": found.resamples,
        "index_1based": block["index_1based"],
        "c_apparent": found.c_apparent,
        "c_boot": found.c_boot,
        "c_test_on_original": found.c_test,
        "optimism": found.optimism,
        "c_corrected": found.c_corrected,
        "slope_test": found.slopes,
        "shrinkage": found.shrinkage,
    }


@kind("nomogram")
def points(table: Table, block: dict[str, Any]) -> dict[str, Any]:
    """Points of each value and the lines of totals."""
    terms = terms_told(block)
    data = read_data(table, block, terms)[0]
    coef = _stopped(data, option(block, "ties", "efron"), float(option(block, "tolerance", 1e-4)))
    centre = float(coef @ data.x.mean(axis=0))
    axes, names = {}, []
    for term in terms:
        own, bare = coef[data.columns_of(term)], bare_name(term)
        labels = levels_of(table, term)
        if labels:
            axes[bare] = (labels, np.concatenate([[0.0], own]))
            names += [f"{bare}={label}" for label in labels[1:]]
        else:
            values = np.asarray(block["axes"][term], dtype=float)
            axes[bare] = (values, values * own[0])
            names.append(bare)
    drawn = nomogram(
        axes,
        linear_predictor=data.x @ coef - centre,
        centre=centre,
        maxscale=float(option(block, "maxscale", 100)),
        ticks=int(option(block, "nint", 10)),
    )
    return {
        "coef": dict(zip(names, coef, strict=True)),
        "center": centre,
        "points": {axis.name: {"value": list(axis.values), "points": axis.points} for axis in drawn.axes},
        "total_points_range": [drawn.total[0], drawn.total[-1]],
        "lp_axis": {"points": drawn.lp_points, "lp": drawn.lp},
    }


def _stopped(data: CoxData, ties: str, tolerance: float) -> np.ndarray:
    """Coefficients where a Newton iteration from 0 stops: ``cph`` does so long before the last digit."""
    likelihood = partial(data, data.x - data.x.mean(axis=0), ties)
    beta, halvings = np.zeros(data.x.shape[1]), 0
    best, gradient, information = likelihood.derivatives(beta)
    ahead = beta + np.linalg.solve(information, gradient)
    for _ in range(MOST_STEPS):
        value, gradient, information = likelihood.derivatives(ahead)
        if halvings == 0 and np.isfinite(value) and abs(1 - best / value) <= tolerance:
            return ahead
        if np.isfinite(value) and value >= best:
            beta, best, halvings = ahead, value, 0
            ahead = beta + np.linalg.solve(information, gradient)
        else:
            halvings += 1
            ahead = (ahead + halvings * beta) / (halvings + 1)
    raise ArithmeticError("Newton's method did not converge")


@kind("schoenfeld_events")
def schoenfeld(table: Table | None, block: dict[str, Any]) -> dict[str, Any]:
    """Events, and patients where their chance of the event is given."""
    told = {name: float(option(block, name, usual)) for name, usual in (("alpha", 0.05), ("power", 0.8))}
    told["allocation"] = float(option(block, "allocation", 0.5))
    chance = block.get("p_event")
    found = [sample_size(hr, **told, event_probability=chance) for hr in block["hr"]]
    out: dict[str, Any] = {"hr": block["hr"], **told, "events": [each.events for each in found]}
    return out if chance is None else out | {"p_event": chance, "patients": [each.patients for each in found]}


@kind("rubin")
def rubin(table: Table | None, block: dict[str, Any]) -> dict[str, Any]:
    """One estimate pooled over imputed data sets."""
    n, k = block.get("n"), int(option(block, "k", 1))
    df = float("inf") if n is None else float(n) - k
    found = pool(np.array(block["estimates"])[:, None], np.array(block["variances"])[:, None], complete_df=df)
    return {
        "estimate": found.estimate,
        "within": found.within,
        "between": found.between,
        "total": found.total,
        "df": found.df,
        "riv": found.riv,
        "fmi": found.fmi,
    }
