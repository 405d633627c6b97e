"""What the short lines on how sure a number is leave out, for whoever asks."""

from __future__ import annotations

import re

import streamlit as st

from bedside.cohort import Cohort
from bedside.explain.contributions import readings_of
from bedside.patient import Evidence
from bedside.report import say
from bedside.risk.coverage import beside_limits, coverage_of
from bedside.risk.variability import Varied
from bedside.validation import Resampled
from components import unseen
from components.panels import page, patient_sure
from components.panels.patient_view import View

NAMED = 3
YEAR = re.compile(r"\b(?:19|20)\d\d\b")


def more(view: View, found: Evidence, done: Resampled | None, waits: str) -> None:
    """Behind a word: nothing of it is worked out before somebody asks."""
    panel = st.popover("More", key="patient_trust_more", type="tertiary", on_change="rerun")
    if not panel.open:
        return
    with panel:
        model = view.model
        behind = f"and {say.events(model.n_events)} behind the model, this patient among them"
        record = [(waits, "")] if done is None else _record(view, done, found)
        page.strip([*record, (say.patients(model.n), behind), _filled(view, found)])
        for sentence in _sentences(view, found, done):
            page.caption(sentence)
        for note in (*_alone(found), *view.notes, *model.cautions, *_left_out(view), *not_used(view)):
            page.caution(note)


def _record(view: View, done: Resampled, found: Evidence) -> list[tuple[str, str]]:
    """Ranking, and what became of the patients whose predictions lay nearest this one."""
    ranked, band = unseen.ranking(done, view.choice.kind), found.band
    facts = []
    if ranked.c == ranked.c:
        what = "ranked rightly among patients it had not seen; a coin: 50"
        facts.append((f"{say.of_100(ranked.c)} pairs{ranked.between}", what))
    if band is not None and band.observed == band.observed:
        said = say.of_100(band.predicted).removesuffix(" of 100")
        spread = say.range_of_100(band.low, band.high)
        so_far = f" and {view.so_far.removeprefix('having been ')}" if view.alive else ""
        what = (
            f"had it among the {band.n:,} patients nearest in risk{so_far} (said {spread} before it had seen them, "
            f"{said} on average)"
        )
        facts.append((f"{say.of_100(band.observed)} ({patient_sure.between(band)})", what))
    return facts


def _sentences(view: View, found: Evidence, done: Resampled | None) -> list[str]:
    told = [within(found, view.by)]
    band = found.band
    if band is not None and band.observed == band.observed and patient_sure.strays(band, found.risk):
        what = "high" if found.risk > band.predicted else "low"
        told.append(
            f"Hardly any patient here had a risk as {what} as this one, so it could not be checked (nearest "
            f"{band.n:,}: {say.range_of_100(band.low, band.high)} of 100; {patient_sure.told(band)})."
        )
    told += [learnt_from(view.cohort), *interval(view)]
    read = {reading.variable.name for reading in view.model.design.readings}
    unused = len([v for v in view.cohort.filterable if v.use == "optional" and v.name not in read])
    if unused:
        told.append(f"{unused} further variable{'s are' if unused > 1 else ' is'} recorded and not used here.")
    return told


def interval(view: View) -> list[str]:
    """Whose variance the interval has, and how often such an interval held the truth."""
    told, measured = [beside_limits(view.model)] if view.limits else [], coverage_of(view.model)
    if measured is not None and view.limits and measured.sentence not in told:
        low, middle, high = measured.counts
        told.append(
            f"In simulations such an interval ({measured.said}) held the true risk in {low} / {middle} / {high} of 100 "
            f"patients of low / middle / high risk ({measured.cohorts:,} cohorts of {measured.patients:,}), the truth "
            f"being of its form.{measured.of_form}"
        )
    return [each for each in told if each]


def learnt_from(cohort: Cohort) -> str:
    """Whom the model learnt from, where and when, as far as the dictionary says."""
    whom = (cohort.population or cohort.title).rstrip(".")
    told = f"Learnt from: {say.in_sentence(whom)}."
    if YEAR.search(whom):
        return f"{told} Outcomes may be others today."
    reported = YEAR.search(cohort.source.citation)
    report = f", the source cited is of {reported[0]}" if reported else ""
    return f"{told} When they were recruited is not recorded{report}: outcomes may be others today."


def within(found: Evidence, by: str) -> str:
    """Whether the patient is one of a kind that the model has seen, with the patients who are alike."""
    if found.bare:
        return "Nothing is known of what the model asks for, so nobody can be called similar."
    if found.outside:
        start = f"{patient_sure.outside(found)}."
    else:
        start = "Within the data: every known value is in the range that patients here had."
    return f"{start} {_alike(found, by)}"


def _alike(found: Evidence, by: str) -> str:
    means = patient_sure.means(found.metric_unit, found.close)
    count = found.alike.value
    if count is None and found.alike_events.of == 0:
        return f"Fewer than 10 other patients are much like this one ({means})."
    if not count:
        return f"No other patient is much like this one ({means})."
    had = found.alike_events.value
    told = f"{count:,} other patients are much like this one ({means}); {patient_sure.happened(found, by)}"
    return f"{told}." if had is None else f"{told}: {say.events(had)} seen, those not followed so long allowed for."


def _alone(found: Evidence) -> list[str]:
    if not found.outlying or found.bare:
        return []
    share = f"only {100 * found.further:.0f} of 100 patients here are"
    if found.further < 0.01:
        share = "no patient here is" if found.further == 0 else "fewer than 1 of 100 patients here are"
    return [
        f"An unusual patient: {share} further from the typical one. The risk rests on the shape of the model more than "
        "on patients like this, which the interval does not count."
    ]


def _filled(view: View, found: Evidence) -> tuple[str, str]:
    asked, missing = len(view.model.design.readings), [v.label for v in found.filled]
    if not missing:
        return "Nothing filled in", f"all {asked} values are known"
    if len(missing) == asked:
        return "All filled in", "nothing the model asks for is known: this is the risk of a typical patient"
    return f"{len(missing)} filled in", ", ".join(missing)


def not_used(view: View) -> list[str]:
    """What the model was given and could not use, and why."""
    model = view.model.model if isinstance(view.model, Varied) else view.model
    read, labels = readings_of(model), {v.name: v.label for v in view.cohort.filterable}
    why = {each.variable: each.why for each in model.design.dropped if each.variable not in read}
    if not why:
        return []
    names = [labels.get(name, name) for name in why]
    rest = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return [" ".join((f"Not used by this model: {', '.join(names[:NAMED])}{rest}.", *list(why.values())[:NAMED]))]


def _left_out(view: View) -> list[str]:
    """What is recorded and does not count."""
    labels = [v.label for v in view.cohort.filterable if v.name in view.choice.left_out]
    if not labels:
        return []
    rest = f" and {len(labels) - NAMED} more" if len(labels) > NAMED else ""
    return [f"Left out of the model by choice: {', '.join(labels[:NAMED])}{rest}."]
