"""A number as somebody typed it."""

from __future__ import annotations

import math
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
    # Raised, ringed and fraction signs would become digits: 5² is not 52.
    if any(sign.isnumeric() and unicodedata.decimal(sign, None) is None for sign in text or ""):
        raise Unreadable("This is not a number. Write it in digits, such as 1.5.")
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
    value = float(plain)
    if not math.isfinite(value):
        raise Unreadable("This is larger than a number can be. Write it in fewer digits.")
    return value + 0.0  # no minus before a zero
