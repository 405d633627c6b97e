"""The line above every page: which cohort, which outcome, which patients."""

from __future__ import annotations

import streamlit as st

from bedside.cohort import Cohort, Variable
from bedside.cohort.selection import Between, Clause, OneOf, Selection
from bedside.errors import Fixable
from components import desk
from components.panels import attached_bar, endpoint_bar, live_bar, saved_bar, saved_notice, version_bar
from components.panels.page import caption, table
from components.panels.pick import pick, told_apart
from components.text import md

AND = -1


def choose_cohort() -> None:
    """The cohort; one that cannot be opened is still listed."""
    titles = {entry.key: entry.short_title for entry in desk.entries()}
    pick(
        "Cohort",
        titles,
        key="cohort",
        placeholder="Choose a cohort",
        label_visibility="collapsed",
        width=250,
    )


def choose_outcome(cohort: Cohort) -> None:
    """The outcome, where a cohort has more than one."""
    labels = {o.key: o.label for o in cohort.outcomes}
    # Wide enough for the longest label: a select box cuts off what does not fit.
    width = min(440, max(230, 60 + 8 * max(map(len, labels.values()))))
    pick("Outcome", labels, key="outcome", label_visibility="collapsed", width=width, disabled=len(labels) == 1)


def from_link(cohort: Cohort) -> None:
    """Take the filter a link brings."""
    text = desk.from_link("filter")
    if text is not None:
        with desk.fixable():
            desk.select(Selection.from_text(text, cohort))


def to_link(cohort: Cohort) -> bool:
    """Keep the filter in the link as far as it identifies nobody; whether it could be kept."""
    chosen, fewest = desk.selection(), cohort
    # The endpoint can be chosen by whoever opens the link: whom it leaves out does not count, chosen here or not.
    if desk.endpoint() is not None and all(desk.whole(listed=True).has(name) for name in chosen.columns):
        fewest = desk.whole(listed=True)
    key = ("shared filter", fewest.fingerprint, chosen.to_text())
    shared = chosen.is_everyone or desk.kept(key, lambda: chosen.may_be_shared(fewest))
    desk.keep_in_link("filter", chosen.to_text() if shared and not chosen.is_everyone else None)
    return shared


def show(title: str = "", at: str = "overview") -> None:
    """Draw the line; a cohort that cannot be opened, or a filter that leaves nobody, says why below it.

    Parameters
    ----------
    title, at : str
        Of the page: what it is called, and how it stands in the address.
    """
    with st.container(key="cohort_bar", gap="xsmall"):
        row = st.container(key="screen_bar", horizontal=True, vertical_alignment="center", gap="small")
        with row:
            choose_cohort()
        with desk.fixable_page():
            plain = desk.as_read()
        version_bar.show(plain.key)
        endpoint_bar.from_link()
        listed = _with_endpoint(plain)
        end_shared = endpoint_bar.to_link(plain)
        with row:
            choose_outcome(listed)
            everyone = desk.whole()
            endpoint_bar.define(plain)
            from_link(everyone)
            saved_bar.check(everyone)
            chips(everyone)
            add_filter(everyone)
            attached_bar.show(everyone)
            saved_bar.keep(everyone, title, at)
            count(everyone)
        attrition(everyone)
        live_bar.show(plain)
        saved_notice.show(plain.key)
        attached_bar.troubles()
        if not end_shared:
            st.caption("Your endpoint is not in the link: it leaves fewer than 10 patients, or names them.")
        if not to_link(everyone):
            st.caption("This filter is not in the link: it leaves fewer than 10 patients.")
    with desk.fixable_page():
        desk.cohort()


def _with_endpoint(plain: Cohort) -> Cohort:
    """The cohort with the reader's endpoint; one that cannot be made here is said and taken away."""
    try:
        return desk.whole(listed=True)
    except Fixable as stop:
        desk.show(stop)
        desk.define(None)
        return plain


def chips(everyone: Cohort) -> None:
    """Each part of the filter, removed by a click."""
    chosen = desk.selection()
    for i, text in enumerate(chosen.say(everyone)):
        st.button(
            md(text),
            icon=":material/close:",
            icon_position="right",
            key=f"chip_{i}",
            help="Remove this filter",
            on_click=lambda i=i: desk.select(desk.selection().without(i)),
        )


