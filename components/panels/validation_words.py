"""What validation found, in words and cells: pure text, nothing drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from bedside.report import say
from bedside.validation import Calibrated, Comparison, DCalibration, DecisionCurve, Difference, Score, Scorecard
from bedside.validation.compare import WORDS, limit
from bedside.validation.resample import NULL

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
DIFFERENCES = ("harrell", "auc", "brier", "ibs", "ici")
MANY_CENSORED = 0.25
"""Beyond this share, a test of the spread of risks that finds nothing says so with less weight."""
FLIPPED = {"better": "worse", "worse": "better"}


def ranking(card: Scorecard, label: str) -> str:
    """How well a model ranks, as a count of pairs."""
    c = card.get("harrell")
    if math.isnan(c.mean):
        return f"How well the {label} ranks patients is not known: no two of them can be compared."
    spread = "" if math.isnan(c.sd) else f"SD over folds {100 * c.sd:.0f}; "
    return f"Of 100 pairs of patients, the {label} ranks {100 * c.mean:.0f} rightly ({spread}50 would be chance)."


def truth(found: Calibrated, within: str) -> str:
    """What it said on average, and what happened."""
    overall = found.overall
    seen = overall.observed
    if math.isnan(seen.risk):
        return f"What happened {within} is not known: follow-up is too short."
    between = "" if math.isnan(seen.lower) else f" ({say.range_of_100(seen.lower, seen.upper)})"
    said = say.of_100(overall.expected)
    share = say.of_100(seen.risk).removesuffix(" of 100")
    return f"Where it said {said} on average, {share} had the event{between} {within}."


def mean_sd(mean: float, sd: float) -> str:
    """``"0.708 ± 0.035"``."""
    if math.isnan(mean):
        return "–"
    shown = f"{mean:.3f}".replace("-", "−")
    return shown if math.isnan(sd) or sd < 1e-9 else f"{shown} ± {sd:.3f}"


def score_cell(score: Score) -> str:
    """``"0.708 ± 0.035"``, with the number of folds where not all have a value."""
    shown, of = mean_sd(score.mean, score.sd), len(score.folds)
    return shown if score.known in (0, of) else f"{shown} ({score.known} of {of} folds)"


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
            cells.append(score_cell(score) if whole is None else mean_sd(whole, math.nan))
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


def decision(found: DecisionCurve, threshold: float, label: str) -> str:
    """What going by a model is worth at one threshold, per 1,000 patients."""
    i = min(range(len(found.thresholds)), key=lambda k: abs(float(found.thresholds[k]) - threshold))
    model, everybody = 1000 * float(found.model[i]), 1000 * float(found.everybody[i])
    odds = (1 - threshold) / threshold
    weigh = f"{odds:.0f}" if odds >= 2 else f"{odds:.1f}"
    treated = 1000 * float(found.true_positive[i] + found.false_positive[i])
    right = 1000 * float(found.true_positive[i])
    against_all, against_none = _more(model - everybody), _more(model)
    return (
        f"At a threshold of {100 * threshold:.0f} of 100 (a missed event weighs as much as {weigh} needless "
        f"treatments), the {label} treats {treated:.0f} of 1,000 patients, of whom {right:.0f} have the event. Net of "
        f"needless treatments, that is {against_all} events treated rightly per 1,000 than by treating everybody, and "
        f"{against_none} than by treating nobody."
    )


def _more(value: float) -> str:
    size = f"{abs(value):.0f}"
    return "no more and no fewer" if size == "0" else f"{size} {'more' if value > 0 else 'fewer'}"
