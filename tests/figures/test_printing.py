"""Figures and tables on paper: what a card says is in the file, as text, and nothing else can be."""

from __future__ import annotations

import re
import zlib
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import plotly.graph_objects as go
import pytest
from matplotlib import pyplot

from bedside.cohort.groups import group_by
from bedside.competing import incidence_by
from bedside.intake import read_cohort
from bedside.report.card import Card, grid
from bedside.survival import curves_by
from components.figures.incidence import incidence_figure
from components.figures.km import km_figure
from components.figures.loglog import loglog_figure
from components.printing import booklet, draw
from components.printing.tables import SIZES, numeric, set_table
from components.printing.words import drawable, pixels, words, wrap

SAMPLES = Path(__file__).parents[2] / "sample_data"
WHEN = datetime(2026, 5, 17, 9, 30, tzinfo=UTC)
HOSTILE = '<script>alert(1)</script> $x_1$ %s {0} &amp; \u202edesrever \x00\x0b "quoted" <img src=http://evil/x.png>'
WORDS = "Ελληνικά, Русский, ≥ 3 µg/l"


def curves(name: str, by: str, **more: object) -> go.Figure:
    cohort = read_cohort(SAMPLES / name)
    found = curves_by(cohort, cohort.outcomes[0], group_by(cohort, by))[:12]
    return km_figure(found, **more)


@pytest.fixture(scope="module")
def figures() -> dict[str, go.Figure]:
    """A figure of each shape: one plot with its table, several panels, areas, logarithms, bars, marks of every kind."""
    mgus = read_cohort(SAMPLES / "mgus_competing")
    kinds = incidence_by(mgus, mgus.outcomes[0], group_by(mgus, "sex"))
    gbsg2 = read_cohort(SAMPLES / "gbsg2_breast")
    grades = curves_by(gbsg2, gbsg2.outcomes[0], group_by(gbsg2, "grade"))
    marks = go.Figure(layout={"height": 240, "xaxis": {"type": "log"}, "yaxis": {"autorange": "reversed"}})
    marks.add_scatter(
        x=[0.5, 1, None, 2], y=["a", "b", "c", "d"], mode="markers", error_x={"array": [0.1] * 4},
        marker={"color": [1.0, 2, 3, 4], "colorscale": [[0, "#000000"], [1, "#ffffff"]], "size": [4, 6, 8, 9],
                "line": {"color": ["rgba(1,2,3,0.5)"] * 4, "width": 1},
                "symbol": ["circle", "x", "square", "circle-open"]},
    )  # fmt: skip
    marks.add_shape(type="line", x0=1, x1=1, y0=0, y1=1, yref="paper", line={"dash": "2px,3px"})
    marks.add_annotation(x=0, y="b", text=f"<b>{WORDS}</b>", showarrow=False)
    bars = go.Figure(layout={"height": 200, "title": {"text": ""}})
    bars.add_bar(x=[3.0, -1.5], y=["up", "down"], orientation="h", text=["+3", "−1.5"], marker={"color": "#0072B2"})
    return {
        "curves": km_figure(grades, y_title="", x_title="Days"),
        "twelve": curves("lung_ncctg", "institution"),
        "side": incidence_figure(kinds, unit="months", until=300, naive=True),
        "stacked": incidence_figure(kinds, unit="months", until=300, arrangement="stacked"),
        "log-log": loglog_figure(grades, until=2000, mode="light", x_title="Days"),
        "marks": marks,
        "bars": bars,
    }  # fmt: skip


def card(key: str, **more: object) -> Card:
    told = {
        "title": f"Title of {key}", "aside": "quiet", "picture": None, "table": None, "said": f"{key} in words",
        "note": f"Note of {key}, 686 patients.", "stamp": (f"Stamp of {key}",), "methods": f"Methods of {key}.",
        "comment": f"Comment on {key}: {WORDS}",
    }  # fmt: skip
    return Card(key, **(told | more))


