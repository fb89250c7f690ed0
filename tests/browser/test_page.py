"""The real page in a real browser: each step's main path, the link, a drag, uploads, drawn boxes, a training run."""

import json
import re
import zipfile
from threading import Event

import numpy as np
import pytest
from PIL import Image

from playground.events import settings
from playground.runs.service import RUNS, Runs
from playground.state.anchor_search import fit_anchors
from playground.steps import STEPS
from tests.browser.looking import QUICK, address_of, choose, headline, layers, notice, set_slider
from tests.waiting import HANG, wait

pytestmark = pytest.mark.browser


def test_opens_on_a_scene_with_objects(opened):
    page = opened()
    assert layers(page)["truth"] > 0
    assert headline(page, "anchors") == "12,276"
    funnel = [headline(page, part) for part in ("threshold", "topk", "nms", "detections")]
    assert all(re.fullmatch(r"[\d,]+", number) for number in funnel)
    counts = [int(number.replace(",", "")) for number in funnel]
    assert counts == sorted(counts, reverse=True) and counts[-1] > 0
    assert notice(page) == ""
    assert page.locator(".knob:visible").count() >= 10


def test_knobs_and_picture_stay_beside_long_numbers(shown):
    page = shown("step=loss")
    page.mouse.move(1200, 500)
    page.mouse.wheel(0, 900)
    wait(lambda: page.evaluate("scrollY") >= 800)
    wait(
        lambda: all(
            0 <= page.locator(each).bounding_box()["y"] < 60 for each in (".layout > .left", ".layout > .middle")
        )
    )


def another_figure(page, seen: list[str]) -> str:
    """Returns the title of the figure on show, nothing if it has been seen; a hidden one keeps an earlier title."""
    if not page.locator(".plot .main-svg").first.is_visible():  # asked first: it may be drawn between two questions
        return ""
    title = page.get_attribute(".plot", "data-title") or ""
    return title if title not in seen else ""


def test_each_step_shows_its_knobs_and_numbers(shown):
    page = shown(QUICK)
    wait(lambda: not page.locator(".plot .main-svg").first.is_visible())  # that of an earlier test
    figures = []
    for step in STEPS:
        choose(page, step)
        wait(lambda: page.text_content(".readout"))
        groups, names = page.locator(".of-step:visible"), "all => all.map(({ id }) => id)"
        wait(lambda groups=groups, names=names, step=step: groups.evaluate_all(names) == [f"knobs-{step}"])
        assert page.locator(".knob:visible").count() >= (1 if step == "evaluation" else 3), step
        assert notice(page) == "", step
        if step not in ("picture", "network", "training", "evaluation"):
            figures.append(wait(lambda: another_figure(page, figures)))
            assert page.locator(".plot .main-svg").first.is_visible(), step


def test_the_step_chosen_last_stays_on_show_when_an_earlier_answer_is_late(opened):
    page = opened(QUICK)
    asked, late = [], []

    def hold_the_first(route):
        asked.append(route)
        if len(asked) == 1:
            late.append(route.fetch())
        else:
            route.continue_()

    page.route("**/run/predict*", hold_the_first)
    choose(page, "network")
    wait(lambda: notice(page) == "" and late)  # routes are called while the page is asked
    for step in ("assignment", "anchors"):
        choose(page, step)
    page.wait_for_timeout(200)
    assert len(asked) == 1  # otherwise the late answer would be the last one
    asked[0].fulfill(response=late[0])
    wait(lambda: "step=anchors" in address_of(page) and another_figure(page, []))
    assert page.get_attribute(".plot", "data-title") == "Fit of the anchors"
    assert len(asked) == 2  # the step between them is not asked for
    assert page.get_attribute('.strip button[data-step="anchors"]', "aria-current") and notice(page) == ""


def test_the_link_is_the_state(opened, shown):
    page = shown(QUICK + "&step=loss&loss.gamma=0.5&scenes.seed=11")
    wait(lambda: page.get_attribute('.strip button[data-step="loss"]', "aria-current"))
    assert page.locator("#knob-loss-gamma input[type=number]").input_value() == "0.5"
    assert (
        page.locator("#knob-loss-gamma.changed").count() == 1 and page.locator("#knob-loss-alpha.changed").count() == 0
    )
    set_slider(page, "loss-gamma", 3)
    wait(lambda: "loss.gamma=3" in address_of(page))
    other = opened(address_of(page).split("?")[1])
    wait(lambda: headline(page, "loss") and headline(other, "loss") == headline(page, "loss"))
    assert other.locator("#knob-loss-gamma input[type=number]").input_value() == "3"


