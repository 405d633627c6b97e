"""How far this number holds for this patient: how the model did on others, who is alike, what is unusual or missing."""

from __future__ import annotations

import re

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from bedside.cohort import Cohort
from bedside.errors import Fixable
from bedside.patient import Evidence, ground
from bedside.patient.evidence import FAR, Band, evidence
from bedside.report import say
from bedside.validation import Resampled
from components import desk, model_choice, numbers_models, unseen
from components.panels import page
from components.panels.patient_view import View

NAMED = 3
YEAR = re.compile(r"\b(?:19|20)\d\d\b")
SLIGHT = 0.02  # no further beyond the risks that were checked is as good as among them
WAITING = ("Being checked", "on patients it had not seen")


def panel(view: View, verdict: DeltaGenerator | None = None) -> None:
    """One strip, and every caution that is about this patient; in a word under the risk itself (`verdict`)."""
    if view.beyond:
        return
    with st.container(border=True, key="card_trust"):
        done, missing = _checked(view)
        found = _evidence(view, done)
        facts = [missing] if done is None else _record(view, done, found.band)
        model = view.model
        behind = f"and {say.events(model.n_events)} behind the model, this patient among them"
        page.strip([*facts, (say.patients(model.n), behind), _filled(view)])
        page.caption(within(found, view.by))
        page.caption(learnt_from(view.cohort))
        if found.outlying:
            page.caution(_alone(found))
        if done is not None:
            _weak(unseen.ranking(done, view.choice.kind))
        for note in (*view.notes, *model.cautions):
            page.caution(note)
        _left_out(view)
    if verdict is not None:
        with verdict:
            _verdict(found, done)


def _checked(view: View) -> tuple[Resampled | None, tuple[str, str]]:
    """The chosen model on patients it had not seen, as the model's own page has it; while there is none, why."""
    try:
        if not numbers_models.unasked(view.cohort, view.outcome, view.choice):
            return None, ("Not checked here", "this takes minutes: see Validation")
        return numbers_models.checked(view.cohort, view.outcome, view.choice, view.t), WAITING
    except Fixable:
        return None, ("Not checked", "too few patients to hold some back")


def _evidence(view: View, done: Resampled | None) -> Evidence:
    """What stands behind this risk, worked out once for a model and once for a patient."""
    key = (*model_choice.key(view.cohort, view.outcome, view.choice), view.model.fingerprint)

    def prepared() -> object:
        with desk.progress("Looking for patients alike"):
            return ground(view.model, model_choice.rows(view.cohort, view.outcome, view.choice))

    def make() -> Evidence:
        on = desk.kept(("patient ground", *key), prepared)
        patient = view.cohort.frame.iloc[[view.row]]
        return evidence(on, patient, view.t, leave_out=view.row, found=done, kind=view.choice.kind)

    return desk.kept(("patient evidence", *key, view.row, view.t, done is not None), make)


def learnt_from(cohort: Cohort) -> str:
    """Whom the model learnt from, where and when, as far as the dictionary says."""
    whom = (cohort.population or cohort.title).rstrip(".")
    told = f"Learnt from: {say.in_sentence(whom)}."
    if YEAR.search(whom):
        return f"{told} Outcomes may be others today."
    reported = YEAR.search(cohort.source.citation)
    report = f", the source cited is of {reported[0]}" if reported else ""
    return f"{told} When they were recruited is not recorded{report}: outcomes may be others today."


# ------------------------------------------------------------------ near this risk


def strays(band: Band, risk: float) -> bool:
    """True if the patients nearest in risk are not near: what became of them says little of this one."""
    return abs(risk - band.predicted) > FAR or not band.low - SLIGHT <= risk <= band.high + SLIGHT


def told(band: Band) -> str:
    """What was said of the nearest and what happened to them."""
    return (
        f"{say.of_100(band.predicted).removesuffix(' of 100')} of 100 said, "
        f"{say.of_100(band.observed).removesuffix(' of 100')} happened ({_between(band)})"
    )


def _between(band: Band) -> str:
    # Where none or all of them had it, there is no interval that could be believed.
    return say.range_of_100(band.lower, band.upper) if 0 < band.observed < 1 else "no interval"


