"""The benchmark on data sets with folds of their own: what it reads, how it judges, what it prints."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from bedside.regression.concordance import concordance
from bedside.risk.learners import learn
from bedside.risk.tuning import stratified_folds
from benchmarks.neutral import _table, main
from benchmarks.neutral_data import DataSet, data_sets, merged, published
from benchmarks.neutral_judge import FoldResult, Scores, _choice, integrated_brier, judge


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One made-up data set in two folds, with a factor of a rare level, and published rows that are easily beaten."""
    where = tmp_path_factory.mktemp("neutral")
    rng = np.random.default_rng(0)
    n = 160
    x = rng.normal(size=n)
    time, censored = rng.exponential(np.exp(-x) * 100), rng.uniform(50, 300, n)
    frame = pd.DataFrame(
        {
            "x": x,
            "site": rng.choice(["a", "b", "c"], n, p=[0.6, 0.37, 0.03]),
            "code": rng.integers(1, 3, n),
            "time": np.minimum(time, censored).round() + 1,
            "status": (time <= censored).astype(int),
        }
    )
    frame.to_csv(where / "made.csv", index=False)
    test = rng.permutation(n) < n // 2
    parts = []
    for i, held in ((1, test), (2, ~test)):
        for name, rows in (("train", ~held), ("test", held)):
            parts.append(pd.DataFrame({"set": name, "iteration": i, "row_id": np.flatnonzero(rows) + 1}))
    pd.concat(parts).to_csv(where / "made.folds.csv", index=False)
    (where / "datasets.json").write_text(json.dumps({"made": {"categorical": ["code"]}}))
    pd.DataFrame(
        {
            "learner_id": ["KM", "CPH", "RSF", "RSF"],
            "task_id": "made",
            "tune_measure": ["harrell_c,isbs", "harrell_c,isbs", "harrell_c", "isbs"],
            "harrell_c": [0.5, 0.6, 0.61, np.nan],
            "uno_c": [0.5, 0.6, 0.6, np.nan],
            "isbs": [0.2, 0.19, np.nan, 0.18],
        }
    ).to_csv(where / "published.csv", index=False)
    return where


def test_what_is_read(folder):
    (data,) = data_sets(folder)
    train, test = data.split(0)
    assert len(train) + len(test) == 160
    assert not set(train.frame.index) & set(test.frame.index)
    assert {v.name: v.kind for v in train.variables} == {"x": "continuous", "site": "binary", "code": "binary"}
    assert list(data_sets(folder, "other")) == []
    told = published(folder, "made")
    assert (told.best, told.best_learner, told.cph, told.best_brier, told.km_brier) == (0.61, "RSF", 0.6, 0.18, 0.2)
    assert told.learners[0] == ("RSF", 0.61, 0.18)
    assert [name for name, _, _ in told.learners] == ["RSF", "CPH", "KM"]
    assert np.isnan(published(folder, "unknown").best)


def test_rare_levels_are_merged_as_the_training_rows_say():
    column = pd.Series(["a"] * 60 + ["b"] * 32 + ["c"] * 4 + ["d"] * 4 + ["e", None])
    train = np.arange(100)
    read, codes = merged(column, train)
    assert codes == ("a", "b", "other")
    assert list(read[[0, 60, 92, 96, 100]]) == ["a", "b", "other", "other", "other"]
    assert read.codes[101] == -1
    few = pd.Series(["a"] * 60 + ["b"] * 36 + ["c"] * 4)
    read, codes = merged(few, train)
    assert codes == ("a", "b")
    assert read[99] == "a"


