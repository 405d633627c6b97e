"""A model fitted to patients from elsewhere: its baseline, or baseline and slope; before and after, and saving it."""

from __future__ import annotations

import math

import streamlit as st
from pydantic import ValidationError

from bedside.cohort import Unit, convert
from bedside.errors import Fixable
from bedside.report import say
from bedside.report.made import Made
from bedside.report.made_external import external_made
from bedside.report.model_card import ModelCard, model_card
from bedside.report.model_card_updated import updated_card
from bedside.store import models
from bedside.validation.external import ENOUGH_EVENTS
from bedside.validation.external_map import Mapping
from bedside.validation.recalibrate import Update
from bedside.validation.recalibrated import How
from components import desk, numbers_external
from components.numbers_external import Pair
from components.panels import external_result, page, save
from components.panels import external_words as words
from components.text import md

WAYS: dict[How, str] = {"baseline": "Baseline only", "slope": "Baseline and slope"}
HELP = (
    "The baseline sets how high risks are on average; the slope, how far apart those of different patients are. Which "
    "patients have a higher risk than others stays as it was. The fewer events, the less should be updated."
)
LONGEST_NAME, LONGEST_NOTE = 120, 2000


def card(pair: Pair, mapping: Mapping, when: float, unit: Unit, *, confirmed: bool) -> None:
    """The choice, what it gives, and saving it."""
    t = float(convert(when, unit, pair.outcome.unit))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        with st.container(width="stretch"):
            page.heading("Update it to these patients", f"within {say.duration(when, unit)}")
        with st.container(key="screen_external_update", width="content"):
            how = st.segmented_control(
                "What is fitted anew", list(WAYS), format_func=WAYS.__getitem__, required=True, default="baseline",
                key="external_how", persist_state="session", help=HELP,
            )  # fmt: skip
    if not numbers_external.at_once(pair, numbers_external.MOST_UPDATED) and not _started(pair):
        return
    update = numbers_external.updated(pair, mapping, t, how, confirmed=confirmed)
    if update is None:
        return
    page.put("<p>{t}</p>", t=_answer(update))
    for caution in update.cautions:
        page.caution(caution)
    left, right = page.split("external_update", 1, 1)
    with left:
        _table(pair, update, say.duration(when, unit))
    with right:
        _figure(pair, update, say.duration(when, unit))
    panel = st.expander("Save the updated model", key="external_save", icon=":material/save:", on_change="rerun")
    if panel.open:
        with panel, desk.fixable():
            _save(pair, update)


def _started(pair: Pair) -> bool:
    """True once the reader has asked for an update that takes a while."""
    key = f"external_started_{numbers_external.mark_of(pair)}"
    if not st.session_state.get(key):
        st.button("Update it: this takes a while", key="external_start", icon=":material/play_arrow:",
                  on_click=st.session_state.__setitem__, args=(key, True))  # fmt: skip
        return False
    return True


def _answer(update: Update) -> str:
    """Before and after in a sentence."""
    before, after = update.before.performance.at[-1].overall, update.after.at[-1].overall
    slope = update.model.slope
    drawn = f" Risks are {_drawn(slope.value)} (slope {words.estimate(slope)})."
    steeper = "" if update.model.how == "baseline" else drawn
    return (
        f"Expected before {say.of_100(before.expected)}, after {say.of_100(after.expected)}; observed "
        f"{say.of_100(after.observed.risk)} ({say.range_of_100(after.observed.lower, after.observed.upper)}).{steeper} "
        f"{_spread_after(update)}{update.sentence}"
    )


def _spread_after(update: Update) -> str:
    """What an update of the baseline leaves as it was, and whether the slope should be updated too."""
    slope = update.after.at[-1].slope
    if update.model.how != "baseline" or math.isnan(slope.value):
        return ""
    right = slope.lower <= 1 <= slope.upper
    p = update.before.performance
    if right:
        return f"The average is put right; how far risks lie apart is as before (slope {words.estimate(slope)}). "
    more = (
        "“Baseline and slope” would draw them to it"
        if p.n_events >= ENOUGH_EVENTS
        else f"“Baseline and slope” may help, but {say.events(p.n_events)} tell little of a slope: look at both"
    )
    far = update.after.slope
    if far.lower <= 1 <= far.upper:
        both = f"slope {words.estimate(slope)}, over all follow-up {words.estimate(far)}"
        return f"The average is put right; the spread may still be off ({both}). {more}. "
    return f"The average is put right, the spread is not (slope {words.estimate(slope)}). {more}. "


