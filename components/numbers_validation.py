"""The numbers of the validation and audit pages, each computed once per session under the choices behind it.

Each model is checked on the same folds, whichever others are, so that one more model costs no more than itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np

from bedside.cohort import Cohort, Outcome, convert
from bedside.errors import Fixable
from bedside.report import say
from bedside.risk.learners import DEFAULT_SET, KINDS
from bedside.validation import (
    MEASURES,
    Calibrated,
    Comparison,
    DCalibration,
    Optimism,
    Predicted,
    Resampled,
    Score,
    calibrated,
    compare,
    cross_validate,
    d_calibrated,
    pooled,
)
from bedside.validation.apparent import apparent, settled_optimism
from bedside.validation.audit import Audits, audit_cohort
from bedside.validation.decision_at import NetBenefit, net_benefit
from components import desk, jobs, model_choice, unseen
from components.model_choice import Choice
from components.panels import horizon

Way = Literal["folds", "folds5", "bootstrap", "training"]
FOLDS = 5
REPEATS: dict[Way, int] = {"folds": 1, "folds5": 5, "bootstrap": 1, "training": 1}
MOST_TIMES = 24
AT_ONCE = 20_000
"""Patients times columns up to which a Cox model is cross-validated while the page is drawn, in under a second."""
SAMPLES, SAMPLES_OF_TREES = 100, 40
TREES = ("forest", "boosted", "average")
CARD_MEASURES = ("harrell", "uno", "auc", "brier", "ibs", "ipa", "slope_at", "observed_expected", "ici")
"""What the page's table and a model card hold, in this order."""


CARD_ABOUT = ("calibration", "observed_expected", "c")
"""What of the audit a card states; no decisions, since nobody chose a threshold for it."""


@dataclass(frozen=True)
class Ask:
    """Everything that decides a validation.

    Attributes
    ----------
    choice : Choice
        The chosen model; the others have its columns and target.
    kinds : tuple of str
        Models side by side, the chosen one among them.
    way : {"folds", "folds5", "bootstrap", "training"}
    t : float
        In the outcome's unit.
    """

    choice: Choice
    kinds: tuple[str, ...]
    way: Way
    t: float

    @property
    def repeats(self) -> int:
        """How often the patients are parted into folds."""
        return REPEATS[self.way]


def times(cohort: Cohort, outcome: Outcome, t: float) -> tuple[float, ...]:
    """Times at which risks are judged: those of the page's slider, evenly thinned where there are many, and `t`."""
    stops = horizon.stops(cohort, outcome)
    step = math.ceil(len(stops) / MOST_TIMES)
    kept = stops[step - 1 :: step]
    return kept if any(math.isclose(t, s) for s in kept) else tuple(sorted((*kept, t)))


# ------------------------------------------------------------------ what is computed in the background


def found(
    cohort: Cohort, outcome: Outcome, ask: Ask, kinds: Sequence[str], *, slot: str = "", shown: bool = True
) -> Resampled | None:
    """Out-of-fold predictions of some models, or None while one is still being made: its place shows how far it is.

    Nothing is drawn unless `shown`.

    Raises
    ------
    Fixable
        If these patients or events are too few, or no model could be fitted.
    """
    parts = [_part(cohort, outcome, ask, group, slot=slot, shown=shown) for group in groups_of(kinds)]
    if any(part is None for part in parts):
        return None
    return merged(parts, kinds)


def at_once(cohort: Cohort, outcome: Outcome, ask: Ask) -> Resampled | None:
    """The chosen model's, if it is there already or takes no time; None where it would be a job."""
    if ask.choice.kind != "cox" or ask.repeats > 1:
        return None
    learnt = model_choice.rows(cohort, outcome, ask.choice)
    if len(learnt) * max(len(learnt.variables), 1) * (4 if learnt.competes else 1) > AT_ONCE:
        return None
    work = _work(cohort, outcome, ask, ("cox",))

    def make() -> Resampled:
        with desk.progress("Checking the model on patients it has not seen") as report:
            return work(progress=report)

    return desk.kept(_key(cohort, outcome, ask, ("cox",)), make)


