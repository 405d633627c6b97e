"""How often do the intervals of contributions hold the true ones?

Draws cohorts from a Cox model that is known (4 numbers, a yes/no and a three-level variable, two of them without any
effect), fits one of Bedside's kinds of model, refits it to bootstrap samples with the settings kept, and asks for the
intervals of the contributions of eight fixed patients by one time. The truth is what the true model gives beside the
same background patients. Counted are intervals that hold it, and, of variables without an effect, those that hold 0; a
variable that the model left out has no interval and is not counted.
Run: ``.venv/bin/python -m benchmarks.reasons_coverage [cohorts] [patients] [--kinds cox forest ...] [--refits 50]
[--seconds 600] [--write]``: kinds one after the other, no new cohort once a kind has taken so many seconds of
processor time. ``--write`` keeps the result of each kind in ``bedside/explain/coverage.json``, from which the pages
say it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from bedside.cohort import Cohort, Level, Outcome, Variable
from bedside.explain import background, contributions, shapley_cox, spread
from bedside.explain import coverage as kept
from bedside.intake import cohort_from_frame
from bedside.risk.learners import learn
from bedside.risk.training import training
from bedside.risk.variability import drawn_rows

EFFECTS = {"a": 0.7, "b": -0.4, "c": 0.2, "d": 0.0, "sex": 0.5, "site": (0.0, 0.0, 0.0)}
NOTHING = ("d", "site")
RATE, T = 0.12, 4.0
KINDS = ("cox", "penalised", "forest", "boosted", "average")


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


def one(
    rng: np.random.Generator, n: int, patients: pd.DataFrame, kind: str, refits: int
) -> tuple[np.ndarray, np.ndarray]:
    """Which intervals hold the truth, and which hold 0, shape (n_patients, n_variables); NaN where there is none."""
    cohort = cohort_of(rng, n)
    rows = training(cohort, "event")
    model = learn(kind, rows)
    again = [learn(kind, rows.take(drawn_rows(rows, rng)), dict(model.settings), seed=i + 1) for i in range(refits)]
    compared = background(model, cohort)
    found = contributions(model, patients, compared, [T])
    order = [list(EFFECTS).index(v.name) for v in found.variables]
    true, theirs = true_terms(patients)[:, order], true_terms(compared.frame)[:, order]
    holds, nothing = np.full((2, len(patients), len(EFFECTS)), np.nan)
    for i in range(len(patients)):
        truth = shapley_cox(true[i], theirs, np.array([RATE * T]))[1]
        lower, upper = spread(model, again, compared, patients.iloc[[i]], [T]).limits(found.values[i])
        holds[i, order] = ((lower <= truth.T) & (upper >= truth.T))[:, 0]
        nothing[i, order] = ((lower <= 0) & (upper >= 0))[:, 0]
    return holds, nothing


def measured(kind: str, cohorts: int, n: int, refits: int, seconds: float) -> dict[str, float | int]:
    """What the intervals of one kind of model held, and in how many cohorts that was looked at."""
    patients = made_up(np.random.default_rng(1), 8)
    start, holds, nothing = time.process_time(), [], []
    while len(holds) < cohorts and (not holds or time.process_time() - start < seconds):
        held, none = one(np.random.default_rng(1000 + len(holds)), n, patients, kind, refits)
        holds.append(held)
        nothing.append(none)
    every, zero = np.array(holds), np.array(nothing)
    for j, name in enumerate(EFFECTS):
        sys.stdout.write(
            f"{kind}, {name}: {100 * np.nanmean(every[:, :, j]):.1f} of 100 intervals hold the true contribution, "
            f"{100 * np.nanmean(zero[:, :, j]):.1f} hold 0\n"
        )
    effect = [j for j, name in enumerate(EFFECTS) if name not in NOTHING]
    none = [j for j, name in enumerate(EFFECTS) if name in NOTHING]
    each = np.nanmean(every[:, :, effect], axis=(1, 2))
    error = float(each.std(ddof=1) / len(each) ** 0.5) if len(each) > 1 else float("nan")
    told = {
        "held": round(float(np.nanmean(every[:, :, effect])), 3), "std_err": round(error, 3),
        "held_without_effect": round(float(np.nanmean(zero[:, :, none])), 3), "cohorts": len(holds), "of": n,
        "patients": len(patients), "refits": refits,
    }  # fmt: skip
    sys.stdout.write(f"{kind}: {told}, {time.process_time() - start:.0f} s\n")
    return told


def main() -> int:
    """Print the shares, and keep them where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cohorts", nargs="?", type=int, default=300)
    parser.add_argument("patients", nargs="?", type=int, default=500)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=["cox"])
    parser.add_argument("--refits", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    for kind in asked.kinds:
        told = measured(kind, asked.cohorts, asked.patients, asked.refits, asked.seconds)
        if asked.write:
            _keep(kept.FILE, kind, told)
    return 0


def _keep(file: Path, kind: str, told: dict[str, float | int]) -> None:
    """One kind's result beside the others'."""
    known = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    lines = [f"  {json.dumps(name)}: {json.dumps(each)}" for name, each in sorted((known | {kind: told}).items())]
    file.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
