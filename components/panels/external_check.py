"""Before a model is tested elsewhere: whether the event is the same, and how its variables are read there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

from bedside.cohort import Cohort, Variable
from bedside.errors import Fixable
from bedside.report import say
from bedside.risk.design import Reading
from bedside.risk.fits import Misfit
from bedside.validation.external_map import Mapped, Mapping, match_levels, unit_factor
from components import desk, numbers_external
from components.numbers_external import Pair, Read
from components.panels import external_words as words
from components.panels import page
from components.panels.pick import pick, told_apart
from components.text import md

MOST_ROWS, MOST_LEVELS = 60, 24
NONE = ""


def show(pair: Pair) -> tuple[Mapping, bool] | None:
    """How the variables are read, and whether a person confirmed what was asked; None where no test is possible."""
    read = numbers_external.read(pair, current(pair))
    for refused in read.refused:
        desk.show(Fixable("This model can't be tested on these patients.", refused.why, refused.next_step))
    confirmed = _ask(pair, read) if read.asked and not read.refused else False
    if (read.refused or not read.asked) and (told := _populations(pair)):
        page.caption(told)
    _columns(pair, read)
    if read.refused or (read.asked and not confirmed):
        return None
    return read.mapping, confirmed


def _ask(pair: Pair, read: Read) -> bool:
    """What a person must have looked at, and that they did."""
    page.put('<p class="bs-lead">{t}</p>', t="Look at this before the model is tested here.")
    for asked in read.asked:
        page.warn(words.question(asked))
    if told := _populations(pair):
        page.warn(told)
    if any(isinstance(asked, Misfit) for asked in read.asked):
        page.caption("If the unit is another one, say below what its numbers are to be multiplied by.")
    seal = "|".join(asked.why for asked in read.asked)
    key = f"external_confirmed_{numbers_external.mark_of(pair)}_{numbers_external.sealed(seal)}"
    return st.checkbox("I have looked at this: test it all the same", key=key, persist_state="session")


def _populations(pair: Pair) -> str:
    """Who both are, as the dictionaries say it, where they are of two cohorts."""
    theirs = next((c for c in (pair.training, desk.whole()) if c and c.key == pair.model.cohort_key), None)
    if theirs is None or theirs.key == pair.patients.key:
        return ""
    ours = _population(pair.patients)
    return (
        f"It was made for: {_population(theirs)} These patients are: {ours} Whether they are of one kind is yours to "
        "judge."
    )


def _population(cohort: Cohort) -> str:
    return (cohort.population or cohort.title).rstrip(".") + "."


# ------------------------------------------------------------------ mapping


def current(pair: Pair) -> Mapping:
    """The mapping as guessed, with what the reader changed."""
    changed = _changed(pair)
    return tuple(changed.get(item.variable, item) for item in numbers_external.guessed(pair))


def _changed(pair: Pair) -> dict[str, Mapped]:
    return st.session_state.get("external_mapping", {}).get(numbers_external.mark_of(pair), {})


def _set(pair: Pair, item: Mapped) -> None:
    kept = dict(st.session_state.get("external_mapping", {}))
    kept[numbers_external.mark_of(pair)] = {**_changed(pair), item.variable: item}
    st.session_state["external_mapping"] = kept


def _forget(pair: Pair) -> None:
    kept = dict(st.session_state.get("external_mapping", {}))
    kept.pop(numbers_external.mark_of(pair), None)
    st.session_state["external_mapping"] = kept


def _columns(pair: Pair, read: Read) -> None:
    """The table of variables and columns, closed where nothing needs a look."""
    absent = sum(item.column is None for item in read.mapping)
    told = f"How its {len(read.mapping)} variables are read here" + (f": {absent} without a column" if absent else "")
    # Of another event nothing in this table can make a test.
    worth = not read.other_event and bool(read.refused or read.asked or absent or _changed(pair))
    panel = st.expander(
        told, key="external_columns", icon=":material/swap_horiz:", on_change="rerun", expanded=worth
    )  # fmt: skip
    if not panel.open:
        return
    with panel:
        for problem in read.problems:
            if problem.weight == "note":
                page.caption(problem.why)
        rows = [_row(pair, read, item, reading) for item, reading in _paired(pair, read)]
        page.table(("The model’s variable", "Column here", "Converted", "To know"), rows[:MOST_ROWS],
                   label="How the variables are read", numeric_from=9)  # fmt: skip
        if len(rows) > MOST_ROWS:
            page.caption(f"{len(rows) - MOST_ROWS:,} more are not shown; each can be chosen below.")
        _edit(pair, read)


def _paired(pair: Pair, read: Read) -> list[tuple[Mapped, Reading]]:
    """Those that need a look first."""
    heavy = {m.variable: ("refuse", "alarm", "note").index(m.weight) for m in reversed(read.misfits)}
    items = list(zip(read.mapping, pair.model.design.readings, strict=True))
    return sorted(items, key=lambda each: heavy.get(each[0].variable, 3))


def _row(pair: Pair, read: Read, item: Mapped, reading: Reading) -> tuple[str, str, str, str]:
    v = reading.variable
    here = None if item.column is None else pair.patients.variable(item.column)
    column = "" if here is None else _named(here)
    misfits = [m for m in read.misfits if m.variable == v.name]
    unit = f" ({v.unit})" if v.unit else ""
    usual = "the training median" if v.is_numeric else "the commonest in training"
    stand_in = f"{usual}, {v.say(reading.fill)}"
    return words.mapped_row(v.label, unit, item, column, misfits, read.gaps.get(v.name, 0), stand_in)


def _named(variable: Variable) -> str:
    return f"{variable.label} ({variable.unit})" if variable.unit else variable.label


def _edit(pair: Pair, read: Read) -> None:
    """One variable at a time: its column, what its numbers are multiplied by, what its levels stand for."""
    items = {item.variable: (item, reading.variable) for item, reading in _paired(pair, read)}
    with st.container(key="screen_external_edit", horizontal=True, vertical_alignment="bottom", gap="medium"):
        name = pick("Change how this is read", {n: v.label for n, (_, v) in items.items()}, key="external_variable",
                    default=next(iter(items)), width=260)  # fmt: skip
        item, wanted = items[name or next(iter(items))]
        _column(pair, item, wanted)
        here = None if item.column is None else pair.patients.variable(item.column)
        if here is not None and here.is_numeric and wanted.is_numeric:
            _factor(pair, item, here, wanted)
        if _changed(pair):
            st.button("As guessed", key="external_forget", icon=":material/undo:", on_click=_forget, args=(pair,))
    if here is not None and here.is_grouping and wanted.is_grouping:
        _levels(pair, item, here, wanted)


def _key(pair: Pair, what: str, item: Mapped) -> str:
    """Of a widget that stands for one variable of one pair as it is read now: another reading is another widget."""
    return f"external_{what}_{numbers_external.sealed(numbers_external.mark_of(pair) + repr(item))}"


def _column(pair: Pair, item: Mapped, wanted: Variable) -> None:
    offered = [v for v in pair.patients.filterable if v.use != "later" and v.is_numeric == wanted.is_numeric]
    names = {NONE: "None: fill it for all", **{v.name: _named(v) for v in offered}}
    if item.column is not None and item.column not in names:
        names[item.column] = pair.patients.variable(item.column).label
    shown, key = told_apart(names), _key(pair, "column", item)
    st.selectbox(
        "is read from", list(names), format_func=lambda n: shown.get(n, ""), width=260,
        index=list(names).index(item.column or NONE), key=key, on_change=_take_column,
        args=(pair, item.variable, wanted, key),
    )  # fmt: skip


def _take_column(pair: Pair, variable: str, wanted: Variable, key: str) -> None:
    name = st.session_state[key]
    if name == NONE:
        _set(pair, Mapped(variable, None, how="absent"))
        return
    here = pair.patients.variable(name)
    factor = unit_factor(here, wanted) if wanted.is_numeric and here.is_numeric else 1.0
    levels = () if wanted.is_numeric or here.is_numeric else match_levels(here, wanted)
    _set(pair, Mapped(variable, name, factor, levels))


def _factor(pair: Pair, item: Mapped, here: Variable, wanted: Variable) -> None:
    key = _key(pair, "factor", item)
    units = f" ({md(here.unit)} to {md(wanted.unit)})" if here.unit and wanted.unit else ""
    st.number_input(
        f"multiplied by{units}", value=item.factor, min_value=1e-9, format="%g", key=key, width=200,
        on_change=_take_factor, args=(pair, item, key), placeholder="not known",
        help="What the numbers here are multiplied by to be in the model’s unit.",
    )  # fmt: skip


def _take_factor(pair: Pair, item: Mapped, key: str) -> None:
    value = st.session_state[key]
    _set(pair, replace(item, factor=None if value is None else float(value), how="chosen"))


def _levels(pair: Pair, item: Mapped, here: Variable, wanted: Variable) -> None:
    """What each level here stands for in the model."""
    if len(here.levels) > MOST_LEVELS or not wanted.levels:
        return
    given, shown = dict(item.levels), told_apart({level.code: level.label for level in wanted.levels})
    with st.container(key="screen_external_levels", horizontal=True, gap="medium"):
        for i, level in enumerate(here.levels):
            now = given.get(level.code, level.code)
            options = list(shown) if now in shown else [now, *shown]
            key = _key(pair, f"level{i}", item)
            st.selectbox(
                f"“{md(level.label)}” is", options, index=options.index(now), key=key, width=220,
                format_func=lambda code: shown.get(code, "not known to the model"), on_change=_take_level,
                args=(pair, item, level.code, key),
            )  # fmt: skip


def _take_level(pair: Pair, item: Mapped, code: str, key: str) -> None:
    levels = {**dict(item.levels), code: st.session_state[key]}
    told = tuple((here, there) for here, there in levels.items() if here != there)
    _set(pair, replace(item, levels=told, how="chosen"))


def about(pair: Pair) -> str:
    """What the model is and learnt from, in a quiet line."""
    model, cohort = pair.model, pair.patients
    note = f" {pair.note}" if pair.note else ""
    return (
        f"{model.label}, learnt from {pair.learnt}, {say.events(model.n_events)}. {_where(cohort, pair)}{note}"
    )  # fmt: skip


def _where(cohort: Cohort, pair: Pair) -> str:
    if pair.training is not None and pair.training.key == cohort.key:
        both = np.intersect1d(pair.training.rows, cohort.rows).size
        return "" if both else "Model and patients are of one cohort, and nobody is in both."
    return f"Tested on {cohort.title}."
