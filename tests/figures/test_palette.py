"""Colours that can be read and told apart, and text from data that stays text in a figure."""

from __future__ import annotations

import itertools
import re
import tomllib
from dataclasses import fields
from pathlib import Path

import plotly.graph_objects as go
import pytest

from components.figures import palette as house
from components.figures.palette import contrast, dashes, palette, plain, rgba, shades, template, text_width

ROOT = Path(__file__).resolve().parents[2]
MODES = ("light", "dark")
TEXT, MARK = 4.5, 3.0


def ratio(first: str, second: str) -> float:
    """WCAG 2.2 contrast, written down from the recommendation and not taken from the module under test."""

    def luminance(colour: str) -> float:
        red, green, blue = (
            value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
            for value in (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def over(colour: str, ground: str, alpha: float) -> str:
    """A colour with an opacity, as it looks on a ground."""
    pairs = zip(*([int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in (colour, ground)), strict=True)
    return "#" + "".join(f"{round(alpha * top + (1 - alpha) * below):02X}" for top, below in pairs)


def test_contrast_is_wcags():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.005)  # the known grey that just fails
    colours = [getattr(palette(mode), f.name) for mode in MODES for f in fields(house.Palette) if f.name != "groups"]
    for first, second in itertools.combinations(colours, 2):
        assert contrast(first, second) == pytest.approx(ratio(first, second)) == contrast(second, first)


@pytest.mark.parametrize("ground", ["card", "paper"])
@pytest.mark.parametrize("name", ["ink", "muted", "accent", "caution", "event", "up", "down"])
@pytest.mark.parametrize("mode", MODES)
def test_text_can_be_read(mode, name, ground):
    assert ratio(getattr(palette(mode), name), getattr(palette(mode), ground)) >= TEXT


@pytest.mark.parametrize("mode", MODES)
def test_text_on_a_chip_can_be_read(mode):
    assert ratio(palette(mode).ink, palette(mode).grid) >= TEXT


@pytest.mark.parametrize("ground", ["card", "paper"])
@pytest.mark.parametrize("mode", MODES)
def test_lines_of_groups_can_be_seen(mode, ground):
    p = palette(mode)
    assert len(set(p.groups)) == 8
    assert min(ratio(colour, getattr(p, ground)) for colour in p.groups) >= MARK


@pytest.mark.parametrize("ground", ["card", "paper"])
@pytest.mark.parametrize("mode", MODES)
def test_marks_can_be_seen(mode, ground):
    p = palette(mode)
    assert ratio(p.neutral, getattr(p, ground)) >= MARK
    # Bars of the overview: the accent at 72%, on the card or on their track.
    assert ratio(over(p.accent, p.card, 0.72), p.card) >= MARK
    assert ratio(over(p.accent, p.grid, 0.72), p.grid) >= MARK


@pytest.mark.parametrize("mode", MODES)
def test_events_stand_out_from_the_event_free(mode):
    assert ratio(palette(mode).event, palette(mode).event_free) >= MARK


def test_the_theme_that_streamlit_draws_has_the_same_colours():
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
    for mode in MODES:
        told, p = theme[mode], palette(mode)
        assert (told["textColor"], told["backgroundColor"], told["primaryColor"]) == (p.ink, p.paper, p.accent)
        assert tuple(told["chartCategoricalColors"]) == p.groups
        sidebar = told["sidebar"]
        assert ratio(sidebar["textColor"], sidebar["backgroundColor"]) >= TEXT
        assert ratio(told["linkColor"], told["backgroundColor"]) >= TEXT


def test_every_colour_is_written_out():
    for mode in MODES:
        p = palette(mode)
        for field in fields(p):
            value = getattr(p, field.name)
            for colour in value if field.name == "groups" else (value,):
                assert re.fullmatch(r"#[0-9A-F]{6}", colour), (mode, field.name)


def test_light_is_what_is_not_dark():
    assert palette() is palette("light") is house.LIGHT
    assert palette("dark") is house.DARK


# ------------------------------------------------------------------ groups


@pytest.mark.parametrize("mode", MODES)
def test_up_to_64_groups_are_told_apart_by_colour_and_dash(mode):
    signs = list(zip(shades(64, mode), dashes(64), strict=True))
    assert len(set(signs)) == 64
    assert signs[:12] == list(zip(shades(12, mode), dashes(12), strict=True))


def test_colour_is_never_the_only_sign():
    assert len(set(dashes(8))) == 8
    for n in (2, 12, 64):
        colours, styles = shades(n), dashes(n)
        for i, j in itertools.combinations(range(n), 2):
            if colours[i] == colours[j]:
                assert styles[i] != styles[j]
    # Neighbours in a list of twelve are never alike in either.
    assert all(a != b for a, b in itertools.pairwise(dashes(12)))
    assert all(a != b for a, b in itertools.pairwise(shades(12)))


def test_dashes_are_ones_that_plotly_draws():
    figure = go.Figure()
    for dash in dashes(8):
        figure.add_scatter(x=[0, 1], y=[0, 1], line={"dash": dash})
    assert [trace.line.dash for trace in figure.data] == list(dashes(8))
    assert dashes(0) == shades(0) == ()


def test_rgba():
    assert rgba("#0B5F73", 0.5) == "rgba(11,95,115,0.5)"
    assert rgba("#FFFFFF", 1) == "rgba(255,255,255,1)"


# ------------------------------------------------------------------ text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Grade 3", "Grade 3"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("<b>bold</b> & <br>", "&lt;b&gt;bold&lt;/b&gt; &amp; &lt;br&gt;"),
        ("&lt;", "&amp;lt;"),
        ('5\'-AMP "x"', '5\'-AMP "x"'),
        ("$x^2$", "&#36;x^2&#36;"),
        ("%{y}", "%\u200b{y}"),
        ("  two\n lines\t", "two lines"),
        ("عُمر المريض 🩺", "عُمر المريض 🩺"),
        (3.5, "3.5"),
        ("", ""),
    ],
)
def test_text_from_data_is_shown_letter_for_letter(text, shown):
    assert plain(text) == shown


