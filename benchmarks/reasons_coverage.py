"""How often do the intervals of contributions hold the true ones?

Draws cohorts from a Cox model that is known (4 numbers, a yes/no and a three-level variable, two of them without any
effect), fits Bedside's Cox model, refits it to 50 bootstrap samples, and asks for the intervals of the contributions of
eight fixed patients by one time. The truth is what the true model gives beside the same background patients. Counted
are intervals that hold it, and, of variables without an effect, those that hold 0.
Run: ``.venv/bin/python -m benchmarks.reasons_coverage [cohorts] [patients]``.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np
import pandas as pd

from bedside.cohort import Cohort, Level, Outcome, Variable
from bedside.explain import background, contributions, shapley_cox, spread
from bedside.intake import cohort_from_frame
from bedside.risk.learners import learn
from bedside.risk.training import training
from bedside.risk.variability import drawn_rows

EFFECTS = {"a": 0.7, "b": -0.4, "c": 0.2, "d": 0.0, "sex": 0.5, "site": (0.0, 0.0, 0.0)}
NOTHING = ("d", "site")
RATE, T = 0.12, 4.0
REFITS = 50


def made_up(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Patients without an outcome."""
    frame = pd.DataFrame(rng.normal(size=(n, 4)), columns=list("abcd"))
    frame["b"] += 0.5 * frame["a"]
    frame["sex"] = pd.Categorical(rng.integers(0, 2, n).astype(str), categories=["0", "1"])
    frame["site"] = pd.Categorical(rng.integers(0, 3, n).astype(str), categories=["0", "1", "2"])
    return frame


def true_terms(frame: pd.DataFrame) -> np.ndarray:
    """Share of each variable in the true log hazard, shape (n, 6)."""
    codes = {name: frame[name].cat.codes.to_numpy() for name in ("sex", "site")}
    columns = [EFFECTS[name] * frame[name].to_numpy() for name in "abcd"]
    return np.column_stack([*columns, EFFECTS["sex"] * codes["sex"], np.take(EFFECTS["site"], codes["site"])])


def cohort_of(rng: np.random.Generator, n: int) -> Cohort:
    """With constant true baseline hazard and uniform censoring."""
    frame = made_up(rng, n)
    until = rng.exponential(1 / (RATE * np.exp(true_terms(frame).sum(axis=1))))
    seen = rng.uniform(2.0, 10.0, n)
    frame["years"], frame["status"] = np.minimum(until, seen), (until <= seen).astype(int)
    outcome = Outcome(key="event", label="Event", time="years", unit="years", status="status")
    levels = {2: ("0", "1"), 3: ("0", "1", "2")}
    variables = [Variable(name=name, kind="continuous") for name in "abcd"]
    for name, kind, count in (("sex", "binary", 2), ("site", "categorical", 3)):
        told = tuple(Level(code=code, label=code) for code in levels[count])
        variables.append(Variable(name=name, kind=kind, levels=told))
    return cohort_from_frame(frame, outcomes=[outcome], variables=variables)


def one(rng: np.random.Generator, n: int, patients: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Which intervals hold the truth, and which hold 0, shape (n_patients, n_variables)."""
    cohort = cohort_of(rng, n)
    rows = training(cohort, "event")
    model = learn("cox", rows)
    refits = [learn("cox", rows.take(drawn_rows(rows, rng)), dict(model.settings)) for _ in range(REFITS)]
    compared = background(model, cohort)
    found = contributions(model, patients, compared, [T])
    names = [v.name for v in found.variables]
    order = [list(EFFECTS).index(name) for name in names]
    true, theirs = true_terms(patients)[:, order], true_terms(compared.frame)[:, order]
    holds, nothing = np.zeros((2, len(patients), len(EFFECTS)), dtype=bool)
    for i in range(len(patients)):
        truth = shapley_cox(true[i], theirs, np.array([RATE * T]))[1]
        lower, upper = spread(model, refits, compared, patients.iloc[[i]], [T]).limits(found.values[i])
        holds[i, order] = ((lower <= truth.T) & (upper >= truth.T))[:, 0]
        nothing[i, order] = ((lower <= 0) & (upper >= 0))[:, 0]
    return holds, nothing


def main() -> int:
    """Print the shares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cohorts", nargs="?", type=int, default=300)
    parser.add_argument("patients", nargs="?", type=int, default=500)
    asked = parser.parse_args()
    patients = made_up(np.random.default_rng(1), 8)
    start, holds, nothing = time.perf_counter(), [], []
    for seed in range(asked.cohorts):
        held, none = one(np.random.default_rng(1000 + seed), asked.patients, patients)
        holds.append(held)
        nothing.append(none)
    every, zero = np.array(holds), np.array(nothing)
    for j, name in enumerate(EFFECTS):
        sys.stdout.write(
            f"{name}: {100 * every[:, :, j].mean():.1f} of 100 intervals hold the true contribution, "
            f"{100 * zero[:, :, j].mean():.1f} hold 0\n"
        )
    effect = [j for j, name in enumerate(EFFECTS) if name not in NOTHING]
    sys.stdout.write(
        f"all with an effect {100 * every[:, :, effect].mean():.1f}, all {100 * every.mean():.1f}; {asked.cohorts} "
        f"cohorts of {asked.patients}, 8 patients, {REFITS} refits, {time.perf_counter() - start:.0f} s\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
