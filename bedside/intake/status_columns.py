"""Columns that say how follow-up ended: by their words, by the usual numbers, or so that somebody has to be asked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bedside.intake.conventions import read_status
from bedside.intake.names import spoken, words_of, wordset
from bedside.intake.plan import CENSORED, EVENT, UNKNOWN, ColumnPlan
from bedside.intake.status_composed import DEAD, DISEASE, FREE, NOT, OTHER
from bedside.intake.status_opposite import ALIVE, Opposite, opposite
from bedside.intake.status_words import Meaning, meanings, partly, plain

if TYPE_CHECKING:
    from bedside.intake.guess import Seen

MOST_CODES = 24
MOST_NUMBERS = 8
"""Numbers that a status without words may have."""
SURE, LIKELY, PARTLY, ASKED = 0.95, 0.85, 0.5, 0.2
"""Confidence where all words are known, where they are a plain yes and no, where some or all codes are asked about."""
USUAL = 0.8
ENDPOINTS = ("os", "pfs", "dfs", "rfs", "efs", "mfs", "dmfs", "drfs", "lrfs", "ttp", "ttr", "css", "dss", "pfi", "dfi",
             "bcr")  # fmt: skip
CENSORS = ("cnsr", "censor", "cens", "censored", "censoring", "zensiert", "censura", "censure")
_EITHER = frozenset({"cens", "censor", "censoring"})
"""Names under which some files write 1 for who is censored, and others 1 for the event."""
_ENDS = ("status", "event", "stat", *CENSORS)
_STATUS = wordset(
    "status event dead death died vital vitalstatus cens censor censored cnsr fustat outcome deceased ereignis "
    "verstorben tot statut deces mort etat estado muerte fallecido evento stato decesso obito overleden relapse "
    "recurrence progression recur relapsed delta d vitalstatut vitalstatus2 rezidiv "
)
_ALONE = wordset("e d delta arrest churn")
"""Names of a status that are one only as the whole name: in longer names they say something else."""
_SURVIVAL = wordset("survival overallsurvival uberleben survie supervivencia")
_BESIDE = wordset(
    "of at the last final follow up fu followup followed patient patients code coded cd ind indicator flag num n full "
    "overall survival any cause all time etime os vitalstatus recode at last contact x date free is has had cause "
    "or oder 1 2 3"
)
"""Words beside which a status is still one; “smoking status” and “er_status” are not."""
_HAPPENS = wordset("event relapse recurrence progression rezidiv ereignis evento")
_YES = wordset("yes y true t ja j oui si sim tak")
_NO = wordset("no n false f nein non nao nee nie")


@dataclass(frozen=True)
class Status:
    """A column that says how follow-up ended.

    Attributes
    ----------
    name : str
    words : frozenset of str
        Of its name and its label.
    place : int
    meanings : tuple of Meaning
    sure : float
    question : str
        What has to be said of its codes; empty where nothing has.
    doubt : int
        Whether its name may say something else: 0 hardly; 1 for a single letter, or where all codes have to be asked
        about; 2 for “er_status”, which is one of follow-up only beside a follow-up that is named alike.
    """

    name: str
    words: frozenset[str]
    place: int
    meanings: tuple[Meaning, ...]
    sure: float
    question: str = ""
    doubt: int = 0


@dataclass(frozen=True)
class _Told:
    meanings: tuple[Meaning, ...]
    sure: float
    question: str = ""


def status_of(place: int, seen: Seen, plan: ColumnPlan) -> Status | None:
    """A column that says how follow-up ended; None for any other."""
    rows = _coded(seen)
    if not 1 <= len(rows) <= MOST_CODES or plan.kind == "date":
        return None
    words = called(seen)
    told = _read(seen.column.name, words, rows, dict(seen.column.labels))
    if told is None:
        return None
    name = seen.column.name
    doubt = _doubt(name, words, told)
    if doubt and set(words_of(name)) & DEAD and told.meanings[0].key == "event":
        told = _of_cause(name, told)
    doubt = doubt or int(told.sure <= ASKED or words_of(seen.column.name)[-1] in _ALONE)
    return Status(seen.column.name, words, place, told.meanings, told.sure, told.question, doubt)


def _doubt(name: str, words: frozenset[str], told: _Told) -> int:
    keys = {each.key for each in told.meanings}
    plainly = keys == {"event"} and not _bare(name) and opposite(name, words) == ""
    return 2 if plainly or keys == {"disease"} else 0


def codes_read(name: str, codes: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """What the codes of a column stand for, where a reader says that it is the status; empty where nothing is known."""
    told = _read(name, frozenset(words_of(name)) | {"status"}, dict.fromkeys(codes, 1), {})
    return told.meanings[0].codes if told is not None else ()


def called(seen: Seen) -> frozenset[str]:
    """The words of a column's name and of its label: of statistics packages the name is often a number."""
    return frozenset(words_of(seen.column.name)) | frozenset(words_of(seen.column.label))


