"""Parametric survival models.

``parametric``: R's ``survreg``.
  distribution   "exponential", "weibull", "rayleigh", "lognormal", "loglogistic", "gaussian", "logistic", "extreme"
  time, event    columns or expressions; with ``"censoring": "left"`` rows without the event are censored on the left
  left, right    instead of time and event: ``Surv(left, right, type = "interval2")``, missing where open
  terms          list of expressions; text columns, columns with given levels and "factor(x)" are factors with
                 treatment contrasts, all else numbers; "a:b" multiplies terms; {"factor": x} and {"interaction":
                 [a, b]} are the same; empty or absent: intercept alone
  strata         columns whose combinations have a scale each
  weight, cluster, offset, entry   columns; with a cluster (or ``"robust": true``) the variance is the sandwich
  newdata        columns of new patients (usually a ``$ref``), with ``p`` (shares) for quantiles and ``times``
Gives terms, coef, scale (by stratum's label where there are several), loglik_null, loglik, n, vcov, vcov_terms, aic,
bic_n, se, naive_vcov; for new patients newdata, quantiles (p_event, time, se), lp and surv_at (times, surv).

``spline_hazard``: Royston-Parmar models.
  time, event, terms, weight, entry, newdata, times   as above
  df             degrees of freedom of the spline, 1 or more
  scale          "hazard" (default), "odds" or "normal"
Gives terms, coef (gamma0, gamma1, ... then the terms), loglik, aic, knots (log time), se, vcov; for new patients
surv_at (times, surv).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bedside.regression.data import CoxData, cox_data
from bedside.regression.parametric import ParametricFit, fit_parametric
from bedside.regression.parametric_response import Response, between, left_censored
from bedside.regression.spline_hazard import fit_spline_hazard
from benchmarks.parity.expression import bare, factor_of, multiplied
from benchmarks.parity.kinds import kind, option
from benchmarks.parity.table import Table

SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)


@dataclass(frozen=True, eq=False)
class Columns:
    """One term's columns."""

    values: np.ndarray
    names: tuple[str, ...]


@kind("parametric")
def parametric(table: Table, block: dict[str, Any]) -> dict[str, Any]:
    """A fit of R's survreg with its predictions."""
    terms = terms_told(block)
    data, response, labels = read_data(table, block, terms)
    fit = fit_parametric(data, block["distribution"], response=response, robust=block.get("robust"))
    told: dict[str, Any] = {
        "dist": fit.distribution,
        "terms": list(fit.names),
        "coef": fit.coef,
        "scale": dict(zip(labels, fit.scale, strict=True)) if len(fit.scale) > 1 else fit.scale[0],
        "loglik_null": fit.loglik_null,
        "loglik": fit.loglik,
        "n": fit.n,
        "vcov": _matrix(fit.variance),
        "naive_vcov": _matrix(fit.naive_variance),
        "vcov_terms": list(fit.variance_names),
        "aic": fit.aic,
        "bic_n": fit.bic,
        "se": fit.se,
    }
    if block.get("newdata"):
        told |= _predicted(table, block, terms, fit)
    return told


@kind("spline_hazard")
def spline_hazard(table: Table, block: dict[str, Any]) -> dict[str, Any]:
    """A Royston-Parmar model."""
    terms = terms_told(block)
    data, _, _ = read_data(table, block, terms)
    fit = fit_spline_hazard(data, df=int(option(block, "df", 3)), scale=option(block, "scale", "hazard"))
    told: dict[str, Any] = {
        "terms": list(fit.names),
        "coef": fit.coef,
        "loglik": fit.loglik,
        "aic": fit.aic,
        "knots": fit.knots,
        "se": fit.se,
        "vcov": _matrix(fit.variance),
        "n": fit.n,
    }
    if block.get("newdata"):
        new, _ = _new(table, block, terms)
        told["newdata"] = block["newdata"]
        told["surv_at"] = {"times": block["times"], "surv": fit.survival(new, np.asarray(block["times"], float))}
    return told


def _predicted(table: Table, block: dict[str, Any], terms: list[str], fit: ParametricFit) -> dict[str, Any]:
    new, frame = _new(table, block, terms)
    stratum = _new_strata(table, frame, block) if block.get("strata") else None
    shares = np.asarray(option(block, "p", SHARES), dtype=float)
    time, se = fit.quantiles(new, shares, stratum=stratum)
    told: dict[str, Any] = {
        "newdata": block["newdata"],
        "quantiles": {"p_event": shares, "time": _matrix(_upright(time)), "se": _matrix(_upright(se))},
        "lp": fit.location(new),
    }
    if block.get("times"):
        at = np.asarray(block["times"], dtype=float)
        told["surv_at"] = {"times": at, "surv": fit.survival(new, at, stratum=stratum)}
    return told


def read_data(table: Table, block: dict[str, Any], terms: list[str]) -> tuple[CoxData, Response | None, list[str]]:
    """Complete rows, their response if it is not censored on the right, and the names of the scales."""
    columns = [_columns(table, table, term) for term in terms]
    codes, labels = _strata(table, list(option(block, "strata", [])))
    optional = {name: _optional(table, block, name) for name in ("weight", "offset", "entry")}
    cluster = table.codes(block["cluster"])[0] if block.get("cluster") else None
    x = np.column_stack([c.values for c in columns]) if columns else np.empty((len(table), 0))
    known = ~np.isnan(x).any(axis=1) & (codes >= 0)
    for values in optional.values():
        known &= True if values is None else ~np.isnan(values)
    response, time, event, told = _response(table, block)
    known &= told
    data = cox_data(
        x,
        time,
        event,
        names=tuple(name for c in columns for name in c.names),
        assign=tuple(i for i, c in enumerate(columns) for _ in c.names),
        terms=tuple(terms),
        entry=optional["entry"],
        strata=codes if labels else None,
        strata_labels=tuple(labels) or None,
        weights=optional["weight"],
        cluster=cluster,
        offset=optional["offset"],
    ).take(known)
    return data, None if response is None else response.take(known), labels


