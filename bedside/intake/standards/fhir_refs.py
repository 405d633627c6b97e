"""Who a resource is about: references of every form, resolved once everything has been read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np

from bedside.intake.standards.fhir_rows import Numbers, Person

NOBODY = -1
OF_IDENTIFIER = "identifier:"


def base_of(url: str) -> str:
    """The server's address in a ``fullUrl``; empty for a ``urn:``."""
    if not url.startswith("http"):
        return ""
    parts = url.split("/_history/", 1)[0].rsplit("/", 2)
    return parts[0] if len(parts) == 3 else ""


def own_key(url: str, told: Mapping[str, Any], base: str) -> str:
    """What a resource is known by: its id at its server, or its ``urn:uuid``; empty if it has neither."""
    name = told.get("id")
    if not isinstance(name, str) or not name:
        name = url.rsplit(":", 1)[-1] if url.startswith("urn:") else url.rsplit("/", 1)[-1]
    return f"{base}|{name}" if name else ""


class References:
    """References to patients, numbered; and under which names each patient is known."""

    def __init__(self) -> None:
        self.people: dict[str, Person] = {}
        self.names: dict[str, str | None] = {}
        self.replaced: dict[str, str] = {}
        self.keys = Numbers()
        self._seen: dict[tuple[str, str], int] = {}

    def number(self, told: Mapping[str, Any], base: str) -> int:
        """The number of the patient that a resource is about; `NOBODY` if it says none or something else."""
        about = told.get("subject") or told.get("patient")
        if about is None:
            return NOBODY
        reference = about.get("reference")
        if reference is not None:
            found = self._seen.get((base, reference))
            if found is not None:
                return found
        key = self._key(about, reference, told, base)
        found = self.keys.of(key) if key else NOBODY
        if reference is not None and not reference.startswith("#"):
            self._seen[base, reference] = found
        return found

    def _key(self, about: Mapping[str, Any], reference: str | None, told: Mapping[str, Any], base: str) -> str:
        if reference is None:
            return _identifier(about.get("identifier"))
        if reference.startswith("#"):
            return _identifier(_contained_identifier(told, reference[1:]))
        return key_of(reference, base, "Patient")

    def know(self, person: Person, told: Mapping[str, Any], url: str) -> None:
        """Under which names a patient can be meant."""
        names = [_identifier(one) for one in told.get("identifier") or ()]
        names.append(f"|{url.rsplit(':', 1)[-1]}" if url.startswith("urn:") else "")
        for name in names:
            if name:
                # A number that two patients share names neither of them.
                self.names[name] = person.key if self.names.get(name, person.key) == person.key else None
        for link in told.get("link") or ():
            if link.get("type") == "replaced-by":
                other = key_of(link["other"].get("reference", ""), person.key.rsplit("|", 1)[0], "Patient")
                if other and other != person.key:
                    self.replaced[person.key] = other

    def resolved(self) -> tuple[list[Person], np.ndarray]:
        """Patients in the order in which they were read, and for each reference the place of its patient."""
        merged = self._merged()
        people = [one for key, one in self.people.items() if merged(key) == key]
        place = {one.key: i for i, one in enumerate(people)}
        found = [place.get(merged(key), NOBODY) for key in self.keys.all]
        return people, np.asarray([*found, NOBODY], dtype=np.int64)

    def _merged(self) -> Any:
        by_id: dict[str, list[str]] = defaultdict(list)
        for key in self.people:
            by_id[key.rsplit("|", 1)[-1]].append(key)

        def final(key: str) -> str:
            """The one patient of a key: without a server the only one of this id, else the one at that server."""
            key = self.names.get(key) or key
            base, _, name = key.rpartition("|")
            same = by_id.get(name, ())
            at_servers = [each for each in same if not each.startswith("|")]
            if not base and len(at_servers) == 1:
                return at_servers[0]
            if key in self.people:
                return key
            return same[0] if len(same) == 1 else key

        def merged(key: str) -> str:
            key = final(key)
            for _ in range(8):  # a chain of replacements that runs in a circle ends somewhere
                other = final(self.replaced.get(key, ""))
                if other not in self.people:
                    break
                key = other
            return key

        return merged


def key_of(reference: str, base: str, kind: str) -> str:
    """The key that a reference means; empty if it is about something else than ``kind``."""
    if reference.startswith("urn:"):
        return f"|{reference.rsplit(':', 1)[-1]}"
    if reference.startswith(f"{kind}?identifier="):
        return f"{OF_IDENTIFIER}{reference.split('=', 1)[1]}"
    parts = reference.split("/_history/", 1)[0].rsplit("/", 2)
    if len(parts) < 2 or parts[-2] != kind:
        return ""
    return f"{parts[0] if len(parts) == 3 else base}|{parts[-1]}"


def _identifier(told: Any) -> str:
    if not isinstance(told, Mapping) or not isinstance(told.get("value"), str):
        return ""
    return f"{OF_IDENTIFIER}{told.get('system') or ''}|{told['value']}"


def contained(told: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """A resource that stands within another one."""
    inner = told.get("contained") or ()
    return next((each for each in inner if isinstance(each, Mapping) and each.get("id") == name), None)


def _contained_identifier(told: Mapping[str, Any], name: str) -> Any:
    patient = contained(told, name)
    identifiers = patient.get("identifier") if patient and patient.get("resourceType") == "Patient" else None
    return identifiers[0] if identifiers else None
