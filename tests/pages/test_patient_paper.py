"""A patient on paper: the sheets say what the screen says, number by number, and fit on their page."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import FancyBboxPatch
from pypdf import PdfReader
from streamlit.testing.v1 import AppTest

from bedside.report import say
from bedside.report.patient_sheet import Facts, Sheet, board_sheet, own_sheet, range_in_words
from components.figures.patient import patient_figure
from components.panels import patient_board, patient_paper_facts
from components.panels.patient_view import View
from components.printing.patient_board_sheet import board_page, board_pdf
from components.printing.patient_own_sheet import own_page, own_pdf
from tests.pages.reader import ROOT, plain, words

FOREST = {"trees": 20, "leaf": 40, "share": 0.34, "depth": 0, "rows": 10000}
BOOSTED = {"eta": 0.05, "child": 2.0, "drawn": 0.7, "share": 0.8, "ridge": 1.0, "depth": 2, "rounds": 30}
KINDS: tuple[dict[str, Any], ...] = (
    {"cohort": "gbsg2_breast", "kind": "cox", "target": "any", "unit": "years", "until": 7},
    {"cohort": "mgus_competing", "kind": "cox", "target": "event", "unit": "years", "until": 30},
    {"cohort": "mgus_competing", "kind": "forest", "target": "event", "unit": "years", "until": 30, "settings": FOREST},
    {"cohort": "gbsg2_breast", "kind": "boosted", "target": "any", "unit": "months", "until": 80,
     "settings": BOOSTED, "varied": True},
)  # fmt: skip
EACH = 6
SEED = 20261005


@dataclass(frozen=True)
class Told:
    """One patient, as the page and both sheets say it."""

    view: View
    facts: Facts
    board: Sheet
    own: Sheet
    icons: str
    bars: str
    table: str


def cases() -> list[dict[str, Any]]:
    """Patients, horizons, times so far and decimals at random; among the horizons the first weeks and the end."""
    rng = np.random.default_rng(SEED)
    sizes = {"gbsg2_breast": 686, "mgus_competing": 1384}
    found = []
    for kind in KINDS:
        for i in range(EACH):
            when = float(rng.integers(1, kind["until"] + 1)) if i else kind["until"] / 70
            alive = float(np.floor(when * rng.random() * 0.8)) if i % 3 == 2 else 0.0
            found.append({
                "settings": None, "varied": False, **kind, "row": int(rng.integers(sizes[kind["cohort"]])),
                "when": when, "alive": alive, "decimals": int(rng.integers(0, 3)), "ranges": bool(i % 2),
            })  # fmt: skip
    return found


@pytest.fixture(scope="module")
def told() -> list[Told]:
    at = AppTest.from_file(str(ROOT / "tests" / "pages" / "paper_session.py"), default_timeout=60)
    at.user, at.context = {"is_logged_in": True, "name": "Ada"}, {"theme": "light"}
    at.session_state["cases"] = cases()
    at.run()
    assert not at.exception, at.exception[0].stack_trace
    drawn = [box.proto.body for box in at.get("html")]
    marks = [i for i, body in enumerate(drawn) if "<p>mark</p>" in body]
    parts = ["".join(drawn[i + 1 : j]) for i, j in zip(marks, [*marks[1:], len(drawn)], strict=True)]
    found = at.session_state["told"]
    return [Told(*values, *parts[3 * i : 3 * i + 3]) for i, values in enumerate(found)]


def row_of(table: str, time: str) -> list[str]:
    """The cells of one row of the table, told by its time."""
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", table, re.S)
    (cells,) = [row for row in rows if plain(row.split("</th>")[0]) == time]
    return [plain(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", cells)]


def label_of(view: View) -> str:
    """What the curve's own label says of the patient."""
    figure = patient_figure(view.curve, decimals=view.decimals).to_plotly_json()
    (label,) = [text for text in words(figure) if "this patient" in text and "<b>" in text]
    return plain(label)


