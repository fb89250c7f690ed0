"""The figures of the real page: where they stand, what moves in them, what one drags."""

from html import unescape

import pytest

from playground.lessons.position import LessonPosition
from playground.server.permalink import from_link
from tests.browser.looking import FRAMES, FULL_SCREEN, QUICK, address_of, headline, layers, set_slider
from tests.browser.test_accessibility import check
from tests.waiting import wait

pytestmark = pytest.mark.browser


def test_a_figure_keeps_its_place_when_the_window_changes(shown):
    page = shown("lesson=focal.1")
    wait(lambda: page.get_attribute(".plot", "data-title"))
    heights = "['.right .plot', '.right .plot .main-svg'].map((name) => document.querySelector(name).clientHeight)"
    wait(lambda: min(page.evaluate(heights)) > 200)
    before = page.evaluate(heights)
    page.set_viewport_size({"width": 1100, "height": 900})
    page.wait_for_timeout(500)  # plotly.js waits a little, too
    wait(lambda: page.evaluate(heights) == before)


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
    page.wait_for_timeout(500)  # until the axes have followed
    assert lines.count() == 4


def test_the_example_of_the_loss_curves_is_dragged(shown):
    page = shown(QUICK + "&step=loss")
    wait(lambda: page.get_attribute(".plot", "data-title"))
    page.locator(".right .plot").scroll_into_view_if_needed()
    area = page.locator(".right .plot .nsewdrag").first.bounding_box()
    page.mouse.move(area["x"] + area["width"] / 2, area["y"] + 20)
    page.mouse.down()
    page.mouse.move(area["x"] + area["width"] / 5, area["y"] + 20, steps=3)
    page.mouse.up()
    wait(lambda: "p_t=0.2" in address_of(page))
    wait(lambda: 0.18 < float(page.input_value("#example input[type=number]")) < 0.23)
    wait(lambda: "0.6" in page.text_content("#part-more .facts"))  # (1 − p_t)²


BOX = "(name) => { const { left, top, right, bottom } = document.querySelector(name).getBoundingClientRect();"
BOX += " return [left, top, right, bottom]; }"


def wait_for_figure(page) -> None:
    wait(lambda: page.get_attribute(".right .plot", "data-title"))


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080), (853, 533)])  # the last is 1280×800 at 150% zoom
def test_the_loss_step_begins_with_its_curve(shown, size):
    width, height = size
    page = shown(QUICK + "&step=loss")
    wait_for_figure(page)
    page.set_viewport_size({"width": width, "height": height})
    wait(lambda: page.evaluate(BOX, ".right .plot")[3] <= height)  # with its legend, without scrolling
    left, top, right, _ = page.evaluate(BOX, ".right .plot")
    picture = page.evaluate(BOX, ".pic")
    assert right - left >= picture[2] - picture[0] and right <= width
    if width >= 1280:
        knob = page.evaluate(BOX, "#knob-loss-gamma")
        assert knob[3] <= height and 0 <= left - knob[2] < 60  # beside it
    assert page.evaluate(BOX, "#part-readout")[1] > top


SMALL_TEXTS = """() => [...document.querySelectorAll("text, label, span, button, input, figcaption, h2")]
  .filter((node) => node.checkVisibility() && node.getClientRects().length && (node.textContent || node.value)?.trim())
  .filter((node) => !node.closest("[aria-hidden=true]") && !node.children.length && node.clientHeight !== 1)
  .map((node) => [node.tagName, node.className, node.textContent || node.value, getComputedStyle(node).fontSize])
  .filter(([, , , size]) => parseFloat(size) < 20)"""


