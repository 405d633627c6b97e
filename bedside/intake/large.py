"""Cohorts of so many rows that they are counted in their file instead of being read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from bedside.intake.columns import clean_name
from bedside.intake.dictionary import FILE, MAX_BYTES
from bedside.intake.paths import beside, leads_out

MOST_ROWS = 500_000
"""Rows that a server reads: opening so many of 15 columns takes 1.4 seconds, and 350 megabytes for each session."""
MOST_CELLS = 20_000_000
"""And cells: as many as are brought of a live cohort, so that a page never lacks rows that were there before."""
ENDINGS = (".parquet", ".pq")


@dataclass(frozen=True)
class _Needs:
    """What a dictionary asks of its file: the file's name, and the columns that have to be dates there."""

    data: str
    dated: frozenset[str]


def is_large(folder: Path) -> bool:
    """True if a cohort's Parquet file holds more than is read into memory, and can be counted where it is.

    A file whose dictionary names no variables, or takes text for dates, is read whatever its size: what its columns
    are has to be seen in all rows.
    """
    file = data_of(folder)
    if file is None:
        return False
    try:
        seen = file.stat()
    except OSError:
        return False
    n_rows, n_columns = _size(file, seen.st_mtime_ns, seen.st_size)
    if n_rows <= MOST_ROWS and n_rows * n_columns <= MOST_CELLS:
        return False
    needs = _needs_of(folder)
    return needs is not None and needs.dated <= _dates(file, seen.st_mtime_ns, seen.st_size)


def data_of(folder: Path) -> Path | None:
    """The Parquet file of a cohort whose dictionary names its variables; None if it has none."""
    needs = _needs_of(folder)
    if needs is None or not needs.data.lower().endswith(ENDINGS):
        return None
    file = folder / needs.data
    return file if file.is_file() and not leads_out(file) else None


def _needs_of(folder: Path) -> _Needs | None:
    path = folder / FILE
    try:
        seen = path.stat()
        return _needs(path, seen.st_mtime_ns, seen.st_size)
    except OSError:
        return None


@lru_cache(maxsize=1024)
def _needs(path: Path, _changed: int, size: int) -> _Needs | None:
    """Of a dictionary as it is now; None of one that can't be read or names no variables."""
    try:
        told = json.loads(path.read_text(encoding="utf-8-sig")) if size <= MAX_BYTES and not leads_out(path) else {}
        variables = [v for v in told["variables"] if isinstance(v, dict)]
        data = beside(str(told.get("data", "")))
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return None
    dated = (v.get("name") for v in variables if v.get("kind") == "date")
    return _Needs(data, frozenset(clean_name(str(name)) for name in dated)) if variables else None


@lru_cache(maxsize=1024)
def _size(file: Path, _changed: int, _size: int) -> tuple[int, int]:
    """Rows and columns, as the end of a file says them; none of one that can't be read."""
    try:
        told = pq.read_metadata(file)
        return told.num_rows, told.num_columns
    except (pa.ArrowException, OSError):
        return 0, 0


@lru_cache(maxsize=256)
def _dates(file: Path, _changed: int, _size: int) -> frozenset[str]:
    """Names of the columns that are typed as dates or points in time."""
    try:
        schema = pq.read_schema(file)
    except (pa.ArrowException, OSError):
        return frozenset()
    kinds = zip(schema.names, schema.types, strict=True)
    return frozenset(clean_name(name) for name, kind in kinds if pa.types.is_date(kind) or pa.types.is_timestamp(kind))
