"""A report as a file: pages of PDF, or one HTML page that needs nothing else."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import matplotlib as mpl
import plotly.graph_objects as go
from markupsafe import Markup
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bedside.report.card import Card, Grid
from bedside.report.ending import HEADING, ending, line_of
from components.printing.paper import Box, blank, draw, height_of, place
from components.printing.tables import Row, numeric, set_table
from components.printing.words import FONT, PIXEL, drawable, wrap
from components.text import cell

# Text stays text: it can be searched, copied and read aloud. Set once, since these settings belong to the process.
mpl.rcParams["pdf.fonttype"] = 42
mpl.rcParams["svg.fonttype"] = "none"
mpl.rcParams["svg.hashsalt"] = "bedside"

PAGE = (794.0, 1123.0)
EDGE = 57.0
WIDTH = PAGE[0] - 2 * EDGE
INK, MUTED, LINE, FAINT = "#17212B", "#55626E", "#D8D5CD", "#ECEAE4"
CAUTION = "#8F5A00"


@dataclass(frozen=True)
class Report:
    """What is printed: a title, the reader's name for it, the cards, and when; a line below the title of its own."""

    title: str
    cards: tuple[Card, ...]
    made: datetime
    line: str = ""


@dataclass
class _Pages:
    """Pages being filled from top to bottom."""

    out: PdfPages
    sheet: Figure = field(default_factory=lambda: blank(*PAGE))
    y: float = EDGE
    height: float = PAGE[1]
    used: bool = False
    number: int = 1

    def room(self, needed: float) -> None:
        """Turn the page if a piece does not fit; one that fits on no page gets a longer page."""
        if self.full(needed):
            self.turn()
        if self.y + needed > self.height - EDGE:
            self.height = self.y + needed + EDGE
            self.sheet.set_size_inches(PAGE[0] / self.sheet.dpi, self.height / self.sheet.dpi)

    def full(self, needed: float) -> bool:
        """True if a piece needs a page of its own, or at least the next one."""
        return self.used and self.y + needed > self.height - EDGE

    def turn(self) -> None:
        """Write the page away."""
        self.write(str(self.number), size=10, colour=MUTED, at=self.height - EDGE / 2)
        self.out.savefig(self.sheet)
        self.sheet, self.y, self.height, self.used = blank(*PAGE), EDGE, PAGE[1], False
        self.number += 1

    def write(self, text: str, *, size: float, colour: str = INK, bold: bool = False, at: float | None = None,
              left: float = 0.0) -> None:  # fmt: skip
        """One line of text."""
        self.sheet.text(
            (EDGE + left) / PAGE[0], 1 - (self.y if at is None else at) / self.height, drawable(text),
            fontsize=size * PIXEL, color=colour, fontweight="bold" if bold else "normal", va="top", ha="left",
            parse_math=False, fontfamily=FONT,
        )  # fmt: skip
        self.used = True

    def paragraph(self, text: str, *, size: float, colour: str = INK, bold: bool = False, after: float = 4.0) -> None:
        """Lines of text, over pages if need be."""
        for line in wrap(text, width=WIDTH, size=size, bold=bold) if text else ():
            self.room(size * 1.4)
            self.write(line, size=size, colour=colour, bold=bold)
            self.y += size * 1.4
        self.y += after if text else 0

    def rule(self, *, after: float = 8.0, faint: bool = False) -> None:
        """A thin line."""
        y = 1 - self.y / self.height
        span = (EDGE / PAGE[0], 1 - EDGE / PAGE[0])
        look = {"color": FAINT if faint else LINE, "linewidth": 0.5 if faint else 0.75}
        self.sheet.add_artist(Line2D(span, (y, y), transform=self.sheet.transFigure, **look))
        self.y += after


def pdf(report: Report) -> bytes:
    """The report as PDF, A4, a longer page only for a figure that no page holds."""
    out = io.BytesIO()
    about = {"Title": drawable(report.title), "Creator": "Bedside", "Producer": "Bedside", "CreationDate": report.made}
    with PdfPages(out, metadata=about) as file:
        pages = _Pages(file)
        pages.paragraph(report.title, size=22, bold=True)
        pages.paragraph(_line(report), size=11, colour=MUTED, after=14)
        for card in report.cards:
            _card(pages, card)
        _end(pages, report.cards)
        pages.turn()
    return out.getvalue()


