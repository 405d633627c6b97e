"""What of a step curve needs drawing: a few hundred points that look like all of them."""

from __future__ import annotations

import numpy as np

from bedside.survival import Curve

LIMIT = 400
LIMIT_OF_MANY = 260
"""Rows of each curve where three or more are drawn: a browser's time goes with the rows of all."""


def drawn_rows(curve: Curve, until: float, *, limit: int = LIMIT) -> np.ndarray:
    """Rows of a curve that draw it from 0 to `until`, at most about `limit` of them.

    Only rows with an event change the curve or its band, so the others are
    left out at no loss. If more than `limit` remain, one row is kept for each
    of `limit` / 2 equal steps of time and of survival: each kept point is
    exact, and between them the drawing is off by about a pixel (by about the
    width of a line with the limit that three or more curves have).

    Parameters
    ----------
    curve : Curve
        Any number of steps.
    until : float
        End of the time axis, in the curve's unit.
    limit : int
        Most rows to keep.

    Returns
    -------
    int array
        Row numbers, ascending, the first always 0.
    """
    rows = np.flatnonzero(curve.events[: np.searchsorted(curve.time, until, side="right")])
    if len(rows) > limit:
        half = limit // 2
        by_time = np.searchsorted(curve.time[rows], np.linspace(0, until, half), side="right") - 1
        # Survival falls and the other views rise: either way the distance from the start grows.
        moved = np.abs(curve.survival[rows] - curve.survival[0])
        by_level = np.searchsorted(moved, np.linspace(moved[0], moved[-1], half), side="left")
        rows = rows[np.unique(np.clip(np.concatenate((by_time, by_level)), 0, len(rows) - 1))]
    return np.unique(np.concatenate(([0], rows)))


def staircase(x: np.ndarray, y: np.ndarray, end: float) -> tuple[np.ndarray, np.ndarray]:
    """Corners of right-continuous steps, the last one carried on to `end`."""
    return np.append(np.repeat(x, 2)[1:], end), np.repeat(y, 2)


def band_outline(curve: Curve, rows: np.ndarray, end: float, *, start: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Closed outline of the band along some rows, from `start` on; NaN stands between pieces where it has gaps."""
    time = np.maximum(curve.time, start)
    known = ~(np.isnan(curve.lower[rows]) | np.isnan(curve.upper[rows]))
    edges = np.flatnonzero(np.diff(np.concatenate(([False], known, [False])).astype(int)))
    pieces = []
    for first, stop in edges.reshape(-1, 2):
        piece = rows[first:stop]
        close = time[rows[stop]] if stop < len(rows) else end
        x, upper = staircase(time[piece], curve.upper[piece], close)
        _, lower = staircase(time[piece], curve.lower[piece], close)
        pieces += [
            np.array([np.concatenate((x, x[::-1])), np.concatenate((upper, lower[::-1]))]),
            np.full((2, 1), np.nan),
        ]
    outline = np.concatenate(pieces[:-1], axis=1) if pieces else np.empty((2, 0))
    return outline[0], outline[1]


def censor_marks(curve: Curve, until: float, *, limit: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Places where somebody was censored, at most one for each of `limit` equal steps of time."""
    rows = np.flatnonzero(curve.censored[: np.searchsorted(curve.time, until, side="right")])
    if until > 0 and len(rows) > limit:
        rows = rows[np.unique((curve.time[rows] / until * limit).astype(int), return_index=True)[1]]
    return curve.time[rows], curve.survival[rows]


def spread(wanted: np.ndarray, *, gap: float, top: float) -> np.ndarray:
    """Heights of labels, moved apart to at least `gap` and kept between 0 and `top`.

    Parameters
    ----------
    wanted : array, shape (n_labels,)
        Where each label would like to be.
    gap, top : float
        Smallest distance of two labels, and the room there is; the labels must fit.

    Returns
    -------
    array, shape (n_labels,)
        Heights in the order given.
    """
    order = np.argsort(wanted, kind="stable")
    step = gap * np.arange(len(order))
    # Without their distances the labels must only rise: least-squares, by pooling neighbours that fall.
    pools: list[tuple[float, int]] = []
    for height in (wanted[order] - step).tolist():
        mean, size = height, 1
        while pools and pools[-1][0] > mean:
            other, count = pools.pop()
            mean, size = (mean * size + other * count) / (size + count), size + count
        pools.append((mean, size))
    rising = np.repeat([mean for mean, _ in pools], [size for _, size in pools])
    out = np.empty(len(order))
    out[order] = np.clip(rising, 0, top - step[-1:].sum()) + step
    return out


def short(text: str, limit: int = 24) -> str:
    """A name of at most `limit` characters; the middle goes, since names of groups often differ at their ends."""
    line = " ".join(text.split())
    if len(line) <= limit:
        return line
    tail = limit // 3
    return line[: limit - tail - 1].rstrip() + "…" + line[-tail:].lstrip()