@pytest.fixture(scope="module")
def report(figures) -> booklet.Report:
    cards = [card(name, picture=figure.to_plotly_json()) for name, figure in figures.items()]
    table = grid(["Variable", "Mean (SD)"], [["Age", "53.1 (10.1)"], ["Nodes", "5.0 (5.5)"], [HOSTILE, None]])
    hostile = card(
        "hostile", title=HOSTILE, aside=HOSTILE, note=HOSTILE, methods=HOSTILE, comment=f"{HOSTILE}\nSecond."
    )
    return booklet.Report(f"Report {WORDS}", (*cards, card("table", table=table), hostile), WHEN)


@pytest.fixture(scope="module")
def pdf(report) -> bytes:
    return booklet.pdf(report)


@pytest.fixture(scope="module")
def page(report) -> str:
    return booklet.html(report).decode()


# ------------------------------------------------------------------ PDF


STREAM = re.compile(rb"(\d+) 0 obj\n(<<(?:(?!endobj).)*?>>)\nstream\n(.*?)\nendstream", re.S)
SHOWN = re.compile(rb"/(F\d+) [\d.]+ Tf|\(((?:\\.|[^\\)])*)\)", re.S)
ESCAPE = re.compile(rb"\\(.)", re.S)
ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def unescaped(told: bytes) -> bytes:
    return ESCAPE.sub(lambda m: ESCAPED.get(m[1], m[1]), told)


def text_of(pdf: bytes) -> str:
    """Every letter that a PDF shows, in the order in which it is drawn, by its fonts' own tables of letters."""
    streams = {
        int(number): zlib.decompress(data) if b"/FlateDecode" in head else data
        for number, head, data in STREAM.findall(pdf)
    }
    letters: dict[bytes, dict[int, str]] = {}
    for name, number in re.findall(rb"/(F\d+) (\d+) 0 R", pdf):
        head = pdf[pdf.index(b"\n%s 0 obj" % number) :].partition(b"endobj")[0]
        table = streams[int(re.search(rb"/ToUnicode (\d+) 0 R", head)[1])].decode()
        letters[name] = {
            int(first, 16) + i: bytes.fromhex(each).decode("utf-16-be")
            for first, many in re.findall(r"<(\w+)> <\w+> \[(.*?)\]", table)
            for i, each in enumerate(re.findall(r"<(\w+)>", many))
        }
    said = []
    for stream in streams.values():
        font = None
        for name, piece in SHOWN.findall(stream) if b" Tf" in stream else ():
            font = name or font
            codes = unescaped(piece)
            said += [letters[font][codes[i] << 8 | codes[i + 1]] for i in range(0, len(codes), 2)]
    return "".join(said)


def test_cautions_and_the_answer_come_before_the_figures_note_and_methods_at_the_end():
    warned = card(
        "warned", cautions=("Mind this first.",), reading="Half of them.", stamp=("Who.", "Data. Source: X 1.")
    )
    whole = booklet.Report("R", (warned, card("next", stamp=("Who.", "Data. Source: X 1."))), WHEN)
    order = ("Mind this first.", "Half of them.", "Note of warned", "Note of next", "Methods of warned", "X 1.")
    for text in (text_of(booklet.pdf(whole)), booklet.html(whole).decode()):
        places = [text.index(each) for each in order]
        assert places == sorted(places) and text.count("X 1.") == 1


def test_a_pdf_has_its_title_its_pages_and_its_time(pdf):
    assert pdf.startswith(b"%PDF-1.") and pdf.rstrip().endswith(b"%%EOF")
    (title,) = re.findall(rb"/Title \((.*?)\)\n>>", pdf, re.S)
    assert unescaped(title).decode("utf-16") == f"Report {WORDS}"
    assert b"/CreationDate (D:20260517093000" in pdf
    pages = len(re.findall(rb"/Type /Page\b", pdf))
    assert re.search(rb"/Count (\d+)", pdf)[1] == str(pages).encode()
    assert 5 <= pages <= 10
    for dangerous in (b"/JavaScript", b"/JS", b"/URI", b"/OpenAction", b"/Launch", b"/EmbeddedFile"):
        assert dangerous not in pdf


