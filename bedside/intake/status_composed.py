"""What a phrase of a status column means by the words it is made of, where the phrase as a whole is not known."""

from __future__ import annotations

from bedside.intake.names import wordset

_MOST_WORDS = 8
_DEAD = wordset(
    "dead died death deceased expired exitus verstorben verstorbene verstorbener gestorben tot tod decede decedee "
    "deces mort morte fallecido fallecida fallecio muerto muerta muerte exito deceduto deceduta decesso morto morta "
    "falecido falecida obito overleden dood avliden zmarly zmarla zmarl zgon "
)
_ALIVE = wordset(
    "alive living lives survives lebend lebende lebt leben vivant vivante vie vivo viva vive vida vita vivente levend "
    "leven leeft levande zyje zywy zywa "
)
_NOT = wordset("not no non nicht kein keine keinem ohne without sans sin senza sem zonder bez free frei libre libera "
               "livre vrij ne nie nao")  # fmt: skip
_OTHER = wordset(
    "other others another unrelated intercurrent anderer andere anderen anders anderweitig autre autres otra otro "
    "otras otros altra altre altro altri outra outras outro outros inne innej inna innego ander "
)
_DISEASE = wordset(
    "disease cancer tumour tumor malignancy carcinoma neoplasm leukemia leukaemia lymphoma melanoma sarcoma krebs "
    "karzinom tumorbedingt tumorerkrankung grunderkrankung krankheit erkrankung leukamie lymphom maladie tumeur "
    "enfermedad neoplasia leucemia linfoma malattia cancro tumore doenca ziekte kanker nowotwor nowotworu choroby "
    "choroba rak raka "
)
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
    words = phrase.split()
    said = set(words)
    if not 1 < len(words) <= _MOST_WORDS or said & _DOUBT or bool(said & _DEAD) == bool(said & _ALIVE):
        return None
    of_disease, denied = bool(said & _DISEASE), bool(said & _NOT)
    if said & _ALIVE:
        if denied and not of_disease:
            return "dead" if words[0] in _NOT else None
        return "alive" if not of_disease else "alive without" if denied else "alive with"
    if said & _OTHER or (of_disease and denied):
        return "dead of other"
    if denied:
        return "alive" if words[0] in _NOT else None
    return "dead of disease" if of_disease else "dead"