def test_undo_and_redo(opened):
    page = opened(QUICK + "&step=loss")
    for gamma in (3, 4):
        page.wait_for_timeout(1000)  # what changes in one go is undone in one
        set_slider(page, "loss-gamma", gamma)
        wait(lambda gamma=gamma: f"loss.gamma={gamma}" in address_of(page))
    page.get_by_role("button", name="Undo").click()
    wait(lambda: page.locator("#knob-loss-gamma input[type=number]").input_value() == "3")
    page.get_by_role("button", name="Redo").click()
    wait(lambda: page.locator("#knob-loss-gamma input[type=number]").input_value() == "4")
    for depth in (1, 0, 0, 0):  # never further back than the page
        page.locator("#undo").evaluate("(button) => button.click()")  # grey at the end, when it does nothing
        wait(lambda depth=depth: page.evaluate("history.state?.depth ?? 0") == depth)
        page.wait_for_timeout(300)
    wait(lambda: page.locator("#knob-loss-gamma input[type=number]").input_value() == "2")
    wait(lambda: page.locator("#undo").is_disabled())
    assert "step=loss" in address_of(page)


def test_selection_and_layers_are_in_the_link(opened, shown):
    page = shown(QUICK + "&step=assignment")
    page.locator(".pic-top").click(position={"x": 60, "y": 60})
    wait(lambda: "pick=" in address_of(page))
    page.locator('.pic-layer[data-key="ignored"]').click()
    wait(lambda: "layers=ignored" in address_of(page) and "ignored" in layers(page))
    other = opened(address_of(page).split("?")[1])
    wait(lambda: "ignored" in layers(other) and "Anchors at" in other.text_content(".readout"))


def test_pinned_settings_are_compared_and_survive_undo(opened, shown):
    page = shown(QUICK + "&step=detections&inference.score_threshold=0.009")
    assert page.locator(".pic").count() == 1 and not page.locator(".pinned-bar").is_visible()
    page.get_by_role("button", name="Compare: keep this as A").click()
    wait(lambda: "Nothing differs" in page.text_content(".changes") and "pinned=" in address_of(page))
    before = layers(page)
    set_slider(page, "inference-score-threshold", 0.5)
    wait(lambda: "Score threshold 0.009 → 0.5" in page.text_content(".changes"))
    page.get_by_role("button", name="Side by side").click()
    pinned = page.locator(".side-a .pic")
    wait(lambda: pinned.count() and pinned.get_attribute("data-layers"))
    assert json.loads(pinned.get_attribute("data-layers")) == before and layers(page)["kept"] == 0
    a, b = pinned.bounding_box(), page.locator(".side-b .pic").bounding_box()
    assert a["x"] + a["width"] <= b["x"] and abs(a["y"] - b["y"]) < 2
    page.locator('.side-b .pic-layer[data-key="truth"]').click()  # both show the same layers
    wait(lambda: "truth" in json.loads(pinned.get_attribute("data-layers")))
    assert page.locator(".counts tr.marked").count() >= 2
    other = opened(address_of(page).split("?")[1])
    wait(lambda: "Score threshold 0.009 → 0.5" in other.text_content(".changes"))
    wait(lambda: other.locator(".side-a .pic").get_attribute("data-layers"))
    page.wait_for_timeout(1000)  # what changes in one go is undone in one
    set_slider(page, "inference-score-threshold", 0.2)
    wait(lambda: "0.009 → 0.2" in page.text_content(".changes"))
    page.get_by_role("button", name="Undo").click()
    wait(lambda: "0.009 → 0.5" in page.text_content(".changes") and pinned.is_visible())
    page.get_by_role("button", name="Back to A").click()
    wait(lambda: "Nothing differs" in page.text_content(".changes"))
    page.get_by_role("button", name="Unpin").click()
    wait(lambda: page.locator(".pic").count() == 1 and "pinned" not in address_of(page))
    assert not page.locator(".pinned-bar").is_visible() and not page.locator(".counts").is_visible()
    assert notice(page) == ""


