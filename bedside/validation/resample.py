"""Models on patients they have not seen: repeated cross-validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from bedside.cohort.outcome import Outcome
from bedside.errors import Fixable
from bedside.risk.asked import Asked
from bedside.risk.average import MEMBERS, average_of
from bedside.risk.fit import FEWEST_EVENTS, check_size
from bedside.risk.fitted import Fitted, Learner, Progress
from bedside.risk.learners import KINDS, LEARNERS
from bedside.risk.training import Training
from bedside.survival.curve import SLACK
from bedside.validation.accuracy import null_risk
from bedside.validation.measure import Rows, rows_of
from bedside.validation.panel import Predicted, measures

EVENTS_PER_FOLD = 4
GRID = 24
NULL = "kaplan-meier"
"""Key of the row without a model."""

Settings = Mapping[str, float | int | str]
Learners = Sequence[str] | Mapping[str, Learner]


@dataclass(frozen=True, eq=False)
class Part:
    """What one fold's models said of its patients.

    Attributes
    ----------
    repeat, fold : int
    rows : array of int
        Positions of the patients that were held out.
    said : dict of str to Predicted
        By model; one that could not be fitted is not there.
    null : array, shape (g,)
        Risk at the times of the grid without a model, of the patients that the models learnt from.
    measures : dict of str to mapping
        As `bedside.validation.panel.measures`, by model, and under ``"kaplan-meier"``.
    settings : dict of str to mapping
        Hyper-parameters that were chosen in this fold.
    failed : dict of str to str
        Why a model could not be fitted.
    n_train : int
    """

    repeat: int
    fold: int
    rows: np.ndarray = field(repr=False)
    said: dict[str, Predicted] = field(repr=False)
    null: np.ndarray = field(repr=False)
    measures: dict[str, Mapping[str, np.ndarray]] = field(repr=False)
    settings: dict[str, Settings]
    failed: dict[str, str]
    n_train: int


@dataclass(frozen=True, eq=False)
class Resampled:
    """Out-of-fold predictions and measures of several models on the same folds.

    Attributes
    ----------
    labels : dict of str to str
        What each model is called, in the order asked for; those that could not be fitted are in `failed`.
    outcome : Outcome
    rows : Rows
        Follow-up of all patients.
    times : array, shape (t,)
    grid : array, shape (g,)
    risk : dict of str to array, shape (repeats, n, g)
        Each patient's risk from the models that had not seen them; ``"kaplan-meier"`` is the null model's.
    score : dict of str to array, shape (repeats, n)
    parts : tuple of Part
    folds, repeats, seed : int
    failed : dict of str to str
    notes : tuple of str
        What was done differently from what was asked.
    """

    labels: dict[str, str]
    outcome: Outcome
    rows: Rows
    times: np.ndarray
    grid: np.ndarray
    risk: dict[str, np.ndarray] = field(repr=False)
    score: dict[str, np.ndarray] = field(repr=False)
    parts: tuple[Part, ...] = field(repr=False)
    folds: int
    repeats: int
    seed: int
    failed: dict[str, str]
    notes: tuple[str, ...]

    def mean(self, kind: str) -> Predicted:
        """Each patient's out-of-fold risk, averaged over the repeats."""
        score = self.score[kind].mean(axis=0) if kind in self.score else np.zeros(len(self.rows.time))
        return Predicted(self.times, self.grid, self.risk[kind].mean(axis=0), score)


@dataclass(frozen=True, eq=False)
class Plan:
    """Which patients are held out when: all that a worker needs beside the rows.

    Attributes
    ----------
    fold : array of int, shape (repeats, n)
    folds : int
    times, grid : arrays
    seed : int
    notes : tuple of str
    """

    fold: np.ndarray = field(repr=False)
    folds: int
    times: np.ndarray
    grid: np.ndarray
    seed: int
    notes: tuple[str, ...]

    @property
    def parts(self) -> tuple[tuple[int, int], ...]:
        """(repeat, fold) of every piece of work, in order."""
        return tuple((r, k) for r in range(len(self.fold)) for k in range(self.folds))


