import math

import pytest

from core.evaluation.detection_matching import compute_overlaps, match_detections
from core.evaluation.error_types import KINDS, ErrorCase, analyse_errors
from tests.core.boxes_by_hand import found, random_scenes, truth

BOX, AWAY, NOWHERE = [0, 0, 100, 100], [200, 200, 300, 300], [400, 400, 450, 450]
CAT, DOG = 0, 1


def types(detections, objects):
    return analyse_errors(compute_overlaps([detections], [objects]), 2)


def kinds(detections, objects) -> list[str]:
    return [error.kind for error in types(detections, objects).errors]


def costs(result) -> dict:
    """Returns the costs that are not 0."""
    assert list(result.cost) == list(KINDS)
    return {kind: cost for kind, cost in result.cost.items() if cost != 0}


@pytest.mark.parametrize(
    ("box", "label", "expected"),
    [
        ([0, 0, 100, 50], CAT, []),
        ([0, 0, 100, 49.9], CAT, ["location"]),
        ([0, 0, 100, 10], CAT, ["location"]),  # IoU 0.1
        ([0, 0, 100, 9.9], CAT, ["background", "missed"]),
        ([0, 0, 100, 50], DOG, ["class"]),
        ([0, 0, 100, 49.9], DOG, ["both", "missed"]),
        ([0, 0, 100, 10], DOG, ["both", "missed"]),
        ([0, 0, 100, 9.9], DOG, ["background", "missed"]),
    ],
)
def test_the_kinds_and_their_bounds(box, label, expected):
    assert kinds(found([box], labels=[label]), truth([BOX])) == expected


def test_duplicate():
    result = types(found([BOX, BOX], [0.9, 0.8]), truth([BOX]))
    assert result.errors == (ErrorCase("duplicate", 0, 1, 0),)
    assert costs(result) == {}  # it comes after full recall


def test_location_comes_before_class_and_class_before_duplicate():
    scene = truth([BOX, [0, 0, 100, 40]], [DOG, CAT])
    assert "location" in kinds(found([BOX], labels=[CAT]), scene)  # IoU 0.4 with the cat, 1 with the dog
    scene = truth([BOX, BOX], [CAT, DOG])
    assert kinds(found([BOX, BOX], [0.9, 0.8], [CAT, CAT]), scene) == ["class"]


def test_cost_of_a_duplicate():
    # right, duplicate, right: precision ⅔ for the second half of recall, 1 without the duplicate
    result = types(found([BOX, BOX, AWAY], [0.9, 0.8, 0.7]), truth([BOX, AWAY]))
    assert result.ap50 == pytest.approx((51 + 50 * 2 / 3) / 101)
    assert costs(result) == pytest.approx({"duplicate": 50 / 3 / 101})


def test_cost_of_background_and_of_both():
    result = types(found([NOWHERE, BOX], [0.9, 0.8]), truth([BOX]))
    assert costs(result) == pytest.approx({"background": 0.5})
    # The dog box at IoU 0.4 is suppressed; the dog class has no object and so no AP.
    assert costs(types(found([[0, 0, 100, 40], BOX], [0.9, 0.8], [DOG, CAT]), truth([BOX]))) == {}
    scene = truth([BOX, AWAY], [CAT, DOG])
    result = types(found([[0, 0, 100, 40], BOX, AWAY], [0.9, 0.8, 0.7], [DOG, CAT, DOG]), scene)
    assert costs(result) == pytest.approx({"both": 0.25})  # AP of dogs 0.5 → 1, of cats 1


def test_cost_of_location():
    # Half of recall at precision 1; the corrected box gives the other half.
    result = types(found([BOX, [200, 200, 300, 230]], [0.9, 0.8]), truth([BOX, AWAY]))
    assert result.ap50 == pytest.approx(51 / 101)
    assert costs(result) == pytest.approx({"location": 50 / 101})
    assert [error.kind for error in result.errors] == ["location"]  # its object does not count as missed


