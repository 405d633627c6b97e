"""Survival curves: Kaplan-Meier and its relatives, restricted means, landmarks.

Options that all kinds of this file share: ``time``, ``event`` (1 where the event was seen), ``entry`` (delayed entry),
``weight``, ``cluster`` (rows of one patient), each a column or expression or null; ``group``, a column or a list of
columns. A row is left out where one of them is missing. Groups are named ``column=level``, or ``overall`` without any,
and several columns are joined by ", ", the last varying fastest. A landmark analysis is ``where`` and ``derive``.

``kaplan_meier``
    Each group's curve with everything that is read off it, as ``survfit`` and ``summary`` give it: ``n``,
    ``conf_int``, ``strata/<group>/{time, n_risk, n_event, n_censor, surv, std_err_surv, std_err_cumhaz_scale,
    cumhaz_nelson_aalen, std_err_chaz, ci, quantiles, at_times, rmst, summary_table}``. Options: ``times`` (values
    there, carried on beyond follow-up), ``taus`` (restricted means), ``level`` (0.95), ``intervals`` (all five:
    plain, log, log-log, logit, arcsin), ``quantiles`` (0.25, 0.5, 0.75), ``estimator``, ``robust``.
``survival_curves``
    The groups' curves one after the other: ``n``, ``time``, ``strata_sizes``, ``n_risk``, ``n_event``, ``n_censor``,
    ``n_risk_weighted``, ``n_event_weighted`` (the same numbers), ``surv``, ``cumhaz``, ``std_chaz``,
    ``std_err_surv``, ``std_err_robust_surv`` (the same numbers), ``lower_log``, ``upper_log`` and so on for each
    interval. Options: ``estimator`` (kaplan-meier, nelson-aalen, fleming-harrington), ``robust`` (true for the
    infinitesimal jackknife, false for Greenwood; by default as R decides), ``level``, ``start`` (only patients
    followed beyond this time; the curve starts there).
``follow_up_quantiles``
    Quantiles of the reverse Kaplan-Meier curve: ``{quantile, lower, upper}/<percent>``. Options: ``quantiles``
    (0.5), ``level``, ``interval`` (log).
``restricted_mean_contrast``
    RMST of two arms as survRM2 has it: ``arm0``, ``arm1``, ``difference``, ``ratio``. Options: ``arm`` (expression,
    1 for the arm that is compared with the other), ``tau``, ``level`` (0.95).
``milestone_contrasts``
    Survival at ``times`` in each group, and every group against the first: ``groups/<group>/{surv, std_err, lower,
    upper}``, ``contrasts/<group>/{difference, lower, upper, p, ratio, ratio_lower, ratio_upper, p_loglog}``.
    Options: ``times``, ``level``, ``interval`` (log-log).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from bedside.survival import (
    Curve,
    milestones,
    restricted_mean,
    restricted_means,
    reverse_kaplan_meier,
    summaries,
)
from bedside.survival.build import curve_of
from bedside.survival.events import Rows, rows_of, tabulate
from bedside.survival.intervals import interval_of
from benchmarks.parity.expression import missing
from benchmarks.parity.kinds import kind, option
from benchmarks.parity.table import Table

SCALES = ("plain", "log", "log-log", "logit", "arcsin")
QUARTILES = (0.25, 0.5, 0.75)


@kind("kaplan_meier")
def km(table: Table, block: dict[str, Any]) -> object:
    """Every number of R's survfit and its summaries, by group."""
    level = option(block, "level", 0.95)
    intervals = option(block, "intervals", SCALES)
    curves = _curves(table, block, interval="log", level=level)
    printed = summaries(list(curves.values()))
    scales = {name: {scale: _rescaled(curve, scale) for scale in intervals} for name, curve in curves.items()}
    return {
        "n": [curve.n for curve in curves.values()],
        "conf_int": level,
        "strata": {
            name: _steps(curve, scales[name])
            | {
                "quantiles": {s: _quantiles(c, option(block, "quantiles", QUARTILES)) for s, c in scales[name].items()},
                "at_times": _at(curve, scales[name], np.sort(option(block, "times", []))),
                "rmst": [_rmst(curve, tau) for tau in option(block, "taus", [])],
                "summary_table": {
                    "records": p.records, "n.max": p.n_max, "n.start": p.n_start, "events": p.events,
                    "rmean": p.mean, "se(rmean)": p.mean_std_err, "median": p.median,
                    f"{level:.15g}LCL": p.lower, f"{level:.15g}UCL": p.upper,
                },
            }
            for (name, curve), p in zip(curves.items(), printed, strict=True)
        },
    }  # fmt: skip


