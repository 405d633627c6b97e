"""How long does a big cohort take to open, and how much memory?

Writes 1,000,000 rows x 20 columns of Parquet into a temporary folder, opens
it as a cohort in a fresh process (fingerprint included), reads the same file
with ``pandas.read_parquet`` in another, and prints both medians and their
ratio. Run: ``.venv/bin/python benchmarks/open_parquet.py``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
BAR_SECONDS, BAR_MB = 3.0, 1000.0
STAGES = ("I", "II", "III", "IV")

CHILD = """
import sys, time
from pathlib import Path
folder = Path(sys.argv[2])
if sys.argv[1] == "cohort":
    import bedside.intake as intake
    work = lambda: intake.read_cohort(folder)
else:
    import pandas as pd
    import pyarrow.parquet
    work = lambda: pd.read_parquet(folder / "data.parquet")

def memory(what):
    # Not getrusage: its maximum outlives exec, so a child would report its parent's.
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what)) / 1024

before = memory("VmRSS")
start = time.perf_counter()
kept = work()
seconds = time.perf_counter() - start
assert len(kept) == int(sys.argv[3])
sys.stdout.write(f"{seconds} {memory('VmHWM') - before}")
"""


def write_cohort(folder: Path, n_rows: int) -> None:
    """A made-up cohort of 20 columns: identifier, time, status, 13 numbers, 4 groups."""
    rng = np.random.default_rng(20)
    columns: dict[str, object] = {
        "patient": [f"P{i:07d}" for i in range(n_rows)],
        "days": rng.integers(1, 5000, n_rows).astype(float),
        "status": rng.integers(0, 2, n_rows),
        "stage": rng.choice(STAGES, n_rows),
        "sex": rng.choice(["female", "male"], n_rows),
        "centre": rng.integers(1, 15, n_rows),
        "treated": rng.integers(0, 2, n_rows),
    }
    for i in range(13):
        values = rng.lognormal(2, 1, n_rows)
        values[rng.random(n_rows) < 0.05] = np.nan
        columns[f"lab_{i}"] = values
    pd.DataFrame(columns).to_parquet(folder / "data.parquet", index=False)
    grouped = [
        {"name": "stage", "kind": "ordinal", "levels": [{"code": s, "label": f"stage {s}"} for s in STAGES]},
        {"name": "centre", "kind": "categorical"},
    ]
    outcome = {"key": "death", "label": "Death", "time": "days", "unit": "days", "status": "status"}
    dictionary = {
        "title": "Made up for a benchmark",
        "short_title": "Benchmark",
        "data": "data.parquet",
        "identifier": "patient",
        "variables": grouped,
        "outcomes": [outcome],
        "source": {"citation": "none", "licence": "none", "origin": "made up"},
    }
    (folder / "dictionary.json").write_text(json.dumps(dictionary), encoding="utf-8")


def measure(what: str, folder: Path, n_rows: int) -> tuple[float, float]:
    """Seconds and growth of the peak memory (MB) in a process of its own."""
    command = [sys.executable, "-c", CHILD, what, str(folder), str(n_rows)]
    out = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    seconds, grown = out.split()
    return float(seconds), float(grown)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_cohort(folder, told.rows)
        runs: dict[str, list[tuple[float, float]]] = {"cohort": [], "pandas": []}
        for _ in range(told.repeats):
            for what, measured in runs.items():
                measured.append(measure(what, folder, told.rows))
    ours, peer = (
        (statistics.median(r[0] for r in measured), max(r[1] for r in measured)) for measured in runs.values()
    )
    write = sys.stdout.write
    write(f"{told.rows:,} rows x 20 columns of Parquet, median of {told.repeats}, load {os.getloadavg()[0]:.1f}\n")
    write(f"open as a cohort     {ours[0]:6.2f} s  {ours[1]:6.0f} MB  (bars {BAR_SECONDS} s, {BAR_MB:.0f} MB)\n")
    write(f"pandas.read_parquet  {peer[0]:6.2f} s  {peer[1]:6.0f} MB\n")
    write(f"ratio                {ours[0] / peer[0]:6.2f}    {ours[1] / peer[1]:6.2f}\n")
    return 0 if ours[0] < BAR_SECONDS and ours[1] < BAR_MB else 1


if __name__ == "__main__":
    raise SystemExit(main())