def cross_validate(
    kinds: Learners,
    rows: Training,
    *,
    times: Sequence[float] | np.ndarray,
    folds: int = 5,
    repeats: int = 1,
    seed: int = 0,
    settings: Mapping[str, Settings] | None = None,
    progress: Progress | None = None,
) -> Resampled:
    """Fit models in each fold's training part and ask them about the patients left out.

    Everything that learns (dropping, filling, scaling, choosing hyper-parameters) happens inside the training part.

    Parameters
    ----------
    kinds : sequence of str, or mapping of str to Learner
        Keys of `bedside.risk.learners.LEARNERS`, or learners of one's own by name.
    rows : Training
    times : array, shape (t,)
        At which risks are judged, in the outcome's unit, above 0 and within the longest follow-up.
    folds, repeats, seed : int
        Folds hold equal shares of each type of event. There are fewer where a fold would hold less than 4 events, and
        more where a training part would hold less than 10; `notes` says so. The same seed gives the same bits.
    settings : mapping, optional
        Hyper-parameters by model; chosen inside each training part where not given.
    progress : callable, optional
        Called with a share and a sentence; it may raise to stop the work.

    Raises
    ------
    Fixable
        Too few patients or events, a time outside follow-up, or no model could be fitted.
    """
    plan = plan_folds(rows, times=times, folds=folds, repeats=repeats, seed=seed)
    done: list[Part] = []
    for i, (repeat, fold) in enumerate(plan.parts):
        told = None if progress is None else _share_of(progress, i, len(plan.parts))
        done.append(validate_part(kinds, rows, plan, repeat, fold, settings=settings, progress=told))
    if progress is not None:
        progress(1.0, "Models checked")
    return gathered(kinds, rows, plan, done)


def plan_folds(
    rows: Training, *, times: Sequence[float] | np.ndarray, folds: int = 5, repeats: int = 1, seed: int = 0
) -> Plan:
    """The folds of a cross-validation, before anything is fitted. Parameters as in `cross_validate`."""
    at = checked_times(rows, times)
    events = int(rows.event.sum())
    check_size(len(rows), events, rows.outcome)
    used = folds_for(events, folds)
    if used is None:
        raise Fixable(
            "These models can't be cross-validated.",
            f"There are {events} events, and each part that a model learns from needs {FEWEST_EVENTS} of them.",
            "Include more patients, or choose an outcome that occurred more often.",
        )
    notes = () if used == folds else (f"{events} events allow {used} folds instead of {folds}.",)
    fold = np.stack([stratified_by_cause(rows.cause, used, seed=seed + repeat) for repeat in range(repeats)])
    return Plan(fold, used, at, grid_of(rows, at), seed, notes)