def test_long_text_is_cut_before_it_is_escaped():
    assert plain("abcdefghij", limit=5) == "abcd…"
    assert plain("abcde", limit=5) == "abcde"
    assert plain("abc defgh", limit=5) == "abc…"
    assert plain("<<<<<<", limit=4) == "&lt;&lt;&lt;…"
    assert "{" not in plain("%{%{%{", limit=3).replace("%\u200b{", "")


def test_text_width_is_of_the_longest_line():
    assert text_width([]) == 0
    assert text_width(["a", "abcd"], size=10) == text_width(["abcd"], size=10) == 22
    assert text_width(["abcd"], size=20) > text_width(["abcd"], size=10)


# ------------------------------------------------------------------ template


@pytest.mark.parametrize("mode", MODES)
def test_the_template_is_the_house_look(mode):
    p, layout = palette(mode), template(mode).layout
    assert layout.paper_bgcolor == layout.plot_bgcolor == "rgba(0,0,0,0)"
    assert layout.font.family == "Inter, system-ui, sans-serif"
    assert layout.font.color == p.ink
    assert tuple(layout.colorway) == p.groups
    assert layout.xaxis.tickfont.color == layout.yaxis.title.font.color == p.muted
    assert (layout.xaxis.showgrid, layout.yaxis.gridcolor) == (False, p.grid)
    assert layout.hoverlabel.bgcolor == p.card and layout.hoverlabel.font.color == p.ink
    assert layout.dragmode is False and layout.showlegend is False
    assert layout.xaxis.tickfont.size >= 12


def test_a_template_is_its_own_and_plotlys_default_is_left_alone():
    first = template()
    first.layout.font.color = "#123456"
    assert template().layout.font.color == palette().ink
    figure = go.Figure(layout={"template": template("dark")})
    assert figure.layout.template.layout.font.color == palette("dark").ink
    assert go.Figure().layout.template.layout.font.color != palette("dark").ink
