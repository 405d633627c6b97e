"""Why a Cox model can't be fitted, in words: which rows, which variable and level, and what to do."""

from __future__ import annotations

from typing import NoReturn

import numpy as np

from bedside.errors import Fixable
from bedside.regression.data import CoxData

NO_MODEL = "No Cox model for this selection."
MOST_TOLD = 4
RUNS_AWAY = 0.05
"""Share of the fastest coefficient's pace above which another one is said to have no end either."""


class Separated(Fixable):
    """A stop because coefficients have no finite value.

    Parameters
    ----------
    columns : tuple of str
        Names of the columns that tell those with the event from the others.
    """

    def __init__(self, what: str, why: str, next_step: str, columns: tuple[str, ...]) -> None:
        super().__init__(what, why, next_step)
        self.columns = columns


class TooFew(Fixable):
    """A stop because there are fewer events than coefficients."""


def check(data: CoxData) -> None:
    """Refuse rows that no partial likelihood has a meaning for.

    Raises
    ------
    Fixable
        No rows, no columns, no event, values that are missing or infinite, weights of 0 or less, an entry at or
        after the end of follow-up.
    """
    if not len(data):
        raise Fixable(NO_MODEL, "No patient has all the values that the model needs.", "Leave out a variable.")
    if not data.x.shape[1]:
        raise Fixable(NO_MODEL, "No variable was chosen.", "Choose at least one variable.")
    for j, name in enumerate(data.names):
        _refuse(data, ~np.isfinite(data.x[:, j]), f"has no finite value of {name}", f"have no finite value of {name}")
    _refuse(data, ~np.isfinite(data.time), "has no follow-up time", "have no follow-up time")
    if data.entry is not None:
        late = ~(data.entry < data.time)
        _refuse(
            data,
            late,
            "has an entry at or after the end of follow-up",
            "have an entry at or after the end of follow-up",
        )
    if data.weights is not None:
        wrong = ~(np.isfinite(data.weights) & (data.weights > 0))
        _refuse(data, wrong, "has a weight that is not above 0", "have a weight that is not above 0")
    if data.offset is not None:
        _refuse(data, ~np.isfinite(data.offset), "has no finite offset", "have no finite offset")
    if not data.n_events:
        raise Fixable(
            NO_MODEL,
            f"None of the {len(data)} patients had the event, so hazards can't be compared.",
            "Include more patients, or choose an outcome that occurred.",
        )


def _refuse(data: CoxData, wrong: np.ndarray, one: str, many: str) -> None:
    count = int(wrong.sum())
    if not count:
        return
    rows = [str(row + 1) for row in data.rows[wrong][:5]]
    named = (
        f"Row {rows[0]} {one}." if count == 1 else f"{count} rows {many} (row {', '.join(rows)}{', …' * (count > 5)})."
    )
    raise Fixable(NO_MODEL, named, "Correct these rows in the source, or leave them out with a filter.")


def refuse_nothing_left(data: CoxData) -> NoReturn:
    """No column differs among those at risk together."""
    named = _listed([f"“{name}”" for name in data.names])
    raise Fixable(
        NO_MODEL,
        f"{named} {'does' if len(data.names) == 1 else 'do'} not differ among the patients who were at risk when an "
        "event occurred.",
        "Choose another variable, include more patients, or use fewer strata.",
    )


def refuse_few(data: CoxData) -> NoReturn:
    """Fewer events than coefficients."""
    events, p = data.n_events, data.x.shape[1]
    raise TooFew(
        NO_MODEL,
        f"{events} event{'s' if events != 1 else ''} can't support {p} coefficients: with fewer events than "
        "coefficients, some of them have no finite value and the rest rest on chance.",
        f"Choose at most {max(1, events // 10)} variable{'s' if events >= 20 else ''} (about one for every ten "
        "events), merge levels, or use a ridge.",
    )


def separated(data: CoxData) -> np.ndarray | None:
    """A direction in which the likelihood rises without end, where one column or one factor's levels show it.

    All events at the highest value of a column, or all at its lowest, and it grows for ever; likewise if nobody at a
    factor's reference level had the event.

    Parameters
    ----------
    data : CoxData
        Columns that differ among those at risk.

    Returns
    -------
    array, shape (p,), or None
    """
    at_event = data.x[data.event]
    top = at_event.min(axis=0) == data.x.max(axis=0)
    bottom = at_event.max(axis=0) == data.x.min(axis=0)
    direction = top.astype(float) - bottom
    for term in range(len(data.terms)):
        columns = data.columns_of(term)
        if len(columns) > 1 and not direction[columns].any() and _reference_alone(data, columns):
            direction[columns] = 1.0
    return direction if direction.any() else None


def refuse_infinite(data: CoxData, direction: np.ndarray) -> NoReturn:
    """The likelihood keeps rising as some coefficients grow.

    Parameters
    ----------
    data : CoxData
    direction : array, shape (p,)
        Where the coefficients were heading, per column of similar size.
    """
    pace = np.abs(direction)
    moving = [int(j) for j in np.flatnonzero(~(pace < RUNS_AWAY * pace.max()))]
    told: dict[str, None] = {}
    for j in moving:
        columns = data.columns_of(data.assign[j])
        if len(columns) > 1 and set(columns) <= set(moving) and _reference_alone(data, columns):
            told[f"no patient at the reference level of “{data.terms[data.assign[j]]}” had the event"] = None
        else:
            told[_why(data, j)] = None
    parts = list(told)
    shown = (
        parts if len(parts) <= MOST_TOLD else [*parts[: MOST_TOLD - 1], f"{len(parts) - MOST_TOLD + 1} more likewise"]
    )
    levels = any(_is_level(data.x[:, j]) for j in moving)
    raise Separated(
        "At least one hazard ratio has no finite value (separation).",
        f"{_sentence(_listed(shown))}.",
        "Merge the level with another or choose another reference, leave the variable out, or use a ridge."
        if levels
        else "Leave the variable out, or use a ridge.",
        tuple(data.names[j] for j in moving),
    )


def _is_level(values: np.ndarray) -> bool:
    return bool(np.isin(values, (0.0, 1.0)).all())


def _reference_alone(data: CoxData, columns: list[int]) -> bool:
    """True if the columns are the levels of a factor and nobody at its reference level had the event."""
    x = data.x[:, columns]
    at_reference = ~x.any(axis=1)
    levels = _is_level(x) and at_reference.any() and x.sum(axis=1).max() == 1
    return bool(levels and not data.event[at_reference].any())


def _why(data: CoxData, column: int) -> str:
    values, name = data.x[:, column], data.names[column]
    if _is_level(values):
        for level, those in ((1.0, f"the {int(values.sum())} with “{name}”"), (0.0, f"those without “{name}”")):
            events = data.event[values == level]
            if not events.any():
                return f"none of {those} had the event"
            if events.all():
                return f"all of {those} had the event"
    return f"“{name}” tells those with the event from all others at risk at the time"


def _listed(parts: list[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
