"""Fitting a penalised Cox model: a path for each mix of penalties, and the strength that predicts best."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from bedside.errors import Fixable
from bedside.risk.design import Design, build
from bedside.risk.fit import FEWEST_EVENTS, check_size
from bedside.risk.fitted import Progress
from bedside.risk.hazards import combine
from bedside.risk.penalised_cv import cross_validate
from bedside.risk.penalised_likelihood import Likelihood
from bedside.risk.penalised_model import Hazard, Penalised, restore_penalised
from bedside.risk.penalised_path import Path, Problem, problem_of, solve_path
from bedside.risk.training import Training
from bedside.risk.tuning import stratified_folds

__all__ = ["Hazard", "Penalised", "fit_penalised", "restore_penalised"]

ALPHAS = (1.0, 0.5, 0.1)
"""Lasso, half and half, and nearly ridge: from few variables to many."""
FOLDS = 5
N_LAMBDAS, N_WIDE = 50, 30
SMALLEST, SMALLEST_WIDE = 1e-3, 0.05
"""How far a path goes down from its largest lambda: less far with more columns than patients."""
MUCH_MISSING = 0.4
RULES = ("min", "1se")


@dataclass(frozen=True)
class _Asked:
    """Settings after their checks; None is to be chosen."""

    alpha: float | None
    penalty: float | None
    rule: str


def fit_penalised(
    rows: Training,
    *,
    settings: Mapping[str, float | int | str] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Penalised:
    """An elastic net Cox model, for more variables than a plain one can carry.

    Gaps are filled and categories read as in the Cox model. The strength of the penalty, and unless it is given the
    mix of its two parts, have the lowest cross-validated partial-likelihood deviance in folds with equal shares of
    events. Breslow's ties and baseline. With target ``"event"`` each kind of event has its own model, with the same
    settings asked of it; one with fewer than 10 events gets a baseline without variables.

    Parameters
    ----------
    rows : Training
    settings : mapping, optional
        ``alpha``: 1 lasso to 0 ridge; default: the best of 1, .5 and .1. ``lambda``: strength of the penalty, in
        glmnet's unit. ``rule``: ``"min"``, the best lambda (default), or ``"1se"``, the strongest that is within
        one standard error of it, which keeps fewer variables.
    seed : int
        Of the folds.
    progress : callable, optional

    Raises
    ------
    Fixable
        Fewer than 2 patients or 10 events, nothing to predict with, or a setting outside its range.

    References
    ----------
    Simon, Friedman, Hastie & Tibshirani (2011), J Stat Softw 39(5). R: ``cv.glmnet(x, y, family = "cox")``.
    """
    check_size(len(rows), int(rows.event.sum()), rows.outcome)
    asked, tell = _checked(settings or {}), progress or _silent
    tell(0.02, "Reading the variables")
    design, x = build(rows.frame, rows.time, rows.cause > 0, rows.variables, combinations=True)
    if not design.terms:
        raise Fixable(
            "No model for this selection.",
            "None of the variables can predict here. " + " ".join(d.why for d in design.dropped),
            "Choose other variables, or include more patients.",
        )
    causes = [int(cause) for cause in np.unique(rows.cause) if cause > 0]
    full = []
    for i, cause in enumerate(causes):
        part = _part(tell, 0.1 + 0.9 * i / len(causes), 0.9 / len(causes))
        full.append(_hazard(rows, cause, design, x, asked, seed, part))
    kept_columns = np.any([hazard.coef != 0 for hazard in full], axis=0)
    small, columns = _restricted(design, kept_columns)
    own = full[0]
    model = Penalised(
        outcome=rows.outcome,
        target=rows.target,
        cohort_key=rows.cohort_key,
        cohort_fingerprint=rows.cohort_fingerprint,
        n=len(rows),
        n_events=int(rows.event.sum()),
        design=small,
        last=float(rows.time.max()),
        settings={"alpha": own.alpha, "lambda": own.penalty, "rule": asked.rule},
        cautions=_cautions(rows, design, small, full),
        hazards=tuple(replace(hazard, coef=hazard.coef[columns]) for hazard in full),
        offered=len(design.readings),
    )
    tell(1.0, "Model ready")
    return model


def _silent(_share: float, _sentence: str) -> None:
    """Progress that nobody asked for."""


def _part(tell: Progress, begin: float, width: float) -> Progress:
    """Progress of a part as progress of the whole."""

    def told(share: float, sentence: str) -> None:
        tell(begin + width * share, sentence)

    return told


def _checked(settings: Mapping[str, float | int | str]) -> _Asked:
    """Settings as numbers, or the reason why not."""
    what, back = "These settings can't be used.", "Correct the setting, or leave it out to have it chosen."
    numbers: dict[str, float | None] = {"alpha": None, "lambda": None}
    for name in numbers:
        if name not in settings:
            continue
        value = settings[name]
        if isinstance(value, str) or not np.isfinite(value) or value < 0 or (name == "alpha" and value > 1):
            span = "between 0 and 1" if name == "alpha" else "of at least 0"
            raise Fixable(what, f"“{name}” must be a number {span}.", back)
        numbers[name] = float(value)
    rule = str(settings.get("rule", "min"))
    if rule not in RULES:
        raise Fixable(what, "“rule” must be “min” or “1se”.", back)
    return _Asked(numbers["alpha"], numbers["lambda"], rule)


def _hazard(
    rows: Training, cause: int, design: Design, x: np.ndarray, asked: _Asked, seed: int, tell: Progress
) -> Hazard:
    """Path, choice and baseline of one kind of event."""
    event = rows.cause == cause
    deaths = int(event.sum())
    problem = problem_of(x, rows.time, event, entry=rows.entry)
    if deaths < FEWEST_EVENTS:
        coef, path, alpha, penalty = np.zeros(x.shape[1]), None, float("nan"), float("nan")
    else:
        path, coef = _chosen(problem, asked, _folds(event, seed), tell)
        alpha, penalty = path.alpha, float(path.chosen or 0.0)
        ever = np.flatnonzero((path.coef != 0).any(axis=0))
        path = replace(path, coef=path.coef[:, ever], names=tuple(design.terms[j].label for j in ever))
    time, increment = _breslow(problem.likelihood, x, coef)
    return Hazard(cause, deaths, coef, time, increment, alpha, penalty, path)


def _folds(event: np.ndarray, seed: int) -> np.ndarray:
    return stratified_folds(event, max(2, min(FOLDS, int(event.sum()) // 2)), seed)


def _chosen(problem: Problem, asked: _Asked, fold: np.ndarray, tell: Progress) -> tuple[Path, np.ndarray]:
    """The path in use, and its coefficients at the chosen lambda."""
    n, p = problem.x.shape
    count, smallest = (N_WIDE, SMALLEST_WIDE) if p > n else (N_LAMBDAS, SMALLEST)
    # Beyond a column for every second event a path only follows noise, and takes most of the time.
    most = None if p <= n else max(np.count_nonzero(problem.likelihood.deaths) // 2, 1)
    alphas = ALPHAS if asked.alpha is None else (asked.alpha,)
    if asked.penalty is not None and asked.alpha is None:
        alphas = ALPHAS[:1]
    best: Path | None = None
    for i, alpha in enumerate(alphas):
        part = _part(tell, i / len(alphas), 1 / len(alphas))
        fitting, judging = (
            _said(part, at, f"Paths of penalised models, {i + 1} of {len(alphas)}") for at in (0.0, 0.2)
        )
        path = solve_path(problem, alpha, n_lambdas=count, smallest=smallest, most=most, tell=fitting)
        if asked.penalty is not None:
            return _at_lambda(problem, path, asked.penalty)
        curve = cross_validate(problem, path, fold, tell=judging)
        chosen = curve.lambda_min if asked.rule == "min" else curve.lambda_1se
        path = replace(path, curve=curve, chosen=chosen)
        if best is None or curve.mean.min() < best.curve.mean.min():
            best = path
    return best, best.coef[int(np.flatnonzero(best.lambdas == best.chosen)[0])]


def _said(tell: Progress, begin: float, sentence: str) -> Callable[[float], None]:
    """Progress of the paths of one mix, a fifth of it, or of their folds, the rest."""
    width = 0.2 if begin == 0 else 0.8

    def told(share: float) -> None:
        tell(begin + width * share, sentence)

    return told


def _at_lambda(problem: Problem, path: Path, penalty: float) -> tuple[Path, np.ndarray]:
    """The model at a lambda of the reader's own, reached along the path."""
    way = np.append(path.lambdas[path.lambdas > penalty], penalty)
    found = solve_path(problem, path.alpha, lambdas=way)
    if len(found.lambdas) < len(way):
        raise Fixable(
            "No model with this penalty.",
            "It is too light for so few events: at least one coefficient has no finite value.",
            "Choose a larger lambda, or leave it out to have it chosen.",
        )
    return replace(found, chosen=penalty), found.coef[-1]


