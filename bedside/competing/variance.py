"""Variances of cumulative incidence: the infinitesimal jackknife in closed form, and Aalen's."""

from __future__ import annotations

import numpy as np

ROUNDING = 1e-12
"""Share of those at risk below which nobody is left."""


def before(values: np.ndarray, first: float) -> np.ndarray:
    """Each step's value just before it, along the first axis."""
    head = np.full((1, *values.shape[1:]), first)
    return np.concatenate((head, values[:-1]))


def share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, 0 where the whole is 0."""
    part, whole = np.broadcast_arrays(part, whole)
    return np.divide(part, whole, out=np.zeros(part.shape), where=whole != 0)


def event_free(at_risk: np.ndarray, total: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Chance of no event by each time, and how many are left free just after it, shape (n_times,) each.

    Sums of weights may miss the last patient's by a rounding error, which would leave a trace of a patient.
    """
    left = at_risk - total
    left = np.where(left > ROUNDING * at_risk, left, 0.0)
    return np.cumprod(np.where(at_risk > 0, share(left, at_risk), 1.0)), left


def jackknife_from_counts(
    at_risk: np.ndarray, events: np.ndarray, censored: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Infinitesimal-jackknife variances where everybody enters at time zero with the same weight.

    Patients who leave at the same time for the same reason have the same influence, so the counts are enough: linear
    in the number of times, for any number of patients.

    Parameters
    ----------
    at_risk, censored : arrays, shape (n_times,)
    events : array, shape (n_times, n_causes)

    Returns
    -------
    of_causes : array, shape (n_times, n_causes)
    of_free : array, shape (n_times,)
        Variances of the cumulative incidences and of the chance of being free of any event.
    """
    causes = events.shape[1]
    size = np.column_stack((censored, events)).astype(float).ravel()
    kept = np.flatnonzero(size)
    stop, cause = np.divmod(kept, causes + 1)
    start = np.zeros(len(stop), dtype=np.int64)
    return _jackknife(stop, start, cause, size[kept], at_risk.astype(float), events.astype(float))


def jackknife_from_rows(
    stop: np.ndarray, start: np.ndarray, cause: np.ndarray, weights: np.ndarray, at_risk: np.ndarray, events: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Infinitesimal-jackknife variances with delayed entry or case weights, in time linear in rows and steps.

    The influence of a patient on F(t) is, once he has left, a constant plus a multiple of what F gains after him, and
    while he is at risk a function of t that all share, shifted by two numbers of his entry. So the sums of squares are
    running sums of a handful of products, and no table of patients by times is needed.

    Parameters
    ----------
    stop, start : int arrays, shape (n,)
        Row of the time at which a patient leaves; number of times up to and including entry (0: there from the start).
    cause : int array, shape (n,)
        0 or the number of the type of event.
    weights : array, shape (n,)
    at_risk : array, shape (n_times,)
    events : array, shape (n_times, n_causes)
        Weighted counts.

    Returns
    -------
    of_causes, of_free
        As `jackknife_from_counts`.
    """
    return _jackknife(stop, start, cause, weights**2, at_risk, events)


def _jackknife(
    stop: np.ndarray, start: np.ndarray, cause: np.ndarray, square: np.ndarray, at_risk: np.ndarray, events: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Sums of squared influences; `square` is what each row's counts for."""
    n, total = at_risk, events.sum(axis=1)
    q = share(events, n[:, None])
    survival, left = event_free(n, total)
    earlier = before(survival, 1.0)
    hazard_sum = _padded(np.cumsum(share(total, n * left)))
    own = np.where(cause > 0, share(np.ones_like(left), left)[stop], 0.0)
    log_survival = own - (hazard_sum[stop + 1] - hazard_sum[start])
    steps = len(n)

    def gone(values: np.ndarray) -> np.ndarray:
        return np.cumsum(np.bincount(stop, square * values, minlength=steps))

    def there(values: np.ndarray) -> np.ndarray:
        entered = np.bincount(start, square * values, minlength=steps + 1)[:steps]
        return np.cumsum(entered - np.bincount(stop, square * values, minlength=steps))

    ones, at_entry = np.ones(len(stop)), hazard_sum[start]
    slope = gone(log_survival**2)
    now = hazard_sum[1:]
    here = np.maximum(there(ones) * now**2 - 2 * now * there(at_entry) + there(at_entry**2), 0.0)
    of_free = survival**2 * (slope + here)
    of_causes = np.empty(events.shape)
    for k in range(events.shape[1]):
        gain = earlier * q[:, k]
        incidence = _padded(np.cumsum(gain))
        with_hazard = _padded(np.cumsum(gain * hazard_sum[:-1]))
        with_size = _padded(np.cumsum(share(gain, n)))
        # While at risk: shared(t) + shift - at_entry * F(t).
        shared = with_hazard - with_size
        shift = -shared[start] + at_entry * incidence[start]
        event = np.where(cause == k + 1, share(earlier, n)[stop], 0.0)
        constant = shared[stop + 1] + shift - at_entry * incidence[stop + 1] + event
        rest = incidence[-1] - incidence
        base = constant - log_survival * rest[stop + 1]
        after = rest[1:]
        left_part = gone(base**2) + 2 * after * gone(base * log_survival) + after**2 * slope
        a, f = shared[1:], incidence[1:]
        risk_part = a**2 * there(ones) + 2 * a * (there(shift) - f * there(at_entry))
        risk_part += there(shift**2) - 2 * f * there(shift * at_entry) + f**2 * there(at_entry**2)
        # Nothing varies before the first event, whatever rounding says.
        of_causes[:, k] = np.where(f > 0, left_part + np.maximum(risk_part, 0.0), 0.0)
    return np.maximum(of_causes, 0.0), of_free


def aalen_variance(at_risk: np.ndarray, events: np.ndarray) -> np.ndarray:
    """Aalen's variance of each cumulative incidence, with the correction for ties of cmprsk.

    Parameters
    ----------
    at_risk : array, shape (n_times,)
    events : array, shape (n_times, n_causes)

    Returns
    -------
    array, shape (n_times, n_causes)
        A step at each event of the cause; it rests between them.

    References
    ----------
    Aalen (1978), Ann Stat 6:534-545; Gray (1988), Ann Stat 16:1141-1154. R: ``cmprsk::cuminc(...)[[i]]$var``.
    """
    n = at_risk.astype(float)
    total = events.sum(axis=1)
    survival, _ = event_free(n, total)
    earlier = before(survival, 1.0)
    inverse = share(np.ones_like(survival), survival)
    out = np.empty(events.shape)
    for k in range(events.shape[1]):
        seen = events[:, k]
        other = total - seen
        incidence = np.cumsum(earlier * share(seen, n))
        # Once nobody is left free of the event, other causes add nothing more.
        parts = ((_tied(other, n, earlier) * (survival > 0), inverse * incidence), (_tied(seen, n, earlier), None))
        first = second = third = np.zeros(len(n))
        for size, ratio in parts:
            ratio = 1 + inverse * incidence if ratio is None else ratio
            first = first + ratio**2 * size
            second = second + inverse * ratio * size
            third = third + inverse**2 * size
        sums = np.cumsum(first) + incidence * (incidence * np.cumsum(third) - 2 * np.cumsum(second))
        last = np.maximum.accumulate(np.where(seen > 0, np.arange(len(n)), -1))
        out[:, k] = np.where(last >= 0, sums[last], 0.0)
    return out


def _tied(events: np.ndarray, n: np.ndarray, earlier: np.ndarray) -> np.ndarray:
    """Spread of the events at each time, smaller where several are tied."""
    correction = np.where(events > 1, 1 - share(events - 1, n - 1), 1.0)
    return earlier**2 * correction * share(events, n**2)


def _padded(sums: np.ndarray) -> np.ndarray:
    return np.concatenate(([0.0], sums))
