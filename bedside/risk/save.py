"""A model as one file that nothing can run from, and back with the same bits.

A file is one line of text, three blocks and no more::

    BEDSIDE-MODEL 1 <sha-256 of the rest> <sha-256 of block 1> <bytes of block 1> <bytes of block 2>
    {...}   block 1: what it is: name, kind, version, cohort, date, card (JSON)
    {...}   block 2: the model's facts and the list of its arrays (JSON)
    ...     block 3: the arrays one after another, little-endian, as the list says

No archive, so nothing can grow while it is unpacked; no objects, so nothing can run.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bedside import __version__
from bedside.errors import Fixable
from bedside.risk.design import Design
from bedside.risk.facts import check_extent
from bedside.risk.fitted import Fitted, State
from bedside.risk.learners import LEARNERS, MADE, VARIED, restore

FORMAT = 1
MAGIC = b"BEDSIDE-MODEL"
MOST_ABOUT = 2**20
MOST_FACTS = 16 * 2**20
"""Bytes of the second block: fifty refits of boosted trees, as text, have five million."""
MOST_BYTES = 64 * 2**20
"""Of a file; what readers bring (`server.maxUploadSize`) has the same bound."""
MOST_ARRAYS = 20_000
LONGEST_HEAD = 400
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}")
TYPES = frozenset({"<f8", "<f4", "<i8", "<i4", "<i2", "|i1", "|u1", "<u2", "<u4", "<u8", "|b1"})
"""Numbers and truth values, never objects or text."""
HEAD = re.compile(rb"BEDSIDE-MODEL (\d{1,6}) ([0-9a-f]{64}) ([0-9a-f]{64}) (\d{1,12}) (\d{1,12})\n")


class About(BaseModel):
    """What a saved model is, readable without the model.

    Attributes
    ----------
    kind, label : str
    name, note : str
        The reader's own words, any text.
    version : int
        1 for the first of that name.
    saved : str
        When, ISO 8601 in UTC.
    bedside : str
        Version of the code that saved it.
    cohort_key, cohort_title, cohort_fingerprint : str
        What it learnt from.
    outcome_key, outcome_label : str
    n, n_events : int
    model_fingerprint : str
        SHA-256 of everything that a prediction depends on.
    card : mapping
        Its model card as JSON; empty if it has none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    kind: str = Field(max_length=40)
    label: str = Field(max_length=200)
    name: str = Field(min_length=1, max_length=120)
    note: str = Field(default="", max_length=4000)
    version: int = Field(ge=1, le=1_000_000)
    saved: str = Field(max_length=40)
    bedside: str = Field(default=__version__, max_length=40)
    cohort_key: str
    cohort_title: str = ""
    cohort_fingerprint: str
    outcome_key: str
    outcome_label: str
    n: int = Field(ge=0)
    n_events: int = Field(ge=0)
    model_fingerprint: str = Field(pattern=r"^[0-9a-f]{64}$")
    card: dict[str, Any] = Field(default_factory=dict)


