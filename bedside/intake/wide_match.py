"""Whose sample or patient an identifier of a table is, and how that was known."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bedside.intake.columns import clean_name

_MARKS = re.compile(r"[\s._\-/:]+")
SHORTEST = 4
"""Letters of an identifier that may be the beginning of a sample's."""
_HOW = ("as written", "by the list of samples", "apart from capitals and marks", "as the patient of a sample")


@dataclass(frozen=True)
class Matched:
    """Which names are which patients.

    Attributes
    ----------
    places : array of int
        Positions of the names that are taken, one for each patient.
    patients : tuple of str
        Their patients, as the cohort writes them.
    how : tuple of (how, n)
        By which rule, and how many of all names.
    n_strangers, n_further : int
    """

    places: np.ndarray
    patients: tuple[str, ...]
    how: tuple[tuple[str, int], ...]
    n_strangers: int
    n_further: int


class Known:
    """The patients of a cohort, to be found by what a table calls them or their samples.

    Parameters
    ----------
    patients : sequence of str
    samples : mapping of str to str
        Patient of each sample, where a source says so; of several samples of one patient the first counts.
    """

    def __init__(self, patients: Sequence[str], samples: Mapping[str, str] | None = None) -> None:
        self._exact = {clean_name(name): name for name in patients}
        known = set(patients)
        told = samples or {}
        self._samples = {clean_name(s): p for s, p in told.items() if p in known}
        self._rank = {clean_name(s): i for i, s in enumerate(told)}
        folded = Counter(_folded(name) for name in patients)
        self._folded = {_folded(name): name for name in patients if folded[_folded(name)] == 1}

    def patient(self, name: str) -> tuple[str, int] | None:
        """The patient that a name stands for and the number of the rule; None for a stranger."""
        clean = clean_name(name)
        if clean in self._exact:
            return self._exact[clean], 0
        if clean in self._samples:
            return self._samples[clean], 1
        folded = _folded(clean)
        if folded in self._folded:
            return self._folded[folded], 2
        # TCGA-AB-0001-01 is a sample of TCGA-AB-0001.
        while "-" in folded:
            folded = folded.rpartition("-")[0]
            if len(folded) >= SHORTEST and folded in self._folded:
                return self._folded[folded], 3
        return None

    def count(self, names: Iterable[str]) -> int:
        """How many names are patients of the cohort, each patient once."""
        return len({found[0] for found in map(self.patient, names) if found is not None})

    def match(self, names: Sequence[str]) -> Matched:
        """One name for each patient: the one written as the patient is, else the first of the source's samples, else
        the first by name, so that a primary tumour goes before a normal tissue where samples are numbered so.
        """
        best: dict[str, tuple[tuple[int, int, str], int]] = {}
        how: Counter[int] = Counter()
        strangers = further = 0
        for i, name in enumerate(names):
            found = self.patient(name)
            if found is None:
                strangers += 1
                continue
            patient, rule = found
            how[rule] += 1
            order = (rule, self._rank.get(clean_name(name), len(self._rank)), name if rule == 3 else "")
            further += patient in best
            if patient not in best or order < best[patient][0]:
                best[patient] = (order, i)
        chosen = sorted((i, patient) for patient, (_, i) in best.items())
        return Matched(
            np.array([i for i, _ in chosen], dtype=np.int64), tuple(patient for _, patient in chosen),
            tuple((_HOW[rule], n) for rule, n in sorted(how.items())), strangers, further,
        )  # fmt: skip


def _folded(name: str) -> str:
    return _MARKS.sub("-", clean_name(name)).strip("-").casefold()
