"""How does the time for survival curves grow with the number of patients, from 10,000 to 10,000,000?

    python -m benchmarks.engines_scaling [picture]

Four groups, as in `benchmarks.curves_10m`, each engine and size in a process of its own. Prints medians and the
slope on logarithmic axes (1 is linear growth) over all sizes and over the last tenfold step, and draws
`engines_scaling.svg` beside this file.
"""

from __future__ import annotations

import math
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from matplotlib.figure import Figure

from benchmarks.engines import load, loaded, measure, write

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
NAMES = {
    "duckdb": "DuckDB over Parquet",
    "memory": "cohort in memory",
    "postgres": "PostgreSQL",
    "spark": "Spark, 2 threads",
    "lifelines": "lifelines from Parquet",
}
MARKS = ("o", "s", "^", "D", "v")
COLOURS = ("#0072B2", "#009E73", "#CC79A7", "#E69F00", "#555555")


def seconds(folder: Path, n: int) -> dict[str, float]:
    """Median of each engine at one size."""
    path = folder / f"{n}.parquet"
    write(path, n)
    found = {name: measure(name, str(path), rounds=5).median for name in ("duckdb", "memory")}
    with loaded(path) as address:
        found["postgres"] = measure("postgres", address, rounds=3).median
    if find_spec("pyspark"):
        found["spark"] = measure("spark", str(path), rounds=3).median
    return found | {"lifelines": measure("lifelines", str(path), rounds=1).median}


def draw(found: dict[int, dict[str, float]], told: str) -> Figure:
    """Time over size, both on logarithmic axes."""
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    for name, mark, colour in zip(found[SIZES[0]], MARKS, COLOURS, strict=False):
        axes.loglog(list(found), [by[name] for by in found.values()], marker=mark, color=colour, label=NAMES[name])
    axes.set_xlabel("Patients in four groups")
    axes.set_ylabel("Seconds (median)")
    axes.set_title("Kaplan-Meier with intervals, numbers at risk and log-rank test", loc="left", fontsize=11)
    axes.grid(visible=True, which="major", color="#dddddd")
    axes.legend(frameon=False)
    figure.text(0.99, 0.01, told, ha="right", va="bottom", fontsize=7, color="#555555")
    return figure


def main(picture: Path) -> None:
    """Measure, print and draw."""
    with tempfile.TemporaryDirectory(prefix="bedside_scaling_") as name:
        found = {n: seconds(Path(name), n) for n in SIZES}
    lines = [f"{'':12}" + "".join(f"{n:>12,}" for n in SIZES) + "   slope    last"]
    for engine in found[SIZES[0]]:
        times = [found[n][engine] for n in SIZES]
        slope, last = math.log10(times[-1] / times[0]) / (len(SIZES) - 1), math.log10(times[-1] / times[-2])
        lines.append(f"{engine:12}" + "".join(f"{t:12.4f}" for t in times) + f"{slope:8.2f}{last:8.2f}")
    sys.stdout.write("\n".join([*lines, load()]) + "\n")
    draw(found, load()).savefig(picture, metadata={"Date": None})


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_suffix(".svg"))