def test_the_better_of_two_fixable_detections_is_corrected_and_the_other_suppressed():
    two = found([[200, 200, 300, 230], [200, 200, 300, 240], BOX], [0.9, 0.8, 0.7])
    result = types(two, truth([BOX, AWAY]))
    assert result.ap50 == pytest.approx(51 / 101 / 3)
    assert result.ap50 + result.cost["location"] == pytest.approx(1)


def test_an_error_on_a_detected_object_is_only_suppressed():
    result = types(found([[0, 0, 100, 40], BOX], [0.9, 0.8]), truth([BOX]))
    assert result.errors == (ErrorCase("location", 0, 0, 0),)
    assert costs(result) == pytest.approx({"location": 0.5})


def test_cost_of_class():
    # A cat called dog, better scored than the dog: dogs have AP ½, cats 0; corrected, both have 1.
    result = types(found([BOX, AWAY], [0.9, 0.8], [DOG, DOG]), truth([BOX, AWAY], [CAT, DOG]))
    assert result.ap50 == pytest.approx(0.25)
    assert costs(result) == pytest.approx({"class": 0.75})


def test_errors_of_another_kind_are_left_alone():
    # The same object draws a class error and a location error: each alone would find it.
    scene = truth([BOX, AWAY], [CAT, DOG])
    result = types(found([BOX, [0, 0, 100, 40], AWAY], [0.9, 0.8, 0.7], [DOG, CAT, DOG]), scene)
    assert result.ap50 == pytest.approx(0.25)
    assert costs(result) == pytest.approx({"class": (1 + 1) / 2 - 0.25, "location": (1 + 0.5) / 2 - 0.25})


def test_cost_of_missed():
    result = types(found([BOX]), truth([BOX, AWAY]))
    assert result.errors == (ErrorCase("missed", 0, -1, 1),)
    assert costs(result) == pytest.approx({"missed": 50 / 101})


def test_all_missed():
    assert costs(types(found([]), truth([BOX, AWAY]))) == {"missed": 1}
    result = types(found([NOWHERE]), truth([BOX]))
    assert (result.ap50, costs(result)) == (0, {})  # no object left, but a detection


def test_crowds():
    scene = truth([BOX, AWAY], [CAT, CAT], [False, True])
    result = types(found([AWAY, [210, 210, 220, 220], BOX], [0.9, 0.8, 0.7]), scene)
    assert (result.ap50, result.errors) == (1, ())
    assert kinds(found([AWAY], labels=[DOG]), scene) == ["background", "missed"]


def test_no_objects_and_no_pictures():
    for result in (types(found([BOX]), truth([])), analyse_errors([], 2)):
        assert math.isnan(result.ap50) and all(map(math.isnan, result.cost.values()))
    assert kinds(found([BOX]), truth([])) == ["background"]


@pytest.mark.parametrize("seed", range(20))
def test_every_error_has_one_kind_and_no_fix_costs(seed):
    predictions, truths = random_scenes(seed)
    pictures = compute_overlaps(predictions, truths)
    matches, result = match_detections(pictures, 0.5, 3), analyse_errors(pictures, 3)
    wrong = {(error.image, error.detection) for error in result.errors if error.kind != "missed"}
    expected = (matches.counted & ~matches.hit).nonzero()[0]
    assert wrong == set(zip(matches.image[expected].tolist(), matches.detection[expected].tolist(), strict=True))
    assert len(wrong) + len(result.select("missed")) == len(result.errors)
    assert min(result.cost.values()) > -1e-12
    touched = {(error.image, error.object) for error in result.errors if error.kind in ("class", "location", "missed")}
    touched |= set(zip(matches.image[matches.hit].tolist(), matches.object[matches.hit].tolist(), strict=True))
    assert len(touched) == matches.positives.sum()  # every object is found, fixable or missed
