"""The table of patients: search, sort, open."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from bedside.cohort import Cohort, Outcome, Unit, Variable, convert
from bedside.cohort.selection import Selection
from bedside.errors import Fixable
from bedside.report import say
from components import desk, model_choice, my_estimates
from components.figures.palette import palette
from components.panels import page, patient_estimate, save, saved_groups
from components.text import cell, md

COLUMNS = 8


def aside(cohort: Cohort) -> str:
    """How many there are."""
    return say.patients(len(cohort))


def risks(cohort: Cohort, outcome: Outcome, when: float, unit: Unit) -> np.ndarray | str:
    """Everyone's risk by the chosen model, or a sentence that says why there is none.

    It is being fitted, cannot be, or the reader's own estimates come first: then nothing is computed either.
    """
    if my_estimates.first():
        if my_estimates.unread() is not None:
            return "No risk is shown, and nobody is sorted by it: whether your own estimates come first is not known."
        return "No risk is shown, and nobody is sorted by it, while your own estimates come first."
    try:
        choice = model_choice.chosen(cohort, outcome)
        fitted = model_choice.model(cohort, outcome, choice)
        if fitted is None:
            return f"No risk is shown yet: the {model_choice.named(choice.kind)} is not fitted, see above."
        t = float(convert(when, unit, outcome.unit))
        key = ("risks by model", *model_choice.key(cohort, outcome, choice), t)
        found = desk.kept(key, lambda: fitted.risk(cohort.frame, [t])[:, 0])
        my_estimates.saw_all(cohort, outcome)
        return found
    except Fixable as stop:
        desk.show(stop)
        return "No risk is shown: there is no model for these patients."


def show(cohort: Cohort, outcome: Outcome, risks: np.ndarray | str, when: float, unit: Unit) -> None:
    """Search box, table and the way to a patient's page."""
    unread = my_estimates.unread()
    if unread is not None:
        my_estimates.tell_unread(unread)
    variables = key_variables(cohort)
    risk = None if isinstance(risks, str) else risks
    shown = search(cohort)
    if not len(shown):
        _nobody(variables)
        return
    searched = bool((st.session_state.get("patients_search") or "").strip())
    if risk is not None and not searched:
        shown = shown[np.argsort(-risk[shown], kind="stable")]
    frame = table_of(cohort, variables, shown, risk)
    choice = model_choice.chosen(cohort, outcome)
    ticking = st.session_state.get("patients_ticking", False)
    title = f"Risk within {say.duration(when, unit)}, {choice.label}"
    within = f"within {say.duration(when, unit)}"
    event = st.dataframe(
        frame,
        key="patients_ticked" if ticking else "patients_table",
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row" if ticking else "single-row",
        height=560,
        column_config=columns_of(variables, "" if risk is None else title),
        alt=f"{say.patients(len(shown))}: identifier, {len(variables)} variables{'' if risk is None else ' and risk'}. "
        f"{'A tick takes the patient into the group' if ticking else 'A row opens the patient'}.",
    )
    rows = [row for row in event.selection.rows if row < len(shown)]
    if ticking:
        saved_groups.by_hand(cohort, [int(shown[row]) for row in rows], key="patients_hand", how="ticked")
    elif rows:
        open_patient(cohort, int(shown[rows[0]]))
    if isinstance(risks, str):
        page.caption(risks)
        if unread is None and my_estimates.first():
            patient_estimate.switch()
    else:
        page.caption(
            f"Risk of {say.in_sentence(_event(outcome, choice))} {within} of {outcome.since}, from the "
            f"{model_choice.named(choice.kind)} of these {say.patients(len(cohort))}"
            f"{'' if searched else ', highest first'}; shown between 1% and 99%. "
            "The model learnt from these same patients, so the risks fit them better than others; a patient's page has "
            "the interval and a check. What happened to them is left out, so that the risk is read first. "
            f"A tick at the start of a row {'takes the patient into a group' if ticking else 'opens the patient'}."
        )
    with st.container(key="screen_patients_more", horizontal=True, gap="small"):
        _export(cohort, variables, shown, risk, title)
        if risk is not None:
            fitted = model_choice.model(cohort, outcome, choice, slot="groups")
            if fitted is not None:
                saved_groups.by_risk(cohort, outcome, choice, fitted, when, unit, key="patients_risk")


def _event(outcome: Outcome, choice: model_choice.Choice) -> str:
    one = choice.target == model_choice.EVENT and outcome.has_competing
    return outcome.cause_labels[0] if one else outcome.label


