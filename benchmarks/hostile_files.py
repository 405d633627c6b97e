"""Makes files that were made to harm, and files that only look odd, and brings each as a reader would.

``python -m benchmarks.hostile_files [--only TEXT]``

The first must be refused within 20 s, with three sentences that say what to do, and without the process that asked
growing by 200 MB; the second must be read right, cell by cell. One line for each file: the verdict, seconds on the
clock, seconds of computing, growth in megabytes, and what was said. The exit code is 1 if any is wrong.
"""

from __future__ import annotations

import argparse
import gzip
import os
import pickle
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bedside.errors import Fixable
from bedside.intake.guess import guess
from bedside.intake.staging import preview, stage, staging_folder

BAR_SECONDS, BAR_GROWTH = 20.0, 200.0
MB = 10**6
CELLS = (
    ("Patient", "Alter", "Größe", "Status", "Diagnose am"),
    ("007", "61,5", "1,72", "verstorben", "03.04.2020"),
    ("008", "48,0", "1,80", "lebt", "12.11.2019"),
    ("9007199254740993", "55,5", "1,65", "lebt", "01.01.2021"),
)


@dataclass(frozen=True)
class Verdict:
    """What came of one file."""

    right: bool
    said: str
    seconds: float
    computed: float
    growth: float


# ------------------------------------------------------------------ files that harm


def _small_parquet(path: Path) -> None:
    """Some hundred bytes that unpack to 2 GB: one value, said 250 million times."""
    zeros = pa.table({"a": pa.array(np.zeros(250_000_000, dtype=np.int64))})
    pq.write_table(zeros, path, compression="zstd", row_group_size=250_000_000)


def _gzip_bomb(path: Path) -> None:
    with gzip.open(path, "wb", 9) as out:
        out.write(b"a,b\n")
        for _ in range(1_000):
            out.write(b"1,2\n" * 10**6)


def _wide(path: Path) -> None:
    path.write_text(",".join(f"g{i}" for i in range(200_000)) + "\n" + ",".join("1" * 200_000) + "\n")


def _open_quote(path: Path) -> None:
    path.write_bytes(b'id,age\n1,"' + b"x" * 50 * MB)


