"""What a saved filter, group or view was made on, and what has changed since.

A view is a page and what stood in its address: choices and tokens, never a value. Beside it stands what these named in
the cohort then, so that an old one can say what is missing now instead of only opening otherwise.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

import numpy as np

from bedside.cohort import Cohort
from bedside.cohort.derived import Chosen, Cut, Derived, Drawn, Risk, from_body
from bedside.cohort.derived_words import COLUMN
from bedside.cohort.selection import Between, OneOf, Selection
from bedside.cohort.wording import either
from bedside.errors import Fixable
from bedside.store.models import Entry, read_model
from bedside.store.saved import Item

PAGE = re.compile(r"[a-z_]{1,40}")
MODEL = re.compile(r"([0-9a-f]{24})\.([1-9][0-9]{0,6})")
"""How a saved model stands in an address."""
MOST_QUERY = 60
LONGEST_VALUE = 10_000
NO_FILTER = "Its filter can’t be set any more."
NOT_KEPT = frozenset({"version", "item"})
"""Of an address: what says which version is open is kept as such."""


def filter_body(chosen: Selection, cohort: Cohort) -> dict[str, Any]:
    """A filter as it is saved."""
    return {
        "filter": chosen.to_text(), "columns": _columns(chosen.columns, cohort), "said": list(chosen.say(cohort)),
        "patients": len(cohort),
    }  # fmt: skip


def group_body(definition: dict[str, Any], cohort: Cohort) -> dict[str, Any]:
    """A group as it is saved; ``definition`` is from `bedside.cohort.derived.to_body`."""
    made = from_body(definition)
    names = (made.column,) if isinstance(made, Cut) else ()
    if isinstance(made, Chosen):
        names = Selection.from_text(made.filter, cohort).columns
    return {
        "definition": definition, "columns": _columns(names, cohort), "patients": len(cohort),
        "said": [_said(made, cohort)],
    }  # fmt: skip


def _said(made: Cut | Chosen | Drawn | Risk, cohort: Cohort) -> str:
    """In a line, what a group is made of."""
    if isinstance(made, Cut):
        variable = cohort.variable(made.column)
        at = f"{variable.label} cut at {', '.join(variable.say(point) for point in made.points)}"
        return f"{at}, where the curves of {made.learnt} part most" if made.learnt else at
    if isinstance(made, Chosen):
        return "; ".join(Selection.from_text(made.filter, cohort).say(cohort))
    if isinstance(made, Drawn):
        return f"{len(made.groups[-1].tokens):,} patients drawn by hand"
    return f"{made.outcome_label} by {made.time:g} {made.unit}, {made.learner}: {', '.join(made.labels)}"


def view_body(
    page: str, query: Mapping[str, str], cohort: Cohort, *, models: Iterable[Entry] = (),
    choices: Mapping[str, Any] | None = None, chosen: Selection | None = None,
) -> dict[str, Any]:  # fmt: skip
    """A view as it is saved.

    Parameters
    ----------
    page : str
        Its name in the address.
    query : mapping of str to str
        What stands in the address.
    cohort : Cohort
        That is open, before any filter.
    models : iterable of Entry
        That are kept here.
    choices : mapping, optional
        Of the page, that do not stand in the address: numbers, texts and lists of them.
    chosen : Selection, optional
        The filter in force, if the address does not hold it since it leaves too few for a link.
    """
    if not PAGE.fullmatch(page):
        raise ValueError("a page of ours")
    kept = {name: value for name, value in query.items() if name not in NOT_KEPT and len(value) <= LONGEST_VALUE}
    kept = dict(list(kept.items())[:MOST_QUERY])
    named = {word for value in (*kept.values(), *_texts(choices or {})) for word in _words(value)}
    chosen = chosen or _selection(kept.get("filter", ""), cohort)
    names = [v.name for v in cohort.variables if v.name in named or v.name in chosen.columns]
    outcome = next((o for o in cohort.outcomes if o.key == kept.get("outcome")), None)
    found = {f"{entry.key}.{entry.version}": entry for entry in models}
    used = {
        mark: [found[mark].about.name, found[mark].about.model_fingerprint]
        for mark in sorted(named & set(found))
        if found[mark].about is not None
    }
    return {
        "page": page, "query": kept, "columns": _columns(names, cohort), "models": used,
        "outcome": None if outcome is None else [outcome.key, outcome.label], "filter": chosen.to_text(),
        "choices": dict(choices or {}), "patients": len(cohort),
    }  # fmt: skip


def opens(item: Item) -> tuple[str, dict[str, str]]:
    """The page of a view and what stands in its address, with the cohort and the version that it was made on.

    Raises
    ------
    Fixable
        If it is no view.
    """
    page, query = item.body.get("page"), item.body.get("query")
    if item.kind != "view" or not isinstance(page, str) or not PAGE.fullmatch(page) or not isinstance(query, dict):
        raise Fixable("This view can't be opened.", "It is not of the form that this release knows.", "Delete it.")
    told = {str(name): str(value) for name, value in query.items()} | {"cohort": item.cohort}
    return page, told | ({"version": str(item.version)} if item.version else {})


def derived_of(item: Item) -> Derived:
    """A saved group as one that can become a variable.

    Raises
    ------
    Fixable
        If it is none that this release knows.
    """
    return Derived(item.id, item.name, from_body(item.body.get("definition")), item.note)


def what_changed(
    item: Item, cohort: Cohort, *, version: int = 0, newest: int = 0, models: Iterable[Entry] = (), read: str = ""
) -> tuple[str, ...]:
    """In sentences, what is another now than when an item was saved; none if nothing that it rests on.

    Parameters
    ----------
    item : Item
    cohort : Cohort
        As it would be opened, before any filter, with its groups.
    version, newest : int
        Of the cohort that is meant, and the newest there is; 0 where it has none.
    models : iterable of Entry
        That are kept here.
    read : str
        Fingerprint of the cohort as it would be read, without groups.
    """
    found = _version(item, version, newest)
    found += _patients(item, cohort, read)
    columns = _columns_now(item, cohort)
    found += columns + _filter_now(item, cohort, told=bool(columns))
    told = item.body.get("outcome")
    if isinstance(told, list) and len(told) == 2 and told[0] not in {o.key for o in cohort.outcomes}:
        found.append(f"The outcome “{told[1]}” is no longer in the cohort.")
    return (*found, *_models(item, {f"{entry.key}.{entry.version}": entry for entry in models}))


def _version(item: Item, version: int, newest: int) -> list[str]:
    if not item.version or not version:
        return []
    if version != item.version:
        return [f"It was saved on version {item.version} of the cohort; this is version {version}."]
    return [f"It was saved on version {item.version} of the cohort; version {newest} is the newest."] \
        if newest > version else []  # fmt: skip


def _patients(item: Item, cohort: Cohort, read: str) -> list[str]:
    """Another table than then, where that is not told by versions."""
    before, now = item.body.get("patients"), len(cohort)
    if not read or not item.fingerprint or read == item.fingerprint:
        return []
    if isinstance(before, int) and before != now:
        return [f"The cohort had {before:,} patients then and has {now:,} now."]
    return [] if item.version else ["The cohort’s data, or what they mean, are others than then."]


def _columns_now(item: Item, cohort: Cohort) -> list[str]:
    """Columns that are gone or of another kind, and levels that came or went."""
    told = item.body.get("columns")
    found = []
    for name, about in (told if isinstance(told, dict) else {}).items():
        label, kind, *rest = about
        levels = rest[0] if rest and isinstance(rest[0], dict) else {}
        if not cohort.has(name):
            what = "group" if name.startswith(COLUMN) else "column"
            found.append(f"The {what} “{label}” is no longer in the cohort.")
        elif cohort.variable(name).kind != kind:
            found.append(f"The column “{label}” was {kind} and is {cohort.variable(name).kind} now.")
        elif levels:
            found += _levels_now(
                str(label), levels, {level.code: level.label for level in cohort.variable(name).levels}
            )
    return found


def _levels_now(label: str, before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    gone = [f"“{text}”" for code, text in before.items() if code not in now]
    new = [f"“{text}”" for code, text in now.items() if code not in before]
    other = [f"“{text}” is called “{now[code]}” now" for code, text in before.items() if now.get(code, text) != text]
    found = [f"“{label}” no longer has {', '.join(gone)}."] if gone else []
    found += [f"“{label}” also has {', '.join(new)} now."] if new else []
    return found + ([f"Of “{label}”, {'; '.join(other)}."] if other else [])


def _filter_now(item: Item, cohort: Cohort, *, told: bool) -> list[str]:
    """That a filter can't be set as it was, and why unless that is told already."""
    text = item.body.get("filter") or (item.body.get("query") or {}).get("filter") or ""
    try:
        Selection.from_text(str(text), cohort)
    except Fixable as stop:
        return [NO_FILTER if told else f"{NO_FILTER} {stop.why}"]
    return []


