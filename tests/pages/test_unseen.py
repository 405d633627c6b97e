"""What a check on unseen patients comes to: one interval, one word, and the ends of the risks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from lifelines import KaplanMeierFitter
from lifelines.utils import concordance_index
from scipy import stats

from bedside.intake import read_cohort
from bedside.risk.training import training
from bedside.validation import cross_validate
from components import unseen
from tests.pages.reader import ROOT, Reader

YEAR = 365.25


@pytest.fixture(scope="module")
def lung():
    cohort = read_cohort(ROOT / "sample_data" / "lung_ncctg")
    rows = training(cohort, cohort.outcomes[0])
    return rows, cross_validate(("cox",), rows, times=[YEAR / 2, YEAR])


def test_the_interval_of_c_allows_for_overlapping_training_parts(lung):
    rows, found = lung
    c = [concordance_index(rows.time[p.rows], -p.said["cox"].score, rows.event[p.rows]) for p in found.parts]
    # Nadeau and Bengio by hand: 5 folds, a quarter as many held out as learnt from.
    reach = stats.t.ppf(0.975, 4) * math.sqrt((1 / 5 + 1 / 4) * np.var(c, ddof=1))
    ranked = unseen.ranking(found, "cox")
    assert (ranked.c, ranked.lower, ranked.upper) == pytest.approx((np.mean(c), np.mean(c) - reach, np.mean(c) + reach))
    assert ranked.between == " (56 to 67)" and ranked.verdict == "little better than chance"


@pytest.mark.parametrize(
    ("c", "lower", "word"),
    [(0.59, 0.45, "little better than chance"), (0.7, 0.48, "which may be chance"), (0.71, 0.64, ""),
     (math.nan, math.nan, ""), (0.7, math.nan, "")],
)  # fmt: skip
def test_one_word_for_weak_ranking(c, lower, word):
    assert unseen.verdict(c, lower) == word


def test_the_highest_fifth_is_said_to_be_too_high_where_it_is(lung):
    rows, found = lung
    groups = unseen.parts(found, "cox", YEAR)
    risk = found.mean("cox").at(YEAR)
    top = risk >= np.sort(risk)[len(risk) - groups[-1].n]
    happened = 1 - KaplanMeierFitter().fit(rows.time[top], rows.event[top]).predict(YEAR)
    assert groups[-1].observed == pytest.approx(happened, abs=1e-6)
    told = unseen.ends(groups, "within 1 year")
    assert told.startswith(
        f"In the fifth of patients with the highest risks it said {100 * risk[top].mean():.0f} of 100 within 1 year, "
        f"and {100 * happened:.0f} had the event (54 to 82): too high; in the lowest fifth it said"
    )
    assert not unseen.better_than_average(found, "cox")


@pytest.mark.parametrize("page", ["model", "validation"])
def test_a_model_no_better_than_the_average_is_said_to_be_so_once(page, monkeypatch):
    monkeypatch.setenv("BEDSIDE_PATIENCE", "60")
    reader = Reader(cohort="lung_ncctg")
    reader.at.session_state["validation_kinds"] = ["cox"]
    reader.open(page)
    assert reader.raw.count("not clearly better than giving everybody the average risk") == 1
    assert "61 rightly (56 to 67), little better than chance; 50 would be chance." in reader.text