@kind("survival_curves")
def survival_curves(table: Table, block: dict[str, Any]) -> object:
    """The columns of a survfit object, group after group."""
    curves = list(_curves(table, block, interval="log", level=option(block, "level", 0.95)).items())

    def joined(name: str) -> np.ndarray:
        return np.concatenate([getattr(curve, name)[1:] for _, curve in curves])

    told = {
        "time": "time", "n_risk": "at_risk", "n_event": "events", "n_censor": "censored", "surv": "survival",
        "n_risk_weighted": "at_risk", "n_event_weighted": "events", "cumhaz": "cumulative_hazard",
        "std_chaz": "hazard_std_err", "std_err_surv": "std_err", "std_err_robust_surv": "std_err",
    }  # fmt: skip
    limits: dict[str, np.ndarray] = {}
    for scale in SCALES:
        turned = [_rescaled(curve, scale) for _, curve in curves]
        for side in ("lower", "upper"):
            limits[f"{side}_{scale}"] = np.concatenate([getattr(c, side)[1:] for c in turned])
    return {
        "n": sum(curve.n for _, curve in curves),
        "strata_sizes": {name: len(curve.time) - 1 for name, curve in curves},
        **{key: joined(name) for key, name in told.items()},
        **limits,
    }


@kind("follow_up_quantiles")
def follow_up_quantiles(table: Table, block: dict[str, Any]) -> object:
    """Median follow-up and its like."""
    rows = _rows(table, block)[0]
    curve = reverse_kaplan_meier(
        rows.time, rows.event, entry=rows.entry,
        level=option(block, "level", 0.95), interval=option(block, "interval", "log"),
    )  # fmt: skip
    found = {f"{100 * p:.15g}": curve.quantile(p) for p in option(block, "quantiles", (0.5,))}
    return {part: {name: q[i] for name, q in found.items()} for i, part in enumerate(("quantile", "lower", "upper"))}


@kind("restricted_mean_contrast")
def restricted_mean_contrast(table: Table, block: dict[str, Any]) -> object:
    """Two arms up to one time."""
    arm = table.number(block["arm"])
    rows, codes, _ = _rows(table.rows(~np.isnan(arm)), {**block, "group": block["arm"]})
    level = option(block, "level", 0.95)
    curves = [_curve(rows.take(codes == i), block, group=str(i), interval="log", level=level) for i in (0, 1)]
    found = restricted_means(curves, block["tau"], level=level, extend=True)
    (contrast,) = found.contrasts
    arms = {
        f"arm{i}": {"tau": g.tau, "rmst": g.mean, "se": g.std_err, "rmtl": g.lost} for i, g in enumerate(found.groups)
    }
    effects = {
        name: {"est": e.estimate, "se": e.std_err, "lower": e.lower, "upper": e.upper, "p": e.p}
        for name, e in (("difference", contrast.difference), ("ratio", contrast.ratio))
    }
    return {"tau": found.tau, **arms, **effects}


@kind("milestone_contrasts")
def milestone_contrasts(table: Table, block: dict[str, Any]) -> object:
    """Groups at chosen times, each against the first."""
    curves = _curves(
        table, block, interval=option(block, "interval", "log-log"), level=option(block, "level", 0.95)
    )  # fmt: skip
    found = milestones(list(curves.values()), block["times"])
    groups: dict[str, dict[str, list[float]]] = {}
    for m in found.points:
        _put(groups.setdefault(m.group, {}), surv=m.survival, std_err=m.std_err, lower=m.lower, upper=m.upper)
    contrasts: dict[str, dict[str, list[float]]] = {}
    for c in found.contrasts:
        d, r = c.difference, c.ratio
        _put(
            contrasts.setdefault(c.group, {}), difference=d.estimate, lower=d.lower, upper=d.upper, p=d.p,
            ratio=r.estimate, ratio_lower=r.lower, ratio_upper=r.upper, p_loglog=c.p,
        )  # fmt: skip
    return {"groups": groups, "contrasts": contrasts}


def _put(into: dict[str, list[float]], **values: float) -> None:
    for name, value in values.items():
        into.setdefault(name, []).append(value)