def test_integrated_brier_by_hand():
    """Training: events at 2 and 4, censored at 3 and 5. Test: events at 1 and 3, then 4 and 6 at risk to their ends."""
    frame = pd.DataFrame({"x": np.arange(8.0), "time": [2, 4, 3, 5, 1, 3, 4, 6], "status": [1, 1, 0, 0, 1, 1, 0, 0]})
    data = DataSet("made", frame, (), ((np.arange(4), np.arange(4, 8)),))
    train, test = data.split(0)
    # S: 1 until 2, then 3/4, from 4 on 3/8. G: 1 until 3, then 2/3, from 5 on 0, never below 0.001 in a weight.
    at_1 = (1 * (0 - 1) ** 2 + 3 * (1 - 1) ** 2) / 4
    at_3 = ((0 - 0.75) ** 2 + 1.5 * (0 - 0.75) ** 2 + 2 * 1.5 * (1 - 0.75) ** 2) / 4
    at_4 = ((0 - 0.375) ** 2 + 1.5 * (0 - 0.375) ** 2 + 1.5 * (1 - 0.375) ** 2) / 4
    at_6 = ((0 - 0.375) ** 2 + 1.5 * (0 - 0.375) ** 2) / 4
    area = 2 * (at_1 + at_3) / 2 + (at_3 + at_4) / 2 + 2 * (at_4 + at_6) / 2
    assert integrated_brier(train, test, None) == pytest.approx(area / 5, abs=1e-12)


def test_a_fold_is_judged_and_nothing_of_the_test_rows_is_learnt(folder):
    (data,) = data_sets(folder)
    result = judge(data, 0, ["cox"], 0)
    assert result.scores["cox"].harrell > 0.65
    assert result.scores["cox"].brier < result.scores["km"].brier
    held = data.folds[0][1]
    changed = data.frame.copy()
    changed.loc[held, "time"] = changed.loc[held, "time"].to_numpy()[::-1]
    other = judge(DataSet(data.name, changed, data.categorical, data.folds), 0, ["cox"], 0)
    assert other.settings == result.settings
    assert other.scores["cox"].harrell != result.scores["cox"].harrell


def test_what_is_printed(folder, capsys):
    assert main([str(folder), "--models", "cox", "--folds", "1"]) == 0
    printed, progress = capsys.readouterr()
    assert "made: 160 patients" in printed
    assert "1 of 2 folds" in printed
    assert "published best (RSF)       0.6100" in printed
    assert "  published C (Brier score): RSF 0.6100 (0.1800), CPH 0.6000 (0.1900), KM 0.5000 (0.2000)\n" in printed
    assert "No bar to judge" in printed
    assert progress.startswith("made: fold 1 of 1, ")


def test_what_choosing_one_kind_would_have_reached(folder):
    """By hand, from a fold in which Cox was chosen and lost, and one in which penalised Cox was chosen and won."""
    (data,) = data_sets(folder)
    first = {"cox": Scores(0.60, 0.58, 0.20), "penalised": Scores(0.70, 0.68, 0.18), "km": Scores(0.5, 0.5, 0.25)}
    second = {"cox": Scores(0.62, 0.60, 0.21), "penalised": Scores(0.66, 0.65, 0.17), "km": Scores(0.5, 0.5, 0.25)}
    results = [
        FoldResult("made", 0, first, "cox", {}, {}),
        FoldResult("made", 1, second, "penalised", {}, {"boosted": "It is not here."}),
    ]
    lines = _table(data, results, published(folder, "made"))
    (line,) = [line for line in lines if "one chosen inside" in line]
    assert line.split()[3:6] == ["0.6300", "0.6150", "0.1850"]
    assert "(Cox model 1, Penalised Cox 1)" in line
    assert "  Cox model                  0.6100 (0.0141)           0.5900  0.2050" in lines
    assert "  boosted left out: It is not here." in lines


def test_one_kind_is_chosen_inside_the_training_rows(folder):
    (data,) = data_sets(folder)
    train, kinds = data.split(0)[0], ["cox", "boosted"]
    fold = stratified_folds(train.event, 2, seed=0)
    c = []
    for kind in kinds:
        parts = [(learn(kind, train.take(fold != k)), train.take(fold == k)) for k in (0, 1)]
        c.append(np.mean([concordance(held.time, held.event, model.score(held.frame)).c for model, held in parts]))
    assert _choice(kinds, train, 2) == kinds[int(np.argmax(c))]
