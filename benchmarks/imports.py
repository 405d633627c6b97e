"""Reads every file below a folder, prints the report of each import and a line for each cohort.

    python -m benchmarks.imports DIR [-v]

The exit code is 0 only if every file was accounted for: it belongs to a source that was read, or is a description;
each row of it became part of a cohort or was dropped for a reason that is counted; and every cohort opens. Overall
survival of a trial (ADTTE) is computed once more from the file's own columns, and follow-up of FHIR, OMOP and MEDS from
the files themselves (`benchmarks.recomputed`), by other code: each patient must have the same days and the same end.
"""

from __future__ import annotations

import argparse
import gzip
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat

from bedside.cohort import Cohort
from bedside.errors import Faults, Fixable
from bedside.intake.building import build
from bedside.intake.guess import guess
from bedside.intake.read import read_cohort
from bedside.intake.staging import stage
from bedside.intake.standards.any_source import READERS, read_source
from bedside.intake.standards.folder import Imported, ImportReport, write_made
from bedside.intake.standards.recognise import SAID, Found, recognise
from bedside.survival.estimate import kaplan_meier
from benchmarks import recomputed as once_more

SAME = 1e-12


def main(arguments: list[str] | None = None) -> int:
    """Read a folder; how many files could not be accounted for, or other faults."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.imports", description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("-v", "--verbose", action="store_true", help="print what each field became as well")
    options = parser.parse_args(arguments)
    begin = time.perf_counter()
    try:
        sources = recognise(options.folder)
    except Fixable as fault:
        print(f"FAILED  {fault}")
        return 1
    faults = [fault for found in sources for fault in read(found, options.folder, verbose=options.verbose)]
    n_files = sum(len(found.files) for found in sources)
    print(f"\n{n_files} files, {len(sources)} sources, {len(faults)} faults; {time.perf_counter() - begin:.1f} s")
    for fault in faults:
        print(f"FAILED  {fault}")
    return 1 if faults else 0


def read(found: Found, base: Path, *, verbose: bool = False) -> Iterator[str]:
    """Read one source and print what came of it; every fault."""
    place = found.root.relative_to(base) if found.root.is_relative_to(base) else found.root
    names = ", ".join(path.name for path in found.files[:6])
    more = f" and {len(found.files) - 6} more" if len(found.files) > 6 else ""
    print(f"\n{place}: {SAID[found.kind]} ({names}{more})")
    if found.kind == "unknown":
        yield f"{found.files[0]}: {found.parts[0].what}"
    elif found.kind in READERS:
        yield from standard(found, verbose=verbose)
    elif found.kind in ("cohort", "table"):
        try:
            with tempfile.TemporaryDirectory() as folder:
                cohort = read_cohort(found.root) if found.kind == "cohort" else table(found.files[0], Path(folder))
            if cohort is not None:
                line(cohort)
        except Fixable as fault:
            yield f"{found.files[0]}: {fault}{said(fault)}"


def table(path: Path, folder: Path) -> Cohort | None:
    """A plain table as the import page would read it, without a choice changed; None if it tells of no follow-up."""
    (folder / "staged").mkdir()
    (folder / "cohort").mkdir()
    staged = stage(path, path.name, folder / "staged")
    guessed = guess(staged)
    if not guessed.plan.outcomes:
        print(f"  {staged.n_rows:,} rows of {len(staged.columns):,} columns read; no follow-up and status: no cohort")
        return None
    report = build(staged, guessed.plan, folder / "cohort")
    print(f"  {staged.n_rows:,} rows read, {report.rows_kept:,} kept; {report.columns_kept} columns kept")
    return read_cohort(folder / "cohort")


def standard(found: Found, *, verbose: bool) -> Iterator[str]:
    """A source of a standard."""
    begin = time.perf_counter()
    try:
        imported = read_source(found)
    except Fixable as fault:
        yield f"{found.root}: {fault}"
        return
    seconds = time.perf_counter() - begin
    size = sum(path.stat().st_size for path in found.files) / 1e6
    print(f"  read in {seconds:.2f} s ({size:.1f} MB)")
    show(imported.report, verbose=verbose)
    yield from unaccounted(found, imported.report)
    for made in imported.cohorts:
        with tempfile.TemporaryDirectory() as folder:
            try:
                write_made(imported, made, Path(folder) / made.name)
                cohort = read_cohort(Path(folder) / made.name)
            except Fixable as fault:
                yield f"{found.root}, {made.dictionary['title']}: {fault}{said(fault)}"
                continue
            line(cohort)
            if found.kind == "adam" and made is imported.cohorts[0]:
                yield from recomputed(found, imported, cohort)
            yield from followed_again(found, imported, imported.cohorts.index(made), cohort)


def said(fault: Fixable) -> str:
    """Each fault of a cohort, where there are several."""
    each = fault.faults[:5] if isinstance(fault, Faults) else ()
    return "".join(f"\n    {one.file}, {one.column}: expected {one.expected}; found {one.found}" for one in each)


def show(report: ImportReport, *, verbose: bool) -> None:
    """The report of an import."""
    for file in report.files:
        why = "; ".join(f"{n:,} {reason}" for reason, n in file.why)
        print(f"  {file.name[:50]:50} {file.what[:40]:40} {file.n_read:>9,} read {file.n_mapped:>9,} mapped "
              f"{file.n_dropped:>9,} dropped{': ' + why if why else ''}")  # fmt: skip
    for what, n in report.faults:
        print(f"  fault: {n:,} x {what}")
    for note in report.notes:
        print(f"  note: {note}")
    for before, after in report.mapped if verbose else ():
        print(f"  {before}: {after}")
    for cohort in report.cohorts:
        for reason, n in cohort.left_out:
            print(f"  left out of “{cohort.title}”: {n:,}: {reason}")


def line(cohort: Cohort) -> None:
    """Patients, events and follow-up of each outcome of a cohort."""
    visits = 0 if cohort.visits is None else len(cohort.visits.frame)
    for outcome in cohort.outcomes:
        times = cohort.time(outcome)
        who = f"{cohort.title[:44]:44} {len(cohort):>7,} patients"
        what = f"{outcome.label[:34]:34} {int(cohort.event(outcome).sum()):>6,} events"
        how_long = f"follow-up {times.min():,.1f} to {times.max():,.1f} {outcome.unit}, median {np.median(times):,.1f}"
        print(f"  COHORT  {who}  {what}  {how_long}; {len(cohort.variables)} variables, {visits:,} visits")


def unaccounted(found: Found, report: ImportReport) -> Iterator[str]:
    """Files that the report does not name, and rows that it does not account for."""
    named = {file.name for file in report.files}
    for path in found.files:
        if not named & {path.name, str(path.relative_to(found.root))}:
            yield f"{path}: not in the report"
    for file in report.files:
        if file.n_read != file.n_mapped + file.n_dropped or sum(n for _, n in file.why) != file.n_dropped:
            yield f"{found.root}, {file.name}: its rows do not add up in the report"


# ------------------------------------------------------------------ a trial, once more


def recomputed(found: Found, imported: Imported, cohort: Cohort) -> Iterator[str]:
    """Overall survival from the columns of ADTTE, by code that shares nothing with ours."""
    outcome = next((each for each in cohort.outcomes if each.concept == "death"), None)
    if outcome is None:
        return
    code = outcome.time.removesuffix(": time")
    rows = pd.concat([raw(path) for path in found.of("ADTTE")], ignore_index=True)
    rows = rows[rows["PARAMCD"].astype(str).str.strip() == code]
    rows = rows[rows["USUBJID"].astype(str).isin(cohort.identifiers)].drop_duplicates("USUBJID")
    avail, died = rows["AVAL"].astype(float).to_numpy(), rows["CNSR"].astype(float).to_numpy() == 0
    curve = kaplan_meier(cohort.time(outcome), cohort.event(outcome), unit=outcome.unit)
    times, survival = by_hand(avail, died)
    places = np.searchsorted(curve.time, times)
    same = len(rows) == len(cohort) and int(died.sum()) == int(cohort.event(outcome).sum())
    same = same and bool(np.all(np.abs(curve.survival[places] - survival) <= SAME))
    print(f"  {code} from the file's own columns: {len(rows)} subjects, {int(died.sum())} deaths, survival at "
          f"{len(times)} times {'the same' if same else 'NOT THE SAME'}")  # fmt: skip
    if not same:
        yield f"{found.root}: overall survival differs from the columns of ADTTE"


MOST_AGAIN = 100 * 10**6
"""Bytes of a source that is gone through once more; what does so holds all of it in memory."""


def followed_again(found: Found, imported: Imported, place: int, cohort: Cohort) -> Iterator[str]:
    """Days and death of every patient of a clinical record from its files, by code that shares nothing with ours."""
    if found.kind not in ("fhir", "meds", "omop"):
        return
    if sum(path.stat().st_size for path in found.files) > MOST_AGAIN:
        print(f"  follow-up not computed once more: more than {MOST_AGAIN // 10**6} MB")
        return
    told = again(found, imported, place)
    if told is None:
        print("  follow-up not computed once more: the cohort is one of mCODE or ATLAS")
        return
    outcome = cohort.outcomes[0]
    ours = pd.DataFrame({"days": cohort.time(outcome).astype(int), "died": cohort.event(outcome)},
                        index=[str(each).rsplit("|", 1)[-1] for each in cohort.identifiers])  # fmt: skip
    same = ours.sort_index().equals(told.astype({"days": int, "died": bool}).sort_index())
    print(f"  follow-up from the files themselves: {len(told)} patients, {int(told['died'].sum())} deaths, "
          f"{'the same' if same else 'NOT THE SAME'}")  # fmt: skip
    if not same:
        yield f"{found.root}, {cohort.title}: follow-up differs from the files"


def again(found: Found, imported: Imported, place: int) -> pd.DataFrame | None:
    """Follow-up of one cohort by `benchmarks.recomputed`; None where that has no such start."""
    options = imported.recipe["options"]
    if found.kind == "omop":
        chosen = next(each.now for each in imported.offers if each.key == "whom")
        if options["atlas"] or not chosen:
            return None
        kind, number = chosen[0].split()
        tables = once_more.omop_tables({part.what: part.path for part in found.parts})
        return once_more.omop(tables, deaths_after=options["deaths_after"], **{kind: int(number)})
    plan = options["cohorts"][place]
    if plan["cancer"]:
        return None
    if found.kind == "meds":
        return once_more.meds(found.of("data"), plan["codes"], undated=plan["undated_deaths"])
    return once_more.fhir(found.files, plan["start"], plan["codes"], time_zone=options["time_zone"],
                          undated=plan["undated_deaths"])  # fmt: skip


def raw(path: Path) -> pd.DataFrame:
    """A table as pandas or the reader of statistics packages has it."""
    with path.open("rb") as file:
        start = file.read(24)
    if start.startswith(b"HEADER RECORD"):
        return pyreadstat.read_xport(str(path))[0]
    if start[:12] == bytes(12):
        return pyreadstat.read_sas7bdat(str(path))[0]
    packed = start[:2] == b"\x1f\x8b"
    with gzip.open(path, "rt", encoding="utf-8-sig") if packed else path.open(encoding="utf-8-sig") as text:
        return pd.read_csv(text, sep=None, engine="python", dtype=str)


def by_hand(time: np.ndarray, event: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The product of (n - d) / n over the times of events."""
    times = np.unique(time[event])
    at_risk = (time[None, :] >= times[:, None]).sum(axis=1)
    deaths = ((time[None, :] == times[:, None]) & event[None, :]).sum(axis=1)
    return times, np.cumprod((at_risk - deaths) / at_risk)


if __name__ == "__main__":
    sys.exit(main())
