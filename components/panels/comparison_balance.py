"""Whether weighting made the groups alike, and whether the weights can be trusted."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from bedside.cohort import Cohort, Outcome
from bedside.report import made_comparison as making
from bedside.report import say
from bedside.report.made import Made
from bedside.treatment import Adjusted, histogram
from bedside.treatment.balance import ENOUGH
from components import desk, numbers_comparison
from components.figures.love import MOST, love_alt, love_figure, love_order, love_rows, name_of
from components.figures.overlap import overlap_alt, overlap_figure, overlap_rows
from components.figures.palette import shades
from components.panels import page, save
from components.panels.comparison_board import Found, who
from components.panels.comparison_choices import Choice
from components.panels.pick import told_apart

WEIGHTS = ("Group", "Patients", "Sum of weights", "Mean", "Largest", "Effective size", "Chance under 5%", "Unmatched")


def alike(of: Cohort, outcome: Outcome, choice: Choice, found: Found, place: DeltaGenerator) -> None:
    """Love plot, under the curves."""
    if found.weighted is None:
        return
    with place, st.container(border=True, key="card_comparison_balance"):
        _love(of, choice, found, _made(of, outcome, choice, found))


def trust(of: Cohort, outcome: Outcome, choice: Choice, found: Found) -> None:
    """Weights on the left, the overlap of the groups on the right."""
    if found.weighted is None:
        return
    made = _made(of, outcome, choice, found)
    left, right = page.split("comparison_balance", 1, 1)
    with left, st.container(border=True, key="card_comparison_weights"):
        _weights(of, choice, found, made)
    with right, st.container(border=True, key="card_comparison_overlap"):
        _overlap(of, choice, found, made)


def _made(of: Cohort, outcome: Outcome, choice: Choice, found: Found) -> Callable[[], Made]:
    return lambda: making.balance_made(
        of, outcome, choice.groups, choice.plan.covariates, found.weighted, filters=numbers_comparison.filters()
    )


def _love(of: Cohort, choice: Choice, found: Found, made: Callable[[], Made]) -> None:
    rows = found.weighted.balance
    more = f" The {MOST} rows that differed most are drawn; the file has all." if len(love_order(rows)) > MOST else ""
    save.figure(
        lambda mode: love_figure(rows, mode=mode),
        key="comparison_love",
        title="Are the groups alike now?",
        aside=said(found.weighted),
        alt=love_alt(rows),
        note=f"{who(of, choice, found)} Differences in means, or in shares of a level, over the groups' standard "
        f"deviation; below {ENOUGH} is usually called balanced."
        + (" Of more than two groups, the two furthest apart." if len(choice.groups.labels) > 2 else "") + more,
        stem="balance",
        rows=lambda: love_rows(rows, choice.groups.labels),
        made=made,
    )  # fmt: skip


def said(found: Adjusted) -> str:
    """Balance in a sentence."""
    before = sum(abs(row.before) >= ENOUGH for row in found.balance)
    left = [row for row in found.balance if not row.balanced]
    worst = max(found.balance, key=lambda row: abs(row.after))
    text = f"{before} of {len(found.balance)} rows differed by {ENOUGH} or more before weighting, "
    if left:
        return text + f"{len(left)} still do: most of all {name_of(worst.column)} ({abs(worst.after):.2f})"
    return text + f"none does after it (largest {abs(worst.after):.2f})"


def _weights(of: Cohort, choice: Choice, found: Found, made: Callable[[], Made]) -> None:
    weights = found.weighted.weights
    groups = list(weights.groups)
    with st.container(horizontal=True, vertical_alignment="top", horizontal_alignment="distribute", gap="small"):
        with st.container(width="stretch"):
            page.heading("Can the weights be trusted?", "weights’ diagnostics")
        save.numbers(
            "comparison_weights", stem="weights", title="Weights", note=who(of, choice, found),
            rows=lambda: (WEIGHTS, [
                [g.label, g.n, g.total, g.mean, g.largest, g.effective, g.unlikely, g.outside] for g in groups
            ]),
            made=made,
        )  # fmt: skip
    if weights.poor_overlap:
        page.caution(_poor(found.weighted))
    else:
        page.put("<p>{t}</p>", t=_sound(found.weighted))
    rows = [
        (g.label, f"{g.n:,}", f"{g.effective:,.0f}", f"{g.largest / g.mean:.1f} ×", f"{g.unlikely:,}", f"{g.outside:,}")
        for g in groups
    ]
    page.table(("Group", "Patients", "Count as", "Largest", "Unlikely", "Unmatched"), rows, label="Weights")
    truncated = f" {weights.n_truncated:,} weights were truncated." if weights.truncated else ""
    page.caption(
        "Count as: effective sample size. Largest: weight, as a multiple of the group's mean. Unlikely: patients with "
        "a chance below 5% of the group they were in. Unmatched: some group has nobody as likely, or as unlikely, to "
        f"be in it.{truncated}"
    )


def _sound(found: Adjusted) -> str:
    """Weights in a sentence, where they can be trusted."""
    groups = found.weights.groups
    least = min(groups, key=lambda g: g.effective / g.n)
    return (
        f"Weighted, the {say.patients(least.n)} in “{least.label}” tell as much as {least.effective:,.0f} would "
        f"without weights. The most heavily weighted patient counts as {max(g.largest / g.mean for g in groups):.1f}."
    )


def _poor(found: Adjusted) -> str:
    groups = found.weights.groups
    unlikely, n = sum(g.unlikely for g in groups), sum(g.n for g in groups)
    worst = max(groups, key=lambda g: g.largest / g.mean)
    return (
        f"The groups overlap poorly: {say.patients(unlikely)} of {n:,} had a chance below 5% of the group they were "
        f"in, and one patient in “{worst.label}” counts for {worst.largest / worst.mean:.0f}. The weighted "
        "curve hangs on few patients. Look at those who might have had either (overlap "
        "weights), truncate the weights, or filter to "
        "patients in whom both groups were possible."
    )


def _overlap(of: Cohort, choice: Choice, found: Found, made: Callable[[], Made]) -> None:
    labels, reference = choice.groups.labels, choice.plan.reference
    chosen = next(i for i in reversed(range(len(labels))) if i != reference)
    if len(labels) > 2:
        options = told_apart({str(i): label for i, label in enumerate(labels)})
        chosen = int(
            st.selectbox("Chance of", list(options), index=chosen, format_func=options.__getitem__,
                         key=f"comparison_chance_{len(labels)}", persist_state="session", width=220)
        )  # fmt: skip
    edges, counts = histogram(found.weighted.scores, group=chosen)
    rest = sum(each for i, each in enumerate(counts) if i != chosen)
    others = [label for i, label in enumerate(labels) if i != chosen]
    names = (labels[chosen], others[0] if len(others) == 1 else "All other groups")
    colours = shades(len(labels), desk.mode())
    below = next(i for i in range(len(labels)) if i != chosen)
    light = shades(len(labels), "light")

    def draw(mode: str) -> object:
        held = light if mode == "light" else colours
        return overlap_figure(
            edges, counts[chosen], rest, names=names, colours=(held[chosen], held[below]), mode=mode,
            x_title=f"Chance of “{labels[chosen]}”, known at the start",
        )  # fmt: skip

    save.figure(
        draw, key="comparison_overlap", title="Could it have been either?", aside="propensity scores",
        alt=overlap_alt(edges, counts[chosen], rest, names),
        note=f"{say.patients(len(found.weighted.scores.codes))}, {say.events(sum(found.weighted.events))}. Where only "
        "one side has bars, patients have nobody to be compared with.",
        stem="overlap", rows=lambda: overlap_rows(edges, counts, labels), made=made,
    )  # fmt: skip
