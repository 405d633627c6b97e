"""What a model goes by, in sentences that are told from its numbers: associations among patients, never effects."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from bedside.cohort import Variable
from bedside.explain import Interactions
from bedside.explain.overtime import Stability
from bedside.report import say
from bedside.tails import mean_ranks
from components.panels.page import Markup, fill, join
from components.panels.reasons_view import Part, Reasons

TOP = 5
LITTLE = 0.05
"""Points below which a variable is said to make no difference: they would be written 0.0."""
CLEAR = 0.6
"""Rank correlation from which on values and contributions are said to rise together."""
ODD = " (the opposite of what is usually seen)"


def lead(found: Reasons, event: str) -> Markup:
    """The page's answer: what the risk goes with most."""
    told = [part for part in found.parts if part.size >= LITTLE][:3]
    if not told:
        return fill(
            "The risk of {event} {within} hardly goes with any variable: the model gives everybody about the same.",
            event=event, within=found.within,
        )  # fmt: skip
    first, *others = told
    then = join(
        fill("{start}{name} ({size})", start=start, name=_name(part), size=points(part.size))
        for start, part in zip((", then ", " and "), others, strict=False)
    )
    return fill(
        "The risk of {event} {within} goes most with <b>{name}</b> (on average {size} {unit} up or down){then}.",
        event=event, within=found.within, name=_name(first), size=points(first.size),
        unit="point" if points(first.size) == "1" else "points", then=then,
    )  # fmt: skip


def lines(found: Reasons, *, most: int = TOP) -> list[Markup]:
    """The most important variables, a line each: how far, and where the risk is higher."""
    told = []
    for part in found.parts[:most]:
        if part.size < LITTLE:
            continue
        where = direction(part)
        line = fill(
            '<b>{label}</b>: {size} {unit} on average<span class="bs-muted">{where}</span>',
            label=part.variable.label, size=points(part.size), unit="point" if points(part.size) == "1" else "points",
            where=f", {where}" if where else "",
        )  # fmt: skip
        told.append(line)
    return told


def direction(part: Part) -> str:
    """Where the predicted risk is higher: ``"higher with higher values"``; empty where nothing can be said."""
    known = np.isfinite(part.value)
    value, size = part.value[known], 100 * part.points[known]
    if len(value) < 2 or np.ptp(value) == 0 or np.ptp(size) < LITTLE:
        return ""
    if part.levels:
        return _by_level(part, value, size)
    rho = float(np.corrcoef(mean_ranks(value), mean_ranks(size))[0, 1])
    low, high = _ends(value, size, 0.2)
    # Also from end to end: a curve that bends back at a few high values goes in no one direction.
    if abs(rho) < CLEAR or (high - low) * rho < 0 or abs(high - low) < part.size / 2:
        return "higher in some ranges and lower in others"
    return f"{'higher' if rho > 0 else 'lower'} with higher values{_odd(part.variable, rho > 0)}"


def _ends(value: np.ndarray, size: np.ndarray, share: float) -> tuple[float, float]:
    """Means among the lowest and the highest values."""
    low, high = np.quantile(value, (share, 1 - share))
    return float(size[value <= low].mean()), float(size[value >= high].mean())


def _by_level(part: Part, value: np.ndarray, size: np.ndarray) -> str:
    present = np.unique(value).astype(int)
    means = [float(size[value == level].mean()) for level in present]
    best, worst = present[int(np.argmax(means))], present[int(np.argmin(means))]
    if max(means) - min(means) < LITTLE:
        return ""
    high, low = level(part, best), level(part, worst)
    if len(present) == 2:
        return f"higher with {high}{_odd(part.variable, best > worst)}"
    ordered = part.variable.kind != "categorical"
    return f"highest with {high}, lowest with {low}{_odd(part.variable, best > worst) if ordered else ''}"


def level(part: Part, at: int) -> str:
    """A level inside a sentence: as its dictionary's phrase has it, "grade 3"."""
    phrase = part.variable.phrase
    return say.in_sentence(part.variable.within_phrase(part.levels[at])) if phrase else part.levels[at]


def _odd(variable: Variable, rises: bool) -> str:
    return ODD if variable.expected is not None and rises != (variable.expected == "raises") else ""


def points(size: float) -> str:
    """A size in percentage points: whole from 1 on."""
    return f"{size:.0f}" if size >= 0.95 else f"{size:.1f}"


