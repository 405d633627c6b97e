"""The weights of the log-rank family: which times a comparison of groups looks at most."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from bedside.errors import Fixable
from bedside.survival.tally import Weigh

Weighting = Literal["log-rank", "gehan-breslow", "tarone-ware", "peto-peto", "modified-peto-peto", "fleming-harrington"]

NAMES: dict[str, str] = {
    "log-rank": "log-rank test",
    "gehan-breslow": "Gehan-Breslow test",
    "tarone-ware": "Tarone-Ware test",
    "peto-peto": "Peto-Peto test",
    "modified-peto-peto": "modified Peto-Peto test",
    "fleming-harrington": "Fleming-Harrington test",
}


def weigh_by(weighting: Weighting, *, p: float = 0.0, q: float = 0.0) -> Weigh:
    """The weight of each time of an event, from the patients at risk n and the events d of all groups together.

    Parameters
    ----------
    weighting : str
        ``"log-rank"``: 1. ``"gehan-breslow"``: n. ``"tarone-ware"``: root of n.
        ``"peto-peto"``: the product of 1 - d / (n + 1) up to and including the
        time. ``"modified-peto-peto"``: the same times n / (n + 1).
        ``"fleming-harrington"``: S^p (1 - S)^q, where S is the Kaplan-Meier
        estimate just before the time; (1, 0) looks at early differences,
        (0, 1) at late ones, and (rho, 0) is R's ``survdiff(rho = )``.
    p, q : float
        Powers of the Fleming-Harrington weight; q is 0 or more.

    Returns
    -------
    function of (at_risk, events), arrays of shape (n_times,), to weights of that shape
        With strata, every stratum has its own.

    Raises
    ------
    Fixable
        If the weighting is not known, a power is not a number, or a weight
        comes out infinite.

    References
    ----------
    Gehan (1965), Biometrika 52:203-223; Breslow (1970), Biometrika 57:579-594;
    Tarone & Ware (1977), Biometrika 64:156-160; Peto & Peto (1972), JRSS A
    135:185-207; Andersen et al (1982), Int Stat Rev 50:219-258; Fleming &
    Harrington (1981), Commun Stat Theory Methods 10:763-794; Harrington &
    Fleming (1982), Biometrika 69:553-566. R: ``survMisc::comp``.
    """
    if weighting not in get_args(Weighting):
        raise Fixable("No comparison.", "This weighting is not known.", f"Choose one of: {', '.join(NAMES)}.")
    if not (np.isfinite(p) and np.isfinite(q) and q >= 0):
        raise Fixable(
            "No comparison.",
            "The powers of the Fleming-Harrington weight must be numbers, the second one 0 or more.",
            "Choose for instance 1 and 0 for early differences, or 0 and 1 for late ones.",
        )

    def weigh(at_risk: np.ndarray, events: np.ndarray) -> np.ndarray:
        weight = _weights(weighting, at_risk, events, p, q)
        if not np.isfinite(weight).all():
            raise Fixable(
                "No comparison.",
                "A negative power gives infinite weight to times after the curve has reached zero.",
                "Choose powers of 0 or more.",
            )
        return weight

    return weigh


def name_of(weighting: Weighting, *, p: float = 0.0, q: float = 0.0, strata: int = 1) -> str:
    """The test's name: "Stratified Fleming-Harrington test (1, 0)"."""
    name = NAMES[weighting] + (f" ({p:g}, {q:g})" if weighting == "fleming-harrington" else "")
    name = f"stratified {name}" if strata > 1 else name
    return name[0].upper() + name[1:]


def _weights(weighting: Weighting, n: np.ndarray, d: np.ndarray, p: float, q: float) -> np.ndarray:
    if weighting == "gehan-breslow":
        return n
    if weighting == "tarone-ware":
        return np.sqrt(n)
    if weighting in ("peto-peto", "modified-peto-peto"):
        survival = np.cumprod(1 - d / (n + 1))
        return survival if weighting == "peto-peto" else survival * n / (n + 1)
    if weighting == "log-rank" or p == q == 0:
        return np.ones(len(n))
    # Among two of several groups nobody may be left at a time of the others' events: nothing falls.
    before = np.concatenate(([1.0], np.cumprod(1 - d / np.maximum(n, 1))[:-1]))
    with np.errstate(divide="ignore"):
        return before**p * (1 - before) ** q
