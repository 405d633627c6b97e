"""A model fitted anew to other patients: its baseline, or its baseline and how far its risks are apart."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from bedside.cohort import Cohort, Outcome
from bedside.cohort.units import convert
from bedside.errors import Fixable
from bedside.regression.cox import fit_cox
from bedside.regression.data import cox_data
from bedside.risk.design import Design
from bedside.risk.fit import FEWEST_EVENTS
from bedside.risk.fits import require_fit
from bedside.risk.fitted import Fitted, Limits, State
from bedside.risk.learners import RECALIBRATED, restore
from bedside.risk.training import Target
from bedside.survival.curve import SLACK
from bedside.validation.calibration import Estimate, cloglog, estimate
from bedside.validation.external import External, Performance, external, followed_rows, performance
from bedside.validation.external_map import Mapping, guess_mapping, mapped_cohort
from bedside.validation.measure import Rows
from bedside.validation.resample import folds_for, stratified_by_cause
from bedside.validation.weak import weak_calibration

How = Literal["baseline", "slope"]
"""``"baseline"``: the risks' order and distances stay, their level is learnt anew. ``"slope"``: their distances too."""
ENOUGH_EVENTS = 100
FOLDS, REPEATS = 10, 5


@dataclass(frozen=True, eq=False)
class Recalibrated:
    """A model whose risks are those of other patients.

    With lp(x) = log(-log(1 - risk of x by `anchor`)) - `centre`, the risk by t is 1 - exp(-H(t) exp(slope lp(x))),
    where H is `hazard`. With competing events it is 1 - exp(-exp(shift + slope log(-log(1 - risk by t)))).

    Attributes
    ----------
    model : Fitted
        As it was.
    how : {"baseline", "slope"}
    slope : Estimate
        1 without an error where only the baseline was updated.
    shift : float
        With competing events.
    anchor : float
        In the unit of the model's outcome, as `time`.
    centre : float
    time, hazard : arrays
        Steps of H; empty with competing events.
    reach : float
        Longest follow-up of the patients it was updated on.
    updated : mapping
        ``title``, ``fingerprint``, ``n`` and ``n_events`` of these patients.
    """

    model: Fitted
    how: How
    slope: Estimate
    shift: float
    anchor: float
    centre: float
    time: np.ndarray = field(repr=False)
    hazard: np.ndarray = field(repr=False)
    reach: float
    updated: Map[str, Any]
    kind: str = RECALIBRATED

    @property
    def label(self) -> str:
        """The model's, and that it was recalibrated."""
        return f"{self.model.label}, recalibrated"

    @property
    def outcome(self) -> Outcome:
        """The model's."""
        return self.model.outcome

    @property
    def target(self) -> Target:
        """The model's."""
        return self.model.target

    @property
    def cohort_key(self) -> str:
        """What the model learnt from."""
        return self.model.cohort_key

    @property
    def cohort_fingerprint(self) -> str:
        """What the model learnt from, to the last value."""
        return self.model.cohort_fingerprint

    @property
    def n(self) -> int:
        """Patients the model learnt from."""
        return self.model.n

    @property
    def n_events(self) -> int:
        """Events the model learnt from."""
        return self.model.n_events

    @property
    def design(self) -> Design:
        """The model's."""
        return self.model.design

    @property
    def last(self) -> float:
        """The shorter of both follow-ups."""
        return min(self.model.last, self.reach)

    @property
    def settings(self) -> dict[str, float | int | str]:
        """The model's, and how it was updated."""
        return {**self.model.settings, "recalibrated": self.how, "calibration slope": self.slope.value}

    @property
    def cautions(self) -> tuple[str, ...]:
        """The model's, and what the update rests on."""
        n, events = int(self.updated["n"]), int(self.updated["n_events"])
        what = "Its baseline was" if self.how == "baseline" else "Its baseline and calibration slope were"
        told = f"{what} updated on {n:,} patients with {events:,} events ({self.updated['title']})."
        few = (
            (f"An update on fewer than {ENOUGH_EVENTS} events may follow chance; test it on further patients.",)
            if events < ENOUGH_EVENTS
            else ()
        )
        return (*self.model.cautions, told, *few)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the model's and of the update."""
        seal = hashlib.sha256(self.model.fingerprint.encode())
        seal.update(json.dumps([self.how, self.slope.value, self.shift, self.anchor, self.centre, self.reach]).encode())
        for array in (self.time, self.hazard):
            seal.update(np.ascontiguousarray(array))
        return seal.hexdigest()

    def risk(self, patients: pd.DataFrame, times: Sequence[float] | np.ndarray) -> np.ndarray:
        """Risk by each time, shape (n, t).

        Raises
        ------
        Fixable
            Beyond `last`.
        """
        at = np.atleast_1d(np.asarray(times, dtype=float))
        if len(at) and not (at.min() >= 0 and at.max() <= self.last * (1 + SLACK)):
            raise Fixable(
                "No risk at that time.",
                f"Follow-up ended at {self.last:.6g} {self.outcome.unit}.",
                "Choose a time above 0 and within it.",
            )
        anchor = self.model.risk(patients, [self.anchor])[:, 0]
        if len(self.time):
            return self.adjusted(anchor, np.zeros(0), at)
        return self.adjusted(anchor, self.model.risk(patients, np.minimum(at, self.model.last)), at)

    def adjusted(self, anchor: np.ndarray, before: np.ndarray, at: np.ndarray) -> np.ndarray:
        """Updated risks, shape (n, t), from the model's own.

        Parameters
        ----------
        anchor : array, shape (n,)
            The model's risk by `anchor`.
        before : array, shape (n, t)
            By each time; asked for with competing events alone.
        at : array, shape (t,)
        """
        if not len(self.time):
            after = -np.expm1(-np.exp(np.minimum(self.shift + self.slope.value * cloglog(before), 700.0)))
            return np.where(before > 0, after, 0.0)
        level = np.concatenate(([0.0], self.hazard))
        reached = level[np.searchsorted(self.time, at * (1 + SLACK), side="right")]
        lp = cloglog(anchor) - self.centre
        return -np.expm1(-np.exp(np.minimum(self.slope.value * lp, 700.0))[:, None] * reached)

    def score(self, patients: pd.DataFrame) -> np.ndarray:
        """The model's: an update changes no order."""
        return self.model.score(patients)

    def limits(
        self, patients: pd.DataFrame, times: Sequence[float] | np.ndarray, *, level: float = 0.95
    ) -> Limits | None:
        """None: what the update adds to the model's own variability was not worked out."""
        return None

    def state(self) -> State:
        """The model's state inside that of the update."""
        inner = self.model.state()
        facts = {
            "model": {"kind": inner.kind, "facts": dict(inner.facts)}, "how": self.how,
            "slope": [self.slope.value, self.slope.std_err, self.slope.lower, self.slope.upper],
            "shift": self.shift, "anchor": self.anchor, "centre": self.centre, "reach": self.reach,
            "updated": dict(self.updated),
        }  # fmt: skip
        arrays = {f"model.{name}": array for name, array in inner.arrays.items()}
        return State(self.kind, facts, {**arrays, "time": self.time, "hazard": self.hazard})


