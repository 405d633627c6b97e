"""A column as it was read, and the four ways to understand it."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from bedside.cohort.codes import normal_code

MISSING = frozenset({"", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "#N/A", "<NA>", "NaT", "."})
"""Cells that mean "not recorded"."""

# "True", "1_000", "0x1A" and "1,5" are read as numbers by some parsers; here they are faults.
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


def clean_name(name: object) -> str:
    """A column name in one spelling: composed characters, no blanks or byte order mark around it."""
    return unicodedata.normalize("NFC", str(name)).strip().strip("\ufeff").strip()


@dataclass(frozen=True)
class Table:
    """Columns under their cleaned names, in file order, with the file's name for messages."""

    file: str
    names: tuple[str, ...]
    columns: tuple[Column, ...]
    n_rows: int

    def column(self, name: str) -> Column:
        """The column of that name."""
        return self.columns[self.names.index(name)]


class Column:
    """One column, typed as the file had it.

    Rules are applied to whole arrays; codes are looked at once for each
    distinct value and not in every row.
    """

    def __init__(self, array: pa.Array | pa.ChunkedArray) -> None:
        if isinstance(array, pa.ChunkedArray):
            array = array.unify_dictionaries().combine_chunks() if array.num_chunks != 1 else array.chunk(0)
        if isinstance(array, pa.ChunkedArray):
            array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
        self.array = array.cast(pa.string()) if pa.types.is_null(array.type) else array
        self._coded: tuple[np.ndarray, tuple[str, ...]] | None = None

    @classmethod
    def of(cls, series: pd.Series) -> Column:
        """A pandas column; a mixture of types is read as text, cell by cell."""
        try:
            return cls(pa.array(series, from_pandas=True))
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, UnicodeEncodeError):
            missing = series.isna().to_numpy()
            cells = [None if gone else _encodable(cell) for cell, gone in zip(series, missing, strict=True)]
            return cls(pa.array(cells, pa.string()))

    def __len__(self) -> int:
        return len(self.array)

    @property
    def type(self) -> pa.DataType:
        """Type of the values, seen through a dictionary encoding."""
        kind = self.array.type
        return kind.value_type if pa.types.is_dictionary(kind) else kind

    @property
    def is_ordered(self) -> bool:
        """True if the file itself lists the categories, in an order of its own."""
        return pa.types.is_dictionary(self.array.type)

    @property
    def is_text(self) -> bool:
        """True for text of any width."""
        return (
            pa.types.is_string(self.type) or pa.types.is_large_string(self.type) or pa.types.is_string_view(self.type)
        )

    @property
    def is_date(self) -> bool:
        """True for dates and points in time."""
        return pa.types.is_date(self.type) or pa.types.is_timestamp(self.type)

    @property
    def is_plain(self) -> bool:
        """True for numbers, truth values, text and dates: what fits in one cell of a sheet."""
        numeric = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean)
        return self.is_text or self.is_date or any(check(self.type) for check in numeric)

    def numbers(self) -> tuple[np.ndarray, np.ndarray]:
        """Values as float64 with NaN where missing, and where a value is no finite number.

        Returns
        -------
        values : array, shape (n_rows,)
        wrong : array of bool, shape (n_rows,)
        """
        if self.is_date or not self.is_plain:
            return np.full(len(self), np.nan), self.present()
        if self.is_text:
            values = _parse(self._trimmed)
            return values, self.present() & ~np.isfinite(values)
        array = self.array.dictionary_decode() if pa.types.is_dictionary(self.array.type) else self.array
        if pa.types.is_boolean(array.type):
            array = array.cast(pa.int8())
        if pa.types.is_decimal(array.type):
            # Arrow divides by a power of ten that is rounded itself: 0.70 would become 0.7000000000000001.
            array = array.cast(pa.string())
        values = array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        return values, np.isinf(values)

    @property
    def n_distinct(self) -> int:
        """How many different values there are, missing not counted."""
        if self.is_ordered:
            return len(self._encode()[1])
        return int(pc.count_distinct(self._trimmed if self.is_text else self.array, mode="only_valid").as_py())

    @property
    def keeps_zeros(self) -> bool:
        """True if a text begins with a zero that a number would lose, as in ``"007"``."""
        return self.is_text and bool(pc.any(pc.match_substring_regex(self._trimmed, r"^[+-]?0\d")).as_py())

    def codes(self, known: Sequence[str] = ()) -> tuple[np.ndarray, tuple[str, ...]]:
        """Values as positions in a tuple of the normalised codes that occur, -1 where missing.

        ``known`` are the codes to expect: where they are 0 and 1, a column of
        truth values is read as those.
        """
        index, texts = self._encode()
        normal = [normal_code(text) for text in texts]
        if pa.types.is_boolean(self.type) and {"0", "1"} & set(known):
            normal = [{"true": "1", "false": "0"}[code] for code in normal]
        distinct = tuple(dict.fromkeys(normal))
        if len(distinct) == len(texts):
            return index, distinct
        place = {code: i for i, code in enumerate(distinct)}
        return np.append([place[code] for code in normal], -1)[index], distinct

    def present(self) -> np.ndarray:
        """Where there is a value, shape (n_rows,)."""
        if self.is_text:
            return pc.is_valid(self._trimmed).to_numpy(zero_copy_only=False)
        there = pc.is_valid(self.array).to_numpy(zero_copy_only=False)
        if pa.types.is_floating(self.type):
            there &= ~np.isnan(self.numbers()[0])
        return there

    def texts(self) -> np.ndarray:
        """Values as text, exactly as written but for blanks around them; None where missing."""
        if pa.types.is_integer(self.array.type):
            return np.array(self.array.cast(pa.string()).to_pylist(), dtype=object)
        if self.is_text and not self.is_ordered:
            return np.array(self._trimmed.to_pylist(), dtype=object)
        index, texts = self._encode()
        spelled = texts if self.is_text else tuple(normal_code(text) for text in texts)
        return np.array([*spelled, None], dtype=object)[index]

    def dates(self) -> tuple[np.ndarray, np.ndarray]:
        """Values as datetime64[us] without a zone (UTC), and where a value is no date."""
        if self.is_date:
            return self.array.cast(pa.timestamp("us"), safe=False).to_numpy(zero_copy_only=False), np.zeros(
                len(self), bool
            )
        index, texts = self._encode()
        parsed = pd.to_datetime(pd.Series(texts, dtype=object), format="ISO8601", errors="coerce", utc=True)
        days = parsed.dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
        values = np.append(days, np.datetime64("NaT"))[index]
        return values, (index >= 0) & np.isnat(values)

    def _encode(self) -> tuple[np.ndarray, tuple[str, ...]]:
        if self._coded is None:
            self._coded = self._encoded()
        return self._coded

    @cached_property
    def _trimmed(self) -> pa.Array:
        """Text without blanks around it, null where it says that nothing was recorded."""
        texts = self.array.dictionary_decode() if self.is_ordered else self.array
        trimmed = pc.utf8_trim_whitespace(texts)
        gone = pc.is_in(trimmed, pa.array(sorted(MISSING), trimmed.type))
        return pc.if_else(gone, pa.scalar(None, trimmed.type), trimmed)

    def _encoded(self) -> tuple[np.ndarray, tuple[str, ...]]:
        if self.is_text and not self.is_ordered:
            coded = self._trimmed.dictionary_encode()
            index = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
            return index.astype(np.int64), tuple(coded.dictionary.to_pylist())
        array = self.array if self.is_plain else pa.array([None] * len(self), pa.string())
        coded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
        raw = coded.dictionary.cast(pa.string()).to_pylist() if not self.is_text else coded.dictionary.to_pylist()
        index = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        used = np.zeros(len(raw) + 1, dtype=bool)
        used[index] = True
        trimmed = [text.strip() if text is not None and there else "" for text, there in zip(raw, used, strict=False)]
        distinct = tuple(dict.fromkeys(text for text in trimmed if text not in MISSING))
        place = {text: i for i, text in enumerate(distinct)}
        return np.array([place.get(text, -1) for text in trimmed] + [-1], dtype=np.int64)[index], distinct


def _encodable(cell: object) -> str:
    return str(cell).encode("utf-8", "replace").decode("utf-8")


def _parse(texts: pa.Array) -> np.ndarray:
    """Texts as the nearest float64, NaN for everything that is not plainly a number."""
    try:
        return texts.cast(pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        plain = pc.match_substring_regex(texts, _NUMBER)
    numbers = pc.utf8_ltrim(pc.if_else(plain, texts, pa.scalar(None, texts.type)), "+")
    return numbers.cast(pa.float64()).to_numpy(zero_copy_only=False)
