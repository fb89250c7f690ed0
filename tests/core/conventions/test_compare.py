"""The comparison with a framework: what it counts, what it leaves out, and what it says of each convention."""

import pytest
import torch

from core.config import Config, ConfigError
from core.conventions.comparison import apply, compare
from core.conventions.convention import FRAMEWORKS
from core.conventions.differences import compare_anchors, compare_assignments, compare_detections
from core.conventions.table import CONVENTIONS
from core.conventions.view import make_subject
from core.conventions.words import summarise
from core.data.sources import open_data
from core.evaluation.class_names import relabel
from core.export import detectron2, mmdetection, torchvision
from core.retinanet.assigners.match import BACKGROUND, FOREGROUND, IGNORED, Match
from core.structures import Detections
from core.weights.sources import adopt, build, weights_for


@pytest.fixture(scope="module")
def seen():
    """The first test scene as the built-in detector sees it, and its settings."""
    weights = weights_for(Config())
    config = adopt(Config(), weights)
    sample = relabel(open_data("scenes", "test", config.scenes, 1), weights.class_names)[0]
    return make_subject(build(config, weights), sample, config), config


def outcome(comparison, key):
    return next(each for each in comparison.outcomes if each.convention.key == key)


def test_each_practice_names_its_source_and_is_a_valid_setting():
    assert len({each.key for each in CONVENTIONS}) == len(CONVENTIONS)
    for framework in FRAMEWORKS:
        practices = [each.practices[framework] for each in CONVENTIONS]
        assert all(each.text and "/" in each.source for each in practices)
        apply(Config(), practices)


def test_what_is_told_has_nothing_to_compute():
    for convention in CONVENTIONS:
        computed = any(each.settings or each.rules or each.accepts for each in convention.practices.values())
        assert not (computed and convention.told)


def test_torchvisions_boxes_are_those_here(seen):
    comparison = compare(*seen, "torchvision")
    assert not comparison.difference.anchors.moved.any()
    assert comparison.difference.assignment.total == comparison.difference.detections.total == 0
    assert [each.convention.key for each in comparison.outcomes if each.difference and not each.difference.is_none] == [
        "box_loss"
    ]


def test_two_of_three_outputs_have_another_anchor_in_detectron2(seen):
    comparison = compare(*seen, "detectron2")
    count = len(comparison.here.anchors)
    assert int(outcome(comparison, "order").difference.anchors.moved.sum()) == count * 6 // 9
    assert outcome(comparison, "order").difference.detections.total > 0
    assert comparison.difference.detections.total > 0


def test_exact_anchors_move_boxes_less_than_a_pixel_of_small_anchors(seen):
    moved = outcome(compare(*seen, "mmdetection"), "anchors").difference
    assert 0.5 < moved.anchors.largest < 2
    assert moved.detections.total > 0
    assert moved.detections.iou.min() > 0.8


def test_exact_settings_leave_nothing_to_anchor_arithmetic(seen):
    subject, config = seen
    comparison = compare(subject, config.replace({"anchors.convention": "exact"}), "mmdetection")
    assert outcome(comparison, "anchors").difference is None
    assert not comparison.difference.anchors.moved.any()


def test_what_is_not_computed_says_why(seen):
    _, config = seen
    for each in compare(*seen, "detectron2").outcomes:
        assert not (each.told and each.difference)
        matters = not each.practice.as_here and config.model.depth >= each.convention.min_depth
        assert bool(each.told) == bool(each.convention.told and matters)


@pytest.mark.parametrize(
    ("framework", "keys"),
    [("torchvision", {"classes"}), ("detectron2", {"pixels", "resizing"}), ("mmdetection", {"resizing"})],
)
def test_only_what_may_differ_is_said_to_be_left_out(framework, keys, seen):
    assert {each.convention.key for each in compare(*seen, framework).outcomes if each.told} == keys


def test_the_stride_of_a_bottleneck_matters_where_there_are_some(seen):
    subject, config = seen
    for depth, says in ((18, False), (34, False), (50, True), (101, True)):
        found = compare(subject, config.replace({"model.depth": depth}), "detectron2")
        assert ("no setting here moves it" in outcome(found, "stride").told) is says


def test_weights_with_p6_from_p5_are_refused_by_detectron2(seen):
    subject, config = seen
    changed = config.replace({"model.p6_source": "p5"})
    comparison = compare(subject, changed, "detectron2")
    assert "refuses" in outcome(comparison, "p6").told
    assert "refuses" in summarise(comparison) and "refuses" not in summarise(compare(*seen, "detectron2"))
    assert not outcome(compare(subject, changed, "torchvision"), "p6").told


