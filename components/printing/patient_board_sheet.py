"""A patient on one sheet of paper for a tumour board: the answer, why, how sure, and room for the decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import plotly.graph_objects as go

from bedside.report.patient_sheet import MORE, Part, Sheet, Sure
from components.printing.booklet import CAUTION, INK, MUTED
from components.printing.paper import Box, height_of
from components.printing.patient_file import one_page
from components.printing.patient_icons import icons, keys, keys_height
from components.printing.patient_page import LEADING, Page, Paper, fit, fit_list, fit_some, joined, shrunk

EDGE = 44.0
GUTTER = 26.0
TALLEST = 330.0
"""Of the answer on the left; longer names are shortened."""
BODY, SMALL, HEAD, LEAD, HERO = 12.5, 11.0, 13.5, 14.0, 34.0
LEFT = 0.46
"""The left column's part of the width."""
DECISION = 108.0
"""Least height of the box for the decision."""
SIGNED = 34.0
SIGNS = {"good": "✓", "caution": "!", "plain": "–"}


@dataclass(frozen=True, eq=False)
class Drawn:
    """The figures of the sheet.

    Attributes
    ----------
    curve : Figure
    curve_title, curve_note : str
    reasons : tuple of Figure
        The same in several heights, the tallest first: the first one that there is room for is drawn.
    """

    curve: go.Figure
    curve_title: str
    curve_note: str
    reasons: tuple[go.Figure, ...] = ()


def board_pdf(sheet: Sheet, drawn: Drawn, *, made: datetime, paper: Paper = "A4") -> bytes:
    """The sheet as one page of PDF.

    Parameters
    ----------
    sheet : Sheet
    drawn : Drawn
        Figures in the light house template.
    made : datetime
        For the file's own date.
    paper : {"A4", "Letter"}
    """
    return one_page(board_page(sheet, drawn, paper=paper).sheet, title=sheet.title, made=made)


def board_page(sheet: Sheet, drawn: Drawn, *, paper: Paper = "A4") -> Page:
    """The sheet, drawn."""
    page = Page(paper)
    width = page.width - 2 * EDGE
    y = _top(page, sheet, width)
    y = _answer(page, sheet, drawn, y, width)
    foot = _foot_height(sheet, width)
    free = page.height - EDGE - foot - SIGNED - DECISION - y
    cautions = _cautions(sheet.parts["cautions"], width, most=max(3, int(0.34 * free / (SMALL * LEADING))))
    below = _block_height(cautions)
    y = _why_and_sure(page, sheet, drawn, y, width, room=free - below)
    y = _caution_block(page, sheet.parts["cautions"].heading, cautions, y, width)
    _decision(page, sheet, y, width, page.height - EDGE - foot)
    return page


# ------------------------------------------------------------------ who


def _top(page: Page, sheet: Sheet, width: float) -> float:
    y = EDGE
    page.write(sheet.title, EDGE, y, size=19, bold=True)
    page.write(sheet.made, EDGE + width, y + 4, size=BODY, colour=MUTED, right=True)
    y += 30
    page.write("Patient", EDGE, y + 1, size=BODY, colour=MUTED)
    if sheet.identity:
        lines = fit(sheet.identity, width=width - 62, size=14.5, most=2, bold=True)
        y = page.lines(lines, EDGE + 62, y - 1, size=14.5, bold=True)
    else:
        page.rule(EDGE + 62, y + 16, width - 62, colour=MUTED, thick=0.6)
        y += 21
    values = joined([said.text for said in sheet.parts["values"].lines], width=width, size=BODY, most=3)
    y = page.lines(values, EDGE, y + 5, size=BODY)
    y = page.lines(fit(sheet.about, width=width, size=SMALL, most=2), EDGE, y + 1, size=SMALL, colour=MUTED)
    page.rule(EDGE, y + 7, width)
    return y + 18


# ------------------------------------------------------------------ how likely


def _answer(page: Page, sheet: Sheet, drawn: Drawn, y: float, width: float) -> float:
    left = LEFT * (width - GUTTER)
    right = width - GUTTER - left
    foot = _risk(page, sheet, y, left)
    x = EDGE + left + GUTTER
    title = fit(drawn.curve_title, width=right, size=HEAD, most=2, bold=True)
    at = page.lines(title, x, y, size=HEAD, bold=True) + 4
    height = height_of(drawn.curve)
    page.figure(drawn.curve, Box(x, at, right, height))
    note = fit(drawn.curve_note, width=right, size=SMALL, most=4)
    at = page.lines(note, x, at + height + 3, size=SMALL, colour=MUTED)
    return max(foot, at) + 8


