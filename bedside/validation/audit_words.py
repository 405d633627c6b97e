"""What an audit found, a plain sentence each, and what so many comparisons at once mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.special import ndtr

if TYPE_CHECKING:
    from bedside.validation.audit import AuditGroup, Heterogeneity

MATTERS_C = 0.05
"""Groups whose C differs by less are not told apart in words, however many patients there are."""

Verdict = Literal["too low", "too high", "differs", "no finding", "too few"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at in a group, or across groups.

    Attributes
    ----------
    group : str
        Label; empty where it is about all groups.
    about : str
        ``"calibration"``, ``"observed_expected"``, ``"c"``, ``"sensitivity"``, ``"false_positive"``.
    verdict : {"too low", "too high", "differs", "no finding", "too few"}
    sentence : str
    p : float
        NaN where nothing was tested.
    """

    group: str
    about: str
    verdict: Verdict
    sentence: str
    p: float

    @property
    def found(self) -> bool:
        """True if something was found."""
        return self.verdict in ("too low", "too high", "differs")


def findings(
    groups: Sequence[AuditGroup],
    tests: Sequence[Heterogeneity],
    *,
    title: str,
    t: float,
    unit: str,
    level: float,
    reference: str,
    when: str = "",
) -> tuple[Finding, ...]:
    """Of each group, of the groups against each other, and of decisions against the reference group."""
    said = when or f"{t:,.4g} {unit.removesuffix('s') if t == 1 else unit}"
    found = [_calibration(group, said) for group in groups]
    found += _across(groups, tests, title, level)
    for group in groups:
        found += _decision(group, reference, groups, level)
    return tuple(found)


def holding(found: Sequence[Finding], level: float) -> tuple[Finding, ...]:
    """Findings that are still there when so many comparisons are allowed for (Holm)."""
    tested = [finding for finding in found if np.isfinite(finding.p)]
    if not tested:
        return ()
    return tuple(f for f, q in zip(tested, holm([f.p for f in tested]), strict=True) if f.found and q <= 1 - level)


def of_multiplicity(found: Sequence[Finding], level: float) -> str:
    """How many findings chance alone would bring, and how many hold after Holm's correction.

    References
    ----------
    Holm (1979), Scand J Stat 6:65-70.
    """
    tested = [finding for finding in found if np.isfinite(finding.p)]
    if not tested:
        return "No group has enough patients and events to be compared."
    there = sum(finding.found for finding in tested)
    alpha = 1 - level
    expected = alpha * len(tested)
    kept = len(holding(tested, level))
    many = f"{len(tested)} comparison{'s were' if len(tested) != 1 else ' was'} made"
    chance = f"about {expected:.1f} finding{'s' if round(expected, 1) != 1 else ''} would be expected by chance alone"
    came = f"{there or 'none'} came out" if there != 1 else "1 came out"
    holds = f"{kept or 'none'} of them hold{'s' if kept <= 1 else ''} when so many comparisons are allowed for (Holm)"
    return f"{many}: {chance}, and {came}" + (f"; {holds}." if there else ".")


def holm(p: Sequence[float]) -> np.ndarray:
    """Holm's adjusted p-values, shape (k,).

    References
    ----------
    R: ``p.adjust(p, "holm")``.
    """
    values = np.asarray(p, dtype=float)
    order = np.argsort(values, kind="stable")
    steps = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    out = np.empty(len(values))
    out[order] = np.minimum(steps, 1.0)
    return out


def _calibration(group: AuditGroup, when: str) -> Finding:
    seen = group.observed
    if not np.isfinite(seen.risk):
        return Finding(group.label, "calibration", "too few",
                       f"{group.label}: nobody was followed to {when}.", np.nan)  # fmt: skip
    known = np.isfinite(seen.lower) and np.isfinite(seen.upper)
    ends = f" ({_100(seen.lower)} to {_100(seen.upper)})" if known else ""
    said = f"{group.label}: it said {_100(group.predicted)} of 100 by {when}"
    numbers = f"{said} and {_100(seen.risk)} of 100 had the event{ends}"
    if group.greyed or not known:
        few = f"{_many(group.n, 'patient')} and {_many(group.n_events, 'event')} are too few to judge by"
        return Finding(group.label, "calibration", "too few", f"{numbers}; {few}.", np.nan)
    p = _two_sided(group.predicted, seen.risk, group.ratio.std_err * seen.risk)
    if seen.lower <= group.predicted <= seen.upper:
        return Finding(group.label, "calibration", "no finding", f"{numbers}: no finding.", p)
    verdict: Verdict = "too low" if group.predicted < seen.lower else "too high"
    return Finding(group.label, "calibration", verdict, f"{numbers}: {verdict}.", p)


