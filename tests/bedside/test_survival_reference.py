"""Every number of the references that is read off a survival curve, against R."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.parity.compare import compare, count
from benchmarks.parity.kinds import curves
from benchmarks.parity.runner import Folder
from benchmarks.parity.table import read_table

REFERENCE = Path(__file__).parents[1] / "reference"
KINDS = {
    "kaplan_meier": curves.km,
    "survival_curves": curves.survival_curves,
    "follow_up_quantiles": curves.follow_up_quantiles,
    "restricted_mean_contrast": curves.restricted_mean_contrast,
    "milestone_contrasts": curves.milestone_contrasts,
}


def blocks(name: str) -> list[dict]:
    return json.loads((REFERENCE / name).read_text(encoding="utf-8"))["blocks"]


CURVES, MORE = blocks("blocks/curves.json"), blocks("12_blocks.json")


@pytest.fixture(scope="module")
def folder():
    return Folder(REFERENCE)


@pytest.mark.parametrize("block", CURVES + MORE, ids=lambda block: block["at"])
def test_equals_r(folder, block):
    """1e-8 relative for each number, and missing or infinite where R is."""
    tally = compare(folder.at(block["at"]), KINDS[block["compute"]](read_table(REFERENCE, block["data"]), block))
    assert (tally.failed, tally.gaps) == (0, 0), tally.faults[:5]
    assert tally.passed > 0


def test_no_number_of_the_second_file_is_left_out(folder):
    """Each block of 12_curves.json is asked for once."""
    keys = [block["at"].split("/")[1] for block in MORE]
    assert sorted(keys) == sorted(set(folder.reference("12_curves.json")) - {"_meta", "inputs"})
    assert sum(count(folder.at(block["at"])) for block in MORE) > 40_000