def letters(name: str) -> str:
    """A name without the breaks of its lines."""
    return "".join(re.sub(r"<[^>]*>", "", name).split())


def said_of(view: View) -> list[str]:
    return [view.states.said(0, k, decimals=view.decimals) for k in range(len(view.states.states))]


def test_one_number_many_views(told):
    assert len({(t.view.cohort.key, t.view.choice.kind) for t in told}) == len(KINDS)
    assert {len(t.view.states.states) for t in told} == {2, 3}
    assert any(t.view.alive for t in told) and any(t.view.limits == "model variability" for t in told)
    for each in told:
        view, sheet, said = each.view, each.board, said_of(each.view)
        icons, when = view.states.count[0].tolist(), say.duration(view.when, view.unit)
        # The sentence and its number; icons by their own rounding.
        assert sheet.hero == f"{said[0]} of 100" == say.of_100(view.risk, decimals=view.decimals)
        assert sheet.sentence.text.endswith(f" {view.by}.") and view.happens in sheet.sentence.text
        assert sum(icons) == 100 and abs(icons[0] - 100 * view.risk) <= 0.5 + 1e-9
        assert [count.icons for count in sheet.counts] == icons and [count.said for count in sheet.counts] == said
        # Icons on screen, with their key.
        marks = each.icons.split("</div>")[0]
        for state, k in zip(view.states.states, icons, strict=True):
            assert len(re.findall(rf'<i class="bs-{state.key}( bs-maybe)?"></i>', marks)) == k
        assert all(f"{count.said} {count.label}" in plain(each.icons) for count in sheet.counts)
        # Bar and table at the horizon, and the line of times on the sheet.
        (bar,) = re.findall(r'<div class="bs-stack bs-now".*?</div></div>', each.bars, re.S)
        assert [int(wide) for wide in re.findall(r'style="width:(\d+)%"', bar)] == icons
        cells = row_of(each.table, when)
        assert [cell for cell in cells if " to " not in cell and cell != "cannot be given"] == said
        assert dict(each.facts.times)[when] == said[0] and np.all(view.table.count.sum(axis=1) == 100)
        # The curve passes through the number, and what is written on it adds up with it.
        assert view.curve.at_horizon[0] == pytest.approx(1 - view.risk, abs=1e-12)
        label = label_of(view)
        if said[0][0].isdigit() and not re.search("under|over", label):
            assert float(re.search(r"([\d.]+)%", label)[1]) + float(said[0]) == pytest.approx(100, abs=1e-9)


def test_the_interval_is_the_same_in_every_place(told):
    assert any(each.view.ranges and each.view.lower == each.view.lower for each in told)
    for each in told:
        view = each.view
        assert each.board.interval == patient_board.limits(view)
        assert each.own.interval == range_in_words(view.lower, view.upper, few=each.facts.unusual)
        if view.lower == view.lower:
            assert view.lower <= view.risk <= view.upper
            between = say.range_of_100(view.lower, view.upper, decimals=view.decimals)
            assert between in each.board.interval
            if view.ranges:
                assert between in plain(each.icons)
                assert between in row_of(each.table, say.duration(view.when, view.unit))


def test_reasons_add_up_to_the_number_or_are_not_printed(told):
    for each in told:
        why, facts = each.view.explanation, each.facts
        if abs(why.risk - each.view.risk) < 1e-6:
            assert why.base + sum(c.points for c in why.contributions) == pytest.approx(each.view.risk, abs=1e-5)
            assert facts.why.startswith(f"Why {said_of(each.view)[0]}")
            # The figure names every reason that is listed in words.
            for figure in patient_paper_facts.drawn(each.view).reasons:
                named = [letters(name) for name in figure.layout.yaxis.ticktext]
                listed = [letters(c.value_text) for c in why.contributions[: patient_paper_facts.REASONS]]
                assert set(listed) <= set(named), (listed, named)
        else:
            assert each.view.alive and facts.why == "Why" and not patient_paper_facts.drawn(each.view).reasons


