"""Whether the difference is the same in everybody: hazard ratios by subgroup."""

from __future__ import annotations

import streamlit as st

from bedside.cohort import Cohort, Outcome, Variable
from bedside.report import made_fair_groups as making
from bedside.report import say
from bedside.treatment import SubgroupForest
from components import desk, numbers_comparison
from components.figures.subgroups import subgroup_alt, subgroup_figure, subgroup_table
from components.panels import page, save
from components.panels.comparison_choices import Choice
from components.panels.pick import told_apart

MOST_LEVELS = 12
FIRST = 8
LIKELY = 0.05


def show(of: Cohort, outcome: Outcome, choice: Choice) -> None:
    """The forest, behind a button until it is wanted."""
    panel = st.expander("Is it the same in everybody? Subgroups", key="comparison_subgroups", on_change="rerun")
    if panel.open:
        with panel, desk.fixable():
            _forest(of, outcome, choice)


def offered(of: Cohort, choice: Choice) -> list[Variable]:
    """Variables known at time zero, before the groups were formed, with few enough levels to be subgroups."""
    after = of.known_after(choice.by.name)
    return [
        v for v in of.filterable
        if v not in after and v.use != "later" and v.name != choice.by.name and of.frame[v.name].notna().any()
        and (v.is_numeric or 1 < of.frame[v.name].nunique() <= MOST_LEVELS)
    ]  # fmt: skip


def _forest(of: Cohort, outcome: Outcome, choice: Choice) -> None:
    open_to = offered(of, choice)
    shown = told_apart({v.name: v.label for v in open_to})
    first = [v.name for v in open_to if v.use == "predictor"][:FIRST]
    with st.container(key="screen_comparison_by", horizontal=True, vertical_alignment="bottom", gap="small"):
        key = f"comparison_subgroups_{of.key}_{choice.by.name}"
        n = len(st.session_state.get(key, first))
        with st.popover(
            f"Subgroups of {n} variable{'s' * (n != 1)}", icon=":material/tune:", key="comparison_subgroup_of"
        ):
            chosen = st.multiselect(
                "Variables", list(shown), default=first, format_func=lambda name: shown.get(name, ""), key=key,
                persist_state="session",
            )  # fmt: skip
        which = _which(choice)
    found = numbers_comparison.forest(
        of, outcome, choice.groups, tuple(chosen), reference=choice.plan.reference, level=choice.plan.level
    )
    ratio = found.overall.ratios[which]
    save.figure(
        lambda mode: subgroup_figure(found, which=which, mode=mode),
        key="comparison_forest",
        title=f"{ratio.label} against {ratio.reference}",
        aside="hazard ratio in each subgroup; not adjusted",
        lead=page.fill("<p>{t}</p>", t=reading(found)),
        alt=subgroup_alt(found, which),
        note=_note(found, choice),
        stem="subgroups",
        rows=lambda: subgroup_table(found),
        made=lambda: making.subgroups_made(of, outcome, choice.groups, found, filters=numbers_comparison.filters()),
    )


def _which(choice: Choice) -> int:
    if len(choice.others) == 1:
        return 0
    options = told_apart({str(i): label for i, label in enumerate(choice.others)})
    return int(
        st.selectbox("Group", list(options), format_func=options.__getitem__, width=220,
                     key=f"comparison_which_{len(choice.others)}", persist_state="session")
    )  # fmt: skip


def reading(found: SubgroupForest) -> str:
    """What the tests of interaction say, and how many of them there are."""
    tested = [row for row in found.rows if row.interaction is not None]
    if not tested:
        return "No interaction could be tested."
    small = [row for row in tested if row.interaction.p < LIKELY]
    n = len(tested)
    chance = f"With {n} test{'s' * (n != 1)}, the chance of at least one below 0.05 by luck alone is about "
    chance += f"{say.percent(1 - (1 - LIKELY) ** n)}."
    if not small:
        return (
            "No test of interaction is below 0.05: nothing speaks for a difference between subgroups, though such "
            f"tests find one only with about four times the events that the comparison itself needs. {chance}"
        )
    names = ", ".join(f"{row.title} ({say.p_value(row.interaction.p)})" for row in small)
    many = "s are" if len(small) > 1 else " is"
    return f"{len(small)} of {n} test{'s' * (n != 1)} of interaction{many} below 0.05: {names}. {chance}"


def _note(found: SubgroupForest, choice: Choice) -> str:
    missing = sum(row.dropped_missing for row in found.rows)
    several = "" if len(choice.others) == 1 else " It is one test of all groups, not only of the two that are drawn."
    lost = " Patients without a recorded value are left out of that variable's subgroups." if missing else ""
    return (
        f"{say.patients(found.overall.n)}, {say.events(found.overall.events)}. Cox models (Efron), {found.level:.0%} "
        "intervals. Interaction: likelihood ratio test of whether the hazard ratio differs between the levels; a "
        f"subgroup has no p of its own, since that answers another question.{several}{lost}"
    )
