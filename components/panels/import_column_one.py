"""One column looked at closely: what was guessed and why, its levels, its dates, its codes for what is not known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from bedside.intake.opening import LEVELLED
from bedside.intake.plan import ColumnPlan
from components.importing import Import
from components.panels import import_columns, page
from components.panels import import_fields as fields
from components.panels.import_words import DECIMALS, KINDS, USES, certain
from components.text import cell

MOST_LEVELS = 200
DAYS = {"day": "day first (3.4. = 3 April)", "month": "month first (4/3 = 3 April)"}


def show(held: Import, names: list[str]) -> None:
    """The expander under the table of columns."""
    box = st.expander("Look closer at one column", key="import_closer", on_change="rerun", icon=":material/search:")
    if not box.open or held.plan is None:
        return
    with box:
        chosen = st.session_state.get("import_one")
        fields.choose(
            "Column", {name: name for name in names}, chosen if chosen in names else names[0], lambda _: None,
            key="import_one",
        )  # fmt: skip
        _one(held, held.plan.column(st.session_state["import_one"]))


def _one(held: Import, column: ColumnPlan) -> None:
    assert held.opened is not None and held.plan is not None

    def keep(part: str) -> Any:
        return lambda value: held.column(replace(column, **{part: value}))

    told = held.opened.guessed.guesses.get(f"column.{column.name}")
    if told is not None:
        page.put("<p><b>{what}</b> {mark} {why}</p>", what=f"Guessed: {told.what}.",
                 mark=" ".join(certain(told.confidence)) + ".", why=told.why)  # fmt: skip

    def answer(part: str, said: dict[str, str]) -> Any:
        return lambda value: held.change(
            import_columns.with_answers(held.plan, column.name, {part: said[value]})  # type: ignore[arg-type]
        )

    with st.container(horizontal=True, gap="small"):
        fields.choose("It is", KINDS, column.kind, answer("kind", KINDS), key="import_one_kind", width=200)
        fields.choose("Its part", USES, column.use, answer("use", USES), key="import_one_use", width=260)
        fields.words("What a clinician calls it", column.label, keep("label"), key="import_one_label", width=260)
        fields.words("Unit", column.unit, keep("unit"), key="import_one_unit", longest=40, width=120)
        fields.words(
            "Codes for “not known”", "; ".join(column.missing), lambda text: keep("missing")(
                import_columns.codes_of(text)), key="import_one_missing", longest=200, width=220,
            help="Parted by semicolons: 99; -1; unknown",
        )  # fmt: skip
    written = held.opened.staged.column(column.name).kind == "text"
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        if column.kind == "continuous" and written:
            fields.choose("Decimal mark", DECIMALS, column.decimal, keep("decimal"), key="import_one_decimal",
                          width=200)  # fmt: skip
        if column.kind == "date" and written:
            fields.choose(
                "Order of dates", DAYS, "day" if column.day_first else "month",
                lambda order: keep("day_first")(order == "day"), key="import_one_order", width=260,
            )  # fmt: skip
            fields.tick("Numbers are days as Excel counts them", column.serials, keep("serials"),
                        key="import_one_serials")  # fmt: skip
        if column.use == "later":
            fields.words("When it becomes known", column.why_later, keep("why_later"), key="import_one_later",
                         width=320, help="A few words: “assessed six months after surgery”")  # fmt: skip
        if column.use in ("predictor", "optional"):
            fields.tick("It can be acted on", column.modifiable, keep("modifiable"), key="import_one_modifiable")
            fields.tick("Fairness is checked across it", column.sensitive, keep("sensitive"),
                        key="import_one_sensitive")  # fmt: skip
    if column.kind in LEVELLED and 0 < len(column.levels) <= MOST_LEVELS:
        _levels(held, column)


def _levels(held: Import, column: ColumnPlan) -> None:
    """Labels and order of the levels."""
    key = f"import_levels_{held.mark}_{held.edits}_{fields.seal([column.name])}"
    st.data_editor(
        pd.DataFrame(
            {
                "order": range(1, len(column.levels) + 1), "code": [cell(code) for code, _ in column.levels],
                "label": [cell(label) for _, label in column.levels],
            }
        ),
        key=key, hide_index=True, num_rows="fixed", disabled=("code",), on_change=_levels_edited,
        args=(held, column, key), width=520,
        column_config={
            "order": st.column_config.NumberColumn("Order", step=1, width="small"),
            "code": st.column_config.TextColumn("In the file"),
            "label": st.column_config.TextColumn("What it is called", max_chars=120),
        },
    )  # fmt: skip


def _levels_edited(held: Import, column: ColumnPlan, key: str) -> None:
    places = [(float(i + 1), code, label) for i, (code, label) in enumerate(column.levels)]
    for row, changed in st.session_state[key]["edited_rows"].items():
        place, code, label = places[int(row)]
        # A half goes before what had this number until now.
        new = place if changed.get("order") is None else changed["order"] + (0.5 if changed["order"] > place else -0.5)
        places[int(row)] = (new, code, str(changed.get("label", label) or code))
    places.sort(key=lambda each: each[0])
    held.column(replace(column, levels=tuple((code, label) for _, code, label in places)))
