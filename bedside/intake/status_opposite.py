"""Columns whose name says that nothing happened: alive, event free, no relapse. A yes or 1 of them is censored."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from bedside.intake.names import words_of, wordset
from bedside.intake.status_composed import DEAD, DISEASE, EVENTS, FREE, HAPPENS, NOT, RELAPSE, parted

ALIVE = wordset(
    "alive living survived survivor survives survive lives lebt leben lebend lebende uberlebt vivant vivante vie "
    "survecu vivo viva vive vida sobrevive sobrevivio vita vivente sopravvissuto levend leven leeft overleefd levande "
    "lever zyje zywy zywa"
)
_BESIDE = wordset(
    "in en con am a is was still yet noch encore toujours todavia aun ancora ainda nog at of from the last final "
    "follow up fu followup contact patient pat pt von de di da van od any flag ind indicator yn 1 0"
)
_STATUS = wordset("status stat vitalstatus")

Opposite = Literal["alive", "free of death", "free of disease", "free of recurrence", "free of an event", "dead", ""]


def opposite(name: str, words: Iterable[str]) -> Opposite:
    """What the yes of a column means, where it is that nothing happened, or that one is not alive; else empty.

    Parameters
    ----------
    name : str
    words : iterable of str
        Of its name and its label.
    """
    mine = words_of(name)
    theirs = tuple(word for word in words if word not in mine)
    return _opposite(mine[:-1] or mine) or _opposite(theirs)


def _opposite(words: tuple[str, ...]) -> Opposite:
    parts = [part for word in words for part in parted(word)]
    said = set(parts)
    rest = {part for part in said if part not in _BESIDE}
    if said & ALIVE and rest <= ALIVE | _STATUS:
        return "alive"
    if said & ALIVE and said & NOT and rest <= ALIVE | NOT:
        return "dead"
    if rest & DEAD and rest & (DISEASE | RELAPSE) and not said & FREE:
        return ""  # “non cancer death”
    happens = [i for i, part in enumerate(parts) if part in HAPPENS]
    if not happens or not said & NOT or not rest <= NOT | HAPPENS:
        return ""
    # “no relapse” is one without, and “relapse no” its number.
    if not said & FREE and min(i for i, part in enumerate(parts) if part in NOT) > happens[0]:
        return ""
    if rest & RELAPSE:
        return "free of recurrence"
    if rest & EVENTS:
        return "free of an event"
    return "free of death" if rest & DEAD else "free of disease"