def _line(report: Report) -> str:
    if report.line:
        return report.line
    n = len(report.cards)
    return f"{n} {'card' if n == 1 else 'cards'}, {report.made:%d %B %Y, %H:%M}. Made with Bedside; no medical device."


def _card(pages: _Pages, card: Card) -> None:
    figure = _figure(card)
    head, tail = _heights(card)
    drawn = height_of(figure) if figure is not None else 0.0
    laid = set_table(card.table, WIDTH) if card.table is not None else ()
    table = sum(part.height + 2 * len(part.rows) + 14 for part in laid)
    start = max(drawn, min(table, 120.0))
    whole = head + drawn + table + tail
    # A card stays together where a page can hold it; else its head at least stays with what it heads. Below the
    # report's own title the small print may go over to the next page: no report begins with an empty one.
    together = whole <= PAGE[1] - 2 * EDGE and pages.number > 1
    pages.room(whole if together else head + start)
    pages.rule()
    pages.paragraph(card.title, size=16, bold=True, after=2)
    pages.paragraph(card.aside, size=11, colour=MUTED, after=8)
    pages.paragraph(card.comment, size=12, after=8)
    for text in card.cautions:
        pages.paragraph(text, size=11, colour=CAUTION, after=3)
    pages.paragraph(card.reading, size=12, after=8)
    if figure is not None:
        height = height_of(figure)
        pages.room(height)
        place(figure, pages.sheet, Box(EDGE, pages.y, WIDTH, height))
        pages.y += height + 6
        pages.used = True
    if card.table is not None:
        _table(pages, card.table)
    pages.paragraph(_small(card), size=10, colour=MUTED)
    pages.y += 16


def _small(card: Card) -> str:
    """The line below a card: patients, events and method, then cohort, outcome and filter."""
    return " ".join(text for text in (card.note, line_of(card)) if text)


def _end(pages: _Pages, cards: Sequence[Card]) -> None:
    """How all of it was made, each said once."""
    parts = ending(cards)
    if not parts:
        return
    pages.room(80)
    pages.rule()
    pages.paragraph(HEADING, size=16, bold=True, after=6)
    for name, text in parts:
        pages.room(40)
        pages.paragraph(name, size=10, bold=True, after=2)
        pages.paragraph(text, size=10, colour=MUTED, after=8)


def _heights(card: Card) -> tuple[float, float]:
    """Room that a card's words need above its picture, and below."""

    def of(text: str, size: float, after: float, *, bold: bool = False) -> float:
        return size * 1.4 * len(wrap(text, width=WIDTH, size=size, bold=bold)) + after if text else 0.0

    above = 8 + of(card.title, 16, 2, bold=True) + of(card.aside, 11, 8) + of(card.comment, 12, 8)
    above += sum(of(text, 11, 3) for text in card.cautions) + of(card.reading, 12, 8)
    return above, 6 + of(_small(card), 10, 4)


def _figure(card: Card) -> go.Figure | None:
    return None if card.picture is None else go.Figure(card.picture)


def _table(pages: _Pages, table: Grid) -> None:
    for laid in set_table(table, WIDTH):
        pages.room(laid.header.height + 40)
        _row(pages, laid.header, laid.size, bold=True)
        for row in laid.rows:
            if pages.full(row.height):
                pages.turn()
                _row(pages, laid.header, laid.size, bold=True)
            _row(pages, row, laid.size, bold=False)
        pages.y += 10


def _row(pages: _Pages, row: Row, size: float, *, bold: bool) -> None:
    pages.room(row.height)
    for line in row.lines:
        pages.write(line.text, size=size, bold=bold, left=line.left, at=pages.y + line.top)
    pages.y += row.height
    pages.rule(after=4 if bold else 2, faint=not bold)


