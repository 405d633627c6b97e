"""Published scores: one file each, with its source, its units, and whom it is for."""

from __future__ import annotations

from bedside.errors import Fixable
from bedside.risk.scores.albi import ALBI
from bedside.risk.scores.base import Group, Result, Results, Risk, RiskOf, Score, Source
from bedside.risk.scores.cha2ds2_vasc import CHA2DS2_VASC
from bedside.risk.scores.child_pugh import CHILD_PUGH
from bedside.risk.scores.ckd_epi import CKD_EPI
from bedside.risk.scores.fib4 import FIB4
from bedside.risk.scores.framingham import FRAMINGHAM
from bedside.risk.scores.has_bled import HAS_BLED
from bedside.risk.scores.inputs import Choice, Input
from bedside.risk.scores.kfre import KFRE
from bedside.risk.scores.mayo_pbc import MAYO_PBC
from bedside.risk.scores.meld import MELD
from bedside.risk.scores.meld_3 import MELD_3
from bedside.risk.scores.meld_na import MELD_NA
from bedside.risk.scores.news2 import NEWS2
from bedside.risk.scores.npi import NPI
from bedside.risk.scores.prevent import PREVENT

SCORES: dict[str, Score] = {
    score.key: score
    for score in (
        NPI, MAYO_PBC, MELD, MELD_NA, MELD_3, CHILD_PUGH, ALBI, FIB4, CKD_EPI, KFRE, CHA2DS2_VASC, HAS_BLED,
        FRAMINGHAM, PREVENT, NEWS2,
    )
}  # fmt: skip
"""Every score by its key, in the order in which they are listed."""


def by_key(key: str) -> Score:
    """The score of that key.

    Raises
    ------
    Fixable
        If there is none.
    """
    if key not in SCORES:
        raise Fixable("That score is not known.", "No published score has this name here.", "Choose one from the list.")
    return SCORES[key]


__all__ = [
    "SCORES",
    "Choice",
    "Group",
    "Input",
    "Result",
    "Results",
    "Risk",
    "RiskOf",
    "Score",
    "Source",
    "by_key",
]
