"""Sandwich variances of a Fine-Gray model, from running sums."""

from __future__ import annotations

import numpy as np

from bedside.competing.subdistribution import Censoring, Subdistribution, Sums
from bedside.competing.variance import share


def subject_scores(part: Subdistribution, s: Sums) -> np.ndarray:
    """What each patient adds to the score, the weights taken as known; sorted rows, shape (n, p)."""
    hazard = part.while_at_risk(part.mass / s.denominator)
    pulled = part.while_at_risk((part.mass / s.denominator)[:, None] * s.mean)
    scores = s.risk[:, None] * (pulled - hazard[:, None] * part.x)
    events = part.kind == 1
    scores[events] += part.x[events] - part.centre(s)[part.upto[events] - 1]
    return scores


def censoring_scores(part: Subdistribution, s: Sums) -> np.ndarray:
    """What each patient adds to the score through the estimated censoring curve; sorted rows, shape (n, p).

    References
    ----------
    Fine & Gray (1999), JASA 94:496-509, the term psi of their equation 8.
    """
    n = len(part.time)
    grid, place = np.unique(part.time, return_inverse=True)
    censored = np.bincount(place[part.kind == 0], minlength=len(grid))
    size = n - np.searchsorted(part.time, grid, side="left")
    # At u: what those who had another event before u still weigh in the risk sets from u on.
    weight = s.risk * part.lasting
    earlier = np.searchsorted(part.time, grid, side="left")
    carried = _from_zero(weight)[earlier]
    carried_x = _from_zero(weight[:, None] * part.x)[earlier]
    jump = part.then * part.mass / s.denominator
    row = np.searchsorted(part.at, grid, side="left")
    ahead, ahead_x = _to_end(jump)[row], _to_end(jump[:, None] * s.mean)[row]
    pull = carried_x * ahead[:, None] - carried[:, None] * ahead_x
    expected = np.cumsum(pull * share(censored, size.astype(float) ** 2)[:, None], axis=0)
    seen = np.where(part.kind == 0, 1 / size[place], 0.0)
    return seen[:, None] * pull[place] - expected[place]


def crr_variance(part: Subdistribution, s: Sums, information: np.ndarray) -> np.ndarray:
    """Variance of the coefficients that allows for the censoring weights being estimated.

    References
    ----------
    Fine & Gray (1999), JASA 94:496-509. R: ``cmprsk::crr(...)$var``.
    """
    scores = subject_scores(part, s) + censoring_scores(part, s)
    inverse = np.linalg.inv(information)
    return inverse @ (scores.T @ scores) @ inverse


class Pieces:
    """How ``finegray`` cuts follow-up: those with another event go on, in pieces of constant weight.

    Attributes
    ----------
    end : array, shape (k,)
        Where pieces end: at each censoring, and at the end of all follow-up.
    kept : bool array, shape (k,)
        Whether the event occurred in the piece; the others are not written.
    first : int array, shape (n,)
        Piece in which each sorted row's own follow-up ends.
    """

    def __init__(self, part: Subdistribution, curve: Censoring) -> None:
        self.end = np.append(curve.time, part.time[-1])
        self.chance = np.concatenate(([1.0], curve.after))
        self.kept = np.zeros(len(self.end), dtype=bool)
        self.of_event = np.searchsorted(self.end, part.at, side="left")
        self.kept[self.of_event] = True
        self.first = np.searchsorted(self.end, part.time, side="left")

    def more(self, part: Subdistribution) -> np.ndarray:
        """How many pieces follow the first one of each row."""
        left = _to_end(self.kept.astype(np.int64))[np.minimum(self.first + 1, len(self.end))]
        return np.where(part.kind == 2, left, 0)

    def weighted(self, part: Subdistribution) -> bool:
        """True if some piece has a weight that is no whole number: then ``coxph`` gives the robust variance."""
        last = np.flatnonzero(self.kept)[-1]
        return bool(((self.more(part) > 0) & (self.chance[last] != part.own)).any())


def piecewise_variance(part: Subdistribution, s: Sums, pieces: Pieces, information: np.ndarray) -> np.ndarray:
    """The sandwich with each piece of follow-up as if it were a patient of its own.

    References
    ----------
    R: ``vcov(coxph(Surv(fgstart, fgstop, fgstatus) ~ ., weights = fgwt, data = finegray(...)))``, which takes the
    weights for case weights. Patients have several pieces, so it is no estimate to rely on.
    """
    rate = part.per_time(part.mass / s.denominator)
    rate_x = part.per_time((part.mass / s.denominator)[:, None] * s.mean)
    first = _first_pieces(part, s, pieces, rate, rate_x)
    total = first.T @ first
    size = len(pieces.end)
    a = np.bincount(pieces.of_event, rate, minlength=size)
    b = np.zeros((size, part.x.shape[1]))
    np.add.at(b, pieces.of_event, rate_x)
    square = pieces.chance[:size] ** 2
    row = np.minimum(pieces.first + 1, size)
    ratio = (s.risk * part.lasting) ** 2
    aa, bb = _to_end(square * a**2)[row] * ratio, _to_end(square[:, None] * a[:, None] * b)[row] * ratio[:, None]
    cross = part.x.T @ bb
    pairs = np.einsum("j,jp,jq->jpq", square, b, b)
    total += part.x.T @ (aa[:, None] * part.x) - cross - cross.T
    total += np.tensordot(np.bincount(row, ratio, minlength=size + 1), _to_end(pairs), axes=1)
    inverse = np.linalg.inv(information)
    return inverse @ total @ inverse


def _first_pieces(part: Subdistribution, s: Sums, pieces: Pieces, rate: np.ndarray, rate_x: np.ndarray) -> np.ndarray:
    """Scores of the pieces that hold each patient's own follow-up, to the end of the piece if another event came."""
    end = np.where(part.kind == 2, pieces.end[pieces.first], part.time)
    upto = np.searchsorted(part.at, end, side="right")
    hazard, pulled = _from_zero(rate)[upto], _from_zero(rate_x)[upto]
    if part.low is not None:
        hazard, pulled = hazard - _from_zero(rate)[part.low], pulled - _from_zero(rate_x)[part.low]
    events = np.flatnonzero(part.kind == 1)
    of = part.upto[events] - 1
    if part.share.any():
        start = np.searchsorted(part.group, np.arange(len(part.at)))
        tied = part.share * part.mass / s.denominator
        hazard[events] -= np.add.reduceat(tied, start)[of]
        pulled[events] -= np.add.reduceat(tied[:, None] * s.mean, start, axis=0)[of]
    scores = s.risk[:, None] * (pulled - hazard[:, None] * part.x)
    scores[events] += part.x[events] - part.centre(s)[of]
    return scores


def _from_zero(values: np.ndarray) -> np.ndarray:
    return np.concatenate((np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0)))


def _to_end(values: np.ndarray) -> np.ndarray:
    return np.concatenate((np.cumsum(values[::-1], axis=0)[::-1], np.zeros((1, *values.shape[1:]), values.dtype)))
