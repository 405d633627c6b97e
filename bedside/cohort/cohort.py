"""A cohort: patients, what is known about them, and a fingerprint of every value."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

import numpy as np
import pandas as pd

from bedside.cohort.elsewhere import ExternalTest, MadeScore
from bedside.cohort.outcome import Outcome, Source, Treatment
from bedside.cohort.units import Unit
from bedside.cohort.variable import UNSHARED, Variable
from bedside.errors import Fixable


class Choice(Protocol):
    """Says of a cohort who is chosen; `bedside.cohort.selection.Selection` is one."""

    def mask(self, cohort: Cohort) -> np.ndarray:
        """Who is chosen, shape (n_patients,), bool."""
        ...

    def to_text(self) -> str:
        """The choice in one unambiguous text."""
        ...


@dataclass(frozen=True)
class Visits:
    """Repeated measurements after time zero, several rows for a patient.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row for each visit; ``patient`` is text, ``time`` is in ``unit``.
    patient, time : str
        Column names.
    unit : str
        Unit of ``time``.
    variables : tuple of Variable
        What was measured.
    """

    frame: pd.DataFrame
    patient: str
    time: str
    unit: Unit
    variables: tuple[Variable, ...]

    def only(self, patients: frozenset[str]) -> Visits:
        """Those of some patients."""
        stays = self.frame[self.patient].isin(patients)
        return replace(self, frame=self.frame.loc[stays].reset_index(drop=True))


@dataclass(frozen=True, eq=False)
class Cohort:
    """Patients as one frozen value; equal when every value and its meaning are.

    Parameters
    ----------
    key, title, short_title, summary, population : str
        Name of the folder, and plain words for the reader.
    identifier : str or None
        Column that names patients; without it they are "Patient 1", ...
    variables : tuple of Variable
        Every column that is not part of an outcome, in file order: neither
        time or status of one, nor marked so in the dictionary.
    outcomes : tuple of Outcome
        At least one.
    frame : pandas.DataFrame, shape (n_patients, n_columns)
        RangeIndex. Continuous columns and times are float64; grouped columns
        and statuses are categoricals of text codes in dictionary order; the
        identifier is text; dates are datetime64.
    readings : tuple of str
        How the file was read where it left a choice, for the reader to check.
    rows : array, shape (n_patients,)
        Position of each patient in the cohort as it was read, so that a
        patient keeps name and place when the cohort is filtered.
    fingerprint : str
        SHA-256 of every row, type, category order and the dictionary. The
        key of every cache.
    external : tuple of ExternalTest
        Patients from elsewhere, on whom a model of the others can be tested;
        nothing that is computed of a cohort depends on it.
    made_scores : tuple of MadeScore
        Published scores that were made from patients of this cohort.
    """

    key: str
    title: str
    short_title: str
    summary: str
    population: str
    identifier: str | None
    variables: tuple[Variable, ...]
    outcomes: tuple[Outcome, ...]
    treatment: Treatment | None
    source: Source
    frame: pd.DataFrame = field(repr=False)
    visits: Visits | None = field(default=None, repr=False)
    readings: tuple[str, ...] = ()
    rows: np.ndarray = field(default=None, repr=False)  # type: ignore[assignment]
    fingerprint: str = ""
    external: tuple[ExternalTest, ...] = ()
    made_scores: tuple[MadeScore, ...] = ()

    def __post_init__(self) -> None:
        if self.rows is None:
            object.__setattr__(self, "rows", np.arange(len(self.frame)))
        if not self.fingerprint:
            object.__setattr__(self, "fingerprint", _fingerprint(self))

    def __len__(self) -> int:
        return len(self.frame)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Cohort) and self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def variable(self, name: str) -> Variable:
        """The variable of a column.

        Raises
        ------
        Fixable
            If the cohort has no such variable.
        """
        found = self._by_name.get(name)
        if found is None:
            raise Fixable(
                "That variable is not in this cohort.",
                f"“{self.short_title}” has no variable of the name that was asked for.",
                "Choose a variable from the list.",
            )
        return found

    def has(self, name: str) -> bool:
        """True if ``variable(name)`` would answer."""
        return name in self._by_name

    def outcome(self, key: str) -> Outcome:
        """The outcome of that key.

        Raises
        ------
        Fixable
            If the cohort has no such outcome.
        """
        found = next((o for o in self.outcomes if o.key == key), None)
        if found is None:
            raise Fixable(
                "That outcome is not in this cohort.",
                f"“{self.short_title}” has these outcomes: {', '.join(o.label for o in self.outcomes)}.",
                "Choose one of them.",
            )
        return found

    @cached_property
    def _by_name(self) -> dict[str, Variable]:
        return {v.name: v for v in self.variables}

    @cached_property
    def predictors(self) -> tuple[Variable, ...]:
        """Variables of the default model: known at time zero, and naming nobody."""
        return tuple(v for v in self.filterable if v.use == "predictor")

    def known_after(self, by: str) -> tuple[Variable, ...]:
        """Variables recorded only after the groups of column ``by`` were formed; the dictionary knows of the treatment.

        They may be a consequence of the group, so that adjusting for them can hide what the group did.
        """
        formed = self.treatment is not None and self.treatment.column == by
        return tuple(v for v in self.filterable if formed and v.after_treatment)

    @property
    def groupings(self) -> tuple[Variable, ...]:
        """Variables that curves can be drawn by."""
        return self.filterable

    @cached_property
    def filterable(self) -> tuple[Variable, ...]:
        """Variables that patients can be chosen by: no identifier, date, free text or outcome."""
        return tuple(v for v in self.variables if v.kind not in UNSHARED and v.use != "outcome")

    @property
    def sensitive(self) -> tuple[Variable, ...]:
        """Attributes across which fairness is to be checked."""
        return tuple(v for v in self.filterable if v.sensitive)

    @property
    def identifiers(self) -> list[str]:
        """A name for each row: the identifier, or "Patient n" by place in the file."""
        if self.identifier is not None:
            return self.frame[self.identifier].astype(str).tolist()
        return [f"Patient {row + 1}" for row in self.rows]

    def time(self, outcome: Outcome | str) -> np.ndarray:
        """Follow-up of each patient in the outcome's unit, shape (n_patients,), float64."""
        return self.frame[self._resolve(outcome).time].to_numpy(dtype=float)

    def entry(self, outcome: Outcome | str) -> np.ndarray | None:
        """When each patient came under observation, in the outcome's unit, or None if all were from time zero.

        Returns
        -------
        array of float64, shape (n_patients,), or None
        """
        name = self._resolve(outcome).entry
        return self.frame[name].to_numpy(dtype=float) if name else None

    def event(self, outcome: Outcome | str) -> np.ndarray:
        """True where the event was seen, competing events included, shape (n_patients,)."""
        outcome = self._resolve(outcome)
        return self.frame[outcome.status].isin(outcome.any_event).to_numpy(dtype=bool)

    def cause(self, outcome: Outcome | str) -> np.ndarray:
        """Which type of event ended follow-up, shape (n_patients,), int.

        0 where none was seen, 1 for the event itself, 2 and up for the competing ones in dictionary order:
        type j has the name ``outcome.cause_labels[j - 1]``.
        """
        outcome = self._resolve(outcome)
        status = self.frame[outcome.status]
        codes = np.zeros(len(self), dtype=np.int64)
        for number, of_type in enumerate((outcome.event, *outcome.competing.values()), start=1):
            codes[status.isin(of_type).to_numpy(dtype=bool)] = number
        return codes

    def _resolve(self, outcome: Outcome | str) -> Outcome:
        return self.outcome(outcome) if isinstance(outcome, str) else outcome

    def sizes(self, selections: Sequence[Choice]) -> tuple[int, ...]:
        """How many patients each selection holds.

        Raises
        ------
        Fixable
            If a clause does not fit the cohort.
        """
        return tuple(int(selection.mask(self).sum()) for selection in selections)

    def kept_by(self, selection: Choice) -> Cohort:
        """The patients whom a selection holds, as a cohort of its own.

        Raises
        ------
        Fixable
            If a clause does not fit the cohort, or nobody is left.
        """
        kept = selection.mask(self)
        if not kept.any():
            raise Fixable(
                "No patient is left.",
                "The filters together describe nobody in this cohort.",
                "Remove one of the filters, or widen it.",
            )
        return self.take(kept, seal=selection.to_text())

    def take(self, mask: np.ndarray, *, seal: str) -> Cohort:
        """The patients where ``mask`` is True, as a cohort of its own.

        Parameters
        ----------
        mask : array of bool, shape (n_patients,)
            Who stays.
        seal : str
            What the mask means, in one unambiguous text. The new fingerprint
            is made of the old one and the seal, without reading a row.

        Returns
        -------
        Cohort
            Same columns, levels and dictionary; fewer rows.
        """
        mask = np.asarray(mask, dtype=bool)
        if mask.shape != (len(self),):
            raise ValueError("a mask has one entry for each patient")
        frame = self.frame.loc[mask].reset_index(drop=True)
        visits = self.visits
        if visits is not None and self.identifier is not None:
            visits = visits.only(frozenset(frame[self.identifier]))
        seen = hashlib.sha256(f"{self.fingerprint}\x1f{seal}".encode()).hexdigest()
        return replace(self, frame=frame, visits=visits, rows=self.rows[mask], fingerprint=seen)


