"""Mutations of a cBioPortal study: which genes are mutated in whom, and in whom nobody looked."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from bedside.intake.standards.cbioportal_files import lines_of, read_cells, read_meta

_COLUMNS = ("hugo_symbol", "tumor_sample_barcode", "variant_classification", "mutation_status")
SILENT = frozenset({"silent", "intron", "igr", "3'utr", "5'utr", "3'flank", "5'flank"})
"""Not loaded by cBioPortal either, but for the promoter of TERT."""
NOT_MUTATED = frozenset({"loh", "none", "wildtype"})
YES, NO = "yes", "no"


@dataclass(eq=False)
class Mutations:
    """What the mutation files of a study hold.

    Attributes
    ----------
    by_gene : dict
        Samples in which a gene is mutated.
    """

    by_gene: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    n_read: Counter[Path] = field(default_factory=Counter)
    dropped: dict[Path, Counter[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Profiled:
    """In which samples mutations were looked for.

    Attributes
    ----------
    samples : frozenset of str or None
        None if nothing says so.
    panels : dict
        Panel of a sample, where a matrix names it.
    genes : dict
        Genes of a panel, where its definition is there.
    how : str
        A sentence.
    """

    samples: frozenset[str] | None = None
    panels: dict[str, str] = field(default_factory=dict)
    genes: dict[str, frozenset[str]] = field(default_factory=dict)
    how: str = "Nothing says which samples were looked at for mutations; all are taken to have been."

    def looked(self, sample: str, gene: str) -> bool:
        """Whether a gene was looked at in a sample."""
        if self.samples is not None and sample not in self.samples:
            return False
        genes = self.genes.get(self.panels.get(sample, ""))
        return genes is None or gene in genes


def read_mutations(paths: Iterable[Path], samples: frozenset[str]) -> Mutations:
    """Every mutation file, row by row."""
    found = Mutations()
    for path in paths:
        dropped: Counter[str] = Counter()
        rows = read_cells(path, _COLUMNS)
        next(rows, None)
        for gene, sample, effect, status in rows:
            found.n_read[path] += 1
            why = _why_not(gene, sample, effect, status, samples)
            if why:
                dropped[why] += 1
            else:
                found.by_gene[gene].add(sample)
        found.dropped[path] = dropped
    return found


def _why_not(gene: str, sample: str, effect: str, status: str, samples: frozenset[str]) -> str:
    if not gene or gene.lower() == "unknown":
        return "no gene"
    if sample not in samples:
        return "a sample that is not in the clinical file"
    if status.lower() in NOT_MUTATED:
        return "marked as not mutated"
    if effect.lower() in SILENT and not (gene == "TERT" and effect.lower() == "5'flank"):
        return "silent, or outside the gene"
    return ""


def read_profiled(matrix: Iterable[Path], lists: Iterable[Path], panels: Iterable[Path]) -> Profiled:
    """From the panel of each sample where there is a matrix of them, else from the list of sequenced samples."""
    genes = dict(filter(None, (_panel(path) for path in panels)))
    for path in matrix:
        rows = read_cells(path, ("sample_id", "mutations"))
        if "mutations" in next(rows, ()):
            named = {sample: panel for sample, panel in rows if panel and panel.upper() != "NA"}
            return Profiled(frozenset(named), named, genes, "The matrix of gene panels says who was looked at.")
    for path in lists:
        told = read_meta(path)
        if told.get("stable_id", "").endswith("_sequenced"):
            ids = frozenset(told.get("case_list_ids", "").split())
            return Profiled(ids, how="The list of sequenced samples says who was looked at.")
    return Profiled()


def _panel(path: Path) -> tuple[str, frozenset[str]] | None:
    """The genes of a panel from its definition."""
    told = {}
    with lines_of(path) as lines:
        for line in lines:
            key, _, value = line.partition(":")
            told[key.strip()] = value
    if "gene_list" not in told or not told.get("stable_id", "").strip():
        return None
    return told["stable_id"].strip(), frozenset(told["gene_list"].split())


def gene_columns(
    mutations: Mutations, profiled: Profiled, patients: pd.Series, *, least: int, most: int, chosen: tuple[str, ...]
) -> tuple[pd.DataFrame, int]:
    """A column for each gene that is mutated in enough patients.

    Parameters
    ----------
    mutations : Mutations
    profiled : Profiled
    patients : pandas.Series
        Patient of each sample; its index the samples.
    least, most : int
        Patients in whom a gene has to be mutated, and how many genes at most.
    chosen : tuple of str
        Genes that are wanted whatever these say.

    Returns
    -------
    frame : pandas.DataFrame
        Index patients; ``yes``, ``no``, or None where none of a patient's samples was looked at.
    n_left_out : int
        Genes that have no column.
    """
    of_sample = patients.to_dict()
    mutated = {gene: {of_sample[s] for s in samples} for gene, samples in mutations.by_gene.items()}
    frequent = sorted((gene for gene in mutated if len(mutated[gene]) >= least), key=lambda g: (-len(mutated[g]), g))
    wanted = tuple(dict.fromkeys([*(g for g in chosen if g in mutated), *frequent[:most]]))
    everyone = list(dict.fromkeys(of_sample.values()))
    columns = {gene: _cells(gene, mutated[gene], profiled, of_sample, everyone) for gene in wanted}
    return pd.DataFrame(columns, index=everyone, dtype=object), len(mutated) - len(wanted)


def _cells(
    gene: str, mutated: set[str], profiled: Profiled, of_sample: dict[str, str], everyone: list[str]
) -> list[str | None]:
    looked = {patient for sample, patient in of_sample.items() if profiled.looked(sample, gene)}
    return [YES if patient in mutated else NO if patient in looked else None for patient in everyone]
