"""What is kept of resources while they are read: plain columns of numbers, every text once."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from bedside.intake.standards.fhir_time import DAY, NO_DAY

NO_VALUE = -1
LOINC, SNOMED = "LOINC", "SNOMED"
SYSTEMS = {
    "http://loinc.org": LOINC, "http://snomed.info/sct": SNOMED,
    "http://hl7.org/fhir/sid/icd-10-cm": "ICD-10-CM", "http://hl7.org/fhir/sid/icd-10": "ICD-10",
    "http://fhir.de/CodeSystem/bfarm/icd-10-gm": "ICD-10-GM", "http://fhir.de/CodeSystem/dimdi/icd-10-gm": "ICD-10-GM",
    "http://hl7.org/fhir/sid/icd-9-cm": "ICD-9-CM", "http://hl7.org/fhir/sid/icd-o-3": "ICD-O-3",
    "http://www.nlm.nih.gov/research/umls/rxnorm": "RxNorm", "http://www.whocc.no/atc": "ATC",
    "http://fhir.de/CodeSystem/bfarm/atc": "ATC", "http://hl7.org/fhir/sid/ndc": "NDC",
    "http://www.ama-assn.org/go/cpt": "CPT", "http://hl7.org/fhir/sid/cvx": "CVX",
    "http://www.genenames.org/geneId": "HGNC", "http://www.genenames.org": "HGNC",
    "urn:oid:2.16.840.1.113883.6.96": SNOMED, "urn:oid:2.16.840.1.113883.6.1": LOINC,
    "urn:oid:2.16.840.1.113883.6.88": "RxNorm", "urn:oid:2.16.840.1.113883.6.90": "ICD-10-CM",
}  # fmt: skip
"""Short names of the terminologies that are common."""
PREFERRED = (LOINC, SNOMED, "ICD-10-CM", "ICD-10-GM", "ICD-10", "ICD-O-3", "ICD-9-CM", "RxNorm", "ATC", "HGNC")


_REMARK = re.compile(
    r"\s*\((disorder|finding|situation|procedure|event|observable entity|regime/therapy|physical object|substance|"
    r"product|morphologic abnormality)\)$"
)


@dataclass(frozen=True)
class Code:
    """A code of a terminology.

    Attributes
    ----------
    system : str
        Its short name, ``"SNOMED"``; else the address's last part.
    code : str
    display : str
        As the source says it; the code itself where it says nothing.
    """

    system: str
    code: str
    display: str

    @property
    def key(self) -> str:
        """``"SNOMED 53741008"``: how a plan and a column name it."""
        return f"{self.system} {self.code}".strip()

    @property
    def label(self) -> str:
        """As it is read: without the remark of its hierarchy, its first letter large."""
        name = _REMARK.sub("", self.display)
        return name[:1].upper() + name[1:]


def system_name(address: str) -> str:
    """The short name of a terminology."""
    known = SYSTEMS.get(address)
    return known if known is not None else address.rstrip("/").rsplit("/", 1)[-1].rsplit(":", 1)[-1][:20]


class Codes:
    """Each code once, numbered in the order in which they appear."""

    def __init__(self) -> None:
        self.all: list[Code] = []
        self._numbers: dict[tuple[str, str], int] = {}
        self._short: dict[str, int] = {}

    def number(self, coding: Mapping[str, Any]) -> int:
        """The number of a ``Coding``; `NO_VALUE` if it has no code."""
        system, code = coding.get("system") or "", coding.get("code")
        if not isinstance(code, str) or not isinstance(system, str) or not code.strip():
            return NO_VALUE
        found = self._numbers.get((system, code))
        if found is None:
            found = self._numbers[system, code] = self.of(system_name(system), code, coding.get("display"))
        return found

    def of(self, system: str, code: str, display: object = None) -> int:
        """The number of a code that is known by its short system."""
        code = " ".join(code.split())[:80]
        said = " ".join(display.split())[:120] if isinstance(display, str) else ""
        one = Code(system, code, said or code)
        found = self._short.get(one.key)
        if found is None:
            found = self._short[one.key] = len(self.all)
            self.all.append(one)
        return found

    def of_concept(self, concept: Mapping[str, Any] | None) -> int:
        """The number of a ``CodeableConcept``: of several codings the one whose terminology is the most usual."""
        codings = concept.get("coding") if concept else None
        if not codings:
            return NO_VALUE
        if len(codings) == 1:
            return self.number(codings[0])
        numbers = [number for number in map(self.number, codings) if number != NO_VALUE]
        return min(numbers, key=self._rank, default=NO_VALUE)

    def _rank(self, number: int) -> int:
        system = self.all[number].system
        return PREFERRED.index(system) if system in PREFERRED else len(PREFERRED)


class Numbers:
    """Each text once, numbered."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self._numbers: dict[str, int] = {}

    def of(self, text: str) -> int:
        """The number of a text."""
        found = self._numbers.get(text)
        if found is None:
            found = self._numbers[text] = len(self.all)
            self.all.append(text)
        return found


