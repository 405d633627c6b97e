"""Many measurements of each patient, kept so that one of them is read without the others.

One Parquet column of numbers: all patients' values of the first feature, then of the second, and so on, a row group
for a few features each. Names and patients stand beside it. What was written is checked before it is used.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter, ValidationError

from bedside.errors import Fixable

VALUES, NAMES, PATIENTS, ABOUT = "values.parquet", "features.json", "patients.json", "table.json"
FORM = 1
GROUP_CELLS = 65_536
"""Cells of one row group: what is read for one feature."""
MOST_IN_GROUP = 256
MOST_FOUND = 12
"""Features that a search shows."""
LONGEST_FEATURE = 200

Scale = Literal["number", "copy number", "yes or no"]


@dataclass(frozen=True)
class WideReport:
    """What became of a wide table, in numbers.

    Attributes
    ----------
    turned : str
        ``"rows"`` if features stood in rows, ``"columns"`` if in columns.
    n_names : int
        Identifiers in the file.
    matched : tuple of (how, n)
        How many of them are patients of the cohort, and how they were known.
    n_strangers : int
        Identifiers of nobody in the cohort; left out.
    n_further : int
        Further samples of a patient; left out.
    n_without : int
        Patients of the cohort who are not in the file.
    n_doubled, n_unnamed : int
        Features with a name that stood before, and without a name.
    left_out : tuple of str
        Columns or rows without numbers, the first of them.
    n_left_out : int
    n_unread : int
        Cells that are no number, now not recorded.
    n_missing : int
        Cells without a value, the unread ones included.
    n_constant : int
        Features with one value, or none.
    notes : tuple of str
    """

    turned: Literal["rows", "columns"]
    n_names: int
    matched: tuple[tuple[str, int], ...] = ()
    n_strangers: int = 0
    n_further: int = 0
    n_without: int = 0
    n_doubled: int = 0
    n_unnamed: int = 0
    left_out: tuple[str, ...] = ()
    n_left_out: int = 0
    n_unread: int = 0
    n_missing: int = 0
    n_constant: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class WideAbout:
    """What a wide table is.

    Attributes
    ----------
    form : int
    n_features, n_patients, in_group : int
        ``in_group`` features lie in one row group.
    scale : str
        What kind of values all of them have.
    size, tail : int
        Bytes of the file of values, and of its end that says where everything is.
    tail_sha256, names_sha256, patients_sha256 : str
    report : WideReport
    """

    form: int
    n_features: int
    n_patients: int
    in_group: int
    scale: Scale
    size: int
    tail: int
    tail_sha256: str
    names_sha256: str
    patients_sha256: str
    report: WideReport


_ABOUTS: TypeAdapter[WideAbout] = TypeAdapter(WideAbout)


# ------------------------------------------------------------------ writing


@dataclass(eq=False)
class WideWriter:
    """Writes features one after another, a few at a time, so that memory stays flat.

    Parameters
    ----------
    folder : Path
        Empty.
    patients : sequence of str
    single : bool
        Values are kept with single precision, as the file had them.
    """

    folder: Path
    patients: Sequence[str]
    single: bool = False
    names: list[str] = field(default_factory=list)
    n_missing: int = 0
    n_constant: int = 0
    _waiting: list[np.ndarray] = field(default_factory=list)
    _codes: set[float] | None = field(default_factory=set)

    def __post_init__(self) -> None:
        self.in_group = min(MOST_IN_GROUP, max(1, GROUP_CELLS // max(len(self.patients), 1)))
        self._kind = np.float32 if self.single else np.float64
        self._schema = pa.schema([("value", pa.float32() if self.single else pa.float64())])

    def __enter__(self) -> WideWriter:
        self._file = pq.ParquetWriter(
            self.folder / VALUES, self._schema, compression="zstd", use_dictionary=False, write_statistics=False,
            write_page_checksum=True, use_byte_stream_split=True,
        )  # fmt: skip
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None):
        if kind is None and self._waiting:
            self._flush(len(self._waiting))
        self._file.close()

    def add(self, names: Sequence[str], values: np.ndarray) -> None:
        """Features with their values, shape (n_features, n_patients); NaN where there is none."""
        values = np.ascontiguousarray(values, dtype=self._kind)
        gone = np.isnan(values)
        self.n_missing += int(gone.sum())
        low, high = np.where(gone, np.inf, values).min(axis=1), np.where(gone, -np.inf, values).max(axis=1)
        self.n_constant += int((low >= high).sum())
        self._look(values, gone)
        self.names.extend(names)
        self._waiting.extend(values)
        while len(self._waiting) >= self.in_group:
            self._flush(self.in_group)

    def _look(self, values: np.ndarray, gone: np.ndarray) -> None:
        """Whether all values are a few codes, given up at the first that is none."""
        if self._codes is None:
            return
        few = np.isin(values, (-2.0, -1.5, -1.0, 0.0, 1.0, 2.0))
        if not (few | gone).all():
            self._codes = None
            return
        self._codes |= {code for code in (-2.0, -1.5, -1.0, 0.0, 1.0, 2.0) if (values == code).any()}

    @property
    def scale(self) -> Scale:
        """What the values are, by their looks."""
        if not self._codes:
            return "number"
        return "yes or no" if self._codes <= {0.0, 1.0} else "copy number"

    def _flush(self, n: int) -> None:
        flat = np.concatenate(self._waiting[:n])
        del self._waiting[:n]
        self._file.write_table(pa.table([pa.array(flat)], schema=self._schema), row_group_size=len(flat))

    def finish(self, report: WideReport, scale: Scale | None = None) -> WideAbout:
        """Write down what was written; call it after the block has ended."""
        size, tail, seal = _tail(self.folder / VALUES)
        about = WideAbout(
            FORM, len(self.names), len(self.patients), self.in_group, scale or self.scale, size, tail, seal,
            _listed(self.folder / NAMES, self.names), _listed(self.folder / PATIENTS, self.patients), report,
        )  # fmt: skip
        (self.folder / ABOUT).write_text(json.dumps(asdict(about), ensure_ascii=False), encoding="utf-8")
        return about


def _listed(path: Path, texts: Sequence[str]) -> str:
    data = json.dumps(list(texts), ensure_ascii=False).encode("utf-8", "replace")
    path.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def _tail(path: Path) -> tuple[int, int, str]:
    """Bytes of a Parquet file, bytes of its description at the end, and what they are."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(size - 8)
        tail = int.from_bytes(file.read(4), "little") + 8
        file.seek(size - tail)
        return size, tail, hashlib.sha256(file.read()).hexdigest()


