"""A model card on paper: the same sections as its page, as pages of PDF, made without a browser."""

from __future__ import annotations

from datetime import datetime

from bedside.report.card import Card
from bedside.report.model_card import ModelCard
from bedside.report.model_card_sections import Section, line_below, sections
from components.printing.booklet import Report, pdf
from components.text import cell


def card_pdf(card: ModelCard) -> bytes:
    """The card as PDF, A4."""
    cards = tuple(_card(str(i), section) for i, section in enumerate(sections(card)))
    made = datetime.fromisoformat(card.made.date)
    return pdf(Report(cell(card.title), cards, made, line=cell(line_below(card))))


def _card(key: str, section: Section) -> Card:
    return Card(
        key=key, title=cell(section.heading), aside="", picture=None, table=section.table, said="", note="", stamp=(),
        reading=" ".join(cell(text) for text in section.text),
    )  # fmt: skip
