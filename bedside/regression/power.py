"""How many events, and how many patients, a comparison of two groups needs."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log

from scipy.special import ndtr, ndtri

from bedside.errors import Fixable


@dataclass(frozen=True)
class SampleSize:
    """What a log-rank test or Cox regression needs to find a hazard ratio.

    Attributes
    ----------
    hazard_ratio, alpha, power, allocation : float
        As asked for.
    events : float
        Needed in both groups together, not rounded.
    patients : float or None
        Needed in both groups together for so many events, not rounded; None where no chance of the event was given.
    """

    hazard_ratio: float
    alpha: float
    power: float
    allocation: float
    events: float
    patients: float | None

    @property
    def whole_events(self) -> int:
        """Events, rounded up."""
        return ceil(self.events)

    @property
    def whole_patients(self) -> int | None:
        """Patients, rounded up."""
        return None if self.patients is None else ceil(self.patients)


def sample_size(
    hazard_ratio: float,
    *,
    alpha: float = 0.05,
    power: float = 0.8,
    allocation: float = 0.5,
    event_probability: float | None = None,
) -> SampleSize:
    """Schoenfeld's number of events for a two-sided test of a hazard ratio, and the patients who give them.

    Parameters
    ----------
    hazard_ratio : float
        To be found; above 0 and not 1.
    alpha : float
        Two-sided level of the test.
    power : float
        Chance of finding it.
    allocation : float
        Share of patients in the one group.
    event_probability : float, optional
        Chance that a patient of the study has the event while followed, 0 to 1, over both groups.

    Raises
    ------
    Fixable
        If a number is outside its range.

    References
    ----------
    Schoenfeld (1983), Biometrics 39:499-503.
    R: ``(qnorm(1 - alpha/2) + qnorm(power))^2 / (p * (1 - p) * log(hr)^2)``.
    """
    if not (0 < hazard_ratio < float("inf")) or hazard_ratio == 1:
        raise _refused("the hazard ratio must be above 0 and not 1", "a hazard ratio such as 0.7")
    for what, value in (("level", alpha), ("power", power), ("share in the one group", allocation)):
        if not 0 < value < 1:
            raise _refused(f"the {what} must lie between 0 and 1", "a level such as 0.05 and a power such as 0.8")
    if event_probability is not None and not 0 < event_probability <= 1:
        raise _refused("the chance of the event must lie above 0 and not above 1", "a chance such as 0.4")
    if power <= alpha / 2:
        raise _refused("a power below half the level needs no patients", "a power such as 0.8")
    quantiles = -ndtri(alpha / 2) + ndtri(power)
    events = float(quantiles**2 / (allocation * (1 - allocation) * log(hazard_ratio) ** 2))
    patients = None if event_probability is None else events / event_probability
    return SampleSize(hazard_ratio, alpha, power, allocation, events, patients)


def power_of(hazard_ratio: float, events: float, *, alpha: float = 0.05, allocation: float = 0.5) -> float:
    """Chance that a two-sided test finds a hazard ratio with so many events: `sample_size` the other way round.

    Raises
    ------
    Fixable
        If a number is outside its range.
    """
    if not (0 < hazard_ratio < float("inf")) or events < 0 or not 0 < allocation < 1 or not 0 < alpha < 1:
        raise _refused("one of the numbers is outside its range", "a hazard ratio above 0 and a level such as 0.05")
    shift = (events * allocation * (1 - allocation)) ** 0.5 * abs(log(hazard_ratio))
    return float(ndtr(shift + ndtri(alpha / 2)))


def _refused(why: str, example: str) -> Fixable:
    return Fixable("No sample size.", f"{why[:1].upper()}{why[1:]}.", f"Choose {example}.")
