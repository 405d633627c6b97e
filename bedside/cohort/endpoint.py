"""An endpoint of the reader's own: the first of several events, other columns, or another time zero."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
from pydantic import Field, ValidationError, model_validator

from bedside.cohort import endpoint_words as words
from bedside.cohort.cohort import Cohort
from bedside.cohort.outcome import Outcome
from bedside.cohort.selection import FEWEST_SHARED
from bedside.cohort.units import Unit, convert
from bedside.cohort.variable import UNSHARED, Part
from bedside.errors import Fixable

KEY = "own"

MOST = 2000
"""Longest text of an endpoint in a link."""


class Columns(Part):
    """Time and status as they stand in two columns.

    Parameters
    ----------
    time, status : str
        Column names; the time counts from time zero in ``unit``.
    unit : {"days", "weeks", "months", "years"}
    event : tuple of str
        Codes of the status column that mean the event; all others mean that follow-up ended.
    """

    time: str
    status: str
    unit: Unit
    event: tuple[str, ...] = Field(min_length=1)


class Endpoint(Part):
    """What is waited for, and since when.

    Parameters
    ----------
    label : str
        The reader's name for the event. A name that studies give to the time without it ("progression-free survival")
        is kept as such: the event itself is then named after what it is made of.
    free : str
        What patients without the event are, e.g. "alive and free of recurrence"; by default from the outcomes.
    first_of : tuple of str
        Keys of outcomes: the endpoint is the earliest event of any of them.
    competing : tuple of str
        Keys of outcomes whose event, when it comes first, means that the endpoint can no longer come.
    columns : Columns, optional
        Instead of ``first_of``: columns of the cohort.
    start : str
        A continuous column that holds when the clock starts, counted from the cohort's time zero; empty for time
        zero itself.
    start_unit : {"days", "weeks", "months", "years"}
        Unit of that column.
    """

    label: str = Field(min_length=1, max_length=80)
    free: str = Field(default="", max_length=120)
    first_of: tuple[str, ...] = ()
    competing: tuple[str, ...] = ()
    columns: Columns | None = None
    start: str = ""
    start_unit: Unit = "days"

    @model_validator(mode="after")
    def _one_source(self) -> Endpoint:
        if bool(self.first_of) == (self.columns is not None):
            raise ValueError("either outcomes or columns")
        if set(self.first_of) & set(self.competing):
            raise ValueError("an outcome that is the event or competes with it, not both")
        return self

    def to_text(self) -> str:
        """For a link: names of outcomes and columns, no patient's value."""
        return self.model_dump_json(exclude_defaults=True)

    def may_be_shared(self, cohort: Cohort) -> bool:
        """True if a link with this endpoint points at no person, under the rule of filters.

        No column may identify somebody, and where a later start leaves patients out, at least ten must be left.

        Parameters
        ----------
        cohort : Cohort
            As it was read, without the endpoint.
        """
        used = [self.start] if self.columns is None else [self.start, self.columns.time, self.columns.status]
        if any(cohort.has(name) and cohort.variable(name).kind in UNSHARED for name in used if name):
            return False
        left = len(with_endpoint(cohort, self))
        return left == len(cohort) or left >= FEWEST_SHARED

    @classmethod
    def from_text(cls, text: str) -> Endpoint:
        """Read it back.

        Raises
        ------
        Fixable
            If the text is no endpoint.
        """
        try:
            if len(text) > MOST:
                raise ValueError
            return cls.model_validate_json(text)
        except (ValidationError, ValueError) as fault:
            raise Fixable(
                "The endpoint in this link could not be read.",
                "It may have been cut off or changed.",
                "Define the endpoint again.",
            ) from fault


