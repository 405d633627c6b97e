"""Models side by side on the same folds: scorecards, differences with their noise, and what all of it comes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

import numpy as np
from scipy.special import stdtr, stdtrit

from bedside.cohort.units import Unit
from bedside.validation.panel import MEASURES, Better
from bedside.validation.resample import NULL, Resampled

Verdict = Literal["noise", "alike", "moot", "better", "worse", "unknown"]
COMPARED = ("harrell", "uno", "auc", "brier", "ibs", "ici")
AGAINST_NULL = ("auc", "brier", "ibs")
WITHOUT_BASELINE = ("ici",)
ALIKE = {"harrell": 0.005, "uno": 0.005, "auc": 0.005, "ici": 0.005}
"""Differences smaller than these are of no use to anybody, however sure they are."""
ALIKE_SHARE = 0.02
"""So are those of Brier scores below this share of the baseline's."""
MOST_PLACES = 7


@dataclass(frozen=True)
class Score:
    """One measure of one model over the folds.

    Attributes
    ----------
    key, name : str
        As in `bedside.validation.panel.MEASURES`.
    t : float or None
        Time of the risks, where the measure belongs to one.
    mean, sd : float
        Over the folds in which it has a value; the SD is NaN for a single one.
    folds : tuple of float
        In the order of repeats and folds; NaN where it has no value.
    better : {"higher", "lower", "one", "zero"}
    """

    key: str
    name: str
    t: float | None
    mean: float
    sd: float
    folds: tuple[float, ...]
    better: Better

    @property
    def known(self) -> int:
        """In how many folds it has a value."""
        return int(np.isfinite(self.folds).sum())


@dataclass(frozen=True)
class Scorecard:
    """Every measure of one model on patients it had not seen."""

    kind: str
    label: str
    scores: tuple[Score, ...]

    def get(self, key: str, t: float | None = None) -> Score:
        """One of them; of a measure that belongs to a time, at the last one if none is given."""
        found = [s for s in self.scores if s.key == key and (t is None or s.t is None or np.isclose(s.t, t))]
        if not found:
            raise KeyError(key)
        return found[-1]


@dataclass(frozen=True)
class Difference:
    """A measure of one model less that of another, over the same folds.

    Attributes
    ----------
    key, name, t
        As in `Score`.
    first, second : str
        Keys of the models.
    mean, std_err, lower, upper, p : float
        Corrected for training parts that overlap.
    folds : int
        In which both have a value.
    verdict : {"noise", "alike", "moot", "better", "worse", "unknown"}
        Of the first against the second: ``"noise"`` if the interval holds 0, ``"alike"`` if it does not but the
        difference is too small to matter, ``"moot"`` if the better of two models does not beat the baseline either,
        ``"unknown"`` with fewer than two folds.
    sentence : str
    """

    key: str
    name: str
    t: float | None
    first: str
    second: str
    mean: float
    std_err: float
    lower: float
    upper: float
    p: float
    folds: int
    verdict: Verdict
    sentence: str


@dataclass(frozen=True)
class Comparison:
    """Models side by side.

    Attributes
    ----------
    cards : tuple of Scorecard
        Of the models, in the order asked for.
    baseline : Scorecard
        Kaplan-Meier (Aalen-Johansen with competing events): the same risk for everybody.
    differences : tuple of Difference
        Of each pair of models, then of each model and the baseline.
    reading : tuple of str
        What it comes to, in plain words.
    """

    cards: tuple[Scorecard, ...]
    baseline: Scorecard
    differences: tuple[Difference, ...]
    reading: tuple[str, ...]
    times: tuple[float, ...]
    unit: Unit
    folds: int
    repeats: int
    n: int
    n_events: int
    notes: tuple[str, ...]

    def card(self, kind: str) -> Scorecard:
        """Of one model, or of ``"kaplan-meier"``."""
        return next(card for card in (*self.cards, self.baseline) if card.kind == kind)


