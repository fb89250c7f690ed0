import math

import pytest
import torch

from core.config import Config, ConfigError
from core.evaluation.dataset_predictions import ImageResult
from core.evaluation.slices.along_dial import (
    SCENE_DIALS,
    Curve,
    Point,
    choose_values,
    curve_to_dict,
    list_rare_classes,
    measure_point,
    open_scenes,
    set_dial,
    space_values,
)
from core.scenes.render import CLASS_NAMES
from core.structures import Detections, GroundTruth
from tests.core.boxes_by_hand import found, truth

HERE, THERE = [0, 0, 20, 20], [40, 40, 80, 80]
CONFIG = Config.from_flat({"training.eval_images": 3, "scenes.image_size": 64})


def test_the_dials_are_all_settings_of_the_scenes_but_the_seed():
    assert set(SCENE_DIALS) == set(type(CONFIG.scenes).model_fields) - {"seed"}


def test_a_perfect_detector_has_ap_1_and_the_counts_are_those_of_the_objects():
    boxes = truth([HERE, THERE], [0, 1])
    images = [ImageResult(found([HERE, THERE], [0.9, 0.8], [0, 1]), boxes, 1), ImageResult(found([]), truth([]), 2)]
    made = measure_point(0.5, images, ("cat", "owl"), ("owl",))
    assert made == (0.5, 2, 2, pytest.approx(1), pytest.approx(1), 1, pytest.approx(1))


def test_the_ap_of_rare_classes_is_theirs_alone():
    images = [ImageResult(found([HERE], [0.9], [0]), truth([HERE, THERE], [0, 1]), 1)]
    made = measure_point(1, images, ("cat", "owl", "elk"), ("owl", "elk"))
    assert (made.ap50, made.rare_ap, made.rare_objects) == (pytest.approx(0.5), 0, 1)  # there is no elk
    assert math.isnan(measure_point(1, images, ("cat", "owl", "elk"), ("elk",)).rare_ap)
    assert math.isnan(measure_point(1, images, ("cat", "owl", "elk"), ()).rare_ap)


def test_without_objects_there_is_no_ap():
    nothing = Detections(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0).long())
    none = GroundTruth(torch.zeros(0, 4), torch.zeros(0).long(), torch.zeros(0).bool())
    made = measure_point(1, [ImageResult(nothing, none, 1)], ("cat",), ())
    assert (made.pictures, made.objects) == (1, 0) and math.isnan(made.ap) and math.isnan(made.ap50)


@pytest.mark.parametrize("dial", SCENE_DIALS)
def test_usual_values_are_allowed_beside_the_other_settings_and_span_all_of_them(dial):
    config = CONFIG.replace({"scenes.min_size": 0.3, "scenes.max_objects": 7})
    values = choose_values(config, dial)
    assert 3 <= len(values) <= 5 and list(values) == sorted(set(values))
    for value in values:
        assert getattr(set_dial(config, dial, value).scenes, dial) == value


def test_values_lie_on_the_steps_of_the_dial_and_within_its_bounds():
    assert space_values(CONFIG, "noise", 0, 1, 5) == (0, 0.25, 0.5, 0.75, 1)
    assert space_values(CONFIG, "clutter", 0.1, 0.2, 9) == (0.1, 0.15, 0.2)  # steps of 0.05
    assert space_values(CONFIG, "max_objects", 1, 4, 12) == (3, 4)  # at least `min_objects`
    assert space_values(CONFIG, "min_size", 0, 9, 2) == (0.02, 0.5)  # at most `max_size`
    assert space_values(CONFIG, "noise", 0.3, 0.3, 5) == (0.3,)
    assert space_values(CONFIG, "noise", 0.6, 0.4, 3) == ()
    assert len(space_values(CONFIG, "image_size", 64, 1024, 10**9)) == 12


def test_bounds_from_a_link_become_values_that_the_dial_can_have():
    assert space_values(CONFIG, "min_objects", 0.5, 3.5, 12) == (1, 2, 3)
    assert space_values(CONFIG, "min_objects", 2.2, 2.8, 3) == ()  # no whole number
    assert all(type(value) is float for value in space_values(CONFIG, "image_size", 64, 1024, 3))  # as of a slider
    odd = CONFIG.replace({"scenes.max_size": 0.1234567})  # rounded, it would be above itself
    for dial, low, high in (("max_objects", 3.5, 9.7), ("image_size", 65.3, 700.9), ("noise", 0.0123456789, 0.7)):
        for value in space_values(CONFIG, dial, low, high, 5):
            assert getattr(set_dial(CONFIG, dial, value).scenes, dial) == value and low <= value <= high
    assert [set_dial(odd, "min_size", value).scenes.min_size for value in space_values(odd, "min_size", 0, 1, 2)]


def test_only_the_dial_changes_and_the_objects_stay_where_they_are():
    config = CONFIG.replace({"scenes.seed": 5})
    quiet, noisy = (set_dial(config, "noise", value) for value in (0, 1))
    assert quiet.scenes.model_copy(update={"noise": 1.0}) == noisy.scenes
    for before, after in zip(*(map(open_scenes(each).__getitem__, range(3)) for each in (quiet, noisy)), strict=True):
        assert torch.equal(before.boxes, after.boxes) and torch.equal(before.labels, after.labels)
        assert not torch.equal(before.image, after.image)


def test_what_a_dial_cannot_have_is_refused():
    with pytest.raises(ConfigError, match="have no dial 'colour': choose one of image_size"):
        set_dial(CONFIG, "colour", 1)
    with pytest.raises(ConfigError, match="have no dial 'seed'"):
        choose_values(CONFIG, "seed")
    with pytest.raises(ConfigError, match=r"scenes\.max_size"):
        set_dial(CONFIG, "max_size", 0.01)
    with pytest.raises(ConfigError, match=r"scenes\.max_objects"):
        set_dial(CONFIG, "max_objects", 4.5)
    with pytest.raises(ConfigError, match=r"scenes\.noise"):
        set_dial(CONFIG, "noise", math.nan)


def test_classes_are_rare_if_they_are_at_one_value_at_least():
    assert list_rare_classes(CONFIG, "imbalance", (0, 1)) == CLASS_NAMES[3:]  # 6%, 2.5%, 1% at 1
    assert list_rare_classes(CONFIG, "imbalance", (0,)) == ()
    assert list_rare_classes(CONFIG.replace({"scenes.imbalance": 1}), "noise", (0, 1)) == CLASS_NAMES[3:]


def test_json_has_none_for_what_is_not_known():
    curve = Curve("imbalance", ("bell",), (Point(0.0, 3, 4, 0.5, 0.75, 0, math.nan),))
    assert curve_to_dict(curve) == {
        "dial": "scenes.imbalance",
        "rare_classes": ["bell"],
        "points": [
            {"value": 0, "pictures": 3, "objects": 4, "ap": 0.5, "ap50": 0.75, "rare_objects": 0, "rare_ap": None}
        ],
    }
