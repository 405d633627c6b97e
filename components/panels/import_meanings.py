"""What each code of a status column stands for, one by one and with its count."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from bedside.cohort.codes import normal_code
from bedside.intake.building import OutcomeRead
from bedside.intake.plan import CENSORED, EVENT, UNKNOWN, OutcomePlan
from bedside.intake.status_columns import codes_read
from bedside.intake.unanswered import known
from components.importing import Import
from components.panels import import_fields as fields
from components.panels import page
from components.panels.import_words import meaning_said
from components.text import md

OPEN = ""
MOST = 24
"""Codes that are asked about one by one; of a column with more it is hardly a status."""


def show(held: Import, outcome: OutcomePlan, i: int, read: OutcomeRead | None) -> None:
    """A field for each code, and one for what else can come first."""
    if not outcome.status:
        return
    counts = {code: n for code, _, n in read.codes} if read is not None else {}
    codes = sorted({*(code for code, _ in outcome.meaning), *counts}, key=_place)
    told = dict(outcome.meaning)
    offered = _offered(held, outcome)
    page.put('<p class="bs-muted">What each code stands for:</p>')
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom", key=f"import_o{i}_codes"):
        for code in codes[:MOST]:
            rows = f"({counts[code]:,} rows)" if code in counts else ""
            fields.choose(
                f"{md(code)} {rows}".strip(), offered if told.get(code) else {OPEN: "choose"} | offered,
                told.get(code) or OPEN, _keep(held, outcome, code),
                key=f"import_o{i}_code_{fields.seal([code])}", width=225,
            )  # fmt: skip
    if len(codes) > MOST:
        page.caution(
            f"The column has {len(codes):,} codes; the others count as not known. Is it the column that says what "
            "happened?"
        )
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        key = f"import_o{i}_other"
        st.text_input("Something else that can come first", key=key, max_chars=80, autocomplete="off", width=300,
                      placeholder="Death of another cause", on_change=_other, args=(held, outcome, key),
                      help="Then it can be chosen above: after it, this one can't happen any more")  # fmt: skip


def _place(code: str) -> tuple[int, float, str]:
    """Numbers by size, then words: a code keeps its place whatever it means."""
    try:
        return 0, float(code), code
    except ValueError:
        return 1, 0.0, code.casefold()


def _offered(held: Import, outcome: OutcomePlan) -> dict[str, str]:
    others = dict.fromkeys([*outcome.competing, *held.others.get(outcome.key, ())])
    return {meaning: _said(meaning, outcome) for meaning in (CENSORED, EVENT, *others, UNKNOWN)}


def _said(meaning: str, outcome: OutcomePlan) -> str:
    said = meaning_said(meaning, outcome)
    return f"no event: {said}" if meaning == CENSORED else said


def _keep(held: Import, outcome: OutcomePlan, code: str) -> Any:
    def keep(meaning: str) -> None:
        if meaning == OPEN:
            return
        changed = {**dict(outcome.meaning), code: meaning}
        # What came first must not be lost from the list with the last code that meant it.
        held.others[outcome.key] = tuple(dict.fromkeys([*held.others.get(outcome.key, ()), *outcome.competing]))
        held.outcome(outcome.key, replace(outcome, meaning=tuple(changed.items())))
        for other in held.plan.outcomes if held.plan is not None and meaning in (CENSORED, UNKNOWN) else ():
            # Who had no event at all had none of the others either.
            if other.status == outcome.status and not dict(other.meaning).get(code):
                held.outcome(other.key, replace(other, meaning=(*other.meaning, (code, meaning))))

    return keep


def unanswered(read: OutcomeRead | None) -> list[tuple[str, int]]:
    """Codes that nobody has given a meaning, such as one that is new in this month's file, with their rows."""
    codes = [(code, n) for code, meaning, n in read.codes if not meaning] if read is not None else []
    return codes if read is not None and len(read.codes) <= MOST else []


def _other(held: Import, outcome: OutcomePlan, key: str) -> None:
    name = " ".join(str(st.session_state[key]).split())
    if name and name not in (CENSORED, EVENT, UNKNOWN):
        held.others[outcome.key] = tuple(dict.fromkeys([*held.others.get(outcome.key, ()), name]))
    st.session_state[key] = ""


def with_status(held: Import, outcome: OutcomePlan, name: str) -> OutcomePlan:
    """An outcome with another column that says what happened, its codes read by their words or by convention."""
    if not name or held.plan is None or held.opened is None:
        return replace(outcome, status="", meaning=())
    guessed = [o for o in held.opened.guessed.plan.outcomes if o.status == name]
    if guessed:
        return replace(outcome, status=name, meaning=guessed[0].meaning)
    codes = [code for code, _ in held.plan.column(name).levels] or _first_codes(held, name)
    return replace(outcome, status=name, meaning=known(codes_read(name, codes)))


def _first_codes(held: Import, name: str) -> list[str]:
    """Codes among the first rows, of a column of which no levels are known."""
    assert held.opened is not None
    column = held.opened.rows[name]
    return list(dict.fromkeys(normal_code(value) for value in column if value is not None))
