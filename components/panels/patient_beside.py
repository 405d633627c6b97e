"""Other models and published scores for the same patient, on one axis."""

from __future__ import annotations

import math

import streamlit as st

from bedside.cohort import convert
from bedside.errors import Fixable
from bedside.report import say
from bedside.risk.scores import Score
from bedside.risk.scores.cohort import grouping_by_score
from components import desk, model_choice, numbers_scores
from components.figures.risks import FAR, RiskRow, risks_alt, risks_figure, risks_rows
from components.panels import page, save
from components.panels.patient_view import View, others

FORETELLS: dict[str, tuple[str, ...]] = {
    "npi": ("death", "recurrence", "relapse", "metastasis"),
    "mayo_pbc": ("death",), "meld": ("death",), "meld_na": ("death",), "meld_3": ("death",), "child_pugh": ("death",),
    "news2": ("death",),
    "kfre": ("kidney failure", "dialysis"),
    "framingham": ("cardiovascular",), "prevent": ("cardiovascular",),
    "cha2ds2_vasc": ("stroke",), "has_bled": ("bleed",),
}  # fmt: skip
"""Words of events that a score was made for; one that is not here says how an organ works, and no risk."""
WIDE = 64
"""Letters of a row that fit side by side on a narrow screen."""


def beside(view: View) -> None:
    """What else speaks of this patient, flagged where it says something far from the model."""
    rows, lacking = _rows(view)
    if len(rows) == 1:
        page.caption(" ".join(["No other model is fitted yet and no published score applies here.", *lacking]))
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
        for sentence in lacking:
            page.caption(sentence)
        if all(row.kind != "other" for row in rows):
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


def _rows(view: View) -> tuple[list[RiskRow], list[str]]:
    """This model first; and what could not be said."""
    model = view.model
    held = f"{say.patients(model.n)}, {say.events(model.n_events)}"
    rows = [RiskRow(model.label, view.risk, "model", held, view.lower, view.upper)]
    patient = view.cohort.frame.iloc[[view.row]]
    for other in others(view.cohort, view.outcome, view.choice):
        said = float(other.risk(patient, [view.t])[0, 0])
        limits = other.limits(patient, [view.t])
        ends = (math.nan, math.nan) if limits is None else (float(limits.lower[0, 0]), float(limits.upper[0, 0]))
        rows.append(RiskRow(other.label, said, "other", "", *ends, flagged=_differs(view, said)))
    lacking: list[str] = []
    for score in numbers_scores.ready(view.cohort):
        _of_score(view, score, rows, lacking)
    return rows, lacking


def _differs(view: View, said: float) -> bool:
    return abs(said - view.risk) > FAR


def _contradicts(view: View, said: float, lower: float, upper: float) -> bool:
    """True if a score is far from the model, and beyond what either leaves open."""
    low, high = (view.risk, view.risk) if math.isnan(view.lower) else (view.lower, view.upper)
    low, high = min(low, view.risk - FAR), max(high, view.risk + FAR)
    ends = (said, said) if math.isnan(lower) else (lower, upper)
    return _differs(view, said) and (ends[1] < low or ends[0] > high)


def foretells(score: Score, view: View) -> bool:
    """True if the score was made for an event of this kind."""
    event = f"{view.event} {view.outcome.concept if not view.one_event else ''}".lower()
    return any(word in event for word in FORETELLS.get(score.key, ()))


def _of_score(view: View, score: Score, rows: list[RiskRow], lacking: list[str]) -> None:
    """The score's own risk of this patient; where it has none, what happened in its group here."""
    found = numbers_scores.results(view.cohort, score)
    if not found.scored[view.row]:
        lacking.append(f"No {score.name}: an input is not recorded for this patient.")
        return
    value = score.say(float(found.value[view.row]))
    if not foretells(score, view):
        lacking.append(
            f"{score.name}: {value}; it foretells another thing than this, so it stands here as a value only."
        )
        return
    years = convert(view.when, view.unit, "years")
    of = next((of for of in score.risk_of if abs(of.years - years) <= 1e-6 * of.years), None)
    if of is not None and math.isfinite(found.risks[of.key][view.row]):
        said = float(found.risks[of.key][view.row])
        name = f"{score.name}: {value}"
        rows.append(
            RiskRow(
                name,
                said,
                "published",
                f"published risk of {of.event}",
                flagged=_contradicts(view, said, math.nan, math.nan),
            )
        )
        return
    if view.one_event:
        lacking.append(
            f"{score.name}: {value}. What happened in its groups is counted for any event, so it is not here."
        )
        return
    try:
        seen = numbers_scores.observed(view.cohort, view.outcome, score, view.t)
    except Fixable as stop:
        lacking.append(f"{score.name}: {value}. {stop.why}")
        return
    group = seen.groups[int(grouping_by_score(score, found).codes[view.row])]
    if not math.isfinite(group.risk):
        lacking.append(f"{score.name}: {value}. Follow-up of its group is too short.")
        return
    rows.append(
        RiskRow(
            f"{score.name}: {value}", group.risk, "observed",
            f"observed here in its group “{group.label}”: {say.patients(group.n)}, {say.events(group.events)}",
            group.lower, group.upper,
            flagged=_contradicts(view, group.risk, group.lower, group.upper),
        )
    )  # fmt: skip
