"""What a test on patients from elsewhere found, in words and cells: pure text, nothing drawn."""

from __future__ import annotations

import math

from bedside.cohort import Outcome, Unit, convert
from bedside.report import say
from bedside.risk.fits import Misfit
from bedside.risk.fitted import Fitted
from bedside.validation.calibration import Estimate, OverallCalibration
from bedside.validation.external import External, Performance, PerformanceAt
from bedside.validation.external_map import Mapped, Problem
from components.panels.page import Markup, fill

MOST_NAMED = 6
HOW = {
    "name": "same name", "label": "same label", "concept": "same concept", "chosen": "as chosen here", "absent": "",
}  # fmt: skip
MEASURES = {
    "c": ("Harrell’s C", "pairs of patients ranked rightly; 0.5 is chance"),
    "auc": ("AUC at {at}", "those with the event by then ranked above those without"),
    "oe": ("Observed over expected (O/E) at {at}", "1 is right on average; above 1 risks are too low"),
    "intercept": ("Calibration intercept at {at}", "0 is right on average; log(−log) scale"),
    "slope_at": ("Calibration slope at {at}", "1 is right; below 1 risks are too far apart"),
    "slope": ("Calibration slope, all follow-up", "the same, in a Cox model of its own"),
    "brier": ("Brier score at {at}", "mean squared distance of risk from what happened; lower is better"),
    "ipa": ("Index of prediction accuracy (IPA) at {at}", "share of that distance that it takes away from these "
            "patients’ own {km} curve"),
}  # fmt: skip


def event_of(model: Fitted, outcome: Outcome) -> str:
    """What happens, after "to": ``"die or have a liver transplant"``; of one event among others its name."""
    if model.target == "event" and outcome.has_competing:
        return f"have the event ({say.in_sentence(outcome.cause_labels[0])})"
    return outcome.event_phrase


def lead(found: External, model: Fitted, outcome: Outcome, label: str, when: float, unit: Unit) -> Markup:
    """The answer in one sentence, and how to take it."""
    at = found.performance.at[-1]
    seen = at.overall.observed
    c = found.performance.c
    ranks = "how well it ranks them is not known" if math.isnan(c.value) else fill(
        "it ranks <b>{c}</b> of 100 pairs rightly (95% interval {range})", c=f"{100 * c.value:.0f}",
        range=say.range_of_100(c.lower, c.upper),
    )  # fmt: skip
    return fill(
        "Of {n} {label}, <b>{e}</b> of 100 were expected to {event} {within} and <b>{o}</b> (95% interval {range}) "
        "did; {ranks}. {verdict} {earlier} {apart}",
        n=f"{found.performance.n:,}", label=label, e=_hundred(at.overall.expected), event=event_of(model, outcome),
        within=f"within {say.duration(when, unit)}", o=_hundred(seen.risk),
        range=say.range_of_100(seen.lower, seen.upper), ranks=ranks,
        verdict=verdict(at.overall), earlier=earlier(found, unit), apart=apart(found),
    )  # fmt: skip


def verdict(overall: OverallCalibration) -> str:
    """Whether risks are off on average, as far as these patients can tell."""
    if math.isnan(overall.lower) or math.isnan(overall.upper):
        return "Whether its risks are right on average can't be told."
    if overall.lower > 1:
        return "On average its risks are too low for them."
    if overall.upper < 1:
        return "On average its risks are too high for them."
    return "On average its risks are not shown to be off."


def earlier(found: External, unit: Unit) -> str:
    """Times before the last at which risks are surely off on average, whatever they are at the last."""
    told = []
    for word, off in (("low", lambda o: o.lower > 1), ("high", lambda o: o.upper < 1)):
        at = [a for a in found.performance.at[:-1] if off(a.overall)]
        if at:
            when = [say.number_of(float(convert(a.t, found.unit, unit))) for a in at]
            listed = ", ".join(when[:-1]) + (" and " if when[1:] else "") + when[-1]
            told.append(f"By {listed} {unit[:-1] if when == ['1'] else unit} they are too {word}.")
    return " ".join(told)


def apart(found: External) -> str:
    """Whether risks are too far apart or too close, by the slopes at the last time and over all follow-up."""
    p, slope = found.performance, found.performance.at[-1].slope
    if math.isnan(slope.value):
        return ""
    sides = [_side(slope), _side(p.slope)]
    if sides == [0, 0]:
        return ""
    side = sides[0] or sides[1]
    sense = "far apart (high risks too high, low ones too low)" if side < 0 else (
        "close together (high risks too low, low ones too high)"
    )  # fmt: skip
    told = f"calibration slope {estimate(slope)} by then, {estimate(p.slope)} over all follow-up"
    if sides[0] == sides[1]:
        return f"Its risks are too {sense}: {told}."
    return f"Its risks may be too {sense}; {say.events(p.n_events)} do not settle it: {told}."


