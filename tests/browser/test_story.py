"""The first screen and the header on the real page."""

import re

import pytest

from tests.browser.looking import QUICK, address_of, choose, layers, notice, set_slider
from tests.waiting import wait

pytestmark = pytest.mark.browser
DESK, WALL, PHONE = {"width": 1280, "height": 800}, {"width": 1920, "height": 1080}, {"width": 390, "height": 844}
GAMMA = "#knob-loss-gamma input[type=number]"
WHOLE = (
    ".pic-stage",
    ".right .plot",
    ".story-play",
    "#knob-loss-gamma",
    ".story-bar",
    ".story-sentence",
    ".story-ways",
)


def sentence(page) -> str:
    return page.text_content(".story-sentence") or ""


def easy_share(page) -> str:
    """The share in the sentence, which the bar must have, too."""
    share = re.search(r"carry (\S+) of the loss", sentence(page))
    return share[1] if share else ""


def open_bare(page, address) -> None:
    page.goto(address)
    page.wait_for_selector(".pic[data-drawn]")
    wait(lambda: easy_share(page))


def bottom(page, part: str) -> float:
    box = page.locator(part).bounding_box()
    return box["y"] + box["height"]


def is_story(page) -> bool:
    return page.evaluate("document.body.hasAttribute('data-story')")


def gamma_told(page) -> float:
    """γ as events tell it to the server."""
    return page.evaluate("JSON.parse(document.querySelector('#settings textarea').value)['loss.gamma']")


def test_a_first_visit_sees_who_pays_and_moves_gamma(page, address):
    page.set_viewport_size(DESK)
    open_bare(page, address)
    wait(lambda: address_of(page).endswith("?view=story"))
    assert sentence(page).startswith("At γ = 2 the 12,161 easy background anchors carry ")
    assert "classification loss" in page.text_content(".pic-legend") and notice(page) == ""
    assert page.evaluate("document.documentElement.scrollHeight") <= DESK["height"]
    assert all(bottom(page, part) <= DESK["height"] for part in WHOLE)
    assert page.locator(".knob:visible").count() == 1  # γ alone
    before, drawn = easy_share(page), int(page.get_attribute(".right .plot", "data-drawn"))
    page.click(".story-play")
    seen = set()

    def done() -> bool:
        seen.add(
            tuple(
                page.evaluate(f"""() => [
          document.querySelector(".story-sentence").textContent.match(/carry (\\S+) of the loss/)[1],
          document.querySelector(".story-keys b").textContent, document.querySelector("{GAMMA}").value]""")
            )
        )
        return page.text_content(".story-verb") == "Play"

    wait(done)  # γ waits for late answers
    wait(lambda: easy_share(page) == before and page.input_value(GAMMA) == "2")  # where it began
    assert len({share for share, _, _ in seen}) > 3 and all(share == key for share, key, _ in seen)
    assert len({gamma for _, _, gamma in seen}) > 5 and int(page.get_attribute(".right .plot", "data-drawn")) > drawn
    assert any(float(share.rstrip("%")) > 80 for share, _, _ in seen)
    page.wait_for_timeout(1500)  # nothing of it is left in the history
    assert address_of(page).endswith("?view=story") and page.locator("#undo").is_disabled()
    page.click(".story-play")
    wait(lambda: float(page.input_value(GAMMA)) < 1.9)  # nearer to 2 it would rest at 2, the next step of its knob
    page.keyboard.press("Escape")
    wait(lambda: page.text_content(".story-verb") == "Play" and "loss.gamma=" in address_of(page))
    page.click(".story-play")
    page.locator("#knob-loss-gamma input[type=range]").click(position={"x": 300, "y": 4})  # a touch stops it, too
    wait(lambda: page.text_content(".story-verb") == "Play")
    gamma = page.input_value(GAMMA)
    assert float(gamma) > 2
    wait(lambda: f"At γ = {float(gamma):g} " in sentence(page))


