"""What a reader's estimates and a model's come to, in words that claim no more than the numbers can carry."""

from __future__ import annotations

from bedside.patient.judgement import APART, FEWEST_COMPARED, FEWEST_MEAN, Judgement, Mean

SURE_ENOUGH = 10
"""Disagreements with a known outcome below which they are only counted."""


def lead(found: Judgement) -> str:
    """The page's answer."""
    n = int(found.known.sum())
    if not len(found.own):
        return "There is nothing to compare yet."
    if n == 0:
        return "Nothing can be compared yet: of none of these patients is it known what happened by the time asked for."
    if n < FEWEST_MEAN:
        return (
            f"{_outcomes(n)} known: too few to say how well you or the model estimate. "
            f"From {FEWEST_MEAN} on the average is told, from {FEWEST_COMPARED} on you are compared with the model."
        )
    told = [average("you", found.own_error)]
    if found.brier_difference is None:
        told.append(f"With {FEWEST_COMPARED} known outcomes you are compared with the model; here are {n}.")
    else:
        told.append(nearer(found))
    return " ".join(told)


def average(who: str, error: Mean | None) -> str:
    """ "On average you said 8 points more than happened (2 to 14)." """
    if error is None:
        return ""
    start, more = f"On average {who} said", "more" if error.value > 0 else "less"
    if error.lower != error.lower:
        return f"{start} {_points(error.value)} {more} than happened (no interval: all are of one patient)."
    if error.lower <= 0 <= error.upper:
        return (
            f"{start} about as much as happened: the difference, {signed(error.value)} points, may be chance "
            f"(95% interval {signed(error.lower)} to {signed(error.upper)})."
        )
    ends = sorted((abs(error.lower), abs(error.upper)))
    between = " to ".join(_whole(end) for end in ends)
    return f"{start} {_points(error.value)} {more} than happened (95% interval {between})."


def nearer(found: Judgement) -> str:
    """Who was nearer to what happened, if that is more than chance."""
    gap = found.brier_difference
    if gap is None:
        return ""
    if gap.upper < 0:
        return "Your numbers were nearer to what happened than the model's."
    if gap.lower > 0:
        return "The model's numbers were nearer to what happened than yours."
    return "Whose numbers were nearer to what happened can't be told apart from chance."


def disagreement(found: Judgement) -> str:
    """What came of the patients on whom reader and model were far apart."""
    far = f"{100 * APART:.0f} points or more apart"
    if not found.apart:
        return f"With no known outcome were you and the model {far}."
    told = (
        f"You and the model were {far} on {found.apart} of the patients with a known outcome: you were nearer "
        f"{_times(found.own_nearer)}, the model {_times(found.model_nearer)}."
    )
    return told if found.apart >= SURE_ENOUGH else f"{told} So few say nothing yet."


def brier(found: Judgement) -> str:
    """Both Brier scores, for those who know them."""
    gap = found.brier_difference
    if gap is None:
        return ""
    return (
        f"Brier score (mean squared distance, 0 is best): you {found.own_brier:.3f}, the model "
        f"{found.model_brier:.3f}, difference {gap.value:+.3f} (95% interval {gap.lower:+.3f} to {gap.upper:+.3f})."
    )


def signed(share: float) -> str:
    """Points with their sign."""
    if share != share:
        return "not known"
    said = f"{100 * share:+.0f}".replace("-", "−")
    return "0" if said[1:] == "0" else said


def _points(share: float) -> str:
    said = _whole(abs(share))
    return f"{said} point{'s' * (said not in ('1', 'under 1'))}"


def _whole(share: float) -> str:
    """Points without their sign; never 0 where there is a difference."""
    return "under 1" if 0 < share < 0.005 else f"{100 * share:.0f}"


def _times(n: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(n, f"{n} times")


def _outcomes(n: int) -> str:
    return "1 outcome is" if n == 1 else f"{n} outcomes are"


def left_out(skipped: int, aware: int, gone: int) -> str:
    """Which estimates are not compared, and why."""
    out = [
        f"{k:,} {why}"
        for k, why in (
            (skipped, "passed on"),
            (aware, "given after the model's number or reasons had been on the screen"),
            (gone, "of a patient or outcome that is not here any more"),
        )
        if k
    ]
    return f"compared; left out: {', '.join(out)}" if out else "compared: all that are kept here"
