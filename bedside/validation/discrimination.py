"""How well risks rank patients: concordance by several conventions, time-dependent AUC, Royston's D."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from bedside.errors import Fixable
from bedside.regression.concordance import Concordance, TimeWeight
from bedside.regression.concordance import concordance as all_weights
from bedside.regression.cox import fit_cox
from bedside.regression.data import cox_data
from bedside.regression.dominance import earlier_and_lower
from bedside.survival.curve import SLACK
from bedside.tails import mean_ranks
from bedside.validation.measure import Measure, Rows, measure, risk_matrix, rows_of
from bedside.validation.weights import Convention, censoring_curve, censoring_influence, uncensored_weights

UNO: TimeWeight = "n/G2"
KAPPA2 = 8 / np.pi


def concordance(
    time: np.ndarray,
    cause: np.ndarray,
    score: np.ndarray,
    *,
    entry: np.ndarray | None = None,
    time_weight: TimeWeight = "n",
    up_to: float | None = None,
) -> Concordance:
    """Harrell's C, Uno's C (``time_weight="n/G2"``) and the other time weights of R's ``concordance``.

    Parameters
    ----------
    time : array, shape (n,)
    cause : array, shape (n,)
        0 censored, 1 the event, 2 and more competing. Whoever had a competing event never has the event, and so
        counts as event-free for ever: a pair is compared if the patient with the event is known to come first.
    score : array, shape (n,)
        Higher means sooner.
    entry : array, shape (n,), optional
        Delayed entry: both patients of a pair must be under observation when the event happens.
    time_weight : {"n", "S", "S/G", "n/G2", "I"}, default "n"
        As `bedside.regression.concordance.concordance`. With delayed entry or competing events only those without
        the censoring curve have a definition; Uno's with competing events is `truncated_concordance`.
    up_to : float, optional
        Events after this time are not asked about.

    References
    ----------
    Harrell et al. (1982), JAMA 247:2543-2546. Uno et al. (2011), Stat Med 30:1105-1117. Wolbers et al. (2009),
    Epidemiology 20:555-561 (competing events).
    R: ``concordance(Surv(time, event) ~ score, timewt = , ymax = , reverse = TRUE)``.
    """
    rows = rows_of(time, cause, entry)
    last = np.where(rows.cause > 1, rows.time.max() + 1, rows.time)
    return all_weights(last, rows.cause == 1, score, entry=rows.entry, time_weight=time_weight, up_to=up_to)


def uno(time: np.ndarray, cause: np.ndarray, score: np.ndarray, *, up_to: float | None = None) -> float:
    """Uno's C: as Harrell's, but what it estimates does not depend on who was censored when.

    With competing events it is Wolbers' form of it (`truncated_concordance`).

    References
    ----------
    Uno et al. (2011), Stat Med 30:1105-1117. Wolbers et al. (2014), Biostatistics 15:526-539.
    R: ``concordance(Surv(time, event) ~ score, timewt = "n/G2", ymax = up_to, reverse = TRUE)``.
    """
    kinds = np.asarray(cause).astype(int)
    if (kinds > 1).any():
        until = float(np.max(time)) if up_to is None else up_to
        return float(truncated_concordance(time, kinds, score, [until])[0])
    return concordance(time, kinds, score, time_weight=UNO, up_to=up_to).c


def truncated_concordance(time: np.ndarray, cause: np.ndarray, risk: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Concordance among pairs whose first event came by each time, weighted for censoring, shape (t,).

    Parameters
    ----------
    time, cause : arrays, shape (n,)
    risk : array, shape (n,) or (n, t)
    times : array, shape (t,)

    Returns
    -------
    array, shape (t,)
        NaN where no pair can be compared.

    Notes
    -----
    A pair counts 1 / (G(T-) G(T)) for the event at T that came first; where the other patient had a competing event
    at T' by then, 1 / (G(T-) G(T'-)). Equal risks count half. As in pec, without competing events pairs with events
    at one time are compared in the order of the rows, and are right where their risks are equal; with competing
    events they are not compared.

    References
    ----------
    Gerds et al. (2013), Stat Med 32:2173-2184. Wolbers et al. (2014), Biostatistics 15:526-539.
    R: ``pec::cindex(eval.times = times, cens.model = "marginal")``.
    """
    rows = rows_of(time, cause)
    at = np.atleast_1d(np.asarray(times, dtype=float))
    curve = censoring_curve(rows.time, rows.event)
    left, here = curve.before(rows.time), curve.at(rows.time)
    with np.errstate(divide="ignore"):
        weight = np.where((left > 0) & (here > 0), 1 / (left * here), 0.0)
    by = risk_matrix(risk, len(rows.time), len(at))
    found, last, known = np.full(len(at), np.nan), np.empty(0), (np.empty(0), np.empty(0))
    for j, t in enumerate(at):
        value = np.unique(by[:, j], return_inverse=True)[1]
        if not np.array_equal(value, last):  # the same order as by the time before, as in every Cox model
            last, known = value, _counted(rows, value, weight, left)
        first = (rows.cause == 1) & (rows.time <= t * (1 + SLACK))
        pairs = float(known[1][first].sum())
        if pairs > 0:
            found[j] = known[0][first].sum() / pairs
    return found


