"""The inspector shows what the core computed: labels, losses, outcomes; and what would give an object an anchor."""

import json
import re

import pytest
import torch

from core.config import Config, knobs
from core.retinanet.assigners.match import FOREGROUND
from core.retinanet.losses import classification_loss
from core.retinanet.postprocess import KEPT, SUPPRESSED
from playground.canvas.canvas import payload
from playground.canvas.edit import Pick
from playground.canvas.view import View
from playground.data.picture import render_picture
from playground.inspector.detection import DRAWN_FROM, find_candidate
from playground.inspector.inspect import HINT, inspect
from playground.inspector.location import _build_row, describe_anchors, describe_outcome, find_anchors
from playground.inspector.object import suggest_remedy
from playground.pipeline.pipeline import Pipeline
from playground.steps import STEPS
from playground.steps.step import Focus

SMALL = {
    "model.weights": "random",
    "model.fpn_channels": 32,
    "model.num_convs": 0,
    "inference.image_size": 96,
    "scenes.image_size": 96,
    "scenes.min_size": 0.2,
    "inference.score_threshold": 0.009,
    "inference.nms_threshold": 0.3,
}


def pipeline(**changes) -> Pipeline:
    config = Config.from_flat({**SMALL, **{key.replace("__", "."): value for key, value in changes.items()}})
    return Pipeline(render_picture(config.scenes), config)


def with_boxes(here: Pipeline, *boxes: list[float]) -> Pipeline:
    picture = here.picture.with_objects(
        torch.tensor(boxes).reshape(-1, 4), torch.zeros(len(boxes), dtype=torch.int64), here.picture.class_names
    )
    return Pipeline(picture, here.config)


def test_before_a_click_there_is_a_hint():
    seen = inspect(pipeline(), None)
    assert HINT in seen.text and seen.layers == ()


@pytest.mark.slow
def test_facts_of_anchors_are_those_of_the_core():
    here = pipeline()
    anchors = torch.nonzero(here.match.label == FOREGROUND).squeeze(1)[:5].tolist()
    losses = here.losses.classification
    for case in [describe_anchors(here, range(anchor, anchor + 1))[0] for anchor in anchors]:
        logits = here.prediction.outputs.logits[0][case.anchor]
        targets = torch.zeros_like(logits)
        targets[here.labels[here.match.object[case.anchor]]] = 1
        plain = classification_loss(logits, targets, here.config.loss.model_copy(update={"kind": "cross_entropy"}))
        assert case.label == "foreground" and case.loss == pytest.approx(losses[case.anchor].item())
        assert case.cross_entropy == pytest.approx(plain.sum().item(), rel=1e-5)
        assert case.share == pytest.approx((losses[case.anchor] / losses.sum()).item())
        assert case.probability == pytest.approx(logits.sigmoid().max().item())


def test_an_anchor_tells_its_target_where_that_is_an_iou():
    here = pipeline(loss__kind="varifocal")
    chosen = torch.nonzero(here.match.foreground).squeeze(1).tolist()
    for anchor, iou in list(zip(chosen, here.predicted_ious.tolist(), strict=True))[:5]:
        case = describe_anchors(here, range(anchor, anchor + 1))[0]
        assert case.target == pytest.approx(iou) and f"; target {iou:.2f})" in _build_row(case)[2]
        other = describe_anchors(pipeline(), range(anchor, anchor + 1))[0]
        assert other.target is None and "target" not in _build_row(other)[2]


def test_ignored_anchors_pay_nothing():
    here = pipeline(matching__bg_iou_threshold=0, matching__fg_iou_threshold=1, matching__force_best_match=False)
    case = describe_anchors(here, range(1))[0]
    assert case.label == "ignored" and case.cross_entropy == case.loss == 0
    assert case.why == "between 0 and 1"


def test_every_outcome_agrees_with_the_stages():
    here = pipeline()
    found, fates = here.candidates, here.fates
    for fate, words in ((KEPT, "detection"), (SUPPRESSED, "suppressed by")):
        candidate = int(torch.nonzero(fates.fate == fate)[0])
        anchor, label = int(found.anchor[candidate]), int(found.label[candidate])
        assert words in describe_outcome(here, anchor, label, found.score[candidate].item())
    assert "below the score threshold" in describe_outcome(here, 0, 0, 0.001)
    few = pipeline(inference__topk_candidates=1)
    assert "cut by top-K" in describe_outcome(few, _not_candidate(few), 0, 0.5)


