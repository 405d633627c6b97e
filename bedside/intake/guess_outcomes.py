"""Which columns say what happened, and when: pairs of follow-up and status, or dates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from bedside.cohort.units import Unit
from bedside.intake.conventions import read_status
from bedside.intake.names import words_of, wordset
from bedside.intake.plan import CENSORED, EVENT, ColumnPlan, Guess, OutcomePlan
from bedside.intake.status_words import Meaning, meanings, partly

if TYPE_CHECKING:
    from bedside.intake.guess import Seen

Pair = tuple["Seen", ColumnPlan]
MOST_CODES = 24
PARTLY_SURE = 0.5
"""Confidence in a status column of which some words are not known."""
_KINDS = ("os", "pfs", "dfs", "rfs", "efs", "mfs", "ttp", "css", "dss")
_OF_KINDS = wordset("days months years weeks time event status stat cens cnsr censor censored mo ind flag")
_CENSORS = ("cnsr", "censor", "cens", "censored", "censoring", "zensiert", "censura", "censure")
_ENTRIES = wordset("entry t0 entrytime entrydays entrydate tstart eintritt entree referral")
_STATUS_ENDS = ("status", "event", "stat", *_CENSORS)
_NO_TIME = wordset("age alter edad eta idade leeftijd entry eintritt entree entrada ingresso start since")

_TIME = wordset(
    "time days months years weeks futime survival followup fu duration tte aval surv stime survtime zeit dauer tage "
    "monate jahre uberleben uberlebenszeit nachbeobachtung temps duree suivi mois jours survie tiempo meses dias "
    "seguimiento supervivencia tempo mesi giorni sopravvivenza tijd maanden dagen overleving months2 os pfs dfs rfs "
    "efs ttr ttd ttp rfstime dtime rtime "
)
_STATUS = wordset(
    "status event dead death died vital vitalstatus cens censor censored cnsr fustat outcome deceased ereignis "
    "verstorben tot statut deces mort etat estado muerte fallecido evento stato decesso obito overleden relapse "
    "recurrence progression recur relapsed delta d vitalstatut vitalstatus2 rezidiv "
)
_UNITS: dict[Unit, set[str]] = {
    "days": {"days", "day", "tage", "tag", "jours", "dias", "giorni", "dagen", "d"},
    "weeks": {"weeks", "week", "wochen", "semaines", "semanas", "settimane", "weken"},
    "months": {"months", "month", "monate", "monat", "mois", "meses", "mesi", "maanden", "mo", "mths"},
    "years": {"years", "year", "jahre", "jahr", "ans", "annees", "anos", "anni", "jaar", "yrs", "y"},
}  # fmt: skip
_NAMED: tuple[tuple[set[str], str, str, str, str], ...] = (
    ({"os", "death", "dead", "died", "overall", "mortality", "vital", "deceased", "verstorben", "tot", "deces", "mort",
      "muerte", "fallecido", "decesso", "obito", "overleden", "uberleben", "gesamtuberleben", "survival"},
     "death", "Death", "die", "alive"),
    ({"pfs", "progression", "ttp"}, "progression", "Progression or death", "have progression or die",
     "alive and free of progression"),
    ({"dfs", "rfs", "efs", "relapse", "recurrence", "recur", "rezidiv", "relapsed"}, "recurrence",
     "Recurrence or death",
     "have a recurrence or die", "alive and free of recurrence"),
    ({"mfs", "dmfs", "metastasis", "metastases"}, "metastasis", "Metastasis", "have a metastasis",
     "free of metastases"),
)  # fmt: skip
_STARTS = wordset(
    "diagnosis diagnosed diag dx surgery operation op randomisation randomization randomised randomized enrolment "
    "enrollment inclusion baseline start index entry admission treatment transplant diagnose erstdiagnose ed "
    "aufnahme einschluss beginn diagnostic chirurgie debut diagnostico cirugia inicio diagnosi intervento inizio "
    "cirurgia diagnosedatum operatie operationsdatum rand trtsdt randdt "
)
_ENDS = wordset(
    "exit last contact lastcontact followup fu lastfu seen alive letzter kontakt letzte nachsorge stand dernieres "
    "derniere nouvelles contacto ultimo ultima contatto laatste end ende cutoff lastseen dlc lfu visit eosdt "
    "lstalvdt "
)
_DEATHS = wordset(
    "death died dod deceased deathdate dth dthdt todesdatum tod verstorben sterbedatum deces mort muerte "
    "fallecimiento defuncion decesso morte obito overlijden overlijdensdatum exitus zgon zgonu "
)
_BIRTHS = wordset(
    "birth dob born birthdate birthday geburt geburtsdatum geboren naissance nacimiento nascita nascimento geboorte "
    "geboortedatum "
)


@dataclass(frozen=True)
class _Status:
    name: str
    words: frozenset[str]
    place: int
    meanings: tuple[Meaning, ...]
    sure: float
    question: str = ""


def guess_outcomes(columns: Sequence[Pair], guesses: dict[str, Guess]) -> list[OutcomePlan]:
    """Outcomes, the one that most columns speak for first."""
    states = [found for i, pair in enumerate(columns) if (found := _status(i, *pair)) is not None]
    found = _paired(columns, states, guesses) + _of_dates(columns, states, guesses)
    found = [_entered(outcome, columns, guesses) for outcome in found]
    unique: dict[str, OutcomePlan] = {}
    for outcome in found:
        key, n = outcome.key, 2
        while key in unique:
            key, n = f"{outcome.key}_{n}", n + 1
        if key != outcome.key:
            _rename(guesses, outcome.key, key, len(unique))
            outcome = OutcomePlan(**{**{f: getattr(outcome, f) for f in outcome.__dataclass_fields__}, "key": key})
        unique[key] = outcome
    return list(unique.values())


def _entered(outcome: OutcomePlan, columns: Sequence[Pair], guesses: dict[str, Guess]) -> OutcomePlan:
    """The same with the column that says when observation began, where one is named so."""
    kind = "date" if outcome.of_dates else "continuous"
    for seen, plan in columns:
        named = set(words_of(seen.column.name)) & _ENTRIES and not set(words_of(seen.column.name)) & {"age", "alter"}
        if named and plan.kind == kind and seen.column.name not in outcome.columns:
            guesses[f"outcome.{outcome.key}.entry"] = Guess(
                seen.column.name, 0.6, f"“{seen.column.name}” is named like the day on which observation began."
            )
            return replace(outcome, entry=seen.column.name)
    return outcome


def _rename(guesses: dict[str, Guess], old: str, new: str, _place: int) -> None:
    for part in ("", ".time", ".status"):
        told = guesses.pop(f"outcome.{old}{part}#2", None)
        if told is not None:
            guesses[f"outcome.{new}{part}"] = told


# ------------------------------------------------------------------ status columns


def _status(place: int, seen: Seen, plan: ColumnPlan) -> _Status | None:
    """A column that says how follow-up ended; None for any other."""
    words = _called(seen)
    labels = dict(seen.column.labels)
    rows = _coded(seen)
    codes = list(rows)
    if not 1 <= len(codes) <= MOST_CODES or plan.kind == "date":
        return None
    told = meanings([labels.get(code, code) for code in codes])
    named = bool(words & _STATUS) or any(word.endswith(_STATUS_ENDS) for word in words)
    if told:
        plain = all(each.key == "event" for each in told)
        if plain and not named:
            return None  # any yes or no
        told = tuple(_with_codes(each, codes, labels) for each in told)
        return _Status(seen.column.name, words, place, told, 0.95 if not plain else 0.85)
    usual = read_status(tuple(codes))
    if named and usual is not None:
        plainly = Meaning("event", "Event", _by_convention(words, codes, usual), "have the event", "free of the event")
        return _Status(seen.column.name, words, place, (plainly,), 0.8)
    some = partly({labels.get(code, code): n for code, n in rows.items()}, named=named)
    if some is None:
        return None
    told = tuple(_with_codes(each, codes, labels) for each in some.meanings)
    return _Status(seen.column.name, words, place, told, PARTLY_SURE, _question(some.asked, rows, labels))


def _coded(seen: Seen) -> dict[str, int]:
    """Codes as rows are told apart by them: 1.0 is 1."""
    found: dict[str, int] = {}
    for cell, n in seen.cells.items():
        code = re.sub(r"\.0+$", "", cell)
        found[code] = found.get(code, 0) + n
    return found


def _by_convention(
    words: frozenset[str], codes: Sequence[str], usual: tuple[tuple[str, ...], tuple[str, ...]]
) -> tuple[tuple[str, str], ...]:
    censored, event = usual
    if any(word.endswith(_CENSORS) for word in words) and set(codes) <= {"0", "1"}:
        censored, event = ("1",), ("0",)  # 1 says that the event was not seen
    return (*((c, CENSORED) for c in censored if c in codes), *((c, EVENT) for c in event if c in codes))


def _question(asked: Sequence[str], rows: Mapping[str, int], labels: Mapping[str, str]) -> str:
    """What has to be said of the words that are not known."""
    by_word = {labels.get(code, code): n for code, n in rows.items()}
    told = [f"{by_word[word]:,} row{'s say' if by_word[word] > 1 else ' says'} “{word[:40]}”" for word in asked[:3]]
    more = f", and {len(asked) - 3} further words are not known" if len(asked) > 3 else ""
    what = "what does it mean" if len(asked) == 1 else "what do they mean"
    return f"{', '.join(told)}{more}: {what}? Until you say so, these rows are left out."


def _with_codes(meaning: Meaning, codes: Sequence[str], labels: dict[str, str]) -> Meaning:
    told = dict(meaning.codes)
    pairs = tuple((code, told[labels.get(code, code)]) for code in codes)
    return Meaning(meaning.key, meaning.label, pairs, meaning.event_phrase, meaning.free_phrase)


# ------------------------------------------------------------------ follow-up in a column


def _paired(columns: Sequence[Pair], states: Sequence[_Status], guesses: dict[str, Guess]) -> list[OutcomePlan]:
    """Each status with the follow-up that its name and place speak for."""
    times = [(i, seen) for i, (seen, plan) in enumerate(columns) if _is_time(seen, plan)]
    found: list[tuple[float, OutcomePlan]] = []
    taken: set[str] = set()
    for status in states:
        best = max(times, key=lambda item: _fit(item[0], item[1], status), default=None)
        if best is None or _fit(best[0], best[1], status) <= 0:
            continue
        score = _fit(best[0], best[1], status)
        name = best[1].column.name
        unit, sure = time_unit(best[1])
        for meaning in status.meanings:
            outcome = _worded(meaning, status, name, unit)
            again = "#2" if outcome.key in taken else ""
            taken.add(outcome.key)
            together = f"“{name}” and “{status.name}” belong together."
            guesses[f"outcome.{outcome.key}{again}"] = Guess(outcome.label, min(status.sure, 0.5 + score / 8), together)
            guesses[f"outcome.{outcome.key}.time{again}"] = Guess(
                f"follow-up in {unit}", sure, "Its name says so." if sure > 0.9 else "Judged by how long they are."
            )
            guesses[f"outcome.{outcome.key}.status{again}"] = Guess(_said(meaning), status.sure, _why(status))
            found.append((score, outcome))
    order = sorted(range(len(found)), key=lambda i: (-round(found[i][0]), i))
    return [found[i][1] for i in order]


def _why(status: _Status) -> str:
    return status.question or ("The words are known." if status.sure > 0.9 else "Read by convention.")


def _said(meaning: Meaning) -> str:
    return ", ".join(f"{code} = {told}" for code, told in meaning.codes)


def _is_time(seen: Seen, plan: ColumnPlan) -> bool:
    if plan.kind == "date" or seen.numeric < 0.9:
        return False
    values = seen.values
    words = _called(seen)
    named = bool(words & _TIME) or any(word.endswith(("time", "days", "months", "years")) for word in words)
    return (
        named and len(values) > 0 and float(np.min(values)) >= -31 and len(np.unique(values)) > min(3, len(values) - 1)
    )


def _called(seen: Seen) -> frozenset[str]:
    """The words of a column's name and of its label: of statistics packages the name is often a number."""
    return frozenset(words_of(seen.column.name)) | frozenset(words_of(seen.column.label))


