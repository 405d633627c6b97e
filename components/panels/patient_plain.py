"""The page turned to the patient: one sentence, a hundred marks, the curve, and what is not known."""

from __future__ import annotations

import math

import streamlit as st

from bedside.cohort import Unit, convert
from bedside.report import say
from components import desk
from components.figures.patient import patient_alt, patient_figure, patient_rows
from components.panels import page, patient_trust, patient_views, patient_why, save
from components.panels.patient_view import View, plainly

HEIGHT = 380


def panel(view: View) -> None:
    """In plain words and larger type; numbers of people only."""
    if view.beyond:
        with st.container(border=True, key="card_plain"):
            page.put('<p class="bs-large bs-beyond">{t}</p>', t=_nothing(view))
        return
    left, right = page.split("patient", 1, 1.12)
    with left, st.container(border=True, key="card_plain"):
        page.put('<p class="bs-large{thin}">{t}</p>', thin=" bs-thin" if view.thin else "", t=sentence(view))
        patient_views.icons_panel(view)
        page.put(
            '<p class="bs-large-aside">{t}</p>',
            t="Each mark stands for one person. Nobody can know beforehand which of them you will be.",
        )
    with right, st.container(border=True, key="card_plain_curve"):
        save.figure(
            lambda mode: patient_figure(view.curve, mode=mode, height=HEIGHT, plain_words=True),
            key="patient_curve", title=f"Of 100 people like you, how many are {plainly(view.outcome.free_phrase)}",
            lead=page.fill('<p class="bs-large-aside">{t}</p>', t=over_time(view)),
            alt=patient_alt(view.curve, plain_words=True),
            note="Solid: people with the same values as you. Dashed: everyone who was followed. Paler where only few "
            "people were followed for so long.",
            stem="patient-curve", rows=lambda: patient_rows(view.curve),
        )  # fmt: skip
    left, right = page.split("patient_plain", 1, 1.12)
    with left:
        with desk.fixable():
            patient_trust.panel(view)
        patient_why.plainly(view)
    with right, st.container(border=True, key="card_plain_unknown"):
        items = page.join(page.fill("<li>{t}</li>", t=t) for t in unknown(view))
        page.put('<p class="bs-large-head">What nobody knows</p><ul class="bs-large-list">{items}</ul>', items=items)


def sentence(view: View) -> str:
    """E.g. "Of 100 people with the same values as you, 63 have a recurrence or die within 5 years of surgery."""
    told = patient_views.counts(view)
    parts = [f"{one.said} {_does(view, one.key, one.phrase)}" for one in told]
    so_far = f" who have come {say.duration(view.alive, view.unit)} without it" if view.alive else ""
    within = f"within {say.duration(view.when, view.unit)} of {view.outcome.since}"
    rest = " and ".join([", ".join(parts[1:-1]), parts[-1]]) if len(parts) > 2 else parts[-1]
    return f"Of 100 people with the same values as you{so_far}, {parts[0]} {within}. The others: {rest}."


def _does(view: View, key: str, phrase: str) -> str:
    return f"are {phrase}" if key == "free" else phrase


def over_time(view: View) -> str:
    """The curve read aloud at two or three times."""
    told = []
    for i, t in enumerate(view.table.times):
        years = float(convert(float(t), view.outcome.unit, view.unit))
        if years <= view.when * (1 + 1e-9):
            told.append((years, view.table.said(i, len(view.table.states) - 1)))
    picked = [told[0], told[len(told) // 2], told[-1]] if len(told) > 2 else told
    said = "; ".join(f"after {_span(years, view.unit)}, {n} of 100" for years, n in dict(picked).items())
    return f"{plainly(view.outcome.free_phrase)[:1].upper()}{plainly(view.outcome.free_phrase)[1:]}: {said}."


def _span(value: float, unit: Unit) -> str:
    return say.duration(round(value, 6), unit)


def unknown(view: View) -> list[str]:
    """What the number can't say, in plain words."""
    model = view.model
    told = ["What will happen to you. The number is about many people like you, not about one person."]
    if view.limits and not math.isnan(view.lower) and not math.isnan(view.upper):
        ends = say.range_of_100(view.lower, view.upper)
        if " to " in ends:
            told.append(f"The exact number. With what is known today it may be anywhere from {ends} of 100.")
    told.append(
        f"Whether it is the same today. It was learnt from {model.n:,} people who were treated earlier; treatment may "
        "be better now."
    )
    if view.notes:
        told.append("Some of your results were missing or unusual, which makes the number less sure.")
    if view.thin:
        told.append("What happens so late: very few people were followed for so long.")
    told.append("Anything about you that is not among these results: how you live, what you wish for, what helps you.")
    return told


def _nothing(view: View) -> str:
    last = say.duration(view.curve.last, view.unit)
    return f"Nobody was followed for so long: after {last} nothing is known. A shorter time can be shown."
