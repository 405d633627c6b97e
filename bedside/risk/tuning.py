"""Choosing settings inside the training rows: stratified folds, a small grid, one rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bedside.regression.concordance import concordance
from bedside.risk.fitted import Fitted, Learner, Progress
from bedside.risk.training import Training

Settings = Mapping[str, float | int | str]

ALIKE = 5e-4
"""Concordances closer than this are taken as the same, and the integrated Brier score decides."""
SHARES = tuple(np.linspace(0.1, 0.9, 9))
"""Quantiles of the event times at which the Brier score is looked at."""


def stratified_folds(event: np.ndarray, k: int, seed: int) -> np.ndarray:
    """Fold of each patient, 0 to k - 1, shape (n,): equal shares of events and of patients, by chance."""
    rng = np.random.default_rng(seed)
    order = np.concatenate([rng.permutation(np.flatnonzero(event)), rng.permutation(np.flatnonzero(~event))])
    fold = np.empty(len(event), dtype=int)
    fold[order] = np.arange(len(event)) % k
    return fold


@dataclass(frozen=True, eq=False)
class Choice:
    """What an inner cross-validation found.

    Attributes
    ----------
    settings : mapping
        The ones to use.
    grid : tuple of mapping
        All that were tried, in the order given.
    c, brier : arrays, shape (n_settings,)
        Mean over the folds of Harrell's C and of the integrated Brier score.
    """

    settings: Settings
    grid: tuple[Settings, ...]
    c: np.ndarray
    brier: np.ndarray


def choose(
    fit: Learner,
    grid: Sequence[Settings],
    rows: Training,
    folds: int = 5,
    seed: int = 0,
    *,
    progress: Progress | None = None,
) -> Choice:
    """The settings of a grid that do best on rows that were held out, all from the training rows.

    The highest mean concordance wins; among settings whose concordance is the same to 0.0005 the lowest
    integrated Brier score does, and failing that the one named first, so simple ones should come first.

    Parameters
    ----------
    fit : Learner
        Called with each of the settings.
    grid : sequence of mapping
    rows : Training
    folds, seed : int
        Folds hold equal shares of the events; there are fewer where a fold would hold less than 2 of them.
    progress : callable, optional
    """
    if len(grid) == 1:
        return Choice(grid[0], tuple(grid), np.full(1, np.nan), np.full(1, np.nan))
    used = max(2, min(folds, int(rows.event.sum()) // 2))
    fold = stratified_folds(rows.event, used, seed)
    c, brier = np.full((2, len(grid), used), np.nan)
    for k in range(used):
        known, held = rows.take(fold != k), rows.take(fold == k)
        for i, settings in enumerate(grid):
            if progress is not None:
                step, steps = k * len(grid) + i, used * len(grid)
                progress(step / steps, f"Trying settings, {step + 1} of {steps}")
            c[i, k], brier[i, k] = judged(fit(known, settings=settings, seed=seed), held)
    mean_c, mean_brier = _means(c), _means(brier)
    best = np.flatnonzero(mean_c >= np.nanmax(mean_c) - ALIKE) if np.isfinite(mean_c).any() else np.arange(len(grid))
    scores = np.where(np.isfinite(mean_brier[best]), mean_brier[best], np.inf)
    return Choice(grid[int(best[int(np.argmin(scores))])], tuple(grid), mean_c, mean_brier)


def _means(values: np.ndarray) -> np.ndarray:
    """Mean over the folds that have a value, shape (n_settings,); NaN where none has."""
    known = np.isfinite(values)
    return np.where(
        known.any(axis=1), np.where(known, values, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1), np.nan
    )


def judged(model: Fitted, held: Training) -> tuple[float, float]:
    """Harrell's C and the integrated Brier score of a model on rows that it has not seen.

    With delayed entry the score is NaN: a risk from time zero can't be compared with what became of those who had
    already been free of the event for a while.
    """
    # Someone who had another event never has this one: in a pair they are the ones who stay free of it.
    until = np.where(held.cause > 1, held.time.max() + 1, held.time)
    c = float(concordance(until, held.event, model.score(held.frame), entry=held.entry).c)
    if held.entry is not None or not held.event.any():
        return c, float("nan")
    times = np.unique(np.quantile(held.time[held.event], SHARES))
    times = times[times <= model.last]
    if not len(times):
        return c, float("nan")
    return c, _integrated(times, _brier(held, model.risk(held.frame, times), times))


def _integrated(times: np.ndarray, score: np.ndarray) -> float:
    """Mean over time by trapezoids; the score itself where there is one time."""
    if len(times) == 1:
        return float(score[0])
    areas = [(b - a) * (x + y) / 2 for (a, b), (x, y) in zip(pairwise(times), pairwise(score), strict=True)]
    return float(sum(areas) / (times[-1] - times[0]))


def _brier(held: Training, risk: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Brier score at each time, weighted by the inverse chance of being uncensored."""
    free_before, free_at = _uncensored(held, held.time, before=True), _uncensored(held, times, before=False)
    ended = (held.time[:, None] <= times) & (held.cause > 0)[:, None]
    going = held.time[:, None] > times
    weight = np.where(ended, 1 / free_before[:, None], np.where(going, 1 / free_at, 0.0))
    seen = ended & held.event[:, None]
    return (weight * (seen - risk) ** 2).sum(axis=0) / weight.sum(axis=0)


def _uncensored(held: Training, at: np.ndarray, *, before: bool) -> np.ndarray:
    """Kaplan-Meier curve of the censoring, at times or just before them; an event comes before a tied censoring."""
    censored = held.cause == 0
    times = np.unique(held.time[censored])
    ordered, died = np.sort(held.time), np.sort(held.time[~censored])
    at_risk = len(ordered) - np.searchsorted(ordered, times, side="left")
    tied_events = np.searchsorted(died, times, side="right") - np.searchsorted(died, times, side="left")
    lost = np.searchsorted(np.sort(held.time[censored]), times, side="right") - np.searchsorted(
        np.sort(held.time[censored]), times, side="left"
    )
    left = np.maximum(at_risk - tied_events, lost)
    curve = np.concatenate(([1.0], np.cumprod(1 - lost / left)))
    place = np.searchsorted(times, at, side="left" if before else "right")
    return np.maximum(curve[place], 1 / len(ordered))
