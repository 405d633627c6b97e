"""A folder of data sets with their own outer folds, as rows that Bedside's learners take.

The form: ``NAME.csv`` with ``time`` and ``status`` (0 or 1) and otherwise predictors; ``NAME.folds.csv`` with ``set``
(train or test), ``iteration`` and ``row_id`` (from 1); ``datasets.json`` with the ``categorical`` columns of each;
``published.csv`` with ``learner_id``, ``task_id``, ``tune_measure``, ``harrell_c``, ``uno_c`` and ``isbs``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from bedside.cohort import Level, Outcome, Variable
from bedside.risk.training import Training
from bedside.survival.checks import merge_ties

RARE = 0.05
OTHER = "other"
OUTCOME = Outcome(key="event", label="Event", time="time", unit="days", status="status", censored=("0",), event=("1",))
"""The unit is a name only: nothing here depends on it."""


@dataclass(frozen=True, eq=False)
class DataSet:
    """One data set and its folds.

    Attributes
    ----------
    name : str
    frame : pandas.DataFrame
        Predictors, ``time`` and ``status``.
    categorical : tuple of str
        Predictors that are factors.
    folds : tuple of (array, array)
        Rows to train and to test on, from 0.
    """

    name: str
    frame: pd.DataFrame
    categorical: tuple[str, ...]
    folds: tuple[tuple[np.ndarray, np.ndarray], ...]

    def split(self, fold: int) -> tuple[Training, Training]:
        """Training and test rows of a fold; rare levels are merged as the training rows say."""
        train, test = self.folds[fold]
        frame = self.frame.copy()
        variables = []
        for name in [c for c in frame.columns if c not in ("time", "status")]:
            if name in self.categorical or not pd.api.types.is_numeric_dtype(frame[name]):
                frame[name], codes = merged(frame[name].astype(object), train)
                kind = "binary" if len(codes) == 2 else "categorical"
                variables.append(Variable(name=name, kind=kind, levels=tuple(Level(code=c, label=c) for c in codes)))
            else:
                frame[name] = frame[name].astype(float)
                variables.append(Variable(name=name, kind="continuous"))
        whole = Training(
            frame=frame,
            time=merge_ties(frame["time"].to_numpy(dtype=float)),
            cause=frame["status"].to_numpy(dtype=int),
            entry=None,
            variables=tuple(variables),
            outcome=OUTCOME,
            target="any",
            cohort_key=self.name,
            cohort_fingerprint=f"{self.name}, outer fold {fold}",
        )
        return whole.take(train), whole.take(test)


def merged(column: pd.Series, train: np.ndarray) -> tuple[pd.Categorical, tuple[str, ...]]:
    """A factor without levels under 5% of the training rows, and its levels from the commonest to the rarest.

    They become one level together; where that too would be under 5%, they join the commonest one. A level that no
    training row has is read so as well. Missing values stay missing.
    """
    text = column.map(lambda v: None if pd.isna(v) else str(v))
    share = text.iloc[train].value_counts(normalize=True)
    usual = [code for code, part in share.items() if part >= RARE] or list(share.index[:1])
    rest = OTHER if share[~share.index.isin(usual)].sum() >= RARE else usual[0]
    codes = tuple(usual) if rest in usual else (*usual, rest)
    read = text.map(lambda v: v if v is None or v in usual else rest)
    return pd.Categorical(read, categories=list(codes)), codes


def data_sets(folder: Path, only: str = "") -> Iterator[DataSet]:
    """Every data set of a folder whose name holds `only`."""
    told = json.loads((folder / "datasets.json").read_text(encoding="utf-8"))
    for name, facts in told.items():
        if only not in name:
            continue
        rows = pd.read_csv(folder / f"{name}.folds.csv")
        parts = {key: part["row_id"].to_numpy(dtype=np.int64) - 1 for key, part in rows.groupby(["iteration", "set"])}
        yield DataSet(
            name=name,
            frame=pd.read_csv(folder / f"{name}.csv"),
            categorical=tuple(facts.get("categorical", ())),
            folds=tuple((parts[i, "train"], parts[i, "test"]) for i in sorted({i for i, _ in parts})),
        )


@dataclass(frozen=True)
class Published:
    """What the study's learners reached on a data set; NaN where it tells nothing.

    Attributes
    ----------
    best, best_learner : float, str
        Highest Harrell's C among learners tuned for it.
    cph, cph_uno, cph_brier : float
        Of its Cox model.
    best_uno : float
    best_brier, km_brier : float
        Lowest integrated Brier score among learners tuned for it, and that of its Kaplan-Meier curve.
    learners : tuple of (str, float, float)
        Every learner with its C and its integrated Brier score, each tuned for that measure; highest C first.
    """

    best: float
    best_learner: str
    cph: float
    best_uno: float
    cph_uno: float
    best_brier: float
    cph_brier: float
    km_brier: float
    learners: tuple[tuple[str, float, float], ...]


def published(folder: Path, name: str) -> Published:
    """The published rows of a data set; all NaN if there are none."""
    file = folder / "published.csv"
    table = pd.read_csv(file) if file.exists() else pd.DataFrame(columns=["task_id", "tune_measure", "learner_id"])
    rows = table[table["task_id"] == name]
    by_c = rows[rows["tune_measure"].astype(str).str.contains("harrell_c")]
    by_brier = rows[rows["tune_measure"].astype(str).str.contains("isbs")]

    def of(part: pd.DataFrame, learner: str, column: str) -> float:
        found = part.loc[part["learner_id"] == learner, column] if column in part else []
        return float(found.iloc[0]) if len(found) else float("nan")

    def edge(part: pd.DataFrame, column: str, which: str) -> float:
        return float(getattr(part[column], which)()) if len(part) and column in part else float("nan")

    names = dict.fromkeys([*by_c["learner_id"], *by_brier["learner_id"]])
    listed = [(str(name), of(by_c, name, "harrell_c"), of(by_brier, name, "isbs")) for name in names]
    top = by_c.loc[by_c["harrell_c"].idxmax(), "learner_id"] if len(by_c) else "none"
    return Published(
        best=edge(by_c, "harrell_c", "max"),
        best_learner=str(top),
        cph=of(by_c, "CPH", "harrell_c"),
        best_uno=edge(by_c, "uno_c", "max"),
        cph_uno=of(by_c, "CPH", "uno_c"),
        best_brier=edge(by_brier, "isbs", "min"),
        cph_brier=of(by_brier, "CPH", "isbs"),
        km_brier=of(by_brier, "KM", "isbs"),
        learners=tuple(sorted(listed, key=lambda each: -np.nan_to_num(each[1]))),
    )
