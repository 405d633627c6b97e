"""The log-rank family, trend, pairs and cut-points against R, survMisc and maxstat on R's own data sets."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bedside.survival import adjust, best_cut, event_table, log_rank, log_rank_of, weighted_test
from benchmarks.parity.runner import run

REFERENCE = Path(__file__).parents[1] / "reference"
BLOCKS = json.loads((REFERENCE / "13_blocks.json").read_text(encoding="utf-8"))["blocks"]
FAMILY = [
    {"weighting": "log-rank"},
    {"weighting": "gehan-breslow"},
    {"weighting": "tarone-ware"},
    {"weighting": "peto-peto"},
    {"weighting": "modified-peto-peto"},
    {"weighting": "fleming-harrington", "p": 0.5, "q": 2.0},
]


@pytest.fixture(scope="module")
def lines(tmp_path_factory):
    """Every block of 13_blocks.json, computed and compared once."""
    folder = tmp_path_factory.mktemp("parity")
    (folder / "13_comparisons.json").symlink_to(REFERENCE / "13_comparisons.json")
    (folder / "inputs").symlink_to(REFERENCE / "inputs")
    (folder / "blocks.json").write_text(json.dumps({"blocks": BLOCKS}), encoding="utf-8")
    return {line.at: line for line in run(folder)}


@pytest.mark.parametrize("at", [block["at"] for block in BLOCKS])
def test_block_equals_r(lines, at):
    """survdiff, the script's wlr(), survMisc::comp, pairwise survdiff with p.adjust, maxstat.test."""
    line = lines[at]
    assert line.tally.passed > 10
    assert (line.tally.failed, line.tally.gaps, line.note) == (0, 0, "")


def test_every_test_of_the_reference_has_a_block(r):
    theirs = r("13_comparisons")
    named = {block["at"] for block in BLOCKS}
    for part in ("logrank", "weighted_logrank", "pairwise"):
        assert {f"13_comparisons.json#/{part}/{name}" for name in theirs[part]} <= named


def test_delayed_entry_equals_the_score_test_of_an_exact_cox_model(r, reference_frame, same):
    """coxph(Surv(start, stop, event) ~ factor(transplant), method = "exact")$score."""
    theirs = r("13_comparisons")["delayed_entry"]
    heart, mgus = reference_frame("13_heart_ties"), reference_frame("13_mgus")
    mgus = mgus[mgus.entry < mgus.futime]
    ours = {
        "heart": log_rank(heart.stop, heart.event, heart.transplant, entry=heart.start),
        "heart_surgery": log_rank(heart.stop, heart.event, heart.surgery, strata=heart.transplant, entry=heart.start),
        "mgus_sex": log_rank(mgus.futime, mgus.death, mgus.sex == "male", entry=mgus.entry),
        "mgus_thirds": log_rank(mgus.futime, mgus.death, np.ceil(mgus.twelfth / 4).astype(int), entry=mgus.entry),
    }
    assert set(ours) == set(theirs)
    for name, test in ours.items():
        assert test.df == theirs[name]["df"]
        same(test.statistic, theirs[name]["chisq"], rtol=1e-8)


@pytest.mark.parametrize("told", FAMILY, ids=lambda told: told["weighting"])
def test_counts_give_what_patients_give(reference_frame, told):
    """One table for each group in each stratum, with delayed entry, is all that the family needs."""
    d = reference_frame("13_mgus")
    d = d[d.entry < d.futime]
    group, layer = np.ceil(d.twelfth / 4).astype(int).to_numpy(), (d.sex == "male").astype(int).to_numpy()
    patients = weighted_test(d.futime, d.death, group, strata=layer, entry=d.entry, **told)
    cells = [(g, s) for s in (0, 1) for g in (1, 2, 3)]
    tables = []
    for g, s in cells:
        rows = d[(group == g) & (layer == s)]
        tables.append(event_table(rows.futime, rows.death, entry=rows.entry))
    counts = log_rank_of(tables, groups=[g for g, _ in cells], strata=[s for _, s in cells], **told)
    np.testing.assert_allclose(counts.statistic, patients.statistic, rtol=1e-12)
    np.testing.assert_allclose(counts.variance, patients.variance, rtol=1e-12)
    np.testing.assert_array_equal(counts.n, patients.n)
    assert (counts.name, counts.strata, counts.informative) == (patients.name, 2, 2)


def test_corrections_equal_r(r, vector):
    """p.adjust(p, method), a missing p-value neither counted nor lost."""
    p = [0.01, 0.02, np.nan, 0.02, 0.5, 1e-9, 1, 0.04]
    for method, theirs in r("13_comparisons")["p_adjust"].items():
        np.testing.assert_allclose(adjust(p, method), vector(theirs), rtol=1e-15)


@pytest.mark.parametrize(
    ("name", "columns", "share"),
    [
        ("veteran_age", ("13_veteran", "time", "status", "age"), 0.25),
        ("kidney_age", ("13_kidney", "time", "status", "age"), 0.1),
        ("awkward_score", ("13_awkward", "time", "event", "score"), 0.1),
    ],
)
def test_joint_normal_p_equals_the_monte_carlo_integral_of_r(r, reference_frame, name, columns, share):
    """maxstat.test(pmethod = "exactGauss"), whose own error is about 1e-3."""
    data, time, event, value = columns
    d = reference_frame(data)
    cut = best_cut(d[time], d[event], d[value], low_share=share, high_share=1 - share, correction="gauss")
    assert cut.p == pytest.approx(r("13_comparisons")["maxstat_gauss"][name], abs=2e-3)


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("lung_age", ("lung", "time", "status", "age")),
        ("gbsg_pgr", ("gbsg", "rfstime", "status", "pgr")),
        ("gbsg_nodes", ("gbsg", "rfstime", "status", "nodes")),
    ],
)
def test_cut_points_of_the_genomics_reference(r, reference_frame, same, name, columns):
    """maxstat.test(Surv(time, event) ~ x, smethod = "LogRank", pmethod = "Lau94"), minprop 0.1."""
    data, time, event, value = columns
    d, theirs = reference_frame(data), r("06_genomics")["maxstat"][name]
    ours = best_cut(d[time], d[event], d[value])
    assert ours.cut == theirs["cutpoint"]
    np.testing.assert_array_equal(ours.cuts, theirs["cuts"])
    same(ours.statistics, theirs["stats"], rtol=1e-10)
    # maxstat's own p-value is a difference from 1: no better than 1e-16.
    same(ours.p, theirs["p_lau94"]["M"], rtol=1e-8, atol=2e-16)
    same(ours.unselected.statistic, theirs["logrank_chisq_at_cut"], rtol=1e-10)
    assert ours.unselected.p < ours.p
