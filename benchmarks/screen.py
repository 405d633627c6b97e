"""How long does a reader wait for a page, and for a curve after choosing another grouping?

Starts Bedside with two invented cohorts, of 1,000 and 100,000 patients (nine variables, three of them with
levels), opens it in Chromium, accepts the gate and works through it as a reader would. Times are taken inside
the browser, from the click to the first frame in which what was asked for stands there, so they hold server,
network, drawing and up to one frame (17 ms) of waiting for the screen. Every page is opened once before it
is timed; how long that first time took is printed as well.
Run: ``.venv/bin/python -m benchmarks.screen``.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from benchmarks import made_up
from tests.serving import Server, serve

SMALL, LARGE = 1_000, 100_000
REPEATS = 10
BAR_PAGE, BAR_CURVE, BAR_SETTLED = 500.0, 200.0, 600.0
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HEADINGS = {"Survival": "Death", "Patients": "Patients", "Patient": "Patient P", "Model": "Model"}
GROUPINGS = ("Stage", "Treatment", "Sex")

# The clock starts with the first click after `arm` and is read once in every frame: `drawn` is the last
# change of the curves, `settled` the first frame with the heading asked for and nothing running or stale.
CLOCK = """
() => {
  const curves = () => document.querySelector('.st-key-survival_km .scatterlayer')?.innerHTML ?? ''
  const calm = () => document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState === 'notRunning'
    && !document.querySelector('[data-stale="true"]') && !document.querySelector('[data-testid="stStatusWidget"]')
  window.bench = (heading) => {
    const clock = {start: null, drawn: null, settled: null}
    window.waited = new Promise((resolve, reject) => {
      clock.done = resolve
      setTimeout(() => reject(new Error(`nothing came of it: ${heading}`)), 60000)
    })
    let last = curves()
    document.addEventListener('click', () => { clock.start = performance.now() }, {capture: true, once: true})
    const look = () => {
      const now = performance.now()
      if (clock.start !== null && clock.settled === null) {
        const seen = curves()
        if (seen !== last) { clock.drawn = now; last = seen }
        const there = heading === null ? clock.drawn !== null
          : [...document.querySelectorAll('h1')].some(h => h.textContent.startsWith(heading))
        if (there && calm()) clock.settled = now
      }
      if (clock.settled === null) requestAnimationFrame(look)
      else clock.done([clock.drawn && clock.drawn - clock.start, clock.settled - clock.start])
    }
    requestAnimationFrame(look)
  }
}
"""


@dataclass(frozen=True)
class Waited:
    """Milliseconds from a click to the last change of the curves (None if there were none) and to calm."""

    drawn: float | None
    settled: float


def timed(page: Page, click: Callable[[], object], heading: str | None) -> Waited:
    """Wait for what a click does."""
    page.evaluate("heading => { window.bench(heading) }", heading)
    click()
    return Waited(*page.evaluate("() => window.waited"))  # not wait_for_function: the page's policy forbids eval


def go(page: Page, title: str, overview: str) -> Waited:
    """Choose a page in the sidebar."""
    link = page.get_by_test_id("stSidebarNav").get_by_role("link", name=title, exact=True)
    return timed(page, link.click, HEADINGS.get(title, overview))


def group(page: Page, label: str) -> Waited:
    """Choose a grouping on the survival page; the clock starts when the option is clicked."""
    page.locator(".st-key-survival_by input").click()
    option = page.get_by_role("option", name=label, exact=True)
    option.wait_for()
    return timed(page, option.click, None)


def enter(page: Page, server: Server, n: int) -> None:
    """Open the cohort and one of its patients, so that every page has something to show."""
    page.goto(f"{server.url}/patients?cohort=invented-{n}")
    page.evaluate(CLOCK)
    page.locator("h1", has_text="Patients").wait_for(timeout=120_000)
    box = page.get_by_label("Find a patient")
    box.fill("P000007")
    box.press("Enter")
    page.get_by_role("button", name="Open patient P000007").click(timeout=120_000)
    page.locator("h1", has_text="Patient P000007").wait_for(timeout=120_000)
    page.locator(".st-key-patient_why .scatterlayer").wait_for(timeout=120_000)


def pages(page: Page, n: int) -> tuple[dict[str, float], dict[str, list[float]]]:
    """First and later times of every page, in ms."""
    order = ["Overview", "Survival", "Patients", "Patient", "Model"]
    overview = f"{n:,} patients"
    first = {title: go(page, title, overview).settled for title in order}
    later: dict[str, list[float]] = {title: [] for title in order}
    for _ in range(REPEATS):
        for title in order:
            later[title].append(go(page, title, overview).settled)
    return first, later


def groupings(page: Page) -> tuple[list[float], list[float]]:
    """Times from choosing a grouping to the curves and to calm, in ms, each with a grouping not just seen."""
    go(page, "Survival", "")
    for label in GROUPINGS:
        group(page, label)
    waited = [group(page, GROUPINGS[i % len(GROUPINGS)]) for i in range(REPEATS)]
    return [w.drawn for w in waited if w.drawn is not None], [w.settled for w in waited]


def report(what: str, values: list[float], bar: float | None) -> bool:
    """One line: median, spread and load; whether the bar is met."""
    middle = statistics.median(values)
    told = "" if bar is None else f"  (bar {bar:.0f} ms{'' if middle <= bar else ', MISSED'})"
    sys.stdout.write(
        f"{what:<46}{middle:6.0f} ms, {min(values):.0f} to {max(values):.0f}, load {os.getloadavg()[0]:.1f}{told}\n"
    )
    sys.stdout.flush()
    return bar is None or middle <= bar


def browser_path() -> str | None:
    """The Chromium to use: BEDSIDE_BROWSER, what is on PATH, or Playwright's own."""
    return os.environ.get("BEDSIDE_BROWSER") or next(filter(None, map(shutil.which, BROWSERS)), None)


def measure(page: Page, server: Server, n: int) -> bool:
    """Everything about one cohort; whether its bars are met."""
    enter(page, server, n)
    drawn, settled = groupings(page)
    small = n == SMALL
    met = report(f"{n:,} patients: grouping to curve", drawn, BAR_CURVE if small else None)
    met &= report(f"{n:,} patients: grouping to calm", settled, None if small else BAR_SETTLED)
    first, later = pages(page, n)
    for title, values in later.items():
        met &= report(f"{n:,} patients: to {title} (first {first[title]:.0f} ms)", values, BAR_PAGE)
    return met


def main() -> int:
    """Print all medians; 1 if a bar is missed."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        for n in (SMALL, LARGE):
            made_up.write(folder / "cohorts", n)
        browser = playwright.chromium.launch(executable_path=browser_path(), args=["--no-sandbox", "--disable-gpu"])
        met = True
        with serve(folder / "server", env={"BEDSIDE_COHORTS": str(folder / "cohorts")}) as server:
            for n in (SMALL, LARGE):
                context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
                page = context.new_page()
                page.goto(f"{server.url}/overview")
                page.get_by_role("button", name="I understand").click()
                met &= measure(page, server, n)
                context.close()
        browser.close()
    sys.stdout.write(f"medians of {REPEATS}, {os.cpu_count()} cores\n")
    return int(not met)


if __name__ == "__main__":
    sys.exit(main())
