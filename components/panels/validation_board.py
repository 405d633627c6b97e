"""How well a model does on patients it has not seen: the answer, and models side by side."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from bedside.cohort import Cohort, Outcome, convert
from bedside.report import say
from bedside.report.made import Made
from bedside.report.made_validation import validation_made
from bedside.validation import Comparison, Resampled
from components import desk, model_choice, unseen
from components import numbers_validation as numbers
from components.panels import page, save, validation_optimism
from components.panels import validation_words as words
from components.panels.validation_choices import Shown

LARGE = 200_000
"""Patients times columns beyond which models are compared only when the reader asks: it takes minutes."""


def show(cohort: Cohort, outcome: Outcome, shown: Shown) -> Resampled | None:
    """Answer, table and differences; returns what the figures are drawn from, None while it is being made."""
    answer = st.container()
    quick = None if shown.ask.way == "training" else numbers.at_once(cohort, outcome, shown.ask)
    with st.container(border=True, key="card_validation_models"), desk.fixable():
        of = _side_by_side(cohort, outcome, shown)
    of = quick if of is None else of
    with answer, desk.fixable():
        _answer(cohort, outcome, shown, of)
    return of if of is not None and shown.kind in of.labels else None


def _answer(cohort: Cohort, outcome: Outcome, shown: Shown, of: Resampled | None) -> None:
    label = model_choice.named(shown.kind)
    if of is None:
        page.put(
            '<p class="bs-lead">{t}</p>',
            t=f"The {label} is not yet checked on patients it has not seen: that is being done below.",
        )
        return
    if shown.kind not in of.labels:
        page.put('<p class="bs-lead">{t}</p>', t=f"The {label} could not be checked here.")
        page.caption(of.failed.get(shown.kind, ""))
        return
    if shown.ask.way == "training":
        page.warn("On the training data: each model is asked about the patients it learnt from, so all of this is "
                  "better than it will be on others.")  # fmt: skip
    found = numbers.judged(cohort, outcome, shown.ask, of, shown.kind)
    useful = shown.ask.way == "training" or numbers.better_than_average(cohort, outcome, shown.ask, of, shown.kind)
    text = page.fill(
        "{a} {b}{c}", a=words.ranking(unseen.ranking(of, shown.kind), label),
        b=unseen.ends(unseen.parts(of, shown.kind, shown.ask.t), shown.within),
        c="" if useful else page.fill(" <b>{t}</b>", t=unseen.NO_BETTER),
    )  # fmt: skip
    page.lead(text, of="validation_calibration")
    page.caption(f"{words.truth(found, shown.within)} {basis(of, outcome)}")


def basis(of: Resampled, outcome: Outcome, *, averaged: bool = False) -> str:
    """Under each figure: patients, events and where the numbers come from; `averaged` risks if there are repeats."""
    text = f"{say.patients(len(of.rows.time))}, {say.events(int((of.rows.cause == 1).sum()))}; {numbers.where(of)}."
    notes = [note for note in of.notes if "is not compared" not in note]
    if averaged and of.repeats > 1:
        notes.append(f"Each patient's risk is the mean of {of.repeats} models that had not seen them, one a repeat, "
                     "which does a little better than any one of them.")  # fmt: skip
    return " ".join((text, *notes))


def made(cohort: Cohort, outcome: Outcome, shown: Shown, of: Resampled) -> Callable[[], Made]:
    """How the page's numbers were made."""
    kind = shown.kind if shown.kind in of.labels else next(iter(of.labels))
    return lambda: validation_made(of, outcome, shown.ask.t, kind, cohort.fingerprint)


# ------------------------------------------------------------------ side by side


def _side_by_side(cohort: Cohort, outcome: Outcome, shown: Shown) -> Resampled | None:
    head = st.container()
    of = _found(cohort, outcome, shown)
    if of is None:
        with head:
            page.heading("Models side by side", "on the same patients, none of whom they had seen")
        return None
    table = numbers.comparison(cohort, outcome, shown.ask, of)
    for why in of.failed.values():
        page.caption(why)
    if shown.ask.way == "bootstrap":
        validation_optimism.show(cohort, outcome, shown, head)
    else:
        _table(cohort, table, outcome, shown, of, head)
    if len(table.cards) > 1 and shown.kind in of.labels:
        _differences(table, outcome, shown, of)
    return of


def _found(cohort: Cohort, outcome: Outcome, shown: Shown) -> Resampled | None:
    learnt = model_choice.rows(cohort, outcome, shown.ask.choice)
    several = len(shown.ask.kinds) > 1
    if several and len(learnt) * max(len(learnt.variables), 1) > LARGE:
        key = f"validation_started_{cohort.key}"
        if not st.session_state.get(key):
            st.button("Compare the models: some minutes", key="validation_start", icon=":material/play_arrow:",
                      on_click=lambda: st.session_state.__setitem__(key, True))  # fmt: skip
            return None
    return numbers.found(cohort, outcome, shown.ask, shown.ask.kinds)


