"""One hundred patients like this one, as a hundred small bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from components.figures.palette import Mode, palette, plain, rgba, template

ACROSS, DOWN = 25, 4


@dataclass(frozen=True)
class Share:
    """One of the things that can happen, and to how large a share of patients.

    Attributes
    ----------
    label : str
        What happens, as in "have a recurrence or die".
    share : float
        0 to 1; the shares of one array add up to 1.
    """

    label: str
    share: float


def risk_shares(risk: float, *, event: str, free: str) -> tuple[Share, Share]:
    """The two shares of a single risk: `event` and `free` are the outcome's phrases."""
    return Share(event, risk), Share(free, 1.0 - risk)


def icon_counts(shares: Sequence[Share]) -> tuple[int, ...]:
    """Whole patients for each share, adding up to 100 (largest remainder; ties go to the first).

    With two shares the first is rounded as `bedside.report.say.of_100` does, so that the picture and the
    number beside it cannot disagree.
    """
    if len(shares) == 2:
        first = round(100 * shares[0].share)
        return first, ACROSS * DOWN - first
    exact = np.array([100 * s.share for s in shares])
    counts = np.floor(exact + 1e-9).astype(int)
    order = np.argsort(-(exact - counts), kind="stable")
    counts[order[: ACROSS * DOWN - counts.sum()]] += 1
    return tuple(int(c) for c in counts)


def icons_figure(shares: Sequence[Share], *, mode: Mode = "light", height: int = 132) -> go.Figure:
    """An icon array of 100 rounded bars, 25 across and 4 down, events first and event-free last.

    Parameters
    ----------
    shares : sequence of Share
        In drawing order; the last is the event-free share and is drawn hollow, so that colour is not the
        only sign.
    mode : {"light", "dark"}
    height : int
        Pixels.
    """
    p = palette(mode)
    counts = icon_counts(shares)
    fig = go.Figure(layout={"template": template(mode)})
    solid = [p.event, p.caution, p.accent, p.neutral]
    start = 0
    for i, (share, count) in enumerate(zip(shares, counts, strict=True)):
        place = np.arange(start, start + count)
        start += count
        free = i == len(shares) - 1
        fig.add_bar(
            x=place % ACROSS, y=np.full(count, 0.8), base=DOWN - 1 - place // ACROSS + 0.1,
            width=0.68 if not free else 0.6, name=plain(share.label),
            marker={
                "color": rgba(p.event_free, 0.55) if free else solid[i % len(solid)],
                "line": {"width": 1.2 if free else 0, "color": p.neutral if free else p.event},
                "cornerradius": "45%",
            },
            hovertemplate=f"{count} of 100: {plain(share.label)}<extra></extra>",
        )  # fmt: skip
    fig.update_layout(height=height, barmode="overlay", margin={"l": 0, "r": 0, "t": 2, "b": 2}, hoverdistance=1)
    fig.update_xaxes(visible=False, range=[-0.5, ACROSS - 0.5], fixedrange=True)
    fig.update_yaxes(visible=False, range=[-0.02, DOWN + 0.02], fixedrange=True)
    return fig


def icons_alt(shares: Sequence[Share]) -> str:
    """The array in one sentence."""
    told = "; ".join(f"{count} {s.label}" for count, s in zip(icon_counts(shares), shares, strict=True))
    return f"One hundred bars for 100 patients with these values: {told}."


def icons_rows(shares: Sequence[Share]) -> tuple[list[str], list[list]]:
    """Counts of 100 and exact shares: header and rows for a file."""
    rows = [[s.label, count, 100 * s.share] for count, s in zip(icon_counts(shares), shares, strict=True)]
    return ["what happens", "of 100 patients", "percent"], rows
