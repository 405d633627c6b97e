"""How long does a CSV file of 200 MB take until its guesses are shown, and until it is a cohort, and who notices?

Writes 2,000,000 invented patients with 12 columns (identifiers, dates as text, decimal numbers, words of status),
starts Bedside, and brings the file in Chromium as a reader would, while a second session goes from page to page. Times
are on the clock, from choosing the file (or pressing Import) to the first frame in which what was asked for stands
there; beside them stands the computing time of the server and its jobs, which other work on the machine changes less,
and the time in which pandas reads the same file in the same run. Memory is that of the server's process alone, sampled
ten times a second. Run: ``python -m benchmarks.import_big [--rows N]``. The exit code is 1 if a bar is missed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.screen import browser_path
from tests.serving import Server, serve

BAR_GUESSES, BAR_IMPORT, BAR_GROWTH, BAR_OTHERS = 5.0, 30.0, 500.0, 2.0
PATIENCE = 600.0
PEER = """
import resource, sys, time
import pandas
began = time.perf_counter()
pandas.read_csv(sys.argv[1], dtype=str)
used = resource.getrusage(resource.RUSAGE_SELF)
print(time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
"""
PLACES = {"Patients": "/patients", "Survival": "/survival", "Overview": "/"}
THERE = """(path) => location.pathname === path && document.querySelector('h1')
  && document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState === 'notRunning'
  && !document.querySelector('[data-stale="true"]')"""
SEEN = """(what) => {
  window.seen = {}
  const look = () => {
    for (const [name, selector] of Object.entries(what))
      if (!(name in window.seen) && document.querySelector(selector)) window.seen[name] = Date.now() / 1000
    requestAnimationFrame(look)
  }
  look()
}"""
ROWS = 2_000_000
PART = 200_000
STATES = ("alive without disease", "alive with disease", "dead of disease", "dead of other cause", "lost to follow-up")
STAGES = ("I", "II", "III", "IV")
ARMS = ("surgery alone", "surgery and chemotherapy", "radiotherapy")


def write_registry(path: Path, rows: int = ROWS, *, seed: int = 7) -> None:
    """A registry of invented patients: identifiers, four dates in words of a spreadsheet, decimals, status words.

    Parameters
    ----------
    path : Path
    rows : int
    seed : int
    """
    rng = np.random.default_rng(seed)
    first = _part(rng, 0, 1)
    with pa_csv.CSVWriter(str(path), first.schema, write_options=pa_csv.WriteOptions(quoting_style="none")) as out:
        for start in range(0, rows, PART):
            out.write_table(_part(rng, start, min(PART, rows - start)))


def _part(rng: np.random.Generator, start: int, n: int) -> pa.Table:
    diagnosed = rng.integers(_day("2000-01-01"), _day("2020-01-01"), n)
    followed = np.minimum(rng.exponential(1500, n), rng.uniform(100, 2200, n)).astype(int)
    age = rng.normal(62, 11, n).clip(18, 98)
    return pa.table(
        {
            "patient_id": [f"REG-{i:09d}" for i in range(start, start + n)],
            "hospital": _one_of([f"Hospital {i:02d}" for i in range(1, 41)], rng, n),
            "date_of_birth": _dates(diagnosed - (age * 365.25).astype(int)),
            "date_of_diagnosis": _dates(diagnosed),
            "date_last_contact": _dates(diagnosed + followed),
            "sex": _one_of(["female", "male"], rng, n),
            "stage": _one_of(STAGES, rng, n),
            "treatment": _one_of(ARMS, rng, n),
            "creatinine_mg_dl": _decimal(rng.lognormal(0, 0.3, n), 2),
            "haemoglobin_g_dl": _decimal(rng.normal(13, 1.6, n), 1),
            "bmi": _decimal(rng.normal(26, 4, n).clip(14, 60), 1),
            "status": _one_of(STATES, rng, n),
        }
    )


def _day(text: str) -> int:
    return int(np.datetime64(text).astype(int))


def _one_of(words: list[str] | tuple[str, ...], rng: np.random.Generator, n: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(rng.integers(0, len(words), n, dtype=np.int32), list(words)).cast(pa.string())


def _dates(days: np.ndarray) -> pa.Array:
    return pc.strftime(pa.array(days.astype(np.int32), pa.date32()), format="%d.%m.%Y")


def _decimal(values: np.ndarray, digits: int) -> pa.Array:
    """Numbers as text, one in fifty left empty."""
    text = pa.array(np.round(values, digits)).cast(pa.string())
    return pc.if_else(pa.array(np.arange(len(values)) % 50 == 7), pa.scalar("", pa.string()), text)


# ------------------------------------------------------------------ the server


@dataclass(eq=False)
class Watched:
    """Memory and computing time of a server while it works."""

    pid: int
    base: float = 0.0
    peak: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Take the memory of now as what it had before."""
        self.base = self.peak = self.memory()
        threading.Thread(target=self._sample, daemon=True).start()

    def _sample(self) -> None:
        while not self._stop.wait(0.1):
            self.peak = max(self.peak, self.memory())

    def end(self) -> float:
        """By how many megabytes it grew at most."""
        self._stop.set()
        return self.peak - self.base

    def memory(self) -> float:
        """Megabytes."""
        told = Path(f"/proc/{self.pid}/status").read_text()
        _, there, rest = told.partition("VmRSS:")  # a process that has ended has none
        return float(rest.split()[0]) / 1024 if there else 0.0

    def computed(self) -> float:
        """Seconds of computing, of the server and its jobs that have ended."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def entered(browser: Browser, server: Server, path: str) -> Page:
    """A session of its own at a page."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB").new_page()
    page.set_default_timeout(PATIENCE * 1000)
    page.goto(f"{server.url}/{path}")
    page.get_by_role("button", name="I understand").click()
    return page


