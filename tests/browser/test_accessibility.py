"""The rules of axe-core, an accessibility checker, on every step, in both themes."""

from importlib.resources import files

import pytest

from playground.steps import STEPS
from tests.browser.looking import QUICK, choose
from tests.waiting import wait

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
RUN = """rules => axe.run(document, { resultTypes: ["violations"], ...(rules ? { runOnly: rules } : {}) }).then(found =>
  found.violations.flatMap(({ id, nodes }) => nodes.map(({ target, html, failureSummary }) =>
    `${id}: ${target} ${html.slice(0, 200)} ${failureSummary}`))
)"""


def check(page, where: str) -> list[str]:
    """Returns what axe-core finds on the page; the dark theme can only differ in its colours."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
    found = [f"{where}: {each}" for each in page.evaluate(RUN, None)]
    page.evaluate("document.body.classList.add('dark')")
    found += [f"{where}, dark: {each}" for each in page.evaluate(RUN, ["color-contrast"])]
    page.evaluate("document.body.classList.remove('dark')")
    return found


def test_axe_finds_nothing_in_any_step(opened):
    page = opened(QUICK + "&step=picture")
    page.emulate_media(reduced_motion="reduce")  # colours that change slowly would be read halfway
    found = []
    for step in STEPS:
        choose(page, step)
        wait(lambda: page.text_content(".readout"))
        page.locator("summary").evaluate_all("all => all.forEach(each => { each.parentNode.open = true; })")
        found += check(page, step)
    assert not found, "\n".join(found)
