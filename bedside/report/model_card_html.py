"""A model card as one HTML page that needs nothing else: no script, nothing fetched, everything escaped."""

from __future__ import annotations

import json

from markupsafe import Markup, escape

from bedside.report.card import Grid
from bedside.report.model_card import ModelCard
from bedside.report.model_card_sections import Section, line_below, sections

POLICY = Markup("default-src 'none'; style-src 'unsafe-inline'")
STYLE = Markup(
    "body{font:15px/1.5 Inter,system-ui,sans-serif;color:#17212B;background:#fff;max-width:60rem;margin:2rem auto;"
    "padding:0 1rem}h1{font-size:1.6rem;margin:0}h2{font-size:1.1rem;margin:0 0 .3rem}section{border-top:1px solid "
    "#D8D5CD;padding:1rem 0}p{margin:.2rem 0}.q{color:#55626E;font-size:.85rem}.w{overflow-x:auto}"
    "table{border-collapse:collapse;font-size:.85rem}td,th{text-align:left;padding:.2rem .8rem .2rem 0;"
    "border-bottom:1px solid #ECEAE4;vertical-align:top;overflow-wrap:anywhere}"
)


def card_html(card: ModelCard) -> bytes:
    """The card as a page, UTF-8."""
    body = Markup("").join(_section(section) for section in sections(card))
    page = Markup(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="{policy}"><style>{style}</style></head>'
        '<body><header><h1>{title}</h1><p class="q">{line}</p></header><main>{body}</main></body></html>'
    ).format(title=shown(card.title), policy=POLICY, style=STYLE, line=shown(line_below(card)), body=body)
    return str(page).encode("utf-8")


def card_file(card: ModelCard) -> bytes:
    """The card as a JSON file."""
    return json.dumps(card.as_json(), indent=1, allow_nan=False).encode("ascii")


def shown(text: str) -> Markup:
    """Text on one line, escaped; what would hide or reorder its neighbours is shown as a mark that does not."""
    line = " ".join(text.split())
    return escape("".join(c if c.isprintable() else "\ufffd" for c in line))


def _section(section: Section) -> Markup:
    parts = [Markup("<h2>{}</h2>").format(shown(section.heading))]
    parts += [Markup("<p>{}</p>").format(shown(text)) for text in section.text]
    parts += [_table(section.table)] if section.table is not None else []
    return Markup("<section>{}</section>").format(Markup("").join(parts))


def _table(grid: Grid) -> Markup:
    head = Markup("").join(Markup('<th scope="col">{}</th>').format(shown(text)) for text in grid.header)
    rows = Markup("").join(
        Markup("<tr>{}</tr>").format(Markup("").join(Markup("<td>{}</td>").format(shown(text)) for text in row))
        for row in grid.rows
    )
    return Markup('<div class="w"><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>').format(head, rows)