def _breslow(likelihood: Likelihood, x: np.ndarray, coef: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Event times and steps of Breslow's cumulative baseline hazard, for covariates at the centre."""
    kept = np.flatnonzero(coef)
    eta = combine(x[:, kept], coef[kept])[likelihood.order]
    steps = likelihood.at_event / (likelihood.at(eta).total * np.exp(eta.max()))
    return likelihood.sets.time[::-1].copy(), steps[::-1].copy()


def _restricted(design: Design, kept: np.ndarray) -> tuple[Design, np.ndarray]:
    """The design of the variables with a coefficient, and which columns of the whole one it has."""
    names = {design.terms[j].variable for j in np.flatnonzero(kept)}
    terms = [term for term in design.terms if term.variable in names]
    columns = np.array([term.column for term in terms], dtype=int)
    small = Design(
        readings=tuple(reading for reading in design.readings if reading.variable.name in names),
        terms=tuple(replace(term, column=k) for k, term in enumerate(terms)),
        centre=design.centre[columns],
        scale=design.scale[columns],
        dropped=design.dropped,
    )
    return small, columns


def _cautions(rows: Training, design: Design, small: Design, hazards: list[Hazard]) -> tuple[str, ...]:
    """What the reader of any number from the model should see."""
    offered, kept = len(design.readings), len(small.readings)
    told: list[str] = []
    if not kept:
        told.append(
            f"The penalty left none of the {offered} variables in the model: nothing here predicts beyond chance, and "
            "everybody gets the cohort's own risk."
        )
    elif kept < offered:
        told.append(
            f"The penalty kept {kept} of {offered} variables; which ones it keeps varies from one group of patients to "
            "the next, and one left out may be as good as one kept that resembles it."
        )
    if kept:
        told.append("Coefficients are drawn towards 0 by the penalty, so they have no interval and no p-value.")
    for hazard in hazards:
        if hazard.path is None:
            label = rows.outcome.cause_labels[hazard.cause - 1]
            told.append(
                f"“{label}” occurred in {hazard.n_events} here, too few to tell patients apart: its hazard is taken as "
                "the same for everybody."
            )
    told += [
        f"{r.variable.label} is missing for {r.missing / len(rows):.0%} of the patients; the same value was filled "
        "in for all of them, which weakens what the model can learn from it."
        for r in small.readings
        if r.missing > MUCH_MISSING * len(rows)
    ]
    return tuple(told)
