"""The top of the model page: which model, and in one sentence what it is and how well it does."""

from __future__ import annotations

import math

import streamlit as st

from bedside.cohort import Cohort, Outcome, Unit, convert
from bedside.report import say
from bedside.risk import leaks
from bedside.risk.fitted import Fitted
from bedside.risk.learners import KINDS
from bedside.validation import Resampled
from components import desk, model_choice, numbers_models, unseen
from components.model_choice import Choice
from components.numbers_models import Answer
from components.panels import horizon, page
from components.panels.page import Markup, fill
from components.panels.pick import told_apart
from components.panels.validation_choices import subject
from components.text import md

SHORT = {
    "cox": "Cox", "penalised": "Penalised", "forest": "Forest", "boosted": "Boosted trees", "average": "Average",
}  # fmt: skip
WHAT = {
    "cox": "Each variable multiplies the rate of events by a ratio of its own: easy to read, and seldom beaten.",
    "penalised": "A Cox model that keeps only what helps to predict: for many variables, such as a gene panel.",
    "forest": "Many decision trees, averaged: finds thresholds and combinations without being told, wants more events.",
    "boosted": "Small trees, each mending the ones before: for large cohorts, and where effects combine.",
    "average": "The mean of the Cox model's and the forest's risks: the safest where you must choose without looking.",
}
IS = {
    "cox": "A Cox model", "penalised": "A penalised Cox model", "forest": "A forest of decision trees",
    "boosted": "Boosted trees", "average": "The average of a Cox model and a forest",
}  # fmt: skip

WIDE = 10
"""So many columns that are not used are no detail: a gene panel, say."""


