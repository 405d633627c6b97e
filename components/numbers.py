"""The workbench's numbers, each computed once per session under the choices it was computed with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bedside import competing, engine, survival
from bedside.cohort import Cohort, Outcome
from bedside.cohort.groups import Grouping
from bedside.engine.counted import CountedCohort
from components import desk, live_counts


@dataclass(frozen=True)
class Plan:
    """How curves are estimated, and whose: part of every key.

    Attributes
    ----------
    level, interval, estimator
        As in `survival.curves_by`.
    entry, weights : str or None
        Columns of delayed entry and of case weights.
    alive_at : float
        Only patients free of the event and under observation then, in the outcome's unit.
    """

    level: float = 0.95
    interval: survival.Interval = "log-log"
    estimator: survival.Estimator = "kaplan-meier"
    entry: str | None = None
    weights: str | None = None
    alive_at: float = 0.0

    @property
    def key(self) -> tuple[str | float | None, ...]:
        """All of it, for a cache."""
        return (self.level, self.interval, self.estimator, self.entry, self.weights, self.alive_at)

    @property
    def observed(self) -> tuple[str | float | None, ...]:
        """What decides which patients count, and from when."""
        return (self.entry, self.weights, self.alive_at)


By = tuple[str, str | tuple[float, ...] | None]
"""A variable that patients are grouped by, and where it is cut."""


def curves(
    of: Cohort, end: Outcome, groups: Grouping | None, plan: Plan, *, by: By | None = None
) -> tuple[survival.Curve, ...]:
    """Survival curves, one per group.

    Plain curves need only counts at each time, and are read off those that the cohort's engine gives; ``by`` says
    what ``groups`` was made from. Weights, delayed entry and later starts need the patients.
    """
    plain = not (plan.entry or plan.weights or plan.alive_at or end.entry)
    if isinstance(of, CountedCohort) and not (plan.weights or plan.alive_at):
        return desk.kept(
            ("curves", of.fingerprint, end.key, desk.seal(groups), *plan.key),
            lambda: live_counts.curves(
                of, end, groups, level=plan.level, interval=plan.interval, estimator=plan.estimator, entry=plan.entry
            ),
        )  # fmt: skip
    if plain and (groups is None or by is not None):
        tables = _tables(of, end, by if groups is not None else None)
        return desk.kept(
            ("counted curves", of.fingerprint, end.key, repr(by), groups is None, *plan.key),
            lambda: tables.curves(level=plan.level, interval=plan.interval, estimator=plan.estimator),
        )
    return desk.kept(
        ("curves", of.fingerprint, end.key, desk.seal(groups), *plan.key),
        lambda: survival.curves_by(
            of, end, groups, level=plan.level, interval=plan.interval, estimator=plan.estimator, entry=plan.entry,
            weights=plan.weights, alive_at=plan.alive_at,
        ),
    )  # fmt: skip


def _tables(of: Cohort, end: Outcome, by: By | None) -> engine.GroupTables:
    """What the cohort's engine counts at each time; asked once, whatever is then estimated from it."""

    def make() -> engine.GroupTables:
        held = engine.engine_of(of)
        groups = None if by is None else engine.groups_of(held, of.variable(by[0]), cuts=by[1])
        return engine.event_tables(held, end, groups)

    return desk.kept(("counts", of.fingerprint, end.key, repr(by)), make)


@dataclass(frozen=True)
class Question:
    """Which test compares the groups, and within what strata."""

    test: survival.Weighting = "log-rank"
    p: float = 0.0
    q: float = 0.0
    strata: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str | float, ...]:
        """All of it, for a cache."""
        return (self.test, self.p, self.q, "\x1f".join(self.strata))

    @property
    def asked(self) -> dict[str, Any]:
        """As arguments."""
        return {"test": self.test, "p": self.p, "q": self.q, "strata": self.strata}