def groups_of(kinds: Sequence[str]) -> list[tuple[str, ...]]:
    """Models that are checked in one go: the average has its members at hand."""
    trio = any(kind in ("forest", "average") for kind in kinds)
    alone = [(kind,) for kind in kinds if not (trio and kind in DEFAULT_SET)]
    return [*([DEFAULT_SET] if trio else []), *alone]


def merged(parts: Sequence[Resampled], kinds: Sequence[str]) -> Resampled:
    """Models that were checked apart, on the same folds, as one."""
    first = parts[0]
    wanted = [kind for kind in KINDS if kind in kinds and any(kind in p.labels for p in parts)]
    failed = {kind: why for p in parts for kind, why in p.failed.items() if kind in kinds}
    if not wanted:
        raise Fixable("No model could be checked.", next(iter(failed.values())), "Choose other variables or models.")
    of = {kind: p for p in parts for kind in p.labels}
    null = [kind for kind in first.risk if kind not in first.labels]
    together = tuple(
        replace(
            pieces[0],
            said={k: v for piece in pieces for k, v in piece.said.items()},
            measures={k: v for piece in pieces for k, v in piece.measures.items()},
            settings={k: v for piece in pieces for k, v in piece.settings.items()},
            failed={k: v for piece in pieces for k, v in piece.failed.items()},
        )
        for pieces in zip(*(p.parts for p in parts), strict=True)
    )
    return replace(
        first,
        labels={kind: of[kind].labels[kind] for kind in wanted},
        risk={kind: of[kind].risk[kind] for kind in wanted} | {kind: first.risk[kind] for kind in null},
        score={kind: of[kind].score[kind] for kind in wanted},
        parts=together,
        failed=failed,
        notes=tuple(dict.fromkeys(note for p in parts for note in p.notes)),
    )


def optimism(cohort: Cohort, outcome: Outcome, ask: Ask, *, slot: str = "") -> dict[str, Optimism] | None:
    """What each model's measures lose on new patients, by the bootstrap; None while it is being computed."""
    known: dict[str, Optimism] = {}
    waiting = False
    for group in groups_of(ask.kinds):
        samples = SAMPLES_OF_TREES if any(kind in TREES for kind in group) else SAMPLES
        work = partial(
            settled_optimism, group, model_choice.rows(cohort, outcome, ask.choice),
            times=times(cohort, outcome, ask.t), resamples=samples, settings=_settings(outcome, ask, group),
        )  # fmt: skip
        key = ("optimism", *_key(cohort, outcome, ask, group))
        part = jobs.wanted(key, f"Bootstrap of {_named(group)}, {samples} samples", work, slot=slot)
        waiting = waiting or part is None
        known |= part or {}
    return None if waiting else {kind: known[kind] for kind in KINDS if kind in ask.kinds and kind in known}


def _part(
    cohort: Cohort, outcome: Outcome, ask: Ask, kinds: tuple[str, ...], *, slot: str, shown: bool = True
) -> Resampled | None:
    key = _key(cohort, outcome, ask, kinds)
    doing = "Fitting" if ask.way == "training" else "Cross-validating"
    return jobs.wanted(key, f"{doing} {_named(kinds)}", _work(cohort, outcome, ask, kinds), slot=slot, shown=shown)


def _work(cohort: Cohort, outcome: Outcome, ask: Ask, kinds: tuple[str, ...]) -> partial[Resampled]:
    learnt = model_choice.rows(cohort, outcome, ask.choice)
    given: dict[str, Any] = {
        "times": times(cohort, outcome, ask.t), "settings": _settings(outcome, ask, kinds),
    }  # fmt: skip
    if ask.way == "training":
        return partial(apparent, kinds, learnt, **given)
    return partial(cross_validate, kinds, learnt, folds=FOLDS, repeats=ask.repeats, **given)


