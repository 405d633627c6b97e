"""Codes compared as text: 1, 1.0 and "1" are one code, "01" is another."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"([+-]?)(0|[1-9]\d*)(?:\.(\d*))?")


def normal_code(value: object) -> str:
    """The one spelling of a code.

    Numbers lose a trailing ``.0``, truth values are lower case, the rest is
    text without blanks around it. A leading zero is kept: ``"01"`` may be a
    code of its own.

    Parameters
    ----------
    value : object
        A code as it stands in a dictionary or in the data.

    Returns
    -------
    str
        The code as text.
    """
    text = str(value).strip()
    if text.lower() in ("true", "false"):
        return text.lower()
    number = _NUMBER.fullmatch(text)
    if number is None:
        return text
    sign, whole, fraction = number.groups()
    fraction = (fraction or "").rstrip("0")
    sign = "-" if sign == "-" and (whole != "0" or fraction) else ""
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"
