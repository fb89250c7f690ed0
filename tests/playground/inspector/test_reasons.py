"""The inspector tells each object's own threshold or k, and for each anchor the reason that the assigner had."""

import re

import pytest
import torch

from core.retinanet.assigners.match import FOREGROUND
from core.retinanet.assigners.simota import DISTANT, compute_costs
from playground.canvas.edit import Pick
from playground.inspector.inspect import inspect
from playground.inspector.location import describe_anchors
from playground.inspector.reasons import NO_OBJECT, explain_anchors, explain_lack
from playground.pipeline.pipeline import Pipeline
from playground.steps import STEPS
from playground.steps.step import Focus
from tests.playground.inspector.test_inspect import pipeline, with_boxes

ASSIGNERS = ("max_iou", "atss", "simota")
OUTSIDE = [5000.0, 5000, 5010, 5010]


def make(assigner: str) -> Pipeline:
    return pipeline(matching__assigner=assigner, scenes__min_objects=3)


def explain_all(here: Pipeline) -> list[str]:
    return explain_anchors(here, torch.arange(len(here.grid.boxes)))


def read_numbers(reason: str) -> list[float]:
    return [float(each.replace(",", "")) for each in re.findall(r"\d[\d,]*(?:\.\d+)?", reason)]


def test_by_atss_the_reason_is_the_own_threshold_the_centre_or_the_distance():
    here = with_boxes(make("atss"), [10.0, 10, 14, 14], [20.0, 20, 70, 60])  # the first lies between the locations
    closest, found = here.match.closest, set()
    candidates = set(closest.anchor.flatten().tolist())
    for anchor, reason in enumerate(explain_all(here)):
        if int(here.match.label[anchor]) == FOREGROUND:
            threshold = closest.threshold[here.match.object[anchor]].item()
            assert reason == f"from {threshold:.3f}, the object's own threshold"
            assert here.match.iou[anchor] >= threshold and anchor in candidates
            found.add("foreground")
        elif anchor in candidates:
            below = "below" in reason
            assert not below or read_numbers(reason)[0] <= read_numbers(reason)[1]
            assert below or reason.startswith("centred outside ")
            found.add("below" if below else "outside")
        else:
            assert reason == "not among the 9 of its level closest to an object"
            found.add("far")
    assert found == {"foreground", "below", "outside", "far"}


def test_by_simota_the_reason_is_the_cost_or_the_place():
    here = make("simota")
    everywhere, limits, found = torch.arange(len(here.grid.boxes)), here.match.cheapest.limit, set()
    costs = compute_costs(here.grid, everywhere, here.objects[0], here.view).cost
    for anchor, reason in enumerate(explain_all(here)):
        cost = costs[:, anchor]
        if int(here.match.label[anchor]) == FOREGROUND:
            number = int(here.match.object[anchor])
            assert reason.startswith("cost ") and cost[number] <= limits[number]
            assert read_numbers(reason)[-1] == here.match.cheapest.number[number]
            found.add("foreground")
        elif not bool(cost.isfinite().any()):
            assert reason == "centred in no object, nor near the centre of one"
            found.add("far")
        elif cost.min() >= DISTANT:
            assert reason.startswith("not both in ")
            found.add("distant")
        else:
            assert cost.min() >= limits[cost.argmin()] and reason.startswith("cost ")
            found.add("dear")
    assert found == {"foreground", "far", "distant", "dear"}


@pytest.mark.parametrize("assigner", ASSIGNERS)
def test_without_objects_each_anchor_says_so(assigner):
    here = with_boxes(make(assigner))
    assert set(explain_all(here)) == {NO_OBJECT} and not here.match.foreground.any()
    assert describe_anchors(here, range(3))[0].why == NO_OBJECT
    assert STEPS["assignment"].build_view(here, Focus()).build_text().readout


def test_the_report_on_an_object_tells_its_threshold_or_its_k():
    texts = {assigner: inspect(make(assigner), Pick(1, 1, "truth", 1)).text for assigner in ASSIGNERS}
    threshold = make("atss").match.closest.threshold[1].item()
    assert re.search(rf"its own threshold.{{0,20}}>{threshold:.3f}<", texts["atss"])
    number = int(make("simota").match.cheapest.number[1])
    assert re.search(rf"k, the anchors that it takes.{{0,20}}>{number}<", texts["simota"])
    assert "of which forced" in texts["max_iou"] and "forced" not in texts["atss"] + texts["simota"]


@pytest.mark.parametrize(
    ("assigner", "boxes", "said"),
    [
        ("atss", [[10.0, 10, 14, 14]], "between the locations"),
        ("atss", [[20.0, 20, 52, 52], [20.0, 20, 52, 52]], "overlap leaf 1 at least as much"),
        ("simota", [OUTSIDE], "outside the picture"),
        ("simota", [[20.0, 20, 52, 52], [20.0, 20, 52, 52]], "cost leaf 1 no more"),
    ],
)
def test_an_object_without_anchors_tells_why(assigner, boxes, said):
    here = with_boxes(make(assigner), *boxes)
    last = len(boxes) - 1
    assert not (here.match.object[here.match.foreground] == last).any()
    assert said in explain_lack(here, last) and said in inspect(here, Pick(1, 1, "truth", last)).text


@pytest.mark.parametrize(
    ("assigner", "columns", "layers"),
    [
        ("max_iou", ["matched", "forced"], ["ignored", "foreground", "forced"]),
        ("atss", ["own threshold", "foreground"], ["candidates", "foreground"]),
        ("simota", ["k", "foreground"], ["foreground", "foreground-boxes"]),
    ],
)
def test_the_step_shows_what_the_assigner_considers(assigner, columns, layers):
    here = make(assigner)
    view = STEPS["assignment"].build_view(here, Focus())
    assert [layer.key for layer in view.layers] == [*layers, "truth"]
    text = view.build_text().readout
    assert re.findall(r"<th[^>]*>([^<]+)</th>", text)[:4] == ["object", "best IoU", *columns]
    boxes = {layer.key: layer.boxes for layer in view.layers}
    assert len(boxes["foreground"]) == int((here.match.foreground & ~here.match.forced).sum()) > 0
    if assigner == "atss":
        candidates = len(here.match.closest.anchor.flatten().unique())
        assert len(boxes["candidates"]) + len(boxes["foreground"]) == candidates
    assert ("No anchor is ignored" in text) == (assigner != "max_iou")
