"""The page's picture: the next scene, and examples that do not exist."""

import math

import pytest

from core.config import Config
from core.errors import UserError
from playground.data.scene_examples import apply_example
from playground.events.picture import SCENE_SEEDS, next_seed


def test_the_next_scene_follows_whatever_the_browser_sends():
    assert [next_seed(each) for each in (0, 7, 7.9, SCENE_SEEDS - 1)] == [1, 8, 8, 0]
    assert {next_seed(each) for each in (None, "x", [], math.nan, math.inf, 10**400, -math.inf)} == {1}


@pytest.mark.parametrize("name", [None, "x", [], {}])
def test_an_unknown_example_is_refused(name):
    with pytest.raises(UserError, match="choose one from the list"):
        apply_example(name, Config())