def test_on_a_phone_pinned_and_present_picture_stand_one_below_the_other(opened, new_page):
    view = new_page(viewport={"width": 390, "height": 800})
    page = opened(QUICK + "&pinned=scenes.seed%3D3%26" + QUICK.replace("=", "%3D").replace("&", "%26"), view)
    page.get_by_role("button", name="Side by side").click()
    wait(lambda: page.locator(".side-a .pic[data-drawn]").count())
    a, b = (page.locator(f".{side} .pic-stage").bounding_box() for side in ("side-a", "side-b"))
    assert a["y"] + a["height"] <= b["y"] and abs(a["width"] - b["width"]) < 2
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_strip_shows_maps_and_levels(shown):
    page = shown(QUICK)
    page.click('.strip button[data-cell="heads"]')
    wait(lambda: "class score on P3" in page.text_content(".pic-legend") and "map=scores" in address_of(page))
    page.locator(".levels button", has_text="P4").click()
    wait(lambda: "class score on P4" in page.text_content(".pic-legend") and "level=P4" in address_of(page))
    assert page.locator('.levels button[aria-pressed="true"]').text_content().startswith("P4")
    page.click('.strip button[data-cell="body"]')
    wait(lambda: "mean |feature| on C4" in page.text_content(".pic-legend"))
    page.click('.strip button[data-cell="topk"]')
    wait(lambda: "before" in layers(page) and "scores" not in layers(page))
    page.locator(".levels button", has_text="P5").click()
    wait(lambda: "class score on P5" in page.text_content(".pic-legend") and "scores" in layers(page))
    page.locator(".pic-top").hover(position={"x": 5, "y": 5})
    wait(lambda: page.locator(".pic-tip").is_visible())


def test_the_knobs_of_one_step_go_back_to_their_defaults(shown):
    page = shown(QUICK + "&step=loss&loss.gamma=0.5&loss.alpha=0.9&matching.fg_iou_threshold=0.6")
    button = page.get_by_role("button", name="Reset focal loss")
    wait(button.is_visible)
    button.click()
    wait(lambda: "loss." not in address_of(page))
    assert "matching.fg_iou_threshold=0.6" in address_of(page) and "model.fpn_channels=32" in address_of(page)
    assert page.locator("#knob-loss-gamma input[type=number]").input_value() == "2"
    wait(lambda: not button.is_visible())


def test_a_bad_link_is_explained(opened):
    page = opened("loss.gamma=99")
    assert "γ (focusing)" in wait(lambda: notice(page)) and "0 to 8" in notice(page)
    assert layers(page)["truth"] > 0


def test_a_link_whose_weights_do_not_fit_still_opens_a_page(opened):
    page = opened("step=detections&anchors.ratios=1")
    assert "anchors per location contradicts" in wait(lambda: notice(page))
    assert layers(page)["truth"] > 0 and "nothing to show" in page.text_content(".readout")
    choose(page, "anchors")
    wait(lambda: notice(page) == "" and "Best IoU" in page.text_content(".readout"))


def test_contradictory_thresholds_are_explained_and_nothing_is_lost(shown):
    page = shown(QUICK + "&step=assignment")
    before = layers(page)
    set_slider(page, "matching-bg-iou-threshold", 0.8)
    assert "must not be above" in wait(lambda: notice(page))
    assert layers(page) == before
    set_slider(page, "matching-bg-iou-threshold", 0.3)
    wait(lambda: notice(page) == "")


def test_contradicting_the_weights_names_the_knob_and_tells_the_size(shown):
    page = shown("step=network")
    set_slider(page, "model-num-convs", 2)
    wait(lambda: "“Head convolutions” = 2 contradicts the weights builtin" in page.text_content(".readout"))
    assert "GFLOP" in page.text_content(".readout")
    choose(page, "detections")
    assert "“Head convolutions” = 2 contradicts the weights builtin" in wait(lambda: notice(page))


def test_another_scene_and_reset(shown):
    page = shown(QUICK)
    page.get_by_role("button", name="Another scene").click()
    wait(lambda: "scenes.seed=1" in address_of(page))
    page.get_by_role("button", name="Reset", exact=True).click()
    wait(lambda: address_of(page).endswith("?step=picture"))
    assert headline(page, "picture") == "256×256"


def test_upload_draw_and_follow(opened, tmp_path):
    page = opened(QUICK)
    Image.fromarray(np.full((120, 240, 3), 90, np.uint8)).save(tmp_path / "my ${1+1} picture.png")
    page.set_input_files(".intake-files", tmp_path / "my ${1+1} picture.png")
    wait(lambda: headline(page, "picture") == "192×96")
    wait(lambda: layers(page).get("truth", 0) == 0 and "no object yet" in page.text_content(".readout"))
    box = page.locator(".pic-top").bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 160, steps=5)
    page.mouse.up()
    page.fill(".pic-name", "${3+3}")
    page.keyboard.press("Enter")
    wait(lambda: layers(page).get("truth") == 1)
    wait(lambda: not headline(page, "assignment").startswith("0 fg"))