class _Array(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str = Field(pattern=f"^{NAME.pattern}$")
    dtype: str
    shape: list[int] = Field(max_length=4)


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    kind: str
    facts: dict[str, Any]
    arrays: list[_Array] = Field(max_length=MOST_ARRAYS)


@dataclass(frozen=True, eq=False)
class Saved:
    """A saved model: what it is, and the model."""

    about: About
    model: Fitted = field(repr=False)


def about_model(
    model: Fitted, *, name: str, saved: str, version: int = 1, note: str = "", cohort_title: str = "",
    card: Mapping[str, Any] | None = None,
) -> About:  # fmt: skip
    """What is written about a model beside it.

    Raises
    ------
    Fixable
        If the name or the note is empty or too long.
    """
    # Half of a pair, which no file can hold, becomes a question mark.
    name, note, cohort_title = (text.encode("utf-8", "replace").decode() for text in (name.strip(), note, cohort_title))
    if not 0 < len(name) <= 120 or len(note) > 4000:
        raise Fixable(
            "The model can't be saved under that name.",
            "A name has 1 to 120 letters, a note at most 4,000.",
            "Choose a shorter one." if name else "Give it a name.",
        )
    return About(
        kind=model.kind, label=model.label, name=name, note=note, version=version, saved=saved,
        cohort_key=model.cohort_key, cohort_title=cohort_title, cohort_fingerprint=model.cohort_fingerprint,
        outcome_key=model.outcome.key, outcome_label=model.outcome.label, n=int(model.n), n_events=int(model.n_events),
        model_fingerprint=model.fingerprint, card=dict(card or {}),
    )  # fmt: skip


def pack(model: Fitted, about: About) -> bytes:
    """A model as a file.

    Raises
    ------
    ValueError
        If its state holds what a file can't: objects, numbers that are not finite, odd names.
    """
    state = model.state()
    arrays = {name: _plain(name, array) for name, array in sorted(state.arrays.items())}
    listed = [{"name": n, "dtype": a.dtype.str, "shape": list(a.shape)} for n, a in arrays.items()]
    first = _json(about.model_dump())
    second = _json({"kind": state.kind, "facts": state.facts, "arrays": listed})
    rest = b"".join([first, second, *(array.tobytes() for array in arrays.values())])
    if len(rest) > MOST_BYTES - LONGEST_HEAD or len(first) > MOST_ABOUT or len(second) > MOST_FACTS:
        raise Fixable(
            "The model is too large to be saved.",
            f"It would take {len(rest) // 2**20:,} MB; a saved model may have {MOST_BYTES // 2**20}.",
            "Fit it with fewer or smaller trees, and save that one.",
        )
    seals = [hashlib.sha256(block).hexdigest().encode() for block in (rest, first)]
    return b" ".join([MAGIC, b"%d" % FORMAT, *seals, b"%d" % len(first), b"%d" % len(second)]) + b"\n" + rest


def _plain(name: str, array: np.ndarray) -> np.ndarray:
    plain = np.ascontiguousarray(array)
    plain = plain.astype(plain.dtype.newbyteorder("<"), copy=False)
    if plain.dtype.kind == "f" and not np.isfinite(plain).all():
        raise ValueError(f"array {name!r} holds numbers that are not finite")
    if plain.dtype.str not in TYPES or not NAME.fullmatch(name):
        raise ValueError(f"array {name!r} of type {plain.dtype} can't be saved")
    return plain.reshape(np.shape(array))


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, allow_nan=False, separators=(",", ":"), default=_number).encode("ascii")


