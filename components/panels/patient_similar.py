"""The patients most like this one: what counts as alike, what happened to them, and the way to each of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from bedside.cohort import Variable, convert
from bedside.patient import Metric, Similar, metric, similar
from bedside.patient.similar import WHY_FEW
from bedside.report import say
from bedside.report.made import Made
from bedside.report.made_words import versions
from components import desk, model_choice, my_estimates
from components.figures.palette import palette
from components.figures.similar import (
    SimilarCurves,
    similar_alt,
    similar_figure,
    similar_rows,
    ticks_of,
)
from components.panels import page, patient_said, save
from components.panels import patient_similar_words as words
from components.panels.patient_list import open_patient
from components.panels.patient_view import View
from components.panels.pick import pick
from components.text import cell

SIZES = (20, 50, 100)
USUAL = 50
COLUMNS = 6
ROWS = 12
"""Variables that are listed; the lighter ones are counted."""


def panel(view: View) -> None:
    """Who they are, what happened to them against what was predicted, and a table in which a row opens a patient."""
    if view.beyond:
        page.caption(view.beyond)
        return
    with st.container(border=True, key="card_similar"):
        on = prepared(view)
        if not on.variables:
            page.caption("No variable changes what this model says, so nobody is more alike than others.")
            return
        with st.container(key="similar_lead", horizontal=True, vertical_alignment="top", gap="medium"):
            words_first = st.container(width="stretch")
            with st.container(key="screen_similar_k", width="content"):
                k = _asked(view)
        near = found(view, on, k)
        with words_first:
            page.put('<p class="bs-lead">{text}</p>', text=words.lead(view, near))
        cautions, much = words.cautions(view, on, near), words.much_alike(view, on, near)
        for caution in cautions:
            page.caution(caution)
        if much not in cautions:
            page.caption(much)
        left, right = page.split("similar", 1, 1)
        with left:
            _figure(view, on, near)
        with right:
            _alike(view, on, near)
        _table(view, on, near)


def _asked(view: View) -> int:
    """How many; no more than there are."""
    others = len(view.cohort) - 1
    sizes = [size for size in SIZES if size <= others] or [max(others, 1)]
    default = USUAL if USUAL in sizes else sizes[-1]
    chosen = pick(
        "How many", {str(size): f"the {size} most alike" for size in sizes}, key="patient_similar_k",
        default=str(default), width=190,
    )  # fmt: skip
    return int(chosen or default)


# ------------------------------------------------------------------ numbers


def prepared(view: View) -> Metric:
    """How far apart two patients are to the model: once for all patients."""
    key = (*model_choice.key(view.cohort, view.outcome, view.choice), view.model.fingerprint)

    def make() -> Metric:
        with desk.progress("Working out what counts as alike"):
            return metric(view.model, model_choice.rows(view.cohort, view.outcome, view.choice))

    return desk.kept(("patient metric", *key), make)


def found(view: View, on: Metric, k: int) -> Similar:
    """The nearest of this patient.

    Raises
    ------
    Fixable
        If there are too few of them.
    """
    choice, model = view.choice, view.model
    key = (*model_choice.key(view.cohort, view.outcome, choice), model.fingerprint, view.row, view.t, view.s, k)

    def make() -> Similar:
        rows = model_choice.rows(view.cohort, view.outcome, choice)
        return similar(
            on, model, rows, view.patient, view.t, k=k, leave_out=view.row, alive_at=view.s,
            whole=patient_said.whole(view.cohort, view.outcome, choice, model) if view.s else None,
        )  # fmt: skip

    return desk.kept(("patient similar", *key), make)


def curves(view: View, near: Similar) -> SimilarCurves:
    """What the figure shows, in the unit of the page; this patient's curve is the one of the page."""
    seen, unit = near.observed, view.outcome.unit
    time = convert(seen.time, unit, view.unit)
    later = view.curve.time > view.alive
    ticks = ticks_of(float(time[-1]), view.when, view.unit)
    return SimilarCurves(
        time=time, seen=1 - seen.risk, lower=1 - seen.upper, upper=1 - seen.lower, expected=1 - near.expected,
        own_time=np.append(view.alive, view.curve.time[later]), own=np.append(1.0, view.curve.survival[later]),
        horizon=view.when, alive=view.alive, unit=view.unit, since=view.outcome.since, n=seen.n, ticks=ticks,
        remaining=tuple(seen.remaining(convert(np.maximum(ticks, view.alive), view.unit, unit))),
    )  # fmt: skip


# ------------------------------------------------------------------ pieces


