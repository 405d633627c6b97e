"""How long does the Cox model take, beside lifelines on the same rows in the same run?

Makes up 4,000 patients x 10 variables and 100,000 x 20, fits Bedside's model (reading the variables, checking
them, coefficients, variance, tests, baseline) and lifelines' ``CoxPHFitter`` with the same ridge on the same
columns, and prints medians, their ratio, and how far the coefficients differ in standard errors. Then how
long five-fold validation and predicting everyone take. Run: ``.venv/bin/python -m benchmarks.fit``.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter

from bedside.cohort import Cohort, Outcome
from bedside.intake import cohort_from_frame
from bedside.risk import fit, risks, validate

SIZES = ((4_000, 10, 7), (100_000, 20, 3))  # patients, variables, repeats
OUTCOME = Outcome(key="death", label="Death", time="days", unit="days", status="status")
BAR_FIT, BAR_PREDICT = 2.0, 0.3
YEAR = 365.25


def made_up(patients: int, variables: int) -> pd.DataFrame:
    """Normal covariates and exponential times in whole days, so that there are ties; about half are censored."""
    rng = np.random.default_rng(patients)
    x = rng.normal(size=(patients, variables))
    died = rng.exponential(1500 * np.exp(-x @ np.linspace(-0.3, 0.3, variables)))
    left = rng.uniform(100, 2500, patients)
    frame = pd.DataFrame(x, columns=[f"x{j}" for j in range(variables)])
    return frame.assign(days=np.ceil(np.minimum(died, left)), status=(died <= left).astype(int))


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Median over the repeats."""
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def compare(frame: pd.DataFrame, repeats: int) -> list[str]:
    """One line for each measurement of one size."""
    cohort: Cohort = cohort_from_frame(frame, outcomes=[OUTCOME])
    model = fit(cohort, OUTCOME.key)
    theirs = CoxPHFitter(penalizer=model.penalizer)
    theirs.fit(frame, "days", "status")
    apart = np.abs(model.coef - theirs.params_.to_numpy()) / np.sqrt(np.diag(model.variance))
    ours_s = seconds(lambda: fit(cohort, OUTCOME.key), repeats)
    theirs_s = seconds(lambda: CoxPHFitter(penalizer=model.penalizer).fit(frame, "days", "status"), repeats)
    validated = seconds(lambda: validate(cohort, OUTCOME.key, t=YEAR), 1)
    predicted = seconds(lambda: risks(model, cohort, YEAR), repeats)
    size = f"{model.n:,} x {len(model.coef)}"
    return [
        f"{size}: Bedside {ours_s:.3f} s (bar {BAR_FIT:g} s), lifelines {theirs_s:.3f} s, "
        f"ratio {theirs_s / ours_s:.1f}, coefficients at most {apart.max():.1e} standard errors apart",
        f"{size}: five-fold validation {validated:.2f} s; everyone's risk {predicted:.4f} s (bar {BAR_PREDICT:g} s)",
    ]


def main() -> None:
    """Measure and report; load averages show how busy the machine was."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    for patients, variables, repeats in SIZES:
        for line in compare(made_up(patients, variables), repeats):
            sys.stdout.write(line + "\n")
    sys.stdout.write(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors\n")


if __name__ == "__main__":
    main()