def with_endpoint(cohort: Cohort, endpoint: Endpoint) -> Cohort:
    """The cohort with the reader's endpoint as a further outcome, under the key `KEY`.

    The endpoint's time is that of the earliest event among ``first_of`` and ``competing``, as far as all outcomes
    involved were followed; without one it is the shortest follow-up among them: beyond it nobody knows whether one of
    them would have come. With a
    later start, patients without a recorded start, or whose time had ended before it, are left out. Delayed entry is
    that of the outcomes involved, or from time zero where the start lies before it; who had come to the endpoint before
    observation began is left out.

    Parameters
    ----------
    cohort : Cohort
    endpoint : Endpoint

    Returns
    -------
    Cohort
        With one more outcome, whose note says what it is made of and how many patients were left out; its
        fingerprint differs with every endpoint.

    Raises
    ------
    Fixable
        If the cohort lacks a column or outcome, a column holds no usable times, or nobody is left.
    """
    late = 0
    if endpoint.columns is None:
        time, status, unit, late = _first(cohort, endpoint)
    else:
        time, status, unit = _columns(cohort, endpoint.columns)
    began = _entry(cohort, endpoint, unit)
    left = np.ones(len(cohort), dtype=bool)
    if endpoint.start:
        start = convert(_number(cohort, endpoint.start), endpoint.start_unit, unit)
        if began is None and (start < 0).any():
            began = np.zeros(len(cohort))  # who is known since time zero cannot have died between start and time zero
        time, began = time - start, None if began is None else began - start
        left = time >= 0
    if began is not None:
        left &= ~(time <= began)
    if not left.any():
        raise Fixable(
            "Nobody is left under this endpoint.",
            "No patient has a recorded start, or time of entry, that lies before the end of follow-up.",
            "Choose another start, or check its unit.",
        )
    names = _free(cohort, "time"), _free(cohort, "status"), "" if began is None else _free(cohort, "entry")
    frame = cohort.frame.assign(**{names[0]: time, names[1]: pd.Categorical(status, categories=["0", "1", "2"])})
    if began is not None:
        frame[names[2]] = began
    competes = bool((status[left] == "2").any())
    outcome = _outcome(cohort, endpoint, unit, names, competes=competes, dropped=int((~left).sum()), late=late)
    used = set() if endpoint.columns is None else {endpoint.columns.time, endpoint.columns.status}
    used |= {endpoint.start} - {""}
    seal = hashlib.sha256(f"{cohort.fingerprint}\x1fendpoint\x1f{endpoint.to_text()}".encode()).hexdigest()
    whole = replace(
        cohort,
        frame=frame,
        outcomes=(*cohort.outcomes, outcome),
        variables=tuple(v for v in cohort.variables if v.name not in used),
        fingerprint=seal,
    )
    return whole if left.all() else whole.take(left, seal="start")


def _entry(cohort: Cohort, endpoint: Endpoint, unit: Unit) -> np.ndarray | None:
    """When all outcomes involved were under observation; None if from time zero, NaN where not recorded."""
    involved = [cohort.outcome(key) for key in (*endpoint.first_of, *endpoint.competing)] or cohort.outcomes
    began = [convert(cohort.entry(outcome), outcome.unit, unit) for outcome in involved if outcome.entry]
    return np.max(began, axis=0) if began else None


def _first(cohort: Cohort, endpoint: Endpoint) -> tuple[np.ndarray, np.ndarray, Unit, int]:
    """The earliest of several outcomes' events, and how many patients are censored before one that came later."""
    wanted = [cohort.outcome(key) for key in endpoint.first_of]
    against = [cohort.outcome(key) for key in endpoint.competing]
    unit = wanted[0].unit

    def earliest(outcomes: list[Outcome], codes: Callable[[Outcome], tuple[str, ...]]) -> np.ndarray:
        when = np.full(len(cohort), np.inf)
        for outcome in outcomes:
            seen = cohort.frame[outcome.status].isin(codes(outcome)).to_numpy(dtype=bool)
            here = convert(cohort.time(outcome), outcome.unit, unit)
            when = np.where(seen, np.minimum(when, here), when)
        return when

    event = earliest(wanted, lambda outcome: outcome.event)
    # What competes with an outcome competes with an endpoint made of it; where both come at one time, the event counts.
    competing = np.minimum(
        earliest(wanted, lambda outcome: outcome.any_event), earliest(against, lambda outcome: outcome.any_event)
    )
    competing = np.where(event <= competing, np.inf, competing)
    follow = np.min([convert(cohort.time(o), o.unit, unit) for o in (*wanted, *against)], axis=0)
    first = np.minimum(event, competing)
    # An event of one outcome after the follow-up of another had ended: counting it, but not those who lived on unseen,
    # would make events too many.
    late = np.isfinite(first) & (first > follow * (1 + 1e-9))
    first = np.where(late, np.inf, first)
    status = np.where(np.isinf(first), "0", np.where(event <= competing, "1", "2"))
    return np.where(np.isinf(first), follow, first), status, unit, int(late.sum())


