"""The last part of a report: how its cards were made, and from which data, each said once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bedside.report.card import Card

HEADING = "Methods and sources"
SOURCE = " Source: "


def line_of(card: Card) -> str:
    """Cohort, outcome and filter of one card; the rest of its stamp stands at the end of the report."""
    return card.stamp[0] if card.stamp else ""


def ending(cards: Sequence[Card]) -> tuple[tuple[str, str], ...]:
    """Paragraphs under their headings: the methods of each card, the state of the data, and where they come from.

    Cards made in the same way share a paragraph. A citation stands among the sources and not in every paragraph.

    Parameters
    ----------
    cards : sequence of Card

    Returns
    -------
    tuple of (heading, text)
    """
    lines = [line for card in cards for line in card.stamp[1:]]
    sources = _once(line.partition(SOURCE)[2] for line in lines)
    made: dict[str, list[str]] = {}
    for card in cards:
        if card.methods:
            made.setdefault(_without(card.methods, sources), []).append(card.title)
    parts = [("; ".join(_once(titles)), text) for text, titles in made.items()]
    data = _once(line.partition(SOURCE)[0] for line in lines)
    parts += [("Data", " ".join(data))] if data else []
    parts += [("Sources" if len(sources) > 1 else "Source", "\n".join(sources))] if sources else []
    return tuple(parts)


def _once(texts: Iterable[str]) -> list[str]:
    return [text for text in dict.fromkeys(text.strip() for text in texts) if text]


def _without(text: str, sources: Sequence[str]) -> str:
    """A paragraph without the citations in brackets."""
    for source in sources:
        text = text.replace(f" ({source.rstrip('.')})", "")
    return text
