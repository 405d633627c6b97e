"""Labels beside a plot: two lines at most, never cut where they need not be, always literal."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.figures.labels import label_lines, pixels, room_for, row_height, wrapped


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("Age 55 years", ("Age 55 years",)),
        ("ECOG 3 (in bed more than half the day)", ("ECOG 3 (in bed more than", "half the day)")),
        ("  two   spaces\nand a line  ", ("two spaces and a line",)),
        ("n" * 26, ("n" * 26,)),
        ("n" * 30, ("n" * 26, "nnnn")),
        ("n" * 60, ("n" * 26, "n" * 25 + "…")),
        ("one two three four five six seven eight nine ten eleven twelve",
         ("one two three four five", "six seven eight nine ten…")),
        ("漢" * 20, ("漢" * 13, "漢" * 7)),
        ("", ("",)),
    ],
)  # fmt: skip
def test_labels_are_broken_between_words(text, lines):
    assert label_lines(text) == lines


@settings(deadline=None)
@given(st.text(max_size=120))
def test_a_label_never_exceeds_its_room(text):
    lines = label_lines(text)
    assert 1 <= len(lines) <= 2
    assert all(pixels([line]) <= pixels(["n" * 26]) for line in lines)
    whole = "".join(text.split())
    told = "".join("".join(lines).split())
    assert told == whole or (told.endswith("…") and whole.startswith(told[:-1]))


def test_lines_are_literal_and_make_room():
    labels = [label_lines("<b>$x$</b>"), label_lines("a name that is longer than twenty-six characters")]
    assert wrapped(labels[0]) == "&lt;b&gt;&#36;x&#36;&lt;/b&gt;"
    assert wrapped(labels[1]).count("<br>") == 1
    assert room_for(labels) == pixels([max(labels[1], key=len)])
    assert (row_height(labels[:1]), row_height(labels)) == (26, 34)