def _endpoints(words: set[str]) -> set[str]:
    """Endpoints that words begin with: ``osdays`` and ``oscens`` are of one."""
    return {each for each in _KINDS for word in words
            if word == each or (word.startswith(each) and word[len(each) :] in _OF_KINDS)}  # fmt: skip


def _fit(place: int, seen: Seen, status: _Status) -> float:
    """How much speaks for a follow-up to belong to a status."""
    words = _called(seen) - _TIME - _STATUS
    theirs = set(status.words) - _TIME - _STATUS
    mine, other = _endpoints(set(words_of(seen.column.name))), _endpoints(set(status.words))
    if mine and other and mine != other:
        return 0.0
    score = 2.0 if mine & other else 0.0
    score += 1.5 * len(words & theirs)
    score += max(0.0, 1.5 - 0.4 * abs(place - status.place))
    score += 0.5 if not words & _NO_TIME else -3.0
    prefix = _common(seen.column.name, status.name)
    return score + (1.0 if prefix >= 2 else 0.0)


def _common(one: str, two: str) -> int:
    n = 0
    for a, b in zip(one.casefold(), two.casefold(), strict=False):
        if a != b:
            break
        n += 1
    return n


def time_unit(seen: Seen) -> tuple[Unit, float]:
    """The unit of a follow-up, by its name or else by how long it is, and how sure that is."""
    words = set(words_of(seen.column.name)) | set(words_of(seen.column.label))
    for unit, names in _UNITS.items():
        if words & names or any(re.search(rf"(?<![a-z]){unit}$|{unit}$", word) for word in words if len(word) > 3):
            return unit, 0.95
    values = seen.values
    longest = float(np.max(values)) if len(values) else 0.0
    if longest > 600:
        return "days", 0.8
    if longest > 45:
        return "months", 0.5 if longest > 300 else 0.6
    return "years", 0.5


