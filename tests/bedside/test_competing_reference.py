"""Every block on competing risks and several states as the parity runner computes it, against R."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.parity.runner import run

REFERENCE = Path(__file__).parents[1] / "reference"
FILES = {"03_competing_multistate.json": "blocks/competing.json", "14_competing.json": "14_blocks.json"}
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
    assert line.tally.passed >= 7
    assert (line.tally.failed, line.tally.gaps, line.note) == (0, 0, "")


def test_no_number_of_the_references_is_left_out(lines):
    """7,584 numbers of the first file and 16,034 of the second."""
    passed = {name: sum(line.tally.passed for at, line in lines.items() if at.startswith(name)) for name in FILES}
    assert passed == {"03_competing_multistate.json": 7584, "14_competing.json": 16034}
    assert not any("numbers that no block" in at for at in lines)
