"""What a reader is told before anything else, in one place.

Changing `INTENDED_USE` asks every reader again: the pass carries a hash of it.
"""

from __future__ import annotations

import hashlib

SUMMARY = (
    "Bedside opens a cohort of patients and shows how long people lived free of an event, "
    "what a patient with given values can expect, and which values that estimate rests on."
)
INTENDED_USE = (
    ("For clinicians, as decision support and education.", "It informs a judgement and never replaces one."),
    ("Not a medical device.", "It has no regulatory clearance and must not be the sole basis of a decision."),
    ("Not for time-critical use.", "No alarms, no monitoring, no emergencies."),
    ("Associations, not causes.", "A value that goes with a higher risk need not bring it about."),
    (
        "Data stays on this machine.",
        "Bedside contacts no outside service, apart from a sign-in provider if one is configured.",
    ),
)
SHORT = "Decision support and education for clinicians. Not a medical device. Data stays on this machine."
VERSION = hashlib.sha256(repr((SUMMARY, INTENDED_USE)).encode()).hexdigest()[:12]
