"""A wide table as it is brought becomes one that a feature is read from: inside a process with limits."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from bedside.errors import Fixable
from bedside.intake.columns import clean_name
from bedside.intake.formats.recognise import recognise
from bedside.intake.formats.unpack import unpacked
from bedside.intake.staging import WHAT, Progress
from bedside.intake.wide_grid import MOST_COLUMNS, Block, Grid, ParquetGrid
from bedside.intake.wide_match import Known, Matched
from bedside.intake.wide_table import LONGEST_FEATURE, Scale, WideReport, WideWriter
from bedside.intake.wide_text import TextGrid

MOST_PACKED = 250 * 2**20
NAMED = 8
"""Of what is left out, how many are named."""

SYMBOLS = (
    "hugo_symbol", "gene_symbol", "symbol", "gene", "gene_name", "name", "probe", "probe_id", "id_ref", "protein",
    "composite.element.ref", "id", "entrez_gene_id", "gene_id", "ensembl_gene_id",
)  # fmt: skip
"""What columns with the names of features are called, in lower case; the earlier ones go first."""

BESIDE = ("cytoband", "description", "chromosome", "chr", "start", "end", "strand", "gene_type", "location")
"""Columns that say more of a feature, and are neither its name nor a sample."""

Turned = Literal["rows", "columns"]


@dataclass(frozen=True)
class Looks:
    """How a table stands.

    Attributes
    ----------
    turned : str
        Features in ``"rows"`` or in ``"columns"``.
    identifiers : int or None
        Column that holds those of patients, where features are in columns.
    names : tuple of int
        Columns that hold the names of features, best first, where they are in rows.
    beside : tuple of int
        Further columns that hold no sample.
    """

    turned: Turned
    identifiers: int | None = None
    names: tuple[int, ...] = ()
    beside: tuple[int, ...] = ()


def write_wide(
    source: Path, folder: Path, patients: Sequence[str], *, samples: Mapping[str, str] | None = None,
    turned: str = "", scale: Scale | None = None, progress: Progress,
) -> dict[str, Any]:  # fmt: skip
    """Write a wide table into ``folder / "table"``; what it is, as plain lists and mappings.

    Parameters
    ----------
    source : Path
        Parquet, CSV or TSV, plain or packed.
    folder : Path
    patients : sequence of str
        Identifiers of the cohort.
    samples : mapping of str to str, optional
        Patient of each sample.
    turned : str
        ``"rows"`` or ``"columns"`` if the reader says where the features are.
    scale : str, optional
        What the values are; by default found out.
    progress : callable

    Raises
    ------
    Fixable
        If it is no such table, is larger than is read, or holds nobody of the cohort.
    """
    size = source.stat().st_size
    if not size or size > MOST_PACKED:
        why = "It is empty." if not size else f"It has {size / 2**20:,.0f} MB; at most {MOST_PACKED // 2**20} are read."
        raise Fixable(WHAT, why, "Bring it as Parquet, which is smaller, or in parts.")
    progress(0.0, "Looking at the file")
    plain, notes = unpacked(source, folder)
    kind = recognise(plain)
    if kind not in ("parquet", "csv"):
        raise Fixable(
            WHAT, "A table of many measurements is read from Parquet, CSV or TSV.", "Save it as one of these."
        )
    grid: Grid = ParquetGrid(plain) if kind == "parquet" else TextGrid(plain, folder)
    known = Known(patients, samples)
    looks = _looks(grid, known, turned)
    into = folder / "table"
    into.mkdir(mode=0o700)
    writing = _Writing(into, grid, known, len(patients), progress)
    report, scale_found = writing.rows(looks) if looks.turned == "rows" else writing.columns(looks)
    report = {**report, "notes": (*notes, *_ragged(grid))}
    about = writing.writer.finish(WideReport(**report), scale or scale_found)
    return {"about": asdict(about), "sha256": _digest(source), "size": size}


def _ragged(grid: Grid) -> tuple[str, ...]:
    n = grid.n_ragged
    return (f"{n:,} lines have more or fewer cells than the header; left out.",) if n else ()


# ------------------------------------------------------------------ which way it stands


def _looks(grid: Grid, known: Known, turned: str) -> Looks:
    """Where patients are: in the header, or in a column; where more of them are found."""
    across = known.count(grid.names) if turned != "columns" else 0
    best, column = 0, None
    for i in grid.texts if turned != "rows" else ():
        found = known.count(grid.texts_of(i))
        if found > best:
            best, column = found, i
    if not across and not best:
        looked = ", ".join(f"“{grid.names[i][:40] or f'column {i + 1}'}”" for i in grid.texts[:5])
        raise Fixable(
            "Nobody of the cohort is in this table.",
            "None of the names of its columns is a patient of the cohort, or a sample of one; nor is any cell of "
            f"{looked or 'any column of text'}.",
            "Look at whether it belongs to this cohort, and how both write the identifier of a patient.",
        )  # fmt: skip
    if across >= best:
        strange = [i for i, name in enumerate(grid.names) if known.patient(name) is None]
        called = sorted((i for i in strange if _rank(grid.names[i]) < len(SYMBOLS)), key=lambda i: _rank(grid.names[i]))
        beside = [i for i in strange if clean_name(grid.names[i]).lower() in BESIDE]
        rest = [i for i in grid.texts if i in strange and i not in called and i not in beside]
        # Where no column is called so, the first one of text holds the names.
        return Looks("rows", names=tuple(called or rest[:1]), beside=(*beside, *rest))
    return Looks("columns", identifiers=column)


def _rank(name: str) -> int:
    folded = clean_name(name).lower()
    return SYMBOLS.index(folded) if folded in SYMBOLS else len(SYMBOLS)


# ------------------------------------------------------------------ writing


class _Writing:
    """The features of a grid on their way into a table."""

    writer: WideWriter

    def __init__(self, into: Path, grid: Grid, known: Known, n_patients: int, progress: Progress) -> None:
        self._into, self._grid, self._known, self._n, self._progress = into, grid, known, n_patients, progress
        self._taken: set[str] = set()
        self._counts: Counter[str] = Counter()
        self._left: list[str] = []

    def rows(self, looks: Looks) -> tuple[dict[str, Any], Scale]:
        """Features in rows, samples in columns."""
        beside = {*looks.names, *looks.beside}
        candidates = [i for i in range(len(self._grid.names)) if i not in beside]
        matched = self._known.match([self._grid.names[i] for i in candidates])
        columns = [candidates[i] for i in matched.places]
        texts = [self._grid.texts_of(i) for i in looks.names[:3]]
        n_rows = len(texts[0]) if texts else 0
        names = self._named([next((t for each in texts if (t := clean_name(each[row]))), "") for row in range(n_rows)])
        done = 0
        with WideWriter(self._into, matched.patients, single=self._grid.single) as self.writer:
            for block in self._grid.by_rows(columns):
                n = len(block.values)
                self._add(names[done : done + n] or self._named([""] * n), block, block.values)
                done += n
                self._progress(min(done / max(n_rows, 1), 1.0), f"{done:,} features read")
        return self._told("rows", len(candidates), matched), self.writer.scale

    def columns(self, looks: Looks) -> tuple[dict[str, Any], Scale]:
        """Features in columns, patients in rows."""
        assert looks.identifiers is not None  # found before
        identifiers = self._grid.texts_of(looks.identifiers)
        matched = self._known.match(identifiers)
        columns = [i for i in self._grid.numbers if i != looks.identifiers]
        if len(columns) > MOST_COLUMNS:
            raise Fixable(
                WHAT, f"It has {len(columns):,} columns of numbers; at most {MOST_COLUMNS:,} are read.",
                "Leave out those that are not needed, or attach it in parts.",
            )  # fmt: skip
        kept = {*columns, looks.identifiers}
        for i, name in enumerate(self._grid.names):
            if i not in kept:
                self._leave(name)
        names = self._named([self._grid.names[i] for i in columns])
        done = 0
        with WideWriter(self._into, matched.patients, single=self._grid.single) as self.writer:
            for block in self._grid.by_columns(columns):
                n = len(block.values)
                self._add(names[done : done + n], block, block.values[:, matched.places])
                done += n
                self._progress(min(done / max(len(columns), 1), 1.0), f"{done:,} features read")
        return self._told("columns", len(identifiers), matched), self.writer.scale

    def _named(self, texts: Sequence[str]) -> list[str]:
        """A name for each feature, no two alike."""
        found = []
        for text in texts:
            name = clean_name(text)[:LONGEST_FEATURE]
            if not name:
                self._counts["unnamed"] += 1
                name = f"feature {len(self._taken) + 1}"
            base, n = name, 1
            while name in self._taken:
                n += 1
                name = f"{base} ({n})"
            self._counts["doubled"] += n > 1
            self._taken.add(name)
            found.append(name)
        return found

    def _add(self, names: Sequence[str], block: Block, values: np.ndarray) -> None:
        """Features that are mostly numbers; the others are left out and named."""
        odd = block.n_unread > block.n_present / 2
        self._counts["unread"] += int(block.n_unread[~odd].sum())
        for i in np.flatnonzero(odd):
            self._leave(names[i])
        if not odd.all():
            self.writer.add([name for i, name in enumerate(names) if not odd[i]], values[~odd])

    def _leave(self, name: str) -> None:
        self._counts["left out"] += 1
        if len(self._left) < NAMED:
            self._left.append(clean_name(name)[:80] or "a column without a name")

    def _told(self, turned: Turned, n_names: int, matched: Matched) -> dict[str, Any]:
        if not self.writer.names:
            raise Fixable(
                WHAT, "None of its features holds numbers.", "Bring a table with a number for each patient."
            )  # fmt: skip
        return {
            "turned": turned, "n_names": n_names, "matched": matched.how, "n_strangers": matched.n_strangers,
            "n_further": matched.n_further, "n_without": self._n - len(matched.patients),
            "n_doubled": self._counts["doubled"], "n_unnamed": self._counts["unnamed"], "left_out": tuple(self._left),
            "n_left_out": self._counts["left out"], "n_unread": self._counts["unread"],
            "n_missing": self.writer.n_missing, "n_constant": self.writer.n_constant,
        }  # fmt: skip


def _digest(path: Path) -> str:
    seal = hashlib.sha256()
    with path.open("rb") as file:
        for part in _parts(file):
            seal.update(part)
    return seal.hexdigest()


def _parts(file: Any) -> Iterator[bytes]:
    while part := file.read(2**20):
        yield part
