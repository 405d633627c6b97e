"""What the words of a status column mean, in the languages that registers write."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bedside.intake.status_composed import RELAPSE, composed

State = Literal[
    "alive", "alive with", "alive without", "alive after relapse", "dead", "dead of disease", "dead of other",
    "dead of unknown", "dead after relapse", "dead without relapse", "relapse", "event", "no event", "lost", "unknown",
]  # fmt: skip

_PHRASES: dict[State, tuple[str, ...]] = {
    "dead of disease": (
        "dod", "dead of disease", "died of disease", "death from disease", "dead of cancer", "died of cancer",
        "cancer death", "tumour death", "tumor death", "death due to cancer", "dead from cancer", "disease death",
        "died from cancer", "dead due to disease", "dead of tumor", "dead of tumour", "disease specific death",
        "death attributable to this cancer dx", "dead attributable to this cancer dx", "tumorbedingt verstorben",
        "am tumor verstorben", "tumortod", "tod durch tumor", "krebstod", "decede du cancer", "mort du cancer",
        "deces lie au cancer", "muerto por cancer", "muerte por cancer", "muerto por la enfermedad",
        "morto per tumore", "deceduto per malattia", "morto por cancer", "obito por cancer",
        "overleden aan kanker", "overleden aan ziekte", "zgon z powodu nowotworu",
    ),
    "dead of other": (
        "doc", "dead of other cause", "dead of other causes", "died of other causes", "dead other", "other death",
        "dead of unrelated causes", "intercurrent death", "death from other cause", "death from other causes",
        "dead from other causes", "died of other cause", "death of other causes", "non cancer death",
        "dead without disease",
        "nicht tumorbedingt verstorben", "anders verstorben", "tod anderer ursache", "tod durch andere ursache",
        "andere todesursache", "decede autre cause", "mort autre cause", "deces d autre cause",
        "muerto por otra causa", "muerte por otra causa", "morto per altra causa", "deceduto per altra causa",
        "morto por outra causa", "overleden door andere oorzaak", "zgon z innej przyczyny",
    ),
    "alive with": (
        "awd", "alive with disease",
        "living with disease", "lebt mit tumor", "lebend mit tumor", "lebt mit krankheit", "vivant avec maladie",
        "en vie avec maladie", "vivo con enfermedad", "vivo con malattia", "vivo com doenca", "levend met ziekte",
    ),
    "alive without": (
        "ned", "awod", "alive without disease", "no evidence of disease", "alive no evidence of disease", "alive ned",
        "alive disease free", "disease free", "diseasefree", "progression free", "recurrence free", "relapse free",
        "tumor free", "tumour free", "lebt ohne tumor", "lebend ohne tumor", "tumorfrei", "rezidivfrei",
        "vivant sans maladie", "en vie sans maladie", "vivo sin enfermedad", "libre de enfermedad",
        "vivo senza malattia", "vivo sem doenca", "levend zonder ziekte", "complete remission",
    ),
    "dead": (
        "dead", "died", "death", "deceased", "d", "expired", "exitus", "verstorben", "tot", "gestorben", "tod",
        "decede", "decedee", "mort", "morte", "deces", "fallecido", "fallecida", "muerto", "muerta", "muerte",
        "exitus letalis", "deceduto", "deceduta", "morto", "morta", "decesso", "falecido", "falecida", "obito",
        "overleden", "dood", "gestorben an", "dod (all)", "avliden", "dod person", "zmarly", "zmarla", "zgon", "zmarl",
    ),
    "alive": (
        "alive", "living", "live", "a", "alive at last contact", "survived", "lebend", "lebt", "am leben", "vivant",
        "vivante", "en vie", "vivo", "viva", "con vida", "in vita", "vivente", "levend", "in leven", "leeft", "levande",
        "zyje", "zywy", "zywa",
    ),
    "relapse": (
        "relapse", "relapsed", "recurrence", "recurred", "recurred progressed", "progression", "progressed",
        "progressive disease", "metastasis", "metastases", "local recurrence", "distant metastasis",
        "distant recurrence", "rezidiv", "progress", "rueckfall", "ruckfall", "metastase", "metastasen", "recidive",
        "rechute", "recidiva", "recaida", "progresion", "progressione", "recidiva di malattia", "progressao",
        "recidief",
        "wznowa",
    ),
    "event": ("event", "yes", "y", "true", "t", "failure", "ja", "j", "oui", "si", "sim", "ereignis", "evento", "tak"),
    "no event": (
        "no event", "no", "n", "false", "f", "censored", "censor", "censoring", "event free", "none", "nein", "non",
        "nao", "nee", "nie", "zensiert", "censure", "censurado", "censurato", "gecensureerd", "not progressed",
        "no relapse", "no recurrence", "no progression", "kein ereignis", "kein rezidiv",
    ),
    "lost": (
        "lost", "lost to follow up", "lost to followup", "ltfu", "lfu", "withdrawn", "perdu de vue", "perdido",
        "perdido de vista", "perso al follow up", "uit beeld", "abgebrochen", "verloren", "verzogen", 
        "drop out", "dropout", "withdrawn consent", "withdrew consent", "withdrew", "consent withdrawn",
    ),
    "unknown": ("unknown", "unk", "not known", "unbekannt", "inconnu", "desconocido", "ignoto", "sconosciuto",
                "onbekend", "?", "nk", "not available", "nieznany", "not reported"),
}  # fmt: skip


def plain(text: str) -> str:
    """Letters and figures alone, in lower case and without accents; of ``1:DECEASED`` the words."""
    text = re.sub(r"^\s*\d+\s*[:=-]\s*(?=\D)", "", text)
    flat = unicodedata.normalize("NFKD", text.casefold().replace("ß", "ss").replace("ø", "o").replace("ł", "l"))
    flat = "".join(letter for letter in flat if not unicodedata.combining(letter))
    return " ".join(re.findall(r"[^\W_]+|\?", flat))


WORDS: dict[str, State] = {plain(phrase): state for state, phrases in _PHRASES.items() for phrase in phrases}

_OTHERS: frozenset[State] = frozenset(["dead of other", "dead without relapse"])
ENDS: frozenset[State] = _OTHERS | {"dead", "dead of disease", "dead of unknown", "dead after relapse"}
LIVES: frozenset[State] = frozenset(["alive", "alive with", "alive without", "alive after relapse", "lost"])
_EARLIER: frozenset[State] = frozenset(["alive after relapse", "dead after relapse"])
"""States of who had a recurrence, on a day that the follow-up does not say."""
UNDATED = "the disease may have come back earlier, on a day that is not known. How are they counted"
UNCAUSED = "of what they died is not known. How are they counted"
MOSTLY_KNOWN = 0.5
"""Share of its rows in which the words of a status column have to be known, for the rest to be asked."""


def state_of(code: str) -> State | None:
    """What a word of a status column means; None for one that is not known."""
    said = plain(code)
    found = WORDS.get(said) or composed(said) or ("relapse" if said in RELAPSE else None)
    return found  # type: ignore[return-value]


@dataclass(frozen=True)
class Meaning:
    """An outcome that a status column can be read as.

    Attributes
    ----------
    key, label : str
    codes : tuple of (code, meaning)
        ``"censored"``, ``"event"``, ``"missing"``, or the name of what can come first instead.
    event_phrase, free_phrase : str
    asked : tuple of str
        Codes that are known, but not what they are to this outcome: ``"missing"`` until the reader says so.
    question : str
        Why these are asked about.
    either : bool
        Recurrence or death, whichever is first: what columns named after a disease-free survival are of.
    """

    key: str
    label: str
    codes: tuple[tuple[str, str], ...]
    event_phrase: str
    free_phrase: str
    asked: tuple[str, ...] = ()
    question: str = ""
    either: bool = False


def meanings(codes: Sequence[str]) -> tuple[Meaning, ...]:
    """Every outcome that the words of a column allow: death of any cause, of the disease, recurrence, any event.

    Empty where a word is not known, or none is an event. Codes that say that nothing is known are ``"missing"``.
    """
    states = {code: state_of(code) for code in codes}
    known = {state for state in states.values() if state not in (None, "unknown")}
    if None in states.values() or not known:
        return ()
    found = []
    if known <= ENDS | LIVES and known & ENDS:
        found.append(_read(states, "death", "Death", ENDS, "die", "alive"))
        if "dead of disease" in known and known & _OTHERS and "dead" not in known:
            causes: dict[State, str] = dict.fromkeys(_OTHERS, "Death of another cause")
            found.append(
                _read(states, "death_disease", "Death of the disease", frozenset(["dead of disease"]),
                      "die of the disease", "alive", causes,
                      asked=frozenset(["dead of unknown", "dead after relapse"]), question=UNCAUSED)
            )  # fmt: skip
    elif "relapse" in known and known <= ENDS | LIVES | {"relapse", "no event"}:
        found += _recurrence(states, known)
    elif known <= {"event", "no event"} and "event" in known:
        found.append(_read(states, "event", "Event", frozenset(["event"]), "have the event", "free of the event"))
    elif known <= ENDS | {"no event", "lost"}:
        found.append(_read(states, "death", "Death", ENDS, "die", "alive"))
    return tuple(found)


def _recurrence(states: dict[str, State | None], known: set[State | None]) -> list[Meaning]:
    """Recurrence with death as what may come first instead, and where deaths are told apart, either of them."""
    said = " ".join(plain(code) for code, state in states.items() if state == "relapse")
    progress = (
        re.search(r"progre[sd]", said) is not None and re.search(r"rec|rela|rez|rech|r[eu]+ckf|met|wzn", said) is None
    )
    key, label, phrase = (
        ("progression", "Progression", "have progression") if progress else
        ("recurrence", "Recurrence", "have a recurrence")
    )  # fmt: skip
    competing = {state: f"Death without {key}" for state in known & ENDS if state is not None}
    ill: frozenset[State] = frozenset() if progress else frozenset(["alive with"])
    earlier = _EARLIER | ill
    found = [
        _read(states, key, label, frozenset(["relapse"]), phrase, f"free of {key}", competing,
              asked=earlier | {"dead of disease", "dead of unknown"}, question=UNDATED)
    ]  # fmt: skip
    if competing:
        both = _read(states, f"{key}_or_death", f"{label} or death", ENDS | {"relapse"}, f"{phrase} or die",
                     f"alive and free of {key}", asked=earlier, question=UNDATED)  # fmt: skip
        found.append(replace(both, either=True))
    return found


@dataclass(frozen=True)
class Partly:
    """What a status column can be read as, though some of its words are not known.

    Attributes
    ----------
    meanings : tuple of Meaning
        The words that are not known are ``"missing"`` in each.
    asked : tuple of str
        These words, those of most rows first.
    """

    meanings: tuple[Meaning, ...]
    asked: tuple[str, ...]


def partly(codes: Mapping[str, int], *, named: bool) -> Partly | None:
    """A status column with words that nobody taught us, where the others leave little doubt what it is.

    Parameters
    ----------
    codes : mapping of str to int
        Words and their rows.
    named : bool
        Whether the column is called a status; otherwise it must hold words of dying and of living.

    Returns
    -------
    Partly or None
        None where the words that are known stand in too few rows to say what the column is.
    """
    states = {code: state_of(code) for code in codes}
    asked = sorted((code for code, state in states.items() if state is None), key=lambda code: -codes[code])
    known = {state for state in states.values() if state is not None}
    told = sum(n for code, n in codes.items() if states[code] is not None)
    if not asked or told < MOSTLY_KNOWN * sum(codes.values()) or not (named or (known & ENDS and known & LIVES)):
        return None
    found = meanings([code for code, state in states.items() if state is not None])
    # Any yes or no with a third answer is no status of follow-up by its words.
    if not found or len(known - {"unknown"}) < 2 or (not named and found[0].key == "event"):
        return None
    return Partly(
        tuple(replace(each, codes=(*each.codes, *((code, "missing") for code in asked))) for each in found),
        tuple(asked),
    )


def _read(
    states: dict[str, State | None],
    key: str,
    label: str,
    events: frozenset[State],
    phrase: str,
    free: str,
    competing: Mapping[State, str] | None = None,
    *,
    asked: frozenset[State] = frozenset(),
    question: str = "",
) -> Meaning:
    def meaning(state: State | None) -> str:
        if state is None or state == "unknown" or state in asked:
            return "missing"
        return "event" if state in events else (competing or {}).get(state, "censored")

    codes = tuple((code, meaning(state)) for code, state in states.items())
    ask = tuple(code for code, state in states.items() if state in asked)
    return Meaning(key, label, codes, phrase, free, ask, question if ask else "")
