"""The rules of axe-core, an accessibility checker, on every step, in both themes; what keys and a visit change."""

from importlib.resources import files

import pytest

from playground.steps import STEPS
from tests.browser.looking import QUICK, address_of, choose, layers
from tests.waiting import wait

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
RUN = """([root, rules]) => axe.run(root, { resultTypes: ["violations"], ...(rules ? { runOnly: rules } : {}) })
  .then(found => found.violations.flatMap(({ id, nodes }) => nodes.map(({ target, html, failureSummary }) =>
    `${id}: ${target} ${html.slice(0, 200)} ${failureSummary}`))
)"""
OPEN = "all => all.forEach(each => { each.parentNode.open = true; })"


def check(page, where: str, root: str = "html") -> list[str]:
    """Returns what axe-core finds within an element; the dark theme can only differ in its colours."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
    page.emulate_media(reduced_motion="reduce")  # colours that change slowly would be read halfway
    found = [f"{where}: {each}" for each in page.evaluate(RUN, [root, None])]
    page.evaluate("document.body.classList.add('dark')")
    found += [f"{where}, dark: {each}" for each in page.evaluate(RUN, [root, ["color-contrast"]])]
    page.evaluate("document.body.classList.remove('dark')")
    return found


def check_menus(page) -> list[str]:
    """Returns what axe-core finds in the menus, each open."""
    found = []
    for menu in ("#share", "#lessons"):
        page.click(f"{menu} .menu-opener")
        wait(page.locator(f"{menu} .menu-list").is_visible)
        found += check(page, f"menu {menu}", menu)
        page.keyboard.press("Escape")
    return found


def test_axe_finds_nothing(opened, new_page, address):
    page = new_page()
    found = []
    page.goto(address)
    page.wait_for_selector(".pic[data-drawn]")
    wait(lambda: page.locator("body[data-story]").count())
    found += check(page, "story") + check_menus(page)
    opened(QUICK + "&step=picture&pick=40,40", page)
    for step in STEPS:
        choose(page, step)
        wait(lambda: page.text_content(".readout"))
        page.locator("summary").evaluate_all(OPEN)
        found += check(page, step)
    page.set_viewport_size(PHONE)
    found += check(page, f"{step} on a phone")
    choose(page, "loss")
    found += check(page, "loss on a phone")
    page.click("#more")
    wait(page.locator("#header-rest").is_visible)
    found += check(page, "⋯ More on a phone", ".header")
    page.keyboard.press("Escape")
    wait(lambda: not page.locator("#header-rest").is_visible())
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "query",
    [
        QUICK + "&step=loss&pinned=loss.gamma%3D0&beside=true",
        "step=detections&graph=ap&counted=7",
        "step=assignment&graph=boxes&pick=60,60",
        "embed=detections&graph=ap",
        "embed=picture&step=anchors",
        "lesson=focal.2&answer=3",
        "lesson=focal.3&answer=1",  # a drawn curve
        "lesson=detections.2",  # drawn boxes
        "lesson=average-precision.6",
        "lesson=box-regression.2",
        "lesson=thresholds.5",
    ],
)
def test_axe_finds_nothing_in_figures_lessons_and_side_by_side(new_page, address, query):
    page = new_page()
    page.goto(f"{address}?{query}")
    page.wait_for_selector(".plot[data-drawn], .pic[data-drawn]", state="attached")
    wait(lambda: page.text_content(".readout"))
    page.locator("summary").evaluate_all(OPEN)
    found = check(page, query)
    page.set_viewport_size(PHONE)
    found += check(page, f"{query}, on a phone")
    assert not found, "\n".join(found)


def test_a_visit_to_the_detections_draws_few_boxes_and_leaves_the_address_alone(opened):
    page = opened("step=network")
    choose(page, "detections")
    wait(lambda: "kept" in layers(page))
    assert 0 < layers(page)["kept"] < 20 and "scores" not in layers(page) and "weaker" not in layers(page)
    wait(lambda: address_of(page).endswith("?step=detections"))
    page.locator('.pic-layer[data-key="weaker"]').click()
    wait(lambda: "weaker" in layers(page) and "layers=weaker" in address_of(page))
    page.click('.strip button[data-cell="nms"]')
    wait(lambda: "suppressed" in layers(page))
    page.click('.strip button[data-cell="detections"]')
    wait(lambda: "suppressed" not in layers(page) and address_of(page).endswith("layers=weaker"))


def test_escape_clears_what_was_clicked_and_keys_act_on_the_focused_picture_alone(opened):
    page = opened(QUICK + "&step=anchors&pick=40,40")
    wait(lambda: "Anchors at" in page.text_content(".readout"))
    page.locator('.strip button[data-cell="anchors"]').focus()
    page.keyboard.press("?")
    page.keyboard.press("Escape")
    page.wait_for_timeout(300)
    assert "pick=" in address_of(page) and not page.locator(".pic-keys").is_visible()
    page.locator(".pic-top").focus()
    page.keyboard.press("?")
    wait(page.locator(".pic-keys").first.is_visible)
    page.keyboard.press("Escape")
    wait(lambda: not page.locator(".pic-keys").first.is_visible())
    page.locator(".pic-top").focus()
    page.keyboard.press("Escape")
    wait(lambda: "pick=" not in address_of(page) and "Anchors at" not in page.text_content(".readout"))
    assert page.evaluate("document.activeElement.className") == "pic-top"