def _name(part: Part) -> str:
    return say.in_sentence(part.variable.label)


# ------------------------------------------------------------------ over time


def over_time(found: Reasons) -> str:
    """Which variable comes first at which time, and the largest change of its share."""
    told, times = found.told, found.times
    if len(times) < 2 or not len(told.variables) or told.mean_abs.max(initial=0) * 100 < LITTLE:
        return ""
    firsts = np.argmax(told.mean_abs, axis=0).tolist()
    runs = [(j, [k for k, _ in run]) for j, run in itertools.groupby(enumerate(firsts), key=lambda each: each[1])]
    label = {j: say.in_sentence(told.variables[j].label) for j in set(firsts)}
    if len(runs) == 1:
        return f"{_raised(label[firsts[0]])} comes first at every time looked at.{_second(found, firsts[0])}"
    said = [f"{label[j]} {_when(found, times[ks[0]], times[ks[-1]])}" for j, ks in runs]
    return f"What comes first changes: {'; then '.join(said)}."


def _when(found: Reasons, first: float, last: float) -> str:
    if first == last:
        return f"within {say.duration(first, found.unit)}"
    return f"within {say.duration_range(first, last, found.unit)}"


def _second(found: Reasons, first: int) -> str:
    """How the share of the first variable moves from the first time to the last."""
    told = found.told
    total = told.mean_abs.sum(axis=0)
    start, end = (float(told.mean_abs[first, k] / total[k]) if total[k] else 0.0 for k in (0, -1))
    if abs(100 * (end - start)) < 3:
        return f" Its share of all contributions stays near {say.percent(end)}."
    way = "rises" if end > start else "falls"
    return (
        f" Its share of all contributions {way} from {say.percent(start)} within "
        f"{say.duration(float(found.times[0]), found.unit)} to {say.percent(end)} within "
        f"{say.duration(float(found.times[-1]), found.unit)}."
    )


# ------------------------------------------------------------------ in parts of the patients


def steadiness(told: Stability) -> str:
    """Whether the same variable comes first in every part of the patients."""
    folds, first = told.importance.shape[0], told.variables[0].label if told.variables else ""
    if not first:
        return "The model reads no variable."
    if told.worst[0] == 1:
        return f"{first} comes first in each of {folds} parts of the patients."
    return (
        f"{first} comes first on average, but only from place {told.best[0]} to {told.worst[0]} in single parts: "
        "which variable matters most is not settled by these patients."
    )


# ------------------------------------------------------------------ one variable


def along(part: Part) -> str:
    """What a variable adds at its lowest and highest values, or with each of a few levels."""
    known = np.isfinite(part.value)
    value, size = part.value[known], 100 * part.points[known]
    if len(value) < 2 or np.ptp(value) == 0:
        return "All patients have the same value, so that nothing can be said of another one."
    if part.levels:
        present = np.unique(value).astype(int).tolist()
        means = [(float(size[value == j].mean()), level(part, j)) for j in present]
        shown = sorted(means, reverse=True)
        ends = shown if len(shown) <= 4 else [*shown[:2], shown[-1]]
        return f"On average it goes with {_listed([f'{signed(m)} points with {name}' for m, name in ends])}."
    low, high = np.quantile(value, (0.1, 0.9))
    first, last = _ends(value, size, 0.1)
    say_ = part.variable.say
    return (
        f"On average it goes with {signed(first)} points at {say_(float(low))} or less and {signed(last)} points at "
        f"{say_(float(high))} or more."
    )


def signed(size: float) -> str:
    """Points with their sign: "+17", "−0.4"."""
    text = points(abs(size))
    return "0" if float(text) == 0 else f"{'+' if size > 0 else '−'}{text}"


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _raised(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


# ------------------------------------------------------------------ pairs

NO_PAIR = "No two variables matter together: what each adds to the risk is the same whatever the other is."


def pairs(told: Interactions) -> list[str]:
    """Pairs of variables, a sentence each, the strongest first."""
    size = 100 * told.mean_abs
    first, second = np.triu_indices(len(told.variables), 1)
    order = np.argsort(-size[first, second], kind="stable")
    labels = [say.in_sentence(v.label) for v in told.variables]
    return [
        f"How closely the risk goes with {labels[first[k]]} differs with {labels[second[k]]}: by "
        f"{size[first[k], second[k]]:.1f} points on average."
        for k in order
        if size[first[k], second[k]] >= LITTLE
    ]
