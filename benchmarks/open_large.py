"""How long does a cohort of 2,000,000 patients take to open, how much memory does the server take, and who waits?

Brings the registry of `benchmarks.import_big` through `bedside.intake` into a folder, starts Bedside with it, opens it
in Chromium and goes to Survival, by a group, and to Patients, while a second session goes from page to page of another
cohort. Memory is that of the server's process alone. Run: ``python -m benchmarks.open_large [--rows N] [--folder F]``;
a folder that holds the cohort already is used as it is. The exit code is 1 if a bar is missed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from bedside.intake.building import build
from bedside.intake.opening import open_file
from benchmarks.import_big import ROWS, Watched, entered, other_session, until, write_registry
from benchmarks.screen import browser_path
from tests.serving import serve

BAR_OPEN, BAR_GROWTH, BAR_OTHERS = 5.0, 500.0, 2.0
SEEN = """(words) => {
  window.seen = {}
  const look = () => {
    if (!('there' in window.seen) && words.every((text) => document.body.innerText.includes(text))
        && document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState === 'notRunning')
      window.seen.there = Date.now() / 1000
    requestAnimationFrame(look)
  }
  look()
}"""


def write_cohort(folder: Path, rows: int) -> None:
    """The registry as an imported cohort."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        write_registry(work / "registry.csv", rows)
        (work / "staged").mkdir()
        opened = open_file(work / "registry.csv", "registry.csv", work / "staged", None)
        folder.mkdir(parents=True)
        build(opened.staged, opened.guessed.plan, folder)


def main() -> int:
    """Print each number with its bar; 1 if one is missed."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--rows", type=int, default=ROWS)
    asked.add_argument("--folder", type=Path)
    told = asked.parse_args()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = told.folder or Path(name) / "cohorts" / "large"
        if not (folder / "dictionary.json").exists():
            write_cohort(folder, told.rows)
        browser = playwright.chromium.launch(executable_path=browser_path(), args=["--no-sandbox", "--disable-gpu"])
        with serve(Path(name) / "server", env={"BEDSIDE_COHORTS": str(folder.parent)}) as server:
            step = other_session(entered(browser, server, "overview"))
            page = entered(browser, server, "overview")
            for _ in range(3):
                step()
            watched = Watched(server.process.pid)
            watched.start()
            computed = watched.computed()
            found: dict[str, float] = {}
            others: list[float] = []
            count = f"{told.rows:,}"
            for what, path, words in (
                ("opened", f"?cohort={folder.name}", ["Counted in its file", f"All {count} patients"]),
                ("survival by stage", f"survival?cohort={folder.name}&survival_by=stage", ["chance?", "IV"]),
                ("patients", f"patients?cohort={folder.name}", [f"1 to 50 of {count}"]),
            ):
                began = time.time()
                page.goto(f"{server.url}/{path}")
                page.evaluate(SEEN, words)
                there, waited = until(page, "there", step)
                found[what] = there - began
                others += waited
            growth, computed = watched.end(), watched.computed() - computed
        browser.close()
    lines = [*((what, seconds, BAR_OPEN, "s") for what, seconds in found.items()),
             ("growth of the server at most", growth, BAR_GROWTH, "MB"),
             ("another session, slowest page", max(others), BAR_OTHERS, "s")]  # fmt: skip
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{count} patients; load {load} on {os.cpu_count()} cores; computing {computed:.1f} s in all")
    for what, value, bar, unit in lines:
        print(f"{'ok  ' if value <= bar else 'MISS'} {what}: {value:.1f} {unit} (bar {bar:g})")
    return int(any(value > bar for _, value, bar, _ in lines))


if __name__ == "__main__":
    sys.exit(main())
