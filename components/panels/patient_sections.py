"""What can be opened below a patient's three cards, in order; only the one chosen is worked out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from components.panels import patient_beside, patient_board
from components.panels.patient_view import View


@dataclass(frozen=True)
class Section:
    """One of the sections.

    Attributes
    ----------
    label : str
        On its button.
    draw : callable
        Draws it for a view.
    lives : callable
        False where there is nothing of the kind for this patient; it must cost nothing.
    """

    label: str
    draw: Callable[[View], None]
    lives: Callable[[View], bool] = lambda view: True


SECTIONS: dict[str, Section] = {
    "others": Section("Other models and scores", patient_beside.beside, lambda view: not view.beyond),
    "values": Section("All values", patient_board.values),
}
"""By their key in the address, in the order of their buttons: similar, what_if, over_time, visits, others, values."""