def _rows(table: Table, block: dict[str, Any]) -> tuple[Rows, np.ndarray, tuple[str, ...]]:
    """Checked columns of the rows that lack nothing, and their groups."""
    codes, labels = _groups(table, block.get("group"))
    time, event = table.number(block["time"]), table.number(block["event"])
    entry, weight = (None if block.get(name) is None else table.number(block[name]) for name in ("entry", "weight"))
    cluster = None if block.get("cluster") is None else table.text(block["cluster"])
    lacking = np.isnan(time) | np.isnan(event) | (codes < 0)
    for column in (entry, weight, cluster):
        if column is not None:
            lacking |= missing(column)
    use = ~lacking
    given = [None if c is None else c[use] for c in (entry, weight, cluster)]
    return rows_of(time[use], event[use], entry=given[0], weights=given[1], cluster=given[2]), codes[use], labels


def _groups(table: Table, group: str | list[str] | None) -> tuple[np.ndarray, tuple[str, ...]]:
    names = [] if group is None else [group] if isinstance(group, str) else group
    codes, labels = np.zeros(len(table), dtype=int), ("",)
    for name in names:
        more, levels = table.codes(name)
        codes = np.where((codes < 0) | (more < 0), -1, codes * len(levels) + more)
        said = [f"{name}={level}" for level in levels]
        # As R's strata(): from the second column on of one width.
        width = max(map(len, said), default=0)
        labels = tuple(f"{a}, {b.ljust(width)}" if a else b for a in labels for b in said)
    return codes, labels if names else ("overall",)


def _curves(table: Table, block: dict[str, Any], *, interval: str, level: float) -> dict[str, Curve]:
    rows, codes, labels = _rows(table, block)
    return {
        label: _curve(rows.take(codes == i), block, group=label, interval=interval, level=level, among=rows)
        for i, label in enumerate(labels)
        if (codes == i).any()
    }


def _curve(
    rows: Rows, block: dict[str, Any], *, group: str, interval: str, level: float, among: Rows | None = None
) -> Curve:
    """One group's curve; whether it is robust depends on everybody's weights."""
    robust, start = block.get("robust"), option(block, "start", 0.0)
    if robust is None:
        weights = (among or rows).weights
        robust = rows.cluster is not None or (weights is not None and bool((weights % 1 != 0).any()))
    used = rows.alive_at(start) if start else rows
    return curve_of(
        tabulate(used), group=group, level=level, interval=interval, origin=start,
        estimator=option(block, "estimator", "kaplan-meier"), rows=used if robust else None,
    )  # fmt: skip


def _rescaled(curve: Curve, scale: str) -> Curve:
    """The same curve with its interval on another scale: made anew only where its limits are asked for."""
    lower, upper = interval_of(curve.survival, curve.log_std_err, level=curve.level, interval=scale)
    lower[0] = upper[0] = 1.0
    return replace(curve, lower=lower, upper=upper, interval=scale)


def _steps(curve: Curve, scales: dict[str, Curve]) -> dict[str, object]:
    told = {
        "time": "time", "n_risk": "at_risk", "n_event": "events", "n_censor": "censored", "surv": "survival",
        "std_err_surv": "std_err", "std_err_cumhaz_scale": "log_std_err", "cumhaz_nelson_aalen": "cumulative_hazard",
        "std_err_chaz": "hazard_std_err",
    }  # fmt: skip
    return {key: getattr(curve, name)[1:] for key, name in told.items()} | {
        "ci": {scale: {"lower": c.lower[1:], "upper": c.upper[1:]} for scale, c in scales.items()}
    }


def _quantiles(curve: Curve, shares: tuple[float, ...]) -> dict[str, object]:
    found = np.array([curve.quantile(p) for p in shares])
    return {"p_event": shares, "time": found[:, 0], "lower": found[:, 1], "upper": found[:, 2]}


def _at(curve: Curve, scales: dict[str, Curve], times: np.ndarray) -> dict[str, object]:
    """Values at chosen times; the risk set is that of R, which looks up the next time of the curve."""
    points = curve.at(times, extend=True)
    row = np.searchsorted(curve.time[1:], times, side="left")
    limits = {scale: c.at(times, extend=True) for scale, c in scales.items()}
    return {
        "times": times,
        "n_risk": np.append(curve.at_risk[1:], 0)[row],
        "n_event_since_previous": np.diff(curve.counts(times).events, prepend=0),
        "n_censor_since_previous": np.diff(curve.counts(times).censored, prepend=0),
        "surv": points.survival,
        "std_err": points.std_err,
        "ci": {scale: {"lower": p.lower, "upper": p.upper} for scale, p in limits.items()},
    }


def _rmst(curve: Curve, tau: float) -> dict[str, float]:
    # Greenwood's variance for robust curves as well, as survfit's summary has it.
    found = restricted_mean(replace(curve, influence=None), tau, extend=True)
    return {"tau": found.tau, "rmst": found.mean, "se": found.std_err}
