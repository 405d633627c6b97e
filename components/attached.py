"""Measurements of attached tables that are variables of the open cohort: chosen by the reader, kept in the link."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import streamlit as st

from bedside.cohort import Cohort
from bedside.cohort.attached import MOST, Feature, feature_of, from_text, named_in, to_text, with_features
from bedside.errors import Fixable
from bedside.store.attached import VISITS, Attached, list_attached, with_visits
from bedside.store.saved import Saved
from components import whose

LINK = "with"
"""In the address: which measurements, by table and name."""
IN_MODELS = "with_models"
"""In the address: whether the default model reads them."""
CHOSEN, MODELS, TABLES, TROUBLES = (
    "attached_chosen", "attached_models", "attached_tables", "attached_troubles"
)  # fmt: skip
LONGEST = 400
"""Letters of a value in the address that may be one measurement's name."""

Kept = Callable[[tuple[Any, ...], Callable[[], Any]], Any]


def begin() -> None:
    """Forget what was looked up in the last run, and take the measurements that a fresh link brings or names."""
    for name in (TABLES, TROUBLES):
        st.session_state.pop(name, None)
    key = st.query_params.get("cohort") or st.session_state.get("cohort") or ""
    written = st.session_state.get("link", {})
    fresh = {name: value for name, value in st.query_params.to_dict().items() if value != written.get(name)}
    if not fresh or not key:
        return
    asked = list(from_text(fresh.get(LINK, "")))
    known = [table.id for table in tables(key)]
    asked += named_in(fresh.get("filter", ""), known)
    for name, value in fresh.items():
        feature = feature_of(value) if name != LINK and len(value) <= LONGEST else None
        asked += [feature] if feature is not None and feature.table in known else []
    if IN_MODELS in fresh:
        offer(key, fresh[IN_MODELS] == "1")
    if asked or LINK in fresh:
        _choose(key, (*asked, *(() if LINK in fresh else chosen(key))))


def tables(key: str) -> tuple[Attached, ...]:
    """The tables attached to a cohort; looked for once in a run, none where the store can't be reached."""
    looked = st.session_state.setdefault(TABLES, {})
    if key not in looked:
        try:
            looked[key] = list_attached(key, reader=whose.reader())
        except Fixable:
            looked[key] = ()
    return looked[key]


def look_again() -> None:
    """After a table was attached or removed in the midst of a run."""
    st.session_state.pop(TABLES, None)


# ------------------------------------------------------------------ chosen


def chosen(key: str) -> tuple[Feature, ...]:
    """The measurements that the reader chose for a cohort."""
    kept_for, features = st.session_state.get(CHOSEN, ("", ()))
    return features if kept_for == key else ()


def add(key: str, feature: Feature) -> None:
    """A measurement becomes a variable."""
    _choose(key, (*chosen(key), feature))


def drop(key: str, feature: Feature) -> None:
    """A measurement is a variable no longer."""
    _choose(key, [each for each in chosen(key) if each != feature])


def _choose(key: str, features: Iterable[Feature]) -> None:
    st.session_state[CHOSEN] = (key, tuple(dict.fromkeys(features))[:MOST])


def in_models(key: str) -> bool:
    """Whether the default model of a cohort reads what was chosen."""
    return st.session_state.get(MODELS) == key and bool(chosen(key))


def offer(key: str, yes: bool) -> None:
    """Let the default model read what was chosen, or not."""
    st.session_state[MODELS] = key if yes else ""


def troubles() -> tuple[Fixable, ...]:
    """Why measurements, or a whole table, are not there."""
    return st.session_state.get(TROUBLES, ())


# ------------------------------------------------------------------ of the cohort


def widened(plain: Cohort, kept: Kept, marks: Callable[[str], Any]) -> Cohort:
    """The cohort as it was read, with what was chosen of its attached tables, and their visits.

    Parameters
    ----------
    plain : Cohort
    kept : callable
        `desk.kept`: a measurement is read once in a session.
    marks : callable
        Tells whether the groups that were made of a cohort are still the same: what these are cut of has to be there.
    """
    found = tables(plain.key)
    asked = chosen(plain.key)
    if not found and not asked:
        return plain
    whole = {table.id: table for table in found if table.trouble is None}
    wanted = tuple(dict.fromkeys((*asked, *_of_groups(plain.key, whole, kept, marks))))
    seals = repr(sorted((table.id, table.seal) for table in whole.values()))
    made, stops = kept(
        ("attached", plain.fingerprint, seals, to_text(wanted), read := in_models(plain.key)),
        lambda: _made(plain, whole, wanted, read),
    )  # fmt: skip
    st.session_state[TROUBLES] = (*(table.trouble for table in found if table.trouble is not None), *stops)
    return made


def _made(
    plain: Cohort, whole: dict[str, Attached], wanted: tuple[Feature, ...], read: bool
) -> tuple[Cohort, tuple[Fixable, ...]]:
    wide = {name: table for name, table in whole.items() if table.kind == "wide"}
    made, lost = with_features(plain, wide, wanted, in_models=read)
    made, damaged = with_visits(made, [table for table in whole.values() if table.kind == VISITS])
    # One reason for all that is lost by it: a damaged table is told once.
    stops = {(stop.why if feature.table in wide else feature.table): stop for feature, stop in lost}
    return made, (*stops.values(), *damaged)


def _of_groups(key: str, whole: dict[str, Attached], kept: Kept, marks: Callable[[str], Any]) -> tuple[Feature, ...]:
    """Measurements that saved groups are made of."""
    if not whole:
        return ()
    try:
        told = repr(marks(key))
    except Fixable:
        return ()  # said where the groups are made

    def named() -> tuple[Feature, ...]:
        names = [name for item in Saved(whose.reader()).of(key, "group") for name in _columns(item.body)]
        return tuple(each for each in map(feature_of, names) if each is not None and each.table in whole)

    return kept(("attached groups", key, told, repr(sorted(whole))), named)


def _columns(body: object) -> list[str]:
    told = body.get("columns") if isinstance(body, dict) else None
    return [name for name in told if isinstance(name, str)] if isinstance(told, dict) else []