def _nobody(variables: tuple[Variable, ...]) -> None:
    """What to do when a search finds nobody; the filter may be why."""
    everyone, text = desk.whole(), str(st.session_state.get("patients_search") or "").strip()
    outside = 0 if desk.selection().is_everyone else len(desk.search(everyone, tuple(v.name for v in variables), text))
    if outside:
        st.info(f"{say.patients(outside)} found, but outside the filter above.", icon=":material/filter_list:")
        st.button("Search without the filter", key="patients_unfilter", on_click=desk.select, args=(Selection(),))
        return
    st.info("No patient matches. Search by identifier or by a value such as a level's name.", icon=":material/search:")


def key_variables(cohort: Cohort) -> tuple[Variable, ...]:
    """The variables a reader recognises patients by: the first predictors."""
    return (cohort.predictors or cohort.filterable)[:COLUMNS]


def open_patient(cohort: Cohort, row: int) -> None:
    """Go to a patient's page; the link carries a token, never the identifier."""
    _go(desk.token(cohort, row))


def _go(mark: str) -> None:
    st.session_state["patient"] = mark
    st.switch_page(desk.page("patient"), query_params=desk.link(patient=mark))


def search(cohort: Cohort) -> np.ndarray:
    """A box to find patients in, with a button that opens the first; the rows that are found."""
    variables = key_variables(cohort)
    mark = st.session_state.pop("patients_opened", None)
    if mark is not None:
        _go(mark)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Find a patient",
            key="patients_search",
            placeholder="Identifier or a value",
            icon=":material/search:",
            type="search",
            max_chars=100,
            width=320,
        )
        text = (text or "").strip()
        found = desk.search(cohort, tuple(v.name for v in variables), text)
        if text and len(found):
            first = cohort.identifiers[found[0]]
            st.button(
                f"Open patient {md(first)}",
                key="patients_open",
                type="primary",
                icon=":material/person:",
                on_click=_opened,
                args=(desk.token(cohort, int(found[0])),),
            )
        st.toggle("Tick a group", key="patients_ticking", persist_state="session",
                  help="Ticks gather patients for a group of your own instead of opening one.")  # fmt: skip
        if text:
            st.caption(f"{say.patients(len(found))} found")
    return found


def _opened(mark: str) -> None:
    # By the token that stood on the button: the search may have changed since it was drawn.
    st.session_state["patients_opened"] = mark


def table_of(
    cohort: Cohort, variables: tuple[Variable, ...], shown: np.ndarray, risk: np.ndarray | None
) -> pd.DataFrame:
    """Some patients as a table on the screen: names, variables, and their risks if there are any."""
    names = cohort.identifiers
    columns: dict[str, object] = {"patient": [cell(names[i]) for i in shown]}
    if risk is not None:
        # Whole numbers on the screen, and none of them a certainty; the file has them as they are.
        columns["risk"] = np.clip(100 * risk[shown], 1, 99)
    part = cohort.frame.iloc[shown]
    for i, variable in enumerate(variables):
        values = part[variable.name]
        columns[f"v{i}"] = values.to_numpy() if variable.is_numeric else _said(variable, values)
    return pd.DataFrame(columns)


def _said(variable: Variable, values: pd.Series) -> np.ndarray:
    """Each patient's level in words, shape (n_patients,): every level is put into words once."""
    words = [*(cell(variable.say(code)) for code in values.cat.categories), cell(variable.say(None))]
    return np.array(words, dtype=object)[values.cat.codes.to_numpy()]


def columns_of(variables: tuple[Variable, ...], title: str) -> dict[str, object]:
    """How its columns are shown."""
    config: dict[str, object] = {"patient": st.column_config.TextColumn("Patient", pinned=True)}
    for i, variable in enumerate(variables):
        unit = f" ({variable.unit})" if variable.unit else ""
        kind = st.column_config.NumberColumn if variable.is_numeric else st.column_config.TextColumn
        config[f"v{i}"] = kind(cell(f"{variable.label}{unit}"))
    if title:
        config["risk"] = st.column_config.ProgressColumn(
            title, min_value=0, max_value=100, format="%.0f%%", color=palette(desk.mode()).event
        )
    return config


def _export(
    cohort: Cohort, variables: tuple[Variable, ...], shown: np.ndarray, risk: np.ndarray | None, title: str
) -> None:
    def rows() -> save.Rows:
        names, part = cohort.identifiers, cohort.frame.iloc[shown]
        header = ["Patient", *(f"{v.label} ({v.unit})" if v.unit else v.label for v in variables)]
        body = [
            [names[i], *(row[v.name] for v in variables)] for i, (_, row) in zip(shown, part.iterrows(), strict=True)
        ]
        if risk is not None:
            header.append(f"{title} (%)")
            body = [[*line, 100 * float(risk[i])] for i, line in zip(shown, body, strict=True)]
        return header, body

    with st.container(key="screen_patients_export", width="content"):
        save.numbers("patients", stem="patients", rows=rows)
