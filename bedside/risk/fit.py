"""Fitting the Cox model: a light ridge, gaps filled, and every decision told in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from bedside.cohort import Cohort, Outcome, Variable
from bedside.competing.checks import check_entry
from bedside.errors import Fixable
from bedside.regression.likelihood import Partial
from bedside.risk.choice import chosen
from bedside.risk.design import Design, build, level_label
from bedside.risk.efron import Maximum, NotConverged, baseline, likelihood, maximise, solve
from bedside.risk.model import Model, ModelTest
from bedside.risk.training import Target
from bedside.survival.checks import merge_ties
from bedside.tails import chi2_tail

FEWEST_EVENTS = 10
EVENTS_PER_COEFFICIENT = 10
MANY_COLUMNS = 60
MUCH_MISSING = 0.4
STILL_MOVING = 3e-5
"""Share of a coefficient that the next Newton step would add: R warns of an infinite one above it."""

Progress = Callable[[float, str], None]


def fit(
    cohort: Cohort,
    outcome: Outcome | str,
    *,
    variables: Sequence[str] | None = None,
    penalizer: float | None = None,
    knots: int = 0,
    progress: Progress | None = None,
) -> Model:
    """A Cox model of an outcome, with a light ridge.

    Maximises the log partial likelihood with Efron's ties minus n·penalizer/2 · Σ (sd_j β_j)², where sd_j is
    the standard deviation of the j-th design column: what lifelines' ``CoxPHFitter(penalizer=...)`` maximises,
    divided there by n. Missing values become the training median or the commonest level; the log scale reads
    what lies below half the smallest positive training value as that half.

    Parameters
    ----------
    cohort : Cohort
        At least 2 patients and 10 events.
    outcome : Outcome or str
        One of the cohort's; with competing events, the composite.
    variables : sequence of str, optional
        Column names. Default: the cohort's predictors. Taken in dictionary order.
    penalizer : float, optional
        At least 0. Default: 1/n, which weighs each standardised coefficient as if it had a normal prior with
        mean 0 and standard deviation 1; with more than 60 design columns, or more columns than half the
        events, p/n, so that all p of them together have that prior variance.
    knots : int, default 0
        0 for straight lines; 3 to 5 for a restricted cubic spline of each continuous variable.
    progress : callable, optional
        Called with a share from 0 to 1 and a sentence.

    Returns
    -------
    Model
        Deterministic: the same cohort gives the same bits on the same machine. Its `variance` is the inverse
        of the penalised information (at penalizer 0, of the plain one, as in R); its `cautions` are to be
        shown with it.

    Raises
    ------
    Fixable
        Fewer than 2 patients or 10 events, a variable that can't be a predictor, nothing left to predict
        with, or coefficients without a finite value at penalizer 0.

    References
    ----------
    Cox (1972), JRSS B 34:187-220. Efron (1977), JASA 72:557-565. Verweij & Van Houwelingen (1994), Stat Med
    13:2427-2436. At penalizer 0 equal to R ``coxph(Surv(time, event) ~ ...)``.
    """
    outcome = cohort.outcome(outcome) if isinstance(outcome, str) else outcome
    asked = chosen(cohort, variables)
    event = cohort.event(outcome)
    check_size(len(cohort), int(event.sum()), outcome)
    named = {"outcome": outcome, "cohort_key": cohort.key, "cohort_fingerprint": cohort.fingerprint}
    named["entry"] = cohort.entry(outcome)
    return fit_rows(
        cohort.frame, cohort.time(outcome), event, asked, penalizer=penalizer, knots=knots, progress=progress, **named
    )


def fit_rows(
    frame: pd.DataFrame,
    time: np.ndarray,
    event: np.ndarray,
    variables: Sequence[Variable],
    *,
    entry: np.ndarray | None = None,
    outcome: Outcome,
    cohort_key: str,
    cohort_fingerprint: str,
    penalizer: float | None = None,
    knots: int = 0,
    progress: Progress | None = None,
    target: Target = "any",
) -> Model:
    """The model of some rows of a cohort; `fit` is this after its checks.

    With `entry` a patient is at risk in (entry, time], as in R's ``Surv(entry, time, event)``.
    """
    tell = progress or _silent
    tell(0.05, "Reading the variables")
    design, x = build(frame, time, event, variables, knots=knots)
    if not design.terms:
        raise Fixable(
            "No model for this selection.",
            "None of the variables can predict here. " + " ".join(d.why for d in design.dropped),
            "Choose other variables, or include more patients.",
        )
    n, p = x.shape
    deaths = int(event.sum())
    used, raised = ridge_of(penalizer, n, p, deaths)
    tell(0.35, "Fitting the Cox model")
    time, entry = check_entry(entry, merge_ties(time))
    of = likelihood(time, event, x / design.scale, entry=entry)
    best, variance = solved(of, design.scale, n * used)
    coef = best.beta / design.scale
    tell(0.8, "Working out the baseline")
    base = baseline(of, best.beta, design.scale, last=time.max())
    for array in (coef, variance, base.time, base.hazard, base.cumulative, base.variance, base.drift):
        array.flags.writeable = False
    tell(1.0, "Model ready")
    return Model(
        cohort_key=cohort_key,
        cohort_fingerprint=cohort_fingerprint,
        outcome=outcome,
        design=design,
        coef=coef,
        variance=variance,
        penalizer=used,
        log_likelihood=best.value,
        log_likelihood_null=best.at_zero,
        tests=_tests(best, n * used),
        n=n,
        n_events=deaths,
        baseline=base,
        cautions=cautions_of(design, x, event, best, raised=raised),
        strong_ridge=raised,
        target=target,
        settings={"penalizer": used, "knots": knots},
    )


def _silent(_share: float, _sentence: str) -> None:
    """Progress that nobody asked for."""


def ridge_of(penalizer: float | None, n: int, p: int, events: int) -> tuple[float, bool]:
    """The ridge to use, and whether the default was raised for want of events."""
    raised = penalizer is None and (p > MANY_COLUMNS or p > events / 2)
    return (p if raised else 1) / n if penalizer is None else _checked(penalizer), raised


def _checked(penalizer: float) -> float:
    if not (np.isfinite(penalizer) and penalizer >= 0):
        raise ValueError("penalizer must be a finite number of at least 0")
    return float(penalizer)


def check_size(n: int, events: int, outcome: Outcome) -> None:
    """Stop with the reason where there are fewer than 2 patients or 10 events."""
    if n < 2:
        raise Fixable(
            "No model for this selection.",
            "A model compares patients, and " + ("there is only one." if n else "there are none."),
            "Include more patients.",
        )
    if events < FEWEST_EVENTS:
        counted = f"{events} patient{'s' if events != 1 else ''}" if events else "no patient"
        raise Fixable(
            "No model for this selection.",
            f"“{outcome.label}” occurred in {counted} here; a model of risk needs at least {FEWEST_EVENTS} events.",
            "Include more patients, or choose an outcome that occurred more often.",
        )


def solved(of: Partial, scale: np.ndarray, ridge: float) -> tuple[Maximum, np.ndarray]:
    """The maximum for standardised columns, and the variance of the coefficients in their own units."""
    penalty = np.full(len(scale), ridge)
    try:
        best = maximise(of, penalty)
        inverse = solve(best.information + np.diag(penalty), np.eye(len(penalty)))
    except NotConverged as reason:
        raise Fixable(
            "No model without a ridge.",
            "At least one coefficient has no finite value: its variable separates patients with the event from "
            "those without, or there are too few events for so many variables.",
            "Use the default ridge, or fewer variables.",
        ) from reason
    return best, (inverse + inverse.T) / 2 / np.outer(scale, scale)


def _tests(best: Maximum, ridge: float) -> tuple[ModelTest, ...]:
    wald = float(best.beta @ best.information @ best.beta) + ridge * float(best.beta @ best.beta)
    statistics = {
        "Likelihood ratio": 2 * (best.value - best.at_zero),
        "Wald": wald,
        "Score (log-rank)": best.score_test,
    }
    df = len(best.beta)
    return tuple(ModelTest(name, value, df, chi2_tail(value, df)) for name, value in statistics.items())


def cautions_of(
    design: Design, x: np.ndarray, event: np.ndarray, best: Maximum | None, *, raised: bool
) -> tuple[str, ...]:
    """What the reader of any number from a model should see, from its design, its events and where it came to rest.

    Without `best` nothing is said of coefficients that have no finite value.
    """
    deaths, p = int(event.sum()), len(design.terms)
    told: list[str] = []
    if deaths < EVENTS_PER_COEFFICIENT * p:
        told.append(
            f"{deaths} events for {p} coefficient{'s' if p != 1 else ''} are {deaths / p:.1f} for each; with fewer "
            f"than {EVENTS_PER_COEFFICIENT}, hazard ratios and risks vary much from one group of patients to the next."
        )
    if raised:
        told += [
            "Because there are so many coefficients for these events, the ridge was raised: risks are drawn towards "
            "the cohort's average.",
            "Intervals leave out the pull of this strong ridge and are too narrow.",
        ]
    told += [
        f"The coefficient of “{label}” has no finite value here; its hazard ratio and interval mean nothing."
        for label in ([] if best is None else _infinite(design, best))
    ]
    told += _about_levels(design, x + design.centre, event)
    told += [
        f"{r.variable.label} is missing for {r.missing / len(x):.0%} of the patients; the same value was filled "
        "in for all of them, which weakens what the model can learn from it."
        for r in design.readings
        if r.missing > MUCH_MISSING * len(x)
    ]
    return tuple(told)


def cautions_of_competing(design: Design, label: str, events: int, best: Maximum) -> tuple[str, ...]:
    """What to say of the model of a competing cause, on which the risk of the event rests as well."""
    p = len(design.terms)
    told = []
    if events < EVENTS_PER_COEFFICIENT * p:
        told.append(
            f"The risk rests on a second model too, that of the competing “{label}”: {events} "
            f"event{'s' if events != 1 else ''} for {p} coefficient{'s' if p != 1 else ''} are {events / p:.1f} for "
            f"each there, fewer than {EVENTS_PER_COEFFICIENT}."
        )
    if infinite := _infinite(design, best):
        named = ", ".join(f"“{name}”" for name in infinite)
        told.append(f"In the model of the competing “{label}” there is no finite coefficient for {named}.")
    return tuple(told)


def _infinite(design: Design, best: Maximum) -> list[str]:
    moving = np.abs(best.left) > STILL_MOVING * np.maximum(np.abs(best.beta), 1e-3)
    return [term.label for term, moves in zip(design.terms, moving, strict=True) if moves]


def _about_levels(design: Design, x: np.ndarray, event: np.ndarray) -> list[str]:
    """What to say of levels, from the uncentred design matrix."""
    told: list[str] = []
    for reading in design.readings:
        wanted = reading.variable.reference_code
        if wanted is not None and reading.reference != wanted and wanted not in reading.rare:
            usual, now = reading.variable.label_of(wanted), reading.variable.label_of(reading.reference)
            told.append(
                f"No patient here has the usual reference of {reading.variable.label}, “{usual}”; "
                f"“{now}” takes its place."
            )
    for term in design.terms:
        if term.level is not None and not event[x[:, term.column] > 0.5].any():
            told.append(
                f"No patient with “{term.label}” had the event, so its hazard ratio rests on the ridge rather than "
                "on what was seen."
            )
    return told + _about_references(design, x, event)


def _about_references(design: Design, x: np.ndarray, event: np.ndarray) -> list[str]:
    """A caution for each variable none of whose patients at the reference level had the event."""
    told: list[str] = []
    for reading in design.readings:
        columns = [term.column for term in design.terms if term.variable == reading.variable.name]
        if reading.reference is not None and not event[(x[:, columns] < 0.5).all(axis=1)].any():
            named = level_label(reading.variable, reading.reference)
            told.append(
                f"No patient with “{named}” had the event. The other levels are compared with it, so their hazard "
                "ratios rest on the ridge rather than on what was seen."
            )
    return told
