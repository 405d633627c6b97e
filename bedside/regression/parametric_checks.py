"""What a parametric model cannot be fitted to, and the remedy."""

from __future__ import annotations

import numpy as np

from bedside.errors import Fixable
from bedside.regression.columns import redundant
from bedside.regression.data import CoxData
from bedside.regression.model import Aliased
from bedside.regression.parametric_response import NO_FIT, RIGHT, Response, refuse_rows


def check_rows(data: CoxData, response: Response) -> None:
    """Refuse rows that no model can read: no rows, weights of 0 or less, entry at or after the end.

    Raises
    ------
    Fixable
    """
    if not len(data):
        raise Fixable(NO_FIT, "There are no patients with all values known.", "Widen the filter or impute values.")
    if data.weights is not None:
        refuse_rows(
            ~(np.isfinite(data.weights) & (data.weights > 0)),
            "has a weight that is not above 0",
            "have weights that are not above 0",
            "Leave these rows out with a filter, or give them a positive weight.",
            places=data.rows,
        )
    if data.entry is not None:
        refuse_rows(
            ~(data.entry < response.time),
            "enters at or after its last time",
            "enter at or after their last time",
            "Correct entry and end in the source, or leave these rows out with a filter.",
            places=data.rows,
        )


def check_model(data: CoxData, response: Response, *, n_parameters: int) -> None:
    """Refuse what has no finite or no single answer, saying which column is the reason.

    Raises
    ------
    Fixable
        Without events; with fewer events than parameters; with a level in which nobody had the event.
    """
    events = response.n_events
    if events == 0:
        raise Fixable(
            NO_FIT, "No patient here had the event, so nothing says when it comes.", "Widen the filter or wait."
        )
    if events < n_parameters:
        raise Fixable(
            NO_FIT,
            f"The event was seen {events} times, and there are {n_parameters} numbers to estimate."
            if events > 1
            else f"The event was seen once, and there are {n_parameters} numbers to estimate.",
            f"Choose fewer variables: at most {max(events // 10, 1)} would leave 10 events for each.",
        )
    _refuse_separated(data, response)


def runs_away(data: CoxData, direction: np.ndarray) -> Fixable:
    """The refusal of a model whose likelihood rises without end.

    Parameters
    ----------
    data : CoxData
    direction : array, shape (1 + p + k,)
        How far each parameter still moved, 0 or more, per standard deviation of its column.
    """
    inner = direction[1 : 1 + len(data.names)]
    if inner.max(initial=0.0) == 0:
        return Fixable(
            NO_FIT,
            "The times do not determine how wide this distribution is, for instance because all are the same: its "
            "likelihood rises without end.",
            "Choose the exponential model, or fewer variables.",
        )
    name = data.names[int(inner.argmax())]
    return Fixable(
        NO_FIT,
        f"“{name}” separates patients with the event from those without, so its coefficient has no finite value.",
        "Merge levels, leave the variable out, or use Cox regression with a ridge.",
    )


def own_columns(data: CoxData) -> tuple[CoxData, tuple[Aliased, ...]]:
    """The columns that say something of their own, and those that are constant or that earlier ones determine."""
    x = data.x - data.x.mean(axis=0)
    spread = x.std(axis=0)
    constant = spread <= 1e-12 * np.abs(data.x).max(axis=0, initial=0)
    varied = np.flatnonzero(~constant)
    repeats = {
        int(varied[j]): tuple(data.names[varied[i]] for i in others)
        for j, others in redundant(x[:, varied] / spread[varied]).items()
    }
    kept = [j for j in range(data.x.shape[1]) if not constant[j] and j not in repeats]
    if len(kept) == data.x.shape[1]:
        return data, ()
    gone = sorted(set(range(data.x.shape[1])) - set(kept))
    return data.with_columns(kept), tuple(Aliased(data.names[j], repeats.get(j, ())) for j in gone)


def _refuse_separated(data: CoxData, response: Response) -> None:
    """A level without events, the reference level included, sends its coefficient to infinity."""
    had = response.kind != RIGHT
    for index, term in enumerate(data.terms):
        columns = data.columns_of(index)
        block = data.x[:, columns]
        if not columns or not np.isin(block, (0.0, 1.0)).all():
            continue
        members = [(data.names[j], block[:, i] == 1) for i, j in enumerate(columns)]
        members.append((f"{term} (reference level)", ~block.any(axis=1)))
        for name, rows in members:
            if rows.any() and not (had & rows).any():
                raise Fixable(
                    NO_FIT,
                    f"None of the {int(rows.sum())} patients with “{name}” had the event, "
                    "so its coefficient has no finite value.",
                    "Merge this level with another, leave the variable out, or use Cox regression with a ridge.",
                )
