"""A real browser in front of a real server.

    def test_something(server, open_page):
        visit = open_page("/survival")          # the gate is passed, unless passed=False
        visit.page.get_by_role("heading", name="Survival").wait_for()
        visit.assert_calm()                     # no console error, no failed or outside request

Other cohorts, other settings: `start(env={"BEDSIDE_COHORTS": str(folder)})` gives a server of
its own, and `open_page("/", on=that_server)` looks at it.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Response,
    ViewportSize,
    expect,
    sync_playwright,
)

from tests.serving import ROOT, Server, serve

AXE = ROOT / "build" / "axe-core" / "axe.min.js"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Pages of one profile share a process, and with it the scripts that it has compiled.
    "--process-per-site",
)
SCREEN = {"width": 1440, "height": 900}
LOCALE = "en-GB"
WAIT_MS = 30_000
expect.set_options(timeout=WAIT_MS)
# On a deep link Streamlit's own client asks beside the page's path before it asks at the root, and
# takes the 404 as its answer; nothing else may fail.
PROBES = re.compile(
    r"http://[^/]+/(survival|patients|patient|judgement|model|reasons|validation|audit|external|scores|report|regression|comparison|import|library)/_stcore/(health|host-config)"
)

AXE_RUN = """async ([include, frame]) => {
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']
  const found = await axe.run(include || document, {runOnly: {type: 'tag', values: tags}})
  const known = (rule, node) => frame[rule] && document.querySelector(node.target[0]).matches(frame[rule])
  return found.violations.map(each => ({
    rule: each.id,
    impact: each.impact,
    targets: each.nodes.filter(node => !known(each.id, node)).map(node => `${node.target}: ${node.html.slice(0, 200)}`),
  }))
}"""


@dataclass
class Visit:
    """One tab and everything it said and asked for."""

    page: Page
    server: Server
    console: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    @property
    def outside(self) -> list[str]:
        """Requests to anywhere but the server."""
        ours = urlsplit(self.server.url).netloc
        return [url for url in self.requests if urlsplit(url).scheme in ("http", "https", "ws", "wss")
                and urlsplit(url).netloc not in (ours, ours.replace("127.0.0.1", "localhost"))]  # fmt: skip

    def assert_calm(self) -> None:
        """No console error or warning of the policy, no failed request, nothing from elsewhere."""
        assert self.console == []
        assert self.failed == []
        assert self.outside == []

    def settle(self) -> None:
        """Wait until Streamlit has run the script and drawn what it sent."""
        # Not wait_for_function: it polls with eval(), which the page's policy forbids.
        rest = self.page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]')
        calm = 0
        # A new session rests for a moment between its first run and the one that its address asks for.
        while calm < 3:
            rest.wait_for(timeout=WAIT_MS)
            expect(self.page.locator('[data-stale="true"]')).to_have_count(0)
            self.page.wait_for_timeout(30)
            calm = calm + 1 if rest.count() else 0

    def axe(self, *, include: str | None = None, frame: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
        """Violations of WCAG 2.2 A and AA, each with rule, impact and the elements it names.

        `frame` maps a rule to a selector of the elements that Streamlit draws and may violate it.
        """
        if not AXE.exists():
            raise AssertionError("axe-core is missing: run `python scripts/fetch_axe.py`, or `make test`")
        # Through the debugger, since the page's own policy allows no foreign script.
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = self.page.evaluate(AXE_RUN, [include, dict(frame or {})])
        return [each for each in found if each["targets"]]


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Chromium: BEDSIDE_BROWSER, what is on PATH, or Playwright's own.

    It ends with the last browser test: Playwright keeps an event loop open, beside which no other can run.
    """
    found = os.environ.get("BEDSIDE_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """``start(env=..., app=..., flags=...)``: a further server, stopped when the browser tests end."""
    with ExitStack() as stack:

        def run(**options: Any) -> Server:
            return stack.enter_context(serve(tmp_path_factory.mktemp("server"), **options))

        yield run


@pytest.fixture(scope="package")
def server(start: Callable[..., Server]) -> Server:
    """Bedside with its own cohorts, as `make run` starts it."""
    return start()


class Profiles:
    """Browser profiles, each emptied before the next test has it.

    In one of them an empty page stays open, so that its process does: the next page opens with scripts that are read
    and compiled already, in less than half the time.
    """

    def __init__(self, chromium: Browser) -> None:
        self._chromium = chromium
        self._free: list[BrowserContext] = []

    def lend(self, server: Server) -> BrowserContext:
        """A profile that nobody else has."""
        if self._free:
            return self._free.pop()
        context = self._chromium.new_context(viewport=SCREEN, locale=LOCALE)
        context.new_page().goto(f"{server.url}/_stcore/health")
        return context

    def take_back(self, context: BrowserContext, server: Server) -> None:
        """Close its pages and forget what they kept."""
        empty, *pages = context.pages
        for page in pages:
            page.close()
        context.clear_cookies()
        session = context.new_cdp_session(empty)
        kept = "local_storage,indexeddb,cache_storage,service_workers"
        session.send("Storage.clearDataForOrigin", {"origin": server.url, "storageTypes": kept})
        session.detach()
        self._free.append(context)


@pytest.fixture(scope="package")
def profiles(chromium: Browser) -> Profiles:
    """Profiles that several tests have one after another."""
    return Profiles(chromium)


@pytest.fixture
def open_page(request: pytest.FixtureRequest, chromium: Browser, profiles: Profiles) -> Iterator[Callable[..., Visit]]:
    """``open_page(path, on=server, passed=True, **context_options)``: an empty browser profile at a path.

    It is a new one for whoever has not passed the gate, or if it has to be more than a screen of some size and scheme.
    """
    with ExitStack() as stack:

        def visit(path: str = "/", *, on: Server | None = None, passed: bool = True, **options: Any) -> Visit:
            server = on or request.getfixturevalue("server")
            if not passed or not options.keys() <= {"viewport", "color_scheme"}:
                seen = arrive(chromium, server, path, passed=passed, **options)
                stack.callback(seen.page.context.close)
                return seen
            context = profiles.lend(server)
            stack.callback(profiles.take_back, context, server)
            return _arrived(context, server, path, **options)

        yield visit


def arrive(chromium: Browser, server: Server, path: str, *, passed: bool = True, **options: Any) -> Visit:
    """A new browser profile at a path; the caller closes its context."""
    context = chromium.new_context(**{"viewport": SCREEN, "locale": LOCALE} | options)
    return _arrived(context, server, path, passed=passed)


def _arrived(
    context: BrowserContext,
    server: Server,
    path: str,
    *,
    passed: bool = True,
    viewport: ViewportSize | None = None,
    color_scheme: Literal["light", "dark"] | None = None,
) -> Visit:
    if passed:
        value = server.accept().cookies["bedside_pass"]
        context.add_cookies([{"name": "bedside_pass", "value": value, "url": server.url, "httpOnly": True}])
    page = context.new_page()
    if viewport:
        page.set_viewport_size(viewport)
    if color_scheme:
        page.emulate_media(color_scheme=color_scheme)
    page.set_default_timeout(WAIT_MS)
    visit = Visit(page, server)
    _listen(visit)
    page.goto(f"{server.url}{path}")
    return visit


def _listen(visit: Visit) -> None:
    page = visit.page
    page.on("console", lambda message: _hear(visit, message))
    page.on("pageerror", lambda error: visit.console.append(str(error)))
    page.on("request", lambda request: visit.requests.append(request.url))
    page.on("websocket", lambda socket: visit.requests.append(socket.url))
    page.on("response", lambda reply: _see(visit, reply))


def _hear(visit: Visit, message: ConsoleMessage) -> None:
    at = message.location.get("url", "")
    probe = PROBES.fullmatch(at) and "status of 404" in message.text
    if message.type == "error" and not probe:
        visit.console.append(f"{message.text} ({at})")


def _see(visit: Visit, reply: Response) -> None:
    probe = PROBES.fullmatch(reply.url) and reply.status == 404
    if reply.status >= 400 and not probe:
        visit.failed.append(f"{reply.status} {reply.url}")


@pytest.fixture
def shots() -> Path:
    """A folder for screenshots that a person may look at afterwards; not in the repository."""
    folder = ROOT / "build" / "shots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
