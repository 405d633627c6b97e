"""What may be chosen of a source before its cohorts are kept: from the source itself, and from last time."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

import streamlit as st

from bedside.errors import Fixable
from bedside.intake import opening_sources
from bedside.intake.opening_sources import SourceRead
from bedside.intake.standards.folder import Offer
from bedside.store.cohorts_kept import Kept, list_kept
from bedside.store.saved import Saved
from components import desk, importing, whose
from components.importing import Import
from components.panels import import_fields as fields
from components.panels import page

NEW = ""
INLINE = ("follow", "together", "whom", "main")
"""What decides who is in a cohort: always shown. The rest is in a drawer."""
MOST_COLUMNS = 2000
LONGEST_JSON = 1_000_000


def seal(told: Mapping[str, Any] | None) -> str:
    """What tells one way of reading from another in a key."""
    return sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16] if told is not None else "guessed"


# ------------------------------------------------------------------ the questions


def show(held: Import, read: SourceRead) -> None:
    """The card of questions, each with what holds now."""
    if not read.offers:
        return
    rest = [offer for offer in read.offers if offer.key not in INLINE]
    with st.container(border=True, key="card_import_choices"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            with st.container(width="stretch"):
                page.heading("2 · Who is followed, and from when", "a changed answer reads the files anew")
            more = st.popover("More choices", icon=":material/tune:", key="import_choices_more", on_change="rerun",
                              disabled=not rest)  # fmt: skip
        stop = st.session_state.pop(importing.TROUBLE, None)
        if stop is not None:
            desk.show(stop)
        _last_time(held, read)
        for offer in read.offers:
            if offer.key in INLINE:
                _ask(held, offer)
        if more.open:
            with more:
                for offer in rest:
                    _ask(held, offer)


def _ask(held: Import, offer: Offer) -> None:
    now = held.asked.get(offer.key, offer.now)
    key = f"import_choice_{offer.key}"
    first = now[0] if now else ""
    more = {"help": offer.help} if offer.help else {}

    def keep(values: Callable[[Any], tuple[str, ...]]) -> Callable[[Any], None]:
        return lambda answer: _answer(held, offer, values(answer))

    one = keep(lambda answer: (str(answer),))
    match offer.form:
        case "one":
            options = dict(offer.options) if first else {"": "not one of these", **dict(offer.options)}
            fields.choose(offer.label, options, first, one, key=key, **more)
        case "several":
            fields.several(offer.label, dict(offer.options), now, keep(tuple), key=key, **more)
        case "yes":
            fields.tick(offer.label, bool(now), keep(lambda yes: ("yes",) * bool(yes)), key=key, **more)
        case "number":
            fields.whole(offer.label, int(first or 0), one, key=key, least=0, most=MOST_COLUMNS, **more)
        case "words":
            fields.words(offer.label, first, one, key=key, longest=2000, **more)
        case "json":
            fields.text(offer.label, first, one, key=key, longest=LONGEST_JSON, **more)


def _answer(held: Import, offer: Offer, values: tuple[str, ...]) -> None:
    """Take an answer into the recipe; the cohorts that come of it have to be looked at anew."""
    assert held.read is not None
    if (not values and offer.form == "several") or (values == ("",) and offer.form == "one"):
        return
    try:
        recipe = held.recipe if held.recipe is not None else held.read.recipe
        held.recipe = opening_sources.answer(recipe, offer.key, values)
        held.asked[offer.key] = values
        held.chosen_cohorts = set()
    except Fixable as stop:
        st.session_state[importing.TROUBLE] = stop


# ------------------------------------------------------------------ last time


def _last_time(held: Import, read: SourceRead) -> None:
    """Use the choices of the last files of this source."""
    with desk.fixable():
        told = desk.kept(("import_source_recall", held.mark, read.signature),
                         lambda: (Saved(whose.reader()).recall(read.signature),))[0]  # fmt: skip
        if not isinstance(told, Mapping) or not isinstance(told.get("recipe"), Mapping):
            return
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            with st.container(width="stretch"):
                if held.last == "used":
                    page.put("<p><b>Last time's choices are used.</b> Look the cohorts over, and tick them.</p>")
                else:
                    page.put("<p><b>Files of this source were imported before.</b> Your choices of that time can be "
                             "used again.</p>")  # fmt: skip
            if held.last == "used":
                st.button("Back to the guesses", key="import_source_last_undo", on_click=_undo, args=(held,))
            else:
                st.button("Use last time's choices", key="import_source_last", type="primary", on_click=_use,
                          args=(held, told))  # fmt: skip


def _use(held: Import, told: Mapping[str, Any]) -> None:
    held.recipe, held.asked, held.last, held.chosen_cohorts = told["recipe"], {}, "used", set()
    held.titles = {str(name): str(title) for name, title in dict(told.get("titles") or {}).items()}
    held.versions = {str(name): str(key) for name, key in dict(told.get("cohorts") or {}).items()}


def _undo(held: Import) -> None:
    held.recipe, held.asked, held.last, held.chosen_cohorts = None, {}, "undone", set()
    held.titles, held.versions = {}, {}


def remember(held: Import, read: SourceRead, chosen: tuple[int, ...], kept: tuple[Kept, ...]) -> None:
    """Keep the choices for the next files of this source; they go when the first of these cohorts is deleted."""
    cohorts = {read.names[i]: each.key for i, each in zip(chosen, kept, strict=True)}
    told = {"recipe": dict(read.recipe), "titles": held.titles, "cohorts": cohorts}
    Saved(whose.reader()).remember(read.signature, told, cohort=kept[0].key)


# ------------------------------------------------------------------ a cohort


def versions() -> dict[str, str]:
    """What a cohort may become: a new one, or the next version of one."""
    mine = [each for each in list_kept(reader=whose.reader()) if each.mine and each.trouble is None]
    return {NEW: "a new cohort"} | {each.key: f"a new version of {each.title}" for each in mine}


def called(held: Import, read: SourceRead, i: int, mine: Mapping[str, str]) -> None:
    """The title of a cohort, and what it becomes."""
    name = read.names[i]

    def keep(title: str) -> None:
        held.titles = {key: each for key, each in held.titles.items() if key != name}
        if title.strip() and title.strip() != read.titles[i]:
            held.titles[name] = title.strip()

    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        fields.words("Title", held.titles.get(name, read.titles[i]), keep, key=f"import_cohort_title_{i}", width=420)
        if len(mine) > 1:
            fields.choose("It becomes", mine, held.versions.get(name, NEW),
                          lambda key: held.versions.update({name: key}), key=f"import_cohort_becomes_{i}",
                          width=320)  # fmt: skip
