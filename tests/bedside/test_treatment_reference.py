"""Table 1 by group, weights, standardised survival and subgroups: every number against R."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bedside.cohort.compare_groups.fisher import fisher_p
from bedside.cohort.compare_groups.numbers import wilcoxon_exact
from benchmarks.parity.compare import compare, count
from benchmarks.parity.kinds import adjust
from benchmarks.parity.runner import Folder
from benchmarks.parity.table import read_table

REFERENCE = Path(__file__).parents[1] / "reference"
KINDS = {
    "table_one_by": adjust.table_one_by,
    "iptw": adjust.iptw,
    "g_formula": adjust.g_formula,
    "subgroup_forest": adjust.subgroup_forest,
}


def blocks(name: str) -> list[dict]:
    return json.loads((REFERENCE / name).read_text(encoding="utf-8"))["blocks"]


FIRST, MORE = blocks("blocks/adjust.json"), blocks("18_blocks.json")


@pytest.fixture(scope="module")
def folder():
    return Folder(REFERENCE)


@pytest.mark.parametrize("block", FIRST + MORE, ids=lambda block: block["at"])
def test_equals_r(folder, block):
    """1e-8 relative for each number, and missing where R is."""
    tally = compare(folder.at(block["at"]), KINDS[block["compute"]](read_table(REFERENCE, block["data"]), block))
    assert (tally.failed, tally.gaps) == (0, 0), tally.faults[:5]
    assert tally.passed > 0


def test_no_number_is_left_out(folder):
    """Each block of 18_adjust.json is asked for, but for the two lists of small examples below."""
    keys = {block["at"].split("/")[1] for block in MORE} | {"fisher_tables", "wilcoxon_exact"}
    assert keys == set(folder.reference("18_adjust.json")) - {"_meta", "inputs"}
    assert sum(count(folder.at(block["at"])) for block in FIRST) == 1263


def test_fishers_exact_test_of_any_table(r, same):
    """fisher.test(table)$p.value, tables up to 4 x 4, with ties and empty cells."""
    for name, block in r("18_adjust")["fisher_tables"].items():
        table = np.array(block["table"])
        same(fisher_p(table), block["p"])
        if table.size < 12:  # turned, the larger ones take as long again and tell no more
            same(fisher_p(table.T), block["p"])
            same(fisher_p(table[::-1]), block["p"])
        assert name


def test_wilcoxons_exact_test(r, same):
    """wilcox.test(a, b)$p.value, without ties."""
    block = r("18_adjust")["wilcoxon_exact"]
    found = wilcoxon_exact(np.array(block["a"]), np.array(block["b"]))
    same(found.statistic, block["statistic"])
    same(found.p, block["p"])
