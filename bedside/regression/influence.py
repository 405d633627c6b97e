"""Which patients a Cox model hangs on: a list to look at, never to cut."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bedside.errors import Fixable
from bedside.regression.cox import clustered
from bedside.regression.model import CoxFit
from bedside.regression.moments import Moments, moments
from bedside.regression.residuals import score_residuals

NOTICEABLE = 0.2
"""Standard errors. A coefficient that moves by less reads the same with and without the patient."""


@dataclass(frozen=True)
class Influential:
    """What leaving one patient out would do, about.

    Attributes
    ----------
    rows : tuple of int
        The patient's rows in the table the fit came from, counted from 0.
    column : str
        The column whose coefficient would move most, in standard errors.
    dfbetas : float
        How far it would move, in standard errors; positive if the patient pulls it up.
    hazard_ratio, without : float
        Of that column, in the fit and about without the patient.
    displacement : float
        Likelihood displacement: twice the log partial likelihood lost, with all patients, by the coefficients that
        would be found without this one.
    beyond : bool
        Whether `dfbetas` is beyond the rule of thumb.
    """

    rows: tuple[int, ...]
    column: str
    dfbetas: float
    hazard_ratio: float
    without: float
    displacement: float
    beyond: bool


@dataclass(frozen=True, eq=False)
class Influence:
    """Influence of every patient, and the most influential by name of row.

    Attributes
    ----------
    patients : tuple of Influential
        Most influential first.
    threshold : float
        The rule of thumb: the larger of 2/√n (Belsley, Kuh and Welsch) and a fifth of a standard error.
    n_beyond : int
        Patients beyond it, listed or not.
    n : int
        Patients.
    dfbetas : array, shape (n, p)
        Of all of them.
    displacement : array, shape (n,)
    """

    patients: tuple[Influential, ...]
    threshold: float
    n_beyond: int
    n: int
    dfbetas: np.ndarray
    displacement: np.ndarray


def influence(
    fit: CoxFit, *, patient: np.ndarray | None = None, most: int = 10, sets: Moments | None = None
) -> Influence:
    """The patients whose absence would move the coefficients most, by one step from the fit.

    A long list here is no reason to leave anyone out: it says whose record to check, and whether the conclusion
    rests on few.

    Parameters
    ----------
    fit : CoxFit
    patient : array of int, shape (n_rows,), optional
        Who each row of the fit is, for tables with several rows to a patient. Default: the row of the table it came
        from, so that the intervals of one patient are taken together.
    most : int, default 10
        How many to list.
    sets : Moments, optional
        Of the same fit.

    Raises
    ------
    Fixable
        If `patient` has not one entry to a row.

    References
    ----------
    Belsley, Kuh & Welsch (1980), Regression Diagnostics, section 2.1. Pettitt & Bin Daud (1989), Applied
    Statistics 38:51-67 (likelihood displacement). R: ``residuals(fit, "dfbetas", collapse = id)``; displacement
    ``rowSums((u %*% fit$var) * u)`` with ``u <- residuals(fit, "score")``.
    """
    sets = moments(fit) if sets is None else sets
    score = score_residuals(fit, sets=sets) * sets.weights[:, None]
    patient = fit.data.rows if patient is None else patient
    if len(patient) != len(score):
        raise Fixable(
            "No list of influential patients.",
            f"The fit has {len(score)} rows, and {len(patient)} were given a patient.",
            "Give one patient for each row of the fit.",
        )
    who = np.unique(patient, return_inverse=True)[1].ravel()
    score = clustered(score, who)
    variance = fit.naive_variance
    dfbeta = score @ variance
    dfbetas = dfbeta / np.sqrt(np.diag(variance))
    displacement = np.maximum((dfbeta * score).sum(axis=1), 0.0)
    largest = np.abs(dfbetas).max(axis=1)
    threshold = max(2 / np.sqrt(max(len(score), 1)), NOTICEABLE)
    listed = np.lexsort((-displacement, -largest))[:most]
    return Influence(
        patients=tuple(
            _told(fit, np.flatnonzero(who == i), dfbeta[i], dfbetas[i], displacement[i], threshold) for i in listed
        ),
        threshold=float(threshold),
        n_beyond=int((largest > threshold).sum()),
        n=len(score),
        dfbetas=dfbetas,
        displacement=displacement,
    )


def _told(
    fit: CoxFit, rows: np.ndarray, dfbeta: np.ndarray, dfbetas: np.ndarray, displacement: float, threshold: float
) -> Influential:
    j = int(np.argmax(np.abs(dfbetas)))
    return Influential(
        rows=tuple(int(row) for row in np.unique(fit.data.rows[rows])),
        column=fit.data.names[j],
        dfbetas=float(dfbetas[j]),
        hazard_ratio=float(np.exp(fit.coef[j])),
        without=float(np.exp(fit.coef[j] - dfbeta[j])),
        displacement=float(displacement),
        beyond=bool(abs(dfbetas[j]) > threshold),
    )