STYLE = Markup(
    "body{font:15px/1.5 Inter,system-ui,sans-serif;color:#17212B;background:#fff;max-width:46rem;margin:2rem auto;"
    "padding:0 1rem}h1{font-size:1.6rem;margin:0}h2{font-size:1.15rem;margin:0}section{border-top:1px solid #D8D5CD;"
    "padding:1.2rem 0;break-inside:avoid}p{margin:.3rem 0}.a{color:#8F5A00}.q{color:#55626E;font-size:.82rem}"
    "h3{font-size:.82rem;margin:.6rem 0 0}svg{max-width:100%;height:auto}"
    "table{border-collapse:collapse;font-size:.85rem}td,th{text-align:left;padding:.2rem .8rem .2rem 0;"
    "border-bottom:1px solid #ECEAE4;vertical-align:top}.n{text-align:right}.w{overflow-x:auto}.c{white-space:pre-wrap}"
    "@media print{body{max-width:none;margin:0}.w{overflow:visible}}"
)
POLICY = Markup("default-src 'none'; style-src 'unsafe-inline'")


def html(report: Report) -> bytes:
    """The report as one HTML page: pictures inside, no script, nothing fetched."""
    body = Markup("").join(_section(card) for card in report.cards) + _html_end(report.cards)
    text = Markup(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="{policy}"><style>{style}</style></head>'
        '<body><header><h1>{title}</h1><p class="q">{line}</p></header><main>{body}</main></body></html>'
    ).format(title=cell(report.title), policy=POLICY, style=STYLE, line=_line(report), body=body)
    return str(text).encode("utf-8")


def _section(card: Card) -> Markup:
    parts = [Markup("<h2>{}</h2>").format(cell(card.title))]
    parts += [Markup('<p class="q">{}</p>').format(cell(card.aside))] if card.aside else []
    parts += [Markup('<p class="c">{}</p>').format(_lines(card.comment))] if card.comment else []
    parts += [Markup('<p class="a">{}</p>').format(cell(text)) for text in card.cautions]
    parts += [Markup("<p>{}</p>").format(cell(card.reading))] if card.reading else []
    figure = _figure(card)
    if figure is not None:
        parts.append(Markup('<figure role="img" aria-label="{}" style="margin:.5rem 0">{}</figure>').format(
            cell(card.said), svg(figure)))  # fmt: skip
    if card.table is not None:
        parts.append(_html_table(card.table))
    parts.append(Markup('<p class="q">{}</p>').format(cell(_small(card))))
    return Markup("<section>{}</section>").format(Markup("").join(parts))


def _html_end(cards: Sequence[Card]) -> Markup:
    parts = [
        Markup('<h3>{}</h3><p class="q c">{}</p>').format(cell(name), _lines(text)) for name, text in ending(cards)
    ]
    if not parts:
        return Markup("")
    return Markup("<section><h2>{}</h2>{}</section>").format(HEADING, Markup("").join(parts))


def _lines(text: str) -> str:
    """A reader's own words: line ends stay, what hides or reorders is made visible."""
    return "\n".join(map(cell, text.splitlines()))


def svg(figure: Any) -> Markup:
    """A figure as an SVG element; what it says is text, escaped by the renderer."""
    out = io.StringIO()
    draw(figure).savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = out.getvalue()
    # What stands before the element belongs to a file of its own, not into a page.
    return Markup(text[text.index("<svg") :])


def _html_table(table: Grid) -> Markup:
    right = numeric(table)

    def row(cells: Sequence[str], tag: str) -> Markup:
        each = (
            Markup("<{tag}{flush}>{text}</{tag}>").format(
                tag=Markup(tag), flush=Markup(' class="n"') if flush else "", text=cell(told)
            )
            for told, flush in zip(cells, right, strict=True)
        )
        return Markup("<tr>{}</tr>").format(Markup("").join(each))

    body = Markup("").join(row(cells, "td") for cells in table.rows)
    return Markup('<div class="w"><table><thead>{}</thead><tbody>{}</tbody></table></div>').format(
        row(table.header, "th"), body
    )
