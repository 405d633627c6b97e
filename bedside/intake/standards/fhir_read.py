"""Resources of FHIR into rows: what each kind means, and what is left out of it and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from bedside.errors import Fixable
from bedside.intake.standards.fhir_refs import NOBODY, References, base_of, contained, key_of, own_key
from bedside.intake.standards.fhir_rows import NO_VALUE, Codes, Numbers, Person, Rows
from bedside.intake.standards.fhir_stream import Tally, resources
from bedside.intake.standards.fhir_time import AGE, NO_DAY, NONE, Days, Read

OBSERVATION, CONDITION, ENCOUNTER = "Observation", "Condition", "Encounter"
MEDICATION, PROCEDURE = "Medication", "Procedure"
KINDS = (OBSERVATION, CONDITION, ENCOUNTER, MEDICATION, PROCEDURE)
PRIMARY_CANCER, SECONDARY_CANCER = 1, 2
NOT_READ = "a kind that is not read"
MOST_KINDS = 200
"""FHIR has fewer kinds of resource."""
_DROPPED = {
    "entered-in-error": "entered in error", "cancelled": "cancelled", "not-done": "not done", "not-taken": "not taken",
    "draft": "a draft", "planned": "only planned", "preparation": "only planned", "registered": "without a result yet",
    "refuted": "refuted", "unconfirmed": "not confirmed", "provisional": "not confirmed",
    "differential": "not confirmed", "specimen-in-process": "without a result yet",
}  # fmt: skip
_AGE_DAYS = {"a": 365.25, "mo": 30.4375, "wk": 7.0, "d": 1.0}
_ASSERTED = "http://hl7.org/fhir/StructureDefinition/condition-assertedDate"

MALFORMED = "not formed as FHIR says"
_MALFORMED = (AttributeError, TypeError, KeyError, ValueError, IndexError, OverflowError)
_NAN = float("nan")
_ROOM = dict.fromkeys(
    ("MedicationRequest", "MedicationAdministration", "MedicationStatement", "MedicationDispense"), MEDICATION
) | {"Medication": ""}

Told = Mapping[str, Any]
Handler = Callable[[Told, str, str], str]
Value = tuple[float, int, int, int]
"""A number and the number of its unit, or the number of a code; 1 if it is a bound, such as "< 5"."""


class Reader:
    """Reads files one after another and keeps what a cohort can be made of.

    Parameters
    ----------
    time_zone : str
        In which points in time become days.

    Attributes
    ----------
    tallies : list of Tally
        One for each file.
    rows : dict of Rows
        By kind.
    codes : Codes
    units : Numbers
    references : References
    drugs : dict
        Code of each ``Medication`` by its key.
    drug_references : list of str
        Keys of medications; a code of ``-2 - i`` stands for the i-th.
    later_form : int
        Resources that have the form of R5.
    """

    def __init__(self, time_zone: str = "UTC") -> None:
        self.days = Days(time_zone)
        self.tallies: list[Tally] = []
        self.rows = {kind: Rows() for kind in KINDS}
        self.codes, self.units, self.references = Codes(), Numbers(), References()
        self.drugs: dict[str, int] = {}
        self.drug_references: list[str] = []
        self.later_form = 0
        self._seen: dict[str, dict[str, tuple[int, str]]] = {}
        self._tally, self._file = Tally(""), 0
        self._handlers: dict[str, Handler] = {
            "Patient": self._patient, "Observation": self._observation, "Condition": self._condition,
            "Encounter": self._encounter, "Procedure": self._procedure, "Medication": self._medication,
            "MedicationRequest": self._drug, "MedicationAdministration": self._drug,
            "MedicationStatement": self._drug, "MedicationDispense": self._drug,
        }  # fmt: skip

    def file(self, path: Path, name: str) -> None:
        """Read one file. What stops in the middle is said in its tally; what came before it is kept."""
        self._tally, self._file = Tally(name), len(self.tallies)
        self.tallies.append(self._tally)
        try:
            for url, told in resources(path, self._tally):
                self._take(url, told)
        except Fixable as fault:
            self._tally.n_read += 1
            self._tally.drop(f"the file, or the rest of it: {fault.why[:1].lower()}{fault.why[1:].rstrip('.')}")

    # -------------------------------------------------------------- one resource

    def _take(self, url: str, told: Told) -> None:
        kind = told["resourceType"]
        handler = self._handlers.get(kind)
        if handler is None:
            named = (
                kind.isalnum() and len(kind) < 64 and (kind in self._tally.kinds or len(self._tally.kinds) < MOST_KINDS)
            )
            self._tally.kinds[kind if named else "other kinds"] += 1
            self._tally.drop(f"{kind}: {NOT_READ}" if named else NOT_READ)
            return
        self._tally.kinds[kind] += 1
        try:
            base = base_of(url)
            reason = self._version(kind, told, url, base, handler)
        except _MALFORMED:
            reason = MALFORMED
        if reason:
            self._tally.drop(f"{kind}: {reason}")

    def _version(self, kind: str, told: Told, url: str, base: str, handler: Handler) -> str:
        """Why a resource is left out; a newer version takes the place of one that was read before."""
        key = own_key(url, told, base)
        if not key:
            return handler(told, base, key)
        changed = str((told.get("meta") or {}).get("lastUpdated") or "")
        seen = self._seen.setdefault(kind, {})
        before = seen.get(key)
        if before is not None and changed <= before[1]:
            return "there already"
        rows = self.rows.get(_ROOM.get(kind, kind))
        start = len(rows) if rows is not None else 0
        reason = handler(told, base, key)
        if before is not None and before[0] >= 0 and rows is not None:
            rows.superseded.add(before[0])
        seen[key] = (-1 if reason else start, changed)
        if kind == "Patient":
            self.references.know(self.references.people[key], told, url)
        return reason

    # -------------------------------------------------------------- the kinds

    def _patient(self, told: Told, base: str, key: str) -> str:
        if not key:
            return "without an id"
        earlier = self.references.people.get(key)
        if earlier is not None:
            self.tallies[earlier.file].drop("Patient: an older version")
        birth, birth_exactly = self.days.read(told.get("birthDate"))
        death, exactly = self.days.read(told.get("deceasedDateTime"))
        dead = told.get("deceasedBoolean") is True or "deceasedDateTime" in told or "_deceasedDateTime" in told
        sex = told.get("gender") if told.get("gender") in ("female", "male", "other") else ""
        self.references.people[key] = Person(
            key, sex, birth, birth_exactly, dead, death, exactly, self._file
        )  # fmt: skip
        return ""

    def _observation(self, told: Told, base: str, key: str) -> str:
        if reason := _DROPPED.get(told.get("status"), ""):
            return reason
        ref = self.references.number(told, base)
        if ref == NOBODY:
            return "about no patient"
        found: list[tuple[int, Value]] = []
        reason = self._valued(told, found)
        for part in told.get("component") or ():
            reason = self._valued(part, found) or reason
        if not found:
            return reason
        day, exactly = self._when(told, "effective")
        if day == NO_DAY:
            day, exactly = self.days.read(told.get("issued"))
        if day == NO_DAY:
            return "without a date"
        rows, head = self.rows[OBSERVATION], 1
        for code, (value, unit, text, tag) in found:
            rows.add(ref, code, day, exactly, self._file, value=value, unit=unit, text=text, tag=tag, head=head)
            head = 0
        return ""

    def _valued(self, told: Told, found: list[tuple[int, Value]]) -> str:
        """Take the value of an observation, or of a component, with its code; or why there is none."""
        value = self._value(told)
        if isinstance(value, str):
            return value
        code = self.codes.of_concept(told.get("code"))
        if code == NO_VALUE:
            return "without a code"
        found.append((code, value))
        return ""

    def _value(self, told: Told) -> Value | str:
        quantity = told.get("valueQuantity")
        if quantity is not None:
            number = quantity.get("value")
            if not _is_number(number):
                return "without a value"
            unit = self.units.of(str(quantity.get("code") or quantity.get("unit") or ""))
            return float(number), unit, NO_VALUE, 1 if quantity.get("comparator") else 0
        if "valueCodeableConcept" in told:
            text = self.codes.of_concept(told["valueCodeableConcept"])
            return (_NAN, NO_VALUE, text, 0) if text != NO_VALUE else "free text"
        if "valueInteger" in told and _is_number(told["valueInteger"]):
            return float(told["valueInteger"]), self.units.of(""), NO_VALUE, 0
        if isinstance(told.get("valueBoolean"), bool):
            said = "yes" if told["valueBoolean"] else "no"
            return _NAN, NO_VALUE, self.codes.of("", said), 0
        if "valueString" in told:
            return "free text"
        return "a kind of value that is not read" if any(k.startswith("value") for k in told) else "without a value"

    def _condition(self, told: Told, base: str, key: str) -> str:
        for coding in (told.get("verificationStatus") or {}).get("coding") or ():
            if reason := _DROPPED.get(coding.get("code"), ""):
                return reason
        ref = self.references.number(told, base)
        if ref == NOBODY:
            return "about no patient"
        code = self.codes.of_concept(told.get("code"))
        if code == NO_VALUE:
            return "without a code"
        known, known_exactly = self.days.read(told.get("recordedDate"))
        if known == NO_DAY:
            asserted = [
                each.get("valueDateTime") for each in told.get("extension") or () if each.get("url") == _ASSERTED
            ]
            known, known_exactly = self.days.read(asserted[0] if asserted else None)
        day, exactly = self._when(told, "onset")
        if day == NO_DAY:
            day, exactly = known, known_exactly
        if day == NO_DAY:
            return "without a date"
        self.rows[CONDITION].add(ref, code, day, exactly, self._file, known=known, tag=_cancer(told))
        return ""

    def _encounter(self, told: Told, base: str, key: str) -> str:
        if reason := _DROPPED.get(told.get("status"), ""):
            return reason
        ref = self.references.number(told, base)
        if ref == NOBODY:
            return "about no patient"
        period = told.get("period")
        if period is None and "actualPeriod" in told:
            period = told["actualPeriod"]
            self.later_form += 1
        start, exactly = self.days.read((period or {}).get("start"))
        end, end_exactly = self.days.read((period or {}).get("end"))
        if start == NO_DAY and end == NO_DAY:
            return "without a date"
        start, exactly = (start, exactly) if start != NO_DAY else (end, end_exactly)
        kinds = told.get("type") or [None]
        self.rows[ENCOUNTER].add(ref, self.codes.of_concept(kinds[0]), start, exactly, self._file, known=end)
        return ""

    def _procedure(self, told: Told, base: str, key: str) -> str:
        if reason := _DROPPED.get(told.get("status"), ""):
            return reason
        self.later_form += any(name.startswith("occurrence") for name in told)
        return self._event(PROCEDURE, told, base, told.get("code"), self._when(told, "performed", "occurrence"))

    def _drug(self, told: Told, base: str, key: str) -> str:
        if reason := _DROPPED.get(told.get("status"), ""):
            return reason
        if told.get("intent") in ("proposal", "plan"):
            return "only planned"
        if told.get("doNotPerform") is True:
            return "an order not to give it"
        when = NONE
        for name in ("authoredOn", "whenHandedOver", "whenPrepared", "dateAsserted"):
            when = when if when[0] != NO_DAY else self.days.read(told.get(name))
        given = self._when(told, "effective", "occurence", "occurrence")
        when = given if given[0] != NO_DAY else when
        concept, reference = told.get("medicationCodeableConcept"), told.get("medicationReference")
        if "medication" in told:
            self.later_form += 1
            concept, reference = told["medication"].get("concept"), told["medication"].get("reference")
        return self._event(MEDICATION, told, base, concept, when, reference)

    def _event(
        self, room: str, told: Told, base: str, concept: Told | None, when: Read, reference: Told | None = None
    ) -> str:
        ref = self.references.number(told, base)
        if ref == NOBODY:
            return "about no patient"
        code = self.codes.of_concept(concept) if reference is None else self._drug_of(told, reference, base)
        if code == NO_VALUE:
            return "without a code"
        if when[0] == NO_DAY:
            return "without a date"
        self.rows[room].add(ref, code, *when, self._file)
        return ""

    def _medication(self, told: Told, base: str, key: str) -> str:
        code = self.codes.of_concept(told.get("code"))
        if code == NO_VALUE or not key:
            return "without a code"
        self.drugs[key] = code
        return ""

    def _drug_of(self, told: Told, reference: Told, base: str) -> int:
        """The code of a medication that is referred to; one that may still come is kept by its place in a list."""
        name = reference.get("reference")
        if not isinstance(name, str):
            return NO_VALUE
        if name.startswith("#"):
            inner = contained(told, name[1:])
            return self.codes.of_concept(inner.get("code")) if inner else NO_VALUE
        self.drug_references.append(key_of(name, base, "Medication"))
        return -1 - len(self.drug_references)

    def _when(self, told: Told, *stems: str) -> Read:
        """When something was, whichever of FHIR's ways to say it was chosen."""
        for stem in stems:
            if (moment := told.get(f"{stem}DateTime")) is not None:
                return self.days.read(moment)
            if (period := told.get(f"{stem}Period")) is not None:
                return self.days.read(period.get("start") or period.get("end"))
            if (moment := told.get(f"{stem}Instant")) is not None:
                return self.days.read(moment)
            if (age := told.get(f"{stem}Age") or (told.get(f"{stem}Range") or {}).get("low")) is not None:
                return _aged(age)
            if (timing := told.get(f"{stem}Timing")) is not None:
                return self.days.read((timing.get("event") or [None])[0])
        return NONE


def _aged(age: Told) -> Read:
    """An age as days, which are added to the date of birth later."""
    length = _AGE_DAYS.get(age.get("code") or "a")
    if length is None or not _is_number(age.get("value")) or not 0 <= age["value"] * length < 50_000:
        return NONE
    return round(age["value"] * length), AGE


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _cancer(told: Told) -> int:
    """Whether a condition follows the profile of a primary or a secondary cancer."""
    for profile in (told.get("meta") or {}).get("profile") or ():
        if "mcode-primary-cancer-condition" in profile:
            return PRIMARY_CANCER
        if "mcode-secondary-cancer-condition" in profile:
            return SECONDARY_CANCER
    return 0