def _risk(page: Page, sheet: Sheet, y: float, width: float) -> float:
    """The number in words, as icons, and by some times; shorter where names are long."""
    start, gap = y, 3.0
    wide = (width - 19 * gap) / 20
    for event, sentence, interval, each in ((2, 5, 3, 2), (1, 4, 2, 1)):
        name = fit(sheet.event, width=width, size=HEAD, most=event, bold=True)
        said = fit(sheet.sentence, width=width, size=LEAD, most=sentence)
        told = fit(sheet.interval, width=width, size=BODY, most=interval)
        words = (len(name) * HEAD + len(said) * LEAD + len(told) * BODY) * LEADING + 1.24 * HERO + 12
        marks = 5 * (1.3 * wide + gap) + 6 + keys_height(sheet.counts, width, size=BODY, most=each)
        if words + marks < TALLEST:
            break
    y = page.lines(name, EDGE, start, size=HEAD, bold=True)
    size = shrunk(sheet.hero, width=width, size=HERO, bold=True)
    page.write(sheet.hero, EDGE, y + 2 + (HERO - size) / 2, size=size, bold=True)
    y = page.lines(said, EDGE, y + 2 + 1.24 * HERO, size=LEAD) + 3
    y = page.lines(told, EDGE, y, size=BODY, colour=MUTED) + 7
    y = icons(page, sheet.counts, EDGE, y, across=20, size=(wide, 1.3 * wide), gap=gap) + 5
    y = keys(page, sheet.counts, EDGE, y, width, size=BODY, most=each) + 1
    times = fit_some(sheet.parts["times"].lines, width=width, size=SMALL, most=2, each=2, least=2)
    return page.lines([line for lines in times for line in lines], EDGE, y, size=SMALL, colour=MUTED)


# ------------------------------------------------------------------ why, and how sure


def _why_and_sure(page: Page, sheet: Sheet, drawn: Drawn, y: float, width: float, *, room: float) -> float:
    page.rule(EDGE, y, width)
    y, room = y + 10, room - 18
    left = LEFT * (width - GUTTER)
    x, right, foot = EDGE + left + GUTTER, width - GUTTER - left, y + room
    similar = _similar_needs(sheet, left), _similar_needs(sheet, right)
    near, beside = _why(page, sheet, y, left, foot), _sure(page, sheet, x, y, right, foot)
    if beside + similar[1] > foot and near + similar[0] <= foot:
        near = _similar(page, sheet, EDGE, near, left, foot)
    else:
        beside = _similar(page, sheet, x, beside, right, foot)
    figure = next((each for each in drawn.reasons if foot - near > height_of(each) + 6), None)
    if figure is not None:
        page.figure(figure, Box(EDGE, near + 6, left, height_of(figure)))
        near += height_of(figure) + 6
    return max(near, beside) + 8


def _why(page: Page, sheet: Sheet, y: float, width: float, foot: float) -> float:
    why, own = sheet.parts["why"], sheet.parts["estimate"]
    y = page.lines(fit(why.heading, width=width, size=HEAD, most=2, bold=True), EDGE, y, size=HEAD, bold=True)
    for said in sheet.parts["compared"].lines:
        y = page.lines(fit(said, width=width, size=SMALL, most=2), EDGE, y + 1, size=SMALL, colour=MUTED) + 3
    kept = 4 if own.lines else 0
    inset = 18 if len(why.lines) > 1 else 0
    laid = fit_list(why.lines, width=width - inset, size=BODY, most=_lines_in(foot - y, BODY) - kept, each=3, least=1)
    signs = [f"{i}." for i in range(1, len(why.lines) + 1)] if inset else []
    y = page.numbered(laid, EDGE, y, signs=signs, size=BODY, inset=inset)
    for said in own.lines:
        y = page.lines(fit(own.heading, width=width, size=BODY, most=1, bold=True), EDGE, y + 5, size=BODY, bold=True)
        y = page.lines(fit(said, width=width, size=BODY, most=2), EDGE, y, size=BODY)
    return y


