"""The answers about the last file of this kind: offered for the next one, with what is another in it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from bedside.errors import Fixable
from bedside.intake import anew, opening
from bedside.intake.plan import Plan, from_json, header_signature
from bedside.intake.recipes import gone_from
from bedside.store.cohorts import list_kept, open_folder
from bedside.store.saved import Saved
from components import desk, importing, whose
from components.importing import Import
from components.panels import page
from components.panels.import_words import listed, meaning_said

ALIKE = 0.6
"""Share of all columns of two files that both have, from which one may be the next of the other."""
LOOKED_AT = 20
NAMED = 5


@dataclass(frozen=True)
class Last:
    """Answers that were given before.

    Attributes
    ----------
    told : mapping
        The plan, as it was kept.
    title : str
        Of the cohort that they made, where its columns are not all the same.
    cohort : str
        Key of the cohort that they made, if it is still there.
    new, gone : tuple of str
        Columns that this file has and that one had not, and the other way round.
    """

    told: Mapping[str, Any]
    title: str = ""
    cohort: str = ""
    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


def signature(held: Import) -> str:
    """What tells this layout of columns from another."""
    assert held.opened is not None  # the file is read
    return header_signature(tuple(column.original for column in held.opened.staged.columns))


def offer(held: Import) -> None:
    """Use the answers of the last file with these columns, or nearly these."""
    assert held.opened is not None  # the file is read
    with desk.fixable():
        last = _given(held) or desk.kept(("import_recall", held.mark, held.turn), lambda: (_recalled(held),))[0]
        if last is None:
            return
        with (
            st.container(border=True, key="card_import_last"),
            st.container(horizontal=True, vertical_alignment="center", gap="small"),
        ):
            with st.container(width="stretch"):
                _say(held, last)
            if held.last == "used":
                st.button("Back to the guesses", key="import_last_undo", on_click=_undo, args=(held,))
            else:
                st.button("Use last time's answers", key="import_last", type="primary", on_click=_use,
                          args=(held, last))  # fmt: skip


def _say(held: Import, last: Last) -> None:
    if held.last == "used" and held.given is not None:
        page.put("<p><b>The recipe of “{title}” is used.</b> Look it over, and confirm how the status is read.</p>",
                 title=last.title)  # fmt: skip
    elif held.last == "used":
        page.put("<p><b>Last time's answers are used.</b> Look them over, and confirm how the status is read.</p>")
    elif last.title:
        page.put("<p><b>This file looks like the one that “{title}” was made of.</b> Your answers of that time can be "
                 "used again.</p>", title=last.title)  # fmt: skip
    else:
        page.put("<p><b>A file with these columns was imported before.</b> Your answers of that time can be used "
                 "again.</p>")  # fmt: skip
    if last.new:
        page.caption(f"New in this file: {_named(last.new)}. What {'it is' if len(last.new) == 1 else 'they are'} is "
                     "guessed.")  # fmt: skip
    if last.gone:
        lost = _lost(last)
        said = f" {listed(lost)} can't be read as last time: what is guessed stands instead." if lost else ""
        page.caution(f"No longer in it: {_named(last.gone)}.{said}")
    if held.last == "used":
        _say_anew(held, last)


def _say_anew(held: Import, last: Last) -> None:
    """Codes of the status and decimal marks that were not in the last file, with what they are taken for now."""
    new = anew.differs(from_json(last.told), held.plan)
    outcomes = {outcome.status: outcome for outcome in reversed(held.plan.outcomes)}
    for column in dict.fromkeys(column for column, _, _ in new.codes):
        said = [f"“{code}” = {meaning_said(means, outcomes[column])}" for of, code, means in new.codes if of == column]
        page.caption(f"New in “{column}”: {listed(said[:NAMED], more=len(said) - NAMED)}.")
    for mark, called in ((",", "comma"), (".", "point")):
        if columns := tuple(column for column, used in new.decimals if used == mark):
            page.caption(f"Written with a decimal {called} this time, and read so: {_named(columns)}.")


def _named(names: Sequence[str]) -> str:
    return listed([f"“{name}”" for name in names[:NAMED]], more=len(names) - NAMED)


def _lost(last: Last) -> list[str]:
    """Outcomes of that time that need a column which is gone."""
    gone = set(last.gone)
    return [outcome.label for outcome in from_json(last.told).outcomes if set(outcome.columns) & gone]


def _given(held: Import) -> Last | None:
    """The recipe that was brought for this file, while it is used."""
    if held.given is None or held.last != "used" or held.opened is None:
        return None
    plan, names = from_json(held.given), [column.name for column in held.opened.staged.columns]
    known = {column.name for column in plan.columns}
    return Last(held.given, plan.title, "", tuple(name for name in names if name not in known), gone_from(plan, names))


def _recalled(held: Import) -> Last | None:
    saved = Saved(whose.reader())
    told = saved.recall(signature(held))
    return Last(told, cohort=saved.recalled_of(signature(held))) if told is not None else _alike(held)


def _alike(held: Import) -> Last | None:
    """Of the cohorts of this reader, the one whose file had most of these columns."""
    mine = [each for each in list_kept(reader=whose.reader()) if each.mine and each.trouble is None][:LOOKED_AT]
    assert held.opened is not None  # the file is read
    columns = tuple(column.name for column in held.opened.staged.columns)
    here = set(columns)
    best: tuple[float, Last] | None = None
    for kept in mine:
        plan = _recipe(kept.key)
        there = {column.name for column in plan.columns} if plan is not None else set()
        share = len(here & there) / max(len(here | there), 1)
        if share >= ALIKE and (best is None or share > best[0]):
            told = opening.to_remember(plan, plan)  # type: ignore[arg-type]
            best = share, Last(told, kept.title, kept.key, tuple(c for c in columns if c not in there),
                               tuple(sorted(there - here)))  # fmt: skip
    return None if best is None else best[1]


def _recipe(key: str) -> Plan | None:
    """How a cohort was made of its file; None for one that was made otherwise."""
    try:
        file = open_folder(key, reader=whose.reader()) / "recipe.json"
        return from_json(json.loads(file.read_text(encoding="utf-8"))["plan"]) if file.is_file() else None
    except (Fixable, OSError, ValueError, KeyError, TypeError):
        return None


def _use(held: Import, last: Last) -> None:
    assert held.opened is not None
    try:
        held.change(opening.remembered(last.told, held.opened.staged, held.opened.guessed.plan))
        held.last, held.replaces = "used", last.cohort
    except Fixable as stop:
        st.session_state[importing.TROUBLE] = stop


def _undo(held: Import) -> None:
    assert held.opened is not None
    held.change(held.opened.guessed.plan)
    held.last, held.given, held.replaces = "undone", None, ""