def test_leaving_the_story_and_coming_back(page, address):
    page.set_viewport_size(DESK)
    open_bare(page, address)
    choose(page, "anchors")
    wait(lambda: not is_story(page) and address_of(page).endswith("?step=anchors"))
    page.get_by_role("button", name="Undo").click()
    wait(lambda: is_story(page) and easy_share(page))
    page.get_by_role("button", name="Redo").click()
    wait(lambda: not is_story(page) and address_of(page).endswith("?step=anchors"))
    page.get_by_role("link", name="RetinaNet").click()
    wait(lambda: is_story(page) and easy_share(page))
    page.get_by_role("button", name="Explore freely").click()
    wait(lambda: not is_story(page) and address_of(page).endswith("?step=loss"))
    page.goto(address)  # a known visitor goes on where they were
    page.wait_for_selector(".pic[data-drawn]")
    wait(lambda: address_of(page).endswith("?step=loss") and page.locator("#knobs-loss").is_visible())
    page.go_back()  # loads the page again
    page.wait_for_selector(".pic[data-drawn]")
    wait(lambda: address_of(page).endswith("?step=loss") and page.locator("#knobs-loss").is_visible())
    page.get_by_role("link", name="RetinaNet").click()
    wait(lambda: is_story(page) and easy_share(page))
    page.get_by_role("button", name="Use my own pictures").click()
    wait(lambda: "step=picture" in address_of(page))
    wait(lambda: page.evaluate("document.activeElement.className") == "intake-choose")
    page.get_by_role("link", name="RetinaNet").click()
    wait(lambda: is_story(page) and easy_share(page))
    page.get_by_role("button", name="Take the lessons").click()
    wait(lambda: "lesson=dense.1" in address_of(page) and page.locator(".lesson").is_visible())
    page.get_by_role("button", name="Explore", exact=True).click()
    wait(lambda: not page.locator(".lesson").is_visible() and "lesson" not in address_of(page))
    wait(lambda: not is_story(page) and address_of(page).endswith("?step=loss"))


def test_leaving_the_story_while_gamma_moves_takes_none_of_it_along(page, address):
    page.set_viewport_size(DESK)
    open_bare(page, address)
    for at_rest in (False, True):  # γ is told to the server while it rests at 0
        page.click(".story-play")
        wait(lambda: float(page.input_value(GAMMA)) < 1.7)
        if at_rest:
            wait(lambda: page.input_value(GAMMA) == "0" and gamma_told(page) == 0)
        page.get_by_role("button", name="Take the lessons").click()
        wait(lambda: page.locator(".lesson").is_visible() and address_of(page).endswith("?lesson=dense.1"))
        page.wait_for_timeout(1000)  # until what is written into the knobs would have been answered
        assert page.input_value(GAMMA) == "2" and gamma_told(page) == 2 and address_of(page).endswith("?lesson=dense.1")
        page.click("#leave-lesson")
        wait(lambda: is_story(page) and easy_share(page))
        assert page.input_value(GAMMA) == "2" and page.text_content(".story-verb") == "Play"

    page.click(".story-play")
    wait(lambda: float(page.input_value(GAMMA)) < 1.7)
    page.evaluate("""document.querySelector('.strip button[data-step="anchors"]').click()""")  # as the server may
    wait(lambda: not is_story(page) and address_of(page).endswith("?step=anchors"))
    page.wait_for_timeout(1000)
    assert page.input_value(GAMMA) == "2" and gamma_told(page) == 2 and address_of(page).endswith("?step=anchors")


