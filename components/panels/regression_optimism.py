"""What the model's concordance would be in new patients, computed when the reader asks for it."""

from __future__ import annotations

import streamlit as st

from bedside.cohort import Cohort, Outcome
from bedside.regression.bootstrap import Optimism
from components import numbers_checks as numbers
from components import page_words
from components.numbers_regression import Answer
from components.panels import page
from components.panels.regression_choices import Choice

SAMPLES = 100


def show(of: Cohort, outcome: Outcome, choice: Choice, found: Answer) -> None:
    """A switch, and behind it one sentence; nothing where the model has no concordance."""
    if found.concordance is None:
        return
    with st.container(key="screen_regression_optimism"):
        wanted = st.toggle(
            f"Corrected for optimism ({SAMPLES} bootstrap samples)",
            key="regression_optimism",
            persist_state="session",
            help="A model looks better in the patients it was made from than in others. It is fitted anew in samples "
            "drawn from these patients with replacement, and each time tried on all of them.",
        )
    if not wanted:
        return
    tried = numbers.optimism(of, outcome, choice.ask, SAMPLES)
    text = said(tried)
    page.put("<p>{t}</p>", t=text)
    page.caption(_rests_on(tried, clustered=found.made.data.cluster is not None))
    readings = page_words.now().readings
    readings["regression_forest"] = f"{readings.get('regression_forest', '')} {text}".strip()


def said(tried: Optimism) -> str:
    """The concordance as it looks, and as it is to be expected."""
    return (
        f"Concordance {tried.c_apparent:.2f} in these patients; about {tried.c_corrected:.2f} expected in new ones of "
        f"the same kind (slope {tried.shrinkage:.2f})."
    )


def _rests_on(tried: Optimism, *, clustered: bool) -> str:
    text = (
        "Slope: below 1, the model's predictions are too extreme for new patients. How variables were chosen, and in "
        "which form, is not repeated in the samples: if these patients decided it, less is to be expected."
    )
    if clustered:
        text += " Samples are drawn patient by patient, so “new ones” are of the same clusters."
    if tried.failed:
        text += f" {tried.failed:,} of {tried.resamples:,} samples could not be fitted and are left out."
    return text
