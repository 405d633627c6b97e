"""What an audit found, in words and cells: pure text, nothing drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bedside.report import say
from bedside.validation.audit import Audit, AuditGroup, Audits
from bedside.validation.audit_words import Finding, holding, signed
from bedside.validation.calibration import Estimate

RATES = {
    "flagged": "Flagged",
    "sensitivity": "Of those with the event, flagged",
    "false_positive": "Of those without, flagged",
    "ppv": "Of those flagged, had the event",
    "npv": "Of those not flagged, did not",
}
WHOM, RIGHT = ("flagged", "sensitivity", "false_positive"), ("ppv", "npv")
"""Whom a threshold flags, and whether it was right."""
NEARLY = 0.95
"""A threshold that flags this share of all patients or more tells nobody apart."""


def lead(found: Audits) -> list[str]:
    """The answer, a line each: whom nothing can be said of, and what was found in the others."""
    untold, came_out = _untold(found), _came_out(found)
    compared = any(len(_judged(one)) > 1 for one in found.audits)
    if not came_out and compared:
        came_out = "No sign that it fails any of the groups that could be compared."
    return [line for line in (untold, came_out) if line]


def attributes(found: Audits) -> list[str]:
    """Each attribute with groups to compare: said, happened, and whether it fails any of them."""
    return [_attribute(one) for one in found.audits if len(_judged(one)) > 1]


def _judged(one: Audit) -> list[AuditGroup]:
    return [g for g in one.groups if not g.greyed and math.isfinite(g.observed.lower)]


def _untold(found: Audits) -> str:
    """Of whom nothing can be said, where that is so for most groups or leaves an attribute without a comparison."""
    groups = [g for one in found.audits for g in one.groups]
    judged = [g for one in found.audits for g in _judged(one)]
    if not judged:
        return (
            "No group is large enough to judge by (100 patients and 20 events): that nothing was found says nothing "
            "here."
        )
    alone = [one for one in found.audits if len(_judged(one)) < 2]
    if not alone and len(judged) * 2 >= len(groups):
        return ""
    whole = [f"by {one.title.lower()}" for one in found.audits if not _judged(one)]
    few = [f"for {g.label}" for one in found.audits if _judged(one) for g in one.groups if g not in judged]
    told = f"Cannot be told {_or([*few, *whole])}: too few patients or events. " if few or whole else ""
    only = [f"{g.label} ({_said(g)})" for one in alone for g in _judged(one)]
    if not only:
        return told.strip()
    return f"{told}Only {_and(only)} could be looked at, with no other group to compare."


def _came_out(found: Audits) -> str:
    """What was found, and whether it holds when so many comparisons are allowed for."""
    every = [f for one in found.audits for f in one.findings]
    there, level = [f for f in every if f.found], _level(found)
    if not there:
        return ""
    kept = holding(every, level)
    if kept:
        return " ".join(f.sentence for f in kept) + " " + _allowed(found, kept)
    largest = min(there, key=lambda f: f.p if math.isfinite(f.p) else math.inf)
    return f"No finding holds once {found.comparisons} looks are allowed for. The largest hint: {largest.sentence}"


def _allowed(found: Audits, kept: Sequence[Finding]) -> str:
    it = "This holds" if len(kept) == 1 else "These hold"
    return f"{it} also when {found.comparisons} looks are allowed for."


def _level(found: Audits) -> float:
    return found.audits[0].level if found.audits else 0.95


def _attribute(one: Audit) -> str:
    """One attribute in which at least two groups can be compared: what was said and happened, and the verdict."""
    told = "; ".join(f"{g.label} {_said(g)}" for g in _judged(one))
    wrong = any(f.found and f.about in ("calibration", "observed_expected") for f in one.findings)
    ranks = any(f.found and f.about == "c" for f in one.findings)
    if not wrong and not ranks:
        verdict = "no sign that it fails any of them"
    else:
        verdict = " and ".join(
            (
                "a hint that risks are wrong for some" if wrong else "no sign that risks are wrong for any",
                "a hint that it ranks some worse" if ranks else "no sign that it ranks any worse",
            )
        )
    return f"{one.title}: {told}: {verdict}."


def _said(g: AuditGroup) -> str:
    seen = g.observed
    between = f"({100 * seen.lower:.0f} to {100 * seen.upper:.0f})"
    return f"said {100 * g.predicted:.0f}, happened {100 * seen.risk:.0f} {between}"


def missed(found: Audits) -> str:
    """How far off risks may still be where it is least sure among the groups that were judged."""
    judged = [g for one in found.audits for g in _judged(one)]
    if not judged:
        return ""
    widest = max(judged, key=lambda g: g.observed.upper - g.observed.lower)
    off = max(widest.observed.upper - widest.predicted, widest.predicted - widest.observed.lower)
    sure = "" if len(judged) == 1 else ", of whom it is least sure"
    return (
        f"What could have been missed: risks may still be off by up to {100 * off:.0f} of 100 ({widest.label}, "
        f"{say.patients(widest.n)}{sure})."
    )


def _or(words: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def _and(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def too_few(found: Audits) -> str:
    """Which groups nothing can be said about."""
    few = [f"{g.label} ({say.patients(g.n)}, {say.events(g.n_events)})" for one in found.audits for g in one.groups
           if g.greyed]  # fmt: skip
    if not few:
        return ""
    return f"Too few to judge by, and grey below: {'; '.join(few)}."


def of_decisions(found: Audits) -> list[tuple[str, bool]]:
    """A sentence for each difference between groups that a threshold makes, and whether it holds (Holm)."""
    every = [f for one in found.audits for f in one.findings]
    kept = holding(every, _level(found))
    return [(f.sentence, f in kept) for f in every if f.found and f.about in ("sensitivity", "false_positive")]


def everybody(found: Audits) -> str:
    """That a threshold tells hardly anybody apart, empty where it does."""
    made = [g.decision for g in found.audits[0].groups if g.decision is not None] if found.audits else []
    n, flagged = sum(d.n for d in made), sum(d.n_flagged for d in made)
    if n and flagged >= NEARLY * n:
        return f"At this threshold almost everybody is flagged ({flagged:,} of {n:,}): there is nothing to compare."
    if n and flagged <= (1 - NEARLY) * n:
        return f"At this threshold hardly anybody is flagged ({flagged:,} of {n:,}): there is nothing to compare."
    return ""


def measured(group: AuditGroup) -> list[tuple[str, ...]]:
    """A group's cells: patients, C, O/E, ICI; each a value with quiet lines. No ICI of few: it is noise alone."""
    return [
        (f"{group.n:,}", say.events(group.n_events)),
        _with(group.c, "{:.2f}"),
        _with(group.ratio, "{:.2f}"),
        ("–" if group.greyed else _known(group.ici, "{:.3f}"),),
    ]