def _two_sided(expected: float, value: float, std_err: float) -> float:
    """p of the observed risk against the predicted one, by the normal distribution of log(-log(1 - observed))."""
    if not (0 < value < 1 and 0 < expected < 1 and std_err > 0):
        return float("nan")
    apart = np.log(-np.log1p(-value)) - np.log(-np.log1p(-expected))
    return float(2 * ndtr(-abs(apart) * (1 - value) * -np.log1p(-value) / std_err))


def _across(
    groups: Sequence[AuditGroup], tests: Sequence[Heterogeneity], title: str, level: float
) -> Iterator[Finding]:
    judged = [group for group in groups if not group.greyed]
    for test in tests:
        if test.key not in ("observed_expected", "c") or not np.isfinite(test.p):
            continue
        differ = test.p < 1 - level
        if test.key == "observed_expected":
            told = [f"{g.label} {g.ratio.value:.2f}" for g in judged if np.isfinite(g.ratio.value)]
            yes = "how far risks are off differs between the groups"
            no = "no finding that risks are off differently in the groups"
        else:
            told = [f"{g.label} {_c(g.c.value)} ({_c(g.c.lower)} to {_c(g.c.upper)})" for g in judged]
            values = [g.c.value for g in judged if np.isfinite(g.c.value)]
            differ = differ and max(values) - min(values) >= MATTERS_C
            yes = "it ranks patients better in some groups than in others"
            no = "no finding that it ranks patients of one group better than of another"
        what = "observed over expected" if test.key == "observed_expected" else "C"
        sentence = f"{title}: {yes if differ else no} ({what}: {', '.join(told)}; {_p(test.p)})."
        yield Finding("", test.key, "differs" if differ else "no finding", sentence, test.p)


def _decision(group: AuditGroup, reference: str, groups: Sequence[AuditGroup], level: float) -> Iterator[Finding]:
    base = next((g for g in groups if g.label == reference), None)
    if not group.to_reference or group.greyed or base is None or base.greyed:
        return
    words = {
        "sensitivity": ("of 100 who have the event, it flags", "misses more of them", "finds more of them"),
        "false_positive": ("of 100 who do not have the event, it flags", "flags fewer of them", "flags more of them"),
    }
    for rate, (what, fewer, more) in words.items():
        apart, own, other = (group.to_reference[rate], getattr(group.decision, rate), getattr(base.decision, rate))
        if not np.isfinite(apart.std_err) or apart.std_err <= 0:
            continue
        p = float(2 * ndtr(-abs(apart.value) / apart.std_err))
        differs = not apart.lower <= 0 <= apart.upper
        end = (fewer if apart.value < 0 else more) if differs else "no finding"
        sentence = (
            f"{group.label}, at a threshold of {_100(group.decision.threshold)} of 100: {what} {_100(own.value)} "
            f"({_100(own.lower)} to {_100(own.upper)}), against {_100(other.value)} in {reference} (difference "
            f"{signed(apart.value)}, {signed(apart.lower)} to {signed(apart.upper)}): {end}."
        )
        yield Finding(group.label, rate, "differs" if differs else "no finding", sentence, p)


def signed(share: float) -> str:
    """A difference of shares in hundredths, with a true minus and no minus zero.

    >>> signed(-0.142), signed(-0.002), signed(0.05)
    ('−14', '0', '+5')
    """
    text = f"{100 * share:+.0f}"
    return "0" if text in ("+0", "-0") else text.replace("-", "−")


def _many(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def _100(share: float) -> str:
    return "not known" if not np.isfinite(share) else f"{100 * share:.0f}"


def _c(value: float) -> str:
    return "not known" if not np.isfinite(value) else f"{value:.2f}"


def _p(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"
