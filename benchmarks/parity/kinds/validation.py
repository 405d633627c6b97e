"""How well given risks predict. Risks and scores are inputs that the reference hands over.

Options that all kinds of this file share: ``time``, ``event`` (an expression that is 1 where the event was seen; with
``competing``, an expression that is 1 where another event was), ``entry`` (delayed entry), ``risk`` (predicted risks,
as a matrix, a list or an expression; or ``{"cox": {"data", "time", "event", "terms", "times"}}``, those of a Cox model
with Breslow's ties: near 1 a printed risk has too few digits), ``times`` or ``t`` (with a matrix
of risks, ``column`` is the one of ``t``, from 0), ``score`` (linear predictors).

``validation_score``
    What ``riskRegression::Score`` gives for one model and the null model: AUC and Brier score with standard errors
    and intervals, IBS, IPA and the contrast with the null model. ``model`` is its name. With ``models``, a mapping of
    names to risks, it gives those instead, in that order.
``validation_weights``
    AUC and Brier score by censoring weights: ``G_test_left`` and the others; the curves ``G_test_at_times`` and
    ``G_train_at_times``. ``train`` is an expression for the time, the event, and the data of training:
    ``{"data": {...}, "time": ..., "event": ...}``.
``truncated_concordance``
    ``pec::cindex``.
``royston_d``
``calibration``
    A block of the script's ``calib``; ``groups`` is the number of groups of risk.
``calibration_set``
    A list of them, one for each of ``times``, ``risk`` being a matrix.
``decision_curve``, ``decision_curve_set``
    Net benefit at ``thresholds``.
``risk_groups``
    Tertiles (or ``groups``) of a score with their Kaplan-Meier curves and log-rank test; ``labels`` names them.
``pseudo_values``
    Of the risk at ``times``, as a matrix.
``weak_calibration``
    Intercept and slope from pseudo-values at ``t``.
``predicted_cox``
    Coefficients of a Cox model with Breslow's and with Efron's ties, and what the first predicts for other rows:
    ``terms``, ``times``, ``newdata`` (data of those rows), ``part`` (the one key of these to give).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bedside.regression.baseline import baselines
from bedside.regression.cox import fit_cox
from bedside.regression.data import CoxData, cox_data
from bedside.risk.pseudo import pseudo_incidence
from bedside.validation import accuracy, calibration, decision, discrimination
from bedside.validation.calibration_curve import smooth_calibration
from bedside.validation.measure import Measure, Rows, contrast, rows_of
from bedside.validation.risk_groups import risk_groups as grouped
from bedside.validation.weak import weak_calibration as weak_calibration_of
from bedside.validation.weights import censoring_curve
from benchmarks.parity.kinds import kind
from benchmarks.parity.kinds.curves import km
from benchmarks.parity.kinds.tests import log_rank_block
from benchmarks.parity.table import Table

NULL = "Null model"


def _rows(table: Table, block: dict[str, Any]) -> Rows:
    cause = (table.number(block["event"]) == 1).astype(int)
    if block.get("competing") is not None:
        cause = np.where(table.number(block["competing"]) == 1, 2, cause)
    entry = None if block.get("entry") is None else table.number(block["entry"])
    return rows_of(table.number(block["time"]), cause, entry)


def _given(table: Table, value: Any) -> np.ndarray:
    """Numbers that the reference hands over, or a column."""
    if isinstance(value, str):
        return table.number(value)
    if isinstance(value, dict) and "cox" in value:
        told = value["cox"]
        return _predicted(table.other(told["data"]), table, told)["predicted_risk_test"]["matrix"]
    return np.asarray(value["matrix"] if isinstance(value, dict) else value, dtype=float)


def _one(table: Table, block: dict[str, Any]) -> np.ndarray:
    """Risks by one time: a list, or a column of a matrix."""
    risk = _given(table, block["risk"])
    return risk[:, block.get("column", 0)] if risk.ndim > 1 else risk


def _times(block: dict[str, Any]) -> np.ndarray:
    return np.atleast_1d(np.asarray(block["times"], dtype=float))


def _stacked(measures: dict[str, Measure], name: str) -> dict[str, Any]:
    parts = list(measures.values())
    return {
        "model": [model for model, m in measures.items() for _ in m.times],
        "times": np.concatenate([m.times for m in parts]),
        name: np.concatenate([m.value for m in parts]),
        "se": np.concatenate([m.std_err for m in parts]),
        "lower": np.concatenate([m.lower for m in parts]),
        "upper": np.concatenate([m.upper for m in parts]),
    }


def _contrasts(pairs: list[tuple[Measure, Measure]], name: str) -> dict[str, Any]:
    """By time, and within a time by pair, as R prints them."""
    found = [contrast(first, second) for first, second in pairs]

    def column(part: str) -> np.ndarray:
        return np.column_stack([getattr(c, part) for c in found]).ravel()

    told = {"times": "times", name: "difference", "se": "std_err", "lower": "lower", "upper": "upper", "p": "p"}
    return {key: column(part) for key, part in told.items()}


@kind("validation_score")
def validation_score(table: Table, block: dict[str, Any]) -> object:
    """Score's tables."""
    rows, times = _rows(table, block), _times(block)
    given = block.get("models") or {block.get("model", "Cox"): block["risk"]}
    risks = {name: _given(table, risk) for name, risk in given.items()}
    null = accuracy.null_risk(rows.time, rows.cause, times, entry=rows.entry)
    areas = {
        name: discrimination.auc(rows.time, rows.cause, risk, times, entry=rows.entry) for name, risk in risks.items()
    }
    briers = {
        name: accuracy.brier(rows.time, rows.cause, risk, times, entry=rows.entry)
        for name, risk in {NULL: null, **risks}.items()
    }
    summed = [accuracy.integrated_brier(times, m.value, rule="step") for m in briers.values()]
    ipa = [accuracy.prediction_accuracy(m.value, briers[NULL].value) for m in briers.values()]
    names = list(risks)
    out = {
        "AUC": _stacked(areas, "AUC"),
        "Brier": _stacked(briers, "Brier") | {"IBS": np.concatenate(summed), "IPA": np.concatenate(ipa)},
        "Brier_contrasts": _contrasts(
            [(briers[b], briers[a]) for i, a in enumerate([NULL, *names]) for b in [NULL, *names][i + 1 :]],
            "delta.Brier",
        ),
    }
    if len(names) > 1:
        pairs = [(areas[b], areas[a]) for i, a in enumerate(names) for b in names[i + 1 :]]
        out["AUC_contrasts"] = _contrasts(pairs, "delta.AUC")
    return out


