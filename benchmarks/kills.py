"""Ends an import with kill -9 at random moments, and looks each time at what is left.

``python -m benchmarks.kills [--times 30] [--rows 20000] [--seed 1]``

A process brings a CSV file: reads it, guesses, builds the cohort, keeps it as a new one or as the next version, saves
a view of it, and says so. It is killed at a random moment of one of these parts, chosen at random, so that the short
ones are hit as well. Then the store must open, the import be absent or complete, and everything be there that was said
to be. Bar: nothing is lost in 30 kills.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path

from bedside.intake import read_cohort
from bedside.intake.building import build
from bedside.intake.guess import guess
from bedside.intake.plan import Plan
from bedside.intake.staging import STAGING, Staged, stage, staging_folder, sweep_staging
from bedside.store.cohorts import keep, list_kept, making, open_folder, sweep, versions
from bedside.store.saved import Saved

READER = "local"
PATIENCE = 20.0
"""Seconds within which the process that was reading the file must have noticed that nobody listens."""

PARTS = ("reading", "building", "keeping")
PRELOADED = ["bedside.intake.building", "bedside.intake.guess", "bedside.store.cohorts", "bedside.store.saved"]

Told = tuple[str, int, str]
"""Key, version and fingerprint of what was acknowledged."""
Understood = tuple[Staged, Plan]


@dataclass(frozen=True)
class Ended:
    """One import that was killed.

    Attributes
    ----------
    part : str
        In which part of the import.
    after : float
        Seconds since that began.
    acknowledged, there : bool
        Whether it had said that it was done, and whether it is there.
    """

    part: str
    after: float
    acknowledged: bool
    there: bool


def write_patients(path: Path, rows: int) -> None:
    """A table with identifiers, follow-up, status and three variables."""
    lines = ["patient;age;grade;marker;days;status"]
    for i in range(rows):
        marker = f"{(i * 37 % 1000) / 7:.3f}".replace(".", ",")
        status = "dead" if i % 3 == 0 else "alive"
        lines.append(f"P{i:06d};{20 + i * 7 % 70};{'I' * (1 + i % 3)};{marker};{1 + i * 13 % 3000};{status}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def understood(source: Path, folder: Path) -> Understood:
    """A file that was read, and how it becomes a cohort."""
    staged = stage(source, "patients.csv", folder)
    return staged, replace(guess(staged).plan, title="Patients")


def bring(data: str, source: Path | Understood, key: str | None, say: Connection) -> None:
    """One import from beginning to end, in a process of its own; of a file, or of one that was read already."""
    os.environ["BEDSIDE_DATA"] = data
    say.send("reading")
    with staging_folder() as folder:
        staged, plan = understood(source, folder) if isinstance(source, Path) else source
        say.send("building")
        with making() as made:
            build(staged, plan, made)
            say.send("keeping")
            kept = keep(made, reader=READER, title="Patients", key=key, source_name=staged.name, sha256=staged.sha256)
            body = {"page": "survival", "query": {}}
            Saved(READER).keep("view", cohort=kept.key, name=f"Of version {kept.version}", body=body)
            say.send((kept.key, kept.version, kept.fingerprint))


@contextmanager
def importing(
    data: Path, source: Path | Understood, key: str | None
) -> Iterator[tuple[multiprocessing.Process, Connection]]:
    """An import in a process of its own, which has no end but its own and this block's."""
    around = multiprocessing.get_context("forkserver")
    around.set_forkserver_preload(PRELOADED)
    hear, say = around.Pipe(duplex=False)
    process = around.Process(target=bring, args=(str(data), source, key, say))
    process.start()
    say.close()
    try:
        yield process, hear
    finally:
        process.kill()
        process.join()
        hear.close()


def acknowledged(hear: Connection) -> Told | None:
    """What the process said at its end, if it came so far."""
    try:
        while isinstance(said := hear.recv(), str):
            continue
    except EOFError:
        return None
    return said


def durations(hear: Connection) -> tuple[dict[str, float], Told]:
    """How long each part of an import takes that nobody kills, and what came of it."""
    began = {}
    while isinstance(said := hear.recv(), str):
        began[said] = time.monotonic()
    ends = [*list(began.values())[1:], time.monotonic()]
    return {part: end - start for (part, start), end in zip(began.items(), ends, strict=True)}, said


def check(data: Path, promised: list[Told], before: set[tuple[str, int]]) -> set[tuple[str, int]]:
    """What is there now: all that was promised, at most one import more than before, each one whole, and no rubbish.

    Raises
    ------
    AssertionError
        If anything is lost or half.
    """
    swept = time.monotonic()
    sweep()
    while sweep_staging() or any((data / STAGING).iterdir()):
        assert time.monotonic() - swept < PATIENCE, "a staging folder stays"
        time.sleep(0.05)
    assert not [path.name for path in (data / "cohorts").iterdir() if path.name.startswith(".")], "a draft stays"
    here = {}
    for newest in list_kept(reader=READER):
        for kept in versions(newest.key, reader=READER):
            assert kept.trouble is None, f"{kept.key} v{kept.version} is there and can't be opened"
            here[kept.key, kept.version] = kept.fingerprint
    for key, version in set(here) - before:
        cohort = read_cohort(open_folder(key, version, reader=READER), key=key)
        assert cohort.fingerprint == here[key, version], "a cohort is another one than was kept"
    views = {(item.cohort, item.name) for item in Saved(READER).all(kind="view")}
    for key, version, fingerprint in promised:
        assert here.get((key, version)) == fingerprint, f"{key} v{version} was acknowledged and is lost"
        assert (key, f"Of version {version}") in views, "a view was acknowledged and is lost"
    assert before <= set(here) and len(set(here) - before) <= 1
    return set(here)


def run(folder: Path, *, times: int, rows: int, seed: int, brought: Understood | None = None) -> list[Ended]:
    """Kill so many imports, each at a random moment, and check after each.

    Parameters
    ----------
    folder : Path
        Empty; `BEDSIDE_DATA` is set to a folder in it.
    brought : Understood, optional
        A file that was read before: only building and keeping are killed.
    """
    data, source, chance = folder / "data", folder / "patients.csv", random.Random(seed)
    os.environ["BEDSIDE_DATA"] = str(data)
    write_patients(source, rows)
    with importing(data, brought or source, None) as (_, hear):
        lasts, whole = durations(hear)
    promised, found = [whole], []
    here = check(data, promised, set())
    for i in range(times):
        part = chance.choice(PARTS if brought is None else PARTS[1:])
        after = chance.uniform(0, 1.1 * lasts[part])
        with importing(data, brought or source, whole[0] if i % 2 else None) as (process, hear):
            while hear.recv() != part:
                continue
            time.sleep(after)
            process.kill()
            told = acknowledged(hear)
        promised += [told] if told else []
        now = check(data, promised, here)
        found.append(Ended(part, after, told is not None, len(now) > len(here)))
        here = now
    return found


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    for name, usual in (("times", 30), ("rows", 20_000), ("seed", 1)):
        asked.add_argument(f"--{name}", type=int, default=usual)
    with tempfile.TemporaryDirectory() as folder:
        found = run(Path(folder), **vars(asked.parse_args()))
    for i, end in enumerate(found, 1):
        print(f"{i:>3}  killed {end.after:5.2f} s into {end.part:<9} {'acknowledged, ' if end.acknowledged else ''}"
              f"{'complete' if end.there else 'absent'}")  # fmt: skip
    n = sum(end.acknowledged for end in found)
    print(f"{len(found)} kills: the store opened each time, {sum(end.there for end in found)} imports complete, the "
          f"others absent, none of the {n} acknowledged lost")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
