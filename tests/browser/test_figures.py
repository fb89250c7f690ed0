"""The figures of the real page: where they stand, what moves in them, what one drags."""

import pytest

from tests.browser.looking import QUICK, address_of, set_slider
from tests.waiting import wait

pytestmark = pytest.mark.browser


def test_a_figure_keeps_its_place_when_the_window_changes(opened):
    page = opened("lesson=focal.1")
    wait(lambda: page.get_attribute(".plot", "data-title"))
    heights = "['.right .plot', '.right .plot .main-svg'].map((name) => document.querySelector(name).clientHeight)"
    wait(lambda: min(page.evaluate(heights)) > 200)
    before = page.evaluate(heights)
    page.set_viewport_size({"width": 1100, "height": 900})
    page.wait_for_timeout(500)  # plotly.js waits a little, too
    assert page.evaluate(heights) == before


FOLLOW = """() => {
  const plot = document.querySelector(".right .plot");
  window.drawn = [];
  const look = () => window.drawn.push({ axis: [...plot.layout.yaxis.range], height: plot.data[1].y[49] });
  new MutationObserver(look).observe(plot, { attributes: true, attributeFilter: ["data-drawn"] });
  look();
}"""


def test_lines_move_at_once_and_the_axis_follows_when_they_rest(opened):
    page = opened(QUICK + "&step=loss&loss.alpha=0.5&loss.gamma=4&curve=loss%2C+logarithmic")
    wait(lambda: page.get_attribute(".plot", "data-title"))
    page.evaluate(FOLLOW)
    set_slider(page, "loss-gamma", 2)
    before, moved, rested, *_ = wait(lambda: (drawn := page.evaluate("drawn"))[2:] and drawn)
    assert before["height"] == pytest.approx(0.5 * 0.5**4 * 0.6931, rel=1e-3)
    assert moved["height"] == rested["height"] == pytest.approx(0.5 * 0.5**2 * 0.6931, rel=1e-3)
    assert moved["axis"] == before["axis"] and rested["axis"][0] > before["axis"][0]
    assert page.locator(".plot .scatterlayer .js-line").count() == 5


def test_lines_that_leave_the_axis_take_it_along(opened):
    page = opened(QUICK + "&step=loss&loss.gamma=1&curve=loss%2C+logarithmic")
    wait(lambda: page.get_attribute(".plot", "data-title"))
    page.evaluate(FOLLOW)
    set_slider(page, "loss-gamma", 4)
    before, after, *_ = wait(lambda: (drawn := page.evaluate("drawn"))[1:] and drawn)
    assert after["axis"][0] < before["axis"][0]


def test_a_figure_whose_lines_have_moved_follows_the_theme_and_the_legend(opened):
    page = opened(QUICK + "&step=loss&loss.alpha=0.5&loss.gamma=1")
    wait(lambda: page.get_attribute(".plot", "data-title"))
    page.locator(".plot .legendtoggle").nth(4).click()
    lines = page.locator(".plot .scatterlayer .js-line")
    wait(lambda: lines.count() == 4)
    page.evaluate(FOLLOW)
    colour = "getComputedStyle(document.querySelector('.right .plot .xtick text')).fill"
    before = page.evaluate(colour)
    set_slider(page, "loss-gamma", 2)
    wait(lambda: len(page.evaluate("drawn")) > 1)
    page.evaluate("document.body.classList.toggle('dark')")
    wait(lambda: page.evaluate(colour) != before)
    assert page.evaluate("drawn")[-1]["height"] == pytest.approx(0.5 * 0.5**2 * 0.6931, rel=1e-3)
    set_slider(page, "loss-gamma", 3)
    wait(lambda: page.evaluate("drawn")[-1]["height"] == pytest.approx(0.5 * 0.5**3 * 0.6931, rel=1e-3))
    page.wait_for_timeout(500)  # until the axes have follow_link
    assert lines.count() == 4


def test_the_example_of_the_loss_curves_is_dragged(opened):
    page = opened(QUICK + "&step=loss")
    wait(lambda: page.get_attribute(".plot", "data-title"))
    page.locator(".right .plot").scroll_into_view_if_needed()
    area = page.locator(".right .plot .nsewdrag").first.bounding_box()
    page.mouse.move(area["x"] + area["width"] / 2, area["y"] + 20)
    page.mouse.down()
    page.mouse.move(area["x"] + area["width"] / 5, area["y"] + 20, steps=3)
    page.mouse.up()
    wait(lambda: "p_t=0.2" in address_of(page))
    assert 0.18 < float(page.input_value("#example input[type=number]")) < 0.23
    wait(lambda: "0.6" in page.text_content("#part-more .facts"))  # (1 − p_t)²
