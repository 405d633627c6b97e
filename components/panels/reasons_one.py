"""One variable: what each value adds to the risk, and with whose values that differs."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from bedside.cohort import convert
from bedside.explain import Interactions
from bedside.explain.overtime import Dependence, dependence
from bedside.report import say
from components import numbers_reasons
from components.figures.dependence import (
    Groups,
    Spread,
    dependence_alt,
    dependence_figure,
    dependence_rows,
    dots_text,
)
from components.figures.palette import Mode
from components.panels import page, reasons_open, reasons_words, save
from components.panels.pick import pick
from components.panels.reasons_view import Part, Reasons

FEWEST = 5
"""Patients whose mean is said."""


def show(found: Reasons) -> None:
    """The choice of a variable, its figure, and patients to open."""
    name = pick("Variable", {part.variable.name: part.variable.label for part in found.parts}, key="reasons_one",
                default=found.parts[0].variable.name, width=320)  # fmt: skip
    if name is None:
        return
    part = found.part(name)
    above, below = st.container(), st.container()
    with below:
        t = float(convert(found.when, found.unit, found.outcome.unit))
        pairs = numbers_reasons.together(found.cohort, found.outcome, found.choice, found.fitted, t)
    with above:
        _drawn(found, part, None if pairs is None else _depends(found, name, pairs))


def _depends(found: Reasons, name: str, pairs: Interactions) -> Dependence:
    return dependence(found.fitted, found.cohort, found.told, name, found.at, pairs=pairs)


def _drawn(found: Reasons, part: Part, told: Dependence | None) -> None:
    """The figure, by the groups of the partner once that is known."""
    groups = None if told is None or told.partner is None else split(found.part(told.partner.name))
    spread = Spread(part.variable, part.levels, part.value, part.points, found.told.rows, groups)
    names = found.named(part, np.arange(len(part.points)))
    around = reasons_open.drawing(found, key="reasons_one")
    lead = page.fill("<p>{along} {partner}</p>", along=reasons_words.along(part), partner=_partner(part, told, groups))

    def drawn(mode: Mode) -> go.Figure:
        fig = dependence_figure(spread, named=names, mode=mode)
        return reasons_open.unlinked(fig) if found.nameless else fig

    save.figure(
        drawn,
        key="reasons_dependence",
        title=part.variable.label,
        aside=f"{dots_text(spread)}: the value, and what it adds to the risk",
        lead=lead,
        alt=dependence_alt(spread),
        note=_note(found, spread),
        stem="dependence",
        rows=lambda: dependence_rows(spread, named=not found.nameless),
        chosen=reasons_open.by_click(found),
        drawn=around,
    )
    reasons_open.draw_switch(found, f"Drawn: {dots_text(spread)}.", key="reasons_one")
    reasons_open.by_keyboard(found, [part], key="reasons_one")


def _note(found: Reasons, spread: Spread) -> str:
    missing = int((~np.isfinite(spread.value)).sum())
    gaps = f" {say.patients(missing)} without a value are not drawn." if missing else ""
    return f"{found.basis}{gaps} Lines and strokes: means of at least {FEWEST} patients."


def split(part: Part) -> Groups:
    """Patients by a variable, in at most four groups: its levels, or thirds of its values."""
    known = np.isfinite(part.value)
    codes = np.full(len(part.value), -1)
    if part.levels:
        return _levels(part, known, codes)
    value = part.value[known]
    distinct = np.unique(value)
    edges = distinct[1:] if len(distinct) <= 3 else np.unique(np.quantile(value, (1 / 3, 2 / 3)))
    codes[known] = np.searchsorted(edges, value, side="right")
    found = [value[codes[known] == g] for g in range(len(edges) + 1)]
    kept = [g for g, inside in enumerate(found) if len(inside)]
    labels = tuple(_range(part, found[g]) for g in kept)
    place = {g: i for i, g in enumerate(kept)} | {-1: -1}
    unit = f" ({part.variable.unit})" if part.variable.unit else ""
    return Groups(f"{part.variable.label}{unit}", labels, np.array([place[c] for c in codes.tolist()]))


def _levels(part: Part, known: np.ndarray, codes: np.ndarray) -> Groups:
    """The commonest levels by themselves; where they are more than four, the rest together."""
    at = part.value[known].astype(int)
    count = np.bincount(at, minlength=len(part.levels))
    present = np.flatnonzero(count)
    kept = present if len(present) <= 4 else np.sort(np.argsort(-count, kind="stable")[:3])
    place = np.full(len(part.levels), len(kept))
    place[kept] = np.arange(len(kept))
    codes[known] = place[at]
    labels = [part.levels[j] for j in kept]
    return Groups(part.variable.label, tuple(labels if len(kept) == len(present) else [*labels, "other"]), codes)


def _range(part: Part, inside: np.ndarray) -> str:
    low, high = float(inside.min()), float(inside.max())
    ends = part.variable.number(low), part.variable.number(high)
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


def _partner(part: Part, told: Dependence | None, groups: Groups | None) -> str:
    """With whose values the contribution differs most, and how; empty where that is not known yet."""
    if told is None:
        return ""
    name = say.in_sentence(part.variable.label)
    if told.partner is None or groups is None:
        return f"How closely the risk goes with {name} hardly differs with any other variable."
    size = f"{100 * told.strength:.1f}"
    start = (
        f"How closely the risk goes with {name} differs most with {say.in_sentence(told.partner.label)}, by {size} "
        f"point{'' if size == '1.0' else 's'} on average"
    )
    widest = _widest(part, groups)
    if widest is None:
        return f"{start}."
    where, low, high = widest
    said = told.partner.with_unit if told.partner.is_numeric else str
    return (
        f"{start}: {where} {reasons_words.signed(high[0])} points where that is {said(high[1])}, and "
        f"{reasons_words.signed(low[0])} where it is {said(low[1])}."
    )


def _widest(part: Part, groups: Groups) -> tuple[str, tuple[float, str], tuple[float, str]] | None:
    """Where the groups' means lie furthest apart: at a level, or in the lowest or highest fifth of the values."""
    best = None
    for where, mask in _places(part):
        means = [
            (float(100 * part.points[mask & (groups.codes == g)].mean()), label)
            for g, label in enumerate(groups.labels)
            if (mask & (groups.codes == g)).sum() >= FEWEST
        ]
        if len(means) < 2:
            continue
        low, high = min(means), max(means)
        if best is None or high[0] - low[0] > best[2][0] - best[1][0]:
            best = (where, low, high)
    return best


def _places(part: Part) -> list[tuple[str, np.ndarray]]:
    known = np.isfinite(part.value)
    if part.levels:
        return [(f"with {reasons_words.level(part, j)},", known & (part.value == j)) for j in range(len(part.levels))]
    if not known.any():
        return []
    low, high = np.quantile(part.value[known], (0.2, 0.8))
    said = part.variable.say
    return [
        (f"at {said(float(high))} or more,", known & (part.value >= high)),
        (f"at {said(float(low))} or less,", known & (part.value <= low)),
    ]
