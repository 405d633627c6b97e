"""Which date ends a patient's follow-up, where several are recorded."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bedside.intake.guess_outcomes import role_of
from bedside.intake.names import words_of, wordset

_EVENTS = wordset(
    "progression progressed relapse relapsed recurrence recurred rezidiv recidive recidiva metastasis metastases event "
    "ereignis evenement evento failure progress progredienz"
)


def parted(names: Sequence[str], happened: Collection[str] = ()) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Dates of what ends follow-up on its day, in their order, and those of contact, of which the latest counts.

    Parameters
    ----------
    names : sequence of str
        Columns of dates at which follow-up may end.
    happened : collection of str
        Columns that are known to hold the date of an event.

    Returns
    -------
    tuple of (tuple of str, tuple of str)
        Deaths and other events, and the rest.
    """
    events = tuple(n for n in names if n in happened or role_of(n) == "death" or set(words_of(n)) & _EVENTS)
    return events, tuple(name for name in names if name not in events)