@dataclass
class Rows:
    """Rows of one kind, a column at a time.

    Attributes
    ----------
    ref, code : array of int
        Number of the reference to the patient, and of the code.
    day, known, exactly : array of int
        When it was, when it was written down, and how exactly ``day`` is known.
    value : array of float
        A number, with the number of its ``unit``; or ``text``, the number of a code.
    tag : array of int
        A remark of the kind.
    head, file : array of int
        1 in the first row of a resource; the file that it came from.
    superseded : set of int
        First rows of resources of which a newer version was read.
    """

    ref: array = field(default_factory=lambda: array("i"))
    code: array = field(default_factory=lambda: array("i"))
    day: array = field(default_factory=lambda: array("i"))
    known: array = field(default_factory=lambda: array("i"))
    exactly: array = field(default_factory=lambda: array("b"))
    value: array = field(default_factory=lambda: array("d"))
    unit: array = field(default_factory=lambda: array("i"))
    text: array = field(default_factory=lambda: array("i"))
    tag: array = field(default_factory=lambda: array("b"))
    head: array = field(default_factory=lambda: array("b"))
    file: array = field(default_factory=lambda: array("i"))
    superseded: set[int] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self.ref)

    def add(
        self, ref: int, code: int, day: int, exactly: int, file: int, *, known: int = NO_DAY, value: float = np.nan,
        unit: int = NO_VALUE, text: int = NO_VALUE, tag: int = 0, head: int = 1,
    ) -> None:  # fmt: skip
        """One row."""
        self.ref.append(ref)
        self.code.append(code)
        self.day.append(day)
        self.known.append(known)
        self.exactly.append(exactly)
        self.value.append(value)
        self.unit.append(unit)
        self.text.append(text)
        self.tag.append(tag)
        self.head.append(head)
        self.file.append(file)

    def frame(self) -> pd.DataFrame:
        """As a table with the number of each row's resource; superseded versions are marked in ``live``."""
        kinds = {"i": np.int32, "b": np.int8, "d": np.float64}
        columns = {
            name: np.frombuffer(column, dtype=kinds[column.typecode]).copy()
            for name, column in vars(self).items()
            if isinstance(column, array)
        }
        frame = pd.DataFrame(columns)
        resource = np.cumsum(columns["head"], dtype=np.int64)
        frame["resource"] = resource
        frame["live"] = ~np.isin(resource, resource[sorted(self.superseded)]) if self.superseded else True
        return frame


@dataclass
class Person:
    """What is kept of a patient: no name, no address, no number of an insurance.

    Attributes
    ----------
    key : str
        The server's address, if it is known, a bar, and the id.
    sex : str
        ``"female"``, ``"male"``, ``"other"`` or empty.
    birth, birth_exactly, death, death_exactly : int
    dead : bool
        Also without a date.
    file : int
    changed : str
        When this version was made.
    """

    key: str
    sex: str = ""
    birth: int = NO_DAY
    birth_exactly: int = DAY
    dead: bool = False
    death: int = NO_DAY
    death_exactly: int = DAY
    file: int = 0
    changed: str = ""


def plain_id(keys: Iterable[str]) -> list[str]:
    """Ids without the server's address."""
    return [key.rsplit("|", 1)[-1] for key in keys]


def distinct(numbers: np.ndarray) -> np.ndarray:
    """Each number once, in order: of tens of millions sooner than by the hashes of ``numpy.unique``."""
    ordered = np.sort(numbers)
    return ordered[np.concatenate([[True], ordered[1:] != ordered[:-1]])] if len(ordered) else ordered


def runs(ordered: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of numbers in order each once, where its first stands, and how often it does."""
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(ordered) else ordered[:0]
    return ordered[starts], starts, np.diff(np.append(starts, len(ordered)))
