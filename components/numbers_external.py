"""The numbers of the page on patients from elsewhere, each computed once per session under the choices behind it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING

from bedside.cohort import Cohort, Outcome, Selection
from bedside.risk.fits import Misfit, check_fits
from bedside.risk.fitted import Fitted
from bedside.store import models
from bedside.validation.calibration import CalibrationGroup
from bedside.validation.calibration_curve import SmoothCalibration
from bedside.validation.external import External, PerformanceAt, external
from bedside.validation.external_map import (
    Mapping,
    Problem,
    compare_definitions,
    compare_variables,
    guess_mapping,
    mapped_cohort,
)
from bedside.validation.recalibrate import Update, recalibrate
from bedside.validation.recalibrated import How
from components import desk, jobs
from components.panels import horizon

if TYPE_CHECKING:
    from bedside.risk.save import Saved

QUICK = ("cox", "penalised")
MOST_TESTED, MOST_UPDATED = 4_000, 600
"""Patients up to which a model of coefficients is tested, or updated, while the page is drawn."""
MOST_TIMES = 6

Key = tuple[str | int | float | bool, ...]


@dataclass(frozen=True, eq=False)
class Pair:
    """A model, and patients from elsewhere.

    Attributes
    ----------
    model : Fitted
    learnt : str
        Whom it learnt from, within a sentence.
    training : Cohort or None
        Those patients, where they are at hand.
    saved : Saved or None
        Where the model comes from the store.
    patients : Cohort
    outcome : Outcome
        Of `patients`.
    label : str
        What they are called after their number: ``"patients followed outside the trial"``.
    note : str
        What the dictionary says of the comparison.
    """

    model: Fitted
    learnt: str
    training: Cohort | None
    saved: Saved | None
    patients: Cohort
    outcome: Outcome
    label: str
    note: str = ""


@dataclass(frozen=True, eq=False)
class Read:
    """How a model's variables are read from these patients, and what stands in the way.

    Attributes
    ----------
    mapping : Mapping
    problems : tuple of Problem
        Of the outcomes, and of variables without a column.
    misfits : tuple of Misfit
        Of the variables.
    gaps : mapping of str to int
        Missing values of each variable that has a column.
    events : tuple of Problem
        Those of the outcomes alone.
    """

    mapping: Mapping
    problems: tuple[Problem, ...]
    misfits: tuple[Misfit, ...]
    gaps: dict[str, int] = field(repr=False)
    events: tuple[Problem, ...] = ()

    @property
    def refused(self) -> tuple[Problem | Misfit, ...]:
        """What makes a test impossible."""
        return tuple(p for p in (*self.problems, *self.misfits) if p.weight == "refuse")

    @property
    def other_event(self) -> bool:
        """True if these patients' outcome is another event, which no choice of columns can mend."""
        return any(p.weight == "refuse" for p in self.events)

    @property
    def asked(self) -> tuple[Problem | Misfit, ...]:
        """What a person must have looked at first."""
        return tuple(p for p in (*self.problems, *self.misfits) if p.weight in ("confirm", "alarm"))


@dataclass(frozen=True, eq=False)
class Judged:
    """What the calibration figure draws."""

    label: str
    groups: tuple[CalibrationGroup, ...]
    smooth: SmoothCalibration | None


def judged(label: str, at: PerformanceAt) -> Judged:
    """Calibration at one time, for its figure."""
    return Judged(label, at.groups, at.smooth)


def saved_model(key: str, version: int) -> Saved:
    """A saved model, opened and checked once in this session.

    Raises
    ------
    Fixable
        If it can't be opened.
    """
    return desk.kept(("saved model", key, version), lambda: models.read_model(key, version))


def parted(cohort: Cohort, chosen: Selection) -> tuple[Cohort, Cohort]:
    """The patients that a selection leaves out, and those that it takes.

    Raises
    ------
    Fixable
        If it takes nobody.
    """

    def make() -> tuple[Cohort, Cohort]:
        taken = chosen.apply(cohort)
        return cohort.take(~chosen.mask(cohort), seal=f"all but {chosen.to_text()}"), taken

    return desk.kept(("parted", cohort.fingerprint, chosen.to_text()), make)