def _figure(view: View, on: Metric, near: Similar) -> None:
    shown = curves(view, near)
    free = view.spared
    save.figure(
        lambda mode: similar_figure(shown, mode=mode), key="patient_similar",
        title=f"{free[:1].upper()}{free[1:]}", alt=similar_alt(shown), note=words.note(view, near),
        stem="patient-similar", rows=lambda: similar_rows(shown), made=lambda: _made(view, on, near),
    )  # fmt: skip


def _made(view: View, on: Metric, near: Similar) -> Made:
    model = view.model
    return Made(
        f"The {near.observed.n} patients nearest to this one in the metric of the "
        f"{model_choice.named(view.choice.kind)} ({say.patients(model.n)}, {say.events(model.n_events)}), this patient "
        f"left out{words.landmark(view)}. {words.scale(on)} Their observed risk is {words.method(near, view)}, "
        f"with its log-log interval, as far as at least 10 remain at risk. {WHY_FEW} Computed with {versions()}; data "
        f"and filter {model.cohort_fingerprint[:12]}."
    )


def _alike(view: View, on: Metric, near: Similar) -> None:
    """Weights in plain words, and what is shared."""
    page.heading("What counts as alike here", "share of the difference of any two patients")
    for sentence in words.shared(near):
        page.put("<p>{s}</p>", s=sentence)
    matches = near.matches[:ROWS]
    heaviest = max(match.weight for match in matches)
    body = [
        (
            page.fill(
                '{name}<span class="bs-track" style="display:block;width:{wide}%"><i style="width:100%"></i></span>',
                name=match.variable.label, wide=round(max(100 * match.weight / heaviest, 2)),
            ),
            say.percent(match.weight),
            match.own,
            words.typical(match, near),
            words.verdict(match),
        )
        for match in matches
    ]  # fmt: skip
    header = ("Variable", "Weight", "This patient", f"The {near.observed.n}", "Match")
    page.table(header, body, label="What counts as alike", numeric_from=9)
    if len(near.matches) > ROWS:
        rest = sum(match.weight for match in near.matches[ROWS:])
        page.caption(f"{len(near.matches) - ROWS} more variables count {100 * rest:.0f} of 100 together.")
    page.caption(words.scale(on))


def _said(variable: Variable, values: pd.Series) -> object:
    return values.to_numpy() if variable.is_numeric else [cell(variable.say(value)) for value in values]


def _table(view: View, on: Metric, near: Similar) -> None:
    """The nearest, one a row; a row opens its patient."""
    variables, cohort = on.variables[:COLUMNS], view.cohort
    likeness = words.likeness(on, near)
    names, part = cohort.identifiers, cohort.frame.iloc[near.rows]
    columns: dict[str, object] = {"patient": [cell(names[i]) for i in near.rows], "alike": likeness}
    config: dict[str, object] = {
        "patient": st.column_config.TextColumn("Patient", pinned=True),
        "alike": st.column_config.ProgressColumn(
            "Alike", min_value=0, max_value=100, format="%.0f", color=palette(desk.mode()).accent,
            help="100: the same in all that counts. 0: no more alike than any two patients are.",
        ),
    }  # fmt: skip
    hidden = my_estimates.first()  # of the others the reader is to say first what to expect
    if not hidden:
        my_estimates.saw_rows(cohort, view.outcome, near.rows)
        columns["risk"] = np.clip(100 * near.risks, 1, 99)
        config["risk"] = st.column_config.ProgressColumn(
            f"Predicted risk {words.within(view)}", min_value=0, max_value=100, format="%.0f%%",
            color=palette(desk.mode()).event,
        )  # fmt: skip
    for i, variable in enumerate(variables):
        columns[f"v{i}"] = _said(variable, part[variable.name])
        kind = st.column_config.NumberColumn if variable.is_numeric else st.column_config.TextColumn
        config[f"v{i}"] = kind(cell(f"{variable.label}{f' ({variable.unit})' if variable.unit else ''}"))
    page.heading("The most alike, one by one", "a tick at the start of a row opens the patient")
    # The key is of this patient and these rows: a tick must not open anybody once the page shows somebody else.
    event = st.dataframe(
        pd.DataFrame(columns), key=f"patient_similar_{desk.token(cohort, view.row)[:12]}_{len(near.rows)}_{view.s:g}",
        hide_index=True, on_select="rerun", selection_mode="single-row", height=300, column_config=config,
        alt=f"The {len(near.rows)} most alike: identifier, how alike, {len(variables)} variables"
        f"{'' if hidden else ' and predicted risk'}. A row opens the patient.",
    )  # fmt: skip
    rows = event.selection.rows
    if rows and rows[0] < len(near.rows):
        open_patient(cohort, int(near.rows[rows[0]]))
    page.caption("What happened to each of them is left out, so that their risk is read first.")
