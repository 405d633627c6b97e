"""Kinds of blocks about several types of event, and several states.

``time`` is the end of follow-up, ``cause`` its type: 0 for censored, else the number of the type of event, from 1.
Any of them may be an expression. Rows where a column that is asked for is missing are left out.

``aalen_johansen``
    ``time``, ``cause``; ``group`` (none: all rows under ``overall``), ``times``, ``entry``, ``weight``, ``level``,
    ``causes`` (how many types there are; default the largest number). Per group: values at ``times`` by type
    (``cif_cause1``, ``se_cause1``, ``ci``, ...), ``full`` steps, ``cmprsk`` (Aalen's variance), ``prodlim_cause1`` and
    ``naive_1_minus_km_cause1``.
``gray_test``
    ``time``, ``cause``, ``group``, ``strata`` (list of columns), ``rho``.
``fine_gray``
    ``time``, ``cause``, ``of`` (number of the type), ``terms`` (columns of numbers), ``newdata`` (columns by term),
    ``times``. cmprsk's form, and below ``via_survival_finegray`` survival's; with ``entry`` the latter alone.
``cause_specific``
    ``time``, ``cause``, ``terms``, ``newdata``, ``times``: below ``cause1``, ... a Cox model with Efron's ties each,
    then absolute risks (``csc_absolute_risk_cause1``, ..., ``csc_absolute_risk_cause1_exp``) with ``ties``, by
    default Breslow's.
``state_occupation``
    ``id``, ``start``, ``stop``, ``event`` (0, or the position of the state entered in ``states``, of which the first,
    number 0, is where everybody begins), ``states``, ``group``, ``times``, ``tau`` (for ``rmean``).
``multi_state_cox``
    ``id``, ``start``, ``stop``, ``event``, ``states``, ``terms`` (columns of numbers), ``ties``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from bedside.competing import (
    Histories,
    Incidence,
    cause_specific_models,
    cumulative_incidence,
    fine_gray,
    gray_test,
    histories,
    multi_state_cox,
    occupation,
)
from benchmarks.parity.kinds import kind, option
from benchmarks.parity.kinds.cox import cox
from benchmarks.parity.table import Table

SCALES = ("log", "log-log", "plain")


@kind("aalen_johansen")
def aalen_johansen(table: Table, block: dict[str, Any]) -> object:
    """Cumulative incidence of each type of event by group."""
    time, cause = table.number(block["time"]), table.number(block["cause"])
    size = int(option(block, "causes", np.nanmax(cause)))
    return {
        label: _incidence_block(table, block, time, cause, rows, size)
        for label, rows in _groups(table, block.get("group"), ~(np.isnan(time) | np.isnan(cause)))
    }


def _groups(table: Table, group: str | None, known: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    if group is None:
        yield "overall", known
        return
    codes, labels = table.codes(group)
    yield from ((label, known & (codes == code)) for code, label in enumerate(labels))


def _incidence_block(
    table: Table, block: dict[str, Any], time: np.ndarray, cause: np.ndarray, rows: np.ndarray, size: int
) -> dict[str, Any]:
    # R's summaries put times in order.
    times = np.sort(np.asarray(option(block, "times", []), dtype=float))
    names = tuple(f"cause{k}" for k in range(1, size + 1))
    weighted = {
        name: table.number(block[key])[rows]
        for name, key in (("entry", "entry"), ("weights", "weight"))
        if block.get(key) is not None
    }
    fits = {
        scale: cumulative_incidence(
            time[rows], cause[rows], causes=names, level=option(block, "level", 0.95), interval=scale, **weighted
        )
        for scale in SCALES
    }
    fit = fits["log"]
    points = fit.at(times, extend=True)
    out: dict[str, Any] = {
        "n": fit.n,
        "times": option(block, "times", []),
        "n_risk": points.at_risk,
        "event_free": points.event_free,
        "ci": {scale: _limits(part, times, names) for scale, part in fits.items()},
        "full": {"time": fit.time[1:], "n_risk": fit.at_risk[1:]},
        "cmprsk": {},
    }
    variance = fit.aalen_variance[np.searchsorted(fit.time, times, side="right") - 1]
    beyond = times > fit.last
    for k, name in enumerate(names):
        out[f"cif_{name}"], out[f"se_{name}"] = points.incidence[:, k], points.std_err[:, k]
        out["full"][f"n_{name}"], out["full"][f"cif_{name}"] = fit.events[1:, k], fit.incidence[1:, k]
        out["cmprsk"][f"est_{name}"] = np.where(beyond, np.nan, points.incidence[:, k])
        out["cmprsk"][f"var_{name}"] = np.where(beyond, np.nan, variance[:, k])
        out[f"naive_1_minus_km_{name}"] = points.naive[:, k]
        out[f"prodlim_{name}"] = _prodlim(fits["plain"], times, k)
    return out


def _limits(fit: Incidence, times: np.ndarray, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    points = fit.at(times, extend=True)
    lower = {f"{name}_lower": points.lower[:, k] for k, name in enumerate(names)}
    return lower | {f"{name}_upper": points.upper[:, k] for k, name in enumerate(names)}


def _prodlim(fit: Incidence, times: np.ndarray, k: int) -> dict[str, np.ndarray]:
    """prodlim's summary: counts at the very time, and no standard error once everybody has had an event."""
    points = fit.at(times)
    row = np.searchsorted(fit.time, times, side="right") - 1
    exact = fit.time[row] == times
    gone = points.event_free == 0
    ended = times > fit.last
    columns = {
        "cuminc": points.incidence[:, k], "se.cuminc": points.std_err[:, k],
        "lower": points.lower[:, k], "upper": points.upper[:, k],
    }  # fmt: skip
    columns = {name: np.where(ended | (gone & (name != "cuminc")), np.nan, values) for name, values in columns.items()}
    return {
        "time": times,
        "n.risk": points.at_risk,
        "n.event": np.where(exact, fit.events[row, k], 0),
        "n.lost": np.where(exact, fit.censored[row], 0),
        **columns,
    }


