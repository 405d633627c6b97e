"""How long does a reader wait after changing any control, at 10,000 patients?

Starts Bedside with an invented cohort, opens the survival, regression and fair-comparison pages in Chromium and works
every control in turn, each several times with another value. Times are taken inside the browser, from the click or key
to the first frame after which nothing runs and nothing is stale. Where a control asks for a model to be fitted anew,
which shows its progress, each of its values is set once beforehand: the line says how long the first of them took, and
the median is what a reader waits for who comes back to it.
Run: ``.venv/bin/python -m benchmarks.controls``; ``--only "compare by"`` for some of them, ``--rounds 16`` for more.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from playwright.sync_api import Locator, Page, TimeoutError, sync_playwright

from benchmarks import made_up
from benchmarks.screen import browser_path
from tests.serving import serve

PATIENTS, BAR = 10_000, 300.0
MOST_MISSES = 3
Acts = Iterator[Callable[[], object]]


@dataclass(frozen=True)
class Control:
    """One control and how it is worked.

    Attributes
    ----------
    name : str
    acts : callable
        Returns acts without end: each changes the control, and the page runs.
    known : bool
        Whether each value is set once before it is timed, because its numbers take a model that is fitted anew.
    """

    name: str
    acts: Callable[[], Acts]
    known: bool = False


# The clock starts with the first click or key after `arm`; a run of the script must have begun and ended.
CLOCK = """
() => {
  const app = () => document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState
  const calm = () => app() === 'notRunning' && !document.querySelector('[data-stale="true"]')
  window.arm = (patience) => {
    window.armed = patience
    let start = null, ran = false
    window.waited = new Promise((resolve, reject) => {
      setTimeout(() => resolve(null), window.armed)
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


def timed(page: Page, act: Callable[[], object], *, patience: int = 4000) -> float | None:
    """Milliseconds from an act to calm; None if the page did not run, or not to its end within the patience (ms)."""
    page.evaluate("patience => { window.arm(patience) }", patience)
    act()
    waited = page.evaluate("() => window.waited")
    return None if waited is None else float(waited)


def select(page: Page, key: str, options: tuple[str | int, ...]) -> Acts:
    """Choosing options of a select box, by name or by place; the clock starts when the option is clicked."""
    field = page.locator(f"[class*='st-key-{key}'] input").first
    for i in count():
        field.click()
        every = page.get_by_role("option")
        try:
            every.first.wait_for(timeout=3000)
        except TimeoutError:
            field.press("ArrowDown")  # the click closed the menu of another control
        wanted = options[i % len(options)]
        option = every.nth(wanted) if isinstance(wanted, int) else page.get_by_role("option", name=wanted, exact=True)
        option.wait_for()
        yield option.click


def slide(page: Page, key: str, *, there: str = "ArrowLeft", back: str = "ArrowRight") -> Acts:
    """Moving a slider by a step, two there and two back; where it stands at its start, there is to the right."""
    thumb = page.locator(f"[class*='st-key-{key}'] input[type='range']").last
    for i in count():
        thumb.focus()
        yield lambda i=i: page.keyboard.press(there if i % 4 < 2 else back)


def press(*parts: Locator) -> Acts:
    """Clicking one place after another, again and again."""
    for i in count():
        yield parts[i % len(parts)].click


def switch(page: Page, key: str) -> Acts:
    """Turning a switch on and off."""
    return press(page.locator(f"[class*='st-key-{key}'] label").first)


def one_of(page: Page, key: str, *options: str) -> Acts:
    """Choosing among options that lie side by side."""
    inside = page.locator(f"[class*='st-key-{key}']").first
    return press(*(inside.get_by_role("radio", name=name, exact=True) for name in options))


def fold(page: Page, key: str) -> Acts:
    """Folding a part of the page out and in."""
    return press(page.locator(f".st-key-{key} summary").first)


def last_of_several(page: Page, key: str) -> Acts:
    """Taking the last of several choices away and adding it again."""
    inside = page.locator(f"[class*='st-key-{key}']").first
    for i in count():
        if i % 2:
            inside.locator("input").click()
            option = page.get_by_role("option").first
            option.wait_for()
            yield option.click
            page.locator("h1").first.click()  # closes the list, which stays open for a further choice
            page.get_by_role("option").first.wait_for(state="hidden")
        else:
            yield inside.locator("button[aria-label^='Remove ']").last.click


def open_menu(page: Page, name: str) -> None:
    """Open one of the buttons with rarely used choices, if it does not stand open."""
    if not page.get_by_test_id("stPopoverBody").is_visible():
        page.get_by_role("button", name=name, exact=True).first.click()
    page.get_by_test_id("stPopoverBody").wait_for()
    page.wait_for_timeout(300)


def unfold(page: Page, key: str, *, to: bool = True) -> None:
    """Fold a part of the page out, or in, if it does not stand so."""
    part = page.locator(f".st-key-{key} details").first
    if (part.get_attribute("open") is not None) != to:
        part.locator("summary").click()


def close_menu(page: Page) -> None:
    """Close it again."""
    page.keyboard.press("Escape")
    page.get_by_test_id("stPopoverBody").wait_for(state="hidden")
    page.wait_for_timeout(200)


def survival(page: Page) -> Iterator[Control]:
    """Controls of the survival page, in the order in which they are worked."""
    yield Control("compare by", lambda: select(page, "survival_by", ("Treatment", "Sex", "Stage")))
    views = ("Had the event", "Cumulative hazard", "Still free of the event")
    yield Control("show", lambda: select(page, "survival_view", views))
    yield Control("unit", lambda: one_of(page, "survival_unit", "months", "years"))
    yield Control("show up to", lambda: slide(page, "survival_until"))
    yield Control("within (restricted mean)", lambda: slide(page, "survival_window"))
    yield Control("compared with", lambda: select(page, "survival_reference", (1, 0)))
    open_menu(page, "Still free after…")
    yield Control(
        "only patients still alive after", lambda: slide(page, "survival_alive", there="ArrowRight", back="ArrowLeft")
    )
    close_menu(page)
    open_menu(page, "Options")
    yield Control("show uncertainty", lambda: switch(page, "survival_band"))
    yield Control("confidence level", lambda: slide(page, "survival_level"))
    yield Control("kind of interval", lambda: select(page, "survival_interval", ("log", "plain", "log-log")))
    estimators = ("Nelson-Aalen", "Fleming-Harrington", "Kaplan-Meier")
    yield Control("estimate", lambda: select(page, "survival_estimator", estimators))
    close_menu(page)
    open_menu(page, "Test")
    yield Control("test", lambda: select(page, "survival_test", ("Modified Peto-Peto", "Log-rank")))
    close_menu(page)


def regression(page: Page) -> Iterator[Control]:
    """Controls of the regression page."""
    yield Control("variables", lambda: last_of_several(page, "regression_variables"), known=True)
    yield Control("count time by", lambda: select(page, "regression_scale", (1, 0)), known=True)
    yield Control("show over time", lambda: select(page, "regression_zph_term", (1, 2, 0)))
    yield Control("early and late", lambda: switch(page, "regression_halves"), known=True)
    yield Control("numbers of the test", lambda: fold(page, "regression_zph_numbers"))
    yield Control("variable of the curve", lambda: select(page, "regression_line", (1, 2, 0)), known=True)
    yield Control("knots", lambda: one_of(page, "regression_knots", "3", "4"), known=True)
    yield Control("form menu", lambda: press(page.get_by_role("button", name="Form", exact=True).first))
    open_menu(page, "Form")
    yield Control("form", lambda: select(page, "regression_form_", (2, 0)), known=True)
    close_menu(page)
    open_menu(page, "Model")
    yield Control("ties", lambda: one_of(page, "regression_ties", "Breslow", "Efron"), known=True)
    yield Control("confidence level", lambda: slide(page, "regression_level"))
    yield Control("robust", lambda: switch(page, "regression_robust"), known=True)
    yield Control("ridge", lambda: switch(page, "regression_ridge"), known=True)
    close_menu(page)
    yield Control("parametric models", lambda: fold(page, "regression_parametric"), known=True)
    unfold(page, "regression_parametric")
    yield Control("curves by", lambda: select(page, "regression_curves_by", (1, 0)), known=True)
    yield Control("look ahead", lambda: slide(page, "regression_ahead"), known=True)
    yield Control("models drawn", lambda: last_of_several(page, "regression_drawn_"))
    unfold(page, "regression_parametric", to=False)
    yield Control("planning and points", lambda: fold(page, "regression_planning"), known=True)
    unfold(page, "regression_planning")
    yield Control("power", lambda: slide(page, "regression_plan_power"))


def comparison(page: Page) -> Iterator[Control]:
    """Controls of the page that compares groups fairly; those worked first end with three groups, which others need."""
    yield Control("compare by", lambda: select(page, "comparison_by", ("Stage", "Treatment", "Sex")), known=True)
    yield Control("compared with", lambda: select(page, "comparison_reference", (1, 0)), known=True)
    yield Control("against it", lambda: select(page, "comparison_against", (1, 0, 2)), known=True)
    yield Control("as if all were like", lambda: select(page, "comparison_whom", (1, 0, 2)), known=True)
    ways = ("Standardisation", "Both", "Weighting")
    yield Control("adjusted by", lambda: one_of(page, "comparison_method", *ways))
    yield Control("chance of", lambda: select(page, "comparison_chance_", (1, 0)))
    open_menu(page, "Options")
    yield Control("truncate weights", lambda: select(page, "comparison_truncate", (1, 0)), known=True)
    yield Control("confidence level", lambda: slide(page, "comparison_level"), known=True)
    yield Control("unit", lambda: one_of(page, "comparison_unit", "months", "years"))
    yield Control("within how long", lambda: slide(page, "horizon_"))
    close_menu(page)
    yield Control("subgroups", lambda: fold(page, "comparison_subgroups"), known=True)
    yield Control("table 1", lambda: fold(page, "comparison_table"), known=True)
    page.locator(".st-key-comparison_table summary").first.click()
    yield Control("show tests", lambda: switch(page, "comparison_tests_"))


PAGES = {
    "survival": ("survival?survival_by=stage", ".st-key-card_differences table", survival),
    "regression": ("regression?", ".st-key-card_regression_influence canvas", regression),
    "comparison": ("comparison?comparison_by=arm", ".st-key-comparison_overlap .main-svg", comparison),
}


def measure(page: Page, control: Control, name: str, rounds: int) -> bool:
    """Work a control and print a line; whether its median met the bar."""
    first = None
    if control.known:
        acts = control.acts()
        for i in range(rounds):
            took = timed(page, next(acts), patience=20_000)
            first = took if i == 0 else first
    waited: list[float] = []
    misses, acts = 0, control.acts()
    while len(waited) < rounds and misses <= MOST_MISSES:
        took = timed(page, next(acts))
        misses += took is None
        waited += [] if took is None else [took]
    if page.get_by_role("option").first.is_visible():
        page.locator("h1").first.click()  # a list for several choices stays open after the last one
        page.get_by_role("option").first.wait_for(state="hidden")
    if not waited:
        sys.stdout.write(f"{name:<46}nothing came of it\n")
        return False
    middle = statistics.median(waited)
    met = middle <= BAR
    sys.stdout.write(
        f"{name:<46}{middle:6.0f} ms, {min(waited):.0f} to {max(waited):.0f}, load {os.getloadavg()[0]:.1f}"
        f"{'' if first is None else f', first {first:.0f}'}{f', {misses} without effect' if misses else ''}"
        f"{'' if met else f'  (bar {BAR:.0f} ms, MISSED)'}\n"
    )
    sys.stdout.flush()
    return met


def main() -> int:
    """Print a line per control; the exit code says whether each median met the bar."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--only", action="append", default=[], metavar="TEXT", help="part of “page: control”")
    asked.add_argument("--rounds", type=int, default=8, metavar="N", help="how often each control is worked")
    told = asked.parse_args()
    only = told.only
    met = True
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        root = Path(folder)
        name = made_up.write(root / "cohorts", PATIENTS)
        with serve(root / "server", env={"BEDSIDE_COHORTS": str(root / "cohorts")}) as server:
            browser = playwright.chromium.launch(executable_path=browser_path(), args=["--no-sandbox", "--disable-gpu"])
            value = server.accept().cookies["bedside_pass"]
            for which, (path, ready, controls) in PAGES.items():
                if only and not any(which in text or ":" not in text for text in only):
                    continue
                page = browser.new_page(viewport={"width": 1440, "height": 900})
                cookie = {"name": "bedside_pass", "value": value, "url": server.url, "httpOnly": True}
                page.context.add_cookies([cookie])
                page.goto(f"{server.url}/{path}&cohort={name}")
                page.locator(ready).first.wait_for(state="attached", timeout=60_000)
                page.wait_for_timeout(1000)
                page.evaluate(CLOCK)
                for control in controls(page):
                    said = f"{which}: {control.name}"
                    if not only or any(text in said for text in only):
                        met &= measure(page, control, said, told.rounds)
                page.context.close()
            browser.close()
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