def _not_candidate(here: Pipeline) -> int:
    taken = set(here.candidates.anchor.tolist())
    return next(anchor for anchor in range(len(here.grid.boxes)) if anchor not in taken)


@pytest.mark.parametrize("layer", ["before", "kept", "suppressed", "truth", ""])
def test_every_click_has_a_report_and_layers(layer):
    here = pipeline()
    seen = inspect(here, Pick(40, 40, layer, 0))
    assert "Anchors at 40, 40" in seen.text and "nan" not in seen.text.lower()
    json.loads(payload(View("data:,", 96, 96, seen.layers)))
    assert bool(seen.layers) == bool(layer)


def test_clicking_an_anchor_reports_its_object():
    here = pipeline()
    matched = torch.nonzero(here.match.foreground & ~here.match.forced).squeeze(1)
    number = int(here.match.object[matched[0]])
    name = here.picture.class_names[here.objects[1][number]]
    assert f"{name} {number + 1}</h3>" in inspect(here, Pick(1, 1, "foreground", 0)).text


def test_a_click_on_a_box_that_is_gone_reports_the_location():
    here = pipeline()
    for layer in ("truth", "kept", "foreground"):
        assert inspect(here, Pick(1, 1, layer, 10_000)).layers == ()
    assert find_candidate(here, "kept", 10_000) is None


def test_anchors_of_a_location_are_centred_there():
    here = pipeline()
    boxes = here.grid.boxes[list(find_anchors(here.grid, 1, (33, 47)))]
    assert len(boxes) == 9
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    assert (centres - torch.tensor([32.0, 48.0])).abs().max() <= 0.5  # stride 16


@pytest.mark.parametrize(
    ("box", "said"),
    [
        ([10.0, 10, 14, 14], "anchors.size_p3"),
        ([5.0, 40, 85, 44], "anchors.ratios"),
    ],
)
def test_the_report_on_an_object_without_anchor_names_a_setting_that_helps(box, said):
    here = with_boxes(pipeline(matching__force_best_match=False), box)
    text = inspect(here, Pick(12, 12, "truth", 0)).text
    assert "No anchor is assigned to it" in text
    assert all(knobs()[path].label in text for path in (said, "matching.force_best_match"))
    iou = here.match.best_iou[0].item()
    assert f"{iou:.2f}" in suggest_remedy(here, 0, iou)


def test_the_suggested_threshold_works():
    here = with_boxes(pipeline(matching__force_best_match=False), [10.0, 10, 14, 14])
    text = suggest_remedy(here, 0, here.match.best_iou[0].item())
    value = float(re.search(r"Foreground IoU threshold” to (\d(?:\.\d+)?)", text)[1])
    lowered = here.config.replace({"matching.fg_iou_threshold": value, "matching.bg_iou_threshold": value})
    assert Pipeline(here.picture, lowered).match.foreground.any()


def test_of_two_identical_objects_one_has_no_anchors():
    here = with_boxes(pipeline(matching__force_best_match=False), [20.0, 20, 52, 52], [20.0, 20, 52, 52])
    text = inspect(here, Pick(30, 30, "truth", 1)).text
    assert "No anchor is assigned to it" in text and "overlap leaf 1 at least as much" in text


def test_weak_detections_are_a_layer_of_their_own_and_can_be_inspected():
    config = Config()
    here = Pipeline(render_picture(config.scenes), config)
    layers = {layer.key: layer for layer in STEPS["detections"].build_view(here, Focus()).layers}
    strong, weak, order = layers["kept"], layers["weaker"], here.fates.order
    assert strong.visible and not weak.visible and len(strong.boxes) + len(weak.boxes) == len(order)
    assert min(strong.values) >= DRAWN_FROM > max(weak.values)
    assert find_candidate(here, "weaker", 0) == order[len(strong.boxes)]
    assert find_candidate(here, "kept", len(strong.boxes)) is None
    text = STEPS["detections"].build_view(here, Focus()).build_text().readout
    assert f"{len(strong.boxes)} of the {len(order)} detections are drawn" in text


def test_all_detections_are_drawn_if_none_is_strong():
    here = pipeline()
    assert len(here.fates.order) and max(here.fates.score) < DRAWN_FROM
    keys = [layer.key for layer in STEPS["detections"].build_view(here, Focus()).layers]
    assert "kept" in keys and "weaker" not in keys
