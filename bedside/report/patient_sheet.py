"""The words on a patient's two sheets of paper: one for the team's meeting, one for the patient.

Built from plain values that the page has already said, so that paper and screen can't disagree; how it is laid out is
decided where it is drawn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

from bedside.report import say

Key = Literal["event", "other", "free"]
Mark = Literal["good", "caution", "plain"]
MORE = "and {n} more on screen"
"""Stands in the place of what a sheet has no room for."""


class Said(NamedTuple):
    """A sentence in two parts: where there is no room for all of it, the first is shortened and the second kept."""

    start: str
    end: str = ""

    @property
    def text(self) -> str:
        """All of it."""
        return f"{self.start}{self.end}"


@dataclass(frozen=True)
class Count:
    """What becomes of some of 100 patients.

    Attributes
    ----------
    key : {"event", "other", "free"}
    icons : int
        How many of 100 icons.
    said : str
        The number in words, as the page has it: ``"63"``, ``"63.4"``, ``"fewer than 1"``.
    label : str
        What it is, e.g. ``"Recurrence or death"``.
    phrase : str
        After "would", e.g. ``"have a recurrence or die"``.
    """

    key: Key
    icons: int
    said: str
    label: str
    phrase: str


@dataclass(frozen=True)
class Sure:
    """One line about how far the number holds."""

    mark: Mark
    text: str


@dataclass(frozen=True)
class Facts:
    """All that both sheets are made of, as the page says it.

    Attributes
    ----------
    identity : str
        Who this is, if the reader wants it printed; else empty, which leaves a line to write on.
    made : date
    cohort : str
    n, n_events : int
        Behind the model.
    values : tuple of str
        The patient in values, e.g. ``"Age 65 years"``.
    gaps : tuple of str
        Labels of what the model asks for and is not recorded.
    unusual : bool
        True if a value is outside of what the model knows, or the patient is far from the others.
    event : str
        What the risk is of.
    happens, by : str
        ``"die"``, ``"within 5 years of surgery"``.
    hero : str
        The number as on screen, e.g. ``"63 of 100"``.
    lower, upper : float
        NaN where there is no interval.
    limits : str
        What it is called, in words and with its numbers, as on screen.
    counts : tuple of Count
        As on screen; `whole` the same without decimals.
    whole : tuple of Count
    times : tuple of (str, str)
        Risk by some round times: ``("1 year", "12")``.
    why, compared : str
        Headline of the reasons, and with whom the patient is compared.
    reasons : tuple of str
    weighs : tuple of str
        The values that weigh most, without a direction.
    sure : tuple of Sure
    similar : tuple of str
        What happened to similar patients.
    cautions : tuple of str
        The gravest first.
    estimate : str
        The reader's own estimate, if it is to be printed.
    model : str
        Kind of the model, e.g. ``"Cox model"``.
    method : str
        How the interval was made.
    versions : str
        Of the software.
    prints : tuple of (str, str)
        Name and value of each fingerprint.
    plain_happens, plain_by : str
        As `happens` and `by`, for the patient, where these are others.
    outside, pooled : tuple of str
        Values that nobody else had or that can't be, and those that were read as another one.
    bare : bool
        True if nothing of what the model asks for is known.
    """

    identity: str
    made: date
    cohort: str
    n: int
    n_events: int
    values: tuple[str, ...]
    gaps: tuple[str, ...]
    unusual: bool
    event: str
    happens: str
    by: str
    hero: str
    lower: float
    upper: float
    limits: str
    counts: tuple[Count, ...]
    whole: tuple[Count, ...]
    times: tuple[tuple[str, str], ...]
    why: str
    compared: str
    reasons: tuple[str, ...]
    weighs: tuple[str, ...]
    sure: tuple[Sure, ...]
    similar: tuple[str, ...]
    cautions: tuple[str, ...]
    estimate: str
    model: str
    method: str
    versions: str
    prints: tuple[tuple[str, str], ...]
    plain_happens: str = ""
    plain_by: str = ""
    outside: tuple[str, ...] = ()
    pooled: tuple[str, ...] = ()
    bare: bool = False


@dataclass(frozen=True)
class Part:
    """Sentences under a heading."""

    heading: str
    lines: tuple[Said, ...]


@dataclass(frozen=True)
class Sheet:
    """One sheet of paper in words.

    Attributes
    ----------
    title : str
    identity, made, about : str
        Who, when, and where the numbers come from.
    event, hero, sentence, interval : str
        The answer.
    counts : tuple of Count
        Their icons add up to 100.
    parts : mapping of str to Part
        Everything else, by name.
    sure : tuple of Sure
    end : tuple of str
        Small print.
    """

    title: str
    identity: str
    made: str
    about: Said
    event: str
    hero: str
    sentence: Said
    interval: str
    counts: tuple[Count, ...]
    parts: dict[str, Part]
    sure: tuple[Sure, ...]
    end: tuple[str, ...]


def board_sheet(facts: Facts) -> Sheet:
    """The sheet for a meeting of the team, such as a tumour board."""
    values = (*map(_together, facts.values), *((f"not recorded: {', '.join(facts.gaps)}",) if facts.gaps else ()))
    parts = {
        "values": _part("", *values),
        "others": _part("", _others(facts.counts)),
        "times": _part("", *_fewer_times(facts.times)),
        "why": Part(facts.why, tuple(_with_its_end(reason) for reason in facts.reasons)),
        "compared": _part("", facts.compared),
        "similar": _part("Similar patients", *facts.similar),
        "cautions": _part("Caveats", *facts.cautions),
        "estimate": _part("Own estimate, before the model’s was seen", facts.estimate),
    }
    prints = ", ".join(f"{name} {value}" for name, value in facts.prints)
    behind = f": {say.patients(facts.n)}, {say.events(facts.n_events)}; {facts.model}."
    return Sheet(
        title="Risk sheet for the team meeting", identity=facts.identity, made=day(facts.made),
        about=Said(facts.cohort, behind), event=facts.event, hero=facts.hero,
        sentence=Said(f"patients with these values would {facts.happens}", f" {facts.by}."), interval=facts.limits,
        counts=facts.counts, parts=parts, sure=facts.sure,
        end=tuple(
            text
            for text in (
                facts.method,
                f"{facts.versions}; {facts.model}; {prints}; {day(facts.made)}.",
                "Decision support for clinicians, not a medical device. What goes with a risk need not cause it.",
            )
            if text
        ),
    )  # fmt: skip


def _others(counts: tuple[Count, ...]) -> str:
    """What becomes of the others, where it is more than one thing."""
    if len(counts) < 3:
        return ""
    told = [f"{count.said} would {count.phrase}" for count in counts[1:-1]]
    return f"Of the others, {', '.join(told)} and {counts[-1].said} be {counts[-1].phrase.removeprefix('be ')}."


def _fewer_times(times: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    """The risk by all of the times, and by fewer and fewer of them: the first that there is room for is printed."""
    found = []
    for n in range(len(times), 0, -1):
        kept = [times[round(k * (len(times) - 1) / max(n - 1, 1))] for k in range(n)]
        found.append(f"Of 100, by {BETWEEN.join(_together(f'{when}: {said}') for when, said in kept)}")
    return tuple(found)


def own_sheet(facts: Facts) -> Sheet:
    """The sheet that is given to the patient: whole numbers, plain words, nothing to calculate."""
    extreme = not 100 * EXTREME <= facts.whole[0].icons <= 100 * (1 - EXTREME)
    parts = {
        "means": Part("What the number means", (_means(facts),)),
        "not": _part("What it does not mean", NOT_SURE if extreme else NOT),
        "unknown": _part("What is not known about you", *_unknown(facts)),
        "weighs": _part("What counts most in it", "" if facts.bare else _raised(_sentence(facts.weighs))),
        "ask": _part("Questions you may want to ask", *QUESTIONS),
    }
    prints = ", ".join(f"{name} {value[:8]}" for name, value in facts.prints)
    return Sheet(
        title="Your outlook in numbers", identity=facts.identity, made=day(facts.made),
        about=Said("To talk through with your doctor or nurse."), event=facts.event,
        hero=f"{facts.whole[0].said} of 100",
        sentence=Said(
            f"{_whom(facts)} would {facts.plain_happens or facts.happens}",
            f" {facts.plain_by or facts.by}.",
        ),
        interval=range_in_words(facts.lower, facts.upper, few=facts.unusual), counts=facts.whole, parts=parts, sure=(),
        end=(f"Bedside, not a medical device. {_raised(prints)}",),
    )  # fmt: skip


NOT = (
    "Nobody can know beforehand which of the 100 you will be. The number does not say what will happen to you, nor "
    "why, and it blames nobody."
)
NOT_SURE = (
    "The number is about many people, and it can be wrong for one. It does not say what will happen to you, nor why, "
    "and it blames nobody."
)
EXTREME = 0.05
"""Share below which hardly anybody has the event; nearly everybody above what is left of it."""
QUESTIONS = (
    "What does this number mean for me, and how sure is it?",
    "Which choices do I have, and what would each bring and cost me?",
    "What happens if we wait?",
    "When do we look at this again?",
)
TOGETHER = 28
BETWEEN = "\u00a0· "
"""Between short items: no line begins with the point."""
NAMED, LONGEST = 4, 40
"""How many things a sentence for the patient lists, and how long each may be."""


def range_in_words(lower: float, upper: float, *, few: bool = False) -> str:
    """An interval for somebody who has never met one; `few` of those behind it were like them.

    >>> range_in_words(0.49, 0.75)
    'It could be as few as 49 or as many as 75 of 100.'
    """
    if math.isnan(lower) or math.isnan(upper):
        return "How far the true number may be from this one has not been worked out."
    low, _, high = say.range_of_100(lower, upper).partition(" to ")
    if not high:
        return _one_number(low, few=few)
    low = "hardly anybody" if low.startswith("fewer") else f"as few as {low}"
    high = "nearly everybody" if high.startswith("more") else f"as many as {high} of 100"
    return f"It could be {low} or {high}."


def _one_number(said: str, *, few: bool) -> str:
    """An interval whose ends are said alike: it counts chance, and not how unlike the others somebody is."""
    about = f"About {said} of 100"
    if not said[0].isdigit():
        about = "Nearly everybody" if said.startswith("more") else "Hardly anybody"
    if few:
        return f"{about}, by this model; few people here were like you."
    if not said[0].isdigit():
        return f"{about}, by this model; nothing of this kind is certain."
    return "The true number is hardly likely to be far from this one."


def day(made: date) -> str:
    """A date in words: ``"5 October 2026"``."""
    return f"{made.day} {made:%B %Y}"


def _part(heading: str, *lines: str) -> Part:
    return Part(heading, tuple(Said(line) for line in lines if line))


def _with_its_end(reason: str) -> Said:
    """A reason whose number stays, however long the name of its value."""
    start, colon, end = reason.rpartition(": ")
    return Said(start, f"{colon}{end}") if start else Said(reason)


def _means(facts: Facts) -> Said:
    first = facts.whole[0].said
    about = f"about {first}" if first[:1].isdigit() else first
    happens, by = facts.plain_happens or facts.happens, facts.plain_by or facts.by
    return Said(
        f"Think of 100 {_whom(facts)}: {about} of them would {happens}",
        f" {by}. This was worked out from {facts.n:,} people followed before ({_short(facts.cohort, 75)}).",
    )


def _whom(facts: Facts) -> str:
    return "average patients here" if facts.bare else "people with the same values as you"


def _unknown(facts: Facts) -> tuple[str, ...]:
    found = []
    if facts.outside:
        found.append(f"Hardly possible or unlike any value here, so please have it checked: {_sentence(facts.outside)}")
    if facts.pooled:
        found.append(f"Too rare here, so another was taken in its place: {_sentence(facts.pooled)}")
    if facts.bare:
        found.append("None of your values is recorded, so this is the number of an average patient here.")
    elif facts.gaps:
        found.append(f"Not recorded, so a usual value was taken instead: {_sentence(facts.gaps)}")
    if facts.unusual:
        found.append("Few of those people were like you in every value, so the number is less sure.")
    return (*found, "Whatever else matters in your life and was not recorded is not in the number.")


def _sentence(items: tuple[str, ...]) -> str:
    """A list in words with its full stop, the first few by name."""
    told = [_short(item, LONGEST) for item in items[:NAMED]]
    if len(items) > NAMED:
        told.append(f"{len(items) - NAMED} more")
    if not told:
        return ""
    return f"{', '.join(told[:-1])} and {told[-1]}." if len(told) > 1 else f"{told[0]}."


def _together(text: str) -> str:
    """A short text that no line's end parts."""
    return text.replace(" ", "\u00a0") if len(text) <= TOGETHER else text


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _raised(text: str) -> str:
    return text[:1].upper() + text[1:]