def _models(item: Item, here: Mapping[str, Entry]) -> list[str]:
    told = item.body.get("models")
    found = []
    for mark, about in (told if isinstance(told, dict) else {}).items():
        name, fingerprint = (str(each) for each in about)
        entry = here.get(mark)
        if entry is None:
            found.append(f"The saved model “{name}” is no longer here.")
        elif entry.about is None or entry.about.model_fingerprint != fingerprint:
            found.append(f"The saved model “{name}” is another one now.")
    made = item.body.get("definition")
    saved = made.get("saved") if isinstance(made, dict) else None
    if saved and f"{saved[0]}.{saved[1]}" not in here:
        found.append("The saved model that it was made with is no longer here.")
    return found


def misfit(chosen: Selection, cohort: Cohort) -> str:
    """Why a filter that is in force can't be in this cohort; "" if it can."""
    for clause in (clause for group in chosen.groups for clause in group):
        if not cohort.has(clause.column):
            gone = "a group that is" if clause.column.startswith(COLUMN) else f"“{clause.column}”, which is"
            return f"It asks for {gone} no longer in the cohort."
        variable = cohort.variable(clause.column)
        if variable.is_numeric != isinstance(clause, Between):
            return f"“{variable.label}” is {variable.kind} here."
        gone = sorted(set(clause.codes) - set(variable.codes)) if isinstance(clause, OneOf) else []
        if gone:
            return f"“{variable.label}” no longer has {either([f'“{code}”' for code in gone])}."
    return ""


