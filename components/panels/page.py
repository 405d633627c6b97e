"""The frame around every page, and text placed in our own small pieces of HTML.

All HTML is written here and in the other panels as literal templates; whatever
comes from data passes through `markupsafe`, which escapes it, and Streamlit
sanitises the result once more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import streamlit as st
from markupsafe import Markup
from streamlit.delta_generator import DeltaGenerator

from components import page_words
from components.figures.palette import Mode, palette
from components.text import cell

STYLE = Path(__file__).parents[1] / "style" / "bedside.css"

INTENDED_USE = (
    "Decision support and education for clinicians. Not a medical device, not for time-critical use. "
    "Data stays on this machine."
)

# On paper the dark appearance is turned inside out, lightness and not hue, so that a sheet is dark on white.
PRINTED_DARK = '@media print{[data-testid="stApp"]{filter:invert(1) hue-rotate(180deg)}}'


def put(template: str, **values: object) -> None:
    """Show a piece of our own HTML; every value is escaped unless it is `Markup` already."""
    st.html(Markup('<div class="bs">{}</div>').format(fill(template, **values)))


def fill(template: str, **values: object) -> Markup:
    """A literal template with escaped values in it, without characters that hide or reorder others."""
    safe = {name: value if isinstance(value, Markup | int | float) else cell(value) for name, value in values.items()}
    return Markup(template).format(**safe)


def join(parts: Iterable[Markup]) -> Markup:
    """Pieces of our own HTML one after another."""
    return Markup("").join(parts)


def style(mode: Mode) -> None:
    """The stylesheet, with the palette's colours for this appearance; a sheet of paper is always light."""
    rules = f":root{{{_variables(mode)}}}"
    if mode == "dark":
        # Figures are drawn for a dark ground; on paper they are turned over, keeping their hues.
        turned = ".js-plotly-plot .main-svg{filter:invert(1) hue-rotate(180deg)}"
        rules += f"@media print{{:root{{{_variables('light')}}}{turned}}}"
    st.html(f"<style>{rules}</style>")
    st.html(STYLE)


def _variables(mode: Mode) -> str:
    p = palette(mode)
    colours = {
        "ink": p.ink, "muted": p.muted, "card": p.card, "line": p.line, "grid": p.grid, "accent": p.accent,
        "event": p.event, "free": p.event_free, "caution": p.caution, "chip": p.grid,
        "on-accent": "#11171D" if mode == "dark" else "#FFFFFF",
    }  # fmt: skip
    return ";".join(f"--bs-{name}:{colour}" for name, colour in colours.items())


def split(key: str, *widths: float) -> list[DeltaGenerator]:
    """Columns that stack on a narrow screen (the stylesheet knows them by their key)."""
    with st.container(key=f"split_{key}"):
        return st.columns(widths, gap="small")


def warn(text: str) -> None:
    """A caution in the house's own colour. It holds for the whole page, so it goes with all that is taken from it."""
    page_words.now().cautions.append(text)
    caution(text)


def caution(text: str) -> None:
    """A caution of one card; a figure or table of the card takes it along by its own `cautions`."""
    put('<p class="bs-caution">{t}</p>', t=text)


def remark(text: str) -> None:
    """A quiet line that holds for the whole page: on a card of the report it stands with the figure's own note."""
    page_words.now().remarks.append(text)
    caption(text)


def lead(text: Markup, *, of: str) -> None:
    """The page's answer in words; it goes with the figure of this key into a report."""
    page_words.now().readings[of] = text.striptags()
    put('<p class="bs-lead">{text}</p>', text=text)


def title(text: str, aside: str = "", *, by: str = "") -> None:
    """The page's one heading, with a quiet line beside it; `by` tells a report how patients are grouped."""
    page_words.now().by = by
    put('<div class="bs-title"><h1>{text}</h1><span class="bs-muted">{aside}</span></div>', text=text, aside=aside)


def heading(text: str, aside: str = "", *, place: str = "") -> None:
    """A section's heading inside a page; with a place, a link of the same page can lead to it."""
    put(
        '<div class="bs-title"{place}><h2 style="font-size:1.05rem;font-weight:650;margin:0;padding:0">{text}</h2>'
        '<span class="bs-muted">{aside}</span></div>',
        text=text,
        aside=aside,
        place=fill(' id="{place}"', place=place) if place else Markup(""),
    )


def caption(text: str) -> None:
    """A quiet line: what stands under a figure."""
    put('<p class="bs-muted">{text}</p>', text=text)


def strip(facts: Sequence[tuple[str, str]], *, large: bool = False) -> None:
    """Facts side by side: each a value and what it is."""
    cells = join(fill("<div><b>{value}</b><span>{what}</span></div>", value=v, what=w) for v, w in facts)
    put('<div class="bs-strip{large}">{cells}</div>', large=" bs-large" if large else "", cells=cells)


def table(header: Sequence[str], rows: Sequence[Sequence[object]], *, label: str, numeric_from: int = 1) -> None:
    """A small table of results as real HTML, so that it prints and a screen reader can walk it.

    Columns from `numeric_from` on are set flush right.
    """

    def kind(i: int) -> str:
        return "bs-num" if i >= numeric_from else ""

    head = join(fill('<th scope="col" class="{k}">{t}</th>', k=kind(i), t=t) for i, t in enumerate(header))
    body = join(
        fill(
            "<tr>{cells}</tr>", cells=join(fill('<td class="{k}">{t}</td>', k=kind(i), t=t) for i, t in enumerate(row))
        )
        for row in rows
    )
    put(
        '<div class="bs-scroll" tabindex="0" role="region" aria-label="{label}"><table class="bs-table">'
        "<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>",
        label=label,
        head=head,
        body=body,
    )


def footer() -> None:
    """The intended use, in the sidebar and on every printed sheet."""
    put('<p class="bs-foot">{text}</p>', text=INTENDED_USE)
