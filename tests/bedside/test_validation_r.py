"""Measures of performance against R: Score, concordance, pec, prodlim, geepack, cmprsk, through the parity runner."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.parity.runner import run

REFERENCE = Path(__file__).parents[1] / "reference"
FILES = {"04_validation_metrics.json": "blocks/validation.json", "23_validation.json": "23_blocks.json"}
BLOCKS = [
    block
    for blocks in FILES.values()
    for block in json.loads((REFERENCE / blocks).read_text(encoding="utf-8"))["blocks"]
]


@pytest.fixture(scope="module")
def lines(tmp_path_factory):
    """Every block, computed and compared once."""
    folder = tmp_path_factory.mktemp("parity")
    for name in (*FILES, "inputs"):
        (folder / name).symlink_to(REFERENCE / name)
    (folder / "blocks.json").write_text(json.dumps({"blocks": BLOCKS}), encoding="utf-8")
    return {line.at: line for line in run(folder)}


@pytest.mark.parametrize("at", [block["at"] for block in BLOCKS])
def test_block_equals_r(lines, at):
    line = lines[at]
    assert line.tally.passed > 2
    assert (line.tally.failed, line.tally.gaps, line.note) == (0, 0, "")


def test_all_that_is_computed_of_the_reference_is_compared(lines):
    assert sum(line.tally.passed for at, line in lines.items() if at.startswith("04")) == 11_922
    assert sum(line.tally.passed for at, line in lines.items() if at.startswith("23") and line.compute) == 3_399