def _drawn(slope: float) -> str:
    return "drawn together" if slope < 1 else "drawn apart"


def _table(pair: Pair, update: Update, at: str) -> None:
    km = "Aalen-Johansen" if update.before.rows.competes else "Kaplan-Meier"
    sides = [words.measures(p, at, km) for p in (update.before.performance, update.after, update.apparent)]
    header = ("Measure", "Before (95%)", "After, on others (95%)")
    rows = [
        (name, words.estimate(before), words.estimate(after))
        for (name, _, before), (_, _, after), _ in zip(*sides, strict=True)
    ]
    page.table(header, rows, label="Before and after the update")
    note = (
        f"{words.basis(update.before)} After: each patient's risk from updates on the others, {update.folds}-fold "
        f"cross-validation, {update.repeats} times."
    )
    page.caption(note)
    save.numbers(
        "external_before_after", stem="before-and-after-update", title="Before and after the update", note=note,
        rows=lambda: _unrounded(sides), shown=lambda: (header, rows), made=lambda: _made(pair, update),
        cautions=update.cautions,
    )  # fmt: skip


def _unrounded(sides: list) -> save.Rows:
    names = ("before", "after, cross-validated", "after, on the same patients")
    header = ["measure", "when", "value", "standard error", "lower", "upper"]
    return header, [
        [name, side, v.value, v.std_err, v.lower, v.upper]
        for side, told in zip(names, sides, strict=True) for name, _, v in told
    ]  # fmt: skip


def _made(pair: Pair, update: Update) -> Made:
    what = "its baseline" if update.model.how == "baseline" else "its baseline and calibration slope"
    told = (
        f"The model was then recalibrated to these patients ({what}), and the update judged by {update.folds}-fold "
        f"cross-validation, repeated {update.repeats} times, with each patient's risks averaged."
    )
    return external_made(pair.model, update.before, pair.outcome, pair.patients.fingerprint, updated=told)


def _figure(pair: Pair, update: Update, at: str) -> None:
    external_result.calibration(
        pair, update.after.at[-1], update.risk[:, -1], key="external_after", title="After the update",
        aside=f"within {at}, {WAYS[update.model.how].lower()}, cross-validated", later=True, stem="calibration-updated",
        note=f"{words.basis(update.before)} Points and curve: risks from updates on the other patients.",
        made=lambda: _made(pair, update), over_all=update.after.slope,
    )  # fmt: skip


# ------------------------------------------------------------------ saving


def _save(pair: Pair, update: Update) -> None:
    page.caption(
        "The update on all of these patients is kept among the saved models, with the card of the model it was and "
        "what was measured here. The file holds no patient's row."
    )
    first = pair.saved.about.name if pair.saved is not None else pair.model.outcome.label
    with st.form("external_save_form", border=False):
        name = st.text_input(
            "Name", value=f"{first}, updated for {pair.patients.short_title}"[:LONGEST_NAME], max_chars=LONGEST_NAME,
            key="external_save_name",
        )  # fmt: skip
        note = st.text_area("Note", max_chars=LONGEST_NOTE, key="external_save_note", height=80)
        pressed = st.form_submit_button("Save", type="primary", key="external_save_now")
    if not pressed:
        return
    base = _card_before(pair)
    made = None if base is None else updated_card(base, update, note=note).as_json()
    origin = pair.saved.about.cohort_title if pair.saved is not None else pair.training.short_title  # type: ignore[union-attr]
    entry = models.save_model(update.model, name.strip(), note=note, cohort_title=origin, card=made)
    st.success(md(f"Saved as “{name.strip()}”, version {entry.version}."), icon=":material/check:")
    if base is None:
        page.caption("It has no card: the model it was made of was saved without one.")


def _card_before(pair: Pair) -> ModelCard | None:
    """The card of the model as it was: made anew where its patients are at hand, else the one it was saved with."""
    if pair.training is not None and pair.training.fingerprint == pair.model.cohort_fingerprint:
        return model_card(pair.model, pair.training)
    if pair.saved is None or not pair.saved.about.card:
        return None
    try:
        return ModelCard.model_validate(pair.saved.about.card)
    except ValidationError:
        raise Fixable(
            "The updated model was not saved.", "The card of the model it was made of can't be read.",
            "Save that model again from the page Model, with a card of this version.",
        ) from None  # fmt: skip
