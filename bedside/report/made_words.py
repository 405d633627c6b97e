"""How a survival figure was made, as a paragraph for a paper."""

from __future__ import annotations

import platform
from collections.abc import Sequence

import numpy as np

from bedside import __version__
from bedside.cohort import Cohort, Outcome
from bedside.report import say
from bedside.report.made_rows import Analysed, Recipe
from bedside.survival import GroupTest

MOST = 12
"""Groups that a paragraph lists one by one."""

SCALES = {
    "plain": "on the plain scale", "log": "on the log scale", "log-log": "on the log(−log) scale",
    "logit": "on the logit scale", "arcsin": "on the arcsine square-root scale",
}  # fmt: skip
ESTIMATES = {
    "kaplan-meier": "the Kaplan-Meier method",
    "nelson-aalen": "exp(−H(t)) with the Nelson-Aalen estimate of the cumulative hazard H",
    "fleming-harrington": "exp(−H(t)) with the Fleming-Harrington estimate of the cumulative hazard H (tied events one "
    "after the other)",
}


def versions() -> str:
    """What computed the numbers: "Bedside 0.1.0 (numpy 2.4.0, Python 3.11.2)"."""
    return f"Bedside {__version__} (numpy {np.__version__}, Python {platform.python_version()})"


def stamp_of(cohort: Cohort, outcome: Outcome, filters: Sequence[str], selected: Sequence[str] = ()) -> tuple[str, str]:
    """Cohort, outcome and filter; and fingerprint, versions and source."""
    who = f"Patients: {'; '.join(filters)}." if filters else "All patients."
    who += f" Selected patients: {'; '.join(selected)}." if selected else ""
    return (
        f"{cohort.title}. Outcome: {outcome.label}. {who}",
        f"Data and filter {cohort.fingerprint[:12]}, {versions()}. Source: {cohort.source.citation}",
    )


def who(cohort: Cohort, outcome: Outcome, rows: Analysed, recipe: Recipe) -> str:
    """Patients, events, time and what decides who is observed when."""
    used = rows.drawn
    n, seen = int(used.sum()), int((rows.event[used] > 0).sum())
    chosen = f" Patients were chosen by: {'; '.join(recipe.filters)}." if recipe.filters else ""
    parts = [
        f"{outcome.label} was analysed in {say.patients(n)} of “{cohort.title}” ({sentence(cohort.source.citation)})."
        f"{chosen}",
        f"{_events(rows, used)}; {n - seen:,} {'was' if n - seen == 1 else 'were'} censored.",
        f"Time was counted in {outcome.unit} since {outcome.since}.",
    ]
    if rows.title:
        parts.append(_groups(rows, used))
    if recipe.selected:
        parts.append(f"Selected patients are those with: {'; '.join(recipe.selected)}.")
    if rows.entry is not None:
        parts.append(
            "Entry was delayed (left truncation): a patient was at risk from the time at which observation began, not "
            "including it."
        )
    if recipe.alive_at:
        since = say.duration(recipe.alive_at, outcome.unit)
        clock = "that landmark" if recipe.restart else outcome.since
        parts.append(
            f"Only patients still under observation and {outcome.free_phrase} after {since} were included (landmark "
            f"analysis, conditional on having come so far); time is shown since {clock}."
        )
    if rows.weight is not None:
        error = "infinitesimal-jackknife (robust)" if rows.robust else "Greenwood's, the weights being whole numbers"
        parts.append(f"Patients were weighted by case weights; standard errors are {error}.")
    return " ".join(parts)


def curves(rows: Analysed, recipe: Recipe) -> str:
    """Estimator, intervals, ties, medians."""
    error = "robust" if rows.robust else "Greenwood's"
    error = error if recipe.estimator == "kaplan-meier" or rows.robust else "its own"
    return (
        f"Survival was estimated by {ESTIMATES[recipe.estimator]}, with pointwise {recipe.level:.0%} confidence "
        f"intervals {SCALES[recipe.interval]} from {error} standard errors. {TIES} The median is the time at which the "
        "curve comes down to one half, its interval by Brookmeyer and Crowley."
    )


