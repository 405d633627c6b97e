"""Scores of a cohort's patients: which can be computed from its columns, and what came true in each group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bedside.cohort.declared import selection_of
from bedside.cohort.groups import Grouping
from bedside.cohort.units import convert
from bedside.errors import Fixable
from bedside.risk.scores import SCORES
from bedside.risk.scores.base import Results, Score
from bedside.risk.scores.inputs import Input
from bedside.survival.estimate import curves_by

if TYPE_CHECKING:
    from bedside.cohort import Cohort, Outcome
    from bedside.cohort.variable import Variable

Given = Mapping[str, str | float]
"""Inputs that are the same for everybody in a cohort: where its patients live, or that no node was positive."""


@dataclass(frozen=True)
class Match:
    """Whether a cohort carries what a score needs.

    Attributes
    ----------
    score : Score
    columns : dict of str to str
        Column of each input that was found.
    missing : tuple of (str, str)
        Key of each input without which there is no score, and why it is not there.
    assumed : tuple of str
        Sentences on inputs that are not recorded and are read by their default.
    """

    score: Score
    columns: dict[str, str]
    missing: tuple[tuple[str, str], ...]
    assumed: tuple[str, ...] = ()

    @property
    def ready(self) -> bool:
        """True if nothing is missing."""
        return not self.missing


@dataclass(frozen=True)
class Observed:
    """What happened to the patients of one group of a score; risks from 0 to 1.

    ``risk`` is 1 minus Kaplan-Meier, NaN where follow-up had ended; its limits are NaN also where nobody had the event.
    ``events`` are those until then, ``at_risk`` the patients under observation just before. ``published`` is the mean
    of the risks that the score gives them for that time, NaN if it gives none.
    """

    label: str
    meaning: str
    n: int
    events: int
    at_risk: int
    risk: float
    lower: float
    upper: float
    published: float


@dataclass(frozen=True)
class ObservedByScore:
    """Observed risks by group of a score, and how many patients have no score.

    ``by_fourths`` is True where the score has no published groups, so that the cohort's own fourths are shown.
    """

    score: str
    outcome: str
    time: float
    groups: tuple[Observed, ...]
    unscored: int
    by_fourths: bool


def scores_for(cohort: Cohort, given: Given | None = None) -> tuple[Match, ...]:
    """Every score, with the columns it would use or what is missing.

    Parameters
    ----------
    cohort : Cohort
        Its dictionary says by ``concept`` which column is which input.
    given : mapping, optional
        Inputs that are the same for all patients.

    Returns
    -------
    tuple of Match
        Those that can be computed first, then those that lack least.
    """
    found = [match(cohort, score, given) for score in SCORES.values()]
    return tuple(sorted(found, key=lambda m: len(m.missing)))


def made_from(cohort: Cohort, score: Score) -> np.ndarray:
    """The patients from whom a score was made, as the cohort's dictionary declares: on them it is not tested.

    Returns
    -------
    array of bool, shape (n,)
    """
    found = np.zeros(len(cohort), dtype=bool)
    for made in cohort.made_scores:
        if made.score == score.key:
            found |= selection_of(made).mask(cohort) if made.where else True
    return found


def match(cohort: Cohort, score: Score, given: Given | None = None) -> Match:
    """Whether a cohort carries what one score needs."""
    by_concept = {v.concept: v for v in cohort.variables if v.concept}
    columns, missing, assumed = {}, [], []
    for item in score.inputs:
        if given is not None and item.key in given:
            continue
        variable = by_concept.get(item.key)
        why = "not recorded" if variable is None else _unfit(item, variable)
        if variable is not None and not why:
            columns[item.key] = variable.name
        elif variable is None and item.default is not None:
            assumed.append(f"{item.label} is not recorded and was read as {item.default} for everybody.")
        else:
            missing.append((item.key, f"{item.label}: {why}"))
    return Match(score, columns, tuple(missing), tuple(assumed))


def _unfit(item: Input, variable: Variable) -> str:
    """Why a column cannot be read as an input; empty if it can."""
    if variable.use == "later":
        return "recorded only after time zero"
    if item.kind == "choice":
        known = {choice.code for choice in item.choices}
        answers = dict(variable.concept_levels)
        codes = {answers.get(code, code) for code in variable.codes}
        return "" if codes & known else "its levels are not matched with the answers of the score"
    if not variable.is_numeric:
        return "not recorded as a number"
    if item.factor(variable.unit) is None:
        unit = variable.unit
        return f"recorded in {unit}, which cannot be converted" if unit else "its unit is not declared"
    return ""


def score_cohort(score: Score, cohort: Cohort, given: Given | None = None) -> Results:
    """A score of every patient of a cohort.

    Parameters
    ----------
    score : Score
    cohort : Cohort
    given : mapping, optional
        Inputs that are the same for all patients, in the formula's unit.

    Returns
    -------
    Results
        Arrays of shape (n_patients,); NaN where an input is missing.

    Raises
    ------
    Fixable
        If the cohort does not carry what the score needs.
    """
    found = match(cohort, score, given)
    if not found.ready:
        raise Fixable(
            f"No {score.name} for this cohort.",
            f"It lacks: {'; '.join(why for _, why in found.missing)}.",
            "Declare the column by concept in the dictionary, or choose a score whose inputs are recorded.",
        )
    values, units = {}, {}
    for key, value in (given or {}).items():
        values[key] = np.full(len(cohort), value, dtype=object if isinstance(value, str) else float)
    for key, name in found.columns.items():
        variable, item = cohort.variable(name), score.input(key)
        if item.kind == "choice":
            answers = dict(variable.concept_levels)
            values[key] = cohort.frame[name].astype(object).map(lambda code, to=answers: to.get(code, code)).to_numpy()
        else:
            values[key] = cohort.frame[name].to_numpy(dtype=float)
            units[key] = variable.unit
    return score.compute_many(values, units)


def observed_by_score(
    cohort: Cohort, outcome: Outcome, score: Score, t: float, *, given: Given | None = None, level: float = 0.95
) -> ObservedByScore:
    """What came true by time t in each group of a score, in this cohort.

    Parameters
    ----------
    cohort : Cohort
    outcome : Outcome
        With competing events, their composite.
    score : Score
    t : float
        Time in the outcome's unit.
    given : mapping, optional
        Inputs that are the same for all patients.
    level : float, default 0.95

    Returns
    -------
    ObservedByScore
        A group for each published one that has patients, in ascending order; fourths of the cohort by the value
        where the score publishes none.

    Raises
    ------
    Fixable
        If the score cannot be computed for this cohort, or for nobody in it.

    References
    ----------
    R: ``1 - summary(survfit(Surv(time, event) ~ group, conf.type = "log-log"), times = t)$surv``.
    """
    results = score_cohort(score, cohort, given)
    if not results.scored.any():
        raise Fixable(
            f"No {score.name} for these patients.",
            "Each of them lacks at least one input.",
            "Widen the filter, or choose another score.",
        )
    labels, meanings, codes = _groups(score, results)
    taken = np.unique(codes[codes >= 0])
    grouping = grouping_by_score(score, results)
    published = _published(score, results, convert(t, outcome.unit, "years"))
    groups = []
    for k, curve in zip(taken, curves_by(cohort, outcome, grouping, level=level), strict=True):
        point, counts, here = curve.at([t]), curve.counts([t]), codes == k
        groups.append(
            Observed(
                label=labels[k],
                meaning=meanings[k],
                n=int(here.sum()),
                events=int(counts.events[0]),
                at_risk=int(counts.at_risk[0]),
                risk=float(1 - point.survival[0]),
                lower=float(1 - point.upper[0]),
                upper=float(1 - point.lower[0]),
                published=float(published[here].mean()),
            )
        )
    return ObservedByScore(score.key, outcome.key, t, tuple(groups), grouping.dropped_missing, not score.groups)


def grouping_by_score(score: Score, results: Results) -> Grouping:
    """Patients by the score's published groups, or by the cohort's own fourths where it has none.

    Only groups with patients, ascending; -1 where there is no score.
    """
    labels, _, codes = _groups(score, results)
    taken = np.unique(codes[codes >= 0])
    place = np.full(len(labels), -1)
    place[taken] = np.arange(len(taken))
    compact = np.where(codes >= 0, place[codes], -1)
    return Grouping(tuple(labels[k] for k in taken), compact, int((compact < 0).sum()), score.name)


def _groups(score: Score, results: Results) -> tuple[list[str], list[str], np.ndarray]:
    if score.groups:
        return [g.label for g in score.groups], [g.meaning for g in score.groups], results.group
    scored = results.scored
    cuts = np.unique(np.quantile(results.value[scored], (0.25, 0.5, 0.75)))
    codes = np.where(scored, np.searchsorted(cuts, results.value, side="left"), -1)
    words = ("Lowest fourth", "Second fourth", "Third fourth", "Highest fourth")
    labels = list(words) if len(cuts) == 3 else [f"Part {k + 1}" for k in range(len(cuts) + 1)]
    ends = [score.say(cut) for cut in cuts]
    return labels, [f"up to {end}" for end in ends] + [f"above {ends[-1]}"], codes


def _published(score: Score, results: Results, years: float) -> np.ndarray:
    """Each patient's published risk for that horizon, NaN if there is none."""
    for of in score.risk_of:
        if abs(of.years - years) <= 1e-6 * of.years:
            return results.risks[of.key]
    return np.full(len(results.value), np.nan)