def count(everyone: Cohort) -> None:
    """How many patients are left, and where the others went."""
    chosen = desk.selection()
    if chosen.is_everyone:
        who = "The only patient" if len(everyone) == 1 else f"All {len(everyone):,} patients"
        st.markdown(f"**{who}**", width="content")
        return
    steps = desk.narrowed(everyone, chosen)
    left = steps[-1].left
    with st.popover(f"**{left:,} of {len(everyone):,} patients**", type="tertiary", key="attrition"):
        rows = [(step.label, f"{step.left:,}", f"−{step.dropped:,}" if step.dropped else "") for step in steps]
        table(("Step", "Patients left", "Left out"), rows, label="How the filter narrows the cohort")
        st.button("Show all patients", key="filter_clear", on_click=desk.select, args=(Selection(),))


def attrition(everyone: Cohort) -> None:
    """Who is left after each part of the filter, in one line."""
    chosen = desk.selection()
    if not chosen.is_everyone:
        steps = [f"{step.label}: {step.left:,}" for step in desk.narrowed(everyone, chosen)]
        caption(" → ".join(steps))


def add_filter(everyone: Cohort) -> None:
    """Build one condition: a range or some levels of one variable, joined by and/or."""
    variables = {v.name: v for v in everyone.filterable}
    if not variables:
        return
    panel = st.popover("Filter", icon=":material/filter_list:", key="filter_add", on_change="rerun")
    if not panel.open:
        return
    with panel:
        saved_bar.filters(everyone)
        labels = told_apart({v.name: v.label for v in variables.values()})
        name = st.selectbox("Patients whose", list(labels), format_func=labels.__getitem__, key="filter_variable")
        variable = variables[name]
        clause = _range(everyone, variable) if variable.is_numeric else _levels(variable)
        parts = desk.selection().say(everyone)
        join = AND
        if parts:
            join = st.selectbox(
                "Joined to the filter so far",
                [AND, *range(len(parts))],
                format_func=lambda i: "and (narrows)" if i == AND else md(f"or, beside “{parts[i]}” (widens)"),
                key="filter_join",
            )
        st.button(
            "Apply", type="primary", key="filter_apply", on_click=_apply, args=(clause, join), disabled=clause is None
        )


def _range(everyone: Cohort, variable: Variable) -> Clause | None:
    known = desk.summary(everyone, variable.name)
    if not known.n:
        st.caption("Nobody has a value.")
        return None
    low, high = known.min, known.max
    unit = f" ({md(variable.unit)})" if variable.unit else ""
    with st.container(horizontal=True):
        start, end = (
            st.number_input(
                f"{word}{unit}", value=None, placeholder=f"{edge:g}", key=f"filter_{word}_{variable.name}", format="%g"
            )
            for word, edge in (("From", low), ("To", high))
        )
    missing = st.checkbox("Keep patients without a value", key=f"filter_missing_{variable.name}")
    if start is None and end is None:
        return None
    if start is not None and end is not None and start > end:
        st.caption("The first number is above the second: no patient can lie between them.")
        return None
    return Between(variable.name, start, end, missing)


def _levels(variable: Variable) -> Clause | None:
    labels = told_apart({level.code: level.label for level in variable.levels})
    chosen = st.multiselect(
        "is one of", list(labels), format_func=labels.__getitem__, key=f"filter_levels_{variable.name}"
    )
    missing = st.checkbox("Keep patients without a value", key=f"filter_missing_{variable.name}")
    return OneOf(variable.name, tuple(chosen), missing) if chosen or missing else None


def _apply(clause: Clause, join: int) -> None:
    st.session_state["filter_add"] = False
    chosen = desk.selection()
    if join == AND or join >= len(chosen.groups):
        desk.select(chosen.with_group((clause,)))
        return
    groups = tuple((*group, clause) if i == join else group for i, group in enumerate(chosen.groups))
    desk.select(Selection(groups))
