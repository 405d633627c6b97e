"""Who is who, what happened and when, and the sentence about it that has to be confirmed."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import Any
from zoneinfo import available_timezones

import streamlit as st

from bedside.intake import opening
from bedside.intake.building import Report
from bedside.intake.plan import Guess, OutcomePlan, Plan
from components.importing import Import, fitted
from components.panels import import_columns, import_counts, import_meanings, page
from components.panels import import_fields as fields
from components.panels.import_words import LIKELY, certain, left_said, outcome_said
from components.text import md

MANY = 300
"""Columns from which on a list offers only those of the right kind."""
UNITS = {"days": "days", "weeks": "weeks", "months": "months", "years": "years"}
TIME, DATES = "time", "dates"
_ZONED = re.compile(r":\d{2}.*(Z|UTC|GMT|[+-]\d{2}:?\d{2})\s*$")
HOW = {TIME: "a column with its length", DATES: "dates"}


def show(held: Import, report: Report | None, *, asked: bool = True) -> None:
    """The card of the patients, and one for each outcome; the sentences to confirm too, unless they stand elsewhere."""
    plan = held.plan
    assert plan is not None  # the file is read
    with st.container(border=True, key="card_import_who"):
        page.heading("Who is who", place="import-who")
        _who(held, plan)
    page.heading("What happened and when", "the first outcome decides who is in the cohort", place="import-what")
    for i, outcome in enumerate(plan.outcomes):
        with st.container(border=True, key=f"card_import_outcome_{i}"):
            _outcome(held, outcome, i, report, asked)
    if not plan.outcomes:
        page.caution("No column was found that says what happened. Add an outcome, and say which columns hold it.")
    st.button("Add an outcome", icon=":material/add:", key="import_add", on_click=_add, args=(held,))


def options(plan: Plan, kinds: tuple[str, ...], now: tuple[str, ...] = (), none: str = "") -> dict[str, str]:
    """Columns that a field offers: those of the right kind first; of very many columns no others."""
    fits = [c.name for c in plan.columns if c.kind in kinds or c.name in now]
    others = [] if len(plan.columns) > MANY else [c.name for c in plan.columns if c.name not in set(fits)]
    return ({fields.NONE: none} if none else {}) | {name: name for name in (*fits, *others)}


# ------------------------------------------------------------------ who


def _who(held: Import, plan: Plan) -> None:
    def keep(part: str) -> Any:
        return lambda value: held.change(replace(plan, **{part: value}))

    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        fields.choose(
            "Patients are named by", options(plan, ("identifier", "text"), (plan.identifier,), "nothing: number them"),
            plan.identifier, lambda name: held.change(fitted(import_columns.named_by(plan, name))),
            key="import_identifier", width=225,
        )  # fmt: skip
        fields.choose(
            "Treatment", options(plan, ("binary", "categorical"), (plan.treatment,), "none"), plan.treatment,
            keep("treatment"), key="import_treatment", width=225,
        )  # fmt: skip
        if plan.treatment:
            fields.tick("It was given by chance (a trial)", plan.randomised, keep("randomised"),
                        key="import_randomised")  # fmt: skip
        if has_moments(held):
            fields.choose(
                "Times of day become days in", _zones(), plan.time_zone, keep("time_zone"), key="import_zone",
                width=225, help="11 in the evening in New York is the next day in London",
            )  # fmt: skip
        fields.words("Short title, for lists", plan.short_title,
                     lambda text: keep("short_title")(text.strip() or plan.short_title), longest=40,
                     key="import_short", width=225)  # fmt: skip
    told = held.opened.guessed.guesses.get("identifier") if held.opened is not None else None
    if told is not None and held.opened is not None and plan.identifier == held.opened.guessed.plan.identifier:
        page.caption(f"Identifier: {' '.join(certain(told.confidence))}. {told.why}")


def has_moments(held: Import) -> bool:
    """True if a column of dates holds times of day that belong to a time zone."""
    assert held.opened is not None and held.plan is not None
    staged = held.opened.staged
    for column in held.plan.columns:
        if column.kind != "date" or column.use == "drop":
            continue
        if staged.column(column.name).kind == "datetime":
            return True
        if any(value is not None and _ZONED.search(str(value)) for value in held.opened.rows[column.name]):
            return True
    return False


@cache
def _zones() -> dict[str, str]:
    return {"UTC": "UTC"} | {name: name for name in sorted(available_timezones()) if "/" in name}


# ------------------------------------------------------------------ what happened, and when


def _outcome(held: Import, outcome: OutcomePlan, i: int, report: Report | None, asked: bool) -> None:
    plan = held.plan
    assert plan is not None and held.opened is not None
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(width="stretch"):
            page.heading(outcome.label)
        if i:
            st.button("Make it the first", key=f"import_o{i}_first", type="tertiary", on_click=_first,
                      icon=":material/vertical_align_top:", args=(held, outcome.key))  # fmt: skip
        st.button("Remove", key=f"import_o{i}_remove", type="tertiary", icon=":material/delete:", on_click=_remove,
                  args=(held, outcome.key), help="Only from this import: its columns stay")  # fmt: skip
    if not import_counts.complete(outcome):
        page.caption("Say below which columns hold the follow-up and what happened.")
    elif asked:
        answer(held, outcome, i, report)
    _sure(held, outcome)
    _when(held, outcome, i)
    import_meanings.show(held, outcome, i, import_counts.read_of(report, outcome))
    with st.expander("In which words it is told", key=f"import_o{i}_words", on_change="rerun") as box:
        if box.open:
            _words(held, outcome, i)


def answer(held: Import, outcome: OutcomePlan, i: int, report: Report | None) -> None:
    """The sentence, whom it leaves out, and the tick that says it is right."""
    read = import_counts.read_of(report, outcome)
    if not import_counts.complete(outcome) or read is None:
        return
    seal = import_counts.seal_of(held, outcome)

    def keep(yes: bool) -> None:
        (held.confirmed.add if yes else held.confirmed.discard)(seal)

    with st.container(gap="xxsmall", key=f"import_o{i}_answer"):
        page.put("<p><b>{label}</b> {t}</p>", label=f"{outcome.label}:", t=outcome_said(read, outcome))
        named = [row for rows in (read.no_time, read.no_status, read.negative, read.late) for row in rows.first]
        left = left_said(read, import_counts.names_of(held, named))
        if left:
            page.caption(left)
        told = _why(held, outcome)
        if told is not None and told.confidence < LIKELY and not import_counts.is_confirmed(held, outcome):
            page.caution(told.why)
        if report is not None and outcome.key in report.set_aside:
            page.caution(
                "It is not known of everybody who is followed for the first outcome, so it will not stand in this "
                "cohort. Make it the first, or import the file once more for it."
            )
        sure = import_counts.is_confirmed(held, outcome)
        fields.tick(f"Yes, read {md(outcome.label[:40])} so", sure, keep, key=f"import_o{i}_sure")


def _why(held: Import, outcome: OutcomePlan) -> Guess | None:
    """Why the codes are read as they are, as long as they are read as was guessed."""
    assert held.opened is not None
    guessed = next((o for o in held.opened.guessed.plan.outcomes if o.key == outcome.key), None)
    if guessed is None or (guessed.status, guessed.meaning) != (outcome.status, outcome.meaning):
        return None
    return held.opened.guessed.guesses.get(f"outcome.{outcome.key}.status")


def _sure(held: Import, outcome: OutcomePlan) -> None:
    assert held.opened is not None
    guesses = held.opened.guessed.guesses
    parts = [(what, guesses.get(f"outcome.{outcome.key}{part}")) for what, part in
             (("Columns", ""), ("Time", ".time"), ("Codes", ".status"))]  # fmt: skip
    said = [f"{what}: {' '.join(certain(told.confidence))}, {told.why}" for what, told in parts if told is not None]
    if said and outcome in held.opened.guessed.plan.outcomes:
        page.caption(" ".join(said))


def _when(held: Import, outcome: OutcomePlan, i: int) -> None:
    plan = held.plan
    assert plan is not None
    dated = outcome.of_dates or outcome.key in held.dated

    def keep(part: str) -> Any:
        return lambda value: held.outcome(outcome.key, replace(outcome, **{part: value}))

    def manner(how: str) -> None:
        (held.dated.add if how == DATES else held.dated.discard)(outcome.key)
        held.outcome(outcome.key, replace(outcome, time="", start="", end=(), happened="", entry=""))

    with st.container(horizontal=True, gap="small", vertical_alignment="top"):
        fields.segments("The follow-up is", HOW, DATES if dated else TIME, manner, key=f"import_o{i}_how")
        if dated:
            dates = options(plan, ("date",), outcome.columns, "choose")
            fields.choose("It begins on", dates, outcome.start, keep("start"), key=f"import_o{i}_start", width=225)
            known = {name: said for name, said in dates.items() if name}
            fields.several(
                "Last contact", known, outcome.end, lambda names: keep("end")(tuple(names)), key=f"import_o{i}_end",
                width=300, help="Of each patient the latest; a date named after a death or another event goes first",
            )  # fmt: skip
            fields.choose("Date of the event", {**dates, "": "none"}, outcome.happened, keep("happened"),
                          key=f"import_o{i}_happened", width=225)  # fmt: skip
        else:
            numbers = options(plan, ("continuous",), outcome.columns, "choose")
            fields.choose("Its length", numbers, outcome.time, keep("time"), key=f"import_o{i}_time", width=225)
            fields.choose("in", UNITS, outcome.unit, keep("unit"), key=f"import_o{i}_unit", width=120)
        states = options(plan, ("binary", "categorical", "ordinal"), outcome.columns,
                         "the date of the event says it" if dated else "choose")  # fmt: skip
        fields.choose(
            "What happened", states, outcome.status,
            lambda name: held.outcome(outcome.key, import_meanings.with_status(held, outcome, name)),
            key=f"import_o{i}_status", width=225,
        )  # fmt: skip
        entries = options(plan, ("date",) if dated else ("continuous",), outcome.columns, "the same day")
        fields.choose("Observation began", entries, outcome.entry, keep("entry"), key=f"import_o{i}_entry", width=225,
                      help="Only where somebody was found, or referred, after time zero: delayed entry")  # fmt: skip


def _words(held: Import, outcome: OutcomePlan, i: int) -> None:
    def keep(part: str) -> Any:
        return lambda text: held.outcome(
            outcome.key, replace(outcome, **{part: text.strip() or getattr(outcome, part)})
        )

    with st.container(horizontal=True, gap="small"):
        for part, label in (
            ("label", "It is called"), ("event_phrase", "63 of 100 patients would …"),
            ("free_phrase", "The opposite, as a state"), ("since", "Time zero, in a word"),
        ):  # fmt: skip
            fields.words(label, getattr(outcome, part), keep(part), key=f"import_o{i}_{part}", width=300)
        if outcome.competing:
            fields.words("All kinds of it together", outcome.composite, keep("composite"), width=225,
                         key=f"import_o{i}_composite")  # fmt: skip


def _add(held: Import) -> None:
    if held.plan is None:
        return
    key = opening.key_of("outcome", tuple(o.key for o in held.plan.outcomes))
    held.change(replace(held.plan, outcomes=(*held.plan.outcomes, OutcomePlan(key, "Event"))))


def _remove(held: Import, key: str) -> None:
    if held.plan is not None:
        held.change(fitted(replace(held.plan, outcomes=tuple(o for o in held.plan.outcomes if o.key != key))))


def _first(held: Import, key: str) -> None:
    if held.plan is not None:
        held.change(replace(held.plan, outcomes=tuple(sorted(held.plan.outcomes, key=lambda o: o.key != key))))
