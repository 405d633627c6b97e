"""What the model goes by: the answer in words, every patient's contributions, and one further view at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import plotly.graph_objects as go
import streamlit as st

from bedside import risk
from bedside.cohort import Cohort, Outcome, Unit
from bedside.report import say
from bedside.report.made import Made
from bedside.report.made_risk import reasons_made
from components import desk, model_choice, my_estimates
from components.figures.beeswarm import (
    beeswarm_alt,
    beeswarm_figure,
    beeswarm_rows,
    dots_text,
    importance_rows,
)
from components.figures.palette import Mode
from components.panels import horizon, model_lead, page, reasons_more, reasons_one, reasons_open, reasons_words, save
from components.panels.reasons_view import Reasons
from components.panels.validation_choices import subject

SECTION = "reasons_view"


@dataclass(frozen=True)
class View:
    """One of the views below the first."""

    label: str
    draw: Callable[[Reasons], None]
    lives: Callable[[Reasons], bool] = lambda found: True


VIEWS = {
    "one": View("One variable", reasons_one.show),
    "together": View("Which go together", reasons_more.together, lambda found: len(found.parts) > 1),
    "time": View("Over time", reasons_more.over_time, lambda found: len(found.times) > 1),
    "steady": View("In parts of the patients", reasons_more.steady),
    "again": View(
        "Recomputed", reasons_more.recomputed,
        lambda found: isinstance(found.fitted, risk.Model) and not found.outcome.entry,
    ),
}  # fmt: skip


def header(cohort: Cohort, outcome: Outcome) -> tuple[float, Unit]:
    """The page's heading and the time of the risks."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        with st.container(width="stretch"):
            of = subject(outcome, model_choice.chosen(cohort, outcome))
            page.title("What it goes by", f"{of}, {say.patients(len(cohort))}")
        with st.container(key="screen_reasons_horizon", width="content"):
            return horizon.choose(cohort, outcome)


def answer(found: Reasons) -> None:
    """What the risk goes with most: in a sentence, in a list, and patient by patient."""
    if not found.nameless:
        my_estimates.saw_all(found.cohort, found.outcome)
    page.lead(reasons_words.lead(found, say.in_sentence(model_lead.event_of(found.fitted))), of="reasons_swarm")
    if not found.parts:
        return
    left, right = page.split("reasons_first", 1, 1.7)
    with left, st.container(border=True, key="card_reasons_words", height="stretch"):
        page.heading("In words", "points up or down")
        listed(found)
        told = found.now
        save.numbers(
            "reasons_sizes", stem="importance", rows=lambda: importance_rows(told),
            title=f"What the risk {found.within} depends on most", note=found.basis,
        )  # fmt: skip
        reasons_open.by_keyboard(found, found.parts[: reasons_words.TOP], key="reasons_swarm")
    with right, st.container(border=True, key="card_reasons_swarm"):
        _swarm(found)


def listed(found: Reasons) -> None:
    """The most important variables, a line each."""
    told = reasons_words.lines(found)
    if not told:
        page.caption("No variable moves the risk by a tenth of a point on average.")
        return
    items = page.join(page.fill("<li>{line}</li>", line=line) for line in told)
    page.put('<ol class="bs-reasons">{items}</ol>', items=items)
    more = len(found.parts) - len(told)
    if more > 0:
        page.caption(f"{more} further variable{'s matter' if more > 1 else ' matters'} less.")


def _swarm(found: Reasons) -> None:
    told = found.now
    around = reasons_open.drawing(found, key="reasons_swarm")

    def drawn(mode: Mode) -> go.Figure:
        fig = beeswarm_figure(told, mode=mode, named=lambda row, keep: found.named(found.parts[row], keep))
        return reasons_open.unlinked(fig) if found.nameless else fig

    save.figure(
        drawn,
        key="reasons_swarm",
        title="How far each variable moves the risk, patient by patient",
        aside=dots_text(told),
        alt=beeswarm_alt(told),
        note=f"{found.basis} The band behind the dots is the mean size.",
        stem="contributions",
        rows=lambda: importance_rows(told) if found.nameless else beeswarm_rows(told),
        made=_made(found),
        chosen=reasons_open.by_click(found),
        drawn=around,
    )
    reasons_open.draw_switch(found, f"Drawn: {dots_text(told)}.", key="reasons_swarm")


def _made(found: Reasons) -> Callable[[], Made] | None:
    """Scripts know the plain model of the usual predictors."""
    fitted, choice = found.fitted, found.choice
    plain = isinstance(fitted, risk.Model) and not fitted.settings.get("knots") and not found.nameless
    if not plain or choice.left_out or choice.wide:
        return None
    return lambda: reasons_made(found.cohort, fitted, None, found.when, found.unit)


def views(found: Reasons) -> None:
    """The further views: one at a time, and only that one is worked out."""
    lives = {key: view.label for key, view in VIEWS.items() if found.parts and view.lives(found)}
    if not lives:
        return
    chosen = _chosen(lives)
    with st.container(border=True, key=f"card_reasons_{chosen}"), desk.fixable():
        VIEWS[chosen].draw(found)


def _chosen(lives: dict[str, str]) -> str:
    """The view in force, kept in the link."""
    first, news = next(iter(lives)), desk.from_link(SECTION)
    if news in lives:
        st.session_state[SECTION] = news
    if st.session_state.get(SECTION) not in lives:
        st.session_state[SECTION] = first
    with st.container(key="screen_reasons_views"):
        chosen = st.segmented_control(
            "More about it", list(lives), format_func=lives.__getitem__, key=SECTION, required=True,
            persist_state="session",
        )  # fmt: skip
    desk.keep_in_link(SECTION, None if chosen == first else chosen)
    return chosen or first
