"""The banner above the picture, on every step, and the photographs under it."""

import json

import pytest

from core.config import Config
from core.weights.download import published
from playground.data.image_ref import ImageRef
from playground.data.photographs import PHOTOGRAPHS, find_photographs, open_photograph
from playground.server.banner import offer
from playground.server.permalink import from_link, to_link
from playground.server.render import render, render_in_stages
from playground.state.page_state import PageState
from playground.state.settings import settings_of
from playground.state.user_picture import UserPicture, find_upload, set_aside, show_again
from playground.steps import STEPS

CONFIG = Config.from_flat({"inference.image_size": 96})
needs_photographs = pytest.mark.skipif(not find_photographs(), reason="scikit-image is not installed")


@pytest.fixture(autouse=True)
def nothing_downloaded(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))


def showing(step="picture", config=CONFIG, index=0, **changes):
    image_ref = ImageRef("photographs", "all", index)
    shown = UserPicture(open_photograph(index), config.scenes, image_ref)
    return PageState(step, settings=settings_of(config), user_picture=shown, **changes)


def banner(state):
    value = render(state).banner
    return json.loads(value) if value else None


@needs_photographs
@pytest.mark.parametrize("step", STEPS)
def test_every_step_says_what_the_weights_know(step):
    said = banner(showing(step))
    assert "never seen a photograph" in said["text"]
    assert [each["label"] for each in said["buttons"]] == ["Use COCO weights (153 MB)", "Teach it your objects"]
    assert "BSD-3-Clause" in said["source"] and "CC BY 4.0" in said["source"] and "Flickr" in said["source"]
    assert banner(PageState(step, settings=settings_of(CONFIG))) is None


@needs_photographs
def test_the_word_comes_with_the_picture_also_while_a_knob_is_dragged():
    first = next(render_in_stages(showing("detections", held=True)))
    assert first.canvas and "never seen a photograph" in json.loads(first.banner)["text"]


@needs_photographs
def test_a_pinned_photograph_beside_a_scene_has_its_word():
    state = showing("detections")
    state = state._replace(pinned="defaults", pinned_picture=state.user_picture, beside=True, user_picture=None)
    assert banner(state)["text"].startswith("A: These weights know six rendered shapes")


def test_weights_that_are_not_here_are_offered_and_not_downloaded():
    config = Config.from_flat({"model.weights": "coco_v2"})
    update = render(PageState("detections", settings=settings_of(config)))
    assert "The COCO weights are not on this server yet" in update.notice
    [button] = json.loads(update.banner)["buttons"]
    assert (button["name"], button["download"]) == ("coco_v2", True)
    asked = json.loads(offer("imagenet", 18))
    assert "imagenet weights (47 MB)" in asked["text"] and "research" in asked["source"]


def test_a_button_names_no_size_once_the_weights_are_here():
    file = published("coco_v2").file
    file.parent.mkdir(parents=True)
    file.write_bytes(b"x")
    assert json.loads(offer("coco_v2", 18))["buttons"][0]["label"] == "Use COCO weights"


@pytest.mark.slow
@needs_photographs
def test_photographs_have_credits_and_links():
    for index, photograph in enumerate(PHOTOGRAPHS):
        picture = open_photograph(index)
        assert picture.name == photograph.title and picture.sample.image.shape[0] == 3 and not picture.is_scene
        assert photograph.source in render(showing(index=index)).caption
    link = to_link(showing(index=1), CONFIG)
    assert "data=photographs/all/2" in link
    assert from_link(link).user_picture.picture.name == "Chelsea the cat"


def test_without_the_package_a_link_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr("playground.data.photographs.find_photographs", lambda: ())
    with pytest.raises(Exception, match=r"not installed here: pip install -r requirements-photographs\.txt"):
        from_link("data=photographs/all/1")


@needs_photographs
def test_an_upload_is_named_kept_aside_and_found_again():
    config = Config()
    upload = UserPicture(open_photograph(0), config.scenes)
    state = PageState("picture", settings=settings_of(config), user_picture=upload)
    bar = json.loads(render(state).bar)
    assert bar["source"] == "upload" and ["upload", f"my picture: {upload.picture.name}"] in bar["sources"]
    assert not bar["scene"] and to_link(state, config) == "step=picture&data=upload"
    left = state._replace(user_picture=set_aside(upload))
    bar = json.loads(render(left).bar)
    assert bar["source"] == "" and bar["scene"] and bar["sources"][1][0] == "upload"
    assert to_link(left, config) == "step=picture" and banner(left) is None
    other = UserPicture(open_photograph(1), config.scenes, ImageRef("photographs", "all", 1), upload=upload)
    assert find_upload(other) is upload
    assert show_again(other, config).is_shown(config) and show_again(None, config) is None
