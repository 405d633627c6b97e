"""An explanation in plain words: associations among patients, never causes, never Markdown."""

from __future__ import annotations

from bedside.explain.coverage import INTERVAL
from bedside.explain.explanation import Contribution, Explanation
from bedside.report.say import of_100

UNEXPECTED = " (the opposite of what is usually seen: it may be chance, or overlap with the other values)"
MAY_BE_NOTHING, WITHIN = "may be nothing", "within the spread over refits"


def headline(explanation: Explanation, *, decimals: int = 0) -> str:
    """The question an explanation answers, e.g. "Why 63 and not 52".

    Returns
    -------
    str
        Risk and base in points; "Why 52, like the average here" when they round to the same.
    """
    risk, base = (
        of_100(share, decimals=decimals).removesuffix(" of 100") for share in (explanation.risk, explanation.base)
    )
    return f"Why {risk} and not {base}" if risk != base else f"Why {risk}, like the average here"


def reasons(explanation: Explanation, *, k: int = 3, decimals: int = 0, ranges: bool = False) -> tuple[str, ...]:
    """The main reasons for a patient's risk, one sentence each.

    Parameters
    ----------
    explanation : Explanation
        One patient at one time.
    k : int
        How many contributions are put into words, largest first.
    decimals : int
        Decimals of the points; 0 as a clinician would say them.
    ranges : bool
        Say the interval of each, where it is known.

    Returns
    -------
    tuple of str
        Plain text, e.g. "9 positive nodes: goes with 17 points more risk."; more than the average of the
        patients compared with, which the page says once above the list. One whose interval holds 0 says so, see
        `doubt`. Where the model reads a variable
        against the direction that the dictionary expects, the sentence says so. A closing sentence is added
        where the patient's risk rounds to the average. Values come from data: escape them before a page shows
        them.
    """
    return tuple(sentence for sentence, _ in told_with_checks(explanation, k=k, decimals=decimals, ranges=ranges))


def told_with_checks(
    explanation: Explanation, *, k: int = 3, decimals: int = 0, ranges: bool = False
) -> tuple[tuple[str, str], ...]:
    """The sentences of `reasons`, each with `as_expected` of its own contribution; empty beside those of none."""
    told = explanation.contributions[:k]
    if told and all(_is_little(c) for c in told):
        said = [("No single value makes a difference of half a point here.", "")]
    else:
        said = [(_sentence(c, decimals, ranges), as_expected(c)) for c in told]
    if of_100(explanation.risk) == of_100(explanation.base):
        average = of_100(explanation.base)
        said.append((f"Taken together, this patient's risk is the average here: {average}.", ""))
    return tuple(said)


def points_text(points: float, *, decimals: int = 0) -> str:
    """A contribution with its sign, in points: "+17", "−10", "0"."""
    rounded = round(100 * points, decimals)
    if rounded == 0:
        return "0"
    return f"{'+' if rounded > 0 else '−'}{abs(rounded):.{decimals}f}"


def plain_reasons(explanation: Explanation, *, k: int = 3) -> tuple[str, ...]:
    """The main reasons in the plainest words: numbers of people, no points and no intervals."""
    said = []
    for c in explanation.contributions[:k]:
        if _is_little(c):
            continue
        size, more = round(100 * abs(c.points)), "more" if c.points > 0 else "fewer"
        unsure = ", but this may be chance" if c.may_be_nothing else ""
        said.append(f"{_subject(c)}: about {size} {more} of 100{unsure}.")
    return tuple(said) or ("No single value makes much of a difference.",)


def as_expected(contribution: Contribution) -> str:
    """That the model reads the variable as the dictionary expects, and how; empty where it does not or expects none."""
    return f"{contribution.direction}: as expected" if contribution.expected and contribution.direction else ""


def doubt(contribution: Contribution) -> str:
    """What is said of one whose interval holds 0: "may be nothing", or that it is "within the spread over refits"."""
    if not contribution.may_be_nothing:
        return ""
    return MAY_BE_NOTHING if contribution.measure == INTERVAL else WITHIN


def interval_text(contribution: Contribution, *, decimals: int = 0) -> str:
    """The interval of a contribution in points, e.g. "12 to 22", "−1 to 7"; empty where there is none."""
    if not contribution.has_interval:
        return ""
    low, high = (_signed(x, decimals) for x in (contribution.lower, contribution.upper))
    if contribution.may_be_nothing:
        return f"{low} to {high}"
    ends = sorted((abs(contribution.lower), abs(contribution.upper)))
    return " to ".join(f"{round(100 * x, decimals) + 0.0:.{decimals}f}" for x in ends)


def _signed(share: float, decimals: int) -> str:
    rounded = round(100 * share, decimals) + 0.0
    return f"{'−' if rounded < 0 else ''}{abs(rounded):.{decimals}f}"


def _sentence(contribution: Contribution, decimals: int, ranges: bool) -> str:
    said = _subject(contribution)
    if _is_little(contribution):
        return f"{said}: makes little difference here."
    size = round(100 * abs(contribution.points), decimals)
    unit = "point" if size == 1 else "points"
    more = "more" if contribution.points > 0 else "less"
    odd = UNEXPECTED if contribution.expected is False else ""
    interval = f" ({interval_text(contribution, decimals=decimals)})" if ranges and contribution.has_interval else ""
    unsure = {"": "", MAY_BE_NOTHING: f", but it {MAY_BE_NOTHING}"}.get(doubt(contribution), f", {WITHIN}")
    return f"{said}: goes with {size:.{decimals}f} {unit} {more} risk{interval}{unsure}{odd}."


def _subject(contribution: Contribution) -> str:
    """The value as the start of a sentence: "Hormone therapy (no)", "Age 55 years", but "p53 high" as it is."""
    label, text = contribution.label, contribution.value_text
    if text.startswith(f"{label}: "):
        text = f"{label} ({text.removeprefix(f'{label}: ')})"
    first = text.split(" ", 1)[0]
    return text[0].upper() + text[1:] if first.replace("-", "").isalpha() and first.islower() else text


def _is_little(contribution: Contribution) -> bool:
    """Half a point or less: no number is given, since it would read as precision."""
    return round(100 * abs(contribution.points)) == 0