@kind("gray_test")
def gray(table: Table, block: dict[str, Any]) -> object:
    """Gray's test of each type of event."""
    table = _complete(table, block)
    codes, _ = table.codes(block["group"])
    strata = table.combined(block["strata"])[0] if block.get("strata") else None
    rho = float(option(block, "rho", 0))
    tests = gray_test(table.number(block["time"]), table.number(block["cause"]), codes, strata=strata, rho=rho)
    tests = tuple(test for test in tests if test.events.sum())
    return {
        "rho": rho,
        "chisq": [test.statistic for test in tests],
        "p": [test.p for test in tests],
        "df": [test.df for test in tests],
    }


@kind("fine_gray")
def fine_gray_both(table: Table, block: dict[str, Any]) -> object:
    """A Fine-Gray model as cmprsk and as survival have it."""
    table = _complete(table, block)
    x, names = _design(table, block["terms"])
    time, cause, of = table.number(block["time"]), table.number(block["cause"]), int(option(block, "of", 1))
    entry = table.number(block["entry"]) if block.get("entry") else None
    breslow, efron = (
        fine_gray(x, time, cause, of=of, names=names, entry=entry, definition="finegray", ties=ties)
        for ties in ("breslow", "efron")
    )
    out: dict[str, Any] = {
        "cause": of,
        "via_survival_finegray": {
            "coef_breslow": breslow.coef, "se_naive_breslow": breslow.se, "coef_efron": efron.coef,
            "rows": breslow.n_rows,
        },
        "se_efron": efron.se,
    }  # fmt: skip
    if entry is not None:
        return out
    fit = fine_gray(x, time, cause, of=of, names=names)
    out |= {
        "n": fit.n, "coef": fit.coef, "shr": fit.ratio, "se_robust": fit.se, "vcov": {"matrix": fit.variance},
        "p": fit.p, "loglik": fit.loglik, "loglik_null": fit.loglik_null,
    }  # fmt: skip
    if block.get("newdata"):
        out["newX"], out["times"] = block["newdata"], block["times"]
        out["cif_pred"] = list(fit.predict(_asked(block), block["times"]))
    return out


