"""At the foot of every page: when this was computed, by which version, from which data."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from bedside import __version__
from bedside.cohort import Cohort
from components.panels.page import INTENDED_USE, put


def show(cohort: Cohort) -> None:
    """One line that makes a printed sheet traceable: cohort, time, version, data.

    The time is written by the browser in the reader's own locale and zone
    (static/bedside.js); what stands in it until then is UTC.
    """
    now = int(time.time())
    put(
        '<p class="bs-foot">{cohort}. Shown <time datetime="{iso}" data-bs-seconds="{now}">{utc}</time> by Bedside '
        "{version}; data and filter {seal}. {use}</p>",
        cohort=cohort.short_title,
        iso=datetime.fromtimestamp(now, UTC).isoformat(),
        now=now,
        utc=datetime.fromtimestamp(now, UTC).strftime("%d %b %Y, %H:%M UTC"),
        version=__version__,
        seal=cohort.fingerprint[:12],
        use=INTENDED_USE,
    )
