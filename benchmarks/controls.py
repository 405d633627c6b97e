"""How long does a reader wait after changing any control of the survival page, at 10,000 patients?

Starts Bedside with an invented cohort, opens the survival page in Chromium and works every control in turn, each
several times with another value. Times are taken inside the browser, from the click or key to the first frame after
which nothing runs and nothing is stale. Run: ``.venv/bin/python -m benchmarks.controls``.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from playwright.sync_api import Locator, Page, sync_playwright

from benchmarks import made_up
from benchmarks.screen import browser_path
from tests.serving import serve

PATIENTS, REPEATS, BAR = 10_000, 8, 300.0

# The clock starts with the first click or key after `arm`; a run of the script must have begun and ended.
CLOCK = """
() => {
  const app = () => document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState
  const calm = () => app() === 'notRunning' && !document.querySelector('[data-stale="true"]')
  window.arm = () => {
    let start = null, ran = false
    window.waited = new Promise((resolve, reject) => {
      setTimeout(() => reject(new Error('nothing came of it')), 20000)
      const begin = () => { if (start === null) start = performance.now() }
      for (const kind of ['click', 'keydown']) document.addEventListener(kind, begin, {capture: true, once: true})
      const look = () => {
        if (start !== null && app() !== 'notRunning') ran = true
        if (ran && calm()) resolve(performance.now() - start)
        else requestAnimationFrame(look)
      }
      requestAnimationFrame(look)
    })
  }
}
"""


def timed(page: Page, act: Callable[[], object]) -> float:
    """Milliseconds from an act to calm."""
    page.evaluate("() => { window.arm() }")
    act()
    return float(page.evaluate("() => window.waited"))


def select(page: Page, key: str, options: tuple[str | int, ...]) -> Iterator[Callable[[], object]]:
    """Choosing options of a select box, by name or by place; the clock starts when the option is clicked."""
    for i in range(REPEATS):
        page.locator(f"[class*='st-key-{key}'] input").first.click()
        wanted = options[i % len(options)]
        every = page.get_by_role("option")
        option = every.nth(wanted) if isinstance(wanted, int) else page.get_by_role("option", name=wanted, exact=True)
        option.wait_for()
        yield option.click


def slide(
    page: Page, key: str, *, there: str = "ArrowLeft", back: str = "ArrowRight"
) -> Iterator[Callable[[], object]]:
    """Moving a slider by a step, two there and two back; where it stands at its start, there is to the right."""
    thumb = page.locator(f"[class*='st-key-{key}'] input[type='range']").last
    for i in range(REPEATS):
        thumb.focus()
        yield lambda i=i: page.keyboard.press(there if i % 4 < 2 else back)


def press(part: Locator) -> Iterator[Callable[[], object]]:
    """Clicking the same place again and again."""
    for _ in range(REPEATS):
        yield part.click


def open_menu(page: Page, name: str) -> None:
    """Open one of the buttons with rarely used choices."""
    page.get_by_role("button", name=name, exact=True).first.click()
    page.get_by_test_id("stPopoverBody").wait_for()
    page.wait_for_timeout(300)


def close_menu(page: Page) -> None:
    """Close it again."""
    page.keyboard.press("Escape")
    page.get_by_test_id("stPopoverBody").wait_for(state="hidden")
    page.wait_for_timeout(200)


def controls(page: Page) -> Iterator[tuple[str, Iterator[Callable[[], object]]]]:
    """Every control with a way of working it."""
    yield "compare by", select(page, "survival_by", ("Treatment", "Sex", "Stage"))
    yield "show", select(page, "survival_view", ("Had the event", "Cumulative hazard", "Still free of the event"))
    yield "unit", (page.get_by_role("radio", name=("months", "years")[i % 2]).click for i in range(REPEATS))
    yield "show up to", slide(page, "survival_until")
    yield "within (restricted mean)", slide(page, "survival_window")
    yield "compared with", select(page, "survival_reference", (1, 0))
    open_menu(page, "Still free after…")
    yield "only patients still alive after", slide(page, "survival_alive", there="ArrowRight", back="ArrowLeft")
    close_menu(page)
    open_menu(page, "Options")
    yield "show uncertainty", press(page.locator(".st-key-survival_band label").first)
    yield "confidence level", slide(page, "survival_level")
    yield "kind of interval", select(page, "survival_interval", ("log", "plain", "log-log"))
    yield "estimate", select(page, "survival_estimator", ("Nelson-Aalen", "Fleming-Harrington", "Kaplan-Meier"))
    close_menu(page)
    open_menu(page, "Test")
    yield "test", select(page, "survival_test", ("Modified Peto-Peto", "Log-rank"))
    close_menu(page)


def main() -> int:
    """Print a line per control; the exit code says whether each median met the bar."""
    met = True
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        root = Path(folder)
        name = made_up.write(root / "cohorts", PATIENTS)
        with serve(root / "server", env={"BEDSIDE_COHORTS": str(root / "cohorts")}) as server:
            browser = playwright.chromium.launch(executable_path=browser_path(), args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            value = server.accept().cookies["bedside_pass"]
            page.context.add_cookies([{"name": "bedside_pass", "value": value, "url": server.url, "httpOnly": True}])
            page.goto(f"{server.url}/survival?cohort={name}&survival_by=stage")
            page.locator(".st-key-card_differences table").first.wait_for(timeout=60_000)
            page.wait_for_timeout(1000)
            page.evaluate(CLOCK)
            for what, acts in controls(page):
                waited = [timed(page, act) for act in acts]
                middle = statistics.median(waited)
                met &= middle <= BAR
                sys.stdout.write(
                    f"{what:<34}{middle:6.0f} ms, {min(waited):.0f} to {max(waited):.0f}, load {os.getloadavg()[0]:.1f}"
                    f"{'' if middle <= BAR else f'  (bar {BAR:.0f} ms, MISSED)'}\n"
                )
                sys.stdout.flush()
            browser.close()
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
