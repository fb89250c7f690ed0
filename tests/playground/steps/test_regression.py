import math

import pytest
import torch

from core.config import Config
from core.retinanet.boxes import decode, encode
from core.retinanet.losses import box_loss
from playground.canvas.edit import Pick
from playground.data.picture import render_picture
from playground.pipeline.pipeline import Pipeline
from playground.steps import STEPS
from playground.steps.dials import Dials, OfAnchor, set_dial
from playground.steps.regression.example import make_example
from playground.steps.regression.figure import loss_figure
from playground.steps.regression.tables import losses, signed
from playground.steps.step import Focus
from tests.playground.steps.drawable import require_drawable

CONFIG = Config()
HERE = Pipeline(render_picture(CONFIG.scenes), CONFIG)
ANCHOR = make_example(HERE, None, Dials()).anchor


def shown(pick: Pick | None = None, here: Pipeline = HERE, **dials):
    view = STEPS["assignment"].build_view(here, Focus(pick=pick, dials=Dials("boxes", **dials)))
    text = require_drawable(view, here)
    assert text.figure
    return view, text


def test_it_begins_with_the_best_anchor_of_the_first_object():
    example = make_example(HERE, None, Dials())
    assert example.object == 0 and example.label == "foreground"
    assert HERE.match.iou[example.anchor] == HERE.match.iou[HERE.match.object == 0].max()
    target = encode(HERE.objects[0][:1], HERE.grid.boxes[example.anchor][None])[0]
    assert torch.equal(example.target, target)
    deltas = HERE.prediction.outputs.deltas[0][example.anchor]
    assert torch.equal(example.predicted, deltas)
    assert torch.equal(example.decoded.box, decode(deltas[None], example.anchor_box[None])[0])


def test_an_object_or_an_anchor_can_be_clicked():
    assert make_example(HERE, Pick(0, 0, "truth", 2), Dials()).object == 2
    foreground = torch.nonzero(HERE.match.foreground & ~HERE.match.forced).squeeze(1)
    example = make_example(HERE, Pick(0, 0, "foreground", 5), Dials())
    assert example.anchor == foreground[5] and example.object == HERE.match.object[foreground[5]]
    forced = torch.nonzero(HERE.match.forced).squeeze(1)
    assert make_example(HERE, Pick(0, 0, "forced", 0), Dials()).anchor == forced[0]
    for gone in (Pick(0, 0, "truth", 99), Pick(0, 0, "foreground", 9999), Pick(5, 5)):
        assert make_example(HERE, gone, Dials()).object == 0


def test_a_dragged_box_changes_the_target_and_is_forgotten_with_another_anchor():
    x1, y1, x2, y2 = HERE.grid.boxes[ANCHOR].tolist()
    width, height = x2 - x1, y2 - y1
    moved = (x1 + width / 2, y1, x2 + width / 2, y2 + height)  # half a width to the right, twice as high
    example = make_example(HERE, None, Dials(box=OfAnchor(ANCHOR, moved)))
    assert example.is_moved and example.target.tolist() == pytest.approx([0.5, 0.5, 0, math.log(2)], abs=1e-4)
    assert not make_example(HERE, None, Dials(box=OfAnchor(ANCHOR + 1, moved))).is_moved
    assert not make_example(HERE, Pick(0, 0, "truth", 1), Dials(box=OfAnchor(ANCHOR, moved))).is_moved
    view, text = shown(box=OfAnchor(ANCHOR, moved))
    assert view.layers[-1].carries == str(ANCHOR) and "0.500" in text.readout and "0.693" in text.readout


