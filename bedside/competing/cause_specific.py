"""A Cox model for each type of event, and the absolute risk that follows from all of them together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from bedside.competing.checks import check_causes, check_entry
from bedside.competing.variance import before, share
from bedside.errors import Fixable
from bedside.regression.cox import fit_cox
from bedside.regression.data import CoxData, cox_data
from bedside.regression.model import CoxFit, Ties


@dataclass(frozen=True, eq=False)
class AbsoluteRisk:
    """Predicted chance of one type of event by chosen times, the other types taking part.

    Attributes
    ----------
    cause : str
    time : array, shape (n_times,)
    risk, std_err, lower, upper : arrays, shape (n_patients, n_times)
        NaN after the longest follow-up. The interval is symmetrical on the log(-log) scale.
    product_limit : bool
        Whether event-free survival was the product of 1 - hazards, else exp(-cumulative hazards).
    level : float
    """

    cause: str
    time: np.ndarray
    risk: np.ndarray
    std_err: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    product_limit: bool
    level: float


@dataclass(frozen=True, eq=False)
class CauseSpecific:
    """Cox models of each type of event on the same patients, the other types counted as censored.

    Attributes
    ----------
    causes : tuple of str
    fits : tuple of CoxFit or None
        None for a type that never occurred: its hazard is 0.
    columns : tuple of tuple of int
        Which columns of the design each model kept; others determine the rest.
    """

    causes: tuple[str, ...]
    fits: tuple[CoxFit | None, ...]
    columns: tuple[tuple[int, ...], ...]

    def absolute_risk(
        self,
        x: ArrayLike,
        times: ArrayLike,
        *,
        of: int = 1,
        product_limit: bool = True,
        level: float = 0.95,
    ) -> AbsoluteRisk:
        """Chance of one type of event by chosen times for patients with given covariates.

        Parameters
        ----------
        x : array-like, shape (n_patients, p)
            Columns as the models were given them.
        times : array-like, shape (n_times,)
        of : int, default 1
            Number of the type of event.
        product_limit : bool, default True
        level : float, default 0.95

        Returns
        -------
        AbsoluteRisk

        References
        ----------
        Ozenne et al. (2017), The R Journal 9:440-460; Benichou & Gail (1990), Biometrics 46:813-826.
        R: ``predict(CSC(Hist(time, cause) ~ x), newdata, times, cause, product.limit, se = TRUE)``.
        """
        t = np.atleast_1d(np.asarray(times, dtype=float))
        asked = np.atleast_2d(np.asarray(x, dtype=float))
        known = [fit for fit in self.fits if fit is not None]
        grid = np.unique(np.concatenate([fit.data.time[fit.data.event] for fit in known]))
        parts = [
            None if fit is None else _Part(fit, columns, grid)
            for fit, columns in zip(self.fits, self.columns, strict=True)
        ]
        risk, error = np.zeros((2, len(asked), len(t)))
        if parts[of - 1] is not None:
            for i, row in enumerate(asked):
                risk[i], error[i] = _predict(parts, row, grid, t, of - 1, product_limit)
        last = max(float(fit.data.time.max()) for fit in known)
        risk[:, t > last], error[:, t > last] = np.nan, np.nan
        lower, upper = _log_log(risk, error, level)
        return AbsoluteRisk(self.causes[of - 1], t, risk, error, lower, upper, product_limit, level)


def cause_specific_models(
    x: ArrayLike,
    time: ArrayLike,
    cause: ArrayLike,
    *,
    causes: tuple[str, ...] = (),
    names: tuple[str, ...] | None = None,
    assign: tuple[int, ...] | None = None,
    terms: tuple[str, ...] | None = None,
    entry: ArrayLike | None = None,
    ties: Ties = "efron",
) -> CauseSpecific:
    """A Cox model for each type of event.

    Parameters
    ----------
    x : array-like, shape (n_patients, p)
        Design matrix without an intercept, complete.
    time, cause, causes
        As in `cumulative_incidence`.
    names, assign, terms
        As in `CoxData`.
    entry : array-like, shape (n_patients,), optional
        When a patient came under observation.
    ties : {"efron", "breslow"}
        The absolute risks use the baseline of the same form. R's reference for them is Breslow's.

    Raises
    ------
    Fixable
        If no event of any type was seen, or a model can't be fitted; the reason names the type of event.

    References
    ----------
    Prentice et al. (1978), Biometrics 34:541-554. R: ``coxph(Surv(time, cause == k) ~ x)`` for each k.
    """
    times, codes = check_causes(time, cause)
    times, start = check_entry(entry, times)
    labels = causes or tuple(f"Cause {k}" for k in range(1, max(int(codes.max()), 1) + 1))
    if not codes.any():
        raise Fixable("No model.", "No event of any type was seen.", "Include more patients.")
    fits: list[CoxFit | None] = []
    for number, label in enumerate(labels, start=1):
        event = codes == number
        data = cox_data(np.asarray(x, dtype=float), times, event, names=names, assign=assign, terms=terms, entry=start)
        fits.append(_named(data, label, ties) if event.any() else None)
    kept = tuple(() if fit is None else _kept(data.names, fit) for fit in fits)
    return CauseSpecific(labels, tuple(fits), kept)


def _kept(names: tuple[str, ...], fit: CoxFit) -> tuple[int, ...]:
    gone = {column.name for column in fit.aliased}
    return tuple(j for j, name in enumerate(names) if name not in gone)


def _named(data: CoxData, label: str, ties: Ties) -> CoxFit:
    try:
        return fit_cox(data, ties=ties)
    except Fixable as stop:
        raise Fixable(f"{label}: {stop.what}", stop.why, stop.next_step) from stop


class _Part:
    """One type of event: its baseline hazard on the common grid, and each patient's influence on the coefficients."""

    def __init__(self, fit: CoxFit, columns: tuple[int, ...], grid: np.ndarray) -> None:
        data = fit.data
        self.columns = list(columns)
        self.centre = data.x.mean(axis=0)
        x = data.x - self.centre
        self.coef = fit.coef
        self.risk = np.exp(x @ fit.coef)
        self.event = data.event
        self.row = np.searchsorted(grid, data.time, side="right")
        start = np.full(len(x), -np.inf) if data.entry is None else data.entry
        self.start = np.searchsorted(grid, start, side="right")
        size, tied = self._held(self.risk, len(grid)), self._seen(self.risk, len(grid))
        count = self._seen(np.ones(len(x)), len(grid))
        self.inverse = share(np.ones(len(grid)), size)
        self.hazard = _efron(size, tied, count) if fit.ties == "efron" else count * self.inverse
        self.mean = self._held(self.risk[:, None] * x, len(grid)) * self.inverse[:, None]
        # riskRegression counts 1 / S0 once for each event time here, however many events are tied.
        once = np.where(count > 0, self.inverse, 0.0)
        total, total_x = self._since_entry(once), self._since_entry(once[:, None] * self.mean)
        score = self.risk[:, None] * (total_x - x * total[:, None])
        score[self.event] += x[self.event] - self.mean[self.row[self.event] - 1]
        self.influence = score @ fit.naive_variance

    def _held(self, values: np.ndarray, steps: int) -> np.ndarray:
        """Sums over those at risk at each time of the grid."""
        out = np.zeros((steps + 1, *values.shape[1:]))
        np.add.at(out, self.row, values)
        np.subtract.at(out, self.start, values)
        return out[::-1].cumsum(axis=0)[::-1][1:]

    def _since_entry(self, steps: np.ndarray) -> np.ndarray:
        """Sum of a value over the times of the grid that saw each patient at risk."""
        total = _padded(steps)
        return total[self.row] - total[self.start]

    def _seen(self, values: np.ndarray, steps: int) -> np.ndarray:
        return np.bincount(self.row[self.event] - 1, values[self.event], minlength=steps)

    def influence_of(self, weight: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Each patient's influence on the sum of weight times hazard at covariates x, shape (n,)."""
        weighted = weight * self.hazard
        along = weighted.sum() * (x - self.centre) - weighted @ self.mean
        out = self.influence @ along - self.risk * self._since_entry(weighted * self.inverse)
        out[self.event] += (weight * self.inverse)[self.row[self.event] - 1]
        return out


def _efron(size: np.ndarray, tied: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Hazard at each time, a share of the tied events taken out of the risk set for each in turn."""
    steps = count.astype(np.int64)
    at = np.repeat(np.arange(len(steps)), steps)
    turn = np.arange(len(at)) - np.repeat(np.cumsum(steps) - steps, steps)
    return np.bincount(at, 1 / (size[at] - turn / steps[at] * tied[at]), minlength=len(steps))


def _predict(
    parts: Sequence[_Part | None], x: np.ndarray, grid: np.ndarray, t: np.ndarray, of: int, product_limit: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Risk of one patient at each time and its standard error."""
    given = [None if p is None else x[p.columns] for p in parts]
    scale = [0.0 if p is None else float(np.exp((z - p.centre) @ p.coef)) for p, z in zip(parts, given, strict=True)]
    total = sum(p.hazard * s for p, s in zip(parts, scale, strict=True) if p is not None)
    free = before(np.cumprod(1 - total) if product_limit else np.exp(-np.cumsum(total)), 1.0)
    step = free * parts[of].hazard * scale[of]
    gained = _padded(step)
    upto = np.searchsorted(grid, t, side="right")
    error = np.empty(len(t))
    for i, row in enumerate(upto):
        # An event of any type at s takes away what would have been gained after s; one of this type adds 1 itself.
        lost = np.where(np.arange(len(grid)) < row, gained[row] - gained[1:], 0.0)
        added = np.where(np.arange(len(grid)) < row, free, 0.0)
        influence = sum(
            p.influence_of(s * (added * (k == of) - lost), z)
            for k, (p, s, z) in enumerate(zip(parts, scale, given, strict=True))
            if p is not None
        )
        error[i] = np.sqrt(influence @ influence)
    return gained[upto], error


def _log_log(risk: np.ndarray, error: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    if not 0 < level < 1:
        raise Fixable("No interval.", "The level must lie between 0 and 1.", "Choose a level such as 0.95.")
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(error == 0, 0.0, error / (-risk * np.log(risk)))
        reach = ndtri((1 + level) / 2) * relative
        return risk ** np.exp(reach), risk ** np.exp(-reach)


def _padded(steps: np.ndarray) -> np.ndarray:
    return np.concatenate((np.zeros((1, *steps.shape[1:])), np.cumsum(steps, axis=0)))
