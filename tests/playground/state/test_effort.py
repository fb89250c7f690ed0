import pytest

from core.config import Config
from playground.canvas.edit import Pick
from playground.data.picture import render_picture
from playground.pipeline.networks import network_of
from playground.state.effort import asks_for_much
from playground.state.page_state import DEFAULTS, PageState, pin_of
from playground.state.settings import settings_of
from playground.state.user_picture import UserPicture

LARGE = {"inference.image_size": 1600}


@pytest.fixture(autouse=True, scope="module")
def known_network():
    """Its network is in memory, as for all but the first visitor."""
    network_of(Config())


def state(*, pinned: str = "", held: bool = False, **changes) -> PageState:
    config = Config.from_flat({name.replace("__", "."): value for name, value in changes.items()})
    return PageState("detections", settings=settings_of(config), pinned=pinned, held=held)


def test_usual_settings_ask_for_little_and_large_pictures_for_much():
    assert not asks_for_much(state())
    assert asks_for_much(state(inference__image_size=1600))


def test_settings_that_were_kept_as_a_count_too():
    assert not asks_for_much(state(pinned=DEFAULTS))
    assert asks_for_much(state(pinned=pin_of(Config.from_flat(LARGE))))


def test_an_explanation_is_as_much_as_its_passes():
    middle = state(inference__image_size=384)  # 13 GFLOP
    asking = middle._replace(pick=Pick(10, 10, "kept", 0), dials="why=class")
    assert not asks_for_much(middle) and asks_for_much(asking)
    assert not asks_for_much(asking._replace(pick=None)) and not asks_for_much(asking._replace(dials=""))
    assert not asks_for_much(state()._replace(pick=Pick(10, 10, "kept", 0), dials="why=class"))
    assert not asks_for_much(asking._replace(dials="why=nobody"))  # which is refused


def test_a_network_that_has_to_be_built_is_much_unless_a_knob_is_held():
    assert asks_for_much(state(model__weights="random", training__seed=987))
    assert not asks_for_much(state(model__weights="random", training__seed=987, held=True))


def test_the_picture_on_show_counts():
    config = Config.from_flat({"inference.tile_size": 64, "scenes.image_size": 64})
    large = UserPicture(render_picture(Config().scenes), config.scenes)
    shown = PageState("detections", settings=settings_of(config))
    assert not asks_for_much(shown)
    assert asks_for_much(shown._replace(user_picture=large))


@pytest.mark.parametrize("settings", ["{", "[]", '{"inference.image_size": 7}', '{"model.weights": "/etc/passwd"}'])
def test_settings_that_are_refused_ask_for_nothing(settings):
    assert not asks_for_much(PageState("detections", settings=settings))
