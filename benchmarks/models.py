"""``python -m benchmarks.models [--large]``: how long do fitting and validating the default models take?

Makes up 4,000 patients x 10 variables, and with ``--large`` 100,000 x 20: numbers with gaps, categories and noise.
Then, each size in a process of its own with one thread of linear algebra, as the background jobs of the pages have it:
the Cox model alone (median of 3); Cox, forest and their average on all patients, settings chosen inside; the same in
five folds, settings chosen inside each, with every measure of the validation page at 24 times; what the page then
reads off that; and a penalised Cox model of 40 patients x 3 variables. Seconds on the clock and of processor time,
peak memory of the process, and the machine's load.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"  # before numpy

import numpy as np  # noqa: E402

from bedside.intake import cohort_from_frame  # noqa: E402
from bedside.risk.learners import DEFAULT_SET, learn  # noqa: E402
from bedside.risk.training import Training, training  # noqa: E402
from bedside.validation import calibrated, compare, cross_validate  # noqa: E402
from bedside.validation.resample import fit_all  # noqa: E402
from benchmarks.fit import OUTCOME, made_up  # noqa: E402
from benchmarks.made_up import patients  # noqa: E402

SMALL, LARGE = (4_000, 10), (100_000, 20)
BAR_COX = 2.0
BARS = {SMALL: "60 s", LARGE: "300 s, 4 GB"}
FOLDS = 5
TIMES = np.arange(1, 25) * 150.0
MIDDLE = 1800.0
Answer = TypeVar("Answer")


def rows_of(n: int, variables: int) -> Training:
    """Invented patients with as many variables: the nine of `benchmarks.made_up`, then noise."""
    rng = np.random.default_rng(variables)
    frame = patients(n).drop(columns="patient")
    noise = {f"other{j}": rng.normal(size=n).round(2) for j in range(variables + 2 - frame.shape[1])}
    return training(cohort_from_frame(frame.assign(**noise), outcomes=[OUTCOME]), OUTCOME.key)


def timed(work: Callable[[], Answer]) -> tuple[Answer, float, float]:
    """What came of it, seconds on the clock, and seconds of processor time of all threads."""
    clock, busy = time.perf_counter(), time.process_time()
    answer = work()
    return answer, time.perf_counter() - clock, time.process_time() - busy


def measured(n: int, variables: int) -> list[str]:
    """One line for each step of one size."""
    rows = rows_of(n, variables)
    fits = [timed(lambda: learn("cox", rows))[1:] for _ in range(3)]
    cox, cox_busy = (statistics.median(values) for values in zip(*fits, strict=True))
    _, fit, fit_busy = timed(lambda: fit_all(DEFAULT_SET, rows))
    found, folds, folds_busy = timed(lambda: cross_validate(DEFAULT_SET, rows, times=TIMES, folds=FOLDS))

    def read() -> str:
        for kind in DEFAULT_SET:
            calibrated(found, kind, MIDDLE)
        return ", ".join(f"{card.label} {card.get('harrell').mean:.4f}" for card in compare(found).cards)

    cards, off, off_busy = timed(read)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    both, busy = fit + folds, fit_busy + folds_busy
    return [
        f"{n:,} patients x {len(rows.variables)} variables, {int(rows.event.sum()):,} events",
        f"  Cox model, settings chosen          {cox:7.2f} s   {cox_busy:7.2f} s of processor   (bar {BAR_COX:g} s)",
        f"  default set on all patients         {fit:7.2f} s   {fit_busy:7.2f} s",
        f"  default set in {FOLDS} folds, judged     {folds:7.2f} s   {folds_busy:7.2f} s",
        f"  together                            {both:7.2f} s   {busy:7.2f} s   (bar {BARS[n, variables]})",
        f"  read off: scorecards, calibration   {off:7.2f} s   {off_busy:7.2f} s",
        f"  peak memory {peak:,.0f} MB; Harrell's C: {cards}",
    ]


def penalised() -> list[str]:
    """The penalised model where there is next to nothing to compute."""
    rows = training(cohort_from_frame(made_up(40, 3), outcomes=[OUTCOME]), OUTCOME.key)
    learn("penalised", rows)
    fits = [timed(lambda: learn("penalised", rows))[1:] for _ in range(5)]
    clock, busy = (statistics.median(values) for values in zip(*fits, strict=True))
    return ["40 patients x 3 variables", f"  penalised Cox, settings chosen      {clock:7.2f} s   {busy:7.2f} s"]


def main(asked: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.models", description=__doc__.splitlines()[0])
    parser.add_argument("--large", action="store_true", help="also 100,000 patients x 20 variables")
    sizes = (SMALL, LARGE) if parser.parse_args(asked).large else (SMALL,)
    works = [(penalised, ()), *((measured, size) for size in sizes)]
    for work, given in works:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            sys.stdout.write("\n".join(pool.submit(work, *given).result()) + "\n")
            sys.stdout.flush()
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    sys.stdout.write(f"load averages {load} on {os.cpu_count()} processors\n")


if __name__ == "__main__":
    main()
