"""The words in a column's name."""

from __future__ import annotations

import re
import unicodedata


def wordset(words: str) -> frozenset[str]:
    """Words with blanks between them, as a set."""
    return frozenset(words.split())


_ABBREVIATIONS = wordset(
    "os pfs dfs rfs efs ttp ttr css dss mfs bmi ecog er pr pgr psa ldh crp inr alt ast hb wbc ct mri id tnm her2 kps "
)


def words_of(name: str) -> tuple[str, ...]:
    """The words of a name in lower case without accents: ``"OS_MONTHS"``, ``"overallSurvivalDays"``, ``"Größe (cm)"``.

    The whole name without its marks is the last of them.
    """
    flat = unicodedata.normalize("NFKD", name.replace("ß", "ss"))
    flat = "".join(letter for letter in flat if not unicodedata.combining(letter))
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", flat)
    words = [word.casefold() for word in re.findall(r"[^\W_]+", parted)]
    whole = "".join(words)
    return (*words, whole) if len(words) > 1 else tuple(words)


def spoken(name: str) -> str:
    """A name as a label: ``"age_at_diagnosis"`` becomes "Age at diagnosis"."""
    text = re.sub(r"[_.]+", " ", name).strip()
    text = re.sub(r"(?<=[a-zß-öø-ÿ])(?=[A-ZÀ-Þ])", " ", text)
    if not text:
        return name
    words = [word.upper() if word.casefold() in _ABBREVIATIONS else word for word in text.split()]
    if all(word.isupper() for word in words) and len(words) > 1:
        words = [word if word.casefold() in _ABBREVIATIONS else word.lower() for word in words]
    text = " ".join(words)
    return text[:1].upper() + text[1:]
