"""Whose what is kept is: the reader who sits here, as the stores know them."""

from __future__ import annotations

import streamlit as st

from bedside.errors import Fixable
from bedside.intake import Entry
from bedside.intake.read import entry_of
from bedside.store.cohorts import list_kept, open_folder
from bedside.store.estimates import LOCAL, reader_key
from bedside.store.key import server_key
from components.guard import gate, identity


def reader() -> str:
    """The reader's name in every store.

    Raises
    ------
    Fixable
        If somebody signed in whom the identity provider did not name.
    """
    told = (st.user.get("iss"), st.user.get("sub")) if gate.signed_in() else (None, None)
    if all(isinstance(one, str) and one for one in told):
        return reader_key(server_key(), *told)
    if identity.configuration().providers:
        raise Fixable(
            "What you keep can't be told from what others keep.",
            "The identity provider did not say who you are.",
            "Sign out and in again, or ask who runs this server.",
        )
    return LOCAL


def imported() -> tuple[Entry, ...]:
    """The newest version of each imported cohort that the reader may open."""
    try:
        who = reader()
        return tuple(
            entry_of(each.key, open_folder(each.key, each.version, reader=who), title=each.title)
            for each in list_kept(reader=who)
            if each.trouble is None
        )
    except Fixable:
        return ()  # the page "Saved" says why