@kind("cause_specific")
def cause_specific(table: Table, block: dict[str, Any]) -> object:
    """A Cox model of each type of event, and absolute risks."""
    table = _complete(table, block)
    x, names = _design(table, block["terms"])
    time, cause = table.number(block["time"]), table.number(block["cause"])
    out: dict[str, Any] = {}
    for k in np.unique(cause[cause > 0]).astype(int):
        seen = table.with_column("_seen", np.where(np.isnan(cause), np.nan, cause == k))
        out[f"cause{k}"] = cox(seen, {"time": block["time"], "event": "_seen", "terms": block["terms"]})
    breslow = cause_specific_models(x, time, cause, names=names, ties=option(block, "ties", "breslow"))
    asked, times, out["newdata"] = _asked(block), block["times"], block["newdata"]
    for k in range(1, len(breslow.causes) + 1):
        risk = breslow.absolute_risk(asked, times, of=k)
        parts = {"risk": risk.risk, "se": risk.std_err, "lower": risk.lower, "upper": risk.upper}
        out[f"csc_absolute_risk_cause{k}"] = {
            "times": times, "newdata": block["newdata"], **{name: {"matrix": part} for name, part in parts.items()}
        }  # fmt: skip
        plain = breslow.absolute_risk(asked, times, of=k, product_limit=False)
        out[f"csc_absolute_risk_cause{k}_exp"] = {"matrix": plain.risk}
    return out


@kind("state_occupation")
def state_occupation(table: Table, block: dict[str, Any]) -> object:
    """Chances of being in each state by group."""
    table = _complete(table, block)
    rows = _histories(table, block)
    codes = np.zeros(len(table), dtype=int) if block.get("group") is None else table.codes(block["group"])[0]
    times = np.sort(np.asarray(block["times"], dtype=float))
    groups = [
        occupation(rows.take(codes[rows.rows] == code), tau=block.get("tau")) for code in np.unique(codes[codes >= 0])
    ]
    points = [group.at(times, extend=True) for group in groups]
    out: dict[str, Any] = {
        "transitions": {"matrix": _seen(rows)},
        "time": np.tile(times, len(groups)),
        "pstate": {"matrix": np.vstack([part.chance for part in points])},
        "std_err": {"matrix": np.vstack([part.std_err for part in points])},
    }
    if block.get("tau") is not None:
        out["rmean"] = {
            "values": {
                "matrix": [
                    [group.n_rows, group.n_entries[state], group.within.mean[state]]
                    for state in range(len(rows.states))
                    for group in groups
                    if group.within is not None
                ]
            }
        }
        out["rmean_se"] = [
            group.within.std_err[state]
            for state in range(len(rows.states))
            for group in groups
            if group.within is not None
        ]
    return out


def _seen(rows: Histories) -> np.ndarray:
    """Transitions without the states nobody was in, and without the columns nobody went to."""
    table = rows.transitions
    visited = table.sum(axis=1) + table[:, :-1].sum(axis=0) > 0
    return table[visited][:, table.sum(axis=0) > 0]


@kind("multi_state_cox")
def multi_state(table: Table, block: dict[str, Any]) -> object:
    """A Cox model of every transition."""
    table = _complete(table, block)
    x, names = _design(table, block["terms"])
    fit = multi_state_cox(_histories(table, block), x, names=names, ties=option(block, "ties", "efron"))
    return {
        "cmap": {"matrix": fit.map}, "coef": fit.coef, "robust_se": fit.robust_se, "naive_se": fit.naive_se,
    }  # fmt: skip


def _histories(table: Table, block: dict[str, Any]) -> Histories:
    return histories(
        table.text(block["id"]).astype(str), table.number(block["start"]), table.number(block["stop"]),
        table.number(block["event"]).astype(int), states=tuple(block["states"]),
    )  # fmt: skip


def _complete(table: Table, block: dict[str, Any]) -> Table:
    """The rows that have every number the block asks for."""
    asked = [block[key] for key in ("time", "cause", "start", "stop", "event") if key in block]
    missing = [np.isnan(table.number(told)) for told in [*asked, *block.get("terms", [])]]
    return table.rows(~np.any(missing, axis=0))


def _design(table: Table, terms: list[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    return np.column_stack([table.number(term) for term in terms]), tuple(terms)


def _asked(block: dict[str, Any]) -> np.ndarray:
    """New patients by column: keyed by term, or in the order of the terms."""
    given = block["newdata"]
    keyed = all(term in given for term in block["terms"])
    return np.column_stack([given[term] for term in block["terms"]] if keyed else list(given.values()))
