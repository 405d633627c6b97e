"""Escaping, for any text at all."""

from __future__ import annotations

import re
import string

from hypothesis import given
from hypothesis import strategies as st

from components.text import JOINER, cell, md

ANYTHING = st.text(st.characters()) | st.text(st.sampled_from(string.punctuation + " \n\tab1w."))


@given(ANYTHING)
def test_no_punctuation_mark_is_left_to_markdown(text: str):
    bare = re.sub(r"\\[" + re.escape(string.punctuation) + "]", "", md(text))
    assert not set(bare) & set(string.punctuation)


@given(ANYTHING)
def test_taking_the_escapes_away_gives_the_text_back(text: str):
    shown = re.sub(r"\\(.)", r"\1", md(text)).replace(JOINER, "").replace("\u00a0", " ")
    assert shown == cell(text).replace("\u00a0", " ")


@given(ANYTHING)
def test_it_is_one_line_that_cannot_become_a_block(text: str):
    line = md(text)
    assert "\n" not in line and "\r" not in line and "\t" not in line
    assert not line.startswith(" ") and "  " not in line


@given(ANYTHING)
def test_nothing_that_streamlit_rewrites_later_is_left(text: str):
    shown = re.sub(r"\\(.)", r"\1", md(text))
    assert not re.search(r":[\w+-]", shown)
    assert not re.search(r"https?:/|www\.|[\w.+-]@[\w-]", shown, re.IGNORECASE)
    assert not re.search(r"(^|\s)(<->|->|<-|--|>=|<=|~=)(\s|$)", shown)


def test_plain_words_of_any_script_are_left_alone():
    for text in ("Age at diagnosis", "العمر", "年齢", "naïve Straße", "👩🏽‍⚕️"):
        assert md(text) == cell(text) == text


def test_numbers_and_none_are_shown_as_python_writes_them():
    assert cell(None) == "None"
    assert md(-2.5) == "\\-2\\.5"
