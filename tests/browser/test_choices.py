"""Several choices in a row on the real page, the earlier of which take long: the newest one counts."""

from threading import Event

import pytest

from playground.events import export, picture
from tests.browser.looking import QUICK, layers, set_slider
from tests.waiting import HANG, wait

pytestmark = pytest.mark.browser


def test_the_example_chosen_last_is_shown(opened, monkeypatch):
    asked, released, apply_example = [], Event(), picture.apply_example

    def apply_late(name, config):
        asked.append(name)
        if len(asked) == 1:
            released.wait(HANG)
        return apply_example(name, config)

    monkeypatch.setattr(picture, "apply_example", apply_late)
    page = opened(QUICK)
    for name in ("Crowd", "One giant"):
        page.click("#examples input")
        page.get_by_role("option", name=name, exact=True).click()
    wait(lambda: asked)
    page.wait_for_timeout(1000)
    assert "One giant" not in asked  # else the answer to the first would be the last one
    released.set()
    wait(lambda: asked[-1] == "One giant" and layers(page)["truth"] == 1)
    assert page.input_value("#examples input") == "One giant"


def test_a_file_is_offered_for_the_settings_on_show_alone(opened, monkeypatch, tmp_path):
    asked, released = [], [Event(), Event()]

    def make_file(config, ending, report):
        asked.append((config.loss.gamma, ending))
        assert released[len(asked) - 1].wait(HANG)
        path = tmp_path / f"retinanet{ending}"
        path.write_text(str(config.loss.gamma))
        return path

    monkeypatch.setattr(export, "export_detector", make_file)
    page = opened(f"{QUICK}&step=network&loss.gamma=1")
    file, button = page.locator("#export-file"), page.locator("#export")
    ending = export.ENDINGS[0]
    button.click()
    wait(lambda: asked == [(1, ending)])
    set_slider(page, "loss-gamma", 3)
    button.click()
    released[0].set()
    wait(lambda: asked == [(1, ending), (3, ending)])
    page.wait_for_timeout(300)
    assert not file.is_visible()  # it is of settings that are no longer on show
    released[1].set()
    wait(file.is_visible)
    with page.expect_download() as download:
        file.click()
    assert download.value.path().read_text() == "3.0"
    set_slider(page, "loss-gamma", 2)
    wait(lambda: not file.is_visible())
    set_slider(page, "loss-gamma", 3)
    wait(file.is_visible)
    assert len(asked) == 2