def test_what_a_card_says_is_text_in_the_pdf(report, pdf):
    said = re.sub(r"\s+", "", text_of(pdf))
    for each in report.cards[:-1]:
        for text in (each.title, each.note, each.methods, *each.stamp, each.comment):
            assert re.sub(r"\s+", "", text) in said, text
    for text in ("Progression", "Deathwithoutprogression", "Institution1", "Atrisk", "+3", "53.1(10.1)"):
        assert text in said
    assert "<script>alert(1)</script>$x_1$%s{0}&amp;�desrever" in said


def test_the_same_report_is_the_same_file(report):
    short = booklet.Report(report.title, report.cards[:1], WHEN)
    assert booklet.pdf(short) == booklet.pdf(short)
    assert booklet.html(short) == booklet.html(short)


def test_no_figure_is_left_behind(figures):
    before = pyplot.get_fignums()
    draw(figures["curves"])
    assert pyplot.get_fignums() == before == []


# ------------------------------------------------------------------ HTML


class Page(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.said: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.said.append(data)


def test_the_html_stands_alone_and_runs_nothing(report, page):
    text, page = page, Page(page)
    assert not {"script", "link", "img", "image", "iframe", "object", "base", "form"} & set(page.tags)
    assert page.tags.count("svg") == len(report.cards) - 2
    for name, value in page.attributes:
        assert not name.startswith("on")
        if name in ("href", "xlink:href", "src"):
            assert value and value.startswith("#")
        assert "url(http" not in (value or "") and "javascript:" not in (value or "")
    assert "@import" not in text and "url(http" not in text
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes
    # Pictures of several cards share no name, or one would be drawn with the other's clip.
    for svg in re.findall(r"<svg.*?</svg>", text, re.S):
        ids = set(re.findall(r'\bid="([^"]+)"', svg))
        assert set(re.findall(r'(?:href="|url\()#([^")]+)', svg)) <= ids


def test_the_html_says_all_that_the_cards_say(report, page):
    said = Page(page).said
    whole = re.sub(r"\s+", " ", " ".join(said))
    for each in report.cards[:-1]:
        for text in (each.title, each.aside, each.note, each.methods, *each.stamp, each.comment):
            assert text in whole, text
    assert "<script>alert(1)</script> $x_1$ %s {0} &amp; �desrever ��" in whole
    assert not re.search("[\u202e\x00\x0b]", whole)


def test_an_svg_is_well_formed_and_its_text_is_text(figures):
    found = {}
    for name, figure in figures.items():
        root = ElementTree.fromstring(str(booklet.svg(figure)))
        found[name] = {"".join(each.itertext()).strip() for each in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"Grade 1", "Grade 2", "Grade 3", "Days", "100%", "50%"} <= found["curves"]
    assert {"Institution 1", "Institution 12", "At risk"} <= found["twelve"]
    assert {"Progression", "Death without progression", "Female", "Male"} <= found["side"]
    assert {"up", "down", "+3", "−1.5"} <= found["bars"]
    assert {"a", "b", "d", WORDS} <= found["marks"]


def test_hostile_text_in_a_figure_stays_text():
    figure = go.Figure(layout={"height": 200, "title": {"text": ""}})
    figure.add_scatter(x=[1, 2], y=[1, 2], mode="lines")
    escaped = "&lt;script&gt;alert(1)&lt;/script&gt; $\\frac{a}{b}$ \u202e"
    figure.add_annotation(x=1, y=1, text=escaped, showarrow=False)
    svg = str(booklet.svg(figure))
    assert "<script" not in svg and "&lt;script&gt;alert(1)&lt;/script&gt; $\\frac{a}{b}$ �" in svg


def test_a_colour_is_of_its_own_letters_only():
    assert words('<span style="color:#0072B2">■</span> Death').lead == ("■", "#0072B2")
    assert words('<span style="color:#0072B2">Grade 1</span>') == ("Grade 1", False, "#0072B2", None)
    assert words('<b><span style="color:#0072B2">Grade 1</span></b>') == ("Grade 1", True, "#0072B2", None)
    assert words('Age<br><span style="color:#55626E">81 patients</span>') == ("Age\n81 patients", False, None, None)
    figure = go.Figure(layout={"height": 100})
    key = '<span style="color:#0072B2">■</span> Death'
    figure.add_annotation(x=0, y=0, xref="paper", yref="paper", xanchor="left", text=key, showarrow=False,
                          font={"color": "#55626E"}, bgcolor="rgba(255,255,255,0.9)")  # fmt: skip
    said = [(each.get_text(), each.get_color()) for each in draw(figure).texts]
    assert said == [("■ Death", "#55626E"), ("■", "#0072B2")]


# ------------------------------------------------------------------ letters and tables


def test_letters_are_measured_and_lines_fit():
    assert pixels("iiii", 10) < pixels("mmmm", 10) < pixels("mmmm", 10, bold=True)
    # The em of DejaVu Sans holds 2048 units, of which "m" takes 1995.
    assert pixels("m", 10) == pytest.approx(10 * 1995 / 2048, rel=1e-3)
    lines = wrap("a word and " * 30 + "x" * 200, width=200, size=10)
    assert max(pixels(line, 10) for line in lines) <= 200
    assert "".join(lines).replace(" ", "") == ("awordand" * 30 + "x" * 200)


def test_letters_without_a_shape_become_a_mark():
    assert drawable("Grade ≥ 2, α, Ж") == "Grade ≥ 2, α, Ж"
    assert drawable("患者") == "\ufffd\ufffd"
    assert drawable("a\u202eb\x00") == "a\ufffdb\ufffd"


@pytest.mark.parametrize("columns", [1, 2, 6, 15, 40])
def test_a_table_of_any_width_fits_the_page(columns):
    header = ["Name of the row", *(f"Column {k} of them" for k in range(columns - 1))]
    rows = [["A long name of a row " * 3, *(float(k) * 1.23456 for k in range(columns - 1))] for _ in range(3)]
    parts = set_table(grid(header, rows), 600)
    for part in parts:
        for row in (part.header, *part.rows):
            for line in row.lines:
                assert line.left >= -0.5
                assert line.left + pixels(line.text, part.size, bold=row is part.header) <= 600.5
                assert line.top + part.size <= row.height
    said = {" ".join(line.text for line in part.header.lines) for part in parts}
    assert all(f"Column {k} of" in re.sub(r"\s+", " ", " ".join(said)) for k in range(columns - 1)) or columns == 40
    assert parts[0].size in SIZES


def test_numbers_stand_flush_right_and_names_do_not():
    table = grid(["", "n", "p", "Level", "Mixed"], [["x", 1, "p < 0.001", "low", "compared with"],
                                                    ["y", -2.5, "0.2", "high", "−0.5 (−0.9 to −0.1)"]])  # fmt: skip
    assert numeric(table) == (False, True, True, False, True)
    (part,) = set_table(table, 600)
    ends = {line.left + pixels(line.text, part.size) for row in part.rows for line in row.lines if line.text == "1"}
    assert len(ends) == 1
    right = [line for row in part.rows for line in row.lines if line.text in ("1", "-2.5")]
    edges = [line.left + pixels(line.text, part.size) for line in right]
    assert np.ptp(edges) < 1e-6


def test_a_long_table_goes_over_pages_with_its_header():
    table = grid(["Patient group", "n"], [[f"Group {i}", i] for i in range(150)])
    pdf = booklet.pdf(booklet.Report("Long", (card("long", table=table),), WHEN))
    said = text_of(pdf)
    assert said.count("Patient group") == len(re.findall(rb"/Type /Page\b", pdf)) == 4
    assert "Group 0" in said and "Group 149" in said
