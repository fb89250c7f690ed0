"""What to try next is what a few detections by hand speak for."""

import pytest

from core.config import Inference, knobs
from core.evaluation.detection_matching import compute_overlaps
from core.evaluation.error_types import KINDS, analyse_errors
from core.rescue.advice import REMEDIES, Advice, Evidence, advise
from tests.core.boxes_by_hand import found, random_scenes, truth

BOX, AWAY = [0, 0, 100, 100], [200, 200, 300, 300]


def advice_on(predictions, truths, best: float | None = 0.5, **settings) -> dict[str, Advice]:
    overlaps = compute_overlaps(predictions, truths)
    errors = analyse_errors(overlaps, 2)
    evidence = Evidence(overlaps, predictions, truths, errors, best, ("cat", "dog"), Inference(**settings))
    return {each.kind: each for each in advise(evidence)}


def test_duplicates_name_the_threshold_that_reaches_half_of_them():
    boxes = [BOX, [0, 0, 100, 60], [0, 0, 100, 70], [0, 0, 100, 80]]  # IoU 0.6, 0.7 and 0.8
    advice = advice_on([found(boxes, [0.9, 0.8, 0.7, 0.6])], [truth([BOX])])["duplicate"]
    assert advice.errors == 3 and advice.evidence.startswith("2 of 3 overlap") and "more than 0.69" in advice.evidence
    assert advice.remedy.startswith("Lower inference.nms_threshold to 0.69")
    soft = advice_on([found(boxes, [0.9, 0.8, 0.7, 0.6])], [truth([BOX])], nms_kind="soft")["duplicate"]
    assert soft.remedy.startswith(
        "Set inference.nms_kind to hard and inference.nms_threshold to 0.69"
    )  # idle with soft


def test_false_alarms_name_the_score_with_the_best_f1_and_what_it_costs():
    predictions = [found([BOX, AWAY, [400, 400, 450, 450]], [0.4, 0.3, 0.6])]
    advice = advice_on(predictions, [truth([BOX])])["background"]
    assert advice.evidence == "1 of 2 have a score of at most 0.50, about where F1 is best."
    assert "to 0.50, which loses 1 right detection; 1 needs training" in advice.remedy
    sure = advice_on(predictions, [truth([BOX])], 0.25)["background"]
    assert sure.remedy == "2 need training, as on pictures without objects."
    weak = advice_on(predictions, [truth([BOX])], 0.75)["background"]
    assert weak.remedy == "Set inference.score_threshold to 0.75, which loses 1 right detection."
    between = advice_on([found([BOX, AWAY], [0.485, 0.3])], [truth([BOX])], 0.4872)["background"]
    assert between.evidence.startswith("1 of 1 have a score of at most 0.48,")
    assert between.remedy == "Set inference.score_threshold to 0.48, which loses 0 right detections."  # not 1, as 0.49
    assert "nothing is found yet" in advice_on(predictions, [truth([])], None)["background"].remedy


def test_poor_boxes_and_wrong_classes():
    advice = advice_on([found([[0, 0, 100, 45], [200, 200, 300, 220]])], [truth([BOX, AWAY])])["location"]
    assert advice.evidence == "The median of their IoU is 0.33; 1 of 2 reach 0.4."
    assert "wbf" in advice.remedy
    predictions = [found([BOX, BOX, AWAY], [0.9, 0.8, 0.7], [1, 0, 1])]
    advice = advice_on(predictions, [truth([BOX, AWAY], [0, 0])])["class"]
    assert "Most often cat is called dog, 2 times; 1 of 2 have a second box" in advice.evidence
    assert "inference.class_agnostic_nms" in advice.remedy
    agnostic = advice_on(predictions, [truth([BOX, AWAY], [0, 0])], class_agnostic_nms=True)["class"]
    assert agnostic.remedy == "That needs training, with more examples of both classes."


@pytest.mark.parametrize(
    ("missed", "named"),
    [([0, 0, 20, 20], "inference.image_size"), ([0, 0, 100, 40], "anchors.ratios"), (BOX, "inference.score_threshold")],
)
def test_missed_objects_are_compared_with_all(missed, named):
    advice = advice_on([found([AWAY])], [truth([missed, AWAY])])["missed"]
    assert named in advice.remedy and advice.errors == 1 and advice.evidence.startswith("Of 1 missed")


def test_the_costliest_comes_first_and_all_kinds_have_a_remedy():
    assert set(REMEDIES) == set(KINDS)
    predictions, truths = random_scenes(3, pictures=20, classes=2)
    overlaps = compute_overlaps(predictions, truths)
    errors = analyse_errors(overlaps, 2)
    advice = advise(Evidence(overlaps, predictions, truths, errors, 0.5, ("cat", "dog"), Inference()))
    costs = [errors.cost[each.kind] for each in advice]
    assert costs == sorted(costs, reverse=True) and {each.kind for each in advice} == {e.kind for e in errors.errors}
    assert sum(each.errors for each in advice) == len(errors.errors)
    named = [word.strip(".,:;()") for each in advice for word in each.remedy.split() if "." in word.strip(".,:;()")]
    paths = [each for each in named if each.split(".")[0] in ("inference", "loss", "anchors")]
    assert paths and all(each in knobs() for each in paths)


def test_without_errors_there_is_no_advice():
    assert advice_on([found([BOX])], [truth([BOX])]) == {}