def test_a_figure_is_presented_with_its_knobs_and_gives_the_page_back(shown):
    page = shown(QUICK + "&step=loss")
    wait_for_figure(page)
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.focus(".right .plot")
    page.keyboard.press("f")
    assert page.get_attribute("body", "data-present") == "figure"
    wait(lambda: page.evaluate(BOX, ".right .plot")[2] - page.evaluate(BOX, ".right .plot")[0] > 1300)
    wait(lambda: page.evaluate(SMALL_TEXTS) == [])
    assert not page.is_visible(".strip") and not page.is_visible(".pic") and page.is_visible("#knob-loss-gamma")
    page.evaluate(FOLLOW)
    set_slider(page, "loss-gamma", 4)
    wait(lambda: len(page.evaluate("drawn")) > 1)
    page.keyboard.press("Escape")
    wait(lambda: page.get_attribute("body", "data-present") is None)
    assert page.is_visible(".strip") and page.is_visible(".pic")
    page.click(".pic-present")
    wait(lambda: page.get_attribute("body", "data-present") == "picture")
    wait(lambda: page.evaluate(BOX, ".pic-stage")[3] - page.evaluate(BOX, ".pic-stage")[1] > 700)
    assert page.is_visible("#knob-loss-gamma") and not page.is_visible(".right .plot")
    page.focus(".pic-top")
    page.keyboard.press("f")
    wait(lambda: page.get_attribute("body", "data-present") is None)


NOTE_CHANGES = """() => {
  window.changes = [];
  window.noteChange ??= () => window.changes.push(document.fullscreenElement !== null);
  document.addEventListener("fullscreenchange", window.noteChange);
}"""
# Presses Escape in the same instant as the key before it, and notes when the full screen begins and ends.
LEAVE_AT_ONCE = f"""() => {{
  ({NOTE_CHANGES})();
  const leave = () => document.dispatchEvent(new KeyboardEvent("keydown", {{ key: "Escape" }}));
  document.addEventListener("presenting", () => setTimeout(leave), {{ once: true }});
}}"""


@pytest.mark.parametrize(
    "query", ["lesson=focal.1", "lesson=average-precision.1", f"{QUICK}&step=detections&graph=ap", "view=story"]
)
def test_figure_and_picture_fill_the_screen_wherever_they_stand(shown, query):
    page = shown(query)
    wait_for_figure(page)
    page.set_viewport_size({"width": 1920, "height": 1080})
    present(page, ".right .plot", ".right .plot", (1300, 700))
    present(page, ".pic-top", ".pic-stage", (700, 700))


def present(page, focused: str, part: str, least: tuple[int, int]) -> None:
    """Presents a part of the page by its key, until it has at least a size and all text can be read; then no more."""

    def size() -> tuple[float, float]:
        left, top, right, bottom = page.evaluate(BOX, part)
        return right - left, bottom - top

    page.evaluate(FRAMES)
    before = size()
    page.focus(focused)
    page.keyboard.press("f")
    wait(lambda: size()[0] > least[0] and size()[1] > least[1])
    wait(lambda: page.evaluate(SMALL_TEXTS) == [] and page.evaluate(FULL_SCREEN))
    page.keyboard.press("Escape")
    wait(lambda: page.get_attribute("body", "data-present") is None and size() == before)


def test_what_is_left_before_it_fills_the_screen_leaves_the_full_screen_too(shown):
    page = shown("view=story")
    wait_for_figure(page)
    page.focus(".pic-top")
    page.evaluate(LEAVE_AT_ONCE)
    page.keyboard.press("f")
    wait(lambda: page.evaluate("window.changes") == [True, False])
    assert page.get_attribute("body", "data-present") is None


def test_what_is_presented_again_while_the_full_screen_is_left_stays(shown):
    page = shown("view=story")
    wait_for_figure(page)
    page.focus(".pic-top")
    page.keyboard.press("f")
    wait(lambda: page.evaluate(FULL_SCREEN))
    page.evaluate(NOTE_CHANGES)
    page.evaluate("for (const _ of [1, 2]) document.querySelector('.pic-present').click()")  # in the same instant
    wait(lambda: page.evaluate("window.changes") == [False, True])
    page.evaluate(FRAMES)
    assert page.get_attribute("body", "data-present") == "picture"
    page.keyboard.press("f")
    wait(lambda: page.get_attribute("body", "data-present") is None)


