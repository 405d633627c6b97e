"""Cox models and concordance against R: the references' own blocks, and every kind on R's own data sets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.parity.compare import compare, count
from benchmarks.parity.kinds import cox
from benchmarks.parity.runner import Folder
from benchmarks.parity.table import read_table

REFERENCE = Path(__file__).parents[1] / "reference"
KINDS = {
    "cox": cox.cox,
    "cox_short": cox.cox_short,
    "case_cohort": cox.case_cohort,
    "concordance_variants": cox.concordance_variants,
}


def blocks(name: str) -> list[dict]:
    return json.loads((REFERENCE / name).read_text(encoding="utf-8"))["blocks"]


SECOND, OWN = blocks("blocks/cox.json"), blocks("15_blocks.json")


@pytest.fixture(scope="module")
def folder():
    return Folder(REFERENCE)


@pytest.mark.parametrize("block", SECOND + OWN, ids=lambda block: block["at"])
def test_equals_r(folder, block):
    """1e-8 relative for each number, and missing or infinite where R is."""
    given = folder.inputs_given(block)
    tally = compare(folder.at(block["at"]), KINDS[block["compute"]](read_table(REFERENCE, given["data"]), given))
    assert (tally.failed, tally.gaps) == (0, 0), tally.faults[:5]
    assert tally.passed > 0


def test_no_number_of_the_models_is_left_out(folder):
    """Each model and each concordance of both files is asked for once."""
    for file, told in (("02_cox.json", SECOND), ("15_cox_kinds.json", OWN)):
        for part in ("models", "concordance_variants"):
            asked = [b["at"].split("/")[2] for b in told if b["at"].split("/")[1] == part]
            kept = {name for name, value in folder.reference(file)[part].items() if count(value)}
            assert sorted(asked) == sorted(kept)
