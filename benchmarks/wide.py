"""A wide molecular table: attaching it, the memory that takes, and reading one feature of it.

`python -m benchmarks.wide [--features 20000] [--patients 2000] [--text]` makes a table of invented numbers, attaches it
by the path of the page (the process with limits, the kept cohort's folder) and prints times and memory.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bedside.cohort import Outcome
from bedside.cohort.attached import Feature, with_features
from bedside.intake import cohort_from_frame
from bedside.intake.attaching import attach_wide
from bedside.store.attached import list_attached

READS = 200


def main() -> None:
    """Make the table, attach it both ways round, read from it."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--features", type=int, default=20_000)
    asked.add_argument("--patients", type=int, default=2_000)
    asked.add_argument("--text", action="store_true", help="also as TSV, genes by samples")
    how = asked.parse_args()
    with tempfile.TemporaryDirectory() as place, _data_folder(Path(place)):
        folder = Path(place)
        # On the disk, so that a process started from here does not count it as its own memory.
        x = folder / "values.npy"
        np.save(x, np.random.default_rng(1).normal(7, 2, (how.features, how.patients)).astype(np.float32).round(3))
        names = [f"GENE{i}" for i in range(how.features)]
        who = [f"P{i:05d}" for i in range(how.patients)]
        _say(f"{how.features:,} features of {how.patients:,} patients; load {os.getloadavg()[0]:.1f}")
        for title, write in (("Parquet, patients in rows", _rows), ("Parquet, genes in rows", _columns),
                             *((("TSV, genes in rows", _text),) if how.text else ())):  # fmt: skip
            _one(title, write, folder, x, names, who)


def _one(title: str, write: Callable[..., Path], folder: Path, x: Path, names: list[str], who: list[str]) -> None:
    file = _written(write, folder / "table", x, names, who)
    work = folder / "work"
    work.mkdir(exist_ok=True)
    before, began = _cpu(), time.perf_counter()
    with _watched() as peak:
        made = attach_wide(file, file.name, work, "benchmark", tuple(who), "local", what="expression", title=title)
    _say(
        f"{title}, {file.stat().st_size / 1e6:.0f} MB: attached in {time.perf_counter() - began:.1f} s, "
        f"{_cpu() - before:.1f} s of computing; reading process {peak[1]:.0f} MB at most, this one grew by "
        f"{peak[0]:.0f} MB; kept as {made.about.size / 1e6:.0f} MB"
    )
    (table,) = [t for t in list_attached("benchmark", reader="local") if t.id == made.kept.id]
    # Random places, the first of them with names and directory not yet read.
    rng, spent, rows = np.random.default_rng(2), [], np.load(x, mmap_mode="r")
    for i in rng.integers(0, len(names), READS):
        start = time.process_time()
        values = table.values(names[i])
        spent.append(time.process_time() - start)
        np.testing.assert_allclose(values, rows[i].astype(float), rtol=1e-6)
    start = time.process_time()
    _, n = table.wide.search("gene12")
    searched = time.process_time() - start
    _say(
        f"  one feature: the first {1e3 * spent[0]:.1f} ms of computing, then {1e3 * np.median(spent):.2f} ms "
        f"(largest {1e3 * max(spent[1:]):.2f}); a search over all names {1e3 * searched:.1f} ms ({n:,} found)"
    )
    _variables(table, names, who)
    file.unlink()


def _written(write: Callable[..., Path], *what: object) -> Path:
    """The file, made in a process of its own for the same reason."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(write, *what).result()


def _variables(table: object, names: list[str], who: list[str]) -> None:
    frame = pd.DataFrame({"who": who, "days": np.arange(1, len(who) + 1), "dead": np.arange(len(who)) % 2})
    cohort = cohort_from_frame(frame, key="benchmark", identifier="who", outcomes=[
        Outcome(key="death", label="Death", time="days", unit="days", status="dead")])  # fmt: skip
    start = time.process_time()
    made, _ = with_features(cohort, {table.id: table}, [Feature(table.id, name) for name in names[:20]])  # type: ignore
    _say(f"  20 of them as variables of the cohort: {1e3 * (time.process_time() - start):.0f} ms of computing "
         f"({made.frame.shape[1]} columns)")  # fmt: skip


def _rows(path: Path, values: Path, names: list[str], who: list[str]) -> Path:
    table = pa.Table.from_arrays([pa.array(who), *map(pa.array, np.load(values))], names=["patient", *names])
    pq.write_table(table, file := path.with_suffix(".parquet"), compression="zstd")
    return file


def _columns(path: Path, values: Path, names: list[str], who: list[str]) -> Path:
    x = np.load(values)
    columns = [pa.array(x[:, j]) for j in range(len(who))]
    table = pa.Table.from_arrays([pa.array(names), *columns], names=["Hugo_Symbol", *who])
    pq.write_table(table, file := path.with_suffix(".parquet"), compression="zstd")
    return file


def _text(path: Path, values: Path, names: list[str], who: list[str]) -> Path:
    file, x = path.with_suffix(".tsv"), np.load(values)
    with file.open("w") as out:
        out.write("\t".join(["Hugo_Symbol", "Entrez_Gene_Id", *(f"{name}-01" for name in who)]) + "\n")
        for i, name in enumerate(names):
            out.write("\t".join([name, str(i), *(f"{v:.3f}" for v in x[i])]) + "\n")
    return file


# ------------------------------------------------------------------ measuring


@contextmanager
def _data_folder(place: Path) -> Iterator[None]:
    os.environ["BEDSIDE_DATA"] = str(place / "data")
    try:
        yield
    finally:
        os.environ.pop("BEDSIDE_DATA")


@contextmanager
def _watched() -> Iterator[list[float]]:
    """By how many MB this process grew at most, and how many those took that it started."""
    start, peak, done = _resident(), [0.0, 0.0], threading.Event()

    def look() -> None:
        while not done.wait(0.05):
            peak[0] = max(peak[0], _resident() - start)
            peak[1] = max(peak[1], _children())

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield peak
    finally:
        done.set()
        watcher.join()


def _resident() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


def _cpu() -> float:
    both = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return sum(each.ru_utime + each.ru_stime for each in both)


def _children() -> float:
    """Memory at most so far of the processes that this one started and that still run, in MB."""
    found = 0.0
    for task in Path("/proc/self/task").iterdir():
        for child in (task / "children").read_text().split():
            try:
                lines = Path(f"/proc/{child}/status").read_text().splitlines()
            except OSError:
                continue  # it has just ended
            found += sum(int(line.split()[1]) / 1e3 for line in lines if line.startswith("VmHWM"))
    return found


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