CONVENTIONS = ("G_test_left", "G_test_at", "G_train_left", "G_train_at", "G_test_left_plain_reverse_km")


@kind("validation_weights")
def validation_weights(table: Table, block: dict[str, Any]) -> object:
    """AUC and Brier score under each convention."""
    rows, times, risk = _rows(table, block), _times(block), _given(table, block["risk"])
    learnt = table.other(block["train"]["data"])
    train = (learnt.number(block["train"]["time"]), learnt.number(block["train"]["event"]) == 1)
    out: dict[str, Any] = {
        convention: {
            "brier": accuracy.brier(rows.time, rows.cause, risk, times, convention=convention, train=train).value,
            "auc": discrimination.auc(rows.time, rows.cause, risk, times, convention=convention, train=train).value,
        }
        for convention in CONVENTIONS
    }
    out["G_test_at_times"] = censoring_curve(rows.time, rows.event).at(times)
    out["G_train_at_times"] = censoring_curve(*train).at(times)
    return out


@kind("truncated_concordance")
def truncated_concordance(table: Table, block: dict[str, Any]) -> object:
    """pec's cindex."""
    rows, times = _rows(table, block), _times(block)
    risk = _given(table, block["risk"])
    return {"times": times, "cindex": discrimination.truncated_concordance(rows.time, rows.cause, risk, times)}


@kind("royston_d")
def royston_d(table: Table, block: dict[str, Any]) -> object:
    """D and its explained variation."""
    rows = _rows(table, block)
    found = discrimination.royston_d(rows.time, rows.cause, _given(table, block["score"]), entry=rows.entry)
    return {"D": found.d, "se": found.std_err, "R2_D": found.r2}


@kind("calibration")
def calibration_block(table: Table, block: dict[str, Any]) -> object:
    """One block of calib."""
    score = _given(table, block["score"]) if block.get("score") is not None else None
    return _calibration(_rows(table, block), _one(table, block), score, block["t"], block)


def _calibration(
    rows: Rows, risk: np.ndarray, score: np.ndarray | None, t: float, block: dict[str, Any]
) -> dict[str, Any]:
    given = (rows.time, rows.cause, risk, t)
    overall = calibration.overall_calibration(*given, entry=rows.entry, extend=True)
    groups = calibration.calibration_groups(*given, groups=block.get("groups", 10), entry=rows.entry, extend=True)
    smooth = smooth_calibration(*given, entry=rows.entry)
    out = {
        "time": t,
        "observed_risk_km": overall.observed.risk,
        "observed_lower": overall.observed.lower,
        "observed_upper": overall.observed.upper,
        "mean_predicted": overall.expected,
        "O_over_E": overall.ratio,
        "groups": {
            "n": [g.n for g in groups],
            "mean_predicted": [g.predicted for g in groups],
            "observed": [g.observed for g in groups],
            "lower": [g.lower for g in groups],
            "upper": [g.upper for g in groups],
        },
    }
    if score is not None:
        slope = calibration.calibration_slope(rows.time, rows.cause, score, entry=rows.entry)
        out["calibration_slope"] = {"est": slope.value, "se": slope.std_err}
    if smooth is not None:
        out["smooth_calibration"] = {
            "knots": list(smooth.knots), "observed": smooth.own,
            "ICI": smooth.ici, "E50": smooth.e50, "E90": smooth.e90, "Emax": smooth.emax,
        }  # fmt: skip
    return out