def _settings(outcome: Outcome, ask: Ask, kinds: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
    chosen = {kind: dict(model_choice.other(ask.choice, kind, outcome).settings) for kind in kinds}
    return {kind: settings for kind, settings in chosen.items() if settings and not _of_members(kind, kinds)}


def _of_members(kind: str, kinds: Sequence[str]) -> bool:
    """True for an average whose members are fitted beside it: it is made of them, and has their settings."""
    return kind == "average" and "cox" in kinds and "forest" in kinds


def _key(cohort: Cohort, outcome: Outcome, ask: Ask, kinds: Sequence[str]) -> tuple[str | int | float | bool, ...]:
    plain = "training" if ask.way == "training" else f"folds {ask.repeats}"
    settings = repr(sorted((kind, sorted(s.items())) for kind, s in _settings(outcome, ask, kinds).items()))
    at = repr(times(cohort, outcome, ask.t))
    learnt = replace(ask.choice, kind="cox", settings=())
    return ("validated", cohort.fingerprint, outcome.key, *learnt.key, " ".join(kinds), settings, plain, at)


def _named(kinds: Sequence[str]) -> str:
    names = [model_choice.named(kind) for kind in kinds if kind != "average"]
    return f"the {' and the '.join(names)}"


# ------------------------------------------------------------------ what is read off at once


def comparison(cohort: Cohort, outcome: Outcome, ask: Ask, of: Resampled) -> Comparison:
    """Models side by side."""
    return _kept("compared", cohort, outcome, ask, of, make=lambda: compare(of))


def judged(cohort: Cohort, outcome: Outcome, ask: Ask, of: Resampled, kind: str) -> Calibrated:
    """One model's calibration and decision curve by the time that the page is about."""
    return _kept("calibrated", cohort, outcome, ask, of, kind, ask.t, make=lambda: calibrated(of, kind, ask.t))


def together(cohort: Cohort, outcome: Outcome, ask: Ask, of: Resampled) -> dict[str, dict[str, float]]:
    """By model, calibration slope and index of all patients together: those of one small fold are mostly noise."""
    return {
        kind: _kept("pooled", cohort, outcome, ask, of, kind, ask.t, make=lambda kind=kind: pooled(of, kind, ask.t))
        for kind in of.labels
    }


def better_than_average(cohort: Cohort, outcome: Outcome, ask: Ask, of: Resampled, kind: str) -> bool:
    """True if its risks are clearly closer to what happened than the same risk for everybody."""
    return _kept("any use", cohort, outcome, ask, of, kind, make=lambda: unseen.better_than_average(of, kind))


def net_benefit_at(
    cohort: Cohort, outcome: Outcome, ask: Ask, of: Resampled, kind: str, threshold: float
) -> NetBenefit:  # fmt: skip
    """What treating by a model is worth at one threshold, with its interval."""
    rows = of.rows
    make = partial(net_benefit, rows.time, rows.cause, risk(of, kind, ask.t), ask.t, threshold, entry=rows.entry)
    return _kept("net benefit", cohort, outcome, ask, of, kind, threshold, ask.t, make=make)


def risk(of: Resampled, kind: str, t: float) -> np.ndarray:
    """Each patient's out-of-fold risk by one of the times, shape (n,)."""
    return said(of, kind).at(t)


def said(of: Resampled, kind: str) -> Predicted:
    """What a model said of patients it had not seen, averaged over repeats."""
    return of.mean(kind)


def spread_evenly(cohort: Cohort, outcome: Outcome, ask: Ask, of: Resampled, kind: str) -> DCalibration | None:
    """D-calibration; None with competing events."""
    return _kept("d calibrated", cohort, outcome, ask, of, kind, make=lambda: d_calibrated(of, kind))


def _kept(what: str, cohort: Cohort, outcome: Outcome, ask: Ask, of: Resampled, *more: str | float, make: Any) -> Any:
    key = _key(cohort, outcome, ask, tuple(of.labels))
    return desk.kept((what, *key, *more), make)


def audits(
    cohort: Cohort,
    outcome: Outcome,
    ask: Ask,
    of: Resampled,
    names: tuple[str, ...],
    threshold: float | None,
    when: str,
) -> Audits:
    """The chosen model in groups of patients, with decisions at a threshold if there is one; `when` is how the time
    is said."""

    def make() -> Audits:
        with desk.progress("Looking at each group"):
            return audit_cohort(of, ask.choice.kind, cohort, variables=names, t=ask.t, threshold=threshold, when=when)

    return _kept("audit", cohort, outcome, ask, of, "\x1f".join(names), threshold or 0.0, ask.t, make=make)


# ------------------------------------------------------------------ for a model card


def performance(cohort: Cohort, outcome: Outcome, choice: Choice) -> dict[str, dict[str, Any]]:
    """What is known of how well the chosen model does, for its card: nothing is computed for it but a quick one.

    Returns
    -------
    dict of str to dict
        Name of a measure to its mean, SD and how it was measured; empty where the model was not validated yet.
    """
    default = desk.horizon(cohort, outcome)
    t = float(convert(default.value, default.unit, outcome.unit))
    ask = Ask(choice, (choice.kind,), "folds", t)
    of = _there(cohort, outcome, ask)
    if of is None or choice.kind not in of.labels:
        return {}
    card = comparison(cohort, outcome, ask, of).card(choice.kind)
    whole = together(cohort, outcome, ask, of)[choice.kind]
    how = told(of, outcome)
    return {
        _at(MEASURES[key].name, score.t, outcome): {"mean": whole[key], "sd": None, "how": f"{how}, all together"}
        if key in whole
        else _over_folds(score, of.folds, how)
        for key in CARD_MEASURES
        for score in [card.get(key, t if MEASURES[key].by_time else None)]
    }


def _over_folds(score: Score, folds: int, how: str) -> dict[str, Any]:
    """Mean, SD and 95% interval over folds, and in how many of them it has a value where not in all."""
    mean, lower, upper = unseen.interval(np.array(score.folds), folds)
    known = f"; {score.known} of {len(score.folds)} folds have a value" if score.known < len(score.folds) else ""
    return {"mean": mean, "sd": score.sd, "lower": lower, "upper": upper, "how": how + known}


def fairness(cohort: Cohort, outcome: Outcome, choice: Choice) -> tuple[str, ...]:
    """What the audit by sensitive attributes found, for the model's card; nothing where it was not validated yet."""
    names = tuple(v.name for v in cohort.sensitive)
    default = desk.horizon(cohort, outcome)
    ask = Ask(choice, (choice.kind,), "folds", float(convert(default.value, default.unit, outcome.unit)))
    of = _there(cohort, outcome, ask)
    if of is None or choice.kind not in of.labels or not names:
        return ()
    when = say.duration(default.value, default.unit)
    found = audits(cohort, outcome, ask, of, names, None, when)
    calibration = [f.sentence for one in found.audits for f in one.findings if f.about in CARD_ABOUT]
    return (*calibration, found.caution)


def _there(cohort: Cohort, outcome: Outcome, ask: Ask) -> Resampled | None:
    """The chosen model's validation if it is there: of the quick kind, or computed earlier in this session."""
    try:
        return at_once(cohort, outcome, ask) or there(cohort, outcome, ask)
    except Fixable:
        return None


def there(cohort: Cohort, outcome: Outcome, ask: Ask) -> Resampled | None:
    """The chosen model's validation if it was computed earlier in this session; nothing is computed."""
    for group in {groups_of((ask.choice.kind,))[0], (ask.choice.kind,), DEFAULT_SET}:
        if ask.choice.kind in group:
            held = desk.held(_key(cohort, outcome, ask, group))
            if held is not None:
                return merged([held], (ask.choice.kind,))
    return None


def under_way(cohort: Cohort, outcome: Outcome, ask: Ask) -> bool:
    """True while the chosen model's validation is being computed."""
    keys = {_key(cohort, outcome, ask, group) for group in groups_of((ask.choice.kind,))}
    return any(key in keys and not job.ended.is_set() for key, job in jobs.mine().items())


def _at(name: str, t: float | None, outcome: Outcome) -> str:
    return name if t is None else f"{name} at {say.readable(t, outcome.unit)}"


def told(of: Resampled, outcome: Outcome) -> str:
    """Where the numbers come from, in full: patients, events, folds."""
    n, seen = len(of.rows.time), int((of.rows.cause == 1).sum())
    times_ = f"{of.repeats} repeat{'s' * (of.repeats != 1)}"
    folds = f", {of.folds}-fold cross-validation, {times_}" if of.folds > 1 else ""
    return f"{where(of)}{folds}; {say.patients(n)}, {say.events(seen)}"


def where(of: Resampled) -> str:
    """Which predictions they are, for a caption; how they were parted is told where it says how they were made."""
    return "the patients whom the models learnt from" if of.folds == 1 else "patients it had not seen"
