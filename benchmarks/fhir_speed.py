"""How long do clinical records in FHIR take to become cohorts?

Three imports, each from the files to the written folders: the bundles of a folder repeated to 25 MB, as new patients;
the same bundles in one file of 200 MB, with the memory that it takes; and 100,000 Observations of these patients as a
bulk export. Beside each, in the same run, what only parsing the same text with ``json`` of the standard library takes.
Times are computing time of one process and time on the clock, the best of three; the load of the machine is printed.

Run: ``.venv/bin/python -m benchmarks.fhir_speed FOLDER [--big]``, with a folder of bundles such as Synthea writes.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MB = 10**6
BUNDLES_MB, BIG_MB, OBSERVATIONS = 25, 200, 100_000
BAR_BUNDLES, BAR_OBSERVATIONS = 3.0, 2.0
_UUID = re.compile(rb"[0-9a-f]{8}(?=-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})")

CHILD = """
import sys, time
from pathlib import Path
from bedside.intake import read_cohort
from bedside.intake.standards.fhir import read_fhir
from bedside.intake.standards.folder import write_made
from bedside.intake.standards.recognise import recognise

def memory(what):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what)) / 1024

before = memory("VmRSS")
clock, computing = time.perf_counter(), time.process_time()
imported = read_fhir(recognise(Path(sys.argv[1]))[0])
for made in imported.cohorts:
    write_made(imported, made, Path(sys.argv[2]) / made.name)
clock, computing = time.perf_counter() - clock, time.process_time() - computing
grown = memory("VmHWM") - before
n = sum(len(read_cohort(Path(sys.argv[2]) / made.name)) for made in imported.cohorts)
read = sum(each.n_read for each in imported.report.files)
sys.stdout.write(f"{clock} {computing} {grown} {n} {len(imported.cohorts)} {read}")
"""


def copies(texts: list[bytes], least: int) -> Iterator[bytes]:
    """Bundles again and again until there are so many bytes, each time with ids of other patients."""
    size = turn = 0
    while size < least:
        for text in texts:
            if turn:
                text = _UUID.sub(lambda found, turn=turn: b"%08x" % ((int(found[0], 16) + turn) % 2**32), text)
            yield text
            size += len(text)
            if size >= least:
                return
        turn += 1


def write_bundles(texts: list[bytes], folder: Path) -> None:
    """One file for each bundle."""
    for i, text in enumerate(copies(texts, BUNDLES_MB * MB)):
        (folder / f"{i:04d}.json").write_bytes(text)


def write_big(texts: list[bytes], folder: Path) -> None:
    """One bundle with the entries of all."""
    with (folder / "big.json").open("wb") as file:
        file.write(b'{"resourceType": "Bundle", "type": "collection", "entry": [\n')
        for i, text in enumerate(copies(texts, BIG_MB * MB)):
            inner = text[text.index(b"[", text.index(b'"entry"')) + 1 : text.rindex(b"]")]
            file.write((b",\n" if i else b"") + inner)
        file.write(b"]}")


def write_observations(texts: list[bytes], folder: Path) -> None:
    """Patients, conditions and encounters once, and observations until there are so many, each with its own id."""
    found = [entry["resource"] for text in texts for entry in json.loads(text)["entry"]]
    observations = [each for each in found if each["resourceType"] == "Observation"]
    few = [each for each in found if each["resourceType"] in ("Patient", "Condition", "Encounter")]
    (folder / "Others.ndjson").write_text("".join(json.dumps(each) + "\n" for each in few))
    with (folder / "Observation.ndjson").open("w") as file:
        for i in range(OBSERVATIONS):
            file.write(json.dumps({**observations[i % len(observations)], "id": f"o{i}"}) + "\n")


def parsed(folder: Path) -> float:
    """Seconds of computing in which ``json`` parses the same files."""
    start = time.process_time()
    for path in folder.iterdir():
        with path.open("rb") as file:
            if path.suffix == ".ndjson":
                for line in file:
                    json.loads(line)
            else:
                json.loads(file.read())
    return time.process_time() - start


def imported(folder: Path) -> list[float]:
    """Clock, computing, memory, patients, cohorts and resources of an import in a process of its own."""
    with tempfile.TemporaryDirectory() as into:
        told = subprocess.run(
            [sys.executable, "-c", CHILD, str(folder), into], cwd=ROOT, check=True, capture_output=True, text=True
        )
    return [float(each) for each in told.stdout.split()]


def measure(name: str, write: Callable[[list[bytes], Path], None], texts: list[bytes], bar: float | None) -> bool:
    """Print one line; True if the bar holds, in computing time, since others may share the machine."""
    with tempfile.TemporaryDirectory() as where:
        folder = Path(where)
        write(texts, folder)
        size = sum(path.stat().st_size for path in folder.iterdir()) / MB
        runs = [imported(folder) for _ in range(3 if bar else 1)]
        clock, computing = (min(run[i] for run in runs) for i in (0, 1))
        memory, patients, cohorts, resources = runs[0][2:]
        peer = min(parsed(folder) for _ in range(2 if bar else 1))
    held = bar is None or computing < bar
    sys.stdout.write(
        f"{name}: {size:.0f} MB, {resources:,.0f} resources, {cohorts:.0f} cohorts ({patients:.0f} patients): "
        f"{computing:.2f} s of computing, {clock:.2f} s on the clock, +{memory:.0f} MB; json alone {peer:.2f} s "
        f"(ratio {computing / peer:.2f}){f'; bar {bar:.0f} s: ' + ('held' if held else 'MISSED') if bar else ''}\n"
    )
    return held


def main() -> int:
    """Measure, and end with 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--big", action="store_true", help="also one bundle of 200 MB")
    chosen = parser.parse_args()
    texts = [path.read_bytes() for path in sorted(chosen.folder.glob("*.json"))]
    if not texts:
        parser.error(f"there is no bundle (*.json) in {chosen.folder}")
    sys.stdout.write(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    held = measure("bundles", write_bundles, texts, BAR_BUNDLES)
    held &= measure("observations", write_observations, texts, BAR_OBSERVATIONS)
    if chosen.big:
        measure("one bundle", write_big, texts, None)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