# ------------------------------------------------------------------ reading


@dataclass(frozen=True, eq=False)
class Wide:
    """A wide table on disk; a feature is read when it is asked for.

    Attributes
    ----------
    folder : Path
    about : WideAbout
    names : tuple of str
        Of the features, in order.
    patients : tuple of str
        Identifiers, in the order of a feature's values.
    """

    folder: Path
    about: WideAbout
    names: tuple[str, ...]
    patients: tuple[str, ...]

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.names)}

    @cached_property
    def _folded(self) -> list[str]:
        return [name.casefold() for name in self.names]

    @cached_property
    def _told(self) -> pq.FileMetaData:
        """Where each row group lies; read once."""
        return self._opened(None).metadata

    @property
    def seal(self) -> str:
        """What tells the content of one table from another's."""
        return f"{self.about.tail_sha256}{self.about.names_sha256}{self.about.patients_sha256}"

    def has(self, name: str) -> bool:
        """True if there is a feature of that name."""
        return name in self._places

    def search(self, text: str, *, most: int = MOST_FOUND) -> tuple[tuple[str, ...], int]:
        """Names that hold a text, the same letters first, then those that begin with it; and how many there are."""
        wanted = text.strip().casefold()
        if not wanted:
            return (), 0
        found = [i for i, name in enumerate(self._folded) if wanted in name]
        folded = self._folded
        found.sort(key=lambda i: (folded[i] != wanted, not folded[i].startswith(wanted), len(folded[i]), i))
        return tuple(self.names[i] for i in found[:most]), len(found)

    def values(self, name: str) -> np.ndarray:
        """All patients' values of one feature, float64, NaN where there is none; reads one row group.

        Raises
        ------
        Fixable
            If there is none of that name, or the file is damaged.
        """
        place = self._places.get(name)
        if place is None:
            raise Fixable(
                "That measurement is not in the attached table.", "It has no column of the name that was asked for.",
                "Search for another one.",
            )  # fmt: skip
        group, within = divmod(place, self.about.in_group)
        try:
            read = self._opened(self._told).read_row_group(group, use_threads=False).column(0).to_numpy()
        except (pa.ArrowException, OSError, zlib.error) as fault:
            raise damaged() from fault
        n = self.about.n_patients
        if len(read) < (within + 1) * n:
            raise damaged()
        return read[within * n : (within + 1) * n].astype(np.float64)

    def _opened(self, told: pq.FileMetaData | None) -> pq.ParquetFile:
        try:
            return pq.ParquetFile(self.folder / VALUES, metadata=told, page_checksum_verification=True)
        except (pa.ArrowException, OSError) as fault:
            raise damaged() from fault


def open_wide(folder: Path) -> Wide:
    """A wide table that was written, checked as far as it can be without reading its values.

    Raises
    ------
    Fixable
        If it is damaged, or of a newer form.
    """
    try:
        about = _ABOUTS.validate_json((folder / ABOUT).read_bytes())
        if about.form > FORM:
            raise damaged("It was attached by a newer Bedside.")
        names = _read_list(folder, NAMES, about.names_sha256, about.n_features)
        patients = _read_list(folder, PATIENTS, about.patients_sha256, about.n_patients)
        size = (folder / VALUES).stat().st_size
        if size != about.size or _tail(folder / VALUES) != (about.size, about.tail, about.tail_sha256):
            raise damaged()
    except (OSError, ValidationError, ValueError) as fault:
        raise damaged() from fault
    return Wide(folder, about, names, patients)


def _read_list(folder: Path, name: str, seal: str, n: int) -> tuple[str, ...]:
    data = (folder / name).read_bytes()
    told: Any = json.loads(data) if hashlib.sha256(data).hexdigest() == seal else None
    if not isinstance(told, list) or len(told) != n:
        raise damaged()
    return tuple(map(str, told))


def damaged(why: str = "Its file is damaged or not there.") -> Fixable:
    """The refusal of a table that can't be read; the cohort itself is not touched."""
    return Fixable(
        "An attached table can't be read.", f"{why} The cohort itself is whole.",
        "Remove the table and attach its file again, or put it back from a backup.",
    )  # fmt: skip