def test_a_broken_upload_leaves_the_picture(shown, tmp_path):
    page = shown(QUICK)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing")
    before = layers(page)
    page.set_input_files(".intake-files", tmp_path / "broken.png")
    wait(lambda: "Not added: broken.png cannot be opened." in page.text_content(".intake-said"))
    assert layers(page) == before and "data=" not in address_of(page)


def test_a_click_moves_the_anchors(shown):
    page = shown(QUICK + "&step=anchors")
    wait(lambda: layers(page).get("anchors-P3") == 9)
    drawn = int(page.get_attribute(".pic", "data-drawn"))
    page.locator(".pic-top").click(position={"x": 30, "y": 30})
    wait(lambda: int(page.get_attribute(".pic", "data-drawn")) > drawn)


def test_a_click_inspects_place_object_and_detection(shown):
    page = shown(QUICK + "&step=detections&inference.score_threshold=0.009")
    assert "Click an object" in page.text_content(".readout")
    wait(lambda: layers(page).get("kept"))
    page.locator(".pic-top").click(position={"x": 60, "y": 60})
    wait(lambda: "Anchors at" in page.text_content(".readout"))
    wait(lambda: "its anchor" in page.text_content(".pic-legend"))  # at this threshold boxes lie everywhere
    choose(page, "assignment")
    wait(lambda: "Anchors at" in page.text_content(".readout"))  # what is picked stays, step by step


def test_anchors_are_fitted(shown):
    page = shown(QUICK + "&step=anchors&anchors.ratios=1")
    page.get_by_role("button", name="Look for better").click()
    assert "Fitted to this picture" in wait(lambda: notice(page))
    wait(lambda: "anchors.scales" in address_of(page))


@pytest.fixture
def fit_slowly(monkeypatch):
    """The search for anchors says when it has begun, and waits: two events."""
    begun, waited = Event(), Event()

    def fit(*arguments):
        begun.set()
        assert waited.wait(HANG)
        return fit_anchors(*arguments)

    monkeypatch.setattr(settings, "fit_anchors", fit)
    yield begun, waited
    waited.set()


def test_a_knob_moved_while_an_answer_takes_long_stays_as_it_is(opened, fit_slowly):
    begun, waited = fit_slowly
    page = opened(QUICK + "&step=anchors&anchors.ratios=1")
    page.get_by_role("button", name="Look for better").click()
    wait(begun.is_set)
    set_slider(page, "inference-image-size", 128)
    wait(lambda: "inference.image_size=128" in address_of(page))
    waited.set()
    wait(lambda: "anchors.scales" in address_of(page))
    wait(lambda: "Fitted to this picture" in notice(page))
    page.wait_for_timeout(1000)  # what was set meanwhile has been asked for, too
    assert "inference.image_size=128" in address_of(page) and "Fitted to this picture" in notice(page)
    assert page.input_value("#knob-inference-image-size input[type=range]") == "128"
    choose(page, "network")  # an event that reads the settings
    assert "inference.image_size=128" in address_of(page) and "anchors.scales" in address_of(page)


def test_an_answer_that_took_long_leaves_the_step_that_was_chosen_meanwhile(opened, fit_slowly):
    begun, waited = fit_slowly
    page = opened(QUICK + "&step=anchors&anchors.ratios=1")
    page.get_by_role("button", name="Look for better").click()
    wait(begun.is_set)
    choose(page, "network")
    wait(lambda: "step=network" in address_of(page))
    waited.set()
    wait(lambda: "anchors.scales" in address_of(page))
    assert page.get_attribute('.strip button[data-step="network"]', "aria-current")
    wait(lambda: "parameters" in page.text_content(".readout") and not page.locator(".plot").first.is_visible())
    wait(lambda: "Fitted to this picture" in notice(page))
    assert "step=network" in address_of(page)


def test_settings_are_copied_as_code(shown):
    page = shown(QUICK)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Share").click()
    page.get_by_role("button", name="Copy code for torchvision").click()
    wait(lambda: page.text_content(".header-said") == "Copied")
    copied = wait(lambda: page.evaluate("navigator.clipboard.readText()"))
    assert "from torchvision.models.detection import RetinaNet" in copied


def test_an_exported_detector_is_downloaded(opened, tmp_path):
    page = opened("step=network")
    page.click("button:text-is('Export')")
    button = page.locator("#export-file")
    wait(button.is_visible)
    assert "Download retinanet.zip" in button.text_content()
    with page.expect_download() as coming:
        button.click()
    file = tmp_path / coming.value.suggested_filename
    coming.value.save_as(file)
    assert file.name == "retinanet.zip" and notice(page) == "The file is ready: press “Download retinanet.zip”."
    with zipfile.ZipFile(file) as content:
        assert content.testzip() is None
        assert {name.rpartition(".")[2] for name in content.namelist()} >= {"safetensors", "json", "py"}