def _number(value: object) -> object:
    """numpy's numbers and tuples' like as JSON's."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return dict(value)
    raise ValueError(f"{type(value).__name__} can't be saved")


def read_about(data: bytes) -> About:
    """What a file says of itself: its first line and block are enough, and their hash is checked.

    Raises
    ------
    Fixable
        If it is no saved model, damaged, or of a newer version.
    """
    start, first, _, _ = _head(data)
    return _about(data[start : start + first], data[:LONGEST_HEAD])


def unpack(data: bytes) -> Saved:
    """A model from a file: hash first, then every part against what it must be, then the model.

    Raises
    ------
    Fixable
        If it is no saved model, damaged by as little as a bit, from a newer version, of an unknown kind, or holds
        what its kind can't.
    """
    if len(data) > MOST_BYTES:
        _refuse(f"It has more than {MOST_BYTES // 2**20} MB, which no model that Bedside saves has.")
    start, first, second, seal = _head(data)
    rest = memoryview(data)[start:]
    if hashlib.sha256(rest).hexdigest() != seal:
        _damaged()
    about = _about(data[start : start + first], data[:LONGEST_HEAD])
    try:
        told = _Facts.model_validate(_parse(bytes(rest[first : first + second])))
    except ValidationError:
        _refuse("Its list of contents is not what a model's is.")
    if told.kind not in LEARNERS.keys() | MADE.keys() or (told.kind != VARIED and about.kind != told.kind):
        raise Fixable(
            "This model can't be opened.",
            "It is of a kind that this version of Bedside does not know.",
            "Open it with the version that saved it, or fit it again here.",
        )
    model = _restored(State(told.kind, told.facts, _arrays(told.arrays, rest[first + second :])))
    same = all(getattr(model, name) == getattr(about, name) for name in ("n", "n_events", "cohort_key"))
    if not same or model.outcome.key != about.outcome_key or model.outcome.label != about.outcome_label:
        _refuse("What it says of itself does not hold for the model in it.")
    if model.fingerprint != about.model_fingerprint:
        _refuse("The model in it is not the one that was saved: its fingerprint differs.")
    return Saved(about, model)


def _restored(state: State) -> Fitted:
    try:
        with np.errstate(all="ignore"):
            model = restore(state)
            _try_out(model)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, AssertionError, MemoryError,
            RecursionError) as fault:  # fmt: skip
        # What a kind needs and does not find: the file was written by other code, or by hand.
        raise _refusal("Its contents do not make a model of its kind.") from fault
    return model


def _try_out(model: Fitted) -> None:
    """Whether the parts fit together: a design as wide as its terms, and a risk for some who could be.

    Raises
    ------
    ValueError
        If not.
    """
    design, wide = model.design, (len(model.design.terms),)
    if design.centre.shape != wide or design.scale.shape != wide:
        raise ValueError("a design of another width")
    if sorted(term.column for term in design.terms) != list(range(*wide)):
        raise ValueError("columns that do not count from 0")
    if not (math.isfinite(model.last) and model.last > 0):
        raise ValueError("no follow-up")
    some = _some(design)
    risk = model.risk(some, [0.0, model.last / 2, model.last])
    if risk.shape != (len(some), 3) or not (np.diff(risk, axis=1, prepend=0.0) >= 0).all() or not (risk <= 1).all():
        raise ValueError("no risk")
    if model.score(some).shape != (len(some),):
        raise ValueError("no score")
    limits = model.limits(some, [model.last])
    if limits is not None and not limits.lower.shape == limits.upper.shape == (len(some), 1):
        raise ValueError("no interval")


def _some(design: Design) -> pd.DataFrame:
    """One of whom nothing is known, one in the middle, one at each end, one with levels that nobody had."""
    told = {}
    for reading in design.readings:
        spread, codes = reading.range, reading.present
        told[reading.variable.name] = (
            [None, codes[0], codes[-1], reading.fill, "\x00"] if spread is None
            else [np.nan, spread.median, spread.low, spread.high, reading.fill]
        )  # fmt: skip
    return pd.DataFrame(told, index=range(5))


def _head(data: bytes) -> tuple[int, int, int, str]:
    """Where the blocks begin, bytes of the first and the second, and the hash of all."""
    head = HEAD.match(data[:LONGEST_HEAD])
    if head is None:
        newer = data[: len(MAGIC)] == MAGIC
        _refuse("Its first line is damaged." if newer else "It is not a file that Bedside saved a model in.")
    if int(head[1]) > FORMAT:
        raise Fixable(
            "This model can't be opened.",
            f"It was saved by a newer version of Bedside (format {int(head[1])}; this one reads up to {FORMAT}).",
            "Update Bedside, or save the model again with this version.",
        )
    if int(head[1]) < 1:
        _refuse("Its first line is damaged.")
    first, second = int(head[4]), int(head[5])
    if first > MOST_ABOUT or second > MOST_FACTS:
        _refuse("The sizes that it gives are impossible.")
    return head.end(), first, second, head[2].decode()


def _about(block: bytes, line: bytes) -> About:
    head = HEAD.match(line)
    if head is None or hashlib.sha256(block).hexdigest().encode() != head[3]:
        _damaged()
    try:
        return About.model_validate(_parse(block))
    except ValidationError:
        _refuse("What it says of itself is not what a saved model says.")


def _parse(block: bytes) -> Any:
    """JSON without doubled names, without numbers that are not finite, and not too deep."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a name twice")
        return found

    def never(_text: str) -> NoReturn:
        raise ValueError("not finite")

    def finite(text: str) -> float:
        if not math.isfinite(value := float(text)):
            never(text)
        return value

    try:
        check_extent(block)
        return json.loads(block, object_pairs_hook=once, parse_constant=never, parse_float=finite)
    except (ValueError, RecursionError):
        _refuse("Its text is not the JSON that it must be.")


def _arrays(listed: list[_Array], block: memoryview) -> dict[str, np.ndarray]:
    """The arrays, each as long as the list says, and together exactly the block."""
    found: dict[str, np.ndarray] = {}
    at = 0
    for told in listed:
        # Each size by itself: beside a 0, another one is not bounded by the bytes that are there.
        odd = any(not 0 <= size <= max(len(block), 1) for size in told.shape)
        if told.dtype not in TYPES or odd or told.name in found:
            _refuse("It lists arrays of a kind that no model has.")
        kind = np.dtype(told.dtype)
        size = kind.itemsize * math.prod(told.shape)
        if at + size > len(block):
            _refuse("Its arrays are shorter than its list says.")
        array = np.frombuffer(block[at : at + size], dtype=kind).reshape(told.shape).copy()
        if told.dtype == "|b1" and array.view(np.uint8).max(initial=0) > 1:
            _refuse("It holds truth values that are neither.")
        if kind.kind == "f" and not np.isfinite(array).all():
            _refuse("It holds numbers that are not finite.")
        array.flags.writeable = False
        found[told.name] = array
        at += size
    if at != len(block):
        _refuse("Its arrays are longer than its list says.")
    return found


def _damaged() -> NoReturn:
    raise Fixable(
        "This model can't be opened.",
        "The file is damaged: its contents do not match the SHA-256 that was saved with them.",
        "Take an undamaged copy, or fit and save the model again.",
    )


def _refuse(why: str) -> NoReturn:
    raise _refusal(why)


def _refusal(why: str) -> Fixable:
    return Fixable("This model can't be opened.", why, "Take a file that Bedside saved, or fit the model again here.")