def compare(found: Resampled, *, level: float = 0.95) -> Comparison:
    """Scorecards of all models, and which differences are more than noise.

    A difference is averaged over the folds. Their training parts overlap, so the plain standard error would be too
    small; it is multiplied by the root of (1/J + n_test/n_train) over 1/J, for J folds in all, and t with J - 1
    degrees of freedom is used.

    Parameters
    ----------
    found : Resampled
    level : float, default 0.95

    References
    ----------
    Nadeau & Bengio (2003), Mach Learn 52:239-281.
    """
    cards = tuple(_card(found, kind, label) for kind, label in found.labels.items())
    baseline = _card(found, NULL, "Kaplan-Meier" if not found.rows.competes else "Aalen-Johansen")
    share = float(np.mean([len(part.rows) / part.n_train for part in found.parts]))
    differences = differences_of(cards, baseline, share, level=level, unit=found.outcome.unit)
    return Comparison(
        cards=cards,
        baseline=baseline,
        differences=differences,
        reading=reading_of(cards, differences),
        times=tuple(float(t) for t in found.times),
        unit=found.outcome.unit,
        folds=found.folds,
        repeats=found.repeats,
        n=len(found.rows.time),
        n_events=int((found.rows.cause == 1).sum()),
        notes=found.notes,
    )


def differences_of(
    cards: Sequence[Scorecard], baseline: Scorecard, share: float, *, level: float = 0.95, unit: Unit
) -> tuple[Difference, ...]:
    """Of each pair of models, the later less the earlier, then of each model and the baseline.

    Parameters
    ----------
    cards, baseline
    share : float
        Patients held out over patients learnt from.
    level, unit
    """
    null = {
        (a.kind, first.key, first.t): _difference(a, baseline, first, baseline, share, level, unit)
        for a in cards
        for first in a.scores
        if first.key in COMPARED and first.key not in WITHOUT_BASELINE
    }
    between = [
        _crowned(_difference(a, b, first, baseline, share, level, unit), a, b, null)
        for b, a in combinations(cards, 2)
        for first in a.scores
        if first.key in COMPARED
    ]
    return (*between, *(d for d in null.values() if d.key in AGAINST_NULL))


def _card(found: Resampled, kind: str, label: str) -> Scorecard:
    scores = []
    for key, info in MEASURES.items():
        if key not in found.parts[0].measures[kind]:
            continue
        values = np.array([part.measures[kind][key] for part in found.parts])
        for j in range(values.shape[1]):
            t = float(found.times[j]) if info.by_time else None
            scores.append(Score(key, info.name, t, *_spread(values[:, j]), tuple(values[:, j].tolist()), info.better))
    return Scorecard(kind, label, tuple(scores))


def _spread(values: np.ndarray) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    mean = float(known.mean()) if len(known) else float("nan")
    return mean, float(known.std(ddof=1)) if len(known) > 1 else float("nan")


def _difference(
    a: Scorecard, b: Scorecard, first: Score, baseline: Scorecard, share: float, level: float, unit: Unit
) -> Difference:
    off = np.array(first.folds) - np.array(b.get(first.key, first.t).folds)
    known = off[np.isfinite(off)]
    mean, std_err, lower, upper, p = corrected(known, share, level)
    small = ALIKE.get(first.key)
    small = ALIKE_SHARE * baseline.get(first.key, first.t).mean if small is None else small
    verdict = _verdict(first, mean, lower, upper, small)
    at = "" if first.t is None else f" at {first.t:g} {unit}"
    told = _told(a.label, b.label, f"{first.name}{at}", mean, lower, upper, verdict, level, len(known))
    return Difference(
        first.key, first.name, first.t, a.kind, b.kind, mean, std_err, lower, upper, p, len(known), verdict, told
    )