@kind("calibration_set")
def calibration_set(table: Table, block: dict[str, Any]) -> object:
    """calib at each time."""
    rows, risk, score = _rows(table, block), _given(table, block["risk"]), _given(table, block["score"])
    return [_calibration(rows, risk[:, j], score, float(t), block) for j, t in enumerate(_times(block))]


@kind("decision_curve")
def decision_curve(table: Table, block: dict[str, Any]) -> object:
    """Net benefit at one time."""
    return _decision(_rows(table, block), _one(table, block), block["t"], block["thresholds"])


def _decision(rows: Rows, risk: np.ndarray, t: float, thresholds: Any) -> dict[str, Any]:
    found = decision.decision_curve(rows.time, rows.cause, risk, t, thresholds=thresholds, entry=rows.entry)
    return {
        "time": t,
        "thresholds": found.thresholds,
        "net_benefit_model": found.model,
        "net_benefit_all": found.everybody,
        "net_benefit_none": found.nobody,
        "n_above": found.n_above,
    }


@kind("decision_curve_set")
def decision_curve_set(table: Table, block: dict[str, Any]) -> object:
    """Net benefit at each time."""
    rows, risk = _rows(table, block), _given(table, block["risk"])
    return [_decision(rows, risk[:, j], float(t), block["thresholds"]) for j, t in enumerate(_times(block))]


@kind("risk_groups")
def risk_groups(table: Table, block: dict[str, Any]) -> object:
    """Groups of a score, their curves and the test."""
    rows, score = _rows(table, block), _given(table, block["score"])
    labels = tuple(block.get("labels", ("low", "mid", "high")))
    found = grouped(rows.time, rows.cause, score, groups=block.get("groups", 3), labels=labels)
    names = np.array(found.labels)[found.codes]
    told = {**block, "group": "g", "intervals": ["log", "log-log"]}
    with_groups = Table(table.frame.assign(g=names), {"g": list(found.labels)})
    return {"km": km(with_groups, told), "logrank": log_rank_block(with_groups, told)}


@kind("pseudo_values")
def pseudo_values(table: Table, block: dict[str, Any]) -> object:
    """The jackknife."""
    rows = _rows(table, block)
    return {"matrix": pseudo_incidence(rows.time, rows.cause, _times(block), entry=rows.entry)}


@kind("weak_calibration")
def weak_calibration(table: Table, block: dict[str, Any]) -> object:
    """Intercept and slope by estimating equations."""
    rows = _rows(table, block)
    found = weak_calibration_of(rows.time, rows.cause, _one(table, block), block["t"], entry=rows.entry)
    return {
        "intercept": {"est": found.intercept.value, "se": found.intercept.std_err},
        "slope": {"est": found.slope.value, "se": found.slope.std_err},
    }


@kind("predicted_cox")
def predicted_cox(table: Table, block: dict[str, Any]) -> object:
    """A Cox model of these rows and its risks of others: 1 - exp(-H0(t) exp(lp)), Breslow's H0."""
    return _predicted(table, table.other(block["newdata"]), block)[block["part"]]


def _predicted(table: Table, others: Table, block: dict[str, Any]) -> dict[str, Any]:
    data, new = _cox_data(table, block), _columns(others, block)
    fit = fit_cox(data, ties="breslow")
    (base,) = baselines(fit)
    at = np.concatenate(([0.0], base.cumulative))[np.searchsorted(base.time, _times(block), side="right")]
    lp = new @ fit.coef
    coef = dict(zip(block["terms"], fit.coef, strict=True))
    # As R has it, to the last digit near 1: not by expm1.
    risk = 1 - np.exp(-np.outer(np.exp(lp - fit.means @ fit.coef), at))
    return {
        "coef": coef,
        "coef_efron": dict(zip(block["terms"], fit_cox(data, ties="efron").coef, strict=True)),
        "times": _times(block),
        "predicted_risk_test": {"matrix": risk},
        "lp_test": lp,
        "risk": risk[:, 0],
        "n": len(data),
    }


def _cox_data(table: Table, block: dict[str, Any]) -> CoxData:
    return cox_data(_columns(table, block), table.number(block["time"]), table.number(block["event"]) == 1)


def _columns(table: Table, block: dict[str, Any]) -> np.ndarray:
    return np.column_stack([table.number(term) for term in block["terms"]])
