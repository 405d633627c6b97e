"""The words of an endpoint of the reader's own: what its event is called, and who has not had it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from bedside.cohort.label_words import in_sentence
from bedside.cohort.outcome import Outcome
from bedside.cohort.wording import sentence_case

NAMELESS = "The event"
UNSAID_EVENT, UNSAID_FREE = "have the event", "free of the event"
"""What an outcome says of which nobody has said more."""

OF_A_CURVE = re.compile(r"surviv|-\s?free\b|[\u2010-\u2015]free\b|\b(?-i:[A-Z]{0,4}(?:FS|RFI)|OS|EFS)\b", re.IGNORECASE)
"""Names that studies give to the time without the event: "progression-free survival", "DFS"."""


def names_a_survival(text: str) -> bool:
    """True of a name such as "progression-free survival": what is had by those without the event."""
    return bool(OF_A_CURVE.search(text))


def event_name(outcomes: Sequence[Outcome]) -> str:
    """What the first event of these outcomes is called: "Recurrence or death"."""
    return sentence_case(listed(o.cause_label or o.label for o in outcomes)) or NAMELESS


def event_phrase(outcomes: Sequence[Outcome], label: str) -> str:
    """What those with the event do: "have a recurrence or die"."""
    told = [_have(o.label) if o.event_phrase == UNSAID_EVENT else o.event_phrase for o in outcomes]
    whole = [p for p in dict.fromkeys(told) if not any(_part_of(p, other) for other in told)]
    return " or ".join(whole) or _have(label)


def free_phrase(outcomes: Sequence[Outcome], label: str) -> str:
    """What those without the event are: "alive and free of recurrence"."""
    told = dict.fromkeys(_free(o.label) if o.free_phrase == UNSAID_FREE else o.free_phrase for o in outcomes)
    if not told:
        return _free(label)
    rest = [re.sub(r"^alive,? (and )?", "", phrase) for phrase in told if phrase != "alive"]
    without = " and ".join(dict.fromkeys(rest))
    if not any(phrase == "alive" or phrase.startswith("alive ") for phrase in told):
        return without
    return f"alive {'' if without.startswith('without') else 'and '}{without}" if without else "alive"


def listed(labels: Iterable[str]) -> str:
    """Labels within a sentence: "recurrence or death"."""
    return " or ".join(dict.fromkeys(map(in_sentence, labels)))


def _part_of(phrase: str, other: str) -> bool:
    return phrase != other and (other.startswith(f"{phrase} or ") or other.endswith(f" or {phrase}"))


def _have(label: str) -> str:
    return UNSAID_EVENT if label in ("", NAMELESS) else f"have {in_sentence(label)}"


def _free(label: str) -> str:
    return UNSAID_FREE if label in ("", NAMELESS) else f"free of {in_sentence(label)}"