def _counted(rows: Rows, value: np.ndarray, weight: np.ndarray, left: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each patient as the one with the first event: weighted pairs in the right order, and all pairs."""
    if rows.competes:
        return _counted_competing(rows, value, weight, left)
    n = len(value)
    order = np.lexsort((np.arange(n), ~rows.event, rows.time))
    place = np.empty(n, dtype=np.int64)
    place[order] = np.arange(n)
    one = np.ones(n)
    lower, upto = (earlier_and_lower(-place, value, one, -place, value + more) for more in (0, 1))
    # Same time, same risk, both events: pec counts the pair as right.
    died = np.flatnonzero(rows.event)
    moment = np.unique(rows.time[died], return_inverse=True)[1]
    key = moment * (int(value.max(initial=0)) + 1) + value[died]
    sort = np.lexsort((place[died], key))
    ends = np.searchsorted(key[sort], key[sort], side="right")
    matched = np.zeros(n)
    matched[died[sort]] = ends - 1 - np.arange(len(sort))
    return weight * (lower + upto + matched) / 2, weight * (n - 1 - place)


def _counted_competing(
    rows: Rows, value: np.ndarray, weight: np.ndarray, left: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The same with competing events: patients still to come, and those whom a competing event took by then."""
    moment = np.unique(rows.time, return_inverse=True)[1]
    everyone = np.ones(len(value))
    # A censoring at the time of an event is later.
    later, query = -(2 * moment + ~rows.event), -2 * moment
    other = np.flatnonzero(rows.cause > 1)
    taken = 1 / left[other]

    def sums(of: np.ndarray, limit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return (
            earlier_and_lower(later, of, everyone, query, limit),
            earlier_and_lower(moment[other], of[other], taken, moment + 1, limit) / left,
        )

    (a0, b0), (a1, b1) = sums(value, value), sums(value, value + 1)
    still = np.searchsorted(np.sort(later), query, side="left")
    gone = np.cumsum(np.bincount(moment[other], weights=taken, minlength=int(moment.max()) + 1))[moment]
    return (weight * (a0 + a1) + b0 + b1) / 2, weight * still + gone / left


def auc(
    time: np.ndarray,
    cause: np.ndarray,
    risk: np.ndarray,
    times: np.ndarray,
    *,
    entry: np.ndarray | None = None,
    convention: Convention = "G_test_left",
    train: tuple[np.ndarray, np.ndarray] | None = None,
    level: float = 0.95,
) -> Measure:
    """Cumulative/dynamic area under the ROC curve at each time, weighted for censoring.

    The chance that of a patient with the event by t and one without it the first has the higher risk.

    Parameters
    ----------
    time, cause : arrays, shape (n,)
        `cause` 0 censored, 1 the event, 2 and more competing: whoever had one of these by t is without the event.
    risk : array, shape (n,) or (n, t)
        By each time; any score that ranks.
    times : array, shape (t,)
    entry, convention, train
        As `uncensored_weights`.
    level : float

    Returns
    -------
    Measure
        Its standard error allows for the estimated censoring curve under ``G_test_left`` without delayed entry, and
        takes the weights as known otherwise.

    References
    ----------
    Uno et al. (2007), JASA 102:527-537. Blanche, Dartigues & Jacqmin-Gadda (2013), Stat Med 32:5381-5397.
    R: ``riskRegression::Score(metrics = "auc", cens.model = "km")``.
    """
    rows = rows_of(time, cause, entry)
    at = np.atleast_1d(np.asarray(times, dtype=float))
    weight = uncensored_weights(rows.time, rows.event, at, entry=rows.entry, convention=convention, train=train)
    by = risk_matrix(risk, len(rows.time), len(at))
    exact = convention == "G_test_left" and rows.entry is None
    censoring = censoring_influence(rows.time, rows.event) if exact else None
    value, influence = np.full(len(at), np.nan), np.full((len(rows.time), len(at)), np.nan)
    for j, t in enumerate(at):
        value[j], influence[:, j] = _area(rows, by[:, j], weight[:, j], t, censoring)
    return measure("Time-dependent AUC", at, value, influence, level)


def _area(rows: Rows, risk: np.ndarray, weight: np.ndarray, t: float, censoring: object) -> tuple[float, np.ndarray]:
    n = len(risk)
    by_now = rows.time <= t * (1 + SLACK)
    case = by_now & (rows.cause == 1)
    w_case, w_control = np.where(case, weight, 0.0), np.where(case, 0.0, weight)
    cases, controls = w_case.sum(), w_control.sum()
    if not (cases > 0 and controls > 0):
        return np.nan, np.full(n, np.nan)
    code = np.unique(risk, return_inverse=True)[1]
    of_cases = np.bincount(code, weights=w_case)
    of_controls = np.bincount(code, weights=w_control)
    below = (np.cumsum(of_controls) - of_controls / 2)[code]
    above = (cases - np.cumsum(of_cases) + of_cases / 2)[code]
    right = w_case * below + w_control * above
    area = (w_case * below).sum() / (cases * controls)
    mu, nu = cases * controls / n**2, area * cases * controls / n**2
    weighed = w_case * controls + w_control * cases
    moved = (right * mu - weighed * nu) / n / mu**2
    if censoring is not None:
        going = ~by_now
        top = censoring.moved(np.where(going, 0.0, right), right[going].sum(), t)
        bottom = censoring.moved(np.where(going, 0.0, weighed), weighed[going].sum(), t)
        moved = moved + (top * mu - bottom * nu) / n**2 / mu**2
    return area, moved


@dataclass(frozen=True)
class RoystonD:
    """Royston and Sauerbrei's D: log hazard ratio between the halves of the patients with higher and lower risk.

    Attributes
    ----------
    d, std_err : float
    r2 : float
        R²_D, the explained variation that goes with it.
    """

    d: float
    std_err: float
    r2: float


def royston_d(time: np.ndarray, cause: np.ndarray, score: np.ndarray, *, entry: np.ndarray | None = None) -> RoystonD:
    """Royston's D and the explained variation R²_D.

    Normal scores of the ranks (Blom), divided by √(8/π), are the only column of a Cox model with Efron's ties; its
    coefficient is D. R²_D = (D²/κ²) / (π²/6 + D²/κ²) with κ² = 8/π. With competing events of their cause-specific
    hazard. NaN where no such model can be fitted.

    References
    ----------
    Royston & Sauerbrei (2004), Stat Med 23:723-748.
    """
    rows = rows_of(time, cause, entry)
    z = ndtri((mean_ranks(score) - 3 / 8) / (len(rows.time) + 1 / 4)) / np.sqrt(KAPPA2)
    try:
        fit = fit_cox(cox_data(z, rows.time, rows.cause == 1, names=("score",), entry=rows.entry))
    except Fixable:
        return RoystonD(np.nan, np.nan, np.nan)
    d = float(fit.coef[0])
    explained = d**2 / KAPPA2
    return RoystonD(d, float(np.sqrt(fit.variance[0, 0])), explained / (np.pi**2 / 6 + explained))
