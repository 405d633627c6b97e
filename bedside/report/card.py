"""A finding as it is taken along: picture or table, what it rests on, and the reader's own words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bedside.errors import Fixable

MOST = 60
"""Cards that a report can hold."""

LONGEST = 4000
"""Letters of a reader's own words on a card."""


@dataclass(frozen=True, eq=False)
class Grid:
    """A table as text: a header, and rows of as many cells."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, eq=False)
class Card:
    """One finding.

    Attributes
    ----------
    key : str
        Tells this card from the others of a report.
    title, aside : str
        The finding's subject, and a quiet line beside it.
    picture : mapping or None
        A figure's own description, in colours for white paper.
    table : Grid or None
        A table, instead of the picture or below it.
    said : str
        The finding in words: what the picture shows, for who cannot see it.
    note : str
        Patients, events and method.
    stamp : tuple of str
        Cohort, filter, fingerprint, versions: where the numbers came from.
    methods : str
        A paragraph for a paper; empty where the note says it all.
    comment : str
        The reader's own words.
    cautions : tuple of str
        What must be known before it is read: first of all, in the report as on its page.
    reading : str
        What it says, in a sentence.
    cohort : str
        The cohort's short title.
    """

    key: str
    title: str
    aside: str
    picture: Mapping[str, Any] | None
    table: Grid | None
    said: str
    note: str
    stamp: tuple[str, ...]
    methods: str = ""
    comment: str = ""
    cautions: tuple[str, ...] = ()
    reading: str = ""
    cohort: str = ""


@dataclass(frozen=True, eq=False)
class Basket:
    """Cards in the order in which they will be read. Every change gives a new basket."""

    cards: tuple[Card, ...] = ()

    def __len__(self) -> int:
        return len(self.cards)

    def with_card(self, card: Card) -> Basket:
        """One more at the end; a card of the same key is replaced where it stands, its comment kept.

        Raises
        ------
        Fixable
            If the report is full.
        """
        for i, old in enumerate(self.cards):
            if old.key == card.key:
                kept = replace(card, comment=card.comment or old.comment)
                return Basket((*self.cards[:i], kept, *self.cards[i + 1 :]))
        if len(self.cards) >= MOST:
            raise Fixable(
                "The report is full.",
                f"It holds {MOST} cards.",
                "Export it, or take a card out on the Report page.",
            )
        return Basket((*self.cards, card))

    def without(self, key: str) -> Basket:
        """All but one."""
        return Basket(tuple(card for card in self.cards if card.key != key))

    def moved(self, key: str, by: int) -> Basket:
        """One card further up (negative) or down, as far as the ends."""
        order = list(self.cards)
        at = next((i for i, card in enumerate(order) if card.key == key), None)
        if at is None:
            return self
        card = order.pop(at)
        order.insert(min(max(at + by, 0), len(order)), card)
        return Basket(tuple(order))

    def annotated(self, key: str, comment: str) -> Basket:
        """The reader's own words on one card."""
        text = comment[:LONGEST]
        return Basket(tuple(replace(card, comment=text) if card.key == key else card for card in self.cards))


def grid(header: Sequence[object], rows: Sequence[Sequence[object]]) -> Grid:
    """A table of anything that can be said as text; None is an empty cell."""
    return Grid(tuple(map(_text, header)), tuple(tuple(map(_text, row)) for row in rows))


def _text(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
