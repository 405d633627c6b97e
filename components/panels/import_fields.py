"""Fields that always show what an answer is now, and keep a new one at once, so that none is lost on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any

import streamlit as st

from components.panels.pick import told_apart

Keep = Callable[[Any], None]
NONE = ""


def _changed(key: str, keep: Keep) -> None:
    keep(st.session_state[key])


def choose(label: str, options: Mapping[str, str], now: str, keep: Keep, *, key: str, **more: Any) -> None:
    """One of several; labels may come from the file."""
    shown = told_apart(options)
    st.session_state[key] = now if now in options else next(iter(options), None)
    st.selectbox(
        label, list(options), format_func=lambda each: shown.get(each, ""), key=key, on_change=_changed,
        args=(key, keep), **more,
    )  # fmt: skip


def segments(label: str, options: Mapping[str, str], now: str, keep: Keep, *, key: str, **more: Any) -> None:
    """One of a few, as buttons; labels are our own."""
    st.session_state[key] = now
    st.segmented_control(
        label, list(options), format_func=lambda each: options.get(each, ""), key=key, required=True,
        on_change=_changed, args=(key, keep), **more,
    )  # fmt: skip


def several(label: str, options: Mapping[str, str], now: Sequence[str], keep: Keep, *, key: str, **more: Any) -> None:
    """Any of several."""
    shown = told_apart(options)
    st.session_state[key] = [each for each in now if each in options]
    st.multiselect(
        label, list(options), format_func=lambda each: shown.get(each, ""), key=key, on_change=_changed,
        args=(key, keep), **more,
    )  # fmt: skip


def words(label: str, now: str, keep: Keep, *, key: str, longest: int = 120, **more: Any) -> None:
    """A line of text."""
    st.session_state[key] = now[:longest]
    st.text_input(label, key=key, max_chars=longest, autocomplete="off", on_change=_changed, args=(key, keep), **more)


def text(label: str, now: str, keep: Keep, *, key: str, longest: int, **more: Any) -> None:
    """A text of many lines."""
    st.session_state[key] = now[:longest]
    st.text_area(label, key=key, max_chars=longest, height=120, on_change=_changed, args=(key, keep), **more)


def whole(label: str, now: int, keep: Keep, *, key: str, least: int, most: int, **more: Any) -> None:
    """A whole number."""
    st.session_state[key] = min(max(now, least), most)
    st.number_input(
        label, min_value=least, max_value=most, step=1, key=key, on_change=_changed, args=(key, keep), **more
    )  # fmt: skip


def tick(label: str, now: bool, keep: Keep, *, key: str, **more: Any) -> None:
    """Yes or no."""
    st.session_state[key] = now
    st.checkbox(label, key=key, on_change=_changed, args=(key, keep), **more)


def seal(names: Sequence[str]) -> str:
    """What tells one list of columns from another in a key, which must not hold a name."""
    return sha256("\x1f".join(names).encode("utf-8", "surrogatepass")).hexdigest()[:12]
