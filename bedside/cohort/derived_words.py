"""What is said of groups that a reader made: why they are known only later, and what their levels are called."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from bedside.cohort.variable import Variable

COLUMN = "group:"
"""How the columns' names begin; the reader's own name is their label alone, so that no link holds it."""
DRAWN_LATER = "drawn by hand"
RISK_LATER = "made of a risk that was learnt from what happened"
CUT_LATER = "cut where what happened parts the groups most"
CAUTIONS = {
    DRAWN_LATER: "was drawn by hand: whoever drew it may have seen what happened, so that a difference between its "
    "groups may have been put there.",
    RISK_LATER: "is made of a risk that was learnt from what happened to patients here: that its groups differ shows "
    "that the model fits them, not that it holds in others.",
    CUT_LATER: "was cut where the groups differ most in what happened: a test of these groups takes the cut as given "
    "and is too sure, and in other patients the best cut may lie elsewhere.",
}
"""What must be known before groups are compared, by why they are known only later."""


def caution(variable: Variable) -> str:
    """What must be known of a group made here before its curves are compared; "" where nothing must."""
    told = CAUTIONS.get(variable.why_later, "") if variable.name.startswith(COLUMN) else ""
    return f"{variable.label} {told}" if told else ""


def risk_labels(points: np.ndarray) -> tuple[str, ...]:
    """``"under 12%"``, ``"12% to under 30%"``, ``"30% or more"``: with as many decimals as tell the points apart."""
    decimals = next(
        d for d in (0, 1, 2, 3, 6, 12) if d == 12 or len(np.unique(np.round(100 * points, d))) == len(points)
    )
    said = [f"{100 * point:.{decimals}f}%" for point in points]
    between = [f"{low} to under {high}" for low, high in pairwise(said)]
    return (f"under {said[0]}", *between, f"{said[-1]} or more")
