"""FHIR R4: bundles and bulk exports of a clinical record become cohorts."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import available_timezones

import numpy as np

from bedside.errors import Fixable
from bedside.intake.staging import Progress
from bedside.intake.standards.fhir_map import Start, cohort_of, followed
from bedside.intake.standards.fhir_read import Reader
from bedside.intake.standards.fhir_rows import Code
from bedside.intake.standards.fhir_source import Source, source_of
from bedside.intake.standards.fhir_stream import Tally
from bedside.intake.standards.folder import FileRead, Imported, ImportReport, Made, Offer, counted
from bedside.intake.standards.mcode import cancer_codes
from bedside.intake.standards.offers import of_starts, to_recipe
from bedside.intake.standards.recognise import Found
from bedside.store.key import server_key, subkey

MAPPED = (
    ("Patient.id", "the patient's identifier"), ("Patient.birthDate", "age at time zero"),
    ("Patient.gender", "sex"), ("Patient.deceased[x]", "death"),
    ("Condition.code, onset[x] or recordedDate", "time zero; conditions before it"),
    ("Encounter.period", "first and last contact"),
    ("Observation.code, value[x], component; effective[x] or issued", "the last value before time zero; visits"),
    ("MedicationRequest, -Administration, -Statement, -Dispense", "medicines before time zero"),
    ("Procedure.code, performed[x]", "procedures before time zero"),
)  # fmt: skip
FEW = 10
"""With fewer patients who have the chosen condition, all patients from their first contact stand first."""
_SERIOUS = re.compile(
    r"neoplasm|cancer|carcinoma|malignan|lymphoma|leuk[a]?emia|melanoma|myeloma|sarcoma|metasta|infarct|coronary|"
    r"isch[a]?emic heart|heart failure|heart disease|cardiomyopathy|cardiac arrest|stroke|cerebrovascular|"
    r"atrial fibrillation|obstructive (pulmonary|bronch)|emphysema|pulmonary fibrosis|embolism|chronic kidney|renal "
    r"(failure|disease)|cirrhosis|hepatitis c|liver failure|diabetes|dementia|alzheimer|parkinson|multiple sclerosis|"
    r"lateral sclerosis|immunodeficiency virus|\bhiv\b|sepsis|septic|septic[a]?emia|tuberculosis|cystic fibrosis|"
    r"aneurysm|pneumonia|covid|overdose|epilepsy|lupus|fracture of (hip|neck of femur)", re.I
)  # fmt: skip
_MILD = re.compile(
    r"history|family|suspect|screening|benign|\brisk\b|prediabetes|situation|gestational|no evidence", re.I
)
_SERIOUS_ICD = re.compile(r"(C|D0|D3[7-9]|D4[0-8]|I2[0-5]|I4[689]|I50|I6[0-9]|I71|J4[0-7]|J84|J1[2-8]|N1[789]|K7[0-6]|"
                          r"E1[0-4]|F0[0-3]|G12|G20|G30|G35|B2[0-4]|A4[01]|S72)")  # fmt: skip


@dataclass(frozen=True)
class FhirOptions:
    """What may be chosen.

    Attributes
    ----------
    time_zone : str
        In which points in time become whole days.
    cohorts : tuple of Start
        What is made; guessed if it is empty.
    pseudonyms: bool
        Patients are called by a pseudonym in place of the id that their server gave them; the same id has the same
        pseudonym in every import of this installation, and in no other.
    """

    time_zone: str = "UTC"
    cohorts: tuple[Start, ...] = ()
    pseudonyms: bool = False


def read_fhir(found: Found, options: FhirOptions | None = None, *, progress: Progress | None = None) -> Imported:
    """Read bundles and bulk exports.

    Parameters
    ----------
    found : Found
        From `recognise`.
    options : FhirOptions, optional
    progress : callable, optional

    Returns
    -------
    Imported
        No cohort if there are no patients who can be followed; the report then says why.

    Raises
    ------
    Fixable
        If the time zone is none, or nothing of a time zero that was asked for is there.
    """
    options = options or FhirOptions()
    tell = progress or (lambda share, sentence: None)
    reader = Reader(options.time_zone)
    for i, path in enumerate(found.files):
        tell(0.8 * i / len(found.files), f"Reading file {i + 1:,} of {len(found.files):,}")
        reader.file(path, _shown(path, found.root))
    tell(0.8, "Putting patients together")
    source = source_of(reader)
    if options.pseudonyms:
        source.people["id"] = pseudonyms(source.people["id"])
    plans = options.cohorts or guessed(source)
    tell(0.85, "Making cohorts")
    origin = f"Imported from {len(found.files)} file{'s' * (len(found.files) != 1)} of FHIR resources"
    made, failed = cohorts_of(source, plans, origin=origin, kind="FHIR")
    report = ImportReport(
        "fhir", tuple(file_read(each) for each in reader.tallies), mapped=MAPPED, faults=tuple(source.faults),
        notes=(*_notes(reader, source, plans), *failed),
    )  # fmt: skip
    used = replace(options, cohorts=tuple(plans))
    servers = {key.rpartition("|")[0] for key in reader.references.people}
    return Imported(made, counted(report, made), to_recipe("fhir", used), _offers(source, used), tuple(sorted(servers)))


def cohorts_of(
    source: Source, plans: Sequence[Start], *, origin: str, kind: str
) -> tuple[tuple[Made, ...], tuple[str, ...]]:
    """A cohort for each plan, and why some of several came to nothing.

    Raises
    ------
    Fixable
        If none of them did.
    """
    made: list[Made] = []
    failed: list[str] = []
    for plan in plans:
        try:
            taken = [each.name for each in made]
            made.append(cohort_of(source, plan, origin=origin, kind=kind, taken=taken))
        except Fixable as stop:
            if len(plans) == 1:
                raise
            failed.append(f"No cohort for {', '.join(plan.codes) or plan.start}: {stop.why}")
    return tuple(made), tuple(failed)


def _offers(source: Source, options: FhirOptions) -> tuple[Offer, ...]:
    zones = tuple((zone, zone) for zone in sorted({*available_timezones(), options.time_zone}))
    rows = source.conditions.drop_duplicates(["patient", "code"])
    known = [(source.codes[int(code)].key, source.codes[int(code)].label, int(n))
             for code, n in rows["code"].value_counts().items()]  # fmt: skip
    return (
        *of_starts(options.cohorts, known, cancer_codes(source)),
        Offer("time_zone", "Points in time become days in", "one", (options.time_zone,), zones),
        Offer("pseudonyms", "Call patients by a pseudonym, the same in every import of this installation", "yes",
              ("yes",) * options.pseudonyms),
    )  # fmt: skip


def pseudonyms(ids: Iterable[str]) -> list[str]:
    """A name for each id that tells nothing of it, by the key of this installation."""
    key = subkey(server_key(), "pseudonyms of imported patients")
    return [hmac.new(key, one.encode(), hashlib.sha256).hexdigest()[:20] for one in ids]


def _shown(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else path.name


def file_read(tally: Tally) -> FileRead:
    """A file as the report has it."""
    dropped = sum(tally.why.values())
    bundles = ", ".join(f"{kind} bundle" if n == 1 else f"{n} {kind} bundles" for kind, n in tally.bundles.items())
    kinds = ", ".join(f"{n} {kind}" for kind, n in tally.kinds.most_common(6))
    what = f"{bundles or 'resources'}: {kinds}" if kinds else bundles or "no resources"
    return FileRead(tally.name, what, tally.n_read, tally.n_read - dropped, dropped, tuple(tally.why.most_common()))


# ------------------------------------------------------------------ what is guessed


def guessed(source: Source) -> tuple[Start, ...]:
    """What a record can be followed from, if nobody says it.

    Cancer where it is recorded as mCODE has it; the most frequent serious condition; everybody from the first contact.
    """
    plans = []
    if codes := cancer_codes(source):
        plans.append(
            Start(codes=codes, cancer=True, title="Cancer, from the first diagnosis" if len(codes) > 1 else "")
        )
    ranked = conditions(source)
    if ranked and ranked[0].key not in codes:
        plans.append(Start(codes=(ranked[0].key,)))
    plans = [plan for plan in plans if len(followed(source, plan))]
    everybody = [plan for plan in (Start(start="contact"), Start(start="birth")) if len(followed(source, plan))][:1]
    if plans and len(followed(source, plans[0])) < FEW:
        return (*everybody, *plans)
    return (*plans, *everybody)


def conditions(source: Source) -> list[Code]:
    """Conditions that patients can be followed from: serious ones first, then by the number of patients."""
    rows = source.conditions.drop_duplicates(["patient", "code"])
    last = source.people["last"].to_numpy()[rows["patient"]] > rows["day"].to_numpy()
    n = Counter({int(code): int(k) for code, k in rows["code"].value_counts().items()})
    later = Counter({int(code): int(k) for code, k in rows.loc[last, "code"].value_counts().items()})
    known = [code for code in n if is_serious(source.codes[code])]
    return [source.codes[i] for i in sorted(known, key=lambda i: (-n[i], -later[i], source.codes[i].key))]


def is_serious(code: Code) -> bool:
    """Whether a condition is one that patients are followed for."""
    if code.system.startswith("ICD-10") and _SERIOUS_ICD.match(code.code):
        return True
    return bool(_SERIOUS.search(code.display)) and not _MILD.search(code.display)


# ------------------------------------------------------------------ what is said of it


def _notes(reader: Reader, source: Source, plans: Iterable[Start]) -> list[str]:
    notes = [f"Points in time became days in the time zone {reader.days.name}."]
    further = set().union(*(each.further for each in reader.tallies)) - set().union(*(e.own for e in reader.tallies))
    if further:
        notes.append(
            f"{len(further)} further page{'s' * (len(further) != 1)} of a search (link “next”) "
            f"{'is' if len(further) == 1 else 'are'} not among these files: the record is not complete."
        )
    if reader.later_form:
        notes.append(
            f"{reader.later_form} resources have the form of R5; the fields that it renamed were read as well."
        )
    if not len(source):
        notes.append("There is no patient in these files: no cohort.")
    else:
        n = len(source) - len(np.unique(source.conditions["patient"]))
        notes += [f"{n} of {len(source)} patients have no condition on record."] * bool(n)
    systems = Counter(source.codes[int(code)].system for code in source.observations["code"])
    other = sum(n for system, n in systems.items() if system != "LOINC")
    if other:
        notes.append(f"{other} values have a code that is not LOINC; they are kept under their own codes.")
    notes.append("Names, addresses, numbers of insurances, narratives and notes were not taken over.")
    return notes