def test_other_assigners_are_refused(seen):
    subject, config = seen
    with pytest.raises(ConfigError, match=r"matching\.assigner = atss is not in the RetinaNet of detectron2"):
        compare(subject, config.replace({"matching.assigner": "atss"}), "detectron2")


def test_a_picture_without_objects_is_compared(seen):
    subject, config = seen
    empty = subject._replace(boxes=subject.boxes[:0], labels=subject.labels[:0])
    assert compare(empty, config, "mmdetection").difference.assignment.total == 0


def test_anchors_are_compared_edge_by_edge():
    here = torch.tensor([[0.0, 0, 10, 10], [0, 0, 20, 20]])
    found = compare_anchors(here, here + torch.tensor([[0.0, 0, 0, 0], [0, -3, 0, 2]]))
    assert (found.moved.tolist(), found.largest) == ([False, True], 3.0)


def test_assignments_are_compared_by_kind():
    def match(labels, objects):
        nothing = torch.zeros(6)
        return Match(
            torch.tensor(labels, dtype=torch.int8), torch.tensor(objects), nothing, nothing.bool(), nothing, nothing
        )

    here = match([FOREGROUND, FOREGROUND, FOREGROUND, BACKGROUND, BACKGROUND, IGNORED], [0, 0, 0, 0, 0, 0])
    there = match([FOREGROUND, FOREGROUND, IGNORED, FOREGROUND, BACKGROUND, BACKGROUND], [0, 1, 0, 0, 1, 0])
    found = compare_assignments(here, there)
    numbers = [torch.nonzero(each).flatten().tolist() for each in found]
    assert numbers == [[3], [2], [1], [5]]
    assert found.total == 4


def detections(*rows):
    boxes = torch.tensor([row[:4] for row in rows]).view(-1, 4).float()
    return Detections(boxes, torch.tensor([float(row[4]) for row in rows]), torch.tensor([int(row[5]) for row in rows]))


def test_detections_are_lost_new_moved_or_the_same():
    here = detections((0, 0, 10, 10, 0.9, 0), (20, 0, 30, 10, 0.8, 0), (40, 0, 50, 10, 0.7, 1), (60, 0, 70, 10, 0.6, 1))
    there = detections(
        (0, 0, 10, 10, 0.9, 0), (21, 0, 31, 10, 0.8, 0), (40, 0, 50, 10, 0.7, 2), (60, 0, 70, 10, 0.5, 1)
    )
    found = compare_detections(here, there)
    assert found.lost.tolist() == [2]  # another class
    assert found.new.tolist() == [2]
    pairs = sorted(zip(found.here.tolist(), found.there.tolist(), found.changed.tolist(), strict=True))
    assert pairs == [(0, 0, False), (1, 1, True), (3, 3, True)]
    assert sorted(found.iou.tolist()) == pytest.approx([90 / 110, 1, 1])
    assert found.total == 4


def test_more_detections_of_a_class_than_coco_counts_are_compared():
    here = detections(*((20 * number, 0, 20 * number + 10, 10, 0.9, 0) for number in range(150)))
    assert compare_detections(here, here).total == 0


def test_empty_boxes_are_compared():
    """Torchvision keeps them: boxes outside of the picture, of which clipping leaves nothing."""
    here = detections((0, 0, 0, 20, 0.9, 0), (0, 0, 0, 20, 0.8, 1), (0, 0, 0, 40, 0.7, 0))
    assert compare_detections(here, here).total == 0


def test_no_detections_are_compared():
    some, none = detections((0, 0, 10, 10, 0.9, 0)), detections()
    assert compare_detections(none, none).total == 0
    assert compare_detections(some, none).lost.tolist() == [0]
    assert compare_detections(none, some).new.tolist() == [0]


@pytest.mark.parametrize(
    ("framework", "supported"),
    [
        ("torchvision", torchvision.SUPPORTED_VALUES),
        ("detectron2", detectron2.SUPPORTED_VALUES),
        ("mmdetection", mmdetection.SUPPORTED_VALUES),
    ],
)
def test_the_conventions_are_those_that_exported_code_is_said_to_have(framework, supported):
    practices = [each.practices[framework] for each in CONVENTIONS]
    values = {path: value for practice in practices for path, value in practice.settings.items() if path in supported}
    assert values and all(value in supported[path] for path, value in values.items())
    for practice in practices:
        for path, accepted in practice.accepts.items():
            assert set(supported.get(path, accepted)) <= set(accepted)