TIES = (
    "Times that differed by rounding only were taken as tied, and patients censored at the time of an event were at "
    "risk of it."
)


def test(rows: Analysed, recipe: Recipe, found: GroupTest | None) -> str:
    """Which test compared the groups, and what it found."""
    if found is None:
        return ""
    within = f" within strata of {' and '.join(map(say.in_sentence, rows.strata))}" if rows.strata else ""
    once = ", which counts every patient once" if rows.weight is not None else ""
    freedom = "degree" if found.df == 1 else "degrees"
    return (
        f"Groups were compared by the {say.in_sentence(found.name)}{within}{once}: chi-squared {found.statistic:.2f} "
        f"on {found.df} {freedom} of freedom, two-sided {say.p_value(found.p)}."
    )


def incidence(rows: Analysed, recipe: Recipe) -> str:
    """Estimator, intervals, ties and test of several types of event."""
    text = (
        "The cumulative incidence of each type of event was estimated by the Aalen-Johansen method, the others taking "
        f"part as competing events, with pointwise {recipe.level:.0%} confidence intervals {SCALES[recipe.interval]} "
        f"from infinitesimal-jackknife standard errors. {TIES}"
    )
    return f"{text} Groups were compared by Gray's test." if has_gray(rows) else text


def has_gray(rows: Analysed) -> bool:
    """True where groups are compared by Gray's test, which knows no delayed entry."""
    return len(rows.labels) > 1 and rows.entry is None


def differences(recipe: Recipe, tau: float, reference: str) -> str:
    """Restricted means and shares at one time, compared."""
    when = say.duration(tau, recipe.unit)
    window = f"up to {when}, from the landmark on," if recipe.alive_at and not recipe.restart else f"within {when}"
    return (
        f"Mean time {window} is the area under the curve (restricted mean survival time) with a normal "
        f"{recipe.level:.0%} confidence interval; its difference and its ratio to “{reference}” use both standard "
        f"errors, the ratio on the logarithmic scale. Shares at {when} are read off the curves; their differences are "
        "tested on the log(−log) scale (Klein et al 2007). Nothing was adjusted for."
    )


def software(cohort: Cohort) -> str:
    """The last sentence: with what, and on which data."""
    return f"Computed with {versions()}. Fingerprint of data and filter (SHA-256): {cohort.fingerprint[:16]}."


def sentence(text: str) -> str:
    """A text without its full stop, to stand within a sentence."""
    return text.strip().rstrip(".")


def _events(rows: Analysed, used: np.ndarray) -> str:
    if not rows.causes:
        n = int(rows.event[used].sum())
        return f"{n:,} had the event" if n else "Nobody had the event"
    counts = np.bincount(rows.event[used], minlength=len(rows.causes) + 1)[1:]
    told = (f"{n:,} {say.in_sentence(name)}" for n, name in zip(counts.tolist(), rows.causes, strict=True))
    return f"First events: {', '.join(told)}"


def _groups(rows: Analysed, used: np.ndarray) -> str:
    size = np.bincount(rows.group[used], minlength=len(rows.labels) + 1)[1:]
    seen = np.bincount(rows.group[used & (rows.event > 0)], minlength=len(rows.labels) + 1)[1:]
    by = f"Grouped by {say.in_sentence(rows.title)}"
    if len(rows.labels) > MOST:
        return f"{by}: {len(rows.labels):,} groups."
    told = (
        f"{label} ({n:,} patient{'' if n == 1 else 's'}, {say.events(k)})"
        for label, n, k in zip(rows.labels, size.tolist(), seen.tolist(), strict=True)
    )
    return f"{by}: {'; '.join(told)}."