def test_chosen_deltas_are_decoded_bounded_and_clipped():
    text = shown(deltas=OfAnchor(ANCHOR, (0.0, 0.0, 5.0, 0.0)))[1]
    assert "dw is above log(1000/16) = 4.135" in text.more and "is clipped to 0, " in text.more
    both = shown(deltas=OfAnchor(ANCHOR, (0.0, 0.0, 5.0, 5.0)))[1].more
    assert "dw and dh are above log(1000/16) = 4.135 and count as that" in both
    assert "nothing is clipped" in shown(deltas=OfAnchor(ANCHOR, (0.0, 0.0, 0.0, 0.0)))[1].more
    whole = [dial.whole for dial in text.dials if dial.part > 0]
    assert whole == [f"{ANCHOR},0,0,5,0"] * 4 and [dial.part for dial in text.dials if dial.part > 0] == [1, 2, 3, 4]


@pytest.mark.parametrize("kind", ["smooth_l1", "l1", "giou", "diou", "ciou"])
def test_the_loss_of_the_anchor_is_the_one_that_is_trained(kind):
    config = CONFIG.replace({"loss.box_loss": kind, "loss.box_weight": 2})
    here = Pipeline(HERE.picture, config)
    example = make_example(here, None, Dials())
    value = box_loss(example.predicted[None], example.target_box[None], example.anchor_box[None], config.loss).item()
    assert here.losses.box[example.anchor].item() == pytest.approx(value, abs=1e-6)
    text = losses(example, config.loss)
    assert f"The box loss of this anchor is {value:.3f}" in text and "times its weight 2" in text
    assert ("by their overlap" in text) == (kind in ("giou", "diou", "ciou"))
    assert ("shown" if "smooth L1, β = 0.1" in text else "") == "shown"


def test_the_curves_are_the_losses():
    figure = loss_figure(make_example(HERE, None, Dials()), CONFIG.loss)
    one, two, smooth, slope, marks = figure["data"]
    for x, y in zip(one["x"], one["y"], strict=True):
        assert y == pytest.approx(abs(x), abs=1e-4)
    for x, y in zip(two["x"], two["y"], strict=True):
        assert y == pytest.approx(x * x / 2, abs=1e-3)
    for x, y, climb in zip(smooth["x"], smooth["y"], slope["y"], strict=True):
        assert y == pytest.approx(5 * x * x if abs(x) < 0.1 else abs(x) - 0.05, abs=1e-3)
        assert climb == pytest.approx(10 * x if abs(x) < 0.1 else math.copysign(1, x), abs=2e-2)
    assert marks["text"] == ["dx", "dy", "dw", "dh"]


def test_errors_beyond_the_axis_are_marked_at_its_end():
    example = make_example(HERE, None, Dials(deltas=OfAnchor(ANCHOR, (9.0, 0.0, 0.0, 0.0))))
    marks = loss_figure(example, CONFIG.loss)["data"][4]
    assert marks["x"][0] == 6


def test_it_works_without_objects_and_without_a_network():
    config = CONFIG.replace({"scenes.empty_share": 1.0})
    view = STEPS["assignment"].build_view(Pipeline(render_picture(config.scenes), config), Focus(dials=Dials("boxes")))
    assert "has no objects" in view.build_text().readout
    broken = Pipeline(HERE.picture, CONFIG.replace({"model.depth": 50}))
    assert "the network predicts none" in shown(here=broken)[1].readout


def test_an_anchor_that_is_not_trained_says_so():
    config = CONFIG.replace({"matching.fg_iou_threshold": 0.99, "matching.force_best_match": False})
    assert "its deltas are not trained" in shown(here=Pipeline(HERE.picture, config))[1].readout


def test_numbers_are_written_with_a_minus_sign():
    assert [signed(each) for each in (-0.25, -0.0001, 0.0, 1.0)] == ["−0.250", "0.000", "0.000", "1.000"]


def test_the_target_of_a_box_far_from_its_anchor_can_be_predicted():
    far = OfAnchor(ANCHOR, (-9000.0, -9000.0, -8999.0, -8999.0))
    (target,) = [dial.value for dial in shown(box=far)[1].dials if dial.label == "Predict the target exactly"]
    example = make_example(HERE, None, set_dial(Dials(box=far), "deltas", target))
    assert example.predicted.tolist() == pytest.approx(example.target.tolist(), rel=1e-4)
