"""Every kind of NMS is drawn and told in its own words."""

import pytest
import torch

from core.config import knobs
from core.retinanet.postprocess import SUPPRESSED
from core.retinanet.predict import detect
from playground.canvas.edit import Pick
from playground.canvas.view import Layer
from playground.inspector.inspect import inspect
from playground.inspector.location import describe_fate
from playground.inspector.overlaps import WORDS
from playground.pipeline.pipeline import Pipeline
from playground.steps import STEPS
from playground.steps.step import Focus, StepView
from tests.playground.inspector.test_inspect import pipeline


def show(here: Pipeline) -> StepView:
    return STEPS["detections"].build_view(here, Focus())


def layers(here: Pipeline) -> dict[str, Layer]:
    return {layer.key: layer for layer in show(here).layers}


def test_every_kind_has_words():
    assert set(WORDS) == set(knobs()["inference.nms_kind"].choices)


@pytest.mark.parametrize(
    ("kind", "lost", "to", "measure"),
    [
        ("hard", "suppressed", "suppressed by", "(IoU 0."),
        ("diou", "suppressed", "suppressed by", "(IoU − ρ²/c² 0."),
        ("wbf", "fused", "fused with", "(IoU 0."),
    ],
)
def test_a_lost_box_tells_to_which_one_and_why(kind, lost, to, measure):
    here = pipeline(inference__nms_kind=kind)
    candidate = int(torch.nonzero(here.fates.fate == SUPPRESSED)[0])
    winner = int(here.suppressors.candidate[candidate])
    words = describe_fate(here, candidate)
    assert words.startswith(f"{to} ") and f"{here.fates.score[winner]:.2f} {measure}" in words
    assert layers(here)["suppressed"].label == lost
    count = f"{int((here.fates.fate == SUPPRESSED).sum()):,}"
    assert f"{lost} by NMS" in show(here).build_text().readout and count in show(here).build_text().readout
    report = inspect(here, Pick(0, 0, "before", winner))
    assert WORDS[kind].gains in report.text and measure.split(" 0.")[0].strip("(") in report.text
    (victims,) = [layer for layer in report.layers if layer.key == "victims"]
    assert len(victims.boxes) == int((here.suppressors.candidate == winner).sum()) > 0


def test_fused_boxes_are_drawn_where_the_core_finds_them_and_linked_to_what_was_fused():
    here = pipeline(inference__nms_kind="wbf")
    fates = here.fates
    (found,) = detect(here.network.model, [here.picture.sample.image], here.config)
    drawn = layers(here)
    boxes = torch.from_numpy(drawn["kept"].boxes)
    assert torch.equal(boxes * here.batch.factors[0], found.boxes)
    assert not torch.equal(boxes, here.candidates.box[fates.order])  # which "before NMS" draws
    assert torch.equal(torch.from_numpy(drawn["before"].boxes), here.candidates.box)
    links = drawn["suppressed"].links()
    ends = {tuple(each) for each in links[:, 2:].tolist()}
    kept = fates.box[fates.fate != SUPPRESSED]
    assert ends <= {tuple(each) for each in ((kept[:, :2] + kept[:, 2:]) / 2).tolist()} and len(ends) > 1
    assert "weighted by their scores" in show(here).build_text().readout
    assert "weighted" not in show(pipeline()).build_text().readout
    assert "its own score" in inspect(here, Pick(0, 0, "kept", 0)).text
