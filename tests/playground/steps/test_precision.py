import re

import plotly.graph_objects as go
import pytest
import torch
from markupsafe import Markup

from core.config import Config
from core.evaluation.coco_metrics import evaluate
from core.evaluation.counting import DUPLICATE, RIGHT
from core.evaluation.dataset_predictions import ImageResult
from core.structures import Detections, GroundTruth
from playground.data.image_ref import ImageRef
from playground.data.picture import render_picture
from playground.evaluations.query import MAKING, EvaluationQuery
from playground.evaluations.results import EvaluationResult
from playground.pipeline.pipeline import Pipeline
from playground.steps import STEPS
from playground.steps.dials import Dials
from playground.steps.evaluation.making import build_making_view
from playground.steps.precision.counted import choose, kept_boxes, of_picture
from playground.steps.precision.figure import MAX_POINTS, curve_figure
from playground.steps.step import Focus
from tests.core.boxes_by_hand import found, truth
from tests.playground.steps.drawable import require_drawable

CONFIG = Config()
HERE = Pipeline(render_picture(CONFIG.scenes), CONFIG)  # the built-in weights and the first scene


def shown(**dials):
    view = STEPS["detections"].build_view(HERE, Focus(dials=Dials("ap", **dials)))
    text = require_drawable(view, HERE)
    assert text.figure
    return view, text


@pytest.mark.slow
def test_the_numbers_are_those_of_coco():
    """The picture alone, as an evaluation of it would have it."""
    order = HERE.fates.order
    detections = Detections(HERE.candidates.box[order], HERE.fates.score[order], HERE.candidates.label[order])
    metrics = evaluate([detections], [GroundTruth.of(HERE.picture.sample)], HERE.picture.class_names)
    readout = shown(counted=5)[1].readout
    assert f"{metrics.ap50:.3f}" in readout and f"{metrics.ap:.3f}" in readout


def test_one_detection_more_is_one_box_and_one_point_more():
    total = len(HERE.fates.order)
    for count in (0, 1, 5, total):
        view, text = shown(counted=count)
        boxes = {layer.key: len(layer.boxes) for layer in view.layers}
        assert boxes["counted-right"] + boxes["counted-wrong"] == count
        assert boxes["counted-last"] == (count > 0) and len(text.figure["data"][1]["x"]) == count
    assert shown(counted=10**6)[1].readout == shown(counted=total)[1].readout


def test_the_boxes_are_those_of_the_detections():
    assert torch.equal(kept_boxes(HERE), HERE.candidates.box[HERE.fates.order])
    last = shown(counted=3)[0].layers[-1]
    assert torch.equal(torch.as_tensor(last.boxes)[0], HERE.candidates.box[HERE.fates.order[2]])


def test_each_row_points_at_its_detection():
    view, text = shown(counted=12)
    boxes = {layer.key: torch.as_tensor(layer.boxes) for layer in view.layers}
    table = text.readout.partition("Counted so far")[2].partition("</table>")[0]
    named = [name.split() for name in re.findall(r'data-box="([^"]+)"', table)]
    assert len(named) == 12 and {layer for layer, _ in named} == {"counted-right", "counted-wrong"}
    for (layer, index), detection in zip(named, HERE.fates.order[:12].flip(0), strict=False):  # the newest first
        assert torch.equal(boxes[layer][int(index)], HERE.candidates.box[detection])


def test_a_class_is_counted_alone_and_an_unknown_one_is_not_chosen():
    leaf = choose(of_picture(HERE), Dials("ap", 99, of="leaf"))
    names = {HERE.picture.class_names[each.label] for each in leaf.counting.detections}
    assert names == {"leaf"}
    assert choose(of_picture(HERE), Dials("ap", 99, of="tree")).label is None


def test_without_objects_it_says_so_and_the_figure_can_be_left():
    config = CONFIG.replace({"scenes.empty_share": 1.0})
    view = STEPS["detections"].build_view(Pipeline(render_picture(config.scenes), config), Focus(dials=Dials("ap")))
    text = view.build_text()
    assert "has no objects" in text.readout and text.figure is None and text.dials[0].name == "graph"