def other_session(page: Page) -> Callable[[], float]:
    """Goes to the next page each time it is called; the seconds until that stands there."""
    turns = list(PLACES)

    def step() -> float:
        link = turns[0]
        turns.append(turns.pop(0))
        began = time.perf_counter()
        page.get_by_role("link", name=link, exact=True).first.click()
        page.wait_for_function(THERE, arg=PLACES[link])
        return time.perf_counter() - began

    return step


def until(page: Page, name: str, meanwhile: Callable[[], float]) -> tuple[float, list[float]]:
    """When something was first seen in a session, and what another one waited meanwhile."""
    waited, give_up = [], time.time() + PATIENCE
    while time.time() < give_up:
        waited.append(meanwhile())
        when = page.evaluate("name => window.seen[name] ?? null", name)
        if when is not None:
            return when, waited
    raise SystemExit(f"{name}: nothing after {PATIENCE:.0f} s")


def peer(path: Path) -> tuple[float, float, float]:
    """Seconds on the clock, seconds of computing and megabytes in which pandas reads the file."""
    done = subprocess.run([sys.executable, "-c", PEER, str(path)], capture_output=True, text=True, check=True)
    clock, computed, memory = map(float, done.stdout.split())
    return clock, computed, memory


@dataclass(frozen=True)
class Measured:
    """One run."""

    guesses: float
    guesses_computed: float
    counted: float
    made: float
    made_computed: float
    growth: float
    others: list[float]


def bring(browser: Browser, server: Server, path: Path) -> Measured:
    """Bring the file in one session while another goes from page to page."""
    step = other_session(entered(browser, server, "overview"))
    page = entered(browser, server, "import")
    page.get_by_text("What happens to my file").wait_for()
    for _ in range(6):
        step()
    watched = Watched(server.process.pid)
    watched.start()
    page.evaluate(SEEN, {
        "guesses": ".st-key-import_go", "counted": ".st-key-import_o0_sure", "made": ".st-key-card_import_done",
    })  # fmt: skip
    computed, began = watched.computed(), time.time()
    page.locator('input[type="file"]').first.set_input_files(str(path))
    shown, others = until(page, "guesses", step)
    guesses_computed = watched.computed() - computed
    counted, waited = until(page, "counted", step)
    others += waited
    for i in range(page.locator('[class*="st-key-import_o"][class*="_sure"]').count()):
        tick = page.locator(f".st-key-import_o{i}_sure").get_by_role("checkbox")
        tick.focus()
        page.keyboard.press("Space")
        others += [step(), step()]
    go = page.get_by_role("button", name="Import", exact=True)
    page.wait_for_function(
        "() => [...document.querySelectorAll('.st-key-import_go button')].some(button => !button.disabled)"
    )
    computed, pressed = watched.computed(), time.time()
    go.click()
    made, waited = until(page, "made", step)
    return Measured(
        shown - began,
        guesses_computed,
        counted - began,
        made - pressed,
        watched.computed() - computed,
        watched.end(),
        others + waited,
    )


def main() -> int:
    """Print each number with its bar; 1 if one is missed."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--rows", type=int, default=ROWS)
    rows = asked.parse_args().rows
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        path = Path(name) / "registry.csv"
        write_registry(path, rows)
        clock, computed, memory = peer(path)
        browser = playwright.chromium.launch(executable_path=browser_path(), args=["--no-sandbox", "--disable-gpu"])
        with serve(Path(name) / "server") as server:
            found = bring(browser, server, path)
        browser.close()
        size = path.stat().st_size / 1e6
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    others = sorted(found.others)
    lines = [
        ("guesses shown", found.guesses, BAR_GUESSES, "s", f"computing {found.guesses_computed:.1f} s"),
        ("import", found.made, BAR_IMPORT, "s", f"computing {found.made_computed:.1f} s"),
        ("growth of the server", found.growth, BAR_GROWTH, "MB", ""),
        ("another session, slowest page", others[-1], BAR_OTHERS, "s",
         f"median {others[len(others) // 2]:.2f} s of {len(others)}"),
    ]  # fmt: skip
    print(f"{rows:,} rows, {size:.0f} MB; load {load} on {os.cpu_count()} cores")
    print(f"how each outcome is read was counted {found.counted:.1f} s after the file was chosen")
    print(f"pandas.read_csv, all text: {clock:.1f} s, computing {computed:.1f} s, {memory:,.0f} MB")
    for what, value, bar, unit, more in lines:
        ratio = f", {value / clock:.1f} times pandas" if unit == "s" and "session" not in what else ""
        print(f"{'ok  ' if value <= bar else 'MISS'} {what}: {value:.1f} {unit} (bar {bar:g}{ratio}) {more}")
    return int(any(value > bar for _, value, bar, _, _ in lines))


if __name__ == "__main__":
    sys.exit(main())