def _worded(meaning: Meaning, status: _Status, time: str, unit: Unit) -> OutcomePlan:
    """An outcome with words, from the names of its columns where its codes say no more than yes and no."""
    words = set(status.words) | set(words_of(time))
    words |= _endpoints(words)
    told = _named(meaning, words)
    return OutcomePlan(
        key=told.key, label=told.label, time=time, unit=unit, status=status.name, meaning=told.codes,
        event_phrase=told.event_phrase, free_phrase=told.free_phrase,
    )  # fmt: skip


def _named(meaning: Meaning, words: Iterable[str]) -> Meaning:
    """What a plain yes and no is about, by the names of its columns."""
    said = set(words)
    if meaning.key == "event" or (meaning.key == "recurrence" and said & {"pfs", "progression"}):
        for names, key, label, phrase, free in _NAMED:
            if said & names:
                return Meaning(key, label, meaning.codes, phrase, free)
    return meaning


# ------------------------------------------------------------------ dates


Role = Literal["start", "end", "death", "birth", ""]


def role_of(name: str) -> Role:
    """What a date is of, by its name."""
    words = set(words_of(name))
    joined = words_of(name)[-1] if words else ""
    if words & _BIRTHS or any(word in joined for word in ("birth", "geburt", "naissance", "nacimiento")):
        return "birth"
    if words & _DEATHS or "death" in joined or "sterbe" in joined:
        return "death"
    if words & _ENDS or any(word in joined for word in ("lastcontact", "followup", "letzterkontakt")):
        return "end"
    if words & _STARTS or any(word in joined for word in ("diagnos", "operation", "randomi")):
        return "start"
    return ""


