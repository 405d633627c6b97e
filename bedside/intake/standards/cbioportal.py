"""cBioPortal study folders: patients, samples, any pair of X_STATUS and X_MONTHS, mutations by gene."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bedside.cohort.codes import normal_code
from bedside.intake.staging import Progress
from bedside.intake.standards.cbioportal_files import numbers, read_meta, width_of
from bedside.intake.standards.cbioportal_genes import Mutations, gene_columns, read_mutations, read_profiled
from bedside.intake.standards.cbioportal_study import PATIENT, SAMPLE, Pair, Study, read_pairs, read_study
from bedside.intake.standards.cohorts import in_cohorts
from bedside.intake.standards.describe import SOURCE, key_of, short, variable, with_sex, words_for
from bedside.intake.standards.folder import (
    FileRead,
    Imported,
    ImportReport,
    Made,
    Offer,
    Written,
    as_table,
    counted,
)
from bedside.intake.standards.offers import to_recipe
from bedside.intake.standards.recognise import Found

MOST_STEPS = 10
"""Different numbers of an attribute that is declared as text: steps such as grades."""
_LATER = re.compile(
    r"VITAL_STATUS|DEATH|DECEASED|FOLLOW_?UP|LAST_(CONTACT|KNOWN|SEEN)|RELAPSE|RECURREN|PROGRESSION|NEW_TUMOR_EVENT|"
    r"TREATMENT_OUTCOME|RESPONSE|NEOPLASM_CANCER_STATUS|TUMOR_STATUS|^(OS|DFS|PFS|DSS|RFS|EFS|PFI|DFI)(_|$)|ADJUVANT"
)
_LESS = ("OTHER_PATIENT_ID", "OTHER_SAMPLE_ID", "PATIENT_DISPLAY_NAME", "SAMPLE_DISPLAY_NAME", "FORM_COMPLETION_DATE")
_SENSITIVE = ("SEX", "GENDER", "RACE", "ETHNICITY", "AGE")


@dataclass(frozen=True)
class StudyOptions:
    """What may be chosen.

    Attributes
    ----------
    main : str
        Prefix of the outcome that decides who is in the first cohort; ``OS`` if not given.
    least : int
        Patients in whom a gene has to be mutated to have a column.
    most : int
        Genes at most.
    genes : tuple of str
        Genes that have one in any case.
    """

    main: str = ""
    least: int = 10
    most: int = 100
    genes: tuple[str, ...] = ()


def read_cbioportal(found: Found, options: StudyOptions | None = None, *, progress: Progress | None = None) -> Imported:
    """Read a study folder.

    Parameters
    ----------
    found : Found
        From `recognise`.
    options : StudyOptions, optional
    progress : callable, optional

    Returns
    -------
    Imported
        One cohort with every outcome that is known of all its patients, and further ones for the others. None if the
        study has no pair of status and months.

    Raises
    ------
    Fixable
        If a file is damaged or larger than is read.
    """
    options = options or StudyOptions()
    tell = progress or (lambda share, sentence: None)
    tell(0.1, "Reading patients and samples")
    study = read_study(found)
    pairs = read_pairs(study)
    tell(0.4, "Reading mutations")
    mutations = read_mutations(found.of("mutations"), frozenset(study.of_sample.index))
    genes = _genes(found, study, mutations, options)
    told = _meta(found)
    made, aside = _cohorts(pairs, study, genes, told, options)
    notes = [*study.notes, *aside]
    if not pairs:
        notes.append("No pair of columns X_STATUS and X_MONTHS has a status and a time: no cohort.")
    report = ImportReport(
        "cbioportal", files=tuple(_files(found, study, mutations)), mapped=tuple(study.mapped),
        faults=tuple(sorted(study.faults.items())), notes=tuple(notes),
    )  # fmt: skip
    layout = tuple(filter(None, (told.get("cancer_study_identifier"),)))
    return Imported(made, counted(report, made), to_recipe("cbioportal", options), _offers(pairs, options), layout)


def _offers(pairs: list[Pair], options: StudyOptions) -> tuple[Offer, ...]:
    ranked = sorted(pairs, key=lambda each: _rank(each, options))
    codes = tuple((each.prefix, f"{each.label} ({each.prefix}, {len(each.rows):,} patients)") for each in ranked)
    return (
        Offer("main", "The outcome that decides who is in the first cohort", "one", tuple(c for c, _ in codes[:1]),
              codes),
        Offer("genes", "Genes that have a column in any case", "words", (", ".join(options.genes),),
              help="Symbols with commas between them"),
        Offer("least", "Patients in whom a gene is mutated, at least, for a column", "number", (str(options.least),)),
        Offer("most", "Genes at most", "number", (str(options.most),)),
    )  # fmt: skip


def _rank(pair: Pair, options: StudyOptions) -> tuple[bool, int, str]:
    return (pair.prefix != (options.main.upper() or "OS"), -len(pair.rows), pair.prefix)


def _meta(found: Found) -> dict[str, str]:
    files = found.of("meta_study")
    return read_meta(files[0]) if files else {}


# ------------------------------------------------------------------ columns


def _genes(found: Found, study: Study, mutations: Mutations, options: StudyOptions) -> pd.DataFrame:
    if not found.of("mutations"):
        return pd.DataFrame(index=study.frame.index)
    profiled = read_profiled(found.of("gene_panel_matrix"), found.of("case_list"), found.of("words", "other"))
    study.notes.append(profiled.how)
    genes, rest = gene_columns(
        mutations, profiled, study.of_sample, least=options.least, most=options.most, chosen=options.genes
    )  # fmt: skip
    study.notes.append(
        f"{genes.shape[1]} genes have a column; {rest} further ones are mutated in fewer than {options.least} "
        f"patients, or beyond the {options.most} most frequent."
    )
    return genes.reindex(study.frame.index)


def _columns(study: Study, who: pd.Index, pairs: list[Pair]) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    of_outcomes = {f"{pair.prefix}_{end}" for pair in pairs for end in ("STATUS", "MONTHS")}
    kept: dict[str, pd.Series] = {}
    entries: list[dict[str, Any]] = []
    for name in study.frame.columns:
        if name in of_outcomes or name in (PATIENT, SAMPLE) or name in _LESS:
            continue
        values = study.frame.loc[who, name]
        if values.nunique() < 2:
            continue
        values, entry = _one(name, values, study)
        if entry is not None:
            kept[name] = values
            entries.append(entry)
    return pd.DataFrame(kept, index=who), entries


def _one(name: str, values: pd.Series, study: Study) -> tuple[pd.Series, dict[str, Any] | None]:
    words = study.words.get(name, {})
    found, n_limits = numbers(values)
    if words.get("datatype") == "NUMBER":
        lost = int((np.isnan(found) & values.notna().to_numpy()).sum())
        if lost:
            study.faults[f"{name}: no number, though it is declared as one"] += lost
        if n_limits:
            study.notes.append(f"{name}: {n_limits} limits such as “>89” are read as the number.")
        values = pd.Series(found, index=values.index)
    more: dict[str, Any] = {"use": "predictor"}
    if _LATER.search(name):
        more = {"use": "later", "why_later": "known only after the start of follow-up"}
    note = words.get("description", "")
    entry = variable(
        name, values, label=words.get("label", ""), sensitive=name in _SENSITIVE, **more,
        note=note if note.lower() != words.get("label", "").lower() else "",
    )  # fmt: skip
    if entry is None or entry["kind"] == "identifier":
        return values, None
    if words.get("datatype") == "NUMBER":
        entry["kind"] = "continuous"
        entry.pop("levels", None)
    elif words.get("datatype") == "STRING" and entry["kind"] == "continuous" and values.nunique() <= MOST_STEPS:
        codes = sorted(values.dropna().map(normal_code).unique(), key=float)
        entry |= {"kind": "ordinal", "levels": [{"code": code, "label": code} for code in codes]}
    if name in ("SEX", "GENDER"):
        entry = with_sex(entry)
    if name == "AGE" and entry["kind"] == "continuous":
        entry |= {"concept": "age", "unit": "years"}
    return values, entry


# ------------------------------------------------------------------ cohorts


def _cohorts(
    pairs: list[Pair], study: Study, genes: pd.DataFrame, told: dict[str, str], options: StudyOptions
) -> tuple[tuple[Made, ...], list[str]]:
    ordered = sorted(pairs, key=lambda pair: _rank(pair, options))
    title = told.get("name") or told.get("cancer_study_identifier") or "A cBioPortal study"
    made: list[Made] = []
    groups, aside = in_cohorts(ordered)
    for group in groups:
        name = title if not made else f"{title}: {group[0].label[:1].lower()}{group[0].label[1:]}"
        made.append(_cohort(list(group), pairs, study, genes, {**told, "title": name}, [m.name for m in made]))
    if made:
        study.mapped += [(f"{p.prefix}_STATUS, {p.prefix}_MONTHS", f"the outcome “{p.label}”") for p in pairs]
        kept = {entry["name"] for entry in made[0].dictionary["variables"]}
        study.mapped += [(name, "a variable") for name in study.frame.columns if name in kept]
        gone = [n for n in study.frame.columns if n not in kept and not n.endswith(("_STATUS", "_MONTHS"))]
        study.mapped += [(name, "left out: empty, the same in everybody, or names a person") for name in gone]
    return tuple(made), [f"{pair.label}: known of {len(pair.rows)} patients only; left out." for pair in aside]


def _cohort(
    group: list[Pair], pairs: list[Pair], study: Study, genes: pd.DataFrame, told: dict[str, str], taken: list[str]
) -> Made:
    who = study.frame.index[study.frame.index.isin(group[0].rows.index)]
    columns, entries = _columns(study, who, pairs)
    rows = pd.concat([pd.DataFrame({PATIENT: who.to_numpy(dtype=object)}, index=who), columns], axis=1)
    for gene in genes.columns:
        cells = genes.loc[who, gene]
        if cells.nunique() == 2:
            name = f"{gene} mutation"
            rows[name] = cells
            levels = [{"code": "no", "label": "not mutated"}, {"code": "yes", "label": "mutated"}]
            entries.append({"name": name, "label": f"{gene} mutation", "kind": "binary", "levels": levels,
                            "use": "optional"})  # fmt: skip
    outcomes: list[dict[str, Any]] = []
    written: dict[str, Written] = {}
    for pair in group:
        time, status = f"{pair.prefix}_MONTHS", f"{pair.prefix}_STATUS"
        rows[time], rows[status] = pair.rows["time"].reindex(who), pair.rows["status"].reindex(who)
        outcomes.append({
            "key": key_of(pair.prefix, [each["key"] for each in outcomes]), "label": pair.label, "time": time,
            "unit": "months", "status": status, "censored": ["0"], "event": ["1"], **words_for(pair.prefix, pair.label),
        })  # fmt: skip
        written[outcomes[-1]["key"]] = (status, pair.rows["written"].reindex(who).to_list())
    title = told["title"]
    dictionary = {
        "title": title, "short_title": short(title), "identifier": PATIENT, "outcomes": outcomes,
        "variables": [{"name": PATIENT, "kind": "identifier", "label": "Patient"}, *entries],
        "summary": told.get("description", ""),
        "source": SOURCE | {"citation": told.get("citation") or "Not stated.", "origin": "A cBioPortal study"},
    }  # fmt: skip
    without = len(study.frame) - len(who)
    left_out = ((f"no {group[0].prefix}_STATUS or {group[0].prefix}_MONTHS", without),) if without else ()
    return Made(key_of(title, taken), as_table(rows.reset_index(drop=True)), dictionary, None, left_out, written)


# ------------------------------------------------------------------ the report

_SAID = {
    "meta_study": "what the study is", "meta": "what a file of the study is", "case_list": "a list of samples",
    "patient": "attributes of patients", "sample": "attributes of samples", "mutations": "mutations (MAF)",
    "gene_panel_matrix": "which panel each sample was looked at with", "words": "a description",
}  # fmt: skip
_ATTACHABLE = {"matrix": "a matrix of genes and samples", "segments": "segments of copy number"}
_NO_COLUMNS = {
    "matrix": "no columns of the cohort: attached to it when it is imported, each gene to be chosen there",
    "segments": "no place in a cohort",
}  # fmt: skip


def _files(found: Found, study: Study, mutations: Mutations) -> list[FileRead]:
    reads = []
    for part in found.parts:
        path, what = part.path, _SAID.get(part.what, "")
        name = str(path.relative_to(found.root))
        if path in study.n_read:
            dropped = study.dropped[path]
            gone = sum(dropped.values())
            reads.append(FileRead(name, what, study.n_read[path], study.n_read[path] - gone, gone,
                                  tuple(sorted(dropped.items()))))  # fmt: skip
        elif path in mutations.n_read or part.what == "mutations":
            dropped, n = mutations.dropped.get(path, Counter()), mutations.n_read[path]
            gone = sum(dropped.values())
            reads.append(FileRead(name, what, n, n - gone, gone, tuple(sorted(dropped.items()))))
        elif part.what in _ATTACHABLE:
            reads.append(_matrix(path, name, part.what))
        else:
            reads.append(FileRead(name, what or "not used: no place in a cohort"))
    return reads


def _matrix(path: Path, name: str, what: str) -> FileRead:
    n_rows, n_columns = width_of(path)
    said = f"{_ATTACHABLE[what]}: {n_rows:,} rows of {n_columns:,} columns"
    return FileRead(name, said, n_rows, 0, n_rows, ((_NO_COLUMNS[what], n_rows),))
