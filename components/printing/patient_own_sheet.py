"""The sheet of paper that a patient takes home: one number, icons, plain words, and room for notes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bedside.report.patient_sheet import Said, Sheet
from components.printing.booklet import INK, MUTED
from components.printing.patient_file import one_page
from components.printing.patient_icons import icons, keys, keys_height
from components.printing.patient_page import LEADING, Page, Paper, fit, fit_some, shrunk

EDGE = 54.0
GUTTER = 30.0
BODY, HEAD, HERO = 17.4, 18.5, 50.0
"""No letter is smaller than 13 pt."""
NOTES = 3
"""Ruled lines for notes, at least."""
NOTE = 29.0


def own_pdf(sheet: Sheet, *, made: datetime, paper: Paper = "A4") -> bytes:
    """The sheet as one page of PDF.

    Parameters
    ----------
    sheet : Sheet
    made : datetime
        For the file's own date.
    paper : {"A4", "Letter"}
    """
    return one_page(own_page(sheet, paper=paper).sheet, title=sheet.title, made=made)


def own_page(sheet: Sheet, *, paper: Paper = "A4") -> Page:
    """The sheet, drawn."""
    page = Page(paper)
    width = page.width - 2 * EDGE
    y = _top(page, sheet, width)
    y = _answer(page, sheet, y, width)
    end = [fit(text, width=width, size=BODY, most=1) for text in sheet.end]
    foot = page.height - EDGE + 14 - BODY * LEADING * len(end)
    y = _parts(page, sheet, y, width, foot - HEAD * LEADING - NOTES * NOTE - 14)
    _notes(page, y, width, foot - 12)
    for lines in end:
        foot = page.lines(lines, EDGE, foot, size=BODY, colour=MUTED)
    return page


def _top(page: Page, sheet: Sheet, width: float) -> float:
    y = EDGE - 8
    page.write(sheet.title, EDGE, y, size=26, bold=True)
    page.write(sheet.made, EDGE + width, y + 8, size=BODY, colour=MUTED, right=True)
    y += 37
    if sheet.identity:
        y = page.lines(fit(sheet.identity, width=width, size=HEAD, most=1, bold=True), EDGE, y, size=HEAD, bold=True)
    y = page.lines(fit(sheet.about, width=width, size=BODY, most=1), EDGE, y, size=BODY, colour=MUTED)
    page.rule(EDGE, y + 6, width)
    return y + 20


def _answer(page: Page, sheet: Sheet, y: float, width: float) -> float:
    """The number in words on the left, as icons on the right."""
    side, gap = 14.5, 4.5
    block = 10 * (side + gap)
    left = width - GUTTER - block
    right = icons(page, sheet.counts, EDGE + left + GUTTER, y + 5, across=10, size=(side, side), gap=gap)
    size = shrunk(sheet.hero, width=left, size=HERO, bold=True)
    page.write(sheet.hero, EDGE, y + (HERO - size) / 2, size=size, bold=True)
    y = page.lines(fit(sheet.sentence, width=left, size=20, most=5), EDGE, y + 1.22 * HERO, size=20) + 5
    y = page.lines(fit(sheet.interval, width=left, size=BODY, most=3), EDGE, y, size=BODY) + 9
    most = 2 if keys_height(sheet.counts, left, size=BODY, most=2) < 5 * BODY * LEADING else 1
    return max(keys(page, sheet.counts, EDGE, y, left, size=BODY, most=most, square=True), right) + 2


def _parts(page: Page, sheet: Sheet, y: float, width: float, foot: float) -> float:
    """What there is room for, the least important left out first; never a heading alone."""
    wanted = ("means", "not", "unknown", "ask", "weighs")
    order = ("means", "not", "unknown", "weighs", "ask")
    room, kept = foot - y, {}
    for name in wanted:
        part = sheet.parts[name]
        most = int((room - HEAD * LEADING - 10) / (BODY * LEADING))
        laid = _laid(part.lines, width, most) if part.lines and most > 0 else []
        if laid:
            kept[name] = laid
            room -= HEAD * LEADING + 10 + sum(map(len, laid)) * BODY * LEADING
    for name in order:
        if name in kept:
            y = page.lines([sheet.parts[name].heading], EDGE, y + 7, size=HEAD, bold=True) + 1
            y = _block(page, kept[name], y, width, bullets=len(sheet.parts[name].lines) > 1)
    return y


def _laid(lines: Sequence[Said], width: float, most: int) -> list[list[str]]:
    inset = 16 if len(lines) > 1 else 0
    return fit_some(lines, width=width - inset, size=BODY, most=most, each=4, least=1)


def _block(page: Page, laid: Sequence[Sequence[str]], y: float, width: float, *, bullets: bool) -> float:
    for lines in laid:
        if bullets:
            page.write("•", EDGE, y, size=BODY)
        y = page.lines(lines, EDGE + 16 * bullets, y, size=BODY, colour=INK)
    return y + 2


def _notes(page: Page, y: float, width: float, foot: float) -> None:
    """Ruled lines as far as the sheet goes."""
    y = page.lines(["Notes"], EDGE, y + 7, size=HEAD, bold=True) + NOTE - 6
    while y <= foot:
        page.rule(EDGE, y, width, colour=MUTED, thick=0.5)
        y += NOTE
