"""Missing values in regression: several completed copies of a cohort, and one answer from all of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bedside.errors import Fixable
from bedside.regression.cox import fit_cox
from bedside.regression.data import CoxData
from bedside.regression.design import CoxSpec, design
from bedside.regression.imputation_chain import Series, chain
from bedside.regression.imputation_pool import Pooled, pool
from bedside.regression.model import Aliased, ChiTest, CoxFit, Ties
from bedside.survival.events import event_table

if TYPE_CHECKING:
    from bedside.cohort import Cohort, Outcome, Variable

__all__ = [
    "Imputed",
    "Pooled",
    "PooledCox",
    "cox_imputed",
    "cumulative_hazard_at",
    "fit_imputed",
    "impute",
    "pool",
    "pool_cox",
]

COPIES, ROUNDS = 20, 5


@dataclass(frozen=True, eq=False)
class Imputed:
    """Completed copies of a cohort.

    Attributes
    ----------
    cohorts : tuple of Cohort
        m of them; the same patients, with every gap in `variables` filled.
    variables : tuple of str
    missing : dict of str to int
        For each variable that had any, how many values were imputed.
    n_incomplete : int
        Patients with at least one of them, who would be left out of a complete-case analysis.
    iterations, seed : int
    """

    cohorts: tuple[Cohort, ...]
    variables: tuple[str, ...]
    missing: dict[str, int]
    n_incomplete: int
    iterations: int
    seed: int

    @property
    def m(self) -> int:
        """How many copies."""
        return len(self.cohorts)

    @property
    def frames(self) -> tuple[pd.DataFrame, ...]:
        """The copies' tables."""
        return tuple(cohort.frame for cohort in self.cohorts)

    @property
    def n(self) -> int:
        """Patients."""
        return len(self.cohorts[0])