@pytest.mark.parametrize(
    ("button", "name", "beginning"),
    [
        ('.right [data-do="png"]', "retinanet-loss-of-one-score.png", b"\x89PNG"),
        ('.right [data-do="svg"]', "retinanet-loss-of-one-score.svg", b"<svg"),
        (".pic-png", "retinanet-loss-", b"\x89PNG"),
        (".pic-svg", "retinanet-loss-", b"<svg"),
    ],
)
def test_figures_and_the_picture_are_saved_as_images(shown, tmp_path, button, name, beginning):
    page = shown(QUICK + "&step=loss")
    wait_for_figure(page)
    with page.expect_download() as download:
        page.click(button)
    assert download.value.suggested_filename.startswith(name)
    download.value.save_as(tmp_path / "image")
    assert (tmp_path / "image").read_bytes().startswith(beginning)


FRAME = """(address) => {
  const frame = document.createElement("iframe");
  Object.assign(frame, { src: address, width: 720, height: 560 });
  document.body.replaceChildren(frame);
}"""


def test_a_figure_alone_works_in_a_frame_of_another_site_without_cookies(page, address):
    page.goto(f"{address.replace('127.0.0.1', 'localhost')}robots.txt")  # to the browser another site
    page.evaluate(FRAME, f"{address}?{QUICK}&embed=loss")
    frame = page.wait_for_selector("iframe").content_frame()
    frame.wait_for_selector(".plot[data-title]")
    assert frame.evaluate("document.cookie") == ""
    sliders = frame.locator("input[type=range]")
    assert [each.is_visible() for each in sliders.all()].count(True) == 1
    assert not frame.is_visible(".strip") and not frame.is_visible(".pic")
    height = "document.querySelector('.plot').data[1].y[49]"
    before = frame.evaluate(height)
    set_slider(frame, "loss-gamma", 4)
    wait(lambda: frame.evaluate(height) < before)
    link = frame.locator(".right .figure-full")
    link.focus()
    assert link.is_visible() and "embed" not in link.get_attribute("href")
    bounds = "(() => { const { bottom, right } = document.querySelector('#knob-loss-gamma').getBoundingClientRect();"
    assert frame.evaluate(f"{bounds} return bottom <= innerHeight && right <= innerWidth; }})()")


def test_the_picture_alone_works_in_a_frame_of_another_site(page, address):
    page.goto(f"{address.replace('127.0.0.1', 'localhost')}robots.txt")
    page.evaluate(FRAME, f"{address}?{QUICK}&embed=picture&step=detections")
    frame = page.wait_for_selector("iframe").content_frame()
    frame.wait_for_selector(".pic[data-drawn]")
    sliders = frame.locator("input[type=range]")
    wait(lambda: [each.is_visible() for each in sliders.all()].count(True) == 1)
    assert not frame.is_visible(".strip") and not frame.is_visible(".right .plot") and not frame.is_visible(".pic-draw")
    stage, slider = (frame.locator(part).bounding_box() for part in (".pic-stage", "#knob-inference-score-threshold"))
    frame_box = page.locator("iframe").bounding_box()
    assert stage["y"] + stage["height"] <= slider["y"] <= slider["y"] + slider["height"] <= frame_box["y"] + 560
    link = frame.locator(".pic-full")
    assert link.is_visible() and link.get_attribute("href").endswith("&step=detections")


def test_the_code_of_the_picture_embeds_it_as_it_is_on_show(shown):
    page = shown("lesson=detections.1")
    page.locator(".pic-embed").click()
    wait(lambda: page.locator(".header-said").text_content())
    _, _, query = page.input_value(".pic-code").partition("?")
    state = from_link(unescape(query.partition('"')[0]))
    assert (state.step, state.lesson) == ("detections", "")
    assert state.config() == LessonPosition.from_link("detections.1").step.config()
    page.locator(".pic-embed").click()
    assert not page.is_visible(".pic-code")