def _columns(cohort: Cohort, columns: Columns) -> tuple[np.ndarray, np.ndarray, Unit]:
    """Time and status as they stand in the cohort."""
    time = _number(cohort, columns.time)
    if columns.status not in cohort.frame or cohort.frame[columns.status].dtype.name != "category":
        raise _unknown(columns.status)
    status = cohort.frame[columns.status]
    if not set(columns.event) & set(map(str, status.cat.categories)):
        raise Fixable(
            "This endpoint has no event here.",
            f"The column “{columns.status}” has none of the codes that are to mean the event.",
            "Choose its codes again.",
        )
    missing = np.flatnonzero(~np.isfinite(time) | (time < 0) | status.isna().to_numpy())
    if len(missing):
        raise Fixable(
            "These columns do not make an endpoint.",
            f"A usable time or status is missing for {len(missing):,} patients, in row {cohort.rows[missing[0]] + 1} "
            "for the first time.",
            "Choose columns that are filled for every patient, or first filter to those who have them.",
        )
    seen = status.astype(str).isin(columns.event).to_numpy(dtype=bool)
    return time, np.where(seen, "1", "0"), columns.unit


def _number(cohort: Cohort, name: str) -> np.ndarray:
    if name not in cohort.frame or cohort.frame[name].dtype.kind != "f":
        raise _unknown(name)
    return cohort.frame[name].to_numpy(dtype=float)


def _free(cohort: Cohort, word: str) -> str:
    """A column name that the cohort does not have."""
    name = f"own {word}"
    while name in cohort.frame:
        name += "+"
    return name


def _unknown(name: str) -> Fixable:
    return Fixable(
        "This endpoint cannot be made here.",
        f"The cohort has no column of numbers or codes called “{name}” that it could be read from.",
        "Choose another column.",
    )


def _outcome(
    cohort: Cohort, endpoint: Endpoint, unit: Unit, names: tuple[str, str, str], *, competes: bool, dropped: int,
    late: int,
) -> Outcome:  # fmt: skip
    against = " or ".join(_competing(cohort, endpoint)) if competes else ""
    wanted = [cohort.outcome(key) for key in endpoint.first_of]
    others = [cohort.outcome(key) for key in endpoint.competing] if competes else []
    event, study = _named(endpoint, wanted)
    if endpoint.columns is not None:
        made = f"Defined here from the columns “{endpoint.columns.time}” and “{endpoint.columns.status}”."
    else:
        first = ", whichever comes first" if len(wanted) > 1 else ""
        made = f"Defined here as {words.listed(o.cause_label or o.label for o in wanted)}{first}."
    if late:
        who = "1 patient is" if late == 1 else f"{late:,} patients are"
        made += f" {who} followed only until one of these was no longer looked for; later events are not counted."
    if study:
        made += f" In studies: “{study}”, the time without it."
    if endpoint.start:
        name = cohort.variable(endpoint.start).label if cohort.has(endpoint.start) else endpoint.start
        made += f" The clock starts at “{name}”; {dropped:,} patients without it, or followed for less, are left out."
    elif dropped:
        made += f" Left out, having come to it before observation began: {dropped:,}."
    name = f"{event} or {words.listed([against])}" if against else event
    return Outcome(
        key=KEY, label=name, time=names[0], unit=unit, status=names[1], entry=names[2],
        censored=("0",), event=("1",), competing={against: ("2",)} if against else {},
        event_phrase=words.event_phrase([*wanted, *others], event),
        free_phrase=endpoint.free or words.free_phrase([*wanted, *others], event),
        since="the chosen start" if endpoint.start else _since(cohort, endpoint),
        cause_label=event if against else "", note=made,
    )  # fmt: skip


def _named(endpoint: Endpoint, wanted: list[Outcome]) -> tuple[str, str]:
    """Name of the event, and the name that studies give to the time without it."""
    if not words.names_a_survival(endpoint.label):
        return endpoint.label, ""
    return words.event_name(wanted), endpoint.label


def _competing(cohort: Cohort, endpoint: Endpoint) -> tuple[str, ...]:
    """Names of the events after which the endpoint can no longer come."""
    own = [label for key in endpoint.first_of for label in cohort.outcome(key).competing]
    return tuple(dict.fromkeys([*own, *(cohort.outcome(key).label for key in endpoint.competing)]))


def _since(cohort: Cohort, endpoint: Endpoint) -> str:
    """Time zero in a word: the outcomes' own where they agree."""
    keys = endpoint.first_of or tuple(o.key for o in cohort.outcomes)
    told = {cohort.outcome(key).since for key in keys}
    return told.pop() if len(told) == 1 else "the start of follow-up"
