"""The blocks of ``16_cox_diagnostics.R`` as the parity runner computes them, from expressions and options alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.parity.runner import run

REFERENCE = Path(__file__).parents[1] / "reference"
BLOCKS = json.loads((REFERENCE / "16_blocks.json").read_text(encoding="utf-8"))["blocks"]


@pytest.fixture(scope="module")
def lines(tmp_path_factory):
    """Every block of 16_blocks.json, computed and compared once."""
    folder = tmp_path_factory.mktemp("parity")
    (folder / "16_cox_diagnostics.json").symlink_to(REFERENCE / "16_cox_diagnostics.json")
    (folder / "inputs").symlink_to(REFERENCE / "inputs")
    (folder / "blocks.json").write_text(json.dumps({"blocks": BLOCKS}), encoding="utf-8")
    return {line.at: line for line in run(folder)}


@pytest.mark.parametrize("at", [block["at"] for block in BLOCKS])
def test_block_equals_r(lines, at):
    line = lines[at]
    assert line.tally.passed > 100
    assert (line.tally.failed, line.tally.gaps, line.note) == (0, 0, "")