def _with(found: Estimate, form: str) -> tuple[str, ...]:
    if math.isnan(found.lower) or math.isnan(found.upper):
        return (_known(found.value, form),)
    return _known(found.value, form), f"({_known(found.lower, form)} to {_known(found.upper, form)})"


def _known(value: float, form: str) -> str:
    return "–" if math.isnan(value) else form.format(value).replace("-", "−")


def decided(group: AuditGroup, key: str) -> tuple[str, ...]:
    """One rate of a group: the share with its interval, of how many, and how far it is from the reference group's."""
    if group.decision is None:
        return ("–",)
    rate: Estimate = getattr(group.decision, key)
    if math.isnan(rate.value):
        return ("–",)
    lines = [f"{100 * rate.value:.0f}"]
    if not math.isnan(rate.lower):
        lines.append(f"({100 * rate.lower:.0f} to {100 * rate.upper:.0f})")
    lines.append(_of(group, key))
    apart = group.to_reference.get(key)
    if apart is not None and not math.isnan(apart.lower):
        lines.append(f"{signed(apart.value)} ({signed(apart.lower)} to {signed(apart.upper)})")
    return tuple(lines)


def _of(group: AuditGroup, key: str) -> str:
    """How many patients a rate stands on; those with the event are an estimate where some were lost sight of."""
    made = group.decision
    known = {"flagged": made.n, "ppv": made.n_flagged, "npv": made.n - made.n_flagged}
    if key in known:
        return f"of {known[key]:,}"
    share = group.observed.risk if key == "sensitivity" else 1 - group.observed.risk
    return "of about –" if math.isnan(share) else f"of about {group.n * share:,.0f}"


def rate_rows(audits: Sequence[Audit]) -> tuple[list[str], list[list[object]]]:
    """Every rate of every group, unrounded, with its difference to the reference group."""
    header = ["variable", "group", "reference", "patients", "events", "threshold", "rate", "share", "lower", "upper",
              "difference", "difference, lower", "difference, upper"]  # fmt: skip
    rows: list[list[object]] = []
    for one in audits:
        for g in one.groups:
            for key, name in RATES.items():
                if g.decision is None:
                    continue
                rate = getattr(g.decision, key)
                apart = g.to_reference.get(key)
                off = [None] * 3 if apart is None else [apart.value, apart.lower, apart.upper]
                rows.append([one.title, g.label, one.reference, g.n, g.n_events, one.threshold, name, rate.value,
                             rate.lower, rate.upper, *off])  # fmt: skip
    return header, rows
