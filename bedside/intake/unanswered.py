"""Codes of a status that a guess can only ask about: they stay without a meaning until somebody gives them one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bedside.intake.plan import UNKNOWN, Guessed, OutcomePlan
from bedside.intake.staging import Staged
from bedside.intake.status_words import state_of

Meanings = tuple[tuple[str, str], ...]


def left_open(guessed: Guessed, staged: Staged) -> Guessed:
    """The same guess without a meaning for codes that it does not know: “not known” is said of them by a reader alone.

    A word for unknown keeps that meaning.
    """
    outcomes = tuple(_open(outcome, staged) for outcome in guessed.plan.outcomes)
    return replace(guessed, plan=replace(guessed.plan, outcomes=outcomes))


def _open(outcome: OutcomePlan, staged: Staged) -> OutcomePlan:
    if not outcome.status:
        return outcome
    return replace(outcome, meaning=known(outcome.meaning, dict(staged.column(outcome.status).labels)))


def known(meaning: Meanings, labels: Mapping[str, str] | None = None) -> Meanings:
    """Codes and what they mean without those that nothing is known of."""
    labels = labels or {}
    return tuple(
        (code, means) for code, means in meaning
        if means != UNKNOWN or state_of(labels.get(code, code)) in ("unknown", "lost")
    )  # fmt: skip
