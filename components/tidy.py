"""What a server that was killed left behind goes at the next start."""

from __future__ import annotations

import logging

from bedside.errors import Fixable
from bedside.intake.staging import sweep_staging
from bedside.store.cohorts import sweep

LOG = logging.getLogger("bedside")


def tidy() -> None:
    """Remove files that were being read, cohorts that were being made, and all of one that was being deleted."""
    try:
        sweep_staging()
        sweep()
    except Fixable as stop:
        LOG.warning("tidying up: %s %s", stop.what, stop.why)
