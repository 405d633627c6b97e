"""What a phrase of a status column means by the words it is made of, where the phrase as a whole is not known."""

from __future__ import annotations

from bedside.intake.names import wordset

_MOST_WORDS = 8
DEAD = wordset(
    "dead died death deceased expired exitus verstorben verstorbene verstorbener gestorben tot tod decede decedee "
    "deces mort morte fallecido fallecida fallecio muerto muerta muerte exito deceduto deceduta decesso morto morta "
    "falecido falecida obito overleden dood avliden zmarly zmarla zmarl zgon "
)
_ALIVE = wordset(
    "alive living lives survives lebend lebende lebt leben vivant vivante vie vivo viva vive vida vita vivente levend "
    "leven leeft levande zyje zywy zywa "
)
NOT = wordset("not no non nicht kein keine keinem ohne without sans sin senza sem zonder bez free frei libre libera "
               "livre vrij ne nie nao "
              "geen utan ingen inte fri ikke uden wolny wolna libero")  # fmt: skip
OTHER = wordset(
    "other others another unrelated intercurrent anderer andere anderen anders anderweitig autre autres otra otro "
    "otras otros altra altre altro altri outra outras outro outros inne innej inna innego ander "
)
DISEASE = wordset(
    "disease cancer tumour tumor malignancy carcinoma neoplasm leukemia leukaemia lymphoma melanoma sarcoma krebs "
    "karzinom tumorbedingt tumorerkrankung grunderkrankung krankheit erkrankung leukamie lymphom maladie tumeur "
    "enfermedad neoplasia leucemia linfoma malattia cancro tumore doenca ziekte kanker nowotwor nowotworu choroby "
    "choroba rak raka "
)
RELAPSE = wordset(
    "relapse relapsed recurrence recurrences recurred progression progressed progressive metastasis metastases rezidiv "
    "rezidivs rezidive progress progredienz ruckfall rueckfall metastase metastasen recidive recidives rechute "
    "recidiva recidivas recaida recaidas progresion metastasi progressione ricaduta progressao recidief terugval "
    "progressie uitzaaiing uitzaaiingen wznowa wznowy wznowie wznowe nawrot nawrocie nawrotu progresja progresji "
    "przerzut przerzuty aterfall recidiv"
)
FREE = wordset("free frei libre libera libero livre vrij fri wolny wolna")
EVENTS = wordset("event events failure ereignis evenement evento zdarzenia gebeurtenis")
HAPPENS = DEAD | DISEASE | RELAPSE | EVENTS
_AFTER = wordset(
    "after with following nach mit bei apres avec despues tras con dopo in apos depois com na met po z efter med"
)
_THROUGH = wordset("of from due through by an am durch infolge wegen par por per aan door powodu av")
_UNKNOWN = wordset(
    "unknown unk unspecified unclear undetermined unbekannt unbekannter unbekannte unklar unklare unklarer ungeklart "
    "inconnu inconnue indeterminee desconocido desconocida ignoto ignota sconosciuto sconosciuta onbekend onbekende "
    "desconhecido desconhecida ignorada ignorado nieznany nieznana nieznanej nieznane okand"
)
_KNOWN = wordset("known bekannt connu connue conocida conocido nota noto bekend conhecida znana reported specified")
_DOUBT = wordset("whether suspected possible planned if risk history family mother father")


def composed(phrase: str) -> str | None:
    """The state that a phrase stands for: ``"verstorben tumor"`` is ``"dead of disease"``.

    Parameters
    ----------
    phrase : str
        In lower case, without accents and marks.

    Returns
    -------
    str or None
        None where no word of it says that somebody died or lives, or where its words contradict one another.
    """
    words = [part for word in phrase.split() for part in parted(word)]
    said = set(words)
    if not 1 < len(words) <= _MOST_WORDS or said & _DOUBT or bool(said & DEAD and said & _ALIVE):
        return None
    if said & _ALIVE:
        return _alive(words, said)
    if said & DEAD:
        return _dead(words, said)
    if said & RELAPSE and said & NOT:
        return "no event"
    return "alive without" if said & DISEASE and (words[0] in NOT or said & FREE) else None


def parted(word: str) -> tuple[str, ...]:
    """“relapsefree” and “rezidivfrei” as the two words that they are."""
    for end in ("free", "frei", "vrij", "fri"):
        bare = word.removesuffix(end)
        stems = (bare, bare.removesuffix("s"), bare.removesuffix("n"))
        if bare != word and (found := next((stem for stem in stems if stem in HAPPENS), "")):
            return (found, end)
    return (word,)


def _unknown(said: set[str]) -> bool:
    return bool(said & _UNKNOWN) or bool(said & NOT and said & _KNOWN)


def _alive(words: list[str], said: set[str]) -> str | None:
    denied, ill = bool(said & NOT), bool(said & DISEASE)
    if _unknown(said):
        return "alive"
    if said & RELAPSE:
        return "alive without" if denied else "alive after relapse"
    if denied and not ill:
        return "dead" if words[0] in NOT else None
    return "alive" if not ill else "alive without" if denied else "alive with"


def _dead(words: list[str], said: set[str]) -> str | None:
    denied, ill = bool(said & NOT), bool(said & DISEASE)
    if _unknown(said):
        return "dead of unknown"
    if said & RELAPSE:
        if denied:
            return "dead without relapse"
        return "dead of disease" if said & _THROUGH and not said & _AFTER else "dead after relapse"
    if said & OTHER or (ill and denied):
        return "dead of other"
    if denied:
        return "alive" if words[0] in NOT else None
    return "dead of disease" if ill else "dead"