def _open_quote_of_lines(path: Path) -> None:
    path.write_bytes(b"id,age\n" + b"1,2\n" * 10 + b'1,"' + b"x,y\n" * (50 * MB // 4))


def _noise(path: Path) -> None:
    path.write_bytes(np.random.default_rng(1).bytes(20 * MB))


def _cut_parquet(path: Path) -> None:
    pq.write_table(pa.table({"id": list(range(100_000)), "age": [1.5] * 100_000}), path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _pickled(path: Path) -> None:
    path.write_bytes(pickle.dumps({"id": list(range(1000)), "age": [1.5] * 1000}))


HARMFUL: dict[str, tuple[str, Callable[[Path], None]]] = {
    "a Parquet of some hundred bytes that unpacks to 2 GB": ("bomb.parquet", _small_parquet),
    "a gzip bomb": ("bomb.csv.gz", _gzip_bomb),
    "200,000 columns": ("wide.csv", _wide),
    "a quotation mark that is open for 50 MB": ("quote.csv", _open_quote),
    "the same over 12,000,000 lines": ("lines.csv", _open_quote_of_lines),
    "random bytes named .csv": ("noise.csv", _noise),
    "a truncated Parquet": ("cut.parquet", _cut_parquet),
    "a pickle named .csv": ("patients.csv", _pickled),
    "a pickle": ("patients.pkl", _pickled),
}


# ------------------------------------------------------------------ files that only look odd


def _text(delimiter: str = ";", end: str = "\n") -> str:
    return end.join(delimiter.join(row) for row in CELLS) + end


def _mixed_ends() -> bytes:
    lines = [";".join(row) for row in CELLS]
    return f"{lines[0]}\r\n{lines[1]}\n{lines[2]}\r{lines[3]}\r\n".encode()


ODD: dict[str, bytes] = {
    "UTF-16": _text().encode("utf-16"),
    "UTF-16 without a mark": _text().encode("utf-16-le"),
    "Latin-1": _text().encode("latin-1"),
    "a byte order mark": _text().encode("utf-8-sig"),
    "mixed line ends": _mixed_ends(),
    "line ends of an old Macintosh": _text(end="\r").encode(),
    "semicolon with decimal comma": _text().encode(),
    "tabs with decimal comma": _text("\t").encode(),
    "gzip": gzip.compress(_text().encode()),
}
"""Each with identifiers that begin with zeros and one beyond 2^53."""


# ------------------------------------------------------------------ bringing


def _measured(work: Callable[[], tuple[bool, str]]) -> Verdict:
    before = _used()
    began, grown = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    right, said = work()
    growth = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - grown) / 1024
    return Verdict(right, said, time.perf_counter() - began, _used() - before, growth)


def _used() -> float:
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in both)


def refused(path: Path) -> Verdict:
    """Bring a file that must not be read."""

    def work() -> tuple[bool, str]:
        with staging_folder() as folder:
            try:
                staged = stage(path, path.name, folder)
            except Fixable as stop:
                return all((stop.what, stop.why, stop.next_step)), stop.why
            return False, f"was read as {staged.n_rows:,} rows"

    return _measured(work)


def read_right(path: Path) -> Verdict:
    """Bring a file that must be read, and compare every cell and what is guessed of its columns."""

    def work() -> tuple[bool, str]:
        with staging_folder() as folder:
            try:
                staged = stage(path, path.name, folder)
            except Fixable as stop:
                return False, f"was refused: {stop.why}"
            rows = preview(staged)
            found = (tuple(rows.columns), *(tuple(row) for row in rows.itertuples(index=False)))
            if found != CELLS:
                return False, "cells differ"
            plan = guess(staged).plan
            kinds = [plan.column(name).kind for name in CELLS[0][1:3]], plan.column("Diagnose am").kind
            right = plan.identifier == "Patient" and kinds == (["continuous"] * 2, "date")
            return right, f"{staged.n_rows} rows, {staged.reading.encoding}" if right else "columns are guessed wrong"

    return _measured(work)


def lines(folder: Path, only: str) -> Iterable[tuple[str, str, Verdict]]:
    """Each file with what has to come of it and what came."""
    for what, (name, make) in HARMFUL.items():
        if only in what:
            # Made by a process of its own: what making it takes must not count as growth.
            if (child := os.fork()) == 0:
                make(folder / name)
                os._exit(0)
            os.waitpid(child, 0)
            yield what, "refused", refused(folder / name)
            (folder / name).unlink()
    for i, (what, data) in enumerate(ODD.items()):
        if only in what:
            path = folder / f"odd_{i}.csv"
            path.write_bytes(data)
            yield what, "read", read_right(path)


def main() -> int:
    """Print a line for each file; 1 if one is wrong."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--only", default="")
    only = asked.parse_args().only
    right = True
    with tempfile.TemporaryDirectory() as name:
        os.environ["BEDSIDE_DATA"] = str(Path(name) / "data")
        for what, wanted, found in lines(Path(name), only):
            # Other work on the machine stretches the clock, and not the computing.
            good = found.right and found.computed <= BAR_SECONDS and found.growth <= BAR_GROWTH
            right &= good
            late = "" if found.seconds <= BAR_SECONDS else " (late by the clock)"
            print(f"{'ok   ' if good else 'WRONG'} {wanted:<8} {what:<54} {found.seconds:6.1f} s{late}, computing "
                  f"{found.computed:5.1f} s, {found.growth:+5.0f} MB: {found.said}", flush=True)  # fmt: skip
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    return int(not right)


if __name__ == "__main__":
    sys.exit(main())
