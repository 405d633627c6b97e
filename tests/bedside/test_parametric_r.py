"""Parametric models, Rubin's rules, nomograms and optimism against R, number by number."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.parity.compare import compare, count
from benchmarks.parity.kinds import kinds
from benchmarks.parity.runner import Folder
from benchmarks.parity.table import read_table

REFERENCE = Path(__file__).parents[1] / "reference"
BLOCKS = json.loads((REFERENCE / "17_blocks.json").read_text(encoding="utf-8"))["blocks"]


@pytest.fixture(scope="module")
def folder() -> Folder:
    return Folder(REFERENCE)


@pytest.mark.parametrize("block", BLOCKS, ids=[block["at"].split("/", 1)[1] for block in BLOCKS])
def test_every_number_is_rs(folder: Folder, block: dict[str, Any]) -> None:
    """Factors, interactions, weights, scales by stratum, clusters, left and interval censoring; splines; tools."""
    reference, given = folder.at(block["at"]), folder.inputs_given(block)
    table = read_table(folder.root, given["data"]) if given["data"] else None
    tally = compare(reference, kinds()[given["compute"]](table, given))
    assert not tally.faults
    assert tally.passed == count(reference) > 0


def test_the_blocks_speak_of_all_that_r_wrote(folder: Folder) -> None:
    """No model of the R script is left unchecked."""
    told = folder.reference("17_parametric.json")
    models = {f"{part}/{name}" for part in ("models", "splines") for name in told[part]}
    assert models <= {block["at"].split("#/")[1] for block in BLOCKS}
