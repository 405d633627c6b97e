"""Row numbers in words: never a value, at most ten of them."""

from __future__ import annotations

import numpy as np

NAMED = 10


def say_rows(mask: np.ndarray) -> str:
    """Where ``mask`` is True, as text: ``"rows 3, 7 and 2 more"``.

    Rows are counted from 1, the header not included.

    Parameters
    ----------
    mask : array of bool, shape (n_rows,)
        The rows to name.

    Returns
    -------
    str
        At most ten row numbers, then how many more there are.
    """
    found = np.flatnonzero(mask) + 1
    shown = ", ".join(str(row) for row in found[:NAMED])
    more = len(found) - NAMED
    word = "row" if len(found) == 1 else "rows"
    return f"{word} {shown}" + (f" and {more} more" if more > 0 else "")
