"""What lies in a folder, found by what is in each file: every file is named, those that nobody can read too."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from bedside.errors import Fixable
from bedside.intake.paths import is_text
from bedside.intake.standards.omop_tables import table_of
from bedside.intake.standards.peek import Peek, peek

Kind = Literal["fhir", "adam", "cbioportal", "omop", "meds", "cohort", "table", "words", "unknown"]

SAID: dict[str, str] = {
    "fhir": "FHIR R4 resources", "adam": "a CDISC ADaM trial", "cbioportal": "a cBioPortal study",
    "omop": "an OMOP CDM database", "meds": "a MEDS data set", "cohort": "a cohort of Bedside", "table": "a table",
    "words": "a description", "unknown": "not understood",
}  # fmt: skip
MOST_FILES = 20_000
MOST_DEEP = 20


@dataclass(frozen=True)
class Part:
    """One file, and what it is within its source: ``"ADTTE"``, ``"person"``, ``"Bundle"``, ``"meta_study"``."""

    path: Path
    what: str = ""


@dataclass(frozen=True)
class Found:
    """Files that belong together.

    Attributes
    ----------
    kind : str
    root : Path
        The folder that they lie in or below.
    parts : tuple of Part
    """

    kind: Kind
    root: Path
    parts: tuple[Part, ...]

    @property
    def files(self) -> tuple[Path, ...]:
        """The files, in order of their names."""
        return tuple(part.path for part in self.parts)

    def of(self, *whats: str) -> tuple[Path, ...]:
        """Files that are any of these within the source."""
        return tuple(part.path for part in self.parts if part.what in whats)


def recognise(folder: Path) -> tuple[Found, ...]:
    """What lies in a folder and below it, or what a single file is.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    tuple of Found
        Each file in exactly one of them; sources with data first, in the order of their folders.

    Raises
    ------
    Fixable
        If there is no such folder, or it holds more files than can be looked at.
    """
    if not folder.exists():
        raise Fixable("There is nothing to read.", "The folder is not there.", "Choose another, or put it back.")
    paths = [folder] if folder.is_file() else list(_walk(folder))
    if len(paths) > MOST_FILES:
        raise Fixable(
            "This folder was not read.", f"It holds more than {MOST_FILES:,} files.",
            "Choose the folder that holds the study itself.",
        )  # fmt: skip
    seen = {path: Peek("link", why="it is a link that leads elsewhere") if path.is_symlink() else peek(path)
            for path in paths}  # fmt: skip
    base = folder.parent if folder.is_file() else folder
    found: list[Found] = []
    left = dict(seen)
    for take in (_cohorts, _cbioportal, _meds, _omop, _fhir, _adam):
        for each in take(dict(left), base):
            parts = tuple(part for part in each.parts if left.pop(part.path, None) is not None)
            found += [replace(each, parts=parts)] if parts else []
    found += [_single(path, told) for path, told in left.items()]
    order = list(SAID)
    return tuple(sorted(found, key=lambda each: (order.index(each.kind), str(each.root), str(each.files[:1]))))


def _walk(folder: Path) -> Iterator[Path]:
    """Every file below a folder by name; what computers put there themselves is passed over."""
    for place, folders, names in os.walk(folder):
        depth = len(Path(place).relative_to(folder).parts)
        folders[:] = sorted(f for f in folders if depth < MOST_DEEP and not f.startswith(".") and f != "__MACOSX")
        for name in sorted(names):
            if not name.startswith(".") and name not in ("Thumbs.db", "desktop.ini"):
                yield Path(place, name)


Seen = dict[Path, Peek]


def _by_folder(paths: Iterable[Path]) -> dict[Path, list[Path]]:
    found: dict[Path, list[Path]] = defaultdict(list)
    for path in paths:
        found[path.parent].append(path)
    return found


def _below(seen: Seen, root: Path) -> list[Path]:
    return [path for path in seen if path.is_relative_to(root)]


# ------------------------------------------------------------------ the kinds


def _cohorts(seen: Seen, base: Path) -> Iterator[Found]:
    """Folders with a dictionary of ours and the table that it names."""
    for path in [path for path in seen if path.name == "dictionary.json"]:
        try:
            told = json.loads(path.read_text(encoding="utf-8-sig"))
        except (OSError, ValueError, RecursionError):
            continue
        if not isinstance(told, dict) or "outcomes" not in told or "source" not in told:
            continue
        visits = told.get("visits") if isinstance(told.get("visits"), dict) else {}
        names = {
            "dictionary.json": "dictionary", str(told.get("data", "data.csv")): "data", "recipe.json": "recipe",
            "report.json": "report", str(visits.get("file", "")): "visits",
        }  # fmt: skip
        parts = [Part(each, names[each.name]) for each in seen if each.parent == path.parent and each.name in names]
        yield Found("cohort", path.parent, tuple(parts))


def _cbioportal(seen: Seen, base: Path) -> Iterator[Found]:
    """A folder with a file that names a study, or with clinical files as that project writes them."""
    metas = [path for path, told in seen.items() if _meta_of(told).get("type_of_cancer") and _is_study(told)]
    roots = {path.parent for path in metas}
    roots |= {path.parent for path, told in seen.items() if _is_clinical(path, told)}
    roots = {root for root in roots if not any(other != root and root.is_relative_to(other) for other in roots)}
    for root in sorted(roots):
        parts = [Part(path, _cbioportal_part(path, seen[path])) for path in _below(seen, root)]
        yield Found("cbioportal", root, tuple(parts))


def _meta_of(told: Peek) -> dict[str, str]:
    """``key: value`` lines, as the meta files of cBioPortal have them."""
    if told.form not in ("text", "csv"):
        return {}
    pairs = (line.split(":", 1) for line in told.start.splitlines() if ":" in line and not line.startswith("#"))
    return {key.strip(): value.strip() for key, value in pairs}


def _is_study(told: Peek) -> bool:
    meta = _meta_of(told)
    return "cancer_study_identifier" in meta and "genetic_alteration_type" not in meta


def _is_clinical(path: Path, told: Peek) -> bool:
    if told.form != "csv" or "PATIENT_ID" not in told.upper:
        return False
    followed = any(name.endswith("_STATUS") and f"{name[:-7]}_MONTHS" in told.upper for name in told.upper)
    sampled = "SAMPLE_ID" in told.upper and followed
    return told.start.startswith("#") or "data_clinical" in path.name.lower() or sampled


def _cbioportal_part(path: Path, told: Peek) -> str:
    meta = _meta_of(told)
    if "cancer_study_identifier" in meta and told.form != "csv":
        if "case_list_ids" in meta or ("stable_id" in meta and "case_list_name" in meta):
            return "case_list"
        return "meta" if "genetic_alteration_type" in meta or "datatype" in meta else "meta_study"
    return _cbioportal_data(told) or ("words" if told.form == "text" else "unknown" if not told.form else "other")


def _cbioportal_data(told: Peek) -> str:
    """Which table of a study, by its columns."""
    upper = told.upper
    wanted: tuple[tuple[str, set[str]], ...] = (
        ("mutations", {"HUGO_SYMBOL", "TUMOR_SAMPLE_BARCODE"}),
        ("timeline", {"PATIENT_ID", "START_DATE", "EVENT_TYPE"}), ("sample", {"PATIENT_ID", "SAMPLE_ID"}),
        ("gene_panel_matrix", {"SAMPLE_ID", "MUTATIONS"}),
        ("patient", {"PATIENT_ID"}), ("segments", {"ID", "CHROM", "LOC.START"}), ("matrix", {"HUGO_SYMBOL"}),
        ("matrix", {"ENTREZ_GENE_ID"}), ("structural_variants", {"SAMPLE_ID", "SV_STATUS"}),
    )  # fmt: skip
    if told.form not in ("csv", "parquet"):
        return ""
    return next((what for what, names in wanted if names <= upper), "")


def _meds(seen: Seen, base: Path) -> Iterator[Found]:
    """Events by subject, time and code, in Parquet; the metadata beside them."""
    data = [path for path, told in seen.items() if told.form == "parquet" and _is_meds(told)]
    roots = {_meds_root(path, base) for path in data}
    for root in sorted(roots):
        parts = []
        for path in _below(seen, root):
            if path in data:
                parts.append(Part(path, "data"))
            elif (what := _meds_metadata(seen[path])) is not None:
                parts.append(Part(path, what))
        yield Found("meds", root, tuple(parts))


def _is_meds(told: Peek) -> bool:
    return {"subject_id", "time", "code"} <= set(told.names) or {"patient_id", "time", "code"} <= set(told.names)


def _meds_root(path: Path, base: Path) -> Path:
    """The folder above ``data/``, where there is one."""
    for above in path.parents:
        if above.name == "data" and above != base and above.is_relative_to(base):
            return above.parent
    return path.parent


def _meds_metadata(told: Peek) -> str | None:
    names = set(told.names)
    if told.form == "parquet" and {"code", "description"} <= names:
        return "codes"
    if told.form == "parquet" and {"subject_id", "split"} <= names:
        return "splits"
    if told.form in ("json", "ndjson") and any("meds" in name or name == "dataset_name" for name in told.lower):
        return "dataset"
    return None


def _omop(seen: Seen, base: Path) -> Iterator[Found]:
    """Tables of the common data model, one folder each; a database file is one by itself."""
    tables = {path: table_of(told.lower) for path, told in seen.items() if told.form in ("csv", "parquet")}
    for root, paths in sorted(_by_folder(path for path, table in tables.items() if table).items()):
        if any(tables[path] in ("person", "cohort", "condition_occurrence") for path in paths):
            yield Found("omop", root, tuple(Part(path, tables[path] or "") for path in paths))
    for path, told in seen.items():
        if told.form == "duckdb":
            yield Found("omop", path.parent, (Part(path, "database"),))


def _fhir(seen: Seen, base: Path) -> Iterator[Found]:
    resources = {path: told.resource for path, told in seen.items() if told.form in ("json", "ndjson")}
    for root, paths in sorted(_by_folder(path for path, resource in resources.items() if resource).items()):
        yield Found("fhir", root, tuple(Part(path, resources[path]) for path in paths))


def _adam(seen: Seen, base: Path) -> Iterator[Found]:
    tables = {path: adam_part(told.upper) for path, told in seen.items() if told.names and told.form != "json"}
    for root, paths in sorted(_by_folder(path for path, what in tables.items() if what).items()):
        yield Found("adam", root, tuple(Part(path, tables[path]) for path in paths))


def adam_part(upper: frozenset[str]) -> str:
    """Which kind of CDISC table has columns of these names; empty if it is none."""
    if "USUBJID" not in upper:
        return ""
    if "DOMAIN" in upper and "PARAMCD" not in upper:
        return "SDTM"
    if {"PARAMCD", "AVAL", "CNSR"} <= upper:
        return "ADTTE"
    if {"PARAMCD", "AVAL"} <= upper:
        return "BDS"
    if upper & {"AETERM", "AEDECOD", "CMTRT", "CMDECOD", "MHTERM", "MHDECOD", "DVTERM", "PRTRT"}:
        return "OCCDS"
    planned = upper & {"ARM", "ACTARM", "TRT01P", "TRT01A", "ARMCD"}
    return "ADSL" if planned and "PARAMCD" not in upper else "other"


def _single(path: Path, told: Peek) -> Found:
    if told.form in ("csv", "parquet", "excel", "spss", "stata", "sas"):
        return Found("table", path.parent, (Part(path, told.form),))
    if told.form in ("json", "ndjson") and told.names:
        return Found("table", path.parent, (Part(path, told.form),))
    if told.form == "text" and is_text(told.start):
        return Found("words", path.parent, (Part(path, "text"),))
    return Found("unknown", path.parent, (Part(path, told.why or "nothing that is known here"),))