def header(cohort: Cohort, outcome: Outcome) -> tuple[float, Unit]:
    """The page's heading and the time at which the model is judged."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        with st.container(width="stretch"):
            of = subject(outcome, model_choice.chosen(cohort, outcome))
            page.title("Model", f"{of}, {say.patients(len(cohort))}")
        with st.container(key="screen_model_horizon", width="content"):
            return horizon.choose(cohort, outcome)


# ------------------------------------------------------------------ choices


def choices(cohort: Cohort, outcome: Outcome) -> Choice:
    """Which model, of what, from which columns: in one line."""
    choice = model_choice.chosen(cohort, outcome)
    with st.container(key="screen_model_choices", horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.segmented_control(
            "Which model", list(KINDS), format_func=lambda kind: SHORT.get(kind, KINDS[kind]), key="model_model",
            required=True, persist_state="session",
            help="\n\n".join(f"**{KINDS[kind]}.** {WHAT.get(kind, '')}" for kind in KINDS),
        )  # fmt: skip
        if outcome.has_competing:
            targets = _targets(outcome)
            st.segmented_control(
                "The risk of what", list(targets), format_func=targets.__getitem__, key="model_target", required=True,
                persist_state="session",
                help="Where another event can come first, the risk of any of them counts whichever it is; the risk of "
                "this event counts how many will have it in a world where the others happen too.",
            )  # fmt: skip
        with st.popover("Options", icon=":material/tune:", key="model_options"):
            _options(cohort, outcome, choice)
    return choice


def _targets(outcome: Outcome) -> dict[str, str]:
    """What a risk can be of, named by its events: of whichever comes first, or of the first one alone."""
    first, *others = outcome.cause_labels
    rest = [say.in_sentence(label) for label in others]
    return {
        model_choice.ANY: md(f"{' or '.join((first, *rest))}, whichever first"),
        model_choice.EVENT: md(f"{first}; {', '.join(rest)} may come first"),
    }


def _options(cohort: Cohort, outcome: Outcome, choice: Choice) -> None:
    """What is seldom changed: columns, shapes, how competing events are read."""
    usual = model_choice.eligible(cohort, wide=False)
    offered = model_choice.eligible(cohort)
    if len(offered) > len(usual):
        labels = {
            "auto": "As the kind of model does best",
            "usual": f"The {len(usual)} usual predictors",
            "all": f"All {len(offered)} recorded at time zero",
        }
        st.radio("Offered to the model", list(labels), format_func=labels.__getitem__, key="model_pool",
                 persist_state="session")  # fmt: skip
    names = {v.name: v.label for v in model_choice.eligible(cohort, wide=choice.wide)}
    shown = told_apart(names)
    st.session_state["model_out"] = [name for name in choice.left_out if name in names]
    st.multiselect(
        "Variables left out", list(names), format_func=shown.__getitem__, key="model_out", on_change=_leave_out,
        args=(cohort, tuple(names)), placeholder="None",
    )  # fmt: skip
    if choice.kind in ("cox", "average"):
        st.selectbox(
            "Numbers are read", list(model_choice.SHAPES), format_func=model_choice.SHAPES.__getitem__,
            key="model_shape", persist_state="session",
            help="Curves are tried only where at least 12 events are left for each coefficient.",
        )  # fmt: skip
        if choice.target == model_choice.EVENT:
            st.selectbox(
                "Competing events", list(model_choice.METHODS), format_func=model_choice.METHODS.__getitem__,
                key="model_competing", persist_state="session",
            )  # fmt: skip


def _leave_out(cohort: Cohort, names: tuple[str, ...]) -> None:
    picked = st.session_state["model_out"]
    model_choice.take_back(cohort, names)
    model_choice.leave_out(cohort, picked)


# ------------------------------------------------------------------ the answer


def answer(cohort: Cohort, outcome: Outcome, choice: Choice, fitted: Fitted, when: float, unit: Unit) -> None:
    """What the model is, and how well it does on patients it has not seen."""
    t = float(convert(when, unit, outcome.unit))
    asked = st.session_state.get(_asked(choice)) or numbers_models.unasked(cohort, outcome, choice)
    found = None
    place = st.container(gap="xsmall")
    with st.container(key="screen_model_check"), desk.fixable():
        if asked:
            found = numbers_models.checked(cohort, outcome, choice, t)
        else:
            st.button("Check it on patients it has not seen", key="model_check", icon=":material/rule:",
                      on_click=st.session_state.__setitem__, args=(_asked(choice), True),
                      help="The model is fitted five times more, which takes minutes.")  # fmt: skip
    with place:
        how = Markup("") if found is None else _how_well(found, choice, t, say.duration(when, unit))
        page.lead(fill("{what} {how}", what=_what(fitted), how=how), of="model_forest")
        for caution in fitted.cautions:
            page.warn(caution)
        flat = leaks.check_predictions(fitted, cohort, t)
        if flat is not None:
            page.warn(flat.sentence)
        _unused(cohort, choice)
        with st.container(key="screen_model_validation", width="content"):
            st.page_link(desk.page("validation"), label="How well does it do, and beside the others?",
                         query_params=desk.link(), icon=":material/fact_check:")  # fmt: skip


def _unused(cohort: Cohort, choice: Choice) -> None:
    """Columns that are recorded and not offered to the model, such as a gene panel, with one click to add them."""
    many = len(model_choice.eligible(cohort)) - len(model_choice.eligible(cohort, wide=choice.wide))
    if many < WIDE:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="model_unused"):
        with st.container(width="content"):
            page.caption(f"{many:,} further variables are recorded and not used.")
        with st.container(key="screen_model_add", width="content"):
            st.button(
                "Add them (penalised model)", key="model_add_all", type="tertiary",
                icon=":material/add:", on_click=st.session_state.update,
                args=({"model_pool": "all", "model_model": "penalised"},),
                help="A penalised Cox model keeps only what helps to predict; fitting it may take a minute.",
            )  # fmt: skip


def _asked(choice: Choice) -> str:
    return f"model_asked_{choice.kind}"


def _what(fitted: Fitted) -> Markup:
    n = len(fitted.design.readings)
    return fill(
        "{kind} for the risk of {of}, learnt from {n} with {events} and {k} variable{s}.",
        kind=IS.get(fitted.kind, fitted.label), of=say.in_sentence(event_of(fitted)),
        n=say.patients(fitted.n), events=say.events(fitted.n_events), k=n,
        s="" if n == 1 else "s",
    )  # fmt: skip


def event_of(fitted: Fitted) -> str:
    """What the model predicts, in words."""
    outcome = fitted.outcome
    if fitted.target == model_choice.EVENT and outcome.has_competing:
        return outcome.cause_labels[0]
    return outcome.label


def _how_well(done: Resampled, choice: Choice, t: float, within: str) -> Markup:
    """How well it ranks, what came of its highest and lowest risks, and whether it is of any use at all."""
    found, kind = numbers_models.answer(done, choice.kind, t), choice.kind
    return fill(
        "{ranked} {ends}{average}{use} {aside}",
        ranked=_ranked(unseen.ranking(done, kind)),
        ends=unseen.ends(unseen.parts(done, kind, t), f"within {within}"),
        average=_average(found, within),
        use="" if unseen.better_than_average(done, kind) else fill(" <b>{t}</b>", t=unseen.NO_BETTER),
        aside=fill(
            '<span class="bs-muted">Harrell’s C {c}, {k} folds, 95% intervals.</span>',
            c="not known" if math.isnan(found.c) else f"{found.c:.2f}", k=found.folds,
        ),
    )  # fmt: skip


def _ranked(found: unseen.Ranking) -> Markup:
    if math.isnan(found.c):
        return fill("How well it ranks patients is not known: no two of them can be compared.")
    weak = f", {found.verdict}" if found.verdict else ""
    return fill(
        "Of 100 pairs of patients it had not seen, it ranks <b>{c}</b> rightly{between}{weak}; 50 would be chance.",
        c=f"{100 * found.c:.0f}", between=found.between, weak=weak,
    )  # fmt: skip


def _average(found: Answer, within: str) -> str:
    """Only where it is off: a model is near what happened on average among patients like those it has learnt from."""
    if math.isnan(found.observed):
        return f"What happened within {within} is not known: follow-up is too short."
    if found.right_on_average:
        return ""
    between = say.range_of_100(found.observed_lower, found.observed_upper)
    return (
        f" Its risks are off on average: it said {100 * found.predicted:.0f} of 100, {100 * found.observed:.0f} had "
        f"the event ({between})."
    )