def restore_recalibrated(state: State) -> Recalibrated:
    """The inverse of ``Recalibrated.state``."""
    told, start = state.facts, "model."
    inner = {k.removeprefix(start): v for k, v in state.arrays.items() if k.startswith(start)}
    return Recalibrated(
        model=restore(State(told["model"]["kind"], told["model"]["facts"], inner)),
        how=told["how"], slope=Estimate(*(float(x) for x in told["slope"])), shift=float(told["shift"]),
        anchor=float(told["anchor"]), centre=float(told["centre"]), reach=float(told["reach"]),
        time=np.asarray(state.arrays["time"], dtype=float), hazard=np.asarray(state.arrays["hazard"], dtype=float),
        updated=dict(told["updated"]),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Update:
    """A recalibration, before and after.

    Attributes
    ----------
    model : Recalibrated
        Updated on all patients.
    before : External
    after : Performance
        Of risks from updates on the other patients: ten-fold cross-validation, repeated five times and averaged, since
        the same patients can't both update a model and test it.
    apparent : Performance
        Of the update on the patients it was made on: too kind, for comparison alone.
    folds, repeats : int
    sentence : str
        How `after` was worked out.
    cautions : tuple of str
    """

    model: Recalibrated
    before: External
    after: Performance
    apparent: Performance
    folds: int
    repeats: int
    sentence: str
    cautions: tuple[str, ...]


def recalibrate(
    model: Fitted,
    cohort: Cohort,
    outcome: Outcome | str,
    *,
    times: Sequence[float] | np.ndarray,
    how: How = "baseline",
    mapping: Mapping | None = None,
    confirmed: bool = False,
    seed: int = 0,
    level: float = 0.95,
) -> Update:
    """Fit a model's baseline, or baseline and slope, to another cohort's patients.

    Parameters
    ----------
    model, cohort, outcome, times, mapping, confirmed, level
        As `bedside.validation.external.external`. The last of `times` is the anchor: patients are told apart by
        their risk by then, for any kind of model.
    how : {"baseline", "slope"}
    seed : int
        Of the folds.

    Raises
    ------
    Fixable
        As `external`; with fewer than 10 events, or a slope that is not above 0.

    Notes
    -----
    Without competing events a Cox model of the new outcome with log(-log(1 - risk by the anchor)) as offset (baseline)
    or only column (slope), Efron's ties and baseline; for a Cox model that is its linear predictor. The new baseline is
    proportional: a model whose hazards cross in time loses that. With competing events intercept, or intercept and
    slope, on the log(-log) scale by the anchor, from pseudo-values.

    References
    ----------
    Van Houwelingen (2000), Stat Med 19:3401-3415. Steyerberg et al. (2004), Stat Med 23:2567-2586. Vergouwe et al.
    (2017), Stat Med 36:4529-4539. R: ``coxph(Surv(time, event) ~ offset(lp))`` and ``~ lp`` with ``survfit``.
    """
    theirs = cohort.outcome(outcome) if isinstance(outcome, str) else outcome
    before = external(model, cohort, theirs, times=times, mapping=mapping, confirmed=confirmed, level=level)
    used = guess_mapping(model, cohort) if mapping is None else mapping
    patients = mapped_cohort(model, cohort, used)
    require_fit(model, patients)
    rows = followed_rows(model, cohort, theirs)
    check_events(rows, theirs)
    updated = {"title": cohort.short_title, "fingerprint": cohort.fingerprint, "n": len(cohort),
               "n_events": int((rows.cause == 1).sum())}  # fmt: skip
    to_unit = float(convert(1.0, theirs.unit, model.outcome.unit))
    own = Rows(rows.time * to_unit, rows.cause, rows.event, None if rows.entry is None else rows.entry * to_unit)
    at = before.times * to_unit
    anchor = float(min(at[-1], model.last))
    seen = model.risk(patients.frame, [anchor])[:, 0]
    made = _updated(model, seen, own, anchor, how, updated, level)
    risk = made.adjusted(seen, before.risk, at)

    def again(part: Rows, rows_of_part: np.ndarray) -> Recalibrated:
        return _updated(model, seen[rows_of_part], part, anchor, how, updated, level)

    out, folds = _held_out(again, seen, before.risk, own, at, seed)
    after = performance(rows, out, before.score, before.times, level=level)
    return Update(
        model=made, before=before, after=after,
        apparent=performance(rows, risk, before.score, before.times, level=level),
        folds=folds, repeats=REPEATS, cautions=_cautions(made, how),
        sentence=f"After the update: each patient's risk comes from updates on the others ({folds}-fold "
        f"cross-validation, {REPEATS} times, averaged). C stays as it was: an update changes no order.",
    )  # fmt: skip


def check_events(rows: Rows, outcome: Outcome) -> None:
    """Stop with the reason where there are fewer than 10 events.

    Raises
    ------
    Fixable
    """
    events = int((rows.cause == 1).sum())
    if events < FEWEST_EVENTS:
        raise Fixable(
            "The model can't be updated on these patients.",
            f"“{outcome.label}” occurred {events} time{'s' if events != 1 else ''} here; an update needs at least "
            f"{FEWEST_EVENTS} events.",
            "Use the model as it is, or collect more patients.",
        )


def _updated(
    model: Fitted, risk: np.ndarray, rows: Rows, anchor: float, how: How, updated: Map[str, Any], level: float
) -> Recalibrated:
    """From the model's risks by the anchor; times in the model's unit."""
    cll = cloglog(risk)
    centre, none = float(cll.mean()), np.zeros(0)
    given = {"model": model, "how": how, "anchor": anchor, "reach": float(rows.time.max()), "updated": updated}
    if rows.competes:
        weak = weak_calibration(rows.time, rows.cause, risk, anchor, entry=rows.entry, level=level)
        slope = estimate(1.0, 0.0, level) if how == "baseline" else weak.slope
        shift = weak.intercept.value if how == "baseline" else _shift(rows, risk, anchor, slope.value)
        _check_slope(slope, np.isfinite(shift))
        return Recalibrated(**given, slope=slope, shift=shift, centre=0.0, time=none, hazard=none)
    lp = cll - centre
    event = rows.cause == 1
    slope = estimate(1.0, 0.0, level)
    if how == "slope":
        fit = fit_cox(cox_data(lp, rows.time, event, names=("risk",), entry=rows.entry))
        slope = estimate(float(fit.coef[0]), float(np.sqrt(fit.variance[0, 0])), level)
    _check_slope(slope, found=True)
    time, hazard = baseline_hazard(rows, slope.value * lp)
    return Recalibrated(**given, slope=slope, shift=0.0, centre=centre, time=time, hazard=hazard)


def _check_slope(slope: Estimate, found: bool) -> None:
    if not (found and slope.value > 0):
        raise Fixable(
            "The model can't be updated on these patients.",
            "Its risks do not rank them: patients with a higher risk did not have the event sooner.",
            "Do not use this model for such patients; fit a new one.",
        )


def _shift(rows: Rows, risk: np.ndarray, t: float, slope: float) -> float:
    """Intercept beside a given slope: that of the risks as the slope makes them."""
    scaled = -np.expm1(-np.exp(np.minimum(slope * cloglog(risk), 700.0)))
    return weak_calibration(rows.time, rows.cause, scaled, t, entry=rows.entry).intercept.value


def baseline_hazard(rows: Rows, offset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cumulative hazard of a patient with offset 0, with Efron's share for ties: event times and steps.

    Parameters
    ----------
    rows : Rows
    offset : array, shape (n,)
        Linear predictor with a coefficient of 1.

    References
    ----------
    Efron (1977), JASA 72:557-565. R: ``survfit(coxph(Surv(time, event) ~ offset(lp)))``.
    """
    weight, event = np.exp(offset), rows.cause == 1
    order = np.argsort(rows.time, kind="stable")
    after = np.concatenate((np.cumsum(weight[order][::-1])[::-1], [0.0]))
    when, place = np.unique(rows.time[event], return_inverse=True)
    at_risk = after[np.searchsorted(rows.time[order], when, side="left")]
    if rows.entry is not None:
        came = np.argsort(rows.entry, kind="stable")
        later = np.concatenate((np.cumsum(weight[came][::-1])[::-1], [0.0]))
        at_risk = at_risk - later[np.searchsorted(rows.entry[came], when, side="left")]
    count = np.bincount(place)
    tied = np.bincount(place, weights=weight[event])
    # Each of d events at one time finds the weights of all at risk less what the earlier ones of them take away.
    sort = np.argsort(place, kind="stable")
    rank = np.empty(len(place))
    rank[sort] = np.arange(len(place)) - (np.cumsum(count) - count)[place[sort]]
    step = 1 / (at_risk[place] - rank / count[place] * tied[place])
    return when, np.cumsum(np.bincount(place, weights=step))


def _held_out(
    again: Callable[[Rows, np.ndarray], Recalibrated],
    seen: np.ndarray,
    before: np.ndarray,
    rows: Rows,
    at: np.ndarray,
    seed: int,
) -> tuple[np.ndarray, int]:
    """Each patient's mean risk from updates on others, shape (n, t), and how many folds there were."""
    folds = folds_for(int((rows.cause == 1).sum()), FOLDS)
    if folds is None:
        raise Fixable(
            "The update can't be tested.",
            f"Each part that it is made on needs {FEWEST_EVENTS} events.",
            "Use the model as it is, or collect more patients.",
        )
    total = np.zeros(before.shape)
    for repeat in range(REPEATS):
        fold = stratified_by_cause(rows.cause, folds, seed=seed + repeat)
        for k in range(folds):
            known, held = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
            entry = None if rows.entry is None else rows.entry[known]
            made = again(Rows(rows.time[known], rows.cause[known], rows.event[known], entry), known)
            total[held] += made.adjusted(seen[held], before[held], at)
    return total / REPEATS, folds


def _cautions(made: Recalibrated, how: How) -> tuple[str, ...]:
    found = []
    events = int(made.updated["n_events"])
    if events < ENOUGH_EVENTS:
        safer = "" if how == "baseline" else " Updating the baseline alone asks less of them."
        found.append(f"{events} events are few for an update: fewer than {ENOUGH_EVENTS} may follow chance.{safer}")
    if how == "slope" and made.slope.lower <= 1 <= made.slope.upper:
        found.append(
            f"The slope of {made.slope.value:.2f} ({made.slope.lower:.2f} to {made.slope.upper:.2f}) is not shown to "
            "differ from 1: updating the baseline alone may be enough."
        )
    return tuple(found)
