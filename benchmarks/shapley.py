"""How much faster is Bedside's exact explanation of a survival risk than survshap's, and do they agree?

Fits one Cox model to a made-up cohort (4,000 patients, 9 variables), then explains the same patient with the
same background and times in Bedside and in survshap (every coalition, its "kernel" method). survshap gets an
environment of its own, since it brings other versions of numpy, pandas and shap; it explains the very same
curve, handed over as numbers. Both are timed from a model and a patient to finished values, imports and
fitting left out. Then a forest and, where xgboost is installed, boosted
trees of the same cohort: one patient at one time and at 20, and the distance of base plus contributions from the risk.
Run: ``.venv/bin/python -m benchmarks.shapley [folder for survshap's environment]``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from bedside.cohort import Cohort, Outcome, Variable
from bedside.errors import Fixable
from bedside.explain import Background, background, contributions, explain
from bedside.intake import cohort_from_frame
from bedside.risk.fit import fit
from bedside.risk.learners import KINDS, learn
from bedside.risk.model import Model
from bedside.risk.prediction import encode
from bedside.risk.training import training

SURVSHAP = ("survshap==0.4.2", "matplotlib")  # it imports matplotlib without declaring it
PATIENTS, VARIABLES = 4000, 9
HORIZONS = ((5.0,), (1.0, 2.0, 3.0, 4.0, 5.0))  # one horizon, then five at once; years
OURS_REPEATS, THEIRS_REPEATS = 200, 3
BAR_RATIO, BAR_DIFFERENCE = 500.0, 1e-6
TREES = {"forest": (0.025, 0.5, 1e-7), "boosted": (np.inf, np.inf, 1e-5)}  # bars: one time, 20 times, additivity
TREES_REPEATS = 15
WORKER = Path(__file__).with_name("survshap_worker.py")


def made_up_cohort() -> Cohort:
    """Follow-up in years, proportional hazards in nine standard normal variables, a third censored."""
    rng = np.random.default_rng(10)
    x = rng.normal(size=(PATIENTS, VARIABLES))
    relative = np.exp(x @ np.linspace(0.6, -0.4, VARIABLES))
    until = rng.exponential(6.0 / relative)
    seen = rng.uniform(2.0, 10.0, PATIENTS)
    frame = pd.DataFrame(x, columns=[f"v{j}" for j in range(VARIABLES)])
    frame["years"], frame["status"] = np.minimum(until, seen), (until <= seen).astype(int)
    outcome = Outcome(key="event", label="Event", time="years", unit="years", status="status")
    variables = [Variable(name=f"v{j}", kind="continuous") for j in range(VARIABLES)]
    return cohort_from_frame(frame, outcomes=[outcome], variables=variables)


def ours(model: Model, patient: pd.DataFrame, rows: Background, times: tuple[float, ...]) -> tuple[float, np.ndarray]:
    """Median seconds and contributions, shape (n_times, n_variables)."""
    seconds, found = [], ()
    for _ in range(OURS_REPEATS):
        start = time.perf_counter()
        found = explain(model, patient, rows, times)
        seconds.append(time.perf_counter() - start)
    names = [v.name for v in model.variables]
    points = [{c.variable: c.points for c in e.contributions} for e in found]
    return statistics.median(seconds), np.array([[p[name] for name in names] for p in points])


def environment(folder: Path) -> Path:
    """Python of an environment with survshap; made on the first run, kept for the next."""
    python = folder / "bin" / "python"
    if not python.exists():
        sys.stdout.write(f"Making an environment for {SURVSHAP[0]} in {folder} ...\n")
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    if subprocess.run([python, "-c", "import survshap"], capture_output=True, check=False).returncode:
        subprocess.run([python, "-m", "pip", "install", "--quiet", *SURVSHAP], check=True)
    return python


def theirs(
    python: Path, model: Model, cohort: Cohort, patient: pd.DataFrame, rows: Background
) -> list[tuple[float, np.ndarray]]:
    """Median seconds and contributions for each entry of `HORIZONS`."""
    base = model.baseline
    task = {
        "coef": model.coef.tolist(), "background": encode(model, cohort.frame.iloc[rows.rows]).tolist(),
        "patient": encode(model, patient)[0].tolist(), "step_times": [0.0, *base.time.tolist()],
        "cumulative_hazard": [0.0, *base.cumulative.tolist()], "times": HORIZONS, "repeats": THEIRS_REPEATS,
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder) / "task.json", Path(folder) / "answer.json"
        asked.write_text(json.dumps(task), encoding="utf-8")
        subprocess.run([python, str(WORKER), str(asked), str(answered)], check=True)
        answer = json.loads(answered.read_text(encoding="utf-8"))
    return [(statistics.median(a["seconds"]), np.array(a["points"])) for a in answer]


def trees(cohort: Cohort, patient: pd.DataFrame) -> bool:
    """Print the medians of forest and boosted trees; True if a bar is missed."""
    missed = False
    for kind, bars in TREES.items():
        try:
            model = learn(kind, training(cohort, "event"))
        except Fixable as told:
            sys.stdout.write(f"{KINDS[kind]}: {told.why}\n")
            continue
        rows = background(model, cohort)
        medians, worst, how = [], 0.0, ""
        for times in ([5.0], np.linspace(0.5, 8.0, 20)):
            seconds = []
            for _ in range(TREES_REPEATS):
                start = time.perf_counter()
                found = contributions(model, patient, rows, times)
                seconds.append(time.perf_counter() - start)
            medians.append(statistics.median(seconds))
            worst, how = max(worst, found.additivity_error), found.how
        sys.stdout.write(
            f"{KINDS[kind]} ({', '.join(f'{name} {value:g}' for name, value in model.settings.items())}), {how}: "
            f"one time {1e3 * medians[0]:.1f} ms, 20 times {1e3 * medians[1]:.1f} ms, additivity {worst:.1e}\n"
        )
        missed |= any(found > bar for found, bar in zip((*medians, worst), bars, strict=True))
    return missed


def main() -> int:
    """Print both times, the largest difference and the ratio; 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "bedside" / "survshap"
    parser.add_argument("folder", nargs="?", type=Path, default=cache, help=f"survshap's environment ({cache})")
    python = environment(parser.parse_args().folder.absolute())
    cohort = made_up_cohort()
    model = fit(cohort, "event")
    rows = background(model, cohort)
    patient = cohort.frame.iloc[[7]]
    other = theirs(python, model, cohort, patient, rows)
    ratios, differences = [], []
    for times, (seconds, points) in zip(HORIZONS, other, strict=True):
        own_seconds, own_points = ours(model, patient, rows, times)
        ratios.append(seconds / own_seconds)
        differences.append(float(np.abs(points - own_points).max()))
        sys.stdout.write(
            f"{len(times)} time{'s' if len(times) > 1 else ''}, {VARIABLES} variables, {len(rows.terms)} background "
            f"patients: Bedside {1e3 * own_seconds:.2f} ms, survshap {1e3 * seconds:.0f} ms, "
            f"largest difference {differences[-1]:.1e}, {ratios[-1]:.0f} times faster\n"
        )
    missed = trees(cohort, patient)
    load = os.getloadavg()[0]
    sys.stdout.write(
        f"load {load:.1f} on {os.cpu_count()} cores, medians of {OURS_REPEATS}, {THEIRS_REPEATS} and {TREES_REPEATS}\n"
    )
    sys.stdout.write(f"largest difference {max(differences):.1e}\nratio {min(ratios):.0f}\n")
    return int(missed or min(ratios) < BAR_RATIO or max(differences) > BAR_DIFFERENCE)


if __name__ == "__main__":
    sys.exit(main())
