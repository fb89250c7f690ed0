import json
import math

import pytest

from core.cli.evaluate import format_report
from core.evaluation.coco_metrics import evaluate
from core.evaluation.precision_recall import Threshold
from core.evaluation.report import ImageReport, build_report
from tests.core.boxes_by_hand import found, random_scenes, truth

BOX, AWAY = [0, 0, 100, 100], [200, 200, 300, 300]
NAMES = ("cat", "dog")


def report(predictions, truths, names=NAMES, score=None, iou=0.5):
    pictures = [(10 + index, f"{index}.png") for index in range(len(truths))]
    return build_report(predictions, truths, names, images=pictures, score=score, iou=iou, with_slices=True)


def test_by_hand():
    # 0: all right; 1: a cat called dog; 2: nothing there, a false alarm below the best threshold
    result = report(
        [found([BOX], [0.9]), found([BOX, AWAY], [0.8, 0.7], [1, 0]), found([AWAY], [0.2])],
        [truth([BOX]), truth([BOX, AWAY]), truth([])],
    )
    # Thresholds: .9 → P 1 R ⅓; .8 → P ½ R ⅓; .7 → P ⅔ R ⅔; .2 → P ½ R ⅔.
    assert result.best == pytest.approx(Threshold(0.7, 2 / 3, 2 / 3, 2 / 3))
    assert result.score == result.best.score
    assert result.confusion.counts.tolist() == [[2, 1, 0], [0, 0, 0], [0, 0, 0]]
    assert result.images == (
        ImageReport(1, 11, "1.png", 1, 1, 1, 0.5),
        ImageReport(0, 10, "0.png", 1, 0, 0, 1.0),
        ImageReport(2, 12, "2.png", 0, 0, 0, 1.0),
    )
    cats = result.classes["cat"]
    assert (cats.objects, cats.detections) == (3, 3)
    assert cats.best == pytest.approx(Threshold(0.7, 1, 2 / 3, 0.8))
    assert cats.ap50 == pytest.approx(67 / 101)  # recall ends at ⅔
    assert result.classes["dog"].best is None
    text = format_report(result)
    assert "best threshold 0.700: F1 0.667" in text and "1.png: 1 right, 1 wrong, 1 missed" in text
    assert "2.png" not in text


@pytest.mark.parametrize("seed", range(20))
def test_agrees_with_the_evaluation(seed):
    predictions, truths = random_scenes(seed)
    result, metrics = report(predictions, truths, "abc"), evaluate(predictions, truths, "abc")
    assert result.metrics.to_dict() == metrics.to_dict()
    assert result.error_types.ap50 == pytest.approx(metrics.ap50, abs=1e-12, nan_ok=True)
    values = result.to_dict()
    for name, each in values["classes"].items():
        assert (each["ap"], each["ap50"]) == (
            values["metrics"]["per_class"][name]["ap"],
            values["metrics"]["per_class"][name]["ap50"],
        )
        assert each["precision_recall"]["area"] == (pytest.approx(each["ap50"], abs=1e-12) if each["objects"] else None)
    for size in ("ap75", "ap_small", "ap_medium", "ap_large"):
        parts = [each[size] for each in values["classes"].values() if each[size] is not None]
        overall = values["metrics"][size]
        assert overall == (pytest.approx(sum(parts) / len(parts)) if parts else None)


def test_plain_values_for_json():
    predictions, truths = random_scenes(3)
    values = json.loads(json.dumps(report(predictions, truths, "abc").to_dict(), allow_nan=False))
    assert values["confusion"]["names"] == ["a", "b", "c", "background"]
    for cell in values["confusion"]["cells"]:
        row, column = (values["confusion"]["names"].index(cell[key]) for key in ("actual", "found"))
        assert values["confusion"]["counts"][row][column] == cell["count"] >= len(cell["pictures"]) > 0
    assert sum(cell["count"] for cell in values["confusion"]["cells"]) == sum(map(sum, values["confusion"]["counts"]))
    assert set(values["error_types"]["kinds"]["missed"]) == {"count", "delta_ap50", "pictures"}
    assert sorted(each["index"] for each in values["pictures"]) == list(range(12))
    assert len(values["classes"]["a"]["precision_recall"]["precision"]) == 101
    assert len(values["calibration"]["bins"]) == 10


def test_the_worst_images_come_first():
    # F1: 0 with one error, ⅔ with one, 0 with two.
    result = report(
        [found([]), found([BOX]), found([AWAY])], [truth([BOX]), truth([BOX, AWAY]), truth([BOX])], score=0.5
    )
    assert [each.index for each in result.images] == [2, 0, 1]


@pytest.mark.parametrize("count", [0, 2])
def test_nothing_at_all(count):
    result = report([found([])] * count, [truth([])] * count)
    assert result.best is None and result.score == 0.5 and math.isnan(result.calibration.error)
    values = json.dumps(result.to_dict(), allow_nan=False)
    assert '"ap50": null' in values and "worst" not in format_report(result)


def test_no_detections_and_no_objects():
    none_found = report([found([])], [truth([BOX])])
    assert none_found.error_types.cost["missed"] == 1
    assert none_found.confusion.counts.tolist() == [[0, 0, 1], [0, 0, 0], [0, 0, 0]]
    none_there = report([found([BOX])], [truth([])])
    assert none_there.confusion.counts.tolist() == [[0, 0, 0], [0, 0, 0], [1, 0, 0]]
    assert none_there.images[0].f1 == 0 and none_there.calibration.bins[4].precision == 0


def test_inconsistent_arguments_raise():
    with pytest.raises(ValueError, match="2 pictures but objects for 1"):
        report([found([])] * 2, [truth([])])


def test_suspected_errors_of_the_labels_are_listed_with_what_was_found():
    result = report([found([BOX], [0.75])], [truth([])])
    values = result.to_dict()["label_errors"]
    detected = {"class": NAMES[0], "box": BOX, "score": 0.75}
    assert values == {
        "count": 1,
        "likeliest": [{"kind": "missing", "quality": 0.0, "picture": 0, "object": None, "found": detected}],
    }
    text = format_report(result)
    assert "1 suspected error of the labels, the likeliest first:\n  0.png: missing: cat 0.75 at 0, 0, 100, 100" in text
    assert "suspected" not in format_report(report([found([BOX], [0.75])], [truth([BOX])]))


def test_slices_are_listed_with_their_bounds():
    result = report([found([BOX, [0, 0, 10, 10]], [0.9, 0.8])], [truth([BOX, [0, 0, 10, 10]])])
    first, last = result.to_dict()["slices"]
    assert (first["quantity"], first["low"], first["high"], first["objects"]) == ("size, px", 10, 100, 1)
    assert (last["low"], last["high"]) == (100, 1e10)  # JSON has no infinity
    assert "size, px                      10     100        1   1.000   1.000" in format_report(result)
    assert "objects by" not in format_report(report([found([BOX])], [truth([BOX])]))