def _sure(page: Page, sheet: Sheet, x: float, y: float, width: float, foot: float) -> float:
    y = page.lines(["How sure"], x, y, size=HEAD, bold=True) + 2
    kept = HEAD * LEADING + 10 + 2 * BODY * LEADING if sheet.parts["similar"].lines else 0.0
    return _marked(page, sheet.sure, x, y, width, most=_lines_in(foot - y - kept - len(sheet.sure), BODY))


def _similar_needs(sheet: Sheet, width: float) -> float:
    """Height of the whole paragraph on similar patients."""
    part = sheet.parts["similar"]
    lines = sum(len(fit(said, width=width, size=BODY, most=7)) for said in part.lines)
    return 8 + HEAD * LEADING + lines * BODY * LEADING if lines else 0.0


def _similar(page: Page, sheet: Sheet, x: float, y: float, width: float, foot: float) -> float:
    """As much of the same as there is room for, and never its heading alone."""
    part = sheet.parts["similar"]
    most = _lines_in(foot - y - HEAD * LEADING - 8, BODY)
    if not part.lines or most <= 0:
        return y
    y = page.lines([part.heading], x, y + 7, size=HEAD, bold=True)
    laid = fit_list(part.lines, width=width, size=BODY, most=most, each=7, least=1)
    return page.lines([line for lines in laid for line in lines], x, y + 1, size=BODY)


def _marked(page: Page, told: Sequence[Sure], x: float, y: float, width: float, *, most: int) -> float:
    """Lines with their signs, those that ask for caution first where there is not room for all."""
    look = {"width": width - 16, "size": BODY, "each": 3, "least": 1}
    shown = fit_some([sure.text for sure in told], most=most, **look)
    if len(shown) < len(told):
        told = sorted(told, key=lambda sure: sure.mark != "caution")
        shown = fit_some([sure.text for sure in told], most=most - 1, **look)
    for lines, sure in zip(shown, told, strict=False):
        cautious = sure.mark == "caution"
        page.write(SIGNS[sure.mark], x, y, size=BODY, colour=CAUTION if cautious else MUTED, bold=True)
        y = page.lines(lines, x + 16, y, size=BODY, colour=CAUTION if cautious else INK) + 1
    if len(shown) < len(told):
        y = page.lines([MORE.format(n=len(told) - len(shown))], x + 16, y, size=BODY, colour=MUTED)
    return y


def _lines_in(room: float, size: float) -> int:
    return max(int(room / (size * LEADING)), 0)


# ------------------------------------------------------------------ caveats, decision, small print


def _cautions(part: Part, width: float, *, most: int) -> list[list[str]]:
    return fit_list(part.lines, width=width - 12, size=SMALL, most=most, each=3, least=2) if part.lines else []


def _block_height(laid: list[list[str]]) -> float:
    return 26 + sum(map(len, laid)) * SMALL * LEADING if laid else 0.0


def _caution_block(page: Page, heading: str, laid: list[list[str]], y: float, width: float) -> float:
    if not laid:
        return y
    page.rule(EDGE, y, width)
    y = page.lines([heading], EDGE, y + 8, size=BODY, bold=True) + 1
    for lines in laid:
        page.write("·", EDGE, y, size=SMALL, bold=True)
        y = page.lines(lines, EDGE + 12, y, size=SMALL)
    return y


def _decision(page: Page, sheet: Sheet, y: float, width: float, foot: float) -> None:
    """The box takes what room is left."""
    y += 10
    page.frame(EDGE, y, width, foot - SIGNED - y)
    page.write("Decision of the board", EDGE + 10, y + 8, size=HEAD, bold=True)
    base, each = foot - 8, width / 3
    for k, (name, room) in enumerate((("Names", 48.0), ("", 0.0), ("Date", 36.0))):
        start = EDGE + k * each
        if name:
            page.write(name, start, base - 13, size=SMALL, colour=MUTED)
        page.rule(start + room, base, each - room - (14 if k == 1 else 0), colour=MUTED, thick=0.6)
    y = foot + 2
    for lines in _foot(sheet, width):
        y = page.lines(lines, EDGE, y, size=9.5, colour=MUTED)


def _foot(sheet: Sheet, width: float) -> list[list[str]]:
    return [fit(text, width=width, size=9.5, most=2) for text in sheet.end]


def _foot_height(sheet: Sheet, width: float) -> float:
    return sum(map(len, _foot(sheet, width))) * 9.5 * LEADING