@dataclass(frozen=True, eq=False)
class PooledCox:
    """A Cox model over all copies.

    Attributes
    ----------
    names : tuple of str
        Of the columns.
    pooled : Pooled
        Log hazard ratios.
    fits : tuple of CoxFit
        One for each copy.
    """

    names: tuple[str, ...]
    pooled: Pooled
    fits: tuple[CoxFit, ...]

    @property
    def data(self) -> CoxData:
        """Rows and columns of the first copy."""
        return self.fits[0].data

    @property
    def coef(self) -> np.ndarray:
        """Pooled log hazard ratios, shape (p,)."""
        return self.pooled.estimate

    @property
    def variance(self) -> np.ndarray:
        """Total covariance of the coefficients, shape (p, p)."""
        return self.pooled.covariance

    @property
    def p(self) -> np.ndarray:
        """Two-sided p of each, shape (p,)."""
        return self.pooled.p

    @property
    def aliased(self) -> tuple[Aliased, ...]:
        """Columns that others determine."""
        return self.fits[0].aliased

    def interval(self, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper limits of the hazard ratios, each of shape (p,)."""
        lower, upper = self.pooled.interval(level)
        with np.errstate(over="ignore"):
            return np.exp(lower), np.exp(upper)

    def term_test(self, term: int | str) -> ChiTest:
        """Test that all coefficients of a term are 0 (`Pooled.joint_p`); it has no chi-squared statistic."""
        columns = self.data.columns_of(term)
        return ChiTest(float("nan"), len(columns), self.pooled.joint_p(columns))

    @property
    def n(self) -> int:
        """Rows."""
        return self.fits[0].n

    @property
    def n_events(self) -> int:
        """Rows with the event."""
        return self.fits[0].n_events


def impute(
    cohort: Cohort,
    outcome: Outcome | str,
    variables: Sequence[str],
    *,
    auxiliary: Sequence[str] = (),
    m: int = COPIES,
    iterations: int = ROUNDS,
    seed: int = 0,
) -> Imputed:
    """Multiple imputation by chained equations.

    Numbers are filled by predictive mean matching (5 donors), levels by a multinomial logistic model, or by matching
    where there are more than 8. Every equation has all other variables, the type of event and the Nelson-Aalen
    cumulative hazard at the patient's time as predictors. Only values that other patients have are ever put in.

    Parameters
    ----------
    cohort : Cohort
    outcome : Outcome or str
        What the regression is about.
    variables : sequence of str
        Variables of the regression.
    auxiliary : sequence of str
        Further variables that help to predict the missing values; imputed too.
    m : int
        Copies, at least 2.
    iterations : int
        Rounds through all incomplete variables for each copy.
    seed : int
        The same seed gives the same copies.

    Returns
    -------
    Imputed

    Raises
    ------
    Fixable
        If a variable has no known value at all, or is neither a number nor has levels.

    References
    ----------
    Van Buuren & Groothuis-Oudshoorn (2011), J Stat Softw 45(3). White & Royston (2009), Stat Med 28:1982-1998.
    R: ``mice(data, m = 20, maxit = 5)``.
    """
    if m < 2:
        raise Fixable("No imputation.", "One copy does not show how unsure it is.", "Choose 20 copies.")
    outcome = cohort.outcome(outcome) if isinstance(outcome, str) else outcome
    names = tuple(dict.fromkeys((*variables, *auxiliary)))
    series = [_series(cohort, cohort.variable(name)) for name in names]
    missing = {s.name: int(s.missing.sum()) for s in series if s.missing.any()}
    gaps = np.any([s.missing for s in series], axis=0) if series else np.zeros(len(cohort), dtype=bool)
    always = _always(cohort, outcome)
    copies = []
    for copy, child in enumerate(np.random.SeedSequence(seed).spawn(m)):
        filled = chain(series, always, iterations=iterations, rng=np.random.default_rng(child)) if missing else {}
        copies.append(_copy(cohort, filled, f"imputed {names} {outcome.key} {seed} {iterations} {m} {copy}"))
    return Imputed(tuple(copies), names, missing, int(gaps.sum()), iterations, seed)


def fit_imputed(imputed: Imputed, data_of: Callable[[Cohort], CoxData], *, ties: Ties = "efron") -> PooledCox:
    """A Cox model fitted to every copy and pooled by Rubin's rules.

    Parameters
    ----------
    imputed : Imputed
    data_of : callable
        Makes the data of the regression from a copy; it must give the same columns for each.
    ties : {"efron", "breslow"}

    Raises
    ------
    Fixable
        As `fit_cox`; or if a level does not occur in every copy.

    Notes
    -----
    The complete-data degrees of freedom are events less coefficients, as ``mice::pool`` has them for ``coxph``.
    """
    return pool_cox([data_of(cohort) for cohort in imputed.cohorts], ties=ties)


def pool_cox(
    copies: Sequence[CoxData],
    *,
    ties: Ties = "efron",
    robust: bool | None = None,
    done: Callable[[float], None] | None = None,
) -> PooledCox:
    """A Cox model fitted to the data of every copy and pooled by Rubin's rules.

    Parameters
    ----------
    copies : sequence of CoxData
        With the same columns.
    ties, robust
        As `fit_cox`.
    done : callable, optional
        Told the share of the copies that are fitted, 0 to 1.

    Raises
    ------
    Fixable
        As `fit_imputed`.
    """
    found = []
    for number, data in enumerate(copies, start=1):
        found.append(fit_cox(data, ties=ties, robust=robust))
        if done is not None:
            done(number / len(copies))
    fits = tuple(found)
    names = fits[0].data.names
    if any(fit.data.names != names for fit in fits):
        raise Fixable(
            "The imputed copies cannot be pooled.",
            "They do not all give the model the same columns, because a level is too rare.",
            "Merge rare levels, or analyse complete cases.",
        )
    freedom = max(fits[0].n_events - len(names), 1)
    pooled = pool([fit.coef for fit in fits], [fit.variance for fit in fits], complete_df=freedom)
    return PooledCox(names, pooled, fits)


def cox_imputed(imputed: Imputed, outcome: Outcome | str, spec: CoxSpec, *, ties: Ties = "efron") -> PooledCox:
    """A Cox model that a reader specified, over all copies.

    Parameters
    ----------
    imputed : Imputed
    outcome : Outcome or str
    spec : CoxSpec
        Made once, from the cohort as it was: steps of numbers must not differ between copies. Knots of splines are
        taken from the first copy.
    ties : {"efron", "breslow"}

    Raises
    ------
    Fixable
        As `fit_imputed`.
    """
    settled = replace(spec, terms=design(imputed.cohorts[0], outcome, spec).terms)
    return fit_imputed(imputed, lambda cohort: design(cohort, outcome, settled).data, ties=ties)


def cumulative_hazard_at(time: np.ndarray, event: np.ndarray, *, entry: np.ndarray | None = None) -> np.ndarray:
    """Nelson-Aalen's cumulative hazard at each patient's own time, shape (n,).

    References
    ----------
    White & Royston (2009). R: ``mice::nelsonaalen(data, time, status)``.
    """
    table = event_table(time, event, entry=entry)
    at_risk = np.maximum(table.at_risk, 1)
    running = np.concatenate([[0.0], np.cumsum(table.events / at_risk)])
    return running[np.searchsorted(table.time, time, side="right")]


def _always(cohort: Cohort, outcome: Outcome) -> np.ndarray:
    """The type of event and the cumulative hazard, of each patient."""
    time, event = cohort.time(outcome), cohort.event(outcome)
    hazard = cumulative_hazard_at(time, event, entry=cohort.entry(outcome))
    cause = cohort.cause(outcome)
    kinds = [(cause == kind).astype(float) for kind in np.unique(cause[cause > 0])]
    return np.column_stack([*kinds, hazard])


def _series(cohort: Cohort, variable: Variable) -> Series:
    column = cohort.frame[variable.name]
    if not variable.is_numeric and not variable.is_grouping:
        raise Fixable(
            f"“{variable.label}” cannot be imputed.",
            "It holds names, dates or free text.",
            "Choose variables with numbers or levels.",
        )
    if not column.notna().any():
        raise Fixable(
            f"“{variable.label}” cannot be imputed.", "It is missing for every patient here.", "Leave it out."
        )
    if variable.is_grouping:
        return Series(variable.name, column.cat.codes.to_numpy().astype(float), len(column.cat.categories))
    values = column.to_numpy(dtype=float)
    if variable.scale != "log":
        return Series(variable.name, values)
    positive = values[values > 0]
    floor = float(positive.min()) / 2 if len(positive) else 1.0
    return Series(variable.name, values, reading=partial(_log, floor=floor))


def _log(values: np.ndarray, *, floor: float) -> np.ndarray:
    return np.log(np.maximum(values, floor))


def _copy(cohort: Cohort, filled: dict[str, np.ndarray], seal: str) -> Cohort:
    """The cohort with some columns replaced; its fingerprint is made of the old one and of how that was done."""
    frame = cohort.frame.copy()
    for name, values in filled.items():
        if isinstance(frame[name].dtype, pd.CategoricalDtype):
            frame[name] = pd.Categorical.from_codes(values.astype(int), dtype=frame[name].dtype)
        else:
            frame[name] = values
    fingerprint = hashlib.sha256(f"{cohort.fingerprint}\x1f{seal}".encode()).hexdigest()
    return replace(cohort, frame=frame, fingerprint=fingerprint)
