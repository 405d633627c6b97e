"""The reader's own estimate before the model's number: the switch, the form, and both numbers beside each other."""

from __future__ import annotations

from bedside.cohort import Cohort, Outcome
from components.panels.patient_view import Asked, View


def switch() -> None:
    """ "My estimate first": in the page's header."""


def closed(cohort: Cohort, outcome: Outcome, row: int) -> bool:
    """True while nothing that a model says of this patient may be shown, printed or saved."""
    return False


def gate(cohort: Cohort, outcome: Outcome, row: int, asked: Asked) -> bool:
    """True while the page stays closed: the form and the recorded values are then drawn instead of everything else."""
    return False


def revealed(view: View) -> None:
    """One line in the risk's card: what the reader said, and the model."""
