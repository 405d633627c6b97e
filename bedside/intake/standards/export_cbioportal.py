"""A cohort as a cBioPortal study folder, by that project's documented rules for its files.

References
----------
cBioPortal, docs/File-Formats.md (cancer study, clinical data, case lists) and the rules that its validator checks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from bedside.cohort.cohort import Cohort
from bedside.cohort.outcome import Outcome
from bedside.cohort.units import convert
from bedside.cohort.variable import UNSHARED, Variable
from bedside.errors import Fixable
from bedside.intake.guarded import MARK, is_formula
from bedside.intake.standards.cbioportal_files import NULLS

PATIENT, SAMPLE = "PATIENT_ID", "SAMPLE_ID"
LONGEST_ID = 63
LONGEST_NAME = 100
LONGEST_CELL, LONGEST_DESCRIPTION, LONGEST_STUDY = 255, 2048, 1024
"""What a portal's tables hold: a cell, a label or a study's name; what an attribute means; what a study is."""
BANNED = frozenset({"MUTATION_COUNT", "FRACTION_GENOME_ALTERED"})
OF_SAMPLES = frozenset({
    "METASTATIC_SITE", "OTHER_SAMPLE_ID", "PRIMARY_SITE", "SAMPLE_CLASS", "SAMPLE_DISPLAY_NAME", "SAMPLE_TYPE",
    "TUMOR_TISSUE_SITE", "TUMOR_TYPE",
})  # fmt: skip
"""Attributes that may stand in the file of samples only."""
OF_TEXT = OF_SAMPLES | {
    "CANCER_TYPE", "CANCER_TYPE_DETAILED", "GENDER", "SEX", "HISTOLOGY", "KNOWN_MOLECULAR_CLASSIFIER",
    "PATIENT_DISPLAY_NAME", "TUMOR_SITE",
}  # fmt: skip
OF_SURVIVAL = frozenset({"OS_STATUS", "OS_MONTHS", "DFS_STATUS", "DFS_MONTHS"})
OF_NUMBERS = frozenset({"AGE"})
_OS, _DFS = ("0:LIVING", "1:DECEASED"), ("0:DiseaseFree", "1:Recurred/Progressed")
_EXCEL = re.compile(r"[^-,.:;]*-[^-,.:;]*")
_MONTHS = frozenset({"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"})


@dataclass(frozen=True)
class Exported:
    """What was written, and what a reader must know about it."""

    files: tuple[Path, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Attribute:
    """One column of a clinical file."""

    name: str
    label: str
    description: str
    datatype: str
    cells: list[str]


@dataclass(eq=False)
class Sheet:
    """Attributes of the two clinical files, each name once."""

    patient: list[Attribute] = field(default_factory=list)
    sample: list[Attribute] = field(default_factory=list)
    taken: set[str] = field(default_factory=lambda: {PATIENT, SAMPLE} | set(BANNED))
    notes: list[str] = field(default_factory=list)


def export_cbioportal(cohort: Cohort, into: Path, *, study: str = "", cancer: str = "mixed") -> Exported:
    """Write a cohort as a study folder that cBioPortal's validator takes.

    Parameters
    ----------
    cohort : Cohort
    into : Path
        A folder, made if it is not there.
    study : str
        Identifier of the study; made from the title if not given.
    cancer : str
        Abbreviation of the type of cancer; ``mixed`` is known to every portal.

    Returns
    -------
    Exported

    Raises
    ------
    Fixable
        If the folder can't be written.
    """
    name = _identifier(study or cohort.short_title)
    sheet = Sheet()
    patients = _patient_ids(cohort, sheet)
    for outcome in cohort.outcomes:
        _add_outcome(cohort, outcome, sheet)
    for variable in cohort.variables:
        if variable.kind in UNSHARED:
            if variable.name != cohort.identifier:
                sheet.notes.append(f"Left out, since it may name a person: {variable.label}.")
        else:
            _add_variable(cohort, variable, sheet)
    if cohort.visits is not None:
        sheet.notes.append("Measurements over time have no place in a study's clinical files and are left out.")
    samples = [f"{patient[: LONGEST_ID - 3]}-01" for patient in patients]
    if len(set(samples)) < len(samples):
        samples = [f"SAMPLE-{i + 1:06d}" for i in range(len(patients))]
    texts = {
        "meta_study.txt": _meta_study(cohort, name, cancer),
        "meta_clinical_patient.txt": _meta(name, "PATIENT_ATTRIBUTES", "data_clinical_patient.txt"),
        "meta_clinical_sample.txt": _meta(name, "SAMPLE_ATTRIBUTES", "data_clinical_sample.txt"),
        "data_clinical_patient.txt": _table([_id(PATIENT, "Patient", patients), *sheet.patient]),
        "data_clinical_sample.txt": _table(
            [_id(PATIENT, "Patient", patients), _id(SAMPLE, "Sample", samples), *sheet.sample]
        ),
        "case_lists/cases_all.txt": _cases(name, samples),
    }
    return Exported(tuple(_written(into, texts)), tuple(sheet.notes))


def _written(into: Path, texts: dict[str, str]) -> Iterable[Path]:
    try:
        (into / "case_lists").mkdir(mode=0o700, parents=True, exist_ok=True)
        for file, text in texts.items():
            (into / file).write_text(text, encoding="utf-8", newline="\n")
            yield into / file
    except OSError as fault:
        raise Fixable(
            "The cohort was not exported.", f"The folder can't be written ({fault.strerror or 'unknown reason'}).",
            "Choose another folder, or make room on the disk.",
        ) from fault  # fmt: skip


# ------------------------------------------------------------------ names


def _identifier(title: str) -> str:
    bare = unicodedata.normalize("NFKD", title.replace("ß", "ss")).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", bare).strip("_")[:60] or "bedside_study"


def _patient_ids(cohort: Cohort, sheet: Sheet) -> list[str]:
    """Identifiers of letters, digits, points, underscores and hyphens only, each once."""
    found: list[str] = []
    taken: set[str] = set()
    changed = 0
    for original in cohort.identifiers:
        bare = re.sub(r"[^A-Za-z0-9._-]+", "-", original) or "-"
        bare = (f"ID{bare}" if bare.startswith("-") else bare)[:LONGEST_ID]  # else a spreadsheet reckons with it
        unique, n = bare, 2
        while unique in taken or unique.lower() in NULLS:
            unique, n = f"{bare[: LONGEST_ID - 8]}_{n}", n + 1
        changed += unique != original
        taken.add(unique)
        found.append(unique)
    if changed and cohort.identifier is not None:
        sheet.notes.append(f"{changed:,} identifiers were changed: letters, digits, points, _ and - only are allowed, "
                           "and - not in front.")  # fmt: skip
    return found


def _attribute(text: str, taken: set[str], *, then: str = "") -> str:
    """A name in upper case that is free, with ``then`` at its end."""
    flat = unicodedata.normalize("NFKD", text.replace("ß", "ss")).encode("ascii", "ignore").decode().upper()
    bare = re.sub(r"[^A-Z0-9]+", "_", flat).strip("_")[:LONGEST_NAME]
    bare = bare if any(letter.isalpha() for letter in bare) else f"ATTRIBUTE_{bare}".rstrip("_")
    name, n = bare + then, 2
    while name in taken:
        name, n = f"{bare}_{n}{then}", n + 1
    return name


def _line(text: str) -> str:
    """Text in one cell or line: no tab, no line end, no quotation mark that could be taken for one around it."""
    return " ".join(text.replace('"', "'").split())


def _word(text: str, instead: str) -> str:
    line = _line(text)
    return _line(instead) if line.lower() in NULLS else line


def _safe(text: str) -> str:
    """Text as it may be opened in a spreadsheet; signs alone, as of a receptor, are no formula."""
    return MARK + text if is_formula(text) and text.strip("+-") else text


def _cut(text: str, longest: int = LONGEST_CELL) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


# ------------------------------------------------------------------ columns


def _add_outcome(cohort: Cohort, outcome: Outcome, sheet: Sheet) -> None:
    months = convert(cohort.time(outcome), outcome.unit, "months")
    cause = cohort.cause(outcome)
    is_death = outcome.concept == "death" and not outcome.has_competing
    prefix = "OS" if is_death and "OS_STATUS" not in sheet.taken else _prefix(outcome.key, sheet.taken)
    zero, *events = _status_words(prefix, outcome)
    _add_pair(sheet, prefix, outcome.label, outcome.since, months, [zero, *events], cause)
    if outcome.has_competing:
        own = _prefix(f"{outcome.key} cause", sheet.taken)
        words = [zero, _cut(f"1:{_line(outcome.cause_labels[0])}"), *(_cut(f"0:{_line(c)}") for c in outcome.competing)]
        _add_pair(sheet, own, outcome.cause_labels[0], outcome.since, months, words, cause)
        sheet.notes.append(
            f"{prefix} counts every kind of event of “{outcome.label}”; {own} only “{outcome.cause_labels[0]}”, "
            "with the others as 0 and their names."
        )
    entry = cohort.entry(outcome)
    if entry is not None:
        name = _attribute(f"{prefix} entry", sheet.taken)
        sheet.taken.add(name)
        cells = [_number(value) for value in convert(entry, outcome.unit, "months")]
        sheet.patient.append(Attribute(name, f"{outcome.label}: entry (months)", "Under observation from then on",
                                       "NUMBER", cells))  # fmt: skip
        sheet.notes.append(f"cBioPortal knows no delayed entry: its curves of {prefix} start everybody at 0.")


def _prefix(key: str, taken: set[str]) -> str:
    status = _attribute(key, {name.removesuffix("_STATUS") for name in taken if name.endswith("_STATUS")})
    return "OS_2" if status == "OS" else status


def _status_words(prefix: str, outcome: Outcome) -> list[str]:
    if prefix == "OS":
        return list(_OS)
    if prefix == "DFS":
        return [_DFS[0], *[_DFS[1]] * len(outcome.cause_labels)]
    return ["0:CENSORED", *(_cut(f"1:{_line(label)}") for label in outcome.cause_labels)]


def _add_pair(
    sheet: Sheet, prefix: str, label: str, since: str, months: np.ndarray, words: list[str], cause: np.ndarray
) -> None:
    title, start = _word(label, prefix), _word(since, "the start of follow-up")
    sheet.taken |= {f"{prefix}_STATUS", f"{prefix}_MONTHS"}
    sheet.patient += [
        Attribute(f"{prefix}_STATUS", f"{title} status", f"{title}: status", "STRING", [words[c] for c in cause]),
        Attribute(f"{prefix}_MONTHS", f"{title} (months)", f"{title}: months since {start}", "NUMBER",
                  [_number(value) for value in months]),
    ]  # fmt: skip


def _add_variable(cohort: Cohort, variable: Variable, sheet: Sheet) -> None:
    datatype = "NUMBER" if variable.is_numeric else "STRING"
    values = cohort.frame[variable.name]
    cells = [_number(v) for v in values.to_numpy(dtype=float)] if variable.is_numeric else _levels(variable, values)
    lost = sum(cell.lower() in NULLS - {""} for cell in cells)
    if lost:
        sheet.notes.append(f"{variable.label}: {lost} cells hold a word that cBioPortal reads as not recorded.")
    dated = not variable.is_numeric and any(_looks_dated(cell) for cell in set(cells))
    marked = sum(cell.startswith(MARK) and _safe(cell[1:]) == cell for cell in cells)
    if marked:
        sheet.notes.append(f"{variable.label}: {marked:,} cells have an apostrophe in front, since a spreadsheet would "
                           "take them for a formula.")  # fmt: skip
    name = _attribute(variable.name, sheet.taken, then="_DATE" if dated and "date" not in variable.name.lower() else "")
    if (name in OF_TEXT and datatype == "NUMBER") or (name in OF_NUMBERS and datatype == "STRING"):
        name = _attribute(f"{name} value", sheet.taken)
    if name in OF_SURVIVAL or _makes_a_pair(name, sheet.taken):
        name = _attribute(f"{name} attribute", sheet.taken)
    sheet.taken.add(name)
    label = _word(variable.label, name)
    unit = f" ({_line(variable.unit)})" if variable.unit else ""
    note = _word(variable.note or variable.why_later, label)
    where = sheet.sample if name in OF_SAMPLES else sheet.patient
    where.append(Attribute(name, label + unit, note, datatype, cells))


def _makes_a_pair(name: str, taken: set[str]) -> bool:
    """Whether a portal would draw survival by it and another column, by their names alone."""
    other = {"_STATUS": "_MONTHS", "_MONTHS": "_STATUS"}
    return any(name.endswith(end) and name.removesuffix(end) + also in taken for end, also in other.items())


def _levels(variable: Variable, values: pd.Series) -> list[str]:
    labels = [_cut(_safe(_line(level.label))) for level in variable.levels]
    codes = [level.code for level in variable.levels]
    said = labels if len(set(labels)) == len(labels) and all(labels) else [_cut(_safe(_line(code))) for code in codes]
    if len(set(said)) < len(said) or not all(said):
        said = [f"level {i + 1}" for i in range(len(said))]
    told = dict(zip(codes, said, strict=True))
    return ["" if missing else told[value] for value, missing in zip(values, values.isna(), strict=True)]


def _looks_dated(cell: str) -> bool:
    """What a portal takes for text that a spreadsheet made a date of, as ``20-Oct``."""
    return _EXCEL.fullmatch(cell) is not None and any(part.lower() in _MONTHS for part in cell.split("-"))


def _number(value: float) -> str:
    if not np.isfinite(value):
        return ""
    return str(int(value)) if value == int(value) and abs(value) < 2**53 else repr(float(value))


# ------------------------------------------------------------------ files


def _id(name: str, what: str, ids: list[str]) -> Attribute:
    return Attribute(name, f"{what} identifier", f"Identifier of the {what.lower()}", "STRING", ids)


def _table(attributes: list[Attribute]) -> str:
    above = [
        [_cut(_safe(attribute.label)) for attribute in attributes],
        [_cut(_safe(attribute.description), LONGEST_DESCRIPTION) for attribute in attributes],
        [attribute.datatype for attribute in attributes], ["1"] * len(attributes),
    ]  # fmt: skip
    lines = ["#" + "\t".join(row) for row in above]
    lines.append("\t".join(attribute.name for attribute in attributes))
    lines += ["\t".join(row) for row in zip(*(attribute.cells for attribute in attributes), strict=True)]
    return "\n".join(lines) + "\n"


def _fields(**fields: str) -> str:
    return "".join(f"{key}: {value}\n" for key, value in fields.items())


def _meta_study(cohort: Cohort, study: str, cancer: str) -> str:
    about = _word(f"{cohort.summary} {cohort.population}", cohort.title)
    return _fields(type_of_cancer=cancer, cancer_study_identifier=study, name=_cut(_word(cohort.title, study)),
                   description=_cut(f"Exported from Bedside: {len(cohort):,} patients. {about}",
                                    LONGEST_STUDY))  # fmt: skip


def _meta(study: str, datatype: str, file: str) -> str:
    return _fields(cancer_study_identifier=study, genetic_alteration_type="CLINICAL", datatype=datatype,
                   data_filename=file)  # fmt: skip


def _cases(study: str, samples: list[str]) -> str:
    return _fields(
        cancer_study_identifier=study, stable_id=f"{study}_all", case_list_name="All samples",
        case_list_description=f"All samples ({len(samples)} samples)", case_list_category="all_cases_in_study",
        case_list_ids="\t".join(samples),
    )  # fmt: skip
