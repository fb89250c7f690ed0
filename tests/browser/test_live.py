"""Knobs on the real page: what they move at once, and that nothing of it is lost."""

import json

import pytest

from tests.browser.looking import QUICK, address_of, choose, headline, layers, notice, set_slider
from tests.waiting import wait

pytestmark = pytest.mark.browser


def test_every_knob_moves_something_at_once(shown):
    page = shown(QUICK + "&step=detections&inference.score_threshold=0.005")
    before = headline(page, "threshold")
    set_slider(page, "inference-score-threshold", 0.5)
    wait(lambda: headline(page, "threshold") != before)
    assert headline(page, "threshold") == headline(page, "detections") == "0"
    choose(page, "assignment")
    before = headline(page, "assignment")
    set_slider(page, "matching-fg-iou-threshold", 0.9)
    wait(lambda: headline(page, "assignment") != before)


def test_of_a_drag_the_last_value_wins(shown):
    page = shown(QUICK + "&step=anchors")
    for value in range(16, 101):
        set_slider(page, "anchors-size-p3", value)
    wait(lambda: "size_p3=100" in address_of(page))
    page.wait_for_timeout(500)
    assert "size_p3=100" in address_of(page)
    wait(lambda: "100" in page.text_content(".readout table"))


def test_a_drag_that_is_followed_at_once_by_a_click_is_not_lost(shown):
    page = shown(QUICK + "&step=detections")
    choose(page, "loss")
    for value in (0.5, 3, 4.5):
        set_slider(page, "loss-gamma", value)
    choose(page, "loss")
    wait(lambda: "step=loss" in address_of(page) and "loss.gamma=4.5" in address_of(page))
    for value in (1, 2.5):
        set_slider(page, "loss-gamma", value)
    page.get_by_text("Another scene").dispatch_event("click")  # without a pointer: nothing has been handed over before
    wait(lambda: "loss.gamma=2.5" in address_of(page) and "scenes.seed=1" in address_of(page))
    wait(lambda: "1/316" in "".join(page.locator(".readout").all_text_contents()))  # 0.1^2.5
    page.wait_for_timeout(500)
    assert "loss.gamma=2.5" in address_of(page)


def painted(page) -> str:
    """The picture with its layers, pixel by pixel."""
    return page.evaluate("document.querySelector('.pic-base').toDataURL()")


@pytest.mark.parametrize("finger", [True, False])
def test_layers_left_out_while_a_knob_moves_are_there_once_they_are_switched_on(opened, new_page, finger):
    query = QUICK + "&step=detections&inference.score_threshold=0.01"
    page = opened(query)
    slider = page.locator("#knob-inference-nms-threshold input[type=range]")
    if finger:  # what waits does so until it lets go
        slider.dispatch_event("pointerdown")
    bodies = []

    def read(route):
        """Reads the first answer for the moved knob; what the page asked for as it opened may still be under way."""
        settings = json.loads(route.request.post_data_json["settings"])
        if bodies or settings["inference.nms_threshold"] != 0.3:
            route.continue_()
            return
        response = route.fetch()
        bodies.append(response.text())
        route.fulfill(response=response)

    page.route("**/live", read)
    set_slider(page, "inference-nms-threshold", 0.3)
    wait(lambda: page.evaluate("true") and bodies)  # routes are handled while something is asked of the page
    picture = json.loads(bodies[0].splitlines()[0])["canvas"]
    (suppressed,) = [layer for layer in json.loads(picture)["layers"] if layer["key"] == "suppressed"]
    assert suppressed["boxes"] == "" and suppressed["count"] > 0
    page.locator(".pic-layer[data-key=suppressed]").dispatch_event("click")  # no pointer: the finger is elsewhere
    other = opened(query + "&inference.nms_threshold=0.3&layers=suppressed", new_page(viewport=page.viewport_size))
    wait(lambda: layers(other).get("suppressed") == suppressed["count"])
    wait(lambda: painted(page) == painted(other))


def test_a_server_that_is_gone_is_said_to_be_and_is_asked_again(opened):
    page = opened(QUICK + "&step=assignment")
    before = headline(page, "assignment")
    fails = (
        "const kept = fetch; fetch = (url, ...rest) => url.endsWith('/live') ? Promise.reject() : kept(url, ...rest)"
    )
    page.evaluate(f"() => {{ {fails}; window.mend = () => {{ fetch = kept; }}; }}")
    set_slider(page, "matching-fg-iou-threshold", 0.9)
    wait(lambda: "does not answer" in notice(page))
    assert headline(page, "assignment") == before
    page.evaluate("mend()")
    set_slider(page, "matching-fg-iou-threshold", 0.8)
    wait(lambda: headline(page, "assignment") != before and notice(page) == "")