def _table(
    cohort: Cohort, table: Comparison, outcome: Outcome, shown: Shown, of: Resampled, head: DeltaGenerator
) -> None:
    together = numbers.together(cohort, outcome, shown.ask, of)
    rows = words.scores(table, shown.ask.t, numbers.CARD_MEASURES, shown.at, together)
    header = ["Measure", *(card.label for card in table.cards), table.baseline.label]
    spread = "mean, 95% interval and SD over folds" if of.folds > 1 else "on the training data"
    with head:
        page.heading("Models side by side", spread)
        if len(table.cards) > 1 and of.folds > 1:
            page.put("<p>{t}</p>", t=" ".join(words.reading(table)))
    page.table(
        ["Measure", *(_short(card.label) for card in (*table.cards, table.baseline))],
        [(_first(name, words.READ[key]), *map(_split, cells)) for key, name, cells in rows],
        label="Models side by side",
    )
    last = float(convert(float(of.times[-1]), outcome.unit, shown.unit))
    until = say.duration(last, shown.unit)
    note = (
        f"{basis(of, outcome)} {_baseline(table.baseline.label, of)} Uno's C and the integrated Brier score go up to "
        f"{until}; Harrell's C takes all of follow-up. {_pooled(of)}"
    )
    page.caption(note)
    save.numbers(
        "validation_table", stem="models-side-by-side", rows=lambda: _unrounded(table, together, shown.ask.t),
        title="Models side by side",
        note=note, shown=lambda: (header, [[name, *cells] for _, name, cells in rows]),
        made=made(cohort, outcome, shown, of),
    )  # fmt: skip


def _baseline(label: str, of: Resampled) -> str:
    learnt = "" if of.folds == 1 else ", that of the patients the models learnt from,"
    return f"{label}: the same risk{learnt} for everybody; the index of prediction accuracy is against it."


def _pooled(of: Resampled) -> str:
    if of.folds == 1:
        return ""
    repeats = ", each repeat apart, then averaged" if of.repeats > 1 else ""
    return f"Calibration slope and index are of all patients together{repeats}: in a small fold they are mostly noise."


def _unrounded(table: Comparison, together: words.Together, t: float) -> save.Rows:
    cards = (*table.cards, table.baseline)
    rows: list[list[object]] = [
        [card.label, s.name, s.t, s.mean, s.sd, *s.folds] for card in cards for s in card.scores
    ]
    folds = len(table.baseline.scores[0].folds)
    rows += [
        [card.label, f"{card.get(key, t).name}, all patients together", t, value, None, *([None] * folds)]
        for card in table.cards
        for key, value in together[card.kind].items()
    ]
    return ["model", "measure", f"time ({table.unit})", "mean", "SD", *(f"fold {k + 1}" for k in range(folds))], rows


def _differences(table: Comparison, outcome: Outcome, shown: Shown, of: Resampled) -> None:
    t = shown.ask.t
    others = [card for card in (*table.cards, table.baseline) if card.kind != shown.kind]
    told = [
        (words.named(table.card(shown.kind).get(key, t), shown.at),
         [words.against(table, card.kind, shown.kind, key, t) for card in others])
        for key in words.DIFFERENCES
    ]  # fmt: skip
    page.heading(f"Compared with the {model_choice.named(shown.kind)}", "difference, 95% interval over folds")
    header = ["Measure", *(card.label for card in others)]
    page.table(
        ["Measure", *(_short(card.label) for card in others)],
        [(_first(name), *(_lines(*cell) for cell in cells)) for name, cells in told],
        label="Differences",
    )
    note = (
        "Higher is better for C and AUC, lower for the others. The interval allows for training parts that overlap "
        "(Nadeau and Bengio); “within noise” where it holds 0, “too small to matter” below 0.005, of Brier scores "
        f"below 2% of that of the same risk for everybody. {basis(of, outcome)}"
    )
    page.caption(note)
    save.numbers(
        "validation_differences", stem="differences-of-models", note=note, rows=lambda: _all_differences(table),
        title=f"Compared with the {model_choice.named(shown.kind)}",
        shown=lambda: (header, [[name, *(" ".join(cell) for cell in cells)] for name, cells in told]),
    )  # fmt: skip


def _short(label: str) -> str:
    return {"Cox model": "Cox", "Average of Cox and forest": "Average"}.get(label, label)


def _lines(value: str, *quiet: str) -> page.Markup:
    """A number with quiet lines below it, so that several columns fit on a narrow page."""
    more = page.join(
        page.fill('<br><span class="bs-muted" style="white-space:normal">{q}</span>', q=each) for each in quiet if each
    )
    return page.fill("{v}{more}", v=value, more=more)


def _first(name: str, reading: str = "") -> page.Markup:
    told = page.fill('<br><span class="bs-muted">{r}</span>', r=reading) if reading else ""
    return page.fill('<div style="min-width:8rem">{n}{told}</div>', n=name, told=told)


def _split(cell: str) -> page.Markup:
    """A number, with its interval and the number of folds in brackets below it."""
    value, *quiet = cell.split(" (")
    return _lines(value, *(f"({each}" for each in quiet))


def _all_differences(table: Comparison) -> save.Rows:
    header = ["model", "against", "measure", f"time ({table.unit})", "difference", "standard error", "lower", "upper",
              "p", "reading"]  # fmt: skip
    return header, [
        [d.first, d.second, d.name, d.t, d.mean, d.std_err, d.lower, d.upper, d.p, d.verdict] for d in table.differences
    ]
