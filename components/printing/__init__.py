"""Figures and tables on paper: one renderer, no browser, no network."""

from __future__ import annotations

from components.printing.paper import draw

__all__ = ["draw"]
