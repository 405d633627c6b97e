"""Run the blocks of a folder: what to compute, for which rows, and where its reference stands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from bedside.errors import Fixable
from benchmarks.parity.compare import Tally, compare, count
from benchmarks.parity.expression import bare
from benchmarks.parity.kinds import kinds
from benchmarks.parity.table import read_table

ASIDE = ("_meta", "inputs")
LISTS = ("strata", "terms", "times", "taus", "intervals", "numeric", "binary", "categorical", "subgroups", "balance")
"""Options that are lists, where one value alone is a list of one."""
STOPS = (Fixable, ArithmeticError, LookupError, TypeError, ValueError, AttributeError, np.linalg.LinAlgError)
"""What an adapter may stop with: then every number of its block counts as failed, and the reason is shown."""


@dataclass
class Line:
    """One block's result."""

    at: str
    compute: str
    tally: Tally = field(default_factory=Tally)
    unsupported: int = 0
    note: str = ""


class Folder:
    """A folder of reference files with its blocks."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.blocks = list(_blocks(root / "blocks.json"))
        named = json.loads((root / "blocks.json").read_text(encoding="utf-8")).get("files", ())
        self.files = sorted({*named, *(block["at"].split("#")[0] for block in self.blocks)})

    @cache  # noqa: B019 -- lives as long as the run
    def reference(self, file: str) -> Any:
        """A reference file's content."""
        return json.loads((self.root / file).read_text(encoding="utf-8"))

    def at(self, address: str) -> Any:
        """What stands at ``file.json#/key/key``."""
        file, _, path = address.partition("#")
        place = self.reference(file)
        for key in filter(None, path.split("/")):
            key = key.replace("~1", "/").replace("~0", "~")
            place = place[int(key)] if isinstance(place, list) else place[key]
        return place

    def total(self) -> int:
        """Numeric leaves of all files that are named, outside ``_meta`` and ``inputs``."""
        return sum(count(v) for file in self.files for k, v in self.reference(file).items() if k not in ASIDE)

    def inputs_given(self, value: Any) -> Any:
        """An option with what stands at every ``{"$ref": address}`` in it, and single names without their backticks."""
        if isinstance(value, dict):
            if set(value) == {"$ref"}:
                return self.at(value["$ref"])
            return {bare(key): self.inputs_given(part) for key, part in value.items()}
        if isinstance(value, list):
            return [self.inputs_given(part) for part in value]
        return bare(value) if isinstance(value, str) else value


def _blocks(path: Path) -> Iterator[dict[str, Any]]:
    told = json.loads(path.read_text(encoding="utf-8"))
    yield from told.get("blocks", ())
    for name in told.get("include", ()):
        yield from _blocks(path.parent / name)


def run(root: Path, *, only: str = "") -> Iterator[Line]:
    """Compute and compare each block; then one line for the numbers that no block speaks of.

    Parameters
    ----------
    root : Path
        Folder with ``blocks.json``, the reference files and their inputs.
    only : str
        Part of the address of the blocks to run; all, and the numbers without a block, if empty.
    """
    folder, known, seen = Folder(root), kinds(), 0
    for block in folder.blocks:
        if only in block["at"]:
            line = _run(folder, block, known)
            seen += line.tally.passed + line.tally.failed + line.unsupported
            yield line
    if not only and folder.total() != seen:
        yield Line("(numbers that no block speaks of)", "", Tally(failed=folder.total() - seen))


def _run(folder: Folder, block: dict[str, Any], known: dict[str, Any]) -> Line:
    reference = folder.at(block["at"])
    line = Line(block["at"], block.get("compute", ""))
    if block.get("unsupported"):
        line.unsupported, line.note = count(reference), block["unsupported"]
        return line
    try:
        given = folder.inputs_given(block)
        given |= {key: [given[key]] for key in LISTS if isinstance(given.get(key), str | int | float)}
        table = read_table(folder.root, given["data"]) if given.get("data") else None
        got = known[given["compute"]](table, given)
    except STOPS as stop:
        line.tally.failed, line.note = count(reference), f"{type(stop).__name__}: {stop}"
        return line
    line.tally = compare(reference, got)
    return line