def folds_for(events: int, asked: int) -> int | None:
    """How many folds these events allow; None if no training part could hold enough of them."""
    used = max(2, min(asked, events // EVENTS_PER_FOLD))
    while events - -(-events // used) < FEWEST_EVENTS:
        used += 1
        if used > events:
            return None
    return used


def stratified_by_cause(cause: np.ndarray, folds: int, *, seed: int) -> np.ndarray:
    """Fold of each patient, 0 to folds - 1, shape (n,): equal shares of each type of event and of the censored."""
    rng = np.random.default_rng(seed)
    kinds = [*np.unique(cause[cause > 0]), 0]
    order = np.concatenate([rng.permutation(np.flatnonzero(cause == kind)) for kind in kinds])
    fold = np.empty(len(cause), dtype=int)
    fold[order] = np.arange(len(cause)) % folds
    return fold


def validate_part(
    kinds: Learners,
    rows: Training,
    plan: Plan,
    repeat: int,
    fold: int,
    *,
    settings: Mapping[str, Settings] | None = None,
    progress: Progress | None = None,
) -> Part:
    """One fold's work, which depends on nothing but its arguments: parts may be done in any order and process."""
    out = plan.fold[repeat] == fold
    known, held = rows.take(~out), rows.take(out)
    models, failed = fit_all(kinds, known, settings=settings, seed=plan.seed, progress=progress)
    asked = Asked(held.frame)
    said = {kind: predicted(model, held, plan.times, plan.grid, asked=asked) for kind, model in models.items()}
    null = null_risk(known.time, known.cause, plan.grid, entry=known.entry, extend=True)
    seen = rows_of(held.time, held.cause, held.entry)
    return Part(
        repeat=repeat,
        fold=fold,
        rows=np.flatnonzero(out),
        said=said,
        null=null,
        measures={kind: measures(seen, s, null) for kind, s in said.items()} | {NULL: _of_null(seen, plan, null)},
        settings={kind: dict(model.settings) for kind, model in models.items()},
        failed=failed,
        n_train=len(known),
    )


def _of_null(seen: Rows, plan: Plan, null: np.ndarray) -> Mapping[str, np.ndarray]:
    n = len(seen.time)
    said = Predicted(plan.times, plan.grid, np.broadcast_to(null, (n, len(null))), np.zeros(n))
    return measures(seen, said, null, full=False)


def fit_all(
    kinds: Learners,
    known: Training,
    *,
    settings: Mapping[str, Settings] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> tuple[dict[str, Fitted], dict[str, str]]:
    """Models of the same rows, and why others could not be fitted. An average is made of models already there."""
    chosen = learners_of(kinds)
    models: dict[str, Fitted] = {}
    failed: dict[str, str] = {}
    for i, (kind, learner) in enumerate(chosen.items()):
        told = None if progress is None else _share_of(progress, i, len(chosen))
        own = (settings or {}).get(kind)
        try:
            if learner is LEARNERS.get("average") and own is None and all(m in models for m in MEMBERS):
                models[kind] = average_of([models[m] for m in MEMBERS], known)
            else:
                models[kind] = learner(known, settings=own, seed=seed, progress=told)
        except Fixable as stop:
            failed[kind] = f"{stop.what} {stop.why}"
    return models, failed


def predicted(
    model: Fitted, held: Training, times: np.ndarray, grid: np.ndarray, *, asked: Asked | None = None
) -> Predicted:
    """What a model says of patients; after its own last time its risk is carried on.

    With `asked`, of the same patients, nothing is worked out that other models there have been asked already.
    """
    answers = Asked(held.frame) if asked is None else asked
    within = np.minimum(grid, model.last)
    at, place = np.unique(within, return_inverse=True)
    return Predicted(times, grid, answers.risk(model, at)[:, place], answers.score(model))


def gathered(kinds: Learners, rows: Training, plan: Plan, parts: Sequence[Part]) -> Resampled:
    """All parts of a plan together.

    Raises
    ------
    Fixable
        If no model could be fitted in every part.
    """
    parts = tuple(sorted(parts, key=lambda part: (part.repeat, part.fold)))
    failed = {kind: why for part in parts for kind, why in part.failed.items()}
    labels = {kind: KINDS.get(kind, kind) for kind in learners_of(kinds) if kind not in failed}
    if not labels:
        raise Fixable("No model could be checked.", next(iter(failed.values())), "Choose other variables or models.")
    repeats, n = plan.fold.shape
    risk = {kind: np.empty((repeats, n, len(plan.grid))) for kind in (*labels, NULL)}
    score = {kind: np.empty((repeats, n)) for kind in labels}
    for part in parts:
        risk[NULL][part.repeat, part.rows] = part.null
        for kind in labels:
            risk[kind][part.repeat, part.rows] = part.said[kind].risk
            score[kind][part.repeat, part.rows] = part.said[kind].score
    return Resampled(
        labels=labels,
        outcome=rows.outcome,
        rows=rows_of(rows.time, rows.cause, rows.entry),
        times=plan.times,
        grid=plan.grid,
        risk=risk,
        score=score,
        parts=parts,
        folds=plan.folds,
        repeats=repeats,
        seed=plan.seed,
        failed=failed,
        notes=plan.notes + tuple(f"{KINDS.get(k, k)} is not compared. {why}" for k, why in failed.items()),
    )


def learners_of(kinds: Learners) -> dict[str, Learner]:
    return dict(kinds) if isinstance(kinds, Mapping) else {kind: LEARNERS[kind] for kind in kinds}


def checked_times(rows: Training, times: Sequence[float] | np.ndarray) -> np.ndarray:
    at = np.unique(np.asarray(times, dtype=float))
    last = float(rows.time.max()) if len(rows) else 0.0
    if not (len(at) and at[0] > 0 and at[-1] <= last * (1 + SLACK)):
        raise Fixable(
            "Risks can't be checked at that time.",
            f"The longest follow-up is {last:.6g} {rows.outcome.unit}.",
            "Choose a time above 0 and within it.",
        )
    return at


def grid_of(rows: Training, at: np.ndarray) -> np.ndarray:
    """Times asked for and quantiles of the event times."""
    seen = rows.time[rows.event & (rows.time > 0)]
    more = np.quantile(seen, (np.arange(GRID) + 1) / GRID) if len(seen) else np.zeros(0)
    return np.union1d(at, more)


def _share_of(progress: Progress, i: int, of: int) -> Progress:
    def told(share: float, sentence: str) -> None:
        progress((i + share) / of, sentence)

    told(0.0, f"Part {i + 1} of {of}")
    return told