def _side(slope: Estimate) -> int:
    """-1 if a slope is surely below 1, 1 if above, else 0."""
    return -1 if slope.upper < 1 else 1 if slope.lower > 1 else 0


def spread(slope: Estimate, over_all: Estimate | None = None) -> str:
    """What the calibration slope says, in doubt where that over all follow-up does not agree."""
    if math.isnan(slope.value):
        return ""
    told = f"calibration slope {number(slope.value)}, {number(slope.lower)} to {number(slope.upper)}"
    if over_all is not None and not math.isnan(over_all.value) and _side(slope) != _side(over_all):
        far = "far apart" if (_side(slope) or _side(over_all)) < 0 else "close together"
        more = f"; over all follow-up {number(over_all.value)}, {number(over_all.lower)} to {number(over_all.upper)}"
        return f"Risks may be too {far}, which is not settled ({told}{more})."
    if slope.upper < 1:
        return f"High risks are too high and low ones too low ({told})."
    if slope.lower > 1:
        return f"High risks are too low and low ones too high ({told})."
    return f"Risks are not shown to be too far apart or too close together ({told})."


def lacking(model: Fitted, found: External) -> tuple[str, ...]:
    """The variables that no column was found for, as a caution; none if all have one."""
    absent = {item.variable for item in found.mapping if item.column is None}
    labels = [r.variable.label for r in model.design.readings if r.variable.name in absent]
    if not labels:
        return ()
    named = ", ".join(labels[:MOST_NAMED]) + (f" and {len(labels) - MOST_NAMED} more" if labels[MOST_NAMED:] else "")
    return (f"Not recorded here, and filled with what is usual in training, the same for all: {named}.",)


def basis(found: External) -> str:
    """Under each figure: patients, events and whose they are."""
    p = found.performance
    at = p.at[-1]
    return f"{say.patients(p.n)} of {found.cohort_title}, {say.events(p.n_events)}, {at.n_events:,} of them by then."


def measures(p: Performance, at: str, km: str) -> list[tuple[str, str, Estimate]]:
    """Name, how to read it, and value of every measure by the last time."""
    last = p.at[-1]
    o = last.overall
    values = {
        "c": p.c, "auc": last.auc, "oe": Estimate(o.ratio, last.ratio_error, o.lower, o.upper),
        "intercept": last.intercept, "slope_at": last.slope, "slope": p.slope, "brier": last.brier, "ipa": last.ipa,
    }  # fmt: skip
    return [
        (MEASURES[key][0].format(at=at), MEASURES[key][1].format(km=km), value) for key, value in values.items()
    ]  # fmt: skip


def estimate(value: Estimate) -> str:
    """``"0.87 (0.57 to 1.17)"``."""
    if math.isnan(value.value):
        return "–"
    shown = number(value.value)
    if math.isnan(value.lower) or math.isnan(value.upper):
        return shown
    return f"{shown} ({number(value.lower)} to {number(value.upper)})"


def number(value: float) -> str:
    """Two decimals; never "-0.00"."""
    shown = f"{value:.2f}".replace("-", "−")
    return "0.00" if shown == "−0.00" else shown


def by_time(found: External, unit: Unit) -> list[tuple[str, str, str, str, str]]:
    """By each time: expected, observed with interval, O/E with interval, events."""
    return [_line(at, float(convert(at.t, found.unit, unit)), unit) for at in found.performance.at]


def _line(at: PerformanceAt, t: float, unit: Unit) -> tuple[str, str, str, str, str]:
    o = at.overall
    seen = o.observed
    ratio = estimate(Estimate(o.ratio, at.ratio_error, o.lower, o.upper))
    between = f"{_hundred(seen.risk)} ({say.range_of_100(seen.lower, seen.upper)})"
    return say.duration(t, unit), _hundred(o.expected), between, ratio, f"{at.n_events:,}"


def _hundred(share: float) -> str:
    return say.of_100(share).removesuffix(" of 100")


# ------------------------------------------------------------------ how variables are read


def mapped_row(
    label: str, unit: str, item: Mapped, column: str, misfits: list[Misfit], gaps: int, stand_in: str
) -> tuple[str, str, str, str]:  # fmt: skip
    """A variable of the model: its column here, what is done to it, and what to know."""
    if item.column is None:
        return label + unit, "no column", "", f"filled with {stand_in}, for all"
    done = [] if item.factor in (1.0, None) else [f"× {item.factor:.6g}"]
    done += [f"{here} → {there}" for here, there in item.levels]
    told = [] if item.how in ("name", "absent") else [HOW[item.how]]
    told += [misfit.why.removesuffix(".") for misfit in misfits]
    told += [f"{gaps:,} missing: filled with {stand_in}"] if gaps else []
    return label + unit, column, ", ".join(done), ". ".join(told)


def question(problem: Problem | Misfit) -> str:
    """Something that differs, with what to do about it."""
    return f"{problem.why} {problem.next_step}"