def predicted(cohort: Cohort, made: Risk) -> np.ndarray:
    """Every patient's risk by the saved model of a group, shape (n_patients,).

    Raises
    ------
    Fixable
        If the model is gone, is another one, or reads columns that are not there.
    """
    model = read_model(*made.saved).model  # type: ignore[misc]
    if model.fingerprint != made.model:
        raise Fixable("The group can't be made.", "Another model stands under that name now.", "Make the group anew.")
    for reading in model.design.readings:
        known = reading.variable
        if not cohort.has(known.name) or cohort.variable(known.name).is_numeric != known.is_numeric:
            raise Fixable(
                "The group can't be made.", f"Its model reads “{known.label}”, which the cohort does not have so.",
                "Fit a model to this version, and make the group anew.",
            )  # fmt: skip
    return np.asarray(model.risk(cohort.frame, [made.time])[:, 0], dtype=float)


def _columns(names: Iterable[str], cohort: Cohort) -> dict[str, list[Any]]:
    """What these are called, their kind, and their levels by code."""
    known = [cohort.variable(name) for name in names if cohort.has(name)]
    return {v.name: [v.label, v.kind, {level.code: level.label for level in v.levels}] for v in known}


def _texts(choices: Mapping[str, Any]) -> list[str]:
    """Every text among choices, those in lists too."""
    parts = [part for value in choices.values() for part in (value if isinstance(value, list) else [value])]
    return [part for part in parts if isinstance(part, str)]


def _selection(text: str, cohort: Cohort) -> Selection:
    try:
        return Selection.from_text(text, cohort)
    except Fixable:
        return Selection()


def _words(value: str) -> set[str]:
    """What a value of an address may name: itself, the members of a list in JSON, or of one with commas."""
    found = {value, *(unquote(part) for part in value.split(","))}
    try:
        told = json.loads(value)
    except (ValueError, RecursionError):
        return found
    return found | ({each for each in told if isinstance(each, str)} if isinstance(told, list) else set())
