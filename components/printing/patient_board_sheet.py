"""A patient on one sheet of paper for a meeting of the team: the answer, why, how sure, and room for the decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import plotly.graph_objects as go

from bedside.report.patient_sheet import MORE, Part, Sheet, Sure
from components.printing.booklet import CAUTION, INK, MUTED
from components.printing.paper import Box, height_of
from components.printing.patient_file import one_page
from components.printing.patient_icons import icons, keys
from components.printing.patient_page import LEADING, Page, Paper, fit, fit_list, fit_some, joined, shrunk

EDGE = 44.0
GUTTER = 26.0
LEAST = 250.0
"""Height that reasons, how sure and caveats need at least; if there is less, all above is told in fewer lines."""
BODY, FINE, SMALL, HEAD, LEAD, HERO = 12.5, 9.5, 11.0, 13.5, 14.0, 34.0
CAVEATS = 0.28
"""The part of what room is left below the answer that caveats may take."""
LEFT = 0.46
"""The left column's part of the width."""
DECISION = 92.0
"""Least height of the box for the decision."""
SIGNED = 34.0
SIGNS = {"good": "✓", "caution": "!", "plain": "–"}


@dataclass(frozen=True)
class Most:
    """How many lines each text may have."""

    values: int = 3
    about: int = 2
    event: int = 2
    sentence: int = 5
    others: int = 3
    interval: int = 3
    key: int = 2
    times: int = 2
    title: int = 2
    note: int = 4
    compared: int = 2
    end: int = 2


ROOMY, TIGHT = Most(), Most(2, 1, 1, 4, 2, 2, 1, 1, 1, 2, 1, 1)


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
    for most in (ROOMY, TIGHT):
        page = Page(paper)
        width = page.width - 2 * EDGE
        end = [fit(text, width=width, size=FINE, most=most.end) for text in sheet.end]
        y = _answer(page, sheet, drawn, _top(page, sheet, width, most), width, most)
        foot = page.height - EDGE - sum(map(len, end)) * FINE * LEADING
        free = foot - SIGNED - DECISION - y
        if free >= LEAST:
            break
    cautions = _cautions(sheet.parts["cautions"], width, most=max(3, int(CAVEATS * free / (SMALL * LEADING))))
    y = _why_and_sure(page, sheet, drawn, y, width, room=free - _block_height(cautions), compared=most.compared)
    y = _caution_block(page, sheet.parts["cautions"].heading, cautions, y, width)
    _decision(page, y, width, foot)
    foot += 2
    for lines in end:
        foot = page.lines(lines, EDGE, foot, size=FINE, colour=MUTED)
    return page


# ------------------------------------------------------------------ who


def _top(page: Page, sheet: Sheet, width: float, most: Most) -> float:
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
    values = joined([said.text for said in sheet.parts["values"].lines], width=width, size=BODY, most=most.values)
    y = page.lines(values, EDGE, y + 5, size=BODY)
    y = page.lines(fit(sheet.about, width=width, size=SMALL, most=most.about), EDGE, y + 1, size=SMALL, colour=MUTED)
    page.rule(EDGE, y + 7, width)
    return y + 18


# ------------------------------------------------------------------ how likely


def _answer(page: Page, sheet: Sheet, drawn: Drawn, y: float, width: float, most: Most) -> float:
    left = LEFT * (width - GUTTER)
    right = width - GUTTER - left
    foot = _risk(page, sheet, y, left, most)
    x = EDGE + left + GUTTER
    title = fit(drawn.curve_title, width=right, size=HEAD, most=most.title, bold=True)
    at = page.lines(title, x, y, size=HEAD, bold=True) + 4
    height = height_of(drawn.curve)
    page.figure(drawn.curve, Box(x, at, right, height))
    note = fit(drawn.curve_note, width=right, size=SMALL, most=most.note)
    at = page.lines(note, x, at + height + 3, size=SMALL, colour=MUTED)
    return max(foot, at) + 8


