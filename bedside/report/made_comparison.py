"""How the findings of the comparison page were made: methods, the analysed rows, and scripts that recompute them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bedside.cohort import Cohort, Outcome
from bedside.cohort.groups import Grouping
from bedside.report import made_scripts_comparison as scripts
from bedside.report import say
from bedside.report.made import Made, Table
from bedside.report.made_words import sentence, software
from bedside.treatment import Adjusted, Standardised
from bedside.treatment.adjusted import complete_cases

DATA = "comparison-data.csv"
ESTIMANDS = {
    "ate": "plain inverse probability weights 1/e, for the whole cohort (average treatment effect)",
    "ate_stabilised": "stabilised inverse probability weights, the share of a patient's own group over its "
    "propensity, for the whole cohort (average treatment effect)",
    "att": "weights e(target)/e, for the patients of one group (average treatment effect in the treated)",
    "overlap": "overlap weights (1/e over the sum of 1/e of all groups; Li, Morgan & Zaslavsky 2018), for patients who "
    "might have been in any group",
}


def curves_made(
    cohort: Cohort, outcome: Outcome, grouping: Grouping, covariates: Sequence[str], *, weighted: Adjusted | None,
    standard: Standardised | None, at: float, filters: Sequence[str] = (),
) -> Made:  # fmt: skip
    """How curves with and without adjustment, and their hazard ratios, were made.

    Parameters
    ----------
    cohort, outcome, grouping, covariates
        As in `treatment.adjusted`.
    weighted : Adjusted or None
    standard : Standardised or None
        What was found; without either, the methods alone are given.
    at : float
        Time at which shares are compared, in the outcome's unit.
    filters : sequence of str
        The filter in words.

    Returns
    -------
    Made
        Its scripts print, for each group, the weighted curve and its share at `at`, and the weighted hazard ratios;
        bedside's fits the model of the weights anew and standardises too.

    Raises
    ------
    Fixable
        As `treatment.adjusted`.
    """
    text = [_who(cohort, outcome, grouping, covariates, weighted or standard, filters)]
    text += [_weighting(weighted)] if weighted is not None else []
    text += [_standardising(standard)] if standard is not None else []
    if weighted is None and standard is None:
        return Made(" ".join([*text, "Survival was estimated by the Kaplan-Meier method.", software(cohort)]))
    text += ["Only recorded covariates were adjusted for; confounding by others remains.", software(cohort)]
    told = scripts.Told(
        labels=grouping.labels,
        unit=outcome.unit,
        at=at,
        entry=bool(outcome.entry),
        weighted=weighted,
        standard=standard,
    )
    held = [("bedside", scripts.bedside(told, DATA))]
    held += [("lifelines", scripts.lifelines(told, DATA))] if weighted is not None else []
    return Made(" ".join(text), tuple(held), _rows(cohort, outcome, grouping, covariates, weighted), DATA)


def balance_made(
    cohort: Cohort, outcome: Outcome, grouping: Grouping, covariates: Sequence[str], found: Adjusted,
    filters: Sequence[str] = (),
) -> Made:  # fmt: skip
    """How weights and balance were made; the scripts are those of the weighted curves."""
    made = curves_made(
        cohort, outcome, grouping, covariates, weighted=found, standard=None, at=float(found.curves[0].last),
        filters=filters,
    )  # fmt: skip
    extra = (
        " Balance is the standardised mean difference: the difference of (weighted) means, or shares of a level, over "
        "the root of the mean of the groups' unweighted variances (Austin & Stuart 2015). The effective sample size is "
        "the squared sum of weights over the sum of squared weights."
    )
    return replace(made, methods=made.methods + extra)


def _who(
    cohort: Cohort, outcome: Outcome, grouping: Grouping, covariates: Sequence[str],
    found: Adjusted | Standardised | None, filters: Sequence[str],
) -> str:  # fmt: skip
    inside = grouping.codes >= 0
    n, seen = int(inside.sum()), int(cohort.event(outcome)[inside].sum())
    if isinstance(found, Adjusted):
        n, seen = sum(found.n), sum(found.events)
    elif found is not None:
        n, seen = found.n, found.events
    # Labels keep their capitals, as on the page: one may begin with a name.
    labels = [cohort.variable(name).label for name in covariates]
    chosen = f" Patients were chosen by: {'; '.join(filters)}." if filters else ""
    lost = (
        f" {say.patients(found.dropped)} with a missing value left out." if found is not None and found.dropped else ""
    )
    return (
        f"{outcome.label} was compared between {len(grouping.labels)} groups by “{grouping.title}” in "
        f"{say.patients(n)} of “{cohort.title}” ({sentence(cohort.source.citation)}) with {say.events(seen)}.{chosen} "
        f"Complete cases were analysed.{lost} Adjusted for: {', '.join(labels)}."
    )


def _weighting(found: Adjusted) -> str:
    k = len(found.labels)
    model = "logistic" if k == 2 else "multinomial logistic"
    weights, truncated = found.weights, ""
    if weights.truncated:
        low, high = 100 * weights.truncated, 100 - 100 * weights.truncated
        truncated = f", truncated at percentiles {low:g} and {high:g} ({weights.n_truncated:,} weights)"
    target = f" (target: “{found.labels[weights.target]}”)" if weights.target is not None else ""
    error = (
        f"{found.resamples - found.failed} bootstrap samples in which the propensity model was fitted anew"
        if found.resamples
        else "infinitesimal-jackknife (robust) standard errors, which take the weights as known"
    )
    return (
        f"Propensities e were estimated by {model} regression on the covariates and turned into "
        f"{ESTIMANDS[weights.estimand]}{target}{truncated}. Weighted Kaplan-Meier curves have log(−log) "
        f"{found.level:.0%} confidence intervals from {error}; weighted hazard ratios are from a Cox model with "
        "Efron's ties and robust standard errors."
    )


def _standardising(found: Standardised) -> str:
    error = (
        f"{found.resamples - found.failed} bootstrap samples"
        if found.resamples
        else "the delta method (influence functions)"
    )
    return (
        "Standardised survival (g-formula) is the mean of the survival that a Cox model (Breslow's ties) with group "
        "and covariates predicts for every patient, with everybody in one group and then in another; "
        f"{found.level:.0%} intervals are from {error}."
    )


def _rows(
    cohort: Cohort, outcome: Outcome, grouping: Grouping, names: Sequence[str], weighted: Adjusted | None
) -> Table:
    """The complete cases: time, event, entry, number of the group, weight, and the columns of the model."""
    found, rows, codes, _ = complete_cases(cohort, outcome, grouping, names)
    columns: list[tuple[str, np.ndarray]] = [("time", rows.time), ("event", rows.event.astype(int))]
    columns += [("entry", rows.entry)] if rows.entry is not None else []
    columns += [("group", codes + 1)]
    columns += [("weight", weighted.weights.value)] if weighted is not None else []
    columns += [(f"x{j} {column.label}", found.x[:, j - 1]) for j, column in enumerate(found.columns, start=1)]
    header = tuple(name for name, _ in columns)
    return header, list(zip(*(values.tolist() for _, values in columns), strict=True))