def test_on_a_wall_and_on_a_phone(new_page, address):
    page = new_page(viewport=WALL)
    open_bare(page, address)
    assert page.evaluate("document.documentElement.scrollHeight") <= WALL["height"]
    assert bottom(page, ".story-ways") > 0.85 * WALL["height"]  # no emptiness
    page.set_viewport_size(PHONE)
    open_bare(page, address)
    wait(lambda: page.locator(".pic-stage").bounding_box()["width"] <= 390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    order = [
        page.locator(part).bounding_box()["y"]
        for part in (".pic-stage", ".story-play", ".story-sentence", ".right .plot")
    ]
    assert order == sorted(order) and bottom(page, ".story-play") <= 844 and bottom(page, "#knob-loss-gamma") <= 844
    assert page.locator(".header").bounding_box()["height"] < 60
    assert not page.get_by_role("button", name="My pictures").is_visible()
    page.get_by_role("button", name="More").click()
    page.get_by_role("button", name="My pictures").click()
    wait(lambda: "step=picture" in address_of(page))
    assert not page.get_by_role("button", name="Light / dark").is_visible()


def test_picture_and_curve_of_the_first_screen_are_enlarged_and_saved(page, address):
    page.set_viewport_size(DESK)
    open_bare(page, address)
    for button, part in ((".pic-present", ".pic-stage"), ('.right [data-do="present"]', ".right .plot")):
        height = page.locator(part).bounding_box()["height"]
        page.click(button)
        wait(lambda part=part, height=height: page.locator(part).bounding_box()["height"] > 1.1 * height)
        page.click(button)  # ends it
        wait(lambda part=part, height=height: page.locator(part).bounding_box()["height"] == height)
    for button in (".pic-png", '.right [data-do="png"]'):
        with page.expect_download():
            page.click(button)
    assert page.evaluate("document.documentElement.scrollHeight") <= DESK["height"]


def test_without_motion_gamma_steps(browser, address):
    context = browser.new_context(reduced_motion="reduce", viewport=DESK)
    page = context.new_page()
    open_bare(page, address)
    page.click(".story-play")
    seen = set()

    def done() -> bool:
        seen.add(page.input_value(GAMMA))
        return page.text_content(".story-verb") == "Play"

    wait(done)
    assert seen == {"0", "0.5", "1", "2"}
    context.close()


def test_the_header_by_keyboard(opened):
    page = opened(QUICK + "&step=loss")
    assert page.get_attribute("html", "lang") == "en"
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the knobs"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.closest('.knob').id").startswith("knob-loss-")
    page.locator("#lessons .menu-opener").focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.dataset.choose") == "dense"
    page.keyboard.press("Escape")
    assert not page.locator("#lessons .menu-list").is_visible()
    assert page.evaluate("document.activeElement.className") == "menu-opener"
    page.locator("#share .menu-opener").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    wait(lambda: page.text_content(".header-said") == "Copied")
    assert page.evaluate("navigator.clipboard.readText()") == address_of(page)
    page.locator("#lessons .menu-opener").focus()
    for key in ("ArrowDown", "ArrowUp", "Enter"):  # around: the last lesson
        page.keyboard.press(key)
    wait(lambda: "lesson=" in address_of(page) and page.locator(".lesson").is_visible())


def test_undo_and_redo_are_grey_without_effect_and_the_theme_stays(opened):
    page = opened(QUICK + "&step=loss")
    undo, redo = page.locator("#undo"), page.locator("#redo")
    wait(lambda: undo.is_disabled() and redo.is_disabled())
    page.wait_for_timeout(1000)  # what changes in one go is undone in one
    set_slider(page, "loss-gamma", 3)
    wait(lambda: undo.is_enabled() and redo.is_disabled())
    undo.click()
    wait(lambda: undo.is_disabled() and redo.is_enabled())
    dark = "document.body.classList.contains('dark')"
    before = page.evaluate(dark)
    page.get_by_role("button", name="Light / dark").click()
    page.reload(wait_until="domcontentloaded")
    wait(lambda: page.evaluate(dark) is not before)
    page.wait_for_selector(".pic[data-drawn]")
    assert page.evaluate(dark) is not before and layers(page)["truth"] > 0


def test_nothing_strays_before_the_first_answer(page, address):
    page.route(re.compile("/gradio_api/(queue|run|component_server|live)"), lambda route: None)  # nothing is answered
    page.goto(f"{address}?step=loss")
    page.wait_for_selector(".pic", state="attached")
    page.get_by_text("Loading the picture").wait_for()
    for part in ("#curve", ".source-bar select", ".knob", ".story-play", ".notice"):
        assert not page.locator(part).first.is_visible(), part