def _record(view: View, done: Resampled, band: Band | None) -> list[tuple[str, str]]:
    """Ranking, and what became of the patients whose predictions lay nearest this one."""
    ranked = unseen.ranking(done, view.choice.kind)
    facts = []
    if ranked.c == ranked.c:
        what = "ranked rightly among patients it had not seen; a coin: 50"
        facts.append((f"{say.of_100(ranked.c)} pairs{ranked.between}", what))
    if band is not None and band.observed == band.observed:
        said = say.of_100(band.predicted).removesuffix(" of 100")
        spread = say.range_of_100(band.low, band.high)
        facts.append(
            (
                f"{say.of_100(band.observed)} ({_between(band)})",
                f"had it among the {band.n:,} patients nearest in risk (said {spread} before it had seen them, {said} "
                "on average)",
            )
        )
    return facts


def _verdict(found: Evidence, done: Resampled | None) -> None:
    """The check in one line, under the risk."""
    band = found.band
    if band is None:
        page.caption("Not yet checked on patients it had not seen." if done is None else "Not checked.")
    elif band.observed != band.observed:
        page.caption("Not checked: patients with such risks were not followed long enough.")
    elif strays(band, found.risk):
        page.caution(" ".join([_unchecked(band, found.risk), *_off(band, "The nearest risks")]))
    elif off := _off(band, "Risks like this one"):
        page.caution(off[0])
    else:
        page.caption(f"Checked on the {band.n:,} patients nearest in risk: {told(band)}.")


def _unchecked(band: Band, risk: float) -> str:
    what = "high" if risk > band.predicted else "low"
    return (
        f"Hardly any patient here had a risk as {what} as this one, so it could not be checked "
        f"(nearest {band.n:,}: {say.range_of_100(band.low, band.high)} of 100)."
    )


def _off(band: Band, which: str) -> list[str]:
    """The sentence that says that such risks did not come true; none where they may have."""
    if band.verdict not in ("too high", "too low"):
        return []
    return [f"{which} have been {band.verdict} here: {told(band)}."]


# ------------------------------------------------------------------ this patient among the others


def within(found: Evidence, by: str) -> str:
    """Whether the patient is one of a kind that the model has seen, with the patients who are alike."""
    if found.outside:
        out = [
            f"{say.in_sentence(each.variable.label)} {each.said} (seen: {each.low} to {each.high})"
            for each in found.outside
        ]
        start = f"Outside the data: {', '.join(out)}."
    else:
        start = "Within the data: every known value is in the range that patients here had."
    return f"{start} {_alike(found, by)}"


def _alike(found: Evidence, by: str) -> str:
    means = "all differences together change the hazard less than twofold"
    if found.metric_unit == "risk":
        means = f"all differences together change the risk by less than {100 * found.close:.0f} points"
    count = found.alike.value
    if count is None and found.alike_events.of == 0:
        return f"Fewer than 10 other patients are much like this one ({means})."
    if not count:
        return f"No other patient is much like this one ({means})."
    had = found.alike_events.value
    events = "how many had the event is not shown (fewer than 10, or nearly all)"
    if had is not None:
        events = f"{had:,} of them had the event {by}"
    return f"{count:,} other patients are much like this one ({means}); {events}."


def _alone(found: Evidence) -> str:
    share = f"only {100 * found.further:.0f} of 100 patients here are"
    if found.further < 0.01:
        share = "no patient here is" if found.further == 0 else "fewer than 1 of 100 patients here are"
    return (
        f"An unusual patient: {share} further from the typical one. The risk rests on the shape of the model more than "
        "on patients like this, which the interval does not count."
    )


def _weak(found: unseen.Ranking) -> None:
    if found.verdict:
        page.caution(
            f"Of 100 pairs of patients it had not seen, the model ranks {100 * found.c:.0f} rightly{found.between}, "
            f"{found.verdict}."
        )


def _filled(view: View) -> tuple[str, str]:
    record = view.cohort.frame.iloc[view.row]
    used = [reading.variable for reading in view.model.design.readings]
    missing = [v.label for v in used if v.name not in record or record[v.name] != record[v.name]]
    if not missing:
        return "Nothing filled in", f"all {len(used)} values are known"
    if len(missing) == len(used):
        return "All filled in", "nothing the model asks for is known: this is the risk of a typical patient"
    return f"{len(missing)} filled in", ", ".join(missing)


def _left_out(view: View) -> None:
    """What is recorded and does not count."""
    labels = [v.label for v in view.cohort.filterable if v.name in view.choice.left_out]
    if labels:
        more = f" and {len(labels) - NAMED} more" if len(labels) > NAMED else ""
        page.caution(f"Left out of the model by choice: {', '.join(labels[:NAMED])}{more}.")
    read = {reading.variable.name for reading in view.model.design.readings}
    unused = len([v for v in view.cohort.filterable if v.use == "optional" and v.name not in read])
    if unused:
        page.caption(f"{unused} further variable{'s are' if unused > 1 else ' is'} recorded and not used here.")
