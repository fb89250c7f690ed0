"""Beside the knobs: why one does not act, its help, and the names of its controls, on a desktop and on a phone."""

import pytest

from tests.browser.looking import QUICK, choose, headline, set_slider
from tests.waiting import wait

pytestmark = pytest.mark.browser
# Settings that act only with losses that came after focal loss, or with class weights.
AFTER_FOCAL = {
    "loss-poly1-epsilon", "loss-quality-beta", "loss-varifocal-alpha", "loss-ghm-bins", "loss-ghm-momentum",
    "loss-class-weights-beta",
}  # fmt: skip
ONLY_THE_TABLE = "now it changes only the table “The same picture under each loss”"
IDS = "(knobs) => knobs.map((knob) => knob.id.replace('knob-', ''))"
COVERED = """(knob) => {
  const help = knob.querySelector(".info-text").getBoundingClientRect();
  const others = [...document.querySelectorAll(".knob")].filter((other) => other !== knob && other.offsetParent);
  return others.filter((other) => {
    const box = other.getBoundingClientRect();
    return Math.min(box.right, help.right) - Math.max(box.left, help.left) > 1
      && Math.min(box.bottom, help.bottom) - Math.max(box.top, help.top) > 1;
  }).map((other) => other.id);
}"""
DESCRIPTIONS = """(inputs) => inputs.map((input) => (input.getAttribute("aria-describedby") ?? "").split(" ")
  .map((id) => document.getElementById(id)?.textContent ?? `no ${id}`).join(" | "))"""


def idle(page, step: str) -> set[str]:
    return set(page.locator(f".of-{step} .knob[data-idle]").evaluate_all(IDS))


def helped(page) -> list[str]:
    return page.locator(".knob[data-help]").evaluate_all(IDS)


def choose_loss(page, name: str) -> None:
    page.locator("#knob-loss-kind input").click()
    page.get_by_role("option", name=name, exact=True).click()


def test_what_does_not_act_says_why_while_the_settings_change(shown):
    page = shown("step=loss")
    ohem = {"loss-ohem-anchors", "loss-ohem-nms-threshold", "loss-ohem-one-to-three"}
    wait(lambda: idle(page, "loss") == ohem | AFTER_FOCAL | {"loss-cutoff", "loss-normaliser"})
    assert page.text_content("#knob-loss-ohem-anchors-idle") == f"Acts when the loss is OHEM; {ONLY_THE_TABLE}"
    choose_loss(page, "OHEM")
    wait(lambda: idle(page, "loss") == AFTER_FOCAL | {"loss-alpha", "loss-gamma", "loss-cutoff", "loss-normaliser"})
    assert not page.locator("#knob-loss-ohem-anchors-idle").is_visible()
    assert (
        page.locator("#knob-loss-gamma-idle").inner_text()
        == f"Acts when the loss is focal, Poly-1 focal or varifocal; {ONLY_THE_TABLE}"
    )
    before = headline(page, "loss")
    set_slider(page, "loss-gamma", 4)  # it can still be moved, for later
    wait(lambda: page.locator("#knob-loss-gamma input[type=number]").input_value() == "4")
    set_slider(page, "loss-box-weight", 0)
    wait(lambda: {"loss-box-loss", "loss-smooth-l1-beta"} <= idle(page, "loss"))
    assert page.text_content("#knob-loss-smooth-l1-beta-idle") == "Acts when the box loss weight is above 0"
    choose(page, "picture")
    assert idle(page, "picture") == set() and headline(page, "loss") != before


def test_the_first_training_samples_follow_the_knobs_of_augmentation(shown):
    page = shown(f"{QUICK}&step=training")
    samples = page.locator(".thumbnails img")
    wait(lambda: samples.count() == 8)
    before = samples.evaluate_all("all => all.map(each => each.src)")
    set_slider(page, "training-mosaic-probability", 1)
    sources = "all => all.every(each => each.naturalWidth && each.alt) ? all.map(each => each.src) : []"
    wait(lambda: len(others := samples.evaluate_all(sources)) == 8 and not set(before) & set(others))
    set_slider(page, "training-mosaic-probability", 0)
    wait(lambda: samples.evaluate_all("all => all.map(each => each.src)") == before)
    check_the_atlas_by_keyboard(page)


def check_the_atlas_by_keyboard(page) -> None:
    """A place of the stability atlas shows its run, and sets the knobs."""
    page.locator("summary", has_text="Stability atlas").press("Enter")
    page.locator('[data-choose="dial atlas focal,2,0.25,0.5,0.1"]').press("Enter")
    wait(lambda: page.locator("h3", has_text="focal, γ 2, α 0.25, π 0.5, learning rate 0.1").is_visible())
    here = page.locator('.atlas [aria-label$=", your settings"]')
    rate = page.locator("#knob-training-learning-rate input")
    page.locator('[data-choose="place focal,2,0.25,0.5,0.1"]').press("Enter")
    wait(lambda: rate.input_value() == "0.1")
    assert not here.count()  # the runs have another optimizer


def test_help_hides_no_other_knob_and_is_tied_to_its_controls(shown):
    page = shown("step=loss")
    slider = page.locator("#knob-loss-alpha input[type=range]")
    wait(lambda: page.locator("#knob-loss-alpha-idle").count())
    slider.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    wait(lambda: helped(page) == ["loss-alpha"])
    knob, text = page.locator("#knob-loss-alpha"), page.locator("#knob-loss-alpha .info-text")
    assert text.is_visible() and knob.evaluate(COVERED) == []
    page.keyboard.press("Escape")
    assert not text.is_visible() and slider.evaluate("(each) => each === document.activeElement")
    page.locator("#knob-loss-gamma [data-testid=block-info]").hover()
    wait(lambda: helped(page) == ["loss-gamma"])
    assert page.locator("#knob-loss-gamma").evaluate(COVERED) == []
    page.mouse.move(1000, 500)
    wait(lambda: helped(page) != ["loss-gamma"])
    for said in page.locator(".of-loss .knob input").evaluate_all(DESCRIPTIONS):
        assert len(said) > 20 and "no " not in said[:3], said
    said = page.locator("#knob-loss-cutoff input[type=range]").evaluate_all(DESCRIPTIONS)
    assert said[0].endswith(f" | Acts when the loss is cut-off; {ONLY_THE_TABLE}")
    names = page.locator("button.reset-button").evaluate_all("(all) => all.map((each) => each.ariaLabel)")
    assert "Reset γ (focusing) to 2" in names and "Reset Shorter side to 256 px" in names
    assert len(set(names)) == len(names) and all(name.startswith("Reset ") for name in names)


def test_on_a_phone_a_tap_opens_help_within_the_knob(opened, new_page):
    page = opened("step=loss", new_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True))
    name = page.locator("#knob-loss-gamma [data-testid=block-info]")
    wait(lambda: page.locator("#knob-loss-cutoff-idle").count() and idle(page, "loss"))
    name.tap()
    wait(lambda: helped(page) == ["loss-gamma"])
    assert page.locator("#knob-loss-gamma").evaluate(COVERED) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator("#knob-loss-cutoff-idle").is_visible()
    name.tap()
    wait(lambda: helped(page) == [])
