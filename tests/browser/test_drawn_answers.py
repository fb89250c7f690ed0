"""Answers that are drawn: a curve on a pad, boxes on the picture; by the mouse and by the keyboard."""

import pytest

from playground.lessons.position import LessonPosition, all_links
from tests.browser.looking import address_of
from tests.waiting import wait

pytestmark = pytest.mark.browser


def first_drawn(kind: str) -> str:
    """Returns the link of the first step whose answer is drawn so."""
    return next(link for link in all_links() if LessonPosition.from_link(link).step.draw == kind)


def test_a_curve_is_drawn_and_compared(opened):
    link = first_drawn("curve")
    page = opened(f"lesson={link}")
    pad, said = page.locator(".lesson-pad"), page.locator(".lesson-compared")
    wait(lambda: pad.is_visible())
    assert (
        page.get_by_role("button", name="Skip").is_visible() and pad.locator(".pad-truth").get_attribute("points") == ""
    )
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 0.3 * box["height"], steps=4)
    page.mouse.up()
    drawn = pad.locator(".pad-mine").get_attribute("points")
    assert len(drawn.split()) == 41
    pad.focus()
    value = pad.get_attribute("aria-valuetext")
    for key in ("ArrowLeft", "ArrowDown", "ArrowDown"):
        page.keyboard.press(key)
    assert pad.get_attribute("aria-valuetext") != value and pad.locator(".pad-mine").get_attribute("points") != drawn
    page.get_by_role("button", name="Compare", exact=True).first.click()
    assert "The largest difference is at" in wait(lambda: said.text_content())
    assert pad.locator(".pad-truth").get_attribute("points") and f"lesson={link}&answer=1" in address_of(page)
    wait(lambda: page.locator("#lesson-outcome p").count() and page.get_by_role("button", name="Next").is_visible())


def test_boxes_are_drawn_on_the_picture_and_compared(opened):
    link = first_drawn("boxes")
    page = opened(f"lesson={link}")
    sheet = page.locator(".lesson-marks")
    wait(lambda: sheet.is_visible())
    box = sheet.bounding_box()
    page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + 0.1 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.4 * box["height"], steps=3)
    page.mouse.up()
    wait(lambda: "1 box drawn" in page.text_content(".lesson-drawing"))
    page.get_by_role("button", name="Add a box").click()
    wait(lambda: "2 boxes drawn" in page.text_content(".lesson-drawing"))
    left = "document.activeElement.style.left"
    before = page.evaluate(left)
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(left) != before and sheet.locator("button").count() == 2
    page.keyboard.press("Delete")
    wait(lambda: "1 box drawn" in page.text_content(".lesson-drawing"))
    page.locator(".lesson-compare").click()
    said = wait(lambda: page.text_content(".lesson-compared"))
    assert "object" in said and sheet.get_attribute("data-answered") == ""
    page.get_by_role("button", name="Next").click()
    wait(lambda: not sheet.count())
