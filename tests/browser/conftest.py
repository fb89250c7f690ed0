"""Chromium and the real page for its tests, without any network beyond this machine."""

import os
import shutil
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from playground.albums.service import ALBUMS
from playground.page import build_page, launch_options
from playground.runs.service import RUNS
from tests.browser.looking import FRAMES, FULL_SCREEN, headline
from tests.waiting import HANG, wait

# The headless one has no window to draw around the page: it takes a sixth less of the processor.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
ARGUMENTS += ["--disable-component-update", "--disable-sync"]
ARGUMENTS += ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"]
ARGUMENTS += ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]  # a camera
LOCAL = ("127.0.0.1", "localhost")
SIZE = {"width": 1280, "height": 900}  # of a window, unless a test asks for another
SHOWN = "shown"  # the window in which the page stays open
# A trailing & is gone from the address once the answer is on the page.
GO = """query => {
  document.activeElement?.blur();
  scrollTo(0, 0);
  history.replaceState({depth: 0}, "", `?${query}&`);
  dispatchEvent(new PopStateEvent("popstate"));
}"""
HAS_ARRIVED = "!location.search.endsWith('&')"


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium. Without one the tests are skipped, but where CI is set they fail: there it must be there."""
    sync_api = pytest.importorskip("playwright.sync_api")
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        reason = f"no Chromium on this machine: looked for {', '.join(BROWSERS)}"
        print(reason)
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    with sync_api.sync_playwright() as playwright:
        instance = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield instance
        instance.close()


class Windows:
    """Browser windows that tests use one after another: a new one would compile all scripts again, 3 s each time."""

    def __init__(self, browser) -> None:
        self.browser = browser
        self.problems: list[str] = []
        self.pages: dict[str, Any] = {}
        self.used: dict[str, Any] = {}

    def open(self, options: dict[str, Any], name: str = ""):
        """Returns an empty page that no other test is using, with its own cookies; any size uses the same windows.

        The page of a name stays as the test leaves it.
        """
        options = dict(options)
        size = options.pop("viewport", SIZE)
        key = name or next(key for key in (f"{options} {number}" for number in count()) if key not in self.used)
        if key not in self.pages:
            self.pages[key] = self._make(options)
        self.used[key] = page = self.pages[key]
        wait(lambda: not page.evaluate(FULL_SCREEN))  # the previous test may still be leaving it
        page.set_viewport_size(size)
        return page

    def _make(self, options: dict[str, Any]):
        context = self.browser.new_context(**options)
        context.on("request", self._check)
        page = context.new_page()
        page.set_default_timeout(1000 * HANG)
        page.on("pageerror", lambda error: self.problems.append(f"page error: {error}"))
        page.on("console", lambda said: self.problems.append(f"console: {said.text}") if said.type == "error" else None)
        return page

    def _check(self, request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and address.hostname not in LOCAL:
            self.problems.append(f"asked for {request.url}")

    def leave(self, keep: bool) -> list[str]:
        """Empties the pages in use, or closes them; returns their errors and the other machines they asked."""
        used, self.used = self.used, {}
        for page in used.values():
            page.evaluate("0")  # errors so far arrive before its answer
        problems, self.problems = self.problems, []
        for key, page in used.items():
            if not keep:
                self.pages.pop(key).context.close()
            elif key != SHOWN:
                _empty(page)
        self.problems = []  # leaving breaks off requests, which is no error
        return problems


def _empty(page) -> None:
    """Leaves a page for a document without scripts, in the same process; forgets what it stored and emulated."""
    page.emulate_media(color_scheme="null", reduced_motion="null")
    if page.url.startswith("http"):
        page.unroute_all()
        page.goto(urljoin(page.url, "/robots.txt"))
        page.evaluate("localStorage.clear(); sessionStorage.clear()")
    page.context.clear_cookies()
    page.context.clear_permissions()


@pytest.fixture(scope="session")
def windows(browser):
    """The browser windows of all tests."""
    return Windows(browser)


@pytest.fixture
def new_page(windows, request):
    """Opens pages with the given context options; the test fails if one had an error or asked another machine."""
    failed = request.session.testsfailed
    yield lambda **options: windows.open(options)
    problems = windows.leave(keep=request.session.testsfailed == failed)
    assert not problems, problems


@pytest.fixture
def page(new_page):
    """One page of a desktop's size."""
    return new_page()


@pytest.fixture(scope="session")
def address():
    """The address of the real page; modules with their own runs and data sets switch its folders."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        RUNS.use_folder(Path(directory, "runs"))
        ALBUMS.use_folder(Path(directory, "albums"))
        page = build_page()
        _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, **launch_options())
        yield url
        page.close()


@pytest.fixture(scope="module")
def leave_shown(windows):
    """Leaves the page that has stayed open at the end of a module."""
    yield
    if SHOWN in windows.pages:
        _empty(windows.pages[SHOWN])
        windows.problems = []  # leaving breaks off requests, which is no error


@pytest.fixture
def shown(new_page, windows, address, leave_shown):
    """Shows a query as Back and Forward do, on a page that stays open: loading it takes seconds.

    For tests to which it does not matter what earlier ones have opened, folded or selected.
    """

    def show(query: str, **options):
        page = windows.open(options, SHOWN)
        if not page.url.startswith(f"{address}?"):
            page.goto(f"{address}?{query}")
            page.wait_for_selector(".pic[data-drawn]")
            wait(lambda: headline(page, "picture"))
        else:
            page.mouse.move(0, 0)
            page.evaluate(GO, query)
            wait(lambda: page.evaluate(HAS_ARRIVED))
            page.evaluate(FRAMES)
        return page

    return show


@pytest.fixture
def opened(new_page, address):
    """Opens the page with a query, in one window unless another is given, and waits for its first picture.

    Without a query it opens the first step: an address without any would open the story.
    """
    window = cache(new_page)

    def open_page(query: str = "", view=None):
        view = view or window()
        view.goto(f"{address}?{query or 'step=picture'}")
        view.wait_for_selector(".pic[data-drawn]")
        wait(lambda: headline(view, "picture"))
        return view

    return open_page
