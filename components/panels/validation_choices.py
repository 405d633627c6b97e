"""The choices of the validation page: which models, checked how, by when."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from bedside.cohort import Cohort, Outcome, Unit, convert
from bedside.report import say
from bedside.risk.learners import DEFAULT_SET, KINDS
from components import model_choice
from components.numbers_validation import Ask, Way
from components.panels import horizon, page
from components.panels.pick import pick

WAYS: dict[Way, str] = {
    "folds": "5-fold cross-validation",
    "folds5": "5-fold cross-validation, 5 times",
    "bootstrap": "Bootstrap (optimism)",
    "training": "On the training data (too good)",
}
HELP = (
    "Cross-validation holds out a fifth of the patients at a time and asks models that learnt from the others. The "
    "bootstrap estimates by how much a regression looks better on the patients it learnt from than on new ones, and "
    "asks trees about the patients whom a resample left out."
)


@dataclass(frozen=True)
class Shown:
    """What the page shows.

    Attributes
    ----------
    ask : Ask
    kind : str
        The model that the answer and the figures are about.
    when, unit
        The time of the risks, as the reader has it.
    """

    ask: Ask
    kind: str
    when: float
    unit: Unit

    @property
    def at(self) -> str:
        """``"4 years"``."""
        return say.duration(self.when, self.unit)

    @property
    def within(self) -> str:
        """``"within 4 years"``."""
        return f"within {self.at}"

    @property
    def label(self) -> str:
        """Of the model in the figures."""
        return KINDS[self.kind]


def choices(cohort: Cohort, outcome: Outcome) -> Shown:
    """The page's heading and its widgets in one line."""
    choice = model_choice.chosen(cohort, outcome)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        with st.container(width="stretch"):
            page.title("Validation", f"{subject(outcome, choice)}, {say.patients(len(cohort))}")
        with st.container(key="screen_validation_horizon", width="content"):
            when, unit = horizon.choose(cohort, outcome)
    with st.container(key="screen_validation_choices", horizontal=True, vertical_alignment="bottom", gap="medium"):
        kinds = _kinds(choice.kind)
        way: Way = pick("Checked by", WAYS, key="validation_way", default="folds", help=HELP, width=280)  # type: ignore[assignment]
        named = {kind: KINDS[kind] for kind in kinds}
        kind = pick("Answer and figures for", named, key="validation_shown", default=choice.kind, width=240)
    about = choice if kind == choice.kind else model_choice.other(choice, str(kind), outcome)
    ask = Ask(about, kinds, way, float(convert(when, unit, outcome.unit)))
    return Shown(ask, str(kind), when, unit)


def subject(outcome: Outcome, choice: model_choice.Choice) -> str:
    """What is predicted: any of the events, or the event itself while the others can happen."""
    if choice.target == model_choice.EVENT and outcome.has_competing:
        return f"{outcome.cause_labels[0]}, with {say.in_sentence(', '.join(outcome.competing))} competing"
    return outcome.label


def _kinds(chosen: str) -> tuple[str, ...]:
    """Models side by side: the chosen one always."""
    picked = st.pills(
        "Models", list(KINDS), selection_mode="multi", default=list(DEFAULT_SET), format_func=_short,
        key="validation_kinds", persist_state="session",
    )  # fmt: skip
    return tuple(kind for kind in KINDS if kind == chosen or kind in (picked or ()))


def _short(kind: str) -> str:
    return {"cox": "Cox", "average": "Average"}.get(kind, KINDS[kind])