def test_classes_that_the_picture_is_not_labelled_with_are_left_out_and_said():
    picture = HERE.picture
    leaf = picture.class_names.index("leaf")
    boxes = picture.sample.boxes[picture.sample.labels == leaf]
    only = picture.with_objects(boxes, torch.zeros(len(boxes), dtype=torch.int64), ("leaf",))
    material = of_picture(Pipeline(only, CONFIG))
    assert material.class_names == ("leaf",) and material.dropped > 0
    assert len(material.overlaps[0].score) + material.dropped == len(HERE.fates.order)


BOX = [0, 0, 100, 100]


def make_result() -> EvaluationResult:
    """Two pictures; the second finds its object twice."""
    images = [
        ImageResult(found([[50, 50, 60, 60]], [0.3]), truth([BOX]), 1),
        ImageResult(found([BOX, BOX], [0.9, 0.8]), truth([BOX]), 2),
    ]
    names = ("leaf", "capsule", "starfish", "donut", "gem", "shell")
    return EvaluationResult.from_images(images, ["one", "two"], names, 0.5)


@pytest.mark.parametrize(("count", "picture"), [(1, 1), (2, 1), (3, 0)])
def test_an_evaluation_shows_the_picture_of_the_detection(count, picture):
    focus = Focus(dials=Dials(counted=count), evaluation_query=EvaluationQuery(figure=MAKING))
    here = Pipeline(render_picture(CONFIG.scenes), CONFIG, image_ref=ImageRef("scenes", "val"))
    view = build_making_view(here, make_result(), focus, Markup())
    text = view.build_text()
    assert ("two", "one")[1 - picture] in text.readout and "Kinds of errors" in text.more
    assert view.picture is not None and len(view.layers[-1].boxes) == 1
    go.Figure(text.figure)


def test_outcomes_are_told_in_words():
    result = make_result()
    here = Pipeline(render_picture(CONFIG.scenes), CONFIG, image_ref=ImageRef("scenes", "val"))
    focus = Focus(dials=Dials(counted=2))
    text = build_making_view(here, result, focus, Markup()).build_text().readout
    assert f"leaf 0.80 is a {DUPLICATE}" in text and "has taken that object" in text
    assert f"leaf 0.90 is a {RIGHT}" not in text  # only the last one has a sentence


def test_a_long_curve_is_thinned_to_what_can_be_seen():
    many = [found([BOX] * 90, [0.5] * 90) for _ in range(30)]
    images = [ImageResult(each, truth([BOX]), number) for number, each in enumerate(many)]
    result = EvaluationResult.from_images(images, [str(number) for number in range(30)], ("a",), 0.5)
    material = of_picture(HERE)._replace(key="long", overlaps=result.overlaps, class_names=("a",))
    choice = choose(material, Dials(counted=10**6))
    assert choice.so_far == 2700
    line = curve_figure(choice.counting, choice.so_far)["data"][1]
    assert len(line["x"]) == MAX_POINTS and line["x"][-1] == 1.0


def test_detections_beyond_the_best_hundred_of_their_class_are_counted_as_left_out():
    values = {"inference.score_threshold": 0.0, "inference.nms_threshold": 1.0, "inference.max_detections": 1000}
    many = Pipeline(HERE.picture, Config.from_flat(values))
    labels = many.candidates.label[many.fates.order]
    beyond = sum(max(0, int((labels == label).sum()) - 100) for label in range(6))
    material = of_picture(many)
    assert material.beyond == beyond > 0 and len(material.overlaps[0].detection) == len(labels) - beyond
    text = STEPS["detections"].build_view(many, Focus(dials=Dials("ap"))).build_text()
    assert f"{beyond:,} weaker ones are left out" in text.readout
    assert "weaker ones" not in shown()[1].readout