def _fingerprint(cohort: Cohort) -> str:
    seal = hashlib.sha256()
    words = {
        "words": [cohort.key, cohort.title, cohort.short_title, cohort.summary, cohort.population],
        "identifier": cohort.identifier,
        "variables": [v.model_dump() for v in cohort.variables],
        "outcomes": [o.model_dump() for o in cohort.outcomes],
        "treatment": None if cohort.treatment is None else cohort.treatment.model_dump(),
        "source": cohort.source.model_dump(),
        "readings": cohort.readings,
    }
    seal.update(json.dumps(words, sort_keys=True).encode())
    _seal_frame(seal, cohort.frame)
    if cohort.visits is not None:
        v = cohort.visits
        told = [v.patient, v.time, v.unit, [x.model_dump() for x in v.variables]]
        seal.update(json.dumps(told, sort_keys=True).encode())
        _seal_frame(seal, v.frame)
    return seal.hexdigest()


def _seal_frame(seal: hashlib._Hash, frame: pd.DataFrame) -> None:
    """Feed every value to the hash: raw bytes for numbers and codes, lengths and text for text."""
    for name, dtype in frame.dtypes.items():
        column = frame[name]
        levels = [str(c) for c in dtype.categories] if isinstance(dtype, pd.CategoricalDtype) else None
        seal.update(json.dumps([str(name), str(dtype), levels, len(column)]).encode())
        if levels is not None:
            seal.update(np.ascontiguousarray(column.cat.codes.to_numpy()))
        elif dtype.kind == "f":
            # NaN has many bit patterns and zero has two: one content, one fingerprint.
            values = column.to_numpy() + 0.0
            values[np.isnan(values)] = np.nan
            seal.update(values)
        elif dtype.kind in "biuM":
            seal.update(np.ascontiguousarray(column.to_numpy()).view(np.uint8))
        else:
            missing = column.isna().to_numpy()
            texts = column.astype(str).tolist()
            seal.update(missing.view(np.uint8))
            seal.update(np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)))
            seal.update("".join(texts).encode("utf-8", "surrogatepass"))
