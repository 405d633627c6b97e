"""From a figure of all patients to one of them: by a click on a dot, or from a list of the most extreme ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from components.panels import page, patient_list, saved_groups
from components.panels.pick import told_apart
from components.panels.reasons_view import Part, Reasons
from components.panels.reasons_words import signed

ENDS = ("most", "least")


@dataclass(frozen=True)
class Extreme:
    """A patient at one end of a variable's contributions, among those explained."""

    label: str
    at: int


def unlinked(fig: go.Figure) -> go.Figure:
    """The figure with dots that stand for nobody: no row of a patient, and not in the patients' order."""
    for trace in fig.data:
        if trace.customdata is None:
            continue
        order = np.lexsort((np.asarray(trace.y, dtype=float), np.asarray(trace.x, dtype=float)))
        trace.customdata = None
        trace.update(x=np.asarray(trace.x)[order], y=np.asarray(trace.y)[order], text=[trace.text[i] for i in order])
        for name in ("color", "symbol", "size"):
            told = trace.marker[name]
            if told is not None and not isinstance(told, str) and np.ndim(told) == 1:
                trace.marker[name] = np.asarray(told)[order]
    return fig


def by_click(found: Reasons) -> Callable[[object], None] | None:
    """What a click on a dot does; nothing while nobody is named."""
    return None if found.nameless else lambda sent: _clicked(found, sent)


def drawing(found: Reasons, *, key: str) -> Callable[[list[object]], None] | None:
    """While the reader draws around dots: what is done with the patients inside."""
    return (lambda sent: _drawn(found, sent, key)) if _may_draw(found) and st.session_state.get(_switch(key)) else None


def draw_switch(found: Reasons, dots: str, *, key: str) -> None:
    """The switch to draw around dots, below their figure; ``dots`` says how many patients these are."""
    if _may_draw(found):
        with st.container(key=f"screen_{key}_drawing"):
            st.toggle(
                "Draw a group", key=_switch(key), persist_state="session",
                help=f"Draw around dots with the mouse held down: the patients inside can be kept as a group. {dots}",
            )  # fmt: skip


def _switch(key: str) -> str:
    return f"{key}_drawing"


def _may_draw(found: Reasons) -> bool:
    return not found.nameless and len(found.cohort) > 1


def _drawn(found: Reasons, sent: list[object], key: str) -> None:
    """Offer the patients inside as a group; what the browser sent may be anything."""
    flat = [one[0] if isinstance(one, list) and one else one for one in sent]
    whole = [one for one in flat if isinstance(one, int) and not isinstance(one, bool)]
    rows = sorted(set(whole) & set(found.told.rows.tolist()))
    if not rows:
        page.caption("Draw around dots with the mouse held down; without one, tick patients on the page “Patients”.")
        return
    saved_groups.by_hand(found.cohort, rows, key=f"{key}_drawn", how="drawn")


def _clicked(found: Reasons, sent: object) -> None:
    """Open the patient whose dot was clicked; what the browser sent may be anything."""
    row = sent[0] if isinstance(sent, list) and sent else sent
    if isinstance(row, int) and not isinstance(row, bool) and row in found.told.rows:
        patient_list.open_patient(found.cohort, row)


def by_keyboard(found: Reasons, parts: Sequence[Part], *, key: str) -> None:
    """The patients at both ends of some variables, to be opened without a mouse."""
    if found.nameless:
        page.caption("Dots name nobody while your own estimates come first.")
        return
    offered = extremes(found, parts)
    if not offered:
        return
    shown = told_apart({name: extreme.label for name, extreme in offered.items()})
    box = f"{key}_extreme"
    if st.session_state.get(box) not in offered:
        st.session_state[box] = next(iter(offered))
    with st.container(key=f"screen_{key}_open", horizontal=True, vertical_alignment="bottom", gap="small"):
        name = st.selectbox(
            "Open a patient (or click a dot)", list(offered),
            format_func=lambda name: shown.get(name, ""), key=box, persist_state="session",
        )  # fmt: skip
        if st.button("Open", key=f"{key}_open", icon=":material/person:") and name in offered:
            patient_list.open_patient(found.cohort, int(found.told.rows[offered[name].at]))


def extremes(found: Reasons, parts: Sequence[Part]) -> Mapping[str, Extreme]:
    """The patient whom each variable moves most upwards, and most downwards, by variable and end."""
    offered: dict[str, Extreme] = {}
    for part in parts:
        if not len(part.points) or np.ptp(part.points) == 0:
            continue
        for end, at in zip(ENDS, (int(np.argmax(part.points)), int(np.argmin(part.points))), strict=True):
            size = signed(100 * float(part.points[at]))
            offered[f"{end} {part.variable.name}"] = Extreme(f"{found.who(at)}, {size} points: {part.said(at)}", at)
    return offered
