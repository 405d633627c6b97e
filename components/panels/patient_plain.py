"""The page turned to the patient: one sentence, a hundred marks, the curve, and what is not known."""

from __future__ import annotations

import math

import streamlit as st

from bedside.cohort import Unit, convert
from bedside.report import say
from components import desk
from components.figures.patient import patient_alt, patient_figure, patient_rows
from components.panels import page, patient_trust, patient_views, patient_why, patient_words, save
from components.panels.patient_view import View

HEIGHT = 380


def panel(view: View) -> None:
    """In plain words and larger type; numbers of people only."""
    if view.beyond:
        with st.container(border=True, key="card_plain"):
            page.put('<p class="bs-large bs-beyond">{t}</p>', t=_nothing(view))
        return
    few = patient_trust.few_alike(view)
    left, right = page.split("patient", 1, 1.12)
    with left, st.container(border=True, key="card_plain"):
        page.put('<p class="bs-large{thin}">{t}</p>', thin=" bs-thin" if view.thin else "", t=sentence(view))
        page.put('<p class="bs-large-aside">{t}</p>', t=patient_words.off(view, few=few))
        patient_views.icons_panel(view)
        for told in (patient_words.together(view), patient_words.marks(view, few=few)):
            if told:
                page.put('<p class="bs-large-aside">{t}</p>', t=told)
    with right, st.container(border=True, key="card_plain_curve"):
        _curve(view)
    left, right = page.split("patient_plain", 1, 1.12)
    with left:
        with desk.fixable():
            patient_trust.panel(view)
        patient_why.plainly(view)
    with right, st.container(border=True, key="card_plain_unknown"):
        items = page.join(page.fill("<li>{t}</li>", t=t) for t in unknown(view, few=few))
        page.put('<p class="bs-large-head">What nobody knows</p><ul class="bs-large-list">{items}</ul>', items=items)


def _curve(view: View) -> None:
    shown = patient_words.curve(view)
    save.figure(
        lambda mode: patient_figure(shown, mode=mode, height=HEIGHT, plain_words=True),
        key="patient_curve", title=f"Of 100 people like you, how many are {patient_words.drawn(view)}",
        lead=page.fill('<p class="bs-large-aside">{t}</p>', t=over_time(view)),
        alt=patient_alt(shown, plain_words=True),
        note="Solid: people with the same values as you. Dashed: everyone who was followed. Paler where only few "
        "people were followed for so long.",
        stem="patient-curve", rows=lambda: patient_rows(shown),
    )  # fmt: skip


def sentence(view: View) -> str:
    """E.g. "Of 100 people with the same values as you, 63 have a recurrence or die within 5 years of surgery."""
    told = patient_views.counts(view)
    parts = [f"{_many(one.said)} {_does(one.key, one.phrase)}" for one in told]
    so_far = f" who have come {say.duration(view.alive, view.unit)} without it" if view.alive else ""
    within = f"within {say.duration(view.when, view.unit)} of {patient_words.since(view.outcome)}"
    start = f"Of 100 people with the same values as you{so_far}, {parts[0]} {within}."
    if len(parts) == 2 and not told[0].said[0].isdigit():
        return f"{start} {parts[1][:1].upper()}{parts[1][1:]}."
    rest = " and ".join([", ".join(parts[1:-1]), parts[-1]]) if len(parts) > 2 else parts[-1]
    return f"{start} The others: {rest}."


def _many(said: str) -> str:
    """A number with a word where it is none of a hundred, or all."""
    if said[0].isdigit():
        return said
    return f"{'nearly all' if said.startswith('more') else 'hardly any'} ({said})"


def _does(key: str, phrase: str) -> str:
    return f"are {phrase}" if key == "free" else phrase


def over_time(view: View) -> str:
    """The curve read aloud at two or three times: the same people as are drawn."""
    told = []
    for i, t in enumerate(view.table.times):
        years = float(convert(float(t), view.outcome.unit, view.unit))
        if years <= view.when * (1 + 1e-9):
            told.append((years, _left(view.table.said(i, 0))))
    picked = [told[0], told[len(told) // 2], told[-1]] if len(told) > 2 else told
    said = "; ".join(f"after {_span(years, view.unit)}, {n} of 100" for years, n in dict(picked).items())
    are = patient_words.drawn(view)
    return f"{are[:1].upper()}{are[1:]}: {said}.{patient_words.among_drawn(view)}"


def _left(said: str) -> str:
    """All but so many of 100."""
    if said[0].isdigit():
        return str(100 - int(said))
    return said.replace("more than 99", "fewer than 1") if said.startswith("more") else "more than 99"


def _span(value: float, unit: Unit) -> str:
    return say.duration(round(value, 6), unit)


def unknown(view: View, *, few: bool) -> list[str]:
    """What the number can't say, in plain words."""
    told = ["What will happen to you. The number is about many people like you, not about one person."]
    told.append(_exact(view, few=few))
    if patient_words.treated(view.cohort, view.outcome):
        whom, change = "treated", "treatment may be better now"
    else:
        whom, change = "followed", "things may have changed since"
    told.append(
        f"Whether it is the same today. It was learnt from {view.model.n:,} people who were {whom} earlier; {change}."
    )
    if view.notes:
        told.append("Some of your results were missing or unusual, which makes the number less sure.")
    if view.thin:
        told.append("What happens so late: very few people were followed for so long.")
    told.append("Anything about you that is not among these results: how you live, what you wish for, what helps you.")
    return told


def _exact(view: View, *, few: bool) -> str:
    """That the number is not exact: never left out."""
    if not view.limits or math.isnan(view.lower) or math.isnan(view.upper):
        return "The exact number. How far it may be from this one is not known."
    ends = say.range_of_100(view.lower, view.upper)
    if " to " in ends:
        return f"The exact number. With what is known today it may be anywhere from {ends} of 100."
    if few:
        return "The exact number. Few people here were like you, so it may be further off than it seems."
    return "The exact number. It is worked out from other people, and may be off for you."


def _nothing(view: View) -> str:
    last = say.duration(view.curve.last, view.unit)
    return f"Nobody was followed for so long: after {last} nothing is known. A shorter time can be shown."