def test_the_patients_sheet_has_whole_numbers_and_no_jargon(told):
    for each in told:
        states, sheet = each.view.states, each.own
        assert sheet.hero == f"{states.said(0, 0)} of 100" and sum(count.icons for count in sheet.counts) == 100
        assert [count.said for count in sheet.counts] == [states.said(0, k) for k in range(len(states.states))]
        lines = [said.text for part in sheet.parts.values() for said in part.lines]
        text = " ".join((sheet.hero, sheet.sentence.text, sheet.interval, *lines))
        assert each.view.by in text
        assert not re.search(r"%|per cent|hazard|interval|Shapley|model|points|because", text), text


# ------------------------------------------------------------------ the files


def read(data: bytes) -> tuple[PdfReader, str]:
    """A file as another program reads it: its text on one line."""
    reader = PdfReader(io.BytesIO(data))
    return reader, " ".join(" ".join(page.extract_text() for page in reader.pages).replace("\u00a0", " ").split())


@pytest.mark.parametrize(("kind", "which", "paper"), [
    (0, "board", "A4"), (1, "board", "Letter"), (2, "own", "A4"), (3, "own", "Letter"),
])  # fmt: skip
def test_a_file_says_the_same_on_one_page(told, kind, which, paper):
    each = told[EACH * kind + kind]
    made, name = datetime(2026, 10, 5, 9, 30, tzinfo=UTC), "Müller, Anna — Ελένη"
    facts = replace(each.facts, identity=name)
    sheet = board_sheet(facts) if which == "board" else own_sheet(facts)
    if which == "board":
        data = board_pdf(sheet, patient_paper_facts.drawn(each.view), made=made, paper=paper)
    else:
        data = own_pdf(sheet, made=made, paper=paper)
    reader, text = read(data)
    assert len(reader.pages) == 1
    size = [float(v) for v in reader.pages[0].mediabox[2:]]
    assert size == pytest.approx([612, 792] if paper == "Letter" else [595.28, 841.89], abs=0.01)
    for part in (sheet.title, name, "5 October 2026", sheet.hero, sheet.sentence.text, sheet.interval):
        assert part in text, (part, text)
    for count in sheet.counts:
        assert f"{count.said} {count.label}" in text
    # Who it is about stands on the sheet only, and the letters are in the file.
    assert reader.metadata.title == sheet.title and "Müller" not in str(reader.metadata)
    assert reader.root_object["/Lang"] == "en-GB"
    for font in reader.pages[0]["/Resources"]["/Font"].values():
        (inside,) = font.get_object()["/DescendantFonts"]
        assert "/FontFile2" in inside.get_object()["/FontDescriptor"].get_object()
    if which == "board":
        assert label_of(each.view) in text and "Decision of the meeting" in text and "Similar patients" in text
        assert all(f"{when}: {said}" in text for when, said in facts.times)
        # Where several things can come first, the sentence has all their counts.
        assert all(part.text in text for part in sheet.parts["others"].lines)
        assert len(sheet.parts["others"].lines) == (len(sheet.counts) > 2)
        assert all(mark in text for _, mark in facts.prints) and facts.versions in text
        assert all(reason in text for reason in facts.reasons), text


def test_the_icons_drawn_are_the_counts(told):
    for each in told[::EACH]:
        for page in (board_page(each.board, patient_paper_facts.drawn(each.view)), own_page(each.own)):
            shapes = [a for a in page.sheet.artists if isinstance(a, FancyBboxPatch)]
            # One of each kind stands in the key.
            filled = sum(to_hex(shape.get_facecolor()) != "#ffffff" for shape in shapes) - 1
            assert len(shapes) == 100 + len(each.board.counts)
            assert filled == each.view.states.count[0, 0]
