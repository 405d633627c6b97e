"""You and the model: what the reader said, what the model said, and what happened. For this reader alone."""

from __future__ import annotations

import streamlit as st

from bedside.cohort import Cohort
from bedside.patient.judgement import FEWEST_IN_A_BIN, Judgement
from components import desk, my_estimates
from components.figures.judgement import MOST_SINGLE, judgement_alt, judgement_figure, judgement_rows
from components.panels import judgement_data, judgement_mine, judgement_words, page, patient_estimate, save
from components.panels.judgement_data import Item
from components.panels.pick import pick

ALL = "all"


def show(cohort: Cohort) -> None:
    """The page.

    Raises
    ------
    Fixable
        If the estimates can't be read.
    """
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        with st.container(width="stretch"):
            page.title("You and the model", "Only you see this page")
        with st.container(key="screen_judgement_switch", width="content"):
            patient_estimate.switch()
    unset = my_estimates.unread()
    everything, unread = my_estimates.book().read()
    if unset is not None:
        desk.show(unset)
    items = judgement_data.completed(judgement_data.gathered(everything))
    if items:
        _answer(_asked_for(items))
    else:
        _nothing(len(everything), cohort)
    judgement_mine.show(items, everything, unread)


def _nothing(elsewhere: int, cohort: Cohort) -> None:
    with st.container(border=True, key="card_judgement_none"):
        page.put(
            '<p class="bs-lead">No estimate of yours is kept for {title} yet.</p><p>Switch on “My estimate first” and '
            "open a patient: you say what you expect before you see what the model says. Here you then find your "
            "numbers beside the model's and beside what happened.</p>",
            title=cohort.short_title,
        )
        if elsewhere:
            page.caption(f"You have {elsewhere:,} in other cohorts: open one of them above.")
        st.page_link(desk.page("patients"), label="Choose a patient", icon=":material/list:", query_params=desk.link())


def _asked_for(items: list[Item]) -> list[Item]:
    """The estimates of one outcome, where there are several."""
    kinds = {f"{i.estimate.about.outcome}.{i.estimate.about.target}": i.of for i in items if i.outcome is not None}
    if len(kinds) < 2:
        return items
    chosen = pick(
        "Estimates of", {ALL: "All outcomes together", **kinds}, key="judgement_of", default=ALL, width=320
    )  # fmt: skip
    if chosen == ALL:
        return items
    return [i for i in items if f"{i.estimate.about.outcome}.{i.estimate.about.target}" == chosen]


def _answer(items: list[Item]) -> None:
    """What it comes to, in words, then as a figure with its numbers."""
    found = judgement_data.judged(items)
    n, known = len(found.own), int(found.known.sum())
    with st.container(border=True, key="card_judgement_answer"):
        page.put('<p class="bs-lead">{t}</p>', t=judgement_words.lead(found))
        page.strip(_facts(items, found))
    if not n:
        return
    left, right = page.split("judgement", 1.35, 1)
    grouped = bool(found.own_bins and found.model_bins)
    with left, st.container(border=True, key="card_judgement_figure", height="stretch"):
        save.figure(
            lambda mode: judgement_figure(found, mode=mode),
            key="judgement_figure",
            title="Said beforehand, and what happened",
            alt=judgement_alt(found),
            note=_note(n, known, grouped),
            stem="you-and-the-model",
            rows=lambda: judgement_rows(found),
        )
    with right, st.container(border=True, key="card_judgement_numbers", height="stretch"):
        page.heading("In numbers")
        for sentence in (
            judgement_words.average("you", found.own_error),
            judgement_words.average("the model", found.model_error),
            judgement_words.nearer(found),
            judgement_words.disagreement(found),
        ):
            if sentence:
                page.put('<p style="margin:0 0 .5rem">{t}</p>', t=sentence)
        told = judgement_words.brier(found)
        if told:
            page.caption(told)
        page.caption(
            "Each known outcome counts for one over the chance of being followed so long, worked out from all patients "
            "of the cohort; estimates of one patient count as one in the intervals. You chose whom to estimate: other "
            "patients may give another picture."
        )


def _facts(items: list[Item], found: Judgement) -> list[tuple[str, str]]:
    """Denominators: of how many something is said."""
    n, known = len(found.own), int(found.known.sum())
    came = f"{found.n_events:,} with the event by the time asked for, {found.n_free:,} without"
    return [
        (f"{n:,} estimate{'s' * (n != 1)}", _left_out(items)),
        (f"{known:,} known", came),
        (f"{n - known:,} not known", "not followed until the time asked for; others count more in their stead"),
        _fair(items),
    ]


def _left_out(items: list[Item]) -> str:
    """What is compared of all that is kept here."""
    skipped = sum(i.estimate.skipped for i in items)
    aware = sum(i.estimate.said.aware and not i.estimate.skipped for i in items)
    compared = sum(i.compared for i in items)
    return judgement_words.left_out(skipped, aware, len(items) - compared - skipped - aware)


def _fair(items: list[Item]) -> tuple[str, str]:
    """Where the model's numbers come from."""
    here = [i.estimate for i in items if i.compared]
    unseen = sum(e.unseen is not None for e in here)
    seen = sum(e.unseen is None and e.shown is not None for e in here)
    told = "of the model's numbers come from models that had not seen the patient"
    if seen:
        told += f"; {seen:,} from the model that learnt from the patient, too, which favours the model"
    none = len(here) - unseen - seen
    if none:
        told += f"; {none:,} have no number of a model"
    return f"{unseen:,} of {len(here):,}", told


def _note(n: int, known: int, grouped: bool) -> str:
    if grouped:
        return (
            f"{n:,} estimates, {known:,} known outcomes, in groups of similar size with {FEWEST_IN_A_BIN} known "
            "outcomes or more each; 95% intervals. On the dashed line as many had the event as was said."
        )
    latest = f"the latest {MOST_SINGLE} of " if n > MOST_SINGLE else ""
    return (
        f"Each line is one patient: {latest}{n:,} estimate{'s' * (n != 1)}, {known:,} known "
        f"outcome{'s' * (known != 1)}. Groups are drawn once there are two with {FEWEST_IN_A_BIN} known outcomes each; "
        "single patients prove neither of you right."
    )
