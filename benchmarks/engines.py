"""Survival of four groups from one engine, timed in a process of its own: what the benchmarks of engines share.

A child process is one measurement: it says how long each round took, how much memory it held at most, and what
it found, so that engines are compared on the same numbers.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bedside.cohort import Level, Outcome, Source, Variable
from bedside.cohort.cohort import Cohort
from bedside.engine import Engine, engine_of, event_tables, groups_of

ROOT = Path(__file__).resolve().parents[1]
ARMS = ("standard", "low dose", "high dose", "combined")
DEATH = Outcome(key="death", label="Death", time="days", unit="days", status="status", censored=("0",), event=("1",))
ARM = Variable(name="arm", kind="categorical", levels=tuple(Level(code=arm, label=arm) for arm in ARMS))
CHUNK = 1_000_000
AT = np.arange(11) * 365.25


@dataclass(frozen=True)
class Measured:
    """One child: seconds of the first round, opening included, and of each later one; the most memory in MB; a digest
    of the numbers found.
    """

    first: float
    seconds: tuple[float, ...]
    peak_mb: float
    digest: str

    @property
    def median(self) -> float:
        """Of the rounds after the first, or the first if it was the only one."""
        return float(np.median(self.seconds or (self.first,)))


def write(path: Path, n: int) -> None:
    """Invented patients in a Parquet file: arm, whole days of follow-up over ten years, status; half are censored."""
    kinds = pa.schema([("arm", pa.dictionary(pa.int8(), pa.string())), ("days", pa.int32()), ("status", pa.int8())])
    with pq.ParquetWriter(path, kinds) as file:
        for start in range(0, n, CHUNK):
            rng = np.random.default_rng([n, start])
            size = min(CHUNK, n - start)
            arm = rng.integers(0, len(ARMS), size)
            died, left = rng.exponential(1500 * (1 + 0.1 * arm)), rng.uniform(200, 3650, size)
            named = pa.DictionaryArray.from_arrays(pa.array(arm.astype(np.int8)), pa.array(ARMS))
            days, status = np.ceil(np.minimum(died, left)).astype(np.int32), (died <= left).astype(np.int8)
            file.write_table(pa.table([named, days, status], schema=kinds))


def survival(engine: Engine) -> str:
    """Kaplan-Meier with intervals, table of numbers at risk and log-rank test of four groups; their digest."""
    tables = event_tables(engine, DEATH, groups_of(engine, ARM))
    curves, test = tables.curves(), tables.log_rank()
    seal = hashlib.sha256(np.float64(test.statistic).tobytes())
    for curve in curves:
        at_risk = curve.counts(AT).at_risk.astype(np.int64)
        for array in (curve.time, curve.survival, curve.lower, curve.upper, curve.at_risk, at_risk):
            seal.update(np.ascontiguousarray(array).tobytes())
    return seal.hexdigest()[:12]


def duckdb(path: str) -> Iterator[Callable[[], str]]:
    """DuckDB over the Parquet file."""
    from bedside.engine.duck import open_file

    with open_file(Path(path)) as engine:
        yield lambda: survival(engine)


def memory(path: str) -> Iterator[Callable[[], str]]:
    """A cohort in memory already; reading it is not part of the time."""
    rows = pq.read_table(path).to_pandas()
    rows["status"] = rows["status"].astype(str).astype("category")
    rows["days"] = rows["days"].astype(float)
    source = Source(citation="Invented.", licence="none", origin="a benchmark")
    words = {"key": "invented", "title": "Invented", "short_title": "Invented", "summary": "", "population": ""}
    cohort = Cohort(**words, identifier=None, variables=(ARM,), outcomes=(DEATH,), treatment=None, source=source,
                    frame=rows)  # fmt: skip
    yield lambda: survival(engine_of(cohort))


def postgres(address: str) -> Iterator[Callable[[], str]]:
    """A table of PostgreSQL."""
    from bedside.engine.postgres import open_postgres

    with open_postgres(address, "patients") as engine:
        yield lambda: survival(engine)


def spark(path: str) -> Iterator[Callable[[], str]]:
    """Spark on this machine with two threads over the Parquet file."""
    from bedside.engine.spark import open_spark
    from benchmarks.spark_session import own_session

    with own_session() as session, open_spark(session, lambda own: own.read.parquet(path)) as engine:
        yield lambda: survival(engine)


def lifelines(path: str) -> Iterator[Callable[[], str]]:
    """The peer: the same file, the same curves, intervals, table and test."""
    import pandas as pd
    from lifelines import KaplanMeierFitter
    from lifelines.statistics import multivariate_logrank_test

    def once() -> str:
        rows = pd.read_parquet(path)
        for arm in ARMS:
            few = rows[rows["arm"] == arm]
            fit = KaplanMeierFitter().fit(few["days"], few["status"])
            at_risk = fit.event_table["at_risk"].to_numpy()
            at_risk[np.minimum(np.searchsorted(fit.event_table.index, AT), len(at_risk) - 1)].astype(np.int64)
        test = multivariate_logrank_test(rows["days"], rows["arm"], rows["status"])
        return f"chi-squared {test.test_statistic:.6f}"

    yield once


ENGINES = {f.__name__: f for f in (duckdb, memory, postgres, spark, lifelines)}


def measure(name: str, where: str, *, rounds: int) -> Measured:
    """Time an engine in a child process: a first round, then ``rounds`` more."""
    command = [sys.executable, "-m", "benchmarks.engines", name, where, str(rounds)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    told = json.loads(done.stdout.splitlines()[-1])
    return Measured(told["seconds"][0], tuple(told["seconds"][1:]), told["peak_mb"], told["digest"])


@contextmanager
def loaded(path: Path) -> Iterator[str]:
    """A PostgreSQL of its own that holds the file's rows; its address."""
    import psycopg

    from benchmarks.postgres_server import own_server

    with own_server() as address:
        with psycopg.connect(address) as connection:
            connection.execute("CREATE TABLE patients (arm text, days integer, status smallint)")
            into = "COPY patients FROM STDIN (FORMAT csv)"
            with connection.cursor().copy(into) as copy, pq.ParquetFile(path) as file:
                for batch in file.iter_batches(CHUNK):
                    copy.write(batch.to_pandas().to_csv(index=False, header=False))
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE patients")
        yield address


def load() -> str:
    """What else the machine is doing."""
    return f"load {', '.join(f'{value:.1f}' for value in os.getloadavg())} on {os.cpu_count()} cores"


def _peak_mb() -> float:
    """Of this program alone: the kernel's own maximum would count the parent's memory as well."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def main(name: str, where: str, rounds: int) -> None:
    """The child."""
    begin = time.perf_counter()
    for once in ENGINES[name](where):
        seconds, digest = [], ""
        for _ in range(rounds + 1):
            digest = once()
            end = time.perf_counter()
            seconds.append(end - begin)
            begin = end
        sys.stdout.write("\n" + json.dumps({"seconds": seconds, "peak_mb": _peak_mb(), "digest": digest}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
