"""The Cox models of ``16_cox_diagnostics.R``, set up again from its inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bedside.regression import CoxData, CoxFit, cox_data
from bedside.regression.cox import fit_cox
from bedside.regression.curves import Patients

CELLTYPES = ("squamous", "smallcell", "adeno", "large")
Terms = dict[str, Callable[[pd.DataFrame], np.ndarray]]


@dataclass(frozen=True)
class Case:
    """A model: its rows, terms and options, as R was given them."""

    input: str
    terms: Terms
    end: str = "time"
    event: str = "status"
    entry: str | None = None
    strata: Callable[[pd.DataFrame], pd.Series] | None = None
    weights: str | None = None
    cluster: str | None = None
    offset: Callable[[pd.DataFrame], np.ndarray] | None = None
    ties: str = "efron"
    robust: bool | None = None
    strata_of_new: bool = True

    def rows(self, frames: Callable[[str], pd.DataFrame]) -> pd.DataFrame:
        rows = frames(self.input)
        return rows[rows["enum"] < 4].reset_index(drop=True) if self.strata is by_episode else rows

    def data(self, rows: pd.DataFrame) -> CoxData:
        codes, labels = self.codes(rows, rows)
        x, assign = self.design(rows)
        return cox_data(
            x,
            rows[self.end].to_numpy(float),
            rows[self.event].to_numpy() == 1,
            assign=assign,
            terms=tuple(self.terms),
            entry=None if self.entry is None else rows[self.entry].to_numpy(float),
            strata=codes,
            strata_labels=labels,
            weights=None if self.weights is None else rows[self.weights].to_numpy(float),
            cluster=None if self.cluster is None else pd.factorize(rows[self.cluster])[0],
            offset=None if self.offset is None else self.offset(rows),
        )

    def design(self, rows: pd.DataFrame) -> tuple[np.ndarray, tuple[int, ...]]:
        parts = [np.asarray(make(rows), dtype=float).reshape(len(rows), -1) for make in self.terms.values()]
        return np.hstack(parts), tuple(i for i, part in enumerate(parts) for _ in range(part.shape[1]))

    def codes(self, rows: pd.DataFrame, fitted: pd.DataFrame) -> tuple[np.ndarray | None, tuple[str, ...] | None]:
        if self.strata is None:
            return None, None
        labels = sorted(set(self.strata(fitted)))
        return np.array([labels.index(label) for label in self.strata(rows)]), tuple(labels)

    def fit(self, rows: pd.DataFrame) -> CoxFit:
        return fit_cox(self.data(rows), ties=self.ties, robust=self.robust)

    def patients(self, new: pd.DataFrame, rows: pd.DataFrame) -> Patients:
        return Patients(
            x=self.design(new)[0],
            strata=self.codes(new, rows)[0] if self.strata_of_new else None,
            offset=None if self.offset is None else self.offset(new),
        )


def column(name: str) -> Callable[[pd.DataFrame], np.ndarray]:
    return lambda rows: rows[name].to_numpy(float)


def columns(*names: str) -> Terms:
    return {name: column(name) for name in names}


def by_celltype(rows: pd.DataFrame) -> pd.Series:
    return rows["celltype"].map(lambda cell: f"celltype={CELLTYPES.index(cell)}")


def by_celltype_and_arm(rows: pd.DataFrame) -> pd.Series:
    return by_celltype(rows) + ", trt=" + rows["trt"].astype(int).astype(str)


def by_arm(rows: pd.DataFrame) -> pd.Series:
    return "trt=" + rows["trt"].astype(int).astype(str)


def by_episode(rows: pd.DataFrame) -> pd.Series:
    return "enum=" + rows["enum"].astype(int).astype(str)


CELL: Terms = {"celltype": lambda d: np.column_stack([d["celltype"] == c for c in CELLTYPES[1:]])}
TREAT: Terms = {"treat": lambda d: (d["treat"] == "rIFN-g").to_numpy(float)}
LARGE: Terms = {"large:age": lambda d: ((d["celltype"] == "large") * d["age"]).to_numpy(float)}
HEART = {"input": "diag_heart", "end": "stop", "event": "event", "entry": "start"}
CGD = {"input": "diag_cgd", "end": "tstop", "entry": "tstart", "cluster": "id"}
TIMES_TRANSPLANT: Terms = {
    "age:transplant": lambda d: (d["age"] * d["transplant"]).to_numpy(float),
    "surgery:transplant": lambda d: (d["surgery"] * d["transplant"]).to_numpy(float),
}

CASES = {
    "heart_efron": Case(**HEART, terms=columns("age", "year", "surgery", "transplant")),
    "heart_interaction_breslow": Case(
        **HEART, terms=columns("age", "surgery", "transplant") | TIMES_TRANSPLANT, ties="breslow"
    ),
    "veteran_strata_celltype": Case("diag_veteran", columns("trt", "karno", "age"), strata=by_celltype),
    "veteran_strata_not_given": Case("diag_veteran", columns("trt", "karno"), strata=by_celltype, strata_of_new=False),
    "veteran_two_strata": Case("diag_veteran", columns("karno", "age"), strata=by_celltype_and_arm, ties="breslow"),
    "veteran_factor": Case("diag_veteran", CELL | columns("karno", "trt")),
    "veteran_constant_in_stratum": Case("diag_veteran", columns("trt") | LARGE | columns("karno"), strata=by_celltype),
    "veteran_weights_efron": Case("diag_veteran", CELL | columns("karno"), weights="w"),
    "veteran_weights_naive_breslow": Case(
        "diag_veteran", CELL | columns("karno"), weights="w", ties="breslow", robust=False
    ),
    "veteran_weights_late_strata": Case(
        "diag_veteran", CELL | columns("karno"), weights="w", entry="late", strata=by_arm
    ),
    "veteran_offset": Case("diag_veteran", columns("trt", "age"), offset=lambda d: 0.02 * d["karno"].to_numpy(float)),
    "cgd_cluster": Case(**CGD, terms=TREAT | columns("age", "steroids")),
    "cgd_cluster_strata_weights": Case(**CGD, terms=TREAT | columns("age"), strata=by_episode, weights="w"),
}
