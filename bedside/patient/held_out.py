"""Risks from models that had not seen the patient, as a cross-validation left them."""

from __future__ import annotations

import numpy as np

from bedside.validation.resample import Resampled


def held_out(found: Resampled, kind: str, t: float, *, since: float = 0.0) -> np.ndarray | None:
    """Each patient's out-of-fold risk by a time, shape (n,).

    Parameters
    ----------
    found : Resampled
    kind : str
        The model's key in it.
    t : float
        In the outcome's unit; between the times of the check risks are read off straight lines.
    since : float
        Free of the event so far: risks are conditional on it.

    Returns
    -------
    array or None
        None where the model was not checked, or where other events compete and `since` is above 0: their chance was
        not held out.
    """
    if kind not in found.labels or (since > 0 and bool((found.rows.cause > 1).any())):
        return None
    mean, n = found.mean(kind), len(found.rows.time)
    said = mean.at_own(np.full(n, float(t)))
    if since > 0:
        left = 1 - mean.at_own(np.full(n, float(since)))
        said = np.where(left > 0, 1 - (1 - said) / np.where(left > 0, left, 1.0), 1.0)
    return said