def test_in_a_lesson_too_the_code_embeds_the_figure_on_show(shown):
    page = shown("lesson=average-precision.6")
    wait_for_figure(page)
    page.locator('.right [data-do="embed"]').click()
    _, _, query = page.input_value(".right .figure-code").partition("?")
    state = from_link(unescape(query.partition('"')[0]))
    assert (state.step, state.lesson) == ("detections", "") and state.dials == "graph=ap&counted=1000"
    assert state.config() == LessonPosition.from_link("average-precision.6").step.config()
    page.locator('.right [data-do="embed"]').click()


def test_the_pinned_settings_are_drawn_in_the_figure(shown):
    page = shown(QUICK + "&step=loss&loss.gamma=1&pinned=loss.gamma%3D4&beside=true")
    wait_for_figure(page)
    names = page.locator(".right .legendtext")
    wait(lambda: "A: foreground, these settings" in names.all_text_contents())
    assert "A: cross-entropy" not in names.all_text_contents()
    assert page.is_visible(".right .plot") and page.evaluate(BOX, ".right .plot")[1] < 800  # beside both pictures


PAINTED = """() => { const top = document.querySelector(".side-b .pic-top");
  return top.getContext("2d").getImageData(0, 0, top.width, top.height).data.some(Boolean); }"""


CUT = """() => [...document.querySelectorAll(".right .scroll")].filter((node) => node.checkVisibility())
  .filter((node) => node.scrollWidth > node.clientWidth).map((node) => node.getAttribute("aria-label"))"""


def test_rows_and_boxes_point_at_each_other(shown):
    page = shown(QUICK + "&step=assignment")
    rows = page.locator("#part-readout tr[data-box]")
    wait(lambda: rows.count() >= 1 and headline(page, "assignment"))
    number = rows.first.locator("td").first.text_content().split()[-1]
    assert number == "1"  # as on the picture
    assert not page.evaluate(PAINTED)
    rows.first.hover()
    wait(lambda: page.evaluate(PAINTED))
    page.mouse.move(5, 5)
    row = page.locator('tr[data-box="truth 0"]')
    row.focus()
    page.keyboard.press("Enter")
    wait(lambda: "truth,0" in address_of(page).replace("%2C", ","))
    wait(lambda: row.get_attribute("aria-current"))
    for width in (1920, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        wait(lambda: page.evaluate(CUT) == [])
    page.focus(".pic-top")
    page.keyboard.press("Escape")
    wait(lambda: "pick=" not in address_of(page))
    assert row.get_attribute("aria-current") is None


def test_the_inspector_draws_what_a_prediction_rests_on_and_the_link_keeps_it(shown):
    page = shown(QUICK + "&step=detections&pick=40,40")
    choices = page.get_by_role("group", name="Why this box")
    assert "why" not in address_of(page) and "sees-half" not in layers(page)
    choices.get_by_role("button", name="its class").click()
    wait(lambda: layers(page).get("sees-half") == 1 and "&why=class" in address_of(page))
    assert "what its class logit rests on, pixels" in page.text_content(".pic-legend")
    page.get_by_role("button", name="at the features of its level").click()
    wait(
        lambda: "rests on, features of P" in page.text_content(".pic-legend") and "why_at=features" in address_of(page)
    )
    shown(address_of(page).partition("?")[2])
    wait(lambda: choices.get_by_role("button", name="its class").get_attribute("aria-pressed") == "true")
    choices.get_by_role("button", name="not drawn").click()
    wait(lambda: "sees-half" not in layers(page) and "&why=" not in address_of(page))


def test_ap_along_a_dial_is_measured_for_the_chosen_values(shown):
    page = shown(f"{QUICK}&step=evaluation&figure=along a dial&along=noise&along_count=3&training.eval_images=1")
    wait(lambda: "not measured under these settings" in page.text_content(".readout"))
    page.click("button[data-choose=measure]")
    wait(lambda: "3 values, 3 pictures" in page.text_content(".readout"))
    wait(lambda: page.get_attribute(".right .plot", "data-title") == "AP along Noise")
    assert check(page, "AP along a dial", ".right") == []
    page.select_option("label:has-text('Dial of the scenes') select", "clutter")
    wait(lambda: "along=clutter" in address_of(page) and "not measured" in page.text_content(".readout"))
