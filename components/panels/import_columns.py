"""The first rows as they stand, what each column is taken for, and how sure that is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from bedside.intake.plan import ColumnPlan, Guess, Plan
from components.importing import Import, fitted
from components.panels import import_column_one, page
from components.panels import import_fields as fields
from components.panels.import_words import KINDS, LIKELY, USES, certain, kind_said
from components.text import cell

PAGE = 25
"""Columns that are shown at once."""
SHOWN_LETTERS = 40
ALL, CHECK, OUTCOMES, LEFT = "all", "check", "outcomes", "left"
WHICH = {ALL: "All", CHECK: "To check", OUTCOMES: "What happened", LEFT: "Left out"}
_NO_GUESS = Guess("", 1.0, "You said so.")


def show(held: Import) -> None:
    """The card."""
    plan = held.plan
    assert plan is not None and held.opened is not None  # the file is read
    with st.container(border=True, key="card_import_columns"):
        doubtful = len(to_check(held))
        aside = f"{doubtful:,} to check" if doubtful else "nothing looks doubtful"
        page.heading("What each column is", f"{len(plan.columns):,} columns, {aside}", place="import-columns")
        names = _chosen(held, plan)
        if not names:
            page.caption("No column is like that.")
            return
        _rows(held, plan, names)
        page.caption("Change what a column is in this table; everything is kept at once.")
        _editor(held, plan, names)
        import_column_one.show(held, names)


def to_check(held: Import) -> list[str]:
    """Columns whose guess is unsure, of those that are not left out."""
    assert held.plan is not None and held.opened is not None
    first = {c.name: c for c in held.opened.guessed.plan.columns}
    # What its codes mean is asked with the outcome.
    states = {outcome.status for outcome in held.plan.outcomes}
    return [c.name for c in held.plan.columns
            if c.use != "drop" and c.name not in states
            and _guess(held, c, first.get(c.name)).confidence < LIKELY]  # fmt: skip


def _guess(held: Import, column: ColumnPlan, first: ColumnPlan | None = None) -> Guess:
    """What was guessed of a column; of one that the reader changed, that."""
    assert held.opened is not None
    first = first or next((c for c in held.opened.guessed.plan.columns if c.name == column.name), None)
    told = held.opened.guessed.guesses.get(f"column.{column.name}", _NO_GUESS)
    same = first is not None and (first.kind, first.use, first.day_first) == (column.kind, column.use, column.day_first)
    return told if same else _NO_GUESS


def _chosen(held: Import, plan: Plan) -> list[str]:
    """Names of the columns that are shown: by kind, by a part of the name, a page at a time."""
    assert held.opened is not None
    if len(plan.columns) <= PAGE:
        return [c.name for c in plan.columns]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        which = st.segmented_control(
            "Columns", list(WHICH), format_func=lambda each: WHICH[each], default=ALL, required=True,
            key="import_which_columns", persist_state="session",
        )  # fmt: skip
        part = st.text_input(
            "Find a column", key="import_find", autocomplete="off", max_chars=100, width=240, persist_state="session"
        )
        doubtful = set(to_check(held)) if which == CHECK else set()
        wanted = [c.name for c in plan.columns if _is(c, which, doubtful) and part.casefold() in c.name.casefold()]
        last = max(1, -(-len(wanted) // PAGE))
        if st.session_state.get("import_page", 1) > last:
            st.session_state["import_page"] = last
        at = st.number_input(
            f"Page of {last:,}", 1, last, key="import_page", width=130, persist_state="session", disabled=last == 1
        )
    return wanted[(at - 1) * PAGE : at * PAGE]


def _is(column: ColumnPlan, which: str, doubtful: set[str]) -> bool:
    if which == CHECK:
        return column.name in doubtful
    return which == ALL or column.use == {OUTCOMES: "outcome", LEFT: "drop"}.get(which)


def _rows(held: Import, plan: Plan, names: list[str]) -> None:
    """The first rows as real HTML, under what each column is taken for."""
    assert held.opened is not None
    frame = held.opened.rows
    heads = []
    for name in names:
        column = plan.column(name)
        mark, word = certain(_guess(held, column).confidence)
        heads.append(
            page.fill(
                '<th scope="col" class="bs-import-head"><span>{name}</span><em>{kind}</em>'
                '<i class="bs-import-{n}" title="{word}" role="img" aria-label="{word}">{mark}</i></th>',
                name=name[:SHOWN_LETTERS], kind=kind_said(column), mark=mark, word=word, n=mark.count("●"),
            )
        )  # fmt: skip
    cells = [frame[name].tolist() for name in names]
    body = page.join(
        page.fill("<tr><td>{n}</td>{cells}</tr>", n=i + 1, cells=page.join(
            page.fill("<td>{v}</td>", v=_short(column[i])) for column in cells))
        for i in range(len(frame))
    )  # fmt: skip
    page.put(
        '<div class="bs-scroll bs-import-rows" tabindex="0" role="region" aria-label="The first rows of the file">'
        '<table class="bs-table"><thead><tr><th scope="col">Row</th>{heads}</tr></thead><tbody>{body}</tbody></table>'
        "</div>",
        heads=page.join(heads), body=body,
    )  # fmt: skip


def _short(value: Any) -> str:
    if value is None:
        return ""
    text = cell(value)
    return text if len(text) <= SHOWN_LETTERS else f"{text[: SHOWN_LETTERS - 1]}…"


# ------------------------------------------------------------------ the table that is edited


def _editor(held: Import, plan: Plan, names: list[str]) -> None:
    """One row for each column; a change is kept before the page is drawn again."""
    assert held.opened is not None
    key = f"import_table_{held.mark}_{held.turn}_{held.edits}_{fields.seal(names)}"
    base = st.session_state.get("import_table_base")
    if base is None or base[0] != key:
        # Streamlit counts edits from the table that the editor began with.
        base = st.session_state["import_table_base"] = (key, _table(held, plan, names))
    text, choice = st.column_config.TextColumn, st.column_config.SelectboxColumn
    st.data_editor(
        base[1], key=key, hide_index=True, num_rows="fixed", on_change=_edited, args=(held, key, names),
        disabled=("name", "sure", "examples"), width="stretch",
        column_config={
            "name": text("Column", pinned=True), "sure": text("Sure?"),
            "kind": choice("It is", options=list(KINDS.values()), required=True),
            "use": choice("Its part", options=list(USES.values()), required=True),
            "label": text("What a clinician calls it", max_chars=120), "unit": text("Unit", max_chars=40),
            "missing": text("Codes for “not known”", max_chars=200, help="Parted by semicolons: 99; -1; unknown"),
            "examples": text("For example"),
        },
    )  # fmt: skip


def _table(held: Import, plan: Plan, names: list[str]) -> pd.DataFrame:
    assert held.opened is not None
    columns = [plan.column(name) for name in names]
    frame = held.opened.rows
    return pd.DataFrame(
        {
            "name": [cell(name) for name in names],
            "sure": [" ".join(certain(_guess(held, c).confidence)) for c in columns],
            "kind": [KINDS[c.kind] for c in columns],
            "use": [USES[c.use] for c in columns],
            "label": [cell(c.label) for c in columns],
            "unit": [cell(c.unit) for c in columns],
            "missing": ["; ".join(c.missing) for c in columns],
            "examples": [", ".join(dict.fromkeys(_short(v) for v in frame[name] if v is not None))[:80]
                         for name in names],
        }
    )  # fmt: skip


def _edited(held: Import, key: str, names: list[str]) -> None:
    """Keep what was changed in the table; what was kept before is the same again."""
    if held.plan is None:
        return
    plan, odd = held.plan, False
    for row, changed in st.session_state[key]["edited_rows"].items():
        name = names[int(row)]
        plan = with_answers(plan, name, changed)
        column = plan.column(name)
        now = {"kind": KINDS[column.kind], "use": USES[column.use]}
        odd |= any(now[part] != changed[part] for part in now if part in changed)
    odd |= (plan.outcomes, plan.identifier) != (held.plan.outcomes, held.plan.identifier)
    held.change(plan, elsewhere=odd)


def with_answers(plan: Plan, name: str, changed: dict[str, Any]) -> Plan:
    """A plan with new answers about one column, as they stand in the table."""
    column = plan.column(name)
    told: dict[str, Any] = {}
    if "kind" in changed:
        told["kind"] = next(key for key, said in KINDS.items() if said == changed["kind"])
    if "use" in changed:
        told["use"] = next(key for key, said in USES.items() if said == changed["use"])
    told |= {part: str(changed[part] or "").strip() for part in ("label", "unit") if part in changed}
    if "missing" in changed:
        told["missing"] = codes_of(changed["missing"])
    plan = plan.with_column(replace(column, **told))
    if told.get("use") == "identifier" or told.get("kind") == "identifier":
        plan = named_by(plan, name)
    elif plan.identifier == name and ("use" in told or "kind" in told):
        plan = replace(plan, identifier="")
    return fitted(plan)


def codes_of(text: Any) -> tuple[str, ...]:
    """Codes that were typed, parted by semicolons."""
    return tuple(dict.fromkeys(part.strip() for part in str(text or "").split(";") if part.strip()))


def named_by(plan: Plan, name: str) -> Plan:
    """The same with patients named by a column, or by none; the one that named them before stays as text."""
    columns = tuple(
        replace(c, use="identifier", kind="identifier") if c.name == name
        else replace(c, use="drop", kind="text") if c.name == plan.identifier or c.use == "identifier"
        else c
        for c in plan.columns
    )  # fmt: skip
    return replace(plan, identifier=name, columns=columns)
