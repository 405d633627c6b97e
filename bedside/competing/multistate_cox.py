"""A Cox model for each transition between states, fitted together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from bedside.competing.histories import Histories
from bedside.errors import Fixable
from bedside.regression.cox import fit_cox
from bedside.regression.data import cox_data
from bedside.regression.model import CoxFit, Ties


@dataclass(frozen=True, eq=False)
class MultiStateCox:
    """Coefficients of every covariate for every transition.

    Attributes
    ----------
    states : tuple of str
    moves : tuple of (int, int)
        Transitions, (from, to) as positions in `states`, in R's order.
    names : tuple of str
        Columns of the design.
    coef : array, shape (n_moves * p,)
        The columns of the first transition, then of the second, ...; NaN where a column has no coefficient because
        others determine it in that transition.
    robust_variance, naive_variance : arrays, shape (n_moves * p, n_moves * p)
        Summed within patients, and the inverse of the information; NaN as `coef`.
    n_events : tuple of int
        Patients who made each transition.
    fit : CoxFit
        The stacked model, one stratum for each transition.
    """

    states: tuple[str, ...]
    moves: tuple[tuple[int, int], ...]
    names: tuple[str, ...]
    coef: np.ndarray
    robust_variance: np.ndarray
    naive_variance: np.ndarray
    n_events: tuple[int, ...]
    fit: CoxFit

    @property
    def labels(self) -> tuple[str, ...]:
        """Each transition as R numbers it, such as ``1:2``."""
        return tuple(f"{i + 1}:{j + 1}" for i, j in self.moves)

    @property
    def map(self) -> np.ndarray:
        """Number of the coefficient of each column (rows) in each transition (columns), from 1: R's ``cmap``."""
        p = len(self.names)
        return np.arange(1, p * len(self.moves) + 1).reshape(len(self.moves), p).T

    @cached_property
    def robust_se(self) -> np.ndarray:
        """Standard errors from `robust_variance`."""
        return np.sqrt(np.diag(self.robust_variance))

    @cached_property
    def naive_se(self) -> np.ndarray:
        """Standard errors from `naive_variance`."""
        return np.sqrt(np.diag(self.naive_variance))

    @property
    def ratio(self) -> np.ndarray:
        """Hazard ratios for one unit of each column."""
        return np.exp(self.coef)

    @property
    def p(self) -> np.ndarray:
        """Two-sided Wald p with the robust standard error."""
        return 2 * ndtr(-np.abs(self.coef / self.robust_se))

    def interval(self, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper limits of the hazard ratios, with the robust standard error."""
        reach = ndtri((1 + level) / 2) * self.robust_se
        with np.errstate(over="ignore"):
            return np.exp(self.coef - reach), np.exp(self.coef + reach)


def multi_state_cox(
    rows: Histories, x: ArrayLike, *, names: tuple[str, ...] | None = None, ties: Ties = "efron"
) -> MultiStateCox:
    """Cox models of all transitions, each with its own baseline hazard and coefficients.

    Parameters
    ----------
    rows : Histories
    x : array-like, shape (n_rows, p)
        Design matrix without an intercept, complete, in the order of the table that `rows` was made from.
    names : tuple of str, optional
    ties : {"efron", "breslow"}

    Raises
    ------
    Fixable
        If nobody changed state, or as `fit_cox`; variables are named with the transition.

    References
    ----------
    Andersen & Keiding (2002), Stat Methods Med 11:91-115.
    R: ``coxph(Surv(start, stop, event) ~ x, id = id)`` with a factor as event.
    """
    moves = rows.moves
    if not moves:
        raise Fixable("No model.", "No patient changed state.", "Include more patients, or choose other outcomes.")
    design = np.asarray(x, dtype=float)
    design = (design[:, None] if design.ndim == 1 else design)[rows.rows]
    p = design.shape[1]
    columns = names or tuple(f"x{j + 1}" for j in range(p))
    blocks = [np.flatnonzero(rows.origin == origin) for origin, _ in moves]
    picked = np.concatenate(blocks)
    stacked = np.zeros((len(picked), p * len(moves)))
    event, layer, at = np.zeros(len(picked), dtype=bool), np.zeros(len(picked), dtype=np.int64), 0
    for k, ((_, target), block) in enumerate(zip(moves, blocks, strict=True)):
        part = slice(at, at + len(block))
        stacked[part, k * p : (k + 1) * p] = design[block]
        event[part], layer[part], at = rows.target[block] == target, k, at + len(block)
    labels = tuple(f"{rows.states[i]} → {rows.states[j]}" for i, j in moves)
    data = cox_data(
        stacked, rows.stop[picked], event, entry=rows.start[picked], strata=layer, strata_labels=labels,
        cluster=rows.subject[picked], names=tuple(f"{name}, {label}" for label in labels for name in columns),
    )  # fmt: skip
    fit = fit_cox(data, ties=ties, robust=True)
    gone = {column.name for column in fit.aliased}
    kept = np.array([j for j, name in enumerate(data.names) if name not in gone])
    coef, robust, naive = np.full(stacked.shape[1], np.nan), *np.full((2, stacked.shape[1], stacked.shape[1]), np.nan)
    coef[kept] = fit.coef
    robust[np.ix_(kept, kept)], naive[np.ix_(kept, kept)] = fit.variance, fit.naive_variance
    counts = tuple(int(event[layer == k].sum()) for k in range(len(moves)))
    return MultiStateCox(rows.states, moves, columns, coef, robust, naive, counts, fit)
