"""Which columns say what happened, and when: pairs of follow-up and status, or dates."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from bedside.cohort.units import Unit
from bedside.intake.entries import entered
from bedside.intake.names import words_of, wordset
from bedside.intake.plan import ColumnPlan, Guess, OutcomePlan
from bedside.intake.status_columns import ENDPOINTS, PARTLY, Status, called, is_status_word, status_of
from bedside.intake.status_composed import DEAD
from bedside.intake.status_words import Meaning

if TYPE_CHECKING:
    from bedside.intake.guess import Seen

Pair = tuple["Seen", ColumnPlan]
_OF_KINDS = wordset("days months years weeks time event status stat cens cnsr censor censored mo ind flag")
_FILLERS = wordset("to of at the in last")
MOSTLY = 0.8
"""Share of the rows in which a follow-up is recorded, from which on it is taken for one without a question."""
_NO_TIME = wordset("age alter edad eta idade leeftijd entry eintritt entree entrada ingresso start since")

_TIME = wordset(
    "time days months years weeks futime survival followup fu duration tte aval surv stime survtime zeit dauer tage "
    "monate jahre uberleben uberlebenszeit nachbeobachtung temps duree suivi mois jours survie tiempo meses dias "
    "seguimiento supervivencia tempo mesi giorni sopravvivenza tijd maanden dagen overleving months2 os pfs dfs rfs "
    "efs ttr ttd ttp rfstime dtime rtime dfi pfi dss css mfs dmfs stop tstop exit lenfol tenure survt surt "
)
_TIME_ENDS = ("time", "days", "months", "years")
_TIME_STARTS = ("time", "tto", "survtime")
_ALONE = wordset("t week")
"""Names of a follow-up that are one only as the whole name, and only with many values: T is a stage as well."""
_MANY = 20
_UNITS: dict[Unit, set[str]] = {
    "days": {"days", "day", "tage", "tag", "jours", "dias", "giorni", "dagen", "d"},
    "weeks": {"weeks", "week", "wochen", "semaines", "semanas", "settimane", "weken"},
    "months": {"months", "month", "monate", "monat", "mois", "meses", "mesi", "maanden", "mo", "mths"},
    "years": {"years", "year", "jahre", "jahr", "ans", "annees", "anos", "anni", "jaar", "yrs", "y"},
}  # fmt: skip
_EITHERS = wordset("pfs dfs rfs efs")
"""Names of a follow-up that ends with death as well."""
_OR = wordset("or oder ou o u lub and und et y e eller")
_RECURS = wordset("relapse relapsed recurrence recur recurred rezidiv recidive rechute recidiva recaida recidief "
                  "wznowa dfi ttr")  # fmt: skip
_PROGRESSES = wordset("progression progressed progress ttp pfi progresion progressione progressao progressie progresja")
_NAMED: tuple[tuple[frozenset[str], str, str, str, str], ...] = (
    (wordset("dss css"), "death_disease", "Death of the disease", "die of the disease", "alive"),
    (wordset("pfs"), "progression", "Progression or death", "have progression or die",
     "alive and free of progression"),
    (wordset("dfs rfs efs"), "recurrence", "Recurrence or death", "have a recurrence or die",
     "alive and free of recurrence"),
    (wordset("mfs dmfs drfs metastasis metastases"), "metastasis", "Metastasis", "have a metastasis",
     "free of metastases"),
    (_PROGRESSES, "progression", "Progression", "have progression", "free of progression"),
    (_RECURS, "recurrence", "Recurrence", "have a recurrence", "free of recurrence"),
    (DEAD | wordset("os overall mortality vital uberleben gesamtuberleben survival"), "death", "Death", "die", "alive"),
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


def guess_outcomes(columns: Sequence[Pair], guesses: dict[str, Guess]) -> list[OutcomePlan]:
    """Outcomes, the one that most columns speak for first."""
    states = [found for i, pair in enumerate(columns) if (found := status_of(i, *pair)) is not None]
    found = _paired(columns, states, guesses)
    # The same of dates as of columns is one outcome: the first of them. The other can be added by hand.
    said = {(outcome.key, outcome.label) for outcome in found}
    dated = _of_dates(columns, states, guesses, paired=bool(found))
    found += [outcome for outcome in dated if (outcome.key, outcome.label) not in said]
    found = [entered(outcome, columns, guesses) for outcome in found]
    unique: dict[str, OutcomePlan] = {}
    for outcome in found:
        key, n = outcome.key, 2
        while key in unique:
            key, n = f"{outcome.key}_{n}", n + 1
        if key != outcome.key:
            _rename(guesses, outcome.key, key, n - 1)
            outcome = replace(outcome, key=key)
        unique[key] = outcome
    return list(unique.values())


def _rename(guesses: dict[str, Guess], old: str, new: str, place: int) -> None:
    for part in ("", ".time", ".status"):
        told = guesses.pop(f"outcome.{old}{part}#{place}", None)
        if told is not None:
            guesses[f"outcome.{new}{part}"] = told


# ------------------------------------------------------------------ follow-up in a column


@dataclass(frozen=True, eq=False)
class _Match:
    """A status with the follow-up that fits it best."""

    status: Status
    time: Seen
    score: float

    @property
    def doubt(self) -> int:
        """Of the status; little where follow-up and status are named alike."""
        together = _own(self.status.words) & _own(called(self.time))
        return min(self.status.doubt, 1) if together else self.status.doubt


def _paired(columns: Sequence[Pair], states: Sequence[Status], guesses: dict[str, Guess]) -> list[OutcomePlan]:
    """Each status with the follow-up that its name and place speak for."""
    times = [(i, seen) for i, (seen, plan) in enumerate(columns) if _is_time(seen, plan)]
    matches = [found for status in states if (found := _match(status, times)) is not None]
    # What can hardly be read is offered only where nothing else can be.
    least = min((match.doubt for match in matches), default=0)
    matches = [match for match in matches if match.doubt == least]
    found: list[tuple[float, OutcomePlan]] = []
    taken: Counter[str] = Counter()
    for match in matches:
        unit, sure = time_unit(match.time)
        for meaning in _offered(match.status, match.time.column.name):
            outcome = _worded(meaning, match.status, match.time.column.name, unit)
            taken[outcome.key] += 1
            again = f"#{taken[outcome.key]}" if taken[outcome.key] > 1 else ""
            _told(
                guesses,
                f"outcome.{outcome.key}",
                again,
                match,
                meaning,
                outcome,
                Guess(
                    f"follow-up in {unit}", sure, "Its name says so." if sure > 0.9 else "Judged by how long they are."
                ),
            )
            found.append((match.score, outcome))
    order = sorted(range(len(found)), key=lambda i: (-round(found[i][0]), i))
    return [found[i][1] for i in order]


def _match(status: Status, times: Sequence[tuple[int, Seen]]) -> _Match | None:
    scored = [(_fit(place, seen, status), seen) for place, seen in times if seen.column.name != status.name]
    score, best = max(scored, key=lambda each: each[0], default=(0.0, None))
    return _Match(status, best, score) if best is not None and score > 0 else None


def _told(
    guesses: dict[str, Guess], place: str, again: str, match: _Match, meaning: Meaning, outcome: OutcomePlan,
    length: Guess,
) -> None:  # fmt: skip
    status, time = match.status, match.time
    share = time.present / max(time.n_rows, 1)
    together, sure = f"“{time.column.name}” and “{status.name}” belong together.", 0.5 + match.score / 8
    if share < MOSTLY:
        together = f"“{time.column.name}” is recorded in only {100 * share:.0f} of 100 rows; the others are left out."
        sure = 0.3
    known, why = _how_sure(status, meaning)
    guesses[place + again] = Guess(outcome.label, min(known, sure), together)
    guesses[f"{place}.time{again}"] = length
    said = ", ".join(f"{code} = {told}" for code, told in outcome.meaning)
    guesses[f"{place}.status{again}"] = Guess(said, known, why)


def _how_sure(status: Status, meaning: Meaning) -> tuple[float, str]:
    """How sure the codes of an outcome are, and why: what has to be asked about them."""
    asked = " ".join(each for each in (meaning.question, status.question) if each)
    sure = min(status.sure, PARTLY) if meaning.question else status.sure
    return sure, asked or ("The words are known." if status.sure > 0.9 else "Read by convention.")


def _said(meaning: Meaning) -> str:
    return ", ".join(f"{code} = {told}" for code, told in meaning.codes)


def _is_time(seen: Seen, plan: ColumnPlan) -> bool:
    if plan.kind == "date" or seen.numeric < 0.9:
        return False
    values = seen.values
    words = called(seen)
    alone = words_of(seen.column.name)[-1:] in [(word,) for word in _ALONE]
    named = alone or words & _TIME or any(w.endswith(_TIME_ENDS) or w.startswith(_TIME_STARTS) for w in words)
    if not named or not len(values) or float(np.min(values)) < -31:
        return False
    return len(np.unique(values)) > (_MANY if alone else min(3, len(values) - 1))


def _own(words: Iterable[str]) -> set[str]:
    """Words that say of what a column is, and not that it is a follow-up or a status."""
    return {word for word in words if word not in _TIME and not is_status_word(word) and word not in _FILLERS}


def _endpoints(words: set[str]) -> set[str]:
    """Endpoints that words begin with: ``osdays`` and ``oscens`` are of one."""
    return {each for each in ENDPOINTS for word in words
            if word == each or (word.startswith(each) and word[len(each) :] in _OF_KINDS)}  # fmt: skip


def _fit(place: int, seen: Seen, status: Status) -> float:
    """How much speaks for a follow-up to belong to a status."""
    words, theirs = _own(called(seen)), _own(status.words)
    mine, other = _endpoints(set(words_of(seen.column.name))), _endpoints(set(status.words))
    if mine and other and mine != other:
        return 0.0
    score = 2.0 if mine & other else 0.0
    score += 1.5 * len(words & theirs)
    score += max(0.0, 1.5 - 0.4 * abs(place - status.place))
    score += 0.5 if not words & _NO_TIME else -3.0
    score -= 3.0 * (1 - seen.present / max(seen.n_rows, 1))  # known of the dead alone, it is no follow-up
    score += 2.5 if _short_for(seen.column.name, status.name) else 0.0
    prefix = _common(seen.column.name, status.name)
    return score + (1.0 if prefix >= 2 else 0.0)


def _short_for(time: str, status: str) -> bool:
    """True for a follow-up that is named after a status: ``TIMEDTH`` is of ``DEATH``."""
    bare = re.sub(r"[^a-z]", "", time.casefold())
    stem, whole = re.sub(r"^(timeto|time|ttot?|daysto|days)|(time|days|months)$", "", bare), status.casefold()
    if len(stem) < 2 or stem == bare or stem[0] != whole[:1]:
        return False
    letters = iter(whole)
    return all(letter in letters for letter in stem)


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


def _offered(status: Status, time: str) -> list[Meaning]:
    """What a status is offered as: recurrence or death together first, but only where a name speaks of both."""
    words = set(status.words) | set(words_of(time))
    both = (words | _endpoints(words)) & _EITHERS
    found = [each for each in status.meanings if both or not each.either]
    return sorted(found, key=lambda each: not each.either)


def _worded(meaning: Meaning, status: Status, time: str, unit: Unit) -> OutcomePlan:
    """An outcome with words, from the names of its columns where its codes say no more than yes and no."""
    told = _named(meaning, status.words, words_of(time))
    return OutcomePlan(
        key=told.key, label=told.label, time=time, unit=unit, status=status.name, meaning=told.codes,
        event_phrase=told.event_phrase, free_phrase=told.free_phrase,
    )  # fmt: skip


def _named(meaning: Meaning, status: Iterable[str], time: Iterable[str] = ()) -> Meaning:
    """What a plain yes and no is about: by the name of the status, or else of the follow-up."""
    mine, theirs = (set(words) | _endpoints(set(words)) for words in (status, time))
    if meaning.key in ("recurrence", "progression"):
        # Without a code for death, what is named progression-free survival counts it as the event.
        apart = any(means not in ("event", "censored", "missing") for _, means in meaning.codes)
        return meaning if apart or "pfs" not in mine | theirs else _called(meaning, {"pfs"})
    if meaning.key != "event":
        return meaning
    named = _called(meaning, mine)
    return named if named.key != "event" else _called(meaning, theirs)


def _called(meaning: Meaning, said: set[str]) -> Meaning:
    either = bool(said & DEAD and said & _OR)
    for words, key, label, phrase, free in _NAMED:
        if said & words:
            if either and key in ("recurrence", "progression") and not label.endswith("or death"):
                label, phrase, free = f"{label} or death", f"{phrase} or die", f"alive and {free}"
            return replace(meaning, key=key, label=label, event_phrase=phrase, free_phrase=free)
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


def _of_dates(
    columns: Sequence[Pair], states: Sequence[Status], guesses: dict[str, Guess], *, paired: bool
) -> list[OutcomePlan]:
    """Follow-up between dates, where columns are named like its beginning and its end."""
    dated = [(seen, plan) for seen, plan in columns if plan.kind == "date"]
    by_role: dict[Role, list[str]] = {}
    for seen, _ in dated:
        by_role.setdefault(role_of(seen.column.name) or role_of(seen.column.label), []).append(seen.column.name)
    starts, ends, deaths = (by_role.get(role, []) for role in ("start", "end", "death"))  # type: ignore[call-overload]
    if not starts and by_role.get("") and (ends or deaths):
        starts = by_role[""][:1]
    if not starts or not (ends or deaths):
        return []
    start, death = starts[0], deaths[0] if deaths else ""
    status = next((s for s in states if s.meanings and s.meanings[0].key in ("death", "event")), None)
    if status is None and not death:
        return [] if paired else [_unsaid(start, ends, guesses)]
    told = tuple(_named(each, status.words) for each in status.meanings if not each.either) if status is not None else (
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
            Guess(_said(meaning) or f"a date in “{death}” = event",
                  *(_how_sure(status, meaning) if status else (0.8, "Who has a date of death has died."))),
        )  # fmt: skip
        found.append(outcome)
    return found


def _unsaid(start: str, ends: Sequence[str], guesses: dict[str, Guess]) -> OutcomePlan:
    """Follow-up between dates of which nothing says how it ended."""
    said = _between(start, ends, "")
    guesses["outcome.event"] = Guess("Event", 0.3, f"{said} No column is known to say what happened.")
    guesses["outcome.event.time"] = Guess("days between dates", 0.85, said)
    return OutcomePlan("event", "Event", start=start, end=tuple(ends), since=_since(start))


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
