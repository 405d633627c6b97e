"""The gate once more, inside the script: the router calls `require_pass` before anything else.

The guard has already decided when a script runs. This holds if the script is
ever reached another way, and it is what page tests see. In an `AppTest`
there are no cookies; a test opens the gate by signing somebody in::

    at = AppTest.from_file("components/router.py", default_timeout=20)
    at.user = {"is_logged_in": True, "name": "Ada"}
    at.run()
"""

from __future__ import annotations

from functools import cache

import streamlit as st
from markupsafe import Markup

from components.guard import identity, passes, words
from components.guard.middleware import Guard
from components.guard.sessions import CHECK_SECONDS, Sessions
from components.guard.settings import Settings
from components.text import md

UNGUARDED = "**This server was started without its gate and opens no cohort.** Start it with `streamlit run app.py`."


@cache
def _settings() -> Settings:
    return Settings.from_config()


def signed_in() -> bool:
    """Whether this session belongs to somebody who signed in."""
    return st.user.get("is_logged_in") is True


def require_pass() -> None:
    """Stop the script here unless the reader signed in or accepted the intended use.

    Call it first in the router, after `st.set_page_config`. A server that was
    started without the guard shows nothing else, pass or not: the script cannot
    check hosts, origins and files.
    """
    guarded = Guard.installed
    # Without a guard and without providers nobody can have signed in to a server: this is a test's session.
    if signed_in() and (guarded or not identity.configuration().providers):
        return
    settings = _settings()
    accepted = not settings.sign_in and passes.valid(settings.key, st.context.cookies.get(passes.COOKIE))
    if accepted and guarded:
        return
    st.title("Bedside")
    if not guarded:
        st.write(UNGUARDED)
    st.write(words.SUMMARY)
    for point, more in words.INTENDED_USE:
        st.markdown(f"**{md(point)}** {md(more)}")
    if settings.sign_in and guarded:
        st.button("Sign in", on_click=st.login, args=_first(settings.providers))
    elif not settings.sign_in:
        # The gate is a page of the guard's, not of Streamlit's, so that no link of Streamlit's own leads there.
        link = Markup('<p><a href="{}/gate" target="_self">Read and accept the intended use</a></p>')
        st.html(link.format(settings.base))
    st.stop()


def _first(providers: tuple[str, ...]) -> tuple[str, ...]:
    return () if providers[0] == "default" else providers[:1]


def account() -> None:
    """Who is signed in and the way out; nothing where sign-in is not configured.

    Call it in the sidebar. It also ends the page when the session ends: the
    screen is then emptied and leads back to the gate, without a reload.
    """
    if not signed_in() or not _settings().sign_in:
        return
    name = st.user.get("name") or st.user.get("email") or "Signed in"
    st.caption(md(name))
    st.button("Sign out", key="account_sign_out", on_click=st.logout, width="stretch")
    _watch()


@st.fragment(run_every=CHECK_SECONDS)
def _watch() -> None:
    settings = _settings()
    who = identity.read(st.context.cookies, secret=settings.cookie_secret, redirect_uri=settings.redirect_uri)
    if who is None or not Sessions.shared().alive(who):
        st.logout()
