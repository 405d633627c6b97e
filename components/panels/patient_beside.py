"""Other models and published scores for the same patient, on one axis."""

from __future__ import annotations

import streamlit as st

from bedside.report import say
from components import desk, model_choice
from components.figures.risks import RiskRow, risks_alt, risks_figure, risks_rows
from components.panels import page, patient_rivals, save
from components.panels.patient_view import View

WIDE = 64
"""Letters of a row that fit side by side on a narrow screen."""


def panel(view: View) -> None:
    """What else speaks of this patient, flagged where it says something far from the model."""
    if view.beyond:
        page.caption(view.beyond)
        return
    found = patient_rivals.rivals(view)
    rows = list(found.rows)
    if len(rows) == 1:
        page.caption(" ".join(["No other model is fitted yet and no published score applies here.", *found.lacking]))
        _elsewhere()
        return
    with st.container(border=True, key="card_beside"):
        title = f"{view.event} {view.by}"
        save.figure(
            lambda mode: risks_figure(rows, mode=mode, x_title=title, around=view.risk, room=WIDE),
            key="patient_beside", title="Beside other models and scores", aside="", alt=risks_alt(rows, what=title),
            note=_note(rows), stem="patient-beside", rows=lambda: risks_rows(rows),
        )  # fmt: skip
        for row in rows[1:]:
            if row.flagged:
                page.caution(_far(view, row))
        for sentence in found.lacking:
            page.caption(sentence)
        if found.alone:
            page.caption("No other model is fitted yet.")
            _elsewhere()


def _elsewhere() -> None:
    """The way to other models, which take a while."""
    with st.container(key="screen_patient_others"):
        st.page_link(
            desk.page("validation"), label="Set other models beside it", icon=":material/compare_arrows:",
            query_params=desk.link(),
        )  # fmt: skip


def _note(rows: list[RiskRow]) -> str:
    kinds = {row.kind for row in rows}
    parts = ["The shaded band is 10 points on either side of this model."]
    if "other" in kinds:
        parts.append("Circles: other models of the same patients.")
    if "published" in kinds:
        parts.append("Diamonds: published risks, of the event that each score names.")
    if "observed" in kinds:
        parts.append(
            "Squares: what happened to the patients here in the same group of a score (1 − Kaplan-Meier, 95% interval, "
            "this patient among them)."
        )
    return " ".join(parts)


def _far(view: View, row: RiskRow) -> str:
    points = round(100 * (row.risk - view.risk))
    return (
        f"{row.label} ({row.aside or 'another model'}): {say.of_100(row.risk)}, {abs(points)} points "
        f"{'more' if points > 0 else 'less'} than the {model_choice.named(view.choice.kind)} says. Find out why before "
        "relying on either."
    )