def _risk(page: Page, sheet: Sheet, y: float, width: float, most: Most) -> float:
    """The number in words, as icons, and by some times."""
    gap = 3.0
    # What becomes of three kinds takes more words: the icons then make room for them.
    across = 25 if sheet.parts["others"].lines else 20
    wide = (width - (across - 1) * gap) / across
    name = fit(sheet.event, width=width, size=HEAD, most=most.event, bold=True)
    said = fit(sheet.sentence, width=width, size=LEAD, most=most.sentence)
    told = fit(sheet.interval, width=width, size=BODY, most=most.interval)
    y = page.lines(name, EDGE, y, size=HEAD, bold=True)
    size = shrunk(sheet.hero, width=width, size=HERO, bold=True)
    page.write(sheet.hero, EDGE, y + 2 + (HERO - size) / 2, size=size, bold=True)
    y = page.lines(said, EDGE, y + 2 + 1.24 * HERO, size=LEAD) + 3
    for others in sheet.parts["others"].lines:
        y = page.lines(fit(others, width=width, size=SMALL, most=most.others), EDGE, y, size=SMALL) + 2
    y = page.lines(told, EDGE, y, size=BODY, colour=MUTED) + 7
    y = icons(page, sheet.counts, EDGE, y, across=across, size=(wide, 1.3 * wide), gap=gap) + 5
    y = keys(page, sheet.counts, EDGE, y, width, size=BODY, most=most.key) + 1
    return page.lines(_times(sheet, width, most), EDGE, y, size=SMALL, colour=MUTED)


def _times(sheet: Sheet, width: float, most: Most) -> list[str]:
    """The risk by as many times as there is room for: none is cut."""
    laid = (fit(said, width=width, size=SMALL, most=most.times + 1) for said in sheet.parts["times"].lines)
    return next((lines for lines in laid if len(lines) <= most.times), [])


# ------------------------------------------------------------------ why, and how sure


def _why_and_sure(
    page: Page, sheet: Sheet, drawn: Drawn, y: float, width: float, *, room: float, compared: int
) -> float:
    page.rule(EDGE, y, width)
    y, room = y + 10, room - 18
    left = LEFT * (width - GUTTER)
    x, right, foot = EDGE + left + GUTTER, width - GUTTER - left, y + room
    similar = _similar_needs(sheet, left), _similar_needs(sheet, right)
    near, beside = _why(page, sheet, y, left, foot, compared), _sure(page, sheet, x, y, right, foot)
    if beside + similar[1] > foot and near + similar[0] <= foot:
        near = _similar(page, sheet, EDGE, near, left, foot)
    else:
        beside = _similar(page, sheet, x, beside, right, foot)
    figure = next((each for each in drawn.reasons if foot - near > height_of(each) + 6), None)
    if figure is not None:
        page.figure(figure, Box(EDGE, near + 6, left, height_of(figure)))
        near += height_of(figure) + 6
    return max(near, beside) + 8


def _why(page: Page, sheet: Sheet, y: float, width: float, foot: float, compared: int) -> float:
    why, own = sheet.parts["why"], sheet.parts["estimate"]
    y = page.lines(fit(why.heading, width=width, size=HEAD, most=2, bold=True), EDGE, y, size=HEAD, bold=True)
    for said in sheet.parts["compared"].lines:
        y = page.lines(fit(said, width=width, size=SMALL, most=compared), EDGE, y + 1, size=SMALL, colour=MUTED) + 3
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


def _decision(page: Page, y: float, width: float, foot: float) -> None:
    """The box takes what room is left."""
    y += 10
    page.frame(EDGE, y, width, foot - SIGNED - y)
    page.write("Decision of the meeting", EDGE + 10, y + 8, size=HEAD, bold=True)
    base, names = foot - 8, 2 * width / 3
    page.write("Names", EDGE, base - 13, size=SMALL, colour=MUTED)
    page.rule(EDGE + 48, base, names - 62, colour=MUTED, thick=0.6)
    page.write("Date", EDGE + names, base - 13, size=SMALL, colour=MUTED)
    page.rule(EDGE + names + 36, base, width - names - 36, colour=MUTED, thick=0.6)
