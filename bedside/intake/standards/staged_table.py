"""One file of a standard as columns: staged in a process of its own, then only what is asked for is loaded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bedside.intake.columns import MISSING, Column
from bedside.intake.staging import Staged, stage, staging_folder

SAS_DAY_0 = np.datetime64("1960-01-01", "D")
_SAS_DAYS = (-22_000, 60_000)
"""Days since 1960 that are taken for a date: 1899 to 2124."""
_WRITTEN = ("%d%b%Y", "%d-%b-%Y", "%d/%b/%Y", "%Y%m%d")


@dataclass(frozen=True)
class StagedTable:
    """A staged file whose columns are known by their names in upper case."""

    staged: Staged

    @property
    def names(self) -> tuple[str, ...]:
        """Names in upper case, each once, in the file's order."""
        return tuple(dict.fromkeys(column.name.upper() for column in self.staged.columns))

    @property
    def n_rows(self) -> int:
        """Rows, those with another number of cells not among them."""
        return self.staged.n_rows

    def label(self, name: str) -> str:
        """What a statistics package calls a column."""
        return next((c.label for c in self.staged.columns if c.name.upper() == name), "")

    def frame(self, names: Sequence[str]) -> pd.DataFrame:
        """These columns where they are there; text without blanks around it, None where nothing was recorded."""
        places: dict[str, str] = {}
        for column in self.staged.columns:
            places.setdefault(column.name.upper(), self.staged.place(column.name))
        wanted = {name: places[name] for name in names if name in places}
        table = pq.read_table(self.staged.file, columns=list(dict.fromkeys(wanted.values())))
        return pd.DataFrame({name: _column(table.column(place)) for name, place in wanted.items()})

    def coded(self, name: str) -> Coded | None:
        """A column as numbers that stand for its different cells, read without making an object of each row."""
        place = next((self.staged.place(c.name) for c in self.staged.columns if c.name.upper() == name), None)
        if place is None:
            return None
        kind = pq.read_schema(self.staged.file).field(place).type
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            return Coded(*coded(self.frame([name])[name]))
        read = pq.read_table(self.staged.file, columns=[place], read_dictionary=[place]).column(0)
        cells = read.unify_dictionaries().combine_chunks()
        if isinstance(cells, pa.ChunkedArray):
            cells = cells.chunk(0) if cells.num_chunks else pa.array([], pa.string()).dictionary_encode()
        texts = [None if text is None or (bare := text.strip()) in MISSING else bare
                 for text in cells.dictionary.to_pylist()]  # fmt: skip
        names = list(dict.fromkeys(text for text in texts if text is not None))
        place_of = {text: i for i, text in enumerate(names)}
        again = np.array([*(-1 if text is None else place_of[text] for text in texts), -1], dtype=np.int32)
        return Coded(again[cells.indices.fill_null(-1).to_numpy(zero_copy_only=False)], names)


@dataclass(frozen=True, eq=False)
class Coded:
    """A column as whole numbers and what they stand for; -1 where nothing was recorded."""

    codes: np.ndarray
    names: list[str]

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def filled(self) -> np.ndarray:
        """True where something was recorded."""
        return self.codes >= 0

    def of(self, values: np.ndarray) -> np.ndarray:
        """For each row the value that belongs to its cell; the last of ``values`` where nothing was recorded."""
        return values[self.codes]

    def numbers(self) -> np.ndarray:
        """float64, NaN where there is no finite number."""
        return self.of(np.append(numbers_of(pd.Series(self.names, dtype=object)), np.nan))

    def days(self) -> np.ndarray:
        """datetime64[D], NaT where there is no date."""
        return self.of(np.append(days_of(pd.Series(self.names, dtype=object)), np.datetime64("NaT", "D")))

    def equals(self, text: str) -> np.ndarray:
        """True where this was recorded."""
        return self.of(np.array([*(name == text for name in self.names), False], dtype=bool))


def _column(values: pa.ChunkedArray) -> pd.Series:
    """Trimmed before it leaves Arrow: there a text that stands in many rows becomes one Python object."""
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        trimmed = pc.utf8_trim_whitespace(values)
        gone = pc.is_in(trimmed, pa.array(sorted(MISSING), trimmed.type))
        values = pc.if_else(gone, pa.scalar(None, trimmed.type), trimmed)
    return values.to_pandas(date_as_object=False)


def coded(values: pd.Series) -> tuple[np.ndarray, list[str]]:
    """A column as whole numbers and what they stand for; -1 where nothing was recorded."""
    found = pa.array(texts_of(values), pa.string()).dictionary_encode()
    numbers = found.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return numbers.astype(np.int32), found.dictionary.to_pylist()


@contextmanager
def staged_table(path: Path, name: str) -> Iterator[StagedTable]:
    """A file, staged for as long as the block lasts.

    Raises
    ------
    Fixable
        If it can't be read.
    """
    with staging_folder() as folder:
        yield StagedTable(stage(path, name, folder))


def numbers_of(values: pd.Series) -> np.ndarray:
    """float64, NaN where there is no finite number."""
    # The nearest float64, which pandas' own parser of text is not.
    found = Column.of(values).numbers()[0]
    return np.where(np.isfinite(found), found, np.nan)


def texts_of(values: pd.Series) -> pd.Series:
    """Text, None where missing; whole numbers without a point."""
    if values.dtype == object:
        if pd.api.types.infer_dtype(values, skipna=True) in ("string", "empty"):
            return values
        return values.map(lambda cell: None if cell is None or cell != cell else str(cell)).astype(object)
    if values.dtype.kind == "f":
        return values.map(lambda cell: None if cell != cell else f"{cell:.15g}").astype(object)
    return values.map(lambda cell: None if pd.isna(cell) else str(cell)).astype(object)


def days_of(values: pd.Series) -> np.ndarray:
    """datetime64[D], NaT where there is no date: ISO, ``04MAY2020``, or days since 1960 as SAS keeps them."""
    if values.dtype.kind == "M":
        return values.to_numpy(dtype="datetime64[D]")
    numbers = numbers_of(values)
    if np.isfinite(numbers).any():
        return _sas_days(numbers)
    texts = values.astype(object).map(lambda cell: None if cell is None or cell != cell else str(cell).strip())
    found = pd.to_datetime(texts, format="ISO8601", errors="coerce", utc=True).dt.tz_localize(None)
    for form in _WRITTEN:
        rest = found.isna() & texts.notna()
        if not rest.any():
            break
        first = texts[rest].str.split(":").str[0]
        found = found.where(~rest, pd.to_datetime(first.reindex(texts.index), format=form, errors="coerce"))
    return found.to_numpy(dtype="datetime64[us]").astype("datetime64[D]")


def _sas_days(numbers: np.ndarray) -> np.ndarray:
    """Days since 1960; of numbers beyond any such day, seconds since then."""
    usual = np.nanmedian(np.abs(numbers))
    days = numbers / 86_400 if usual > 10**8 else numbers
    fits = (days > _SAS_DAYS[0]) & (days < _SAS_DAYS[1]) & (usual > 1000)
    whole = np.where(fits, np.floor(np.where(fits, days, 0)), 0).astype("timedelta64[D]")
    return np.where(fits, SAS_DAY_0 + whole, np.datetime64("NaT", "D"))