def is_status_word(word: str) -> bool:
    """True for words that status columns are called by."""
    return word in _STATUS or word in ALIVE


def _read(name: str, words: frozenset[str], rows: Mapping[str, int], labels: Mapping[str, str]) -> _Told | None:
    codes = list(rows)
    if (free := opposite(name, words)) and (pairs := _turned(codes)):
        return _opposite(name, free, pairs, words)
    named = bool(words & _STATUS) or any(word.endswith(_ENDS) for word in words) or _alone(name)
    told = meanings([labels.get(code, code) for code in codes])
    if told:
        return _worded(told, words, rows, labels, named=named)
    bare = _bare(name)
    usual = read_status(tuple(codes))
    if usual is not None and (bare or named) and not _unclear(words):
        return _usual(words, codes, usual, bare=bare)
    if bare and (asked := _numbers(words, rows)):
        return asked
    some = partly({labels.get(code, code): n for code, n in rows.items()}, named=named)
    if some is None:
        return None
    told = tuple(_with_codes(each, rows, labels) for each in some.meanings)
    return _Told(told, PARTLY, _question(some.asked, rows, labels))


def _alone(name: str) -> bool:
    """True for a name that is a status only as a whole."""
    words = words_of(name)
    return bool(words) and (words[-1] in _ALONE or all(word in ENDPOINTS for word in words))


def _bare(name: str) -> bool:
    """True where a name says status, or an endpoint, and of nothing in particular."""
    parts = words_of(name)
    parts = parts[:-1] if len(parts) > 1 else parts
    said = [word for word in parts if word in _STATUS | ALIVE or word in ENDPOINTS or word.endswith(_ENDS)]
    rest = [word for word in parts if word not in said and word not in _BESIDE]
    return _alone(name) or (bool(said) and not rest) or words_of(name)[-1:] in [(word,) for word in _SURVIVAL]


def _unclear(words: frozenset[str]) -> bool:
    """True where a name says neither that somebody died nor that somebody lives: “overall survival”."""
    # Of “recurrence free survival” the 1 may be either, and of “dead or alive”.
    if words & DEAD and words & ALIVE:
        return True
    said = words - _HAPPENS if words & FREE else words
    return bool(words & _SURVIVAL) and not said & _STATUS


# ------------------------------------------------------------------ words, and the usual numbers


def _worded(
    told: tuple[Meaning, ...], words: frozenset[str], rows: Mapping[str, int], labels: Mapping[str, str], *, named: bool
) -> _Told | None:
    plainly = all(each.key == "event" for each in told)
    if plainly and not named:
        return None  # any yes or no
    told = tuple(_with_codes(each, rows, labels) for each in told)
    said = {plain(labels.get(code, code)) for code in rows}
    if plainly and _censors(words) and said <= _YES | _NO:
        turned = tuple((code, CENSORED if plain(labels.get(code, code)) in _YES else EVENT) for code in rows)
        return _Told((replace(told[0], codes=turned),), USUAL)
    return _Told(told, SURE if not plainly else LIKELY)


def _usual(
    words: frozenset[str], codes: Sequence[str], usual: tuple[tuple[str, ...], tuple[str, ...]], *, bare: bool
) -> _Told:
    censored, event = usual
    question = ""
    if _censors(words) and set(codes) <= {"0", "1"}:
        censored, event = ("1",), ("0",)  # 1 says that the event was not seen
        if words & _EITHER:
            question = ("1 is taken for censored, as the name says; some files mean the event by it. Which is it in "
                        "this one?")  # fmt: skip
    pairs = (*((c, CENSORED) for c in censored if c in codes), *((c, EVENT) for c in event if c in codes))
    # “er_status” may be one of follow-up, but hardly is.
    return _Told((_event(pairs),), PARTLY if question else USUAL if bare else PARTLY - 0.1, question)


def _censors(words: frozenset[str]) -> bool:
    return any(word.endswith(CENSORS) for word in words)


