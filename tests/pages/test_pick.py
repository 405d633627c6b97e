"""Options that look alike are told apart, whatever is in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from components.panels.page import fill
from components.panels.pick import told_apart
from components.text import HIDDEN

KEYS = some.text(min_size=1, max_size=6)
LABELS = some.text(alphabet="ab []2()\u200b\u2060\u202e\t\n", max_size=8)


@given(some.dictionaries(KEYS, LABELS, max_size=8))
def test_no_two_options_look_alike(options):
    shown = told_apart(options)
    assert set(shown) == set(options)
    assert len(set(shown.values())) == len(options)
    assert not HIDDEN.search("".join(shown.values()))


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({"a": "Breast", "b": "Lung"}, {"a": "Breast", "b": "Lung"}),
        ({"a": "Breast", "b": "Breast"}, {"a": "Breast [a]", "b": "Breast [b]"}),
        ({"a": "X", "b": "X", "c": "X [a]"}, {"a": "X [a]", "b": "X [b]", "c": "X [a] (2)"}),
    ],
)
def test_the_key_is_added_only_where_it_is_needed(options, shown):
    assert told_apart(options) == shown


def test_text_in_our_own_html_is_escaped_and_reorders_nothing():
    assert str(fill("<b>{a}</b>", a="<i>12%\u202e (5)")).startswith("<b>&lt;i&gt;12%")
    assert "\u202e" not in fill("<b>{a}</b>", a="x\u202ey")
    assert fill("{n}", n=5) == "5"
