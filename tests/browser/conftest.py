"""Chromium and the real page for its tests, without any network beyond this machine."""

import os
import shutil
from urllib.parse import urlsplit

import pytest

from playground.page import build_page, launch_options
from playground.runs.service import RUNS
from tests.browser.looking import headline
from tests.waiting import wait

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
ARGUMENTS += ["--disable-component-update", "--disable-sync"]
LOCAL = ("127.0.0.1", "localhost")


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


@pytest.fixture
def new_page(browser):
    """Opens pages with the given context options; the test fails if one had an error or asked another machine."""
    contexts, problems = [], []

    def route(request):
        if urlsplit(request.request.url).hostname in LOCAL:
            request.continue_()
        else:
            problems.append(f"asked for {request.request.url}")
            request.abort()

    def open_page(**options):
        context = browser.new_context(**options)
        contexts.append(context)
        context.route("**/*", route)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(f"page error: {error}"))
        page.on("console", lambda entry: problems.append(f"console: {entry.text}") if entry.type == "error" else None)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not problems, problems


@pytest.fixture
def page(new_page):
    """One page of a desktop's size."""
    return new_page(viewport={"width": 1280, "height": 900})


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    before = RUNS.root
    RUNS.use_folder(tmp_path_factory.mktemp("runs"))
    page = build_page()
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, **launch_options())
    yield url
    page.close()
    RUNS.use_folder(before)


@pytest.fixture
def opened(page, address):
    """Opens the page with a query and waits for its first picture."""

    def open_page(query: str = "", view=page):
        view.goto(f"{address}?{query}")
        view.wait_for_selector(".pic[data-drawn]", timeout=60_000)
        wait(lambda: headline(view, "picture"))
        return view

    return open_page
