"""Numbers of measurements over time: read by one decision about their marks, and compared with those of the cohort."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bedside.intake.columns import MISSING
from bedside.intake.guess import as_number, decimal_fits

LIMIT = re.compile(r"^[<>≤≥]=?\s*")
APART = 5.0
"""Times by which measurements differ from those of the same patients in the cohort, from which on they are others."""
_FEW = 3
_LOOKED_AT = 5_000
_PLAIN = {".": r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$", ",": r"^[+-]?(\d+|\d*,\d+)([eE][+-]?\d+)?$"}
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")
_BELOW_ONE = re.compile(r"[+-]?0[.,]\d+")
"""No group of thousands begins with a zero."""
_SAID = {".": "points", ",": "commas"}


def texts_of(array: pa.Array) -> pa.Array:
    """Text without blanks around it; None where nothing stands, or what means so."""
    text = pc.utf8_trim_whitespace(pc.cast(array, pa.string()))
    return pc.if_else(pc.is_in(text, pa.array(sorted(MISSING))), pa.scalar(None, pa.string()), text)


def decimal_of(columns: Sequence[pa.Array], usual: str) -> tuple[str, bool]:
    """The decimal mark of a file, and whether any of its cells can be read with that one alone.

    Parameters
    ----------
    columns : sequence of Array
    usual : {".", ","}
        If no cell says it.
    """
    votes = {".": 0, ",": 0}
    for array in columns:
        if _typed(array):
            continue
        mark = _told(_marked(array))
        if mark:
            votes[mark] += 1
    if votes["."] == votes[","]:
        return usual, False
    return max(votes, key=lambda mark: votes[mark]), True


def numbers_of(array: pa.Array, decimal: str, *, sure: bool = True) -> tuple[np.ndarray, int, str]:
    """float64 with NaN where there is no number, how many limits were read as one, and what has to be said of marks.

    Parameters
    ----------
    array : Array
    decimal : {".", ","}
        Of the file.
    sure : bool
        False if no cell of the file says so.

    Returns
    -------
    tuple of (array of float, int, str)
    """
    if _typed(array):
        values = pc.cast(array, pa.float64(), safe=False).to_numpy(zero_copy_only=False).astype(float)
        return np.where(np.isinf(values), np.nan, values), 0, ""
    texts = texts_of(array)
    limits = pc.match_substring_regex(texts, LIMIT.pattern).fill_null(False).to_numpy(zero_copy_only=False)
    bare = pc.replace_substring_regex(texts, LIMIT.pattern, "")
    marked = _marked(bare)
    own = _told(marked)
    mark = own or decimal
    plain = pc.match_substring_regex(bare, _PLAIN[mark]).fill_null(False)
    pointed = pc.replace_substring(bare, ",", ".") if mark == "," else bare
    values = pc.cast(pc.if_else(plain, pointed, pa.scalar(None, pa.string())), pa.float64())
    found = values.to_numpy(zero_copy_only=False).astype(float)
    n_parted = _others(found, bare, plain.to_numpy(zero_copy_only=False), mark)
    found[np.isinf(found)] = np.nan
    return found, int((limits & ~np.isnan(found)).sum()), _note(marked, mark, own, sure, n_parted)


def _typed(array: pa.Array) -> bool:
    return pa.types.is_integer(array.type) or pa.types.is_floating(array.type) or pa.types.is_boolean(array.type)


def _marked(array: pa.Array) -> dict[str, int]:
    """The first different cells with a point or a comma, and how often each occurs."""
    bare = pc.replace_substring_regex(texts_of(array), LIMIT.pattern, "")
    with_marks = bare.filter(pc.match_substring_regex(bare, "[.,]").fill_null(False))
    counts = pc.value_counts(with_marks.slice(0, 20 * _LOOKED_AT)).slice(0, _LOOKED_AT).to_pylist()
    return {each["values"]: each["counts"] for each in counts}


def _told(marked: dict[str, int]) -> str:
    """The decimal mark that the cells of a column need; empty where either can be it."""
    below = {cell.lstrip("+-")[1] for cell in marked if _BELOW_ONE.fullmatch(cell)}
    if len(below) == 1:
        return below.pop()
    fits = [mark for mark in (".", ",") if decimal_fits(marked, mark)]
    return fits[0] if len(fits) == 1 else ""


def _others(found: np.ndarray, bare: pa.Array, plain: np.ndarray, mark: str) -> int:
    """Read what is not written plainly, each way of writing once; how many cells have marks between thousands."""
    rest = np.flatnonzero(~plain & bare.is_valid().to_numpy(zero_copy_only=False))
    if not len(rest):
        return 0
    coded = bare.take(pa.array(rest)).dictionary_encode()
    read = [as_number(cell, mark) for cell in coded.dictionary.to_pylist()]
    of_code = np.array([np.nan if value is None else value for value in read])
    found[rest] = of_code[coded.indices.to_numpy(zero_copy_only=False)]
    return int((~np.isnan(found[rest])).sum())


def _note(marked: dict[str, int], mark: str, own: str, sure: bool, n_parted: int) -> str:
    """What a reader has to look at; empty where nothing could be meant otherwise."""
    either = bool(marked) and all(_EITHER.fullmatch(cell) for cell in marked)
    if either and not own and not sure:
        used = _SAID["," if any("," in cell for cell in marked) else "."]
        read = "marks between thousands" if n_parted else "decimal marks"
        return f"its {used} could part thousands or decimals; they are read as {read}: look at its values"
    return f"marks between thousands are left out in {n_parted:,} cells" if n_parted else ""


def times_of_own(values: np.ndarray, patient: np.ndarray, column: np.ndarray) -> float:
    """How many times as large measurements are as those of the same patients in the cohort, in the middle.

    Parameters
    ----------
    values : array of float
    patient : array of int
        Place in the cohort of each.
    column : array of float
        Of the cohort.

    Returns
    -------
    float
        NaN if nothing can be compared.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = values / column[patient]
    ratio = ratio[np.isfinite(ratio) & (ratio > 0)]
    if len(ratio) >= _FEW:
        return float(np.median(ratio))
    mine, theirs = values[np.isfinite(values) & (values > 0)], column[np.isfinite(column) & (column > 0)]
    return float(np.median(mine) / np.median(theirs)) if len(mine) and len(theirs) else float("nan")