def taken(cohort: Cohort, chosen: Selection) -> Cohort:
    """Some of a cohort's patients.

    Raises
    ------
    Fixable
        If there are none.
    """
    return desk.kept(("taken", cohort.fingerprint, chosen.to_text()), lambda: chosen.apply(cohort))


# ------------------------------------------------------------------ reading


def mark_of(pair: Pair) -> str:
    """Stands for a model's variables and a cohort: what a reader changed in the mapping is kept under it."""
    names = [reading.variable.name for reading in pair.model.design.readings]
    return sealed(repr((names, pair.model.cohort_key, pair.patients.key)))


def sealed(text: str) -> str:
    """Stands for a text in the key of a widget, and tells nothing of it."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def guessed(pair: Pair) -> Mapping:
    """Where each variable is read from, unless the reader says otherwise."""
    return desk.kept(("guessed", *_of(pair)), lambda: guess_mapping(pair.model, pair.patients))


def read(pair: Pair, mapping: Mapping) -> Read:
    """What the model makes of these patients' columns."""

    def make() -> Read:
        frame = mapped_cohort(pair.model, pair.patients, mapping)
        gaps = {str(name): int(n) for name, n in frame.frame.isna().sum().items() if n}
        events = compare_definitions(pair.model, pair.patients, pair.outcome)
        columns = compare_variables(pair.model, mapping)
        return Read(mapping, (*events, *columns), check_fits(pair.model, frame), gaps, events)

    return desk.kept(("read elsewhere", *_of(pair), repr(mapping)), make)


# ------------------------------------------------------------------ testing and updating


def times(pair: Pair, t: float) -> tuple[float, ...]:
    """The time asked for and a few of the slider's before it, ascending."""
    before = [s for s in horizon.stops(pair.patients, pair.outcome) if s < t * (1 - 1e-9)]
    step = -(-len(before) // (MOST_TIMES - 1)) if before else 1
    return (*before[::-1][step - 1 :: step][::-1], t)


def tested(pair: Pair, mapping: Mapping, t: float, *, confirmed: bool) -> External | None:
    """The model on these patients, or None while it is being computed: its place shows how far it is.

    Raises
    ------
    Fixable
        If it can't be tested.
    """
    at = times(pair, t)
    work = partial(
        external, pair.model, pair.patients, pair.outcome, times=at, mapping=mapping, confirmed=confirmed,
        learnt_from=pair.training,
    )  # fmt: skip
    key = ("tested elsewhere", *_of(pair), repr(mapping), repr(at), confirmed)
    title = f"Testing the model on {len(pair.patients):,} patients"
    if at_once(pair, MOST_TESTED):
        return desk.kept(key, work)
    return jobs.wanted(key, title, work)


def updated(pair: Pair, mapping: Mapping, t: float, how: How, *, confirmed: bool) -> Update | None:
    """The model fitted to these patients, before and after, or None while it is being computed.

    Raises
    ------
    Fixable
        If it can't be updated.
    """
    work = partial(
        recalibrate, pair.model, pair.patients, pair.outcome, times=(t,), how=how, mapping=mapping, confirmed=confirmed
    )
    key = ("updated elsewhere", *_of(pair), repr(mapping), t, how, confirmed)
    title = f"Updating the model on {len(pair.patients):,} patients, again and again without some of them"
    if not at_once(pair, MOST_UPDATED):
        return jobs.wanted(key, title, work)

    def make() -> Update:
        with desk.progress(title):
            return work()

    return desk.kept(key, make)


def at_once(pair: Pair, most: int) -> bool:
    """True if it takes well under a second."""
    return pair.model.kind in QUICK and len(pair.patients) <= most


def _of(pair: Pair) -> Key:
    return (pair.model.fingerprint, pair.patients.fingerprint, pair.outcome.key)
