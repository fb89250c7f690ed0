"""Answers that are drawn: a curve on a pad, boxes on the picture; by the mouse, by the keyboard and by touch."""

import re

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
    assert pad.locator(".pad-truth").get_attribute("points")
    wait(lambda: f"lesson={link}&answer=1" in address_of(page))  # once the server has answered
    wait(lambda: page.locator("#lesson-outcome p").count() and page.get_by_role("button", name="Next").is_visible())


def test_a_presented_pad_is_readable_from_the_back_of_a_room(opened):
    page = opened(f"lesson={first_drawn('curve')}")
    page.set_viewport_size({"width": 1920, "height": 1080})
    wait(lambda: page.locator(".lesson-pad").is_visible())
    page.evaluate("document.body.toggleAttribute('data-lesson-present', true)")
    pixels = """() => { const text = document.querySelector(".lesson-pad text");
      return parseFloat(getComputedStyle(text).fontSize) * text.ownerSVGElement.getScreenCTM().a; }"""
    wait(lambda: page.evaluate(pixels) >= 20)
    box = page.locator(".lesson-pad").bounding_box()
    assert box["y"] + box["height"] <= 1080
    page.evaluate("document.body.toggleAttribute('data-lesson-present', false)")


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


PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


class Fingers:
    """Touches a part of a page; places are shares of its width and height."""

    def __init__(self, page, selector: str) -> None:
        self.session, self.part = page.context.new_cdp_session(page), page.locator(selector)
        self.part.scroll_into_view_if_needed()

    def touch(self, kind: str, *places: tuple[float, float]) -> None:
        """Sends a touch event with a finger at each place."""
        box = self.part.bounding_box()
        points = [
            {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"], "id": finger}
            for finger, (x, y) in enumerate(places)
        ]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def test_one_finger_draws_a_curve_and_the_page_stays(opened, new_page):
    page = opened(f"lesson={first_drawn('curve')}", new_page(**PHONE))
    wait(lambda: page.locator(".lesson-pad").is_visible())
    fingers, scrolled = Fingers(page, ".lesson-pad"), "scrollY"
    before = page.evaluate(scrolled)
    fingers.touch("touchStart", (0.3, 0.3))
    fingers.touch("touchMove", (0.6, 0.6))
    drawn = page.get_attribute(".pad-mine", "points")
    fingers.touch("touchStart", (0.6, 0.6), (0.9, 0.1))
    fingers.touch("touchMove", (0.6, 0.6), (0.9, 0.2))
    assert page.get_attribute(".pad-mine", "points") == drawn  # a second finger draws nothing
    fingers.touch("touchEnd")
    assert len(drawn.split()) == 41 and page.evaluate(scrolled) == before


def test_what_boxes_are_drawn_on_goes_with_the_lesson(shown):
    page = shown(f"lesson={first_drawn('boxes')}")
    sheet = page.locator(".lesson-marks")
    wait(sheet.is_visible)
    page.get_by_role("button", name="Explore", exact=True).click()
    wait(lambda: not sheet.count())
    page.evaluate("history.back()")
    wait(sheet.is_visible)


def test_one_finger_draws_a_box_and_the_page_stays(opened, new_page):
    page = opened(f"lesson={first_drawn('boxes')}", new_page(**PHONE))
    wait(lambda: page.locator(".lesson-marks").is_visible())
    fingers, scrolled = Fingers(page, ".lesson-marks"), "scrollY"
    before = page.evaluate(scrolled)
    fingers.touch("touchStart", (0.1, 0.1))
    fingers.touch("touchStart", (0.1, 0.1), (0.9, 0.9))
    fingers.touch("touchMove", (0.4, 0.5), (0.9, 0.8))
    fingers.touch("touchEnd")
    wait(lambda: "1 box drawn" in page.text_content(".lesson-drawing"))
    style = page.locator(".lesson-marks button").first.get_attribute("style")
    drawn = {name: float(value) for name, value in re.findall(r"(left|top|width|height): ([\d.]+)%", style)}
    assert drawn == pytest.approx({"left": 10, "top": 10, "width": 30, "height": 40}, abs=1)
    assert page.evaluate(scrolled) == before