def comparison(of: Cohort, end: Outcome, groups: Grouping, plan: Plan, asked: Question) -> survival.Comparison:
    """The groups compared by one test."""
    return desk.kept(
        ("comparison", of.fingerprint, end.key, desk.seal(groups), *plan.observed, *asked.key),
        lambda: survival.compare_by(of, end, groups, entry=plan.entry, alive_at=plan.alive_at, **asked.asked),
    )


def pairs(
    of: Cohort, end: Outcome, groups: Grouping, plan: Plan, asked: Question, adjustment: str
) -> survival.PairComparison:
    """Every two groups compared."""
    return desk.kept(
        ("pairs", of.fingerprint, end.key, desk.seal(groups), *plan.observed, *asked.key, adjustment),
        lambda: survival.pairs_by(
            of, end, groups, entry=plan.entry, alive_at=plan.alive_at, adjustment=adjustment, **asked.asked
        ),
    )


def best_cut(of: Cohort, end: Outcome, name: str) -> survival.CutPoint:
    """The cut-point of a variable at which survival differs most."""
    key = ("best cut", of.fingerprint, end.key, name)
    return desk.kept(key, lambda: survival.best_cut_by(desk.with_columns(of, *end.columns, name), end, name))


def incidence(of: Cohort, end: Outcome, groups: Grouping | None, plan: Plan) -> tuple[competing.Incidence, ...]:
    """Cumulative incidence of each type of event, one value per group."""
    return desk.kept(
        ("incidence", of.fingerprint, end.key, desk.seal(groups), *plan.key),
        lambda: competing.incidence_by(
            of, end, groups, level=plan.level, interval=plan.interval, entry=plan.entry, weights=plan.weights,
            alive_at=plan.alive_at,
        ),
    )  # fmt: skip


def gray(of: Cohort, end: Outcome, groups: Grouping, plan: Plan) -> tuple[competing.GrayTest, ...]:
    """Gray's test for each type of event."""

    def make() -> tuple[competing.GrayTest, ...]:
        with desk.progress(f"Comparing {len(groups.labels):,} groups"):
            return competing.gray_by(of, end, groups, entry=plan.entry, alive_at=plan.alive_at)

    return desk.kept(("gray", of.fingerprint, end.key, desk.seal(groups), plan.entry, plan.alive_at), make)


def follow_up(of: Cohort, end: Outcome, groups: Grouping | None, plan: Plan) -> dict[str, survival.Curve]:
    """Curves of remaining under observation, by group: their medians are the median follow-up."""
    found = desk.kept(
        ("follow-up", of.fingerprint, end.key, desk.seal(groups), plan.level, plan.interval, plan.entry, plan.alive_at),
        lambda: survival.follow_up_by(
            of, end, groups, level=plan.level, interval=plan.interval, entry=plan.entry, alive_at=plan.alive_at
        ),
    )
    return {curve.group: curve for curve in found}


def illness_death(
    of: Cohort, first: Outcome, last: Outcome, groups: Grouping | None, plan: Plan, tau: float
) -> competing.IllnessDeath:
    """Chances of being before the first event, after it, and past the final one."""

    def make() -> competing.IllnessDeath:
        with desk.progress(f"Following {len(of):,} patients from state to state"):
            return competing.illness_death(of, first, last, groups, tau=tau, level=plan.level, interval=plan.interval)

    key = ("states", of.fingerprint, first.key, last.key, desk.seal(groups), plan.level, plan.interval, tau)
    return desk.kept(key, make)


def illness_death_model(
    of: Cohort, first: Outcome, last: Outcome, names: tuple[str, ...], plan: Plan
) -> competing.IllnessDeathModel:
    """Hazard ratios of some variables for each step between the states."""

    def make() -> competing.IllnessDeathModel:
        with desk.progress(f"Fitting a model of each step on {len(of):,} patients"):
            return competing.illness_death_model(of, first, last, names, level=plan.level)

    return desk.kept(("steps", of.fingerprint, first.key, last.key, "\x1f".join(names), plan.level), make)
