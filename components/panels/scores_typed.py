"""A number as somebody typed it."""

from __future__ import annotations

import re
import unicodedata

PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)")
DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+")
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?")
UNSURE = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")


class Unreadable(ValueError):
    """A text that is no number; the message says how to write it."""


def number(text: str | None) -> float | None:
    """A number as it is written on paper: ``"1.5"``, ``"1,5"``, ``"1 500"``; None if nothing was typed.

    Raises
    ------
    Unreadable
        If it is no number, or if a comma could be a decimal or a thousands mark.
    """
    plain = "".join(unicodedata.normalize("NFKC", text or "").split()).replace("−", "-")
    if not plain:
        return None
    if UNSURE.fullmatch(plain):
        raise Unreadable(f"Is this {plain.replace(',', '.')} or {plain.replace(',', '')}? Write it without the comma.")
    if THOUSANDS.fullmatch(plain):
        plain = plain.replace(",", "")
    elif DECIMAL_COMMA.fullmatch(plain):
        plain = plain.replace(",", ".")
    if not PLAIN.fullmatch(plain):
        raise Unreadable("This is not a number. Write it in digits, such as 1.5.")
    return float(plain)