def test_lists_close_behind_the_keyboard(shown):
    page = shown(QUICK + "&step=loss")
    page.locator("#knob-loss-kind input").focus()
    wait(lambda: page.get_by_role("option", name="ohem").is_visible())
    page.keyboard.press("Tab")
    wait(lambda: not page.get_by_role("option", name="ohem").is_visible())


def test_all_knobs_opens_everything(opened):
    page = opened(QUICK)
    few = page.locator(".knob:visible").count()
    page.get_by_role("button", name="All knobs").click()
    wait(lambda: page.locator(".knob:visible").count() > 60 > few)
    page.get_by_label("Find a knob").fill("suppress")  # a word of its help
    wait(lambda: 0 < page.locator(".knob:visible").count() < 5)
    assert page.locator("#knob-inference-class-agnostic-nms").is_visible()


def test_narrow_page_has_no_sideways_scroll_and_the_picture_first(shown):
    page = shown(QUICK, viewport={"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    picture, knobs = page.locator(".pic").bounding_box(), page.locator("#knobs-picture").bounding_box()
    assert picture["y"] < knobs["y"]


def test_on_a_phone_the_picture_is_in_sight_of_every_knob_and_not_in_the_way_of_the_numbers(shown):
    page = shown(QUICK + "&step=detections", viewport={"width": 390, "height": 660})
    knob = page.locator("#knob-inference-max-detections")
    knob.evaluate("(node) => node.scrollIntoView({ block: 'end' })")
    picture, box = page.locator(".pic-stage").bounding_box(), knob.bounding_box()
    assert picture["y"] >= 0 and picture["y"] + picture["height"] <= box["y"] and box["y"] + box["height"] < 661
    page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
    on_top = "([x, y]) => document.elementFromPoint(x, y).closest('.right, .middle').className"
    assert "right" in page.evaluate(on_top, [195, 60])


def test_steps_and_knobs_by_keyboard(shown):
    page = shown(QUICK)
    page.locator('.strip button[data-cell="detections"]').focus()
    page.keyboard.press("Enter")
    wait(lambda: page.locator("#knobs-detections").is_visible())
    slider = page.locator("#knob-inference-nms-threshold input[type=range]")
    slider.focus()
    page.keyboard.press("ArrowRight")
    wait(lambda: "nms_threshold=0.51" in address_of(page))


def test_a_comparison_is_watched_and_stopped(opened):
    page = opened(QUICK + "&step=training")
    page.get_by_role("button", name="Compare", exact=True).click()
    wait(lambda: page.get_attribute(".plot", "data-title") == "Classification loss, and AP (dotted)", 300)
    assert "Focal loss against cross-entropy" in page.text_content(".readout")
    page.get_by_role("button", name="Stop", exact=True).click()
    wait(lambda: "stopped" in page.text_content(".readout"))
    assert notice(page) == ""


def test_a_training_run_is_watched_stopped_resumed_and_used(opened):
    page = opened(QUICK + "&step=training&training.steps=100000&training.eval_interval=5")
    page.get_by_role("button", name="Start", exact=True).click()
    starts = ("starting", "running")
    wait(lambda: any(each in page.text_content(".readout") for each in starts), 300)  # its process, too
    wait(lambda: page.get_attribute(".plot", "data-title") == "Training run")
    wait(lambda: "Held-out pictures" in page.text_content(".readout"))
    wait(lambda: "kept" in layers(page))
    page.get_by_role("button", name="Stop", exact=True).click()
    wait(lambda: "stopped" in page.text_content(".readout"))
    page.reload()
    wait(lambda: "stopped" in (page.text_content(".readout") or ""))
    name = page.input_value("#run input").split(" · ")[-1]
    before = len(RUNS.read_progress(name).steps)
    page.get_by_role("button", name="Resume").click()
    wait(lambda: len(RUNS.read_progress(name).steps) > before)
    page.get_by_role("button", name="Pause").click()
    wait(lambda: "paused" in page.text_content(".readout"))
    page.get_by_role("button", name="Single step").click()
    wait(lambda: "how far the weights moved" in page.text_content(".readout"))
    page.get_by_role("button", name="Stop", exact=True).click()
    wait(lambda: "stopped" in page.text_content(".readout"))
    page.get_by_role("button", name="Use its weights").click()
    wait(lambda: "model.weights=run%2F" in address_of(page))
    choose(page, "detections")
    wait(lambda: "–" not in headline(page, "detections"))
    assert notice(page) == ""
    assert isinstance(RUNS, Runs)
