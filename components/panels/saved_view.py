"""A page with its choices, saved and opened again: what stands in the address, and what only the session holds."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import streamlit as st

from bedside.cohort import Cohort
from bedside.cohort.attached import feature_of
from bedside.cohort.derived_words import COLUMN
from bedside.cohort.selection import Selection
from bedside.errors import Fixable
from bedside.store.models import list_models
from bedside.store.saved import Item
from bedside.store.views import opens, view_body, what_changed
from components import attached, desk, imported, live_counts
from components.panels import saved_notice

FILTER = "saved_filter_text"
"""A filter that is to be set when the bar is drawn: it may leave too few for an address."""
FILES = {"import": "import_data", "": "overview"}
CHOICES = re.compile(
    r"survival_(cuts|own|unit|until|times|window|reference|strata|state_first|state_last|state_terms)_.+"
    r"|survival_(band|level|interval|estimator|test|fh_p|fh_q|pairs|adjustment|arrangement|naive|state_first"
    r"|state_model)"
    r"|regression_(reference|form|plan_event)_.+"
    r"|regression_(ties|robust|ridge|theta|scale|separate|missing|level|knots|halves|curves_by|ahead|visits)"
    r"|comparison_(which|unit|tests|chance)_.+"
    r"|comparison_(method|level|cuts|truncate|bootstrap|alike|subgroup_of)"
    r"|validation_(thresholds|kinds|groups|cuts)"
    r"|model_(model|target|pool|shape|competing)|decimals"
)
"""Keys of choices that no address holds: options, columns and numbers, never a patient or what was typed of one."""
LONGEST, MOST = 400, 60
_PLAIN = (bool, int, float, str)


def body(page: str) -> dict[str, Any]:
    """The open page as it is saved."""
    of = desk.as_read()
    return view_body(
        page, st.query_params.to_dict(), of, models=list_models(), choices=_choices(page), chosen=desk.selection()
    )


def _choices(page: str) -> dict[str, Any]:
    """What is set on a page, and on no other."""
    found: dict[str, Any] = {}
    shared = ("model", "decimals")
    for key in sorted(k for k in st.session_state if isinstance(k, str)):
        if CHOICES.fullmatch(key) and key.startswith((page, *shared)) and len(found) < MOST:
            value = st.session_state[key]
            value = list(value) if isinstance(value, tuple | list) else value
            if _is_plain(value):
                found[key] = value
    return found


def _is_plain(value: object) -> bool:
    parts = value if isinstance(value, list) else [value]
    return len(parts) <= MOST and all(isinstance(p, _PLAIN) and len(str(p)) <= LONGEST for p in parts)


def open_item(item: Item) -> None:
    """Go to the page of a view, with its choices; or to the cohort with a filter set. What changed is said there.

    Raises
    ------
    Fixable
        If it can't be opened at all.
    """
    name, query = opens(item) if item.kind == "view" else ("", {"cohort": item.cohort})
    imported.choose(item.cohort, item.version if item.kind == "view" else None)
    imported.look_again()
    st.session_state["cohort"] = item.cohort
    _attach(item)
    of = desk.as_read()
    query.pop("filter", None)
    desk.select(Selection())
    fits = _set_filter(item, of)
    changed = _changed(item, of)
    if live_counts.is_counted(of) or imported.brought(of) == item.fingerprint:
        _restore(item.body.get("choices"), of)
    if changed or not fits:
        saved_notice.tell(item.name, changed, of.key)
    st.switch_page(desk.page(FILES.get(name, name)), query_params=query)


def put_filter(item: Item) -> None:
    """Set a saved filter in the open cohort; where it does not fit, what changed is said and nothing is set."""
    _attach(item)
    of = desk.as_read()
    if not _set_filter(item, of):
        saved_notice.tell(item.name, _changed(item, of), of.key)


def _attach(item: Item) -> None:
    """Choose the measurements of attached tables that an item names."""
    known = {table.id for table in attached.tables(item.cohort)}
    told = item.body.get("columns")
    for name in told if isinstance(told, dict) else ():
        feature = feature_of(name)
        if feature is not None and feature.table in known:
            attached.add(item.cohort, feature)


def _set_filter(item: Item, of: Cohort) -> bool:
    """Set the filter of an item; False if the cohort can't have it."""
    text = item.body.get("filter") or (item.body.get("query") or {}).get("filter") or ""
    try:
        chosen = Selection.from_text(str(text), of)
    except Fixable:
        return False
    if not chosen.is_everyone:
        desk.select(chosen)
    return True


def _changed(item: Item, of: Cohort) -> tuple[str, ...]:
    shown = imported.version_of(item.cohort)
    return what_changed(
        _without_waiting(item, of), of, version=item.version if shown is None else shown.version,
        newest=0 if shown is None else shown.newest, models=list_models(),
        # What is counted where it lies is another at every moment.
        read="" if live_counts.is_counted(of) else imported.brought(of),
    )  # fmt: skip


def _without_waiting(item: Item, of: Cohort) -> Item:
    """The item without groups that are only waiting for the rows of a cohort that is counted in its source."""
    told = item.body.get("columns")
    if not live_counts.stays(of) or not isinstance(told, dict):
        return item
    waiting = imported.group_columns(of.key)
    return replace(item, body={**item.body, "columns": {k: v for k, v in told.items() if k not in waiting}})


def _restore(choices: object, of: Cohort) -> None:
    """Put a view's choices where its page looks for them; those that name a group that is gone stay away."""
    for key, value in (choices if isinstance(choices, dict) else {}).items():
        parts = value if isinstance(value, list) else [value]
        gone = any(isinstance(p, str) and p.startswith(COLUMN) and not of.has(p) for p in parts)
        if isinstance(key, str) and CHOICES.fullmatch(key) and _is_plain(value) and not gone:
            st.session_state[key] = value