def _response(table: Table, block: dict[str, Any]) -> tuple[Response | None, np.ndarray, np.ndarray, np.ndarray]:
    """The response, if it is not censored on the right; times, events and which rows have them."""
    if block.get("left") is not None:
        low, high = table.number(block["left"]), table.number(block["right"])
        known = np.isfinite(low) | np.isfinite(high)
        both = between(np.where(known, low, 0.0), np.where(known, high, 0.0))
        return both, both.time, both.kind > 0, known
    time, event = table.number(block["time"]), table.number(block["event"])
    known = ~(np.isnan(time) | np.isnan(event))
    time, event = np.where(known, time, 0.0), event == 1
    left = left_censored(time, event) if option(block, "censoring", "right") == "left" else None
    return left, time, event, known


def _optional(table: Table, block: dict[str, Any], name: str) -> np.ndarray | None:
    return table.number(block[name]) if block.get(name) is not None else None


def terms_told(block: dict[str, Any]) -> list[str]:
    """A block's terms, written as in R."""
    return [_written(told) for told in option(block, "terms", [])]


def _written(told: Any) -> str:
    if isinstance(told, str):
        return told
    if set(told) == {"factor"}:
        return f"factor({told['factor']})"
    if set(told) == {"interaction"}:
        return ":".join(map(_written, told["interaction"]))
    raise ValueError(f"no such term here: {told}")


def _columns(table: Table, training: Table, term: str) -> Columns:
    """A term's columns for the rows of a table, with the levels of the table it was learned from."""
    parts = multiplied(term)
    if len(parts) > 1 and term not in training.frame:
        a, b = _columns(table, training, parts[0]), _columns(table, training, ":".join(parts[1:]))
        values = [x * y for y in b.values.T for x in a.values.T]
        return Columns(np.column_stack(values), tuple(f"{x}:{y}" for y in b.names for x in a.names))
    inner, labels = _inner(term), levels_of(training, term)
    if not labels:
        return Columns(table.number(inner)[:, None], (term,))
    text = table.text(inner)
    values = np.column_stack([text == label for label in labels[1:]]).astype(float)
    values[[each is None for each in text]] = np.nan
    return Columns(values, tuple(f"{term}{label}" for label in labels[1:]))


def levels_of(table: Table, term: str) -> tuple[str, ...]:
    """Levels of a term that is a factor, the reference first; empty for numbers."""
    inner = _inner(term)
    if factor_of(term) is None and inner not in table.levels and table.value(inner).dtype != object:
        return ()
    return table.codes(inner)[1]


def bare_name(term: str) -> str:
    """The column's name alone."""
    return _inner(term)


def _inner(term: str) -> str:
    return factor_of(term) or bare(term)


def _strata(table: Table, strata: list[str]) -> tuple[np.ndarray, list[str]]:
    """Whose scale, -1 where unknown, and the scales' names as R's strata() has them."""
    if not strata:
        return np.zeros(len(table), dtype=int), []
    said_as = _stratum_names(table, strata)
    codes, names = np.zeros(len(table), dtype=int), [""]
    for name, said in zip(strata, said_as, strict=True):
        more, labels = table.codes(name)
        codes = np.where((codes < 0) | (more < 0), -1, codes * len(labels) + more)
        names = [f"{a}, {b}" if a else b for a in names for b in said]
    used = np.unique(codes[codes >= 0])
    return np.where(codes < 0, -1, np.searchsorted(used, codes)), [names[i] for i in used]


def _new(table: Table, block: dict[str, Any], terms: list[str]) -> tuple[np.ndarray, Table]:
    """Design of the new patients, and their table."""
    new = Table(table.new_rows(block["newdata"]), table.levels)
    parts = [_columns(new, table, term).values for term in terms]
    return np.column_stack(parts) if parts else np.empty((len(new), 0)), new


def _new_strata(table: Table, new: Table, block: dict[str, Any]) -> np.ndarray:
    """Whose scale the new patients have."""
    strata = list(block["strata"])
    known, parts = _strata(table, strata)[1], _stratum_names(table, strata)
    columns = []
    for name, said in zip(strata, parts, strict=True):
        places = {label: i for i, label in enumerate(table.codes(name)[1])}
        columns.append([said[places[text]] for text in new.text(name)])
    return np.array([known.index(", ".join(row)) for row in zip(*columns, strict=True)])


def _stratum_names(table: Table, strata: list[str]) -> list[list[str]]:
    """The levels of each variable as R's strata() writes them: from the second variable on of one width."""
    short = all(table.is_factor(name) for name in strata)
    out = []
    for i, name in enumerate(strata):
        said = [label if short else f"{name}={label}" for label in table.codes(name)[1]]
        width = 0 if short or i == 0 else max(map(len, said))
        out.append([each.ljust(width) for each in said])
    return out


def _upright(values: np.ndarray) -> np.ndarray:
    """R drops the dimension of a single patient, and what is left becomes a column."""
    return values.T if len(values) == 1 else values


def _matrix(values: np.ndarray) -> dict[str, Any]:
    """As the references write a matrix."""
    return {"matrix": values}