def _of_dates(columns: Sequence[Pair], states: Sequence[_Status], guesses: dict[str, Guess]) -> list[OutcomePlan]:
    """Follow-up between dates, where columns are named like its beginning and its end."""
    dated = [(seen, plan) for seen, plan in columns if plan.kind == "date"]
    by_role: dict[Role, list[str]] = {}
    for seen, _ in dated:
        by_role.setdefault(role_of(seen.column.name), []).append(seen.column.name)
    starts, ends, deaths = (by_role.get(role, []) for role in ("start", "end", "death"))  # type: ignore[call-overload]
    if not starts and by_role.get("") and (ends or deaths):
        starts = by_role[""][:1]
    if not starts or not (ends or deaths):
        return []
    start, death = starts[0], deaths[0] if deaths else ""
    status = next((s for s in states if s.meanings and s.meanings[0].key in ("death", "event")), None)
    if status is None and not death:
        return []
    told = tuple(_named(each, status.words) for each in status.meanings) if status is not None else (
        Meaning("death", "Death", (), "die", "alive"),)  # fmt: skip
    found = []
    for meaning in told:
        outcome = OutcomePlan(
            key=meaning.key, label=meaning.label, start=start, end=tuple(ends), happened=death,
            status=status.name if status else "", meaning=meaning.codes if status else (),
            event_phrase=meaning.event_phrase, free_phrase=meaning.free_phrase, since=_since(start),
        )  # fmt: skip
        guesses.setdefault(f"outcome.{outcome.key}", Guess(outcome.label, 0.8, _between(start, ends, death)))
        guesses.setdefault(
            f"outcome.{outcome.key}.time", Guess("days between dates", 0.85, _between(start, ends, death))
        )
        guesses.setdefault(
            f"outcome.{outcome.key}.status",
            Guess(_said(meaning) or f"a date in “{death}” = event", status.sure if status else 0.8,
                  _why(status) if status else "Who has a date of death has died."),
        )  # fmt: skip
        found.append(outcome)
    return found


def _between(start: str, ends: Sequence[str], death: str) -> str:
    last = " or ".join(f"“{name}”" for name in ([death] if death else []) + list(ends))
    return f"From “{start}” to {last}."


def _since(start: str) -> str:
    words = set(words_of(start))
    for said, names in (
        ("diagnosis", {"diagnosis", "diag", "dx", "diagnose", "erstdiagnose", "diagnostic", "diagnostico", "diagnosi"}),
        ("surgery", {"surgery", "operation", "op", "chirurgie", "cirugia", "intervento", "cirurgia", "operatie"}),
        ("randomisation", {"randomisation", "randomization", "randomised", "randomized", "rand"}),
        ("transplantation", {"transplant"}),
        ("admission", {"admission", "aufnahme"}),
    ):
        if words & names or any(name in words_of(start)[-1] for name in names if len(name) > 4):
            return said
    return "the start of follow-up"
