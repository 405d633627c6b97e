"""What an audit found, in words and cells: pure text, nothing drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bedside.report import say
from bedside.validation.audit import Audit, AuditGroup, Audits
from bedside.validation.calibration import Estimate

RATES = {
    "flagged": "Flagged",
    "sensitivity": "Of those with the event, flagged",
    "false_positive": "Of those without, flagged",
    "ppv": "Of those flagged, had the event",
    "npv": "Of those not flagged, did not",
}


def findings(found: Audits) -> list[str]:
    """A sentence for each finding."""
    return [f.sentence for one in found.audits for f in one.findings if f.found]


def nothing(found: Audits) -> str:
    """That nothing was found, and what could have been missed."""
    judged = [g for one in found.audits for g in one.groups if not g.greyed and math.isfinite(g.observed.lower)]
    if not judged:
        return (
            "No group is large enough to judge by (100 patients and 20 events): that nothing was found says nothing "
            "here."
        )
    widest = max(judged, key=lambda g: g.observed.upper - g.observed.lower)
    off = max(widest.observed.upper - widest.predicted, widest.predicted - widest.observed.lower)
    return (
        "No group was found for whom its risks are wrong, or for whom it ranks worse. What could have been missed: "
        f"where it is least sure ({widest.label}, {say.patients(widest.n)}), risks may still be off by up to "
        f"{100 * off:.0f} of 100."
    )


def too_few(found: Audits) -> str:
    """Which groups nothing can be said about."""
    few = [f"{g.label} ({say.patients(g.n)}, {say.events(g.n_events)})" for one in found.audits for g in one.groups
           if g.greyed]  # fmt: skip
    if not few:
        return ""
    return f"Too few to judge by, and grey below: {'; '.join(few)}."


def measured(group: AuditGroup) -> list[tuple[str, ...]]:
    """A group's cells: patients, C, O/E, ICI, Brier score, IPA; each a value with quiet lines."""
    return [
        (f"{group.n:,}", say.events(group.n_events)),
        _with(group.c, "{:.2f}"),
        _with(group.ratio, "{:.2f}"),
        (_known(group.ici, "{:.3f}"),),
        _with(group.brier, "{:.3f}"),
        _with(group.ipa, "{:.2f}"),
    ]


def _with(found: Estimate, form: str) -> tuple[str, ...]:
    if math.isnan(found.lower) or math.isnan(found.upper):
        return (_known(found.value, form),)
    return _known(found.value, form), f"({_known(found.lower, form)} to {_known(found.upper, form)})"


def _known(value: float, form: str) -> str:
    return "–" if math.isnan(value) else form.format(value).replace("-", "−")


def decided(group: AuditGroup, key: str) -> tuple[str, ...]:
    """One rate of a group: the share with its interval, and how far it is from the reference group's."""
    if group.decision is None:
        return ("–",)
    rate: Estimate = getattr(group.decision, key)
    if math.isnan(rate.value):
        return ("–",)
    lines = [f"{100 * rate.value:.0f}"]
    if not math.isnan(rate.lower):
        lines.append(f"({100 * rate.lower:.0f} to {100 * rate.upper:.0f})")
    apart = group.to_reference.get(key)
    if apart is not None and not math.isnan(apart.lower):
        lines.append(f"{_signed(apart.value)} ({_signed(apart.lower)} to {_signed(apart.upper)})")
    return tuple(lines)


def _signed(share: float) -> str:
    text = f"{100 * share:+.0f}"
    return "0" if text in ("+0", "-0") else text.replace("-", "−")


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