def _turned(codes: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Codes of a column whose yes says that nothing happened."""
    said = {code: plain(code) for code in codes}
    if len(codes) != 2 or not all(word in _YES | _NO | {"0", "1"} for word in said.values()):
        return ()
    return tuple((code, CENSORED if word in _YES | {"1"} else EVENT) for code, word in said.items())


def _opposite(name: str, free: Opposite, pairs: tuple[tuple[str, str], ...], words: frozenset[str]) -> _Told:
    if free == "dead":
        turned = tuple((code, EVENT if means == CENSORED else CENSORED) for code, means in pairs)
        return _Told((Meaning("death", "Death", turned, "die", "alive"),), USUAL)
    yes, no = (next(code for code, means in pairs if means == what) for what in (CENSORED, EVENT))
    if free in ("alive", "free of death"):
        meaning = Meaning("death", "Death", pairs, "die", "alive")
    elif free == "free of disease":
        meaning = Meaning("disease", "Disease", pairs, "have the disease", "free of the disease")
    elif free == "free of recurrence" and not any("progre" in word for word in words):
        meaning = Meaning("recurrence", "Recurrence", pairs, "have a recurrence", "free of recurrence")
    elif free == "free of recurrence":
        meaning = Meaning("progression", "Progression", pairs, "have progression", "free of progression")
    else:
        meaning = Meaning("any_event", "Event", pairs, "have the event", "free of the event")
    if free == "alive" and "status" not in words:
        return _Told((meaning,), USUAL)
    return _Told((meaning,), PARTLY, f"“{name}” says that nothing happened: {yes} is taken for censored, and {no} for "
                                     "the event. Is it so in this file?")  # fmt: skip


def _of_cause(name: str, told: _Told) -> _Told:
    """A yes or no of a certain death: “cvd_death” is not death of any cause."""
    words = set(words_of(name))
    if words & OTHER or (words & NOT and words & DISEASE):
        key, label, phrase = "death_other", "Death of another cause", "die of another cause"
    elif words & DISEASE:
        key, label, phrase = "death_disease", "Death of the disease", "die of the disease"
    else:
        key, label, phrase = "death_cause", spoken(name), "die in this way"
    asked = f"“{name}” may be death of one kind alone. Who died otherwise is counted as alive at that time. Is it so?"
    return _Told(
        tuple(replace(each, key=key, label=label, event_phrase=phrase, free_phrase="alive or dead otherwise")
              for each in told.meanings),
        min(told.sure, PARTLY - 0.1), told.question or asked,
    )  # fmt: skip


# ------------------------------------------------------------------ numbers that nobody has explained


def _numbers(words: frozenset[str], rows: Mapping[str, int]) -> _Told | None:
    """0, 1 and others: 0 and 1 as is usual, and the others asked about; without a 0 all of them."""
    codes = sorted(rows, key=lambda code: (not code.isdecimal(), code.zfill(4)))
    numbers = [code for code in codes if re.fullmatch(r"-?\d{1,2}", code)]
    if len(codes) > MOST_NUMBERS or len(codes) < 2 or "1" not in codes or len(numbers) < len(codes):
        return None
    clear = "0" in rows and not _unclear(words) and not _censors(words)
    known = {"0": CENSORED, "1": EVENT} if clear else {}
    asked = [code for code in codes if code not in known]
    if not asked:
        return None
    told = tuple((code, known.get(code, UNKNOWN)) for code in codes)
    if clear:
        return _Told((_event(told),), PARTLY - 0.1, f"{_question(asked, rows, {})} 1 is taken for the event.")
    return _Told((_event(told),), ASKED, _question(codes, rows, {}))


def _event(codes: tuple[tuple[str, str], ...]) -> Meaning:
    return Meaning("event", "Event", codes, "have the event", "free of the event")


def _coded(seen: Seen) -> dict[str, int]:
    """Codes as rows are told apart by them: 1.0 is 1."""
    found: dict[str, int] = {}
    for cell, n in seen.cells.items():
        code = re.sub(r"\.0+$", "", cell)
        found[code] = found.get(code, 0) + n
    return found


def _question(asked: Sequence[str], rows: Mapping[str, int], labels: Mapping[str, str], what: str = "") -> str:
    """What has to be said of the codes that are not known, or of those that are known but not to this outcome."""
    by_word = {labels.get(code, code): n for code, n in rows.items()}
    told = [f"{by_word[word]:,} row{'s say' if by_word[word] > 1 else ' says'} “{word[:40]}”" for word in asked[:3]]
    more = f", and {len(asked) - 3} further codes are not known" if len(asked) > 3 and not what else ""
    what = what or ("what does it mean" if len(asked) == 1 else "what do they mean")
    return f"{', '.join(told)}{more}: {what}? Until you say so, these rows are left out."


def _with_codes(meaning: Meaning, rows: Mapping[str, int], labels: Mapping[str, str]) -> Meaning:
    told = dict(meaning.codes)
    pairs = tuple((code, told[labels.get(code, code)]) for code in rows)
    asked = _question(meaning.asked, rows, labels, meaning.question) if meaning.asked else ""
    return replace(meaning, codes=pairs, question=asked)
