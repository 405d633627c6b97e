"""What validation found, in words and cells: pure text, nothing drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from bedside.report import say
from bedside.validation import Calibrated, Comparison, DCalibration, Difference, Score
from bedside.validation.calibration import Estimate
from bedside.validation.compare import WORDS, limit
from bedside.validation.decision_at import NetBenefit
from bedside.validation.resample import NULL
from components import unseen

READ = {
    "harrell": "pairs of patients ranked rightly; 0.5 is chance, higher is better",
    "uno": "the same, not swayed by who was censored when",
    "auc": "those with the event by then ranked above those without; 0.5 is chance",
    "brier": "mean squared distance of risk from what happened; lower is better",
    "ibs": "the same over all times; lower is better",
    "ipa": "how much of that distance the model takes away; 0 is no use, below 0 harm",
    "slope_at": "all patients together; 1 is right, below 1 risks are too extreme",
    "observed_expected": "1 is right on average; above 1 risks are too low",
    "ici": "all patients together; mean distance of risk from the calibration curve; 0 is right",
}
SHARES = ("harrell", "uno", "auc")
"""Measures that lie between 0 and 1."""
DIFFERENCES = ("harrell", "auc", "brier", "ibs")
MANY_CENSORED = 0.25
"""Beyond this share, a test of the spread of risks that finds nothing says so with less weight."""
FLIPPED = {"better": "worse", "worse": "better"}


def ranking(found: unseen.Ranking, label: str) -> str:
    """How well a model ranks, as a count of pairs."""
    if math.isnan(found.c):
        return f"How well the {label} ranks patients is not known: no two of them can be compared."
    whom = "patients it had not seen" if found.folds > 1 else "the patients it learnt from"
    weak = f", {found.verdict}" if found.verdict else ""
    return (
        f"Of 100 pairs of {whom}, the {label} ranks {100 * found.c:.0f} rightly{found.between}{weak}; 50 would be "
        "chance."
    )


def truth(found: Calibrated, within: str) -> str:
    """What it said on average, and what happened."""
    overall = found.overall
    seen = overall.observed
    if math.isnan(seen.risk):
        return f"What happened {within} is not known: follow-up is too short."
    between = "" if math.isnan(seen.lower) else f" ({say.range_of_100(seen.lower, seen.upper)})"
    said = say.of_100(overall.expected)
    share = say.of_100(seen.risk).removesuffix(" of 100")
    return f"On average it said {said}, and {share} had the event{between} {within}."


def alone(value: float) -> str:
    """``"0.708"``: a measure taken once, of all patients together."""
    return "–" if math.isnan(value) else _plain(value)


def score_cell(score: Score, folds: int) -> str:
    """``"0.708 (0.642 to 0.774; SD 0.035)"``, with the number of folds where not all have a value."""
    mean, lower, upper = unseen.interval(np.array(score.folds), folds)
    if math.isnan(mean):
        return "–"
    if score.key in SHARES:
        lower, upper = max(lower, 0.0), min(upper, 1.0)
    shown, of = _plain(mean), len(score.folds)
    if upper - lower > 1e-9:
        shown = f"{shown} ({_plain(lower)} to {_plain(upper)}; SD {_plain(score.sd)})"
    return shown if score.known == of else f"{shown} ({score.known} of {of} folds)"


def _plain(value: float) -> str:
    return f"{value:.3f}".replace("-", "−")


Together = Mapping[str, Mapping[str, float]]
"""By model, measures that are taken of all patients together."""


def scores(
    of: Comparison, t: float, keys: Sequence[str], when: str, together: Together
) -> list[tuple[str, str, list[str]]]:
    """For each measure: its key, its name with the time `when`, and a cell for each model and the baseline."""
    rows = []
    for key in keys:
        cells, name = [], ""
        for card in (*of.cards, of.baseline):
            try:
                score = card.get(key, t)
            except KeyError:
                cells.append("–")
                continue
            name = name or named(score, when)
            # A model without predictors takes nothing away from its own distance.
            if key == "ipa" and card.kind == NULL:
                cells.append("0")
                continue
            whole = together.get(card.kind, {}).get(key)
            cells.append(score_cell(score, of.folds) if whole is None else alone(whole))
        rows.append((key, name, cells))
    return rows


def named(score: Score, when: str) -> str:
    """A measure with its time: ``"Brier score at 4 years"``."""
    return score.name if score.t is None else f"{score.name.removesuffix(' at the time')} at {when}"


def against(of: Comparison, other: str, shown: str, key: str, t: float) -> tuple[str, ...]:
    """A measure of one model less that of the shown one: ``("+0.004", "(−0.010 to 0.018)", "within noise")``."""
    found = _difference(of, other, shown, key, t)
    if found is None:
        return ("–",)
    turned = found.first == shown
    mean, lower, upper = (-found.mean, -found.upper, -found.lower) if turned else (found.mean, found.lower, found.upper)
    verdict = FLIPPED.get(found.verdict, found.verdict) if turned else found.verdict
    if math.isnan(lower):
        return "–", WORDS["unknown"]
    sure = verdict != "noise"
    between = f"({limit(lower, sure=sure)} to {limit(upper, sure=sure)})"
    fewer = () if found.folds == of.folds * of.repeats else (f"{found.folds} of {of.folds * of.repeats} folds",)
    return _signed(mean), between, WORDS[verdict].removeprefix("but "), *fewer


def _difference(of: Comparison, other: str, shown: str, key: str, t: float) -> Difference | None:
    for each in of.differences:
        same_time = each.t is None or math.isclose(each.t, t)
        if each.key == key and same_time and {each.first, each.second} == {other, shown}:
            return each
    return None


def _signed(value: float) -> str:
    shown = f"{value:+.3f}"
    return "0.000" if shown in ("-0.000", "+0.000") else shown.replace("-", "−")


def evenly(found: DCalibration | None) -> str:
    """D-calibration in a sentence."""
    if found is None:
        return "D-calibration has no definition where other events compete."
    if math.isnan(found.p):
        return "Whether risks are spread as they should be can't be told (D-calibration): too few events."
    degrees = f"{found.df} degree{'s' * (found.df != 1)} of freedom"
    test = f"chi-squared {found.statistic:.1f} on {degrees}, {say.p_value(found.p)}"
    if found.p < 0.05:
        return f"Over all times risks are not spread as they should be (D-calibration: {test})."
    told = f"Over all times nothing speaks against the spread of risks (D-calibration: {test})."
    if found.censored <= MANY_CENSORED:
        return told
    return f"{told} {100 * found.censored:.0f} of 100 patients were censored, so that a wrong spread is harder to see."


def reading(of: Comparison) -> list[str]:
    """What models side by side come to, with those that are no better than the average in one sentence."""
    useless = [
        card.label
        for card in of.cards
        if any(
            {d.first, d.second} == {card.kind, NULL} and d.key == "ibs" and d.verdict != "better"
            for d in of.differences
        )
    ]
    told = [text for text in of.reading if "than the same risk for everybody" not in text]
    if not useless:
        return told
    which = "None of them is" if len(useless) == len(of.cards) > 1 else f"{' and '.join(useless)}: not"
    return [*told, f"{which} clearly closer to what happened, over all follow-up, than the same risk for everybody."]


def decision(found: NetBenefit, label: str, *, better: bool) -> str:
    """What going by a model is worth at one threshold, per 1,000 patients; no claim where it is no `better` than the
    average."""
    at = found.threshold
    odds = (1 - at) / at
    weigh = f"{odds:.0f}" if odds >= 2 else f"{odds:.1f}"
    start = (
        f"At a threshold of {100 * at:.0f} of 100 (a missed event weighs as much as {weigh} needless treatments), "
        f"going by the {label} {1000 * found.treated:.0f} of 1,000 would be treated, of whom "
        f"{1000 * found.right:.0f} have the event."
    )
    if not better:
        return f"{start} {unseen.NO_BETTER} So nothing is claimed of what going by it is worth."
    worth = 1000 * found.model.value
    net = (
        f"Needless treatments taken off, that is worth the same as {worth:.0f} events treated rightly and nobody "
        f"treated needlessly{_between(found.model)}."
        if worth >= 0.5
        else f"Needless treatments outweigh them: {_more(found.model)} events treated rightly than by treating nobody."
    )
    return f"{start} {net} Beside treating everybody it is worth {_more(found.beyond_everybody)}.{_sure(found)}"


def _sure(found: NetBenefit) -> str:
    """Whether it does better than both, treating everybody and nobody."""
    if found.model.lower > 0 and found.beyond_everybody.lower > 0:
        return ""
    return " It is not clearly better than treating " + (
        "everybody." if found.beyond_everybody.value <= found.model.value else "nobody."
    )


def _between(found: Estimate) -> str:
    lower, upper = (f"{1000 * end:.0f}".replace("-0", "0").replace("-", "−") for end in (found.lower, found.upper))
    return f" ({lower} to {upper})"


def _more(found: Estimate) -> str:
    size = f"{abs(1000 * found.value):.0f}"
    told = "the same" if size == "0" else f"{size} {'more' if found.value > 0 else 'fewer'}"
    return f"{told}{_between(found)}"