def _crowned(
    found: Difference, a: Scorecard, b: Scorecard, null: Mapping[tuple[str, str, float | None], Difference]
) -> Difference:
    """The same, unless it would call the better of two models clear winner that does not beat the baseline."""
    if found.verdict not in ("better", "worse"):
        return found
    winner = a if found.verdict == "better" else b
    own = (winner.kind, "ibs", None) if found.key in WITHOUT_BASELINE else (winner.kind, found.key, found.t)
    if null[own].verdict == "better":
        return found
    told = found.sentence.removesuffix(f"{WORDS[found.verdict]}.") + f"{WORDS['moot']}."
    return replace(found, verdict="moot", sentence=told)


def corrected(off: np.ndarray, share: float, level: float = 0.95) -> tuple[float, float, float, float, float]:
    """Mean of differences over J folds, its standard error, interval and p, corrected for overlapping training parts.

    Parameters
    ----------
    off : array, shape (J,)
    share : float
        Patients held out over patients learnt from.

    References
    ----------
    Nadeau & Bengio (2003), Mach Learn 52:239-281.
    """
    j = len(off)
    mean = float(off.mean()) if j else float("nan")
    if j < 2:
        return mean, *(float("nan"),) * 4
    std_err = float(np.sqrt((1 / j + share) * off.var(ddof=1)))
    reach = float(stdtrit(j - 1, (1 + level) / 2)) * std_err
    p = float(2 * stdtr(j - 1, -abs(mean) / std_err)) if std_err > 0 else (1.0 if mean == 0 else 0.0)
    return mean, std_err, mean - reach, mean + reach, p


def _verdict(score: Score, mean: float, lower: float, upper: float, small: float) -> Verdict:
    if not np.isfinite(lower):
        return "unknown"
    if lower <= 0 <= upper:
        return "noise"
    if abs(mean) < small:
        return "alike"
    return "better" if (mean > 0) == (score.better == "higher") else "worse"


WORDS: dict[Verdict, str] = {
    "noise": "within noise",
    "alike": "too small to matter",
    "moot": "but neither clearly beats the same risk for everybody",
    "better": "clearly better",
    "worse": "clearly worse",
    "unknown": "too few folds to tell",
}


def _told(
    a: str, b: str, name: str, mean: float, lower: float, upper: float, verdict: Verdict, level: float, folds: int
) -> str:
    if verdict == "unknown":
        return f"{name}, {a} against {b}: {WORDS[verdict]}."
    side = "the same" if f"{abs(mean):.3f}" == "0.000" else f"{abs(mean):.3f} {'higher' if mean > 0 else 'lower'}"
    sure = verdict != "noise"
    return (
        f"{name}, {a} against {b}: {side} ({level:.0%} interval {limit(lower, sure=sure)} to "
        f"{limit(upper, sure=sure)}, {folds} folds), {WORDS[verdict]}."
    )


def limit(value: float, *, sure: bool) -> str:
    """An end of an interval: three decimals, more where a `sure` difference from 0 would be rounded away."""
    places = next((k for k in range(3, MOST_PLACES) if not sure or float(f"{value:.{k}f}")), MOST_PLACES)
    shown = f"{value:.{places}f}"
    return shown.replace("-", "−") if float(shown) else "0.000"


def reading_of(cards: Sequence[Scorecard], differences: Sequence[Difference]) -> tuple[str, ...]:
    """What differences come to, in plain words."""
    told = []
    between = [d for d in differences if NULL not in (d.first, d.second) and d.key in ("harrell", "ibs")]
    if len(cards) > 1:
        clear = [d for d in between if d.verdict in ("better", "worse")]
        if clear:
            told += [d.sentence for d in clear]
        else:
            told.append(
                "No model ranks patients or predicts their risks clearly better than another: the differences are "
                "within noise or too small to matter. Choose the one that is easiest to explain."
            )
    for card in cards:
        own = [d for d in differences if d.first == card.kind and d.second == NULL and d.key == "ibs"]
        if own and own[0].verdict != "better":
            told.append(
                f"{card.label}: over all follow-up its risks are not clearly closer to what happened than the same "
                "risk for everybody."
            )
    return tuple(told)
