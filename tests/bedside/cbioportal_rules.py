"""The documented rules for the files of a cBioPortal study, as a checker of our own.

From docs/File-Formats.md of that project (cancer study, clinical data, case lists), what its validator refuses, and how
long a text its database takes (cancer_study, clinical_attribute_meta, clinical_patient, clinical_sample, sample_list).
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

NULL = {"[not applicable]", "[not available]", "[pending]", "[discrepancy]", "[completed]", "[null]", "", "na"}
FIELDS = {
    "study": {"type_of_cancer", "cancer_study_identifier", "name", "description"},
    "clinical": {"cancer_study_identifier", "genetic_alteration_type", "datatype", "data_filename"},
    "case_list": {"cancer_study_identifier", "stable_id", "case_list_name", "case_list_description", "case_list_ids"},
}
MAY = {
    "study": {"citation", "pmid", "groups", "add_global_case_list", "tags_file", "reference_genome"},
    "clinical": set(), "case_list": {"case_list_category"},
}  # fmt: skip
PATIENT_ONLY = {
    "AGE": "NUMBER", "GENDER": "STRING", "SEX": "STRING", "OS_STATUS": "STRING", "OS_MONTHS": "NUMBER",
    "DFS_STATUS": "STRING", "DFS_MONTHS": "NUMBER", "PATIENT_DISPLAY_NAME": "STRING", "TUMOR_SITE": "STRING",
}  # fmt: skip
SAMPLE_ONLY = dict.fromkeys(
    ["METASTATIC_SITE", "OTHER_SAMPLE_ID", "PRIMARY_SITE", "SAMPLE_CLASS", "SAMPLE_DISPLAY_NAME", "SAMPLE_TYPE",
     "TUMOR_TISSUE_SITE", "TUMOR_TYPE"], "STRING",
)  # fmt: skip
EITHER = dict.fromkeys(["CANCER_TYPE", "CANCER_TYPE_DETAILED", "HISTOLOGY", "KNOWN_MOLECULAR_CLASSIFIER"], "STRING")
BANNED = {"MUTATION_COUNT", "FRACTION_GENOME_ALTERED"}
OS, DFS = {"0:LIVING", "1:DECEASED"}, {"0:DiseaseFree", "1:Recurred/Progressed", "1:Recurred", "1:Progressed"}
MONTH_NAMES = {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}
CATEGORIES = {
    "all_cases_in_study", "all_cases_with_mutation_and_cna_data", "all_cases_with_mutation_data",
    "all_cases_with_cna_data", "all_cases_with_log2_cna_data", "all_cases_with_methylation_data",
    "all_cases_with_mrna_array_data", "all_cases_with_mrna_rnaseq_data", "all_cases_with_rppa_data",
    "all_cases_with_microrna_data", "all_cases_with_mutation_and_cna_and_mrna_data", "all_cases_with_gsva_data",
    "all_cases_with_sv_data", "other",
}  # fmt: skip
LONGEST = {"name": 255, "description": 1024, "cancer_study_identifier": 255, "stable_id": 255, "case_list_name": 255}
LONGEST_LINE = (255, 2048, 255, 255)
ID = re.compile(r"[A-Za-z0-9._-]+")


def faults_of(folder: Path) -> list[str]:
    """Everything in a study folder that breaks a rule."""
    faults: list[str] = []
    study = _meta(folder / "meta_study.txt", "study", faults)
    name = study.get("cancer_study_identifier", "")
    tables = {}
    for level in ("patient", "sample"):
        meta = _meta(folder / f"meta_clinical_{level}.txt", "clinical", faults)
        if meta.get("cancer_study_identifier") != name:
            faults.append(f"meta_clinical_{level}: another study")
        if (meta.get("genetic_alteration_type"), meta.get("datatype")) != ("CLINICAL", f"{level.upper()}_ATTRIBUTES"):
            faults.append(f"meta_clinical_{level}: wrong type")
        tables[level] = _clinical(folder / meta["data_filename"], level, faults)
    _together(tables, faults)
    _lists(folder, study, tables["sample"].get("SAMPLE_ID", []), faults)
    return faults


def _lists(folder: Path, study: dict[str, str], samples: list[str], faults: list[str]) -> None:
    name = study.get("cancer_study_identifier", "")
    lists = [(file, _meta(file, "case_list", faults)) for file in sorted((folder / "case_lists").iterdir())]
    stable = [told.get("stable_id", "") for _, told in lists]
    if len(set(stable)) < len(stable):
        faults.append("two case lists have one stable_id")
    if (f"{name}_all" in stable) == (study.get("add_global_case_list") == "true"):
        faults.append("the list of all samples is missing, or made twice")
    for file, told in lists:
        if told.get("case_list_category", "other") not in CATEGORIES or told.get("cancer_study_identifier") != name:
            faults.append(f"{file.name}: an unknown category, or another study")
        if told.get("stable_id") == f"{name}_all" and set(told["case_list_ids"].split("\t")) != set(samples):
            faults.append(f"{file.name}: not all samples")
        if not told.get("stable_id", "").startswith(f"{name}_"):
            faults.append(f"{file.name}: stable_id does not begin with the study's")
        ids = told.get("case_list_ids", "").split("\t")
        if len(set(ids)) < len(ids) or not set(ids) <= set(samples):
            faults.append(f"{file.name}: samples that are not in the clinical file, or twice")


def _meta(file: Path, kind: str, faults: list[str]) -> dict[str, str]:
    told: dict[str, str] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        key, colon, value = line.partition(":")
        if not colon or key in told or not value.strip():
            faults.append(f"{file.name}: a line that is no “key: value”, or stands twice")
        told[key] = value.strip(" ")
    if any(len(told.get(key, "")) > longest for key, longest in LONGEST.items()):
        faults.append(f"{file.name}: a field is longer than the database takes")
    if "pmid" in told and "citation" not in told:
        faults.append(f"{file.name}: a pmid without a citation")
    if not re.fullmatch(r"[a-z0-9_.-]+", told.get("cancer_study_identifier", "")):
        faults.append(f"{file.name}: an identifier that is not plain")
    if not FIELDS[kind] <= set(told) <= FIELDS[kind] | MAY[kind]:
        faults.append(f"{file.name}: fields are missing or unknown")
    return told


def _clinical(file: Path, level: str, faults: list[str]) -> dict[str, list[str]]:
    text = file.read_bytes().decode("utf-8")
    if "\r" in text or not text.endswith("\n"):
        faults.append(f"{file.name}: mixed line ends")
    lines = text.split("\n")[:-1]
    above, header, rows = lines[:4], lines[4].split("\t"), [line.split("\t") for line in lines[5:]]
    if not _is_sniffed("\n".join(lines[4:10])) or '"' in text:
        faults.append(f"{file.name}: not a plain file with tabs")
    if not all(line.startswith("#") for line in above) or any(line.startswith("#") for line in lines[4:]):
        faults.append(f"{file.name}: not four lines of definitions")
    definitions = [line[1:].split("\t") for line in above]
    if {len(row) for row in [*definitions, *rows]} != {len(header)}:
        faults.append(f"{file.name}: rows of different widths")
    if any(cell.strip().lower() in NULL for row in definitions for cell in row):
        faults.append(f"{file.name}: an empty definition")
    _lengths(file, definitions, [header, *rows], faults)
    if not set(definitions[2]) <= {"STRING", "NUMBER", "BOOLEAN"} or not all(cell.isdigit() for cell in definitions[3]):
        faults.append(f"{file.name}: a wrong datatype or priority")
    if len(set(header)) < len(header) or not all(name.isupper() for name in header) or BANNED & set(header):
        faults.append(f"{file.name}: a name that is not in upper case, stands twice, or is not allowed")
    columns = {name: [row[i] for row in rows if i < len(row)] for i, name in enumerate(header)}
    types = dict(zip(header, definitions[2], strict=False))
    _levels(file, level, types, faults)
    for name, cells in columns.items():
        _cells(file, name, types.get(name, ""), cells, header, faults)
    return columns


def _lengths(file: Path, definitions: list[list[str]], rows: list[list[str]], faults: list[str]) -> None:
    if any(len(cell) > most for row, most in zip(definitions, LONGEST_LINE, strict=False) for cell in row):
        faults.append(f"{file.name}: a definition is longer than the database takes")
    if any(cell != cell.strip() or len(cell) > 255 for row in rows for cell in row):
        faults.append(f"{file.name}: a cell with blanks around it, or longer than the database takes")


def _is_sniffed(start: str) -> bool:
    try:
        return csv.Sniffer().sniff(start, delimiters="\t").delimiter == "\t"
    except csv.Error:
        return False


def _levels(file: Path, level: str, types: dict[str, str], faults: list[str]) -> None:
    required = {"patient": {"PATIENT_ID"}, "sample": {"PATIENT_ID", "SAMPLE_ID"}}[level]
    if not required <= set(types) or (level == "patient" and "SAMPLE_ID" in types):
        faults.append(f"{file.name}: identifiers are missing, or of the other file")
    other = SAMPLE_ONLY if level == "patient" else PATIENT_ONLY
    own = {**PATIENT_ONLY, **SAMPLE_ONLY, **EITHER}
    faults += [f"{file.name}: {name} belongs into the other file" for name in types if name in other]
    faults += [f"{file.name}: {name} must be {own[name]}" for name in types if name in own and types[name] != own[name]]


def _cells(file: Path, name: str, datatype: str, cells: list[str], header: list[str], faults: list[str]) -> None:
    present = [cell for cell in cells if cell.strip().lower() not in NULL]
    if name in ("PATIENT_ID", "SAMPLE_ID"):
        if len(present) < len(cells) or not all(ID.fullmatch(cell) and len(cell) <= 63 for cell in cells):
            faults.append(f"{file.name}: {name} of other characters, too long, or missing")
        if len(set(cells)) < len(cells) and (name == "SAMPLE_ID" or "SAMPLE_ID" not in header):
            faults.append(f"{file.name}: {name} stands twice")
    elif datatype == "NUMBER" and not all(_is_number(cell) for cell in present):
        faults.append(f"{file.name}: {name} is no number throughout")
    elif name == "OS_STATUS" and not set(present) <= OS:
        faults.append(f"{file.name}: a wrong OS_STATUS")
    elif name == "DFS_STATUS" and not set(present) <= DFS:
        faults.append(f"{file.name}: a wrong DFS_STATUS")
    elif name.endswith("_STATUS") and f"{name[:-7]}_MONTHS" in header:
        faults += [f"{file.name}: {name} without 0: or 1:"] * any(cell[:2] not in ("0:", "1:") for cell in present)
    if "DATE" not in name and any(_made_by_a_spreadsheet(cell) for cell in present):
        faults.append(f"{file.name}: {name} looks like a date")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return cell[0] in "<>" and _is_number(cell[1:])
    return True


def _made_by_a_spreadsheet(cell: str) -> bool:
    parts = cell.split("-")
    return len(parts) == 2 and not set(cell) & set(",.:;") and any(part.lower() in MONTH_NAMES for part in parts)


def _together(tables: dict[str, dict[str, list[str]]], faults: list[str]) -> None:
    patient, sample = tables["patient"], tables["sample"]
    if set(patient.get("PATIENT_ID", ())) != set(sample.get("PATIENT_ID", ())):
        faults.append("patients without a sample, or samples without a patient")
    if (set(patient) & set(sample)) - {"PATIENT_ID"}:
        faults.append("an attribute in both files")
