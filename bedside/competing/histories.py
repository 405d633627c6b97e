"""Who was in which state when: rows of follow-up between changes of state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bedside.errors import Fixable
from bedside.survival.checks import merge_ties

WHAT = "The states cannot be followed."


@dataclass(frozen=True, eq=False)
class Histories:
    """Counting-process rows: a patient is in one state from `start` to `stop`, and may enter another at `stop`.

    Attributes
    ----------
    states : tuple of str
        The first is where everybody begins.
    subject : int array, shape (n_rows,)
        Whose row it is, from 0.
    start, stop : arrays, shape (n_rows,)
        In one unit, rounding noise removed.
    origin : int array, shape (n_rows,)
        State during the row, as a position in `states`.
    target : int array, shape (n_rows,)
        State entered at `stop`; -1 if none was.
    final : bool array, shape (n_rows,)
        True where the patient's observation ends with the row.
    rows : int array, shape (n_rows,)
        Position of each row in the table it came from.
    """

    states: tuple[str, ...]
    subject: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    origin: np.ndarray
    target: np.ndarray
    final: np.ndarray
    rows: np.ndarray

    def __len__(self) -> int:
        return len(self.stop)

    def take(self, keep: np.ndarray) -> Histories:
        """The rows where `keep` is True; whole patients, so that states stay known."""
        return Histories(
            self.states, self.subject[keep], self.start[keep], self.stop[keep], self.origin[keep],
            self.target[keep], self.final[keep], self.rows[keep],
        )  # fmt: skip

    @property
    def transitions(self) -> np.ndarray:
        """How many patients went from each state (rows) to each state, and, last column, were censored there.

        Shape (n_states, n_states + 1).

        References
        ----------
        R: ``survcheck(Surv(start, stop, event) ~ 1, id = subject)$transitions``.
        """
        size = len(self.states)
        target = np.where(self.target >= 0, self.target, size)
        counted = (self.target >= 0) | self.final
        cells = self.origin[counted] * (size + 1) + target[counted]
        return np.bincount(cells, minlength=size * (size + 1)).reshape(size, size + 1)

    @property
    def moves(self) -> tuple[tuple[int, int], ...]:
        """Transitions that occurred, (from, to), in R's order: by the state entered, then by the one left."""
        seen = self.transitions[:, :-1]
        return tuple((int(i), int(j)) for j, i in np.argwhere(seen.T > 0))


def histories(
    subject: ArrayLike, start: ArrayLike, stop: ArrayLike, event: ArrayLike, *, states: tuple[str, ...],
    tied: bool = False,
) -> Histories:  # fmt: skip
    """Check rows of follow-up and work out the state during each.

    Parameters
    ----------
    subject : array-like, shape (n_rows,)
        Whose row it is: numbers or text.
    start, stop : array-like, shape (n_rows,)
    event : array-like of int, shape (n_rows,)
        0 if no state was entered at `stop`, else its position in `states`.
    states : tuple of str
        The first is where everybody begins.
    tied : bool, default False
        True if times that differ by rounding only are one already.

    Raises
    ------
    Fixable
        If there are no rows, a time is missing, a row does not begin before it ends, rows of one patient overlap, or
        an event has no state.
    """
    whose = np.unique(np.asarray(subject), return_inverse=True)[1]
    begin, end = np.asarray(start, dtype=float), np.asarray(stop, dtype=float)
    entered = np.asarray(event, dtype=np.int64)
    n = len(end)
    _check(begin, end, entered, len(states))
    if not tied:
        both = merge_ties(np.concatenate((begin, end)))
        begin, end = both[:n], both[n:]
    order = np.lexsort((begin, end, whose))
    same = np.concatenate(([False], whose[order][1:] == whose[order][:-1]))
    gap = np.concatenate(([0.0], begin[order][1:] - end[order][:-1]))
    overlap = int((same & (gap < 0)).sum())
    if overlap:
        raise Fixable(WHAT, f"{overlap} row{'s overlap' if overlap > 1 else ' overlaps'} with another row of the same "
                      "patient.", "Correct the times, or leave these patients out with a filter.")  # fmt: skip
    # The last state entered within the patient's earlier rows.
    place = np.arange(n)
    came = np.where(entered[order] > 0, place, -1)
    last = np.concatenate(([-1], np.maximum.accumulate(came)[:-1]))
    first = np.maximum.accumulate(np.where(same, 0, place))
    origin = np.where(last >= first, entered[order][np.maximum(last, 0)], 0)
    final = np.concatenate((~same[1:] | (gap[1:] > 0), [True]))
    return Histories(
        states=tuple(states), subject=whose[order], start=begin[order], stop=end[order], origin=origin,
        target=np.where(entered[order] > 0, entered[order], -1), final=final, rows=order,
    )  # fmt: skip


def _check(begin: np.ndarray, end: np.ndarray, entered: np.ndarray, n_states: int) -> None:
    if not len(end):
        raise Fixable(WHAT, "There are no rows.", "Widen the filter.")
    if not (np.isfinite(begin).all() and np.isfinite(end).all()):
        raise Fixable(WHAT, "Some rows have no time.", "Correct these rows, or leave them out with a filter.")
    wrong = int((begin >= end).sum())
    if wrong:
        raise Fixable(
            WHAT,
            f"{wrong} row{'s do' if wrong > 1 else ' does'} not begin before {'they end' if wrong > 1 else 'it ends'}.",
            "Correct the times, or leave these rows out with a filter.",
        )
    if entered.min() < 0 or entered.max() >= n_states:
        raise Fixable(WHAT, "Some rows end in a state that has no name.", "Name every state.")
