"""Cohorts that the reader brought, and what was saved of them."""

from __future__ import annotations

from components.panels import page


def show() -> None:
    """The whole page."""
    page.title("Saved", "cohorts you brought, and what you saved of them")
