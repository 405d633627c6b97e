"""How the columns of a standard are declared in a dictionary."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from bedside.intake.columns import Column
from bedside.intake.conventions import infer
from bedside.intake.names import spoken
from bedside.intake.standards.staged_table import numbers_of

MOST_LEVELS = 30
YES = {"Y": "yes", "N": "no", "YES": "yes", "NO": "no"}
SEX = {"M": "male", "F": "female", "U": "not known", "UNDIFFERENTIATED": "undifferentiated"}
_SEX_CONCEPT = {"M": "male", "F": "female", "MALE": "male", "FEMALE": "female"}


SOURCE = {"citation": "Not published.", "licence": "Stays with whoever brought it."}
_NAMES = re.compile(r"(ID|IDENTIFIER|NO|NUMBER|NUM|NR)$")
_GRADES = ("none", "very low", "low", "mild", "medium", "moderate", "intermediate", "high", "severe", "very high")


def variable(name: str, values: pd.Series, *, label: str = "", **more: Any) -> dict[str, Any] | None:
    """The entry of a column in a dictionary, its kind understood from its values; None if it is empty.

    Parameters
    ----------
    name : str
    values : pandas.Series
    label : str
        The name, spoken, if there is none.
    **more
        Further keys of the entry; empty ones are left away.
    """
    found = infer(name, Column.of(values))
    if found is None:
        return None
    kind = found.kind
    if kind == "identifier" and not _NAMES.search(name.upper()) and np.isfinite(numbers_of(values)).all():
        kind = "continuous"  # whole numbers that all differ, in a table where another column names the patients
    entry: dict[str, Any] = {"name": name, "kind": kind, "label": label or spoken(name)}
    if found.levels:
        entry["levels"] = [{"code": level.code, "label": _said(name, level.label)} for level in found.levels]
        _graded(entry)
    entry |= {key: value for key, value in more.items() if value not in ("", None, False)}
    if entry["kind"] != "continuous":
        entry.pop("unit", None)
    return entry


def _graded(entry: dict[str, Any]) -> None:
    """Low before high, where that is all that the levels say."""
    codes = [level["code"].lower() for level in entry["levels"]]
    if len(codes) > 2 and set(codes) <= set(_GRADES):
        entry["kind"] = "ordinal"
        entry["levels"] = sorted(entry["levels"], key=lambda level: _GRADES.index(level["code"].lower()))


def _said(name: str, code: str) -> str:
    if name.upper() in ("SEX", "GENDER"):
        return SEX.get(code.upper(), code.lower() if code.isupper() and len(code) > 2 else code)
    spelled = name.upper() in ("RACE", "ETHNIC", "ETHNICITY") or " " in code or code.lower() in _GRADES
    if code.isupper() and len(code) > 2 and spelled:
        return code.capitalize()
    return YES.get(code, code)


def with_sex(entry: dict[str, Any]) -> dict[str, Any]:
    """The entry of a column with the sex, so that published scores find it."""
    codes = {level["code"]: _SEX_CONCEPT[level["code"].upper()] for level in entry.get("levels", ())
             if level["code"].upper() in _SEX_CONCEPT}  # fmt: skip
    return {**entry, "concept": "sex", "concept_levels": codes} if codes else entry


def key_of(text: str, taken: Iterable[str] = ()) -> str:
    """A key for links and folders, told apart from those that are taken."""
    bare = re.sub(r"[^a-z0-9_-]+", "-", text.lower()).strip("-_")[:40] or "outcome"
    key, n = bare, 2
    while key in set(taken):
        key, n = f"{bare}-{n}", n + 1
    return key


def short(title: str) -> str:
    """A title of at most 40 characters."""
    return title if len(title) <= 40 else f"{title[:39].rstrip()}…"


def is_constant(values: pd.Series) -> bool:
    """True if everybody has the same."""
    return not values.isna().any() and values.nunique() <= 1


def one_to_one(first: pd.Series, second: pd.Series) -> bool:
    """True if each of two columns says what the other says."""
    if not np.array_equal(first.isna().to_numpy(), second.isna().to_numpy()):
        return False
    pairs = pd.DataFrame({"a": first, "b": second}).dropna().drop_duplicates()
    return bool(pairs["a"].is_unique and pairs["b"].is_unique)


PHRASES: dict[str, tuple[str, str]] = {
    "death": ("die", "alive"),
    "recurrence or death": ("have a recurrence or die", "alive and free of recurrence"),
    "progression or death": ("have a progression or die", "alive and free of progression"),
}
_NAMED: tuple[tuple[str, str], ...] = (
    (r"\bos\b|overall survival|^death$|all.?cause (death|mortality)", "death"),
    (r"\bpfs\b|progression.?free", "progression or death"),
    (r"\b(dfs|rfs)\b|(disease|recurrence|relapse).?free", "recurrence or death"),
)


def words_for(key: str, label: str) -> dict[str, str]:
    """Phrases of an outcome, and what it is in words that other cohorts use, by its usual name."""
    text = f"{key} {label}".lower().replace("_", " ")
    concept = next((concept for pattern, concept in _NAMED if re.search(pattern, text)), "")
    if not concept:
        low = label[:1].lower() + label[1:]
        return {"event_phrase": f"have the event of “{low}”", "free_phrase": f"without the event of “{low}”"}
    have, free = PHRASES[concept]
    return {"event_phrase": have, "free_phrase": free, "concept": concept}
