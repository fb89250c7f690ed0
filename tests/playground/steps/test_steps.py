import re

import plotly.graph_objects as go
import pytest
import torch

import playground.steps.loss.concentration as module
from core.analysis.loss_concentration import AnchorLogits, compute_cumulative_loss, compute_hardest_share
from core.config import Anchors, Config, Loss, knobs
from core.data.sources import SceneData
from core.retinanet.anchors import make_anchors
from core.retinanet.losses import total_loss
from playground.components.html import percent
from playground.data.image_ref import ImageRef
from playground.data.picture import picture_of_sample, render_picture
from playground.inspector.location import find_location
from playground.pipeline.pipeline import Pipeline
from playground.steps import STEPS
from playground.steps.loss.curves import CURVES, GRADIENT, WEIGHT, curves, example
from playground.steps.loss.initial import initial_loss
from playground.steps.loss.shares import (
    KINDS,
    alternatives,
    certainty,
    effective_number,
    format_kind,
    group_anchors,
    shares,
)
from playground.steps.loss.spread import spread
from playground.steps.step import Focus
from playground.support.cache import PostponedError
from tests.playground.steps.drawable import require_drawable

SMALL = {"model.weights": "random", "model.fpn_channels": 32, "model.num_convs": 1, "inference.image_size": 96}


def pipeline(**changes) -> Pipeline:
    config = Config.from_flat({**SMALL, **{key.replace("__", "."): value for key, value in changes.items()}})
    return Pipeline(render_picture(config.scenes), config)


def test_every_hyperparameter_belongs_to_exactly_one_step():
    for path, knob in knobs().items():
        assert sum(step.has_knob(knob) for step in STEPS.values()) == 1, path


@pytest.mark.parametrize("key", STEPS)
@pytest.mark.parametrize("changes", [{}, {"scenes__empty_share": 1.0}, {"inference__score_threshold": 0.001}])
def test_every_step_builds_a_valid_view(key, changes):
    here = pipeline(**changes)
    for level in (0, 4):
        look = STEPS[key].build_view(here, Focus(level=level))
        words = require_drawable(look, here)
        assert words.readout and not re.search(r"\bnan\b", words.readout.lower())
    assert all(part.headline(here) for part in STEPS[key].strip_items)
    levels = STEPS[key].build_levels(here, Focus())
    assert levels.about and all(cell.name and cell.text for cell in levels.cells) and len(levels.cells) >= 5


def test_text_from_outside_is_escaped():
    here = pipeline()
    evil = here.picture.with_objects(torch.tensor([[5.0, 5, 90, 90]]), torch.tensor([0]), ("<img src=x onerror=1>",))
    for key in ("picture", "anchors", "assignment"):
        assert "<img" not in STEPS[key].build_view(Pipeline(evil, here.config), Focus()).build_text().readout


def test_location_under_a_click():
    grid = make_anchors(Anchors(), 320, 320)
    first = find_location(grid, 0, (83, 41)) * grid.per_location  # P3, stride 8: row 5, column 10
    centre = (grid.boxes[first, :2] + grid.boxes[first, 2:]) / 2
    assert centre.tolist() == pytest.approx([80, 40], abs=0.5)
    assert find_location(grid, 4, (9999, 9999)) == 8 and find_location(grid, 4, (-5, -5)) == 0


def test_the_counts_of_the_assignment_add_up():
    here = pipeline(matching__bg_iou_threshold=0.1, matching__fg_iou_threshold=0.9)
    text = STEPS["assignment"].build_view(here, Focus()).build_text().readout
    assert f"{int(here.match.foreground.sum()):,}" in text and f"{int((here.match.label == 0).sum()):,}" in text


def test_loss_curves_are_the_closed_form():
    figure = curves(Loss(alpha=0.25, gamma=2))
    plain, foreground, background, balanced, balanced_background = (curve["y"] for curve in figure["data"])
    p = torch.linspace(0.01, 0.99, 99, dtype=torch.float64)
    assert plain == pytest.approx((-p.log()).tolist())
    assert foreground == pytest.approx((-0.25 * (1 - p) ** 2 * p.log()).tolist())
    assert background == pytest.approx((-0.75 * (1 - p) ** 2 * p.log()).tolist())
    assert balanced == pytest.approx((-0.25 * p.log()).tolist())
    assert balanced_background == pytest.approx((-0.75 * p.log()).tolist())


def test_frozen_stages_show_in_the_parts():
    config = Config.from_flat({"model.freeze_stages": 3})
    parts = {part.name: part for part in Pipeline(render_picture(config.scenes), config).parts}
    assert parts["layer2"].trainable == 0 and parts["layer3"].trainable == parts["layer3"].parameters
    assert sum(part.parameters for part in parts.values()) == 12_024_602


@pytest.mark.slow
def test_a_network_without_fitting_weights_still_shows_its_size():
    config = Config.from_flat({"model.depth": 50})  # the built-in weights are a ResNet-18
    here = Pipeline(render_picture(config.scenes), config)
    told = STEPS["network"].build_view(here, Focus()).build_text().readout
    assert "“Backbone depth” = 50 contradicts" in told and "GFLOP" in told and "GiB" in told
    assert "ResNet-50" in STEPS["network"].strip_items[0].headline(here)


def test_slopes_are_the_closed_form():
    """d/dx of −(1−p)^γ log p with p = σ(x): (1−p)^γ (γ p log p + p − 1), the paper's appendix B for α = 1."""
    figure = curves(Loss(alpha=0.5, gamma=2), GRADIENT)
    p = torch.linspace(0.01, 0.99, 99, dtype=torch.float64)
    closed = 0.5 * (1 - p) ** 2 * (2 * p * p.log() + p - 1)
    assert figure["data"][0]["y"] == pytest.approx((1 - p).tolist())  # cross-entropy
    for curve in figure["data"][1:3]:
        assert curve["y"] == pytest.approx(closed.abs().tolist())
    for curve in figure["data"][3:]:
        assert curve["y"] == pytest.approx((0.5 * (1 - p)).tolist())  # α-balanced


@pytest.mark.parametrize("kind", CURVES)
def test_every_curve_is_drawn_with_its_mark(kind):
    figure = curves(Loss(), kind, p_t=0.3)
    go.Figure(figure)
    assert figure["layout"]["shapes"][-1]["x0"] == 0.3 and len(figure["data"]) == 5
    assert (figure["layout"]["yaxis"].get("type") == "log") == kind.endswith("logarithmic")
    assert figure["data"] == curves(Loss(), kind.removesuffix(", logarithmic"), p_t=0.3)["data"]


def test_the_weights_are_those_of_the_paper():
    """Section 3.2: with γ = 2, p_t = 0.9 weighs 100 times less, 0.968 about 1000 times; p_t ≤ 0.5 at most 4 times."""
    loss = Loss(alpha=0.5, gamma=2)
    weight = {round(x, 2): y for x, y in zip(*(curves(loss, WEIGHT)["data"][1][axis] for axis in "xy"), strict=True)}
    assert 0.5 / weight[0.9] == pytest.approx(100) and 0.5 / weight[0.5] == pytest.approx(4)
    assert "1/100" in example(loss, 0.9) and "= 1/977" in example(loss, 0.968) and "0.25" in example(loss, 0.5)
    for p_t, said in ((0.9, "1/100 of"), (0.968, "1/977 of"), (0.5, "1/4 of"), (0.01, "0.98 of")):
        assert f"<dt>weight of this example</dt><dd>{said} cross-entropy</dd>" in example(loss, p_t)
    sides = "<dt>as foreground, with α</dt><dd>1/400</dd></div><div><dt>as background, with α</dt><dd>1/133</dd>"
    assert sides in example(Loss(alpha=0.25, gamma=2), 0.9)


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind not in ("ohem", "ghm")]
)  # whose curve is cross-entropy's
def test_an_example_that_pays_nothing_is_said_to(kind):
    text = example(Loss(kind=kind, cutoff=0.6, alpha=0.5), 0.7)
    assert (text.count("pays nothing") == 2) == (kind == "cutoff")
    weighs = {
        "focal": "1/11.1 of",
        "poly1_focal": "1/69.9 of",
        "quality_focal": "1/11.1 of",
        "cutoff": "nothing of",
    }.get(kind, "all of")
    assert (f"{weighs} cross-entropy" in text) == (kind != "varifocal")  # whose sides differ
    assert ("(1−pₜ)<sup>γ</sup>" in text) == (kind == "focal")
    assert "1/2 of that" in example(Loss(kind="cutoff", cutoff=0.6, alpha=0.5), 0.55)


def test_curves_of_losses_with_ious_as_targets_show_several(kind="varifocal"):
    """q CE for foreground, whatever its target; its slope is 0 where the score is the target."""
    weights = curves(Loss(kind=kind), WEIGHT)["data"][1:4]
    for curve, iou in zip(weights, (1, 0.75, 0.5), strict=True):
        assert curve["name"] == f"foreground of IoU {iou:g}, these settings" and curve["y"] == pytest.approx([iou] * 99)
    slopes = curves(Loss(kind=kind), GRADIENT)["data"][1:4]
    assert [round(curve["y"][49], 6) for curve in slopes] == [0.5, 0.1875, 0]  # q |0.5 − q|
    text = example(Loss(kind=kind), 0.9)
    assert "target of foreground is not 1" in text and "down, to 0.75" in text


def test_the_curves_of_ghm_are_those_of_this_picture():
    here = pipeline(loss__kind="ghm", loss__ghm_bins=10)
    counts = here.gradient_counts
    whole = int((here.match.label >= 0).sum()) * here.network.model.num_classes
    assert counts.sum() == whole and len(counts) == 10
    weight = STEPS["loss"].build_figure(here, Focus(curve=WEIGHT))["data"][1]
    beta = dict(zip([round(x, 2) for x in weight["x"]], weight["y"], strict=True))
    assert beta[0.95] == pytest.approx(whole / (10 * max(1, counts[0].item())))  # p_t 0.95: a gradient of 0.05
    assert beta[0.55] == pytest.approx(whole / (10 * max(1, counts[4].item())))
    text = STEPS["loss"].build_view(here, Focus()).build_text()
    assert "GHM-C sorts the" in text.readout and "weights it by how few scores" in text.more
    assert pipeline(loss__kind="focal").gradient_counts is None


def test_targets_that_are_ious_are_explained():
    text = STEPS["loss"].build_view(pipeline(loss__kind="quality_focal"), Focus()).build_text().readout
    assert "is not 1, but the IoU of the box" in text and "on average here" in text
    assert "IoU of the box" not in STEPS["loss"].build_view(pipeline(), Focus()).build_text().readout
    bare = STEPS["loss"].build_view(pipeline(loss__kind="varifocal", scenes__empty_share=1.0), Focus()).build_text()
    assert "there is no foreground" in bare.readout


def test_every_loss_is_in_the_table_of_alternatives():
    here = pipeline(loss__kind="cutoff")
    assert set(KINDS) == set(knobs()["loss.kind"].choices)
    text = alternatives(here)
    assert "cutoff (chosen)" in text and all(format_kind(kind) in text for kind in KINDS)


@pytest.mark.slow
def test_easy_background_pays_nothing_with_a_cutoff_of_one_half():
    """A background anchor is easy while no score reaches 0.5, so that each p_t is above the cut-off."""
    here = pipeline(loss__kind="cutoff", loss__cutoff=0.5, model__prior_probability=0.5)  # easy ones and hard ones
    easy = dict(group_anchors(here))["easy background"]
    paid = here.losses.classification[easy]
    assert easy.any() and (paid == 0).all() and here.losses.classification.sum() > 0


@pytest.mark.slow
def test_the_initial_loss_is_that_of_a_network_with_new_heads():
    """Whatever heads it has: the same backbone, the same seed, the given prior and loss."""
    trained = Pipeline(render_picture(Config().scenes), Config())
    kinds = ((0.01, "varifocal"), (0.01, "ghm"), (0.5, "ohem"))
    for prior, loss in ((0.01, Loss()), (0.5, Loss()), *((prior, Loss(kind=kind)) for prior, kind in kinds)):
        fresh = Config.from_flat({"model.heads": "new", "model.prior_probability": prior})
        real = Pipeline(trained.picture, fresh).compute_losses(loss)
        expected = total_loss([real], loss).classification.item()
        assert trained.compute_initial_loss(loss, prior) == pytest.approx(expected, rel=1e-4)


@pytest.mark.slow
def test_the_initial_loss_is_shown_with_and_without_the_prior():
    text = initial_loss(Pipeline(render_picture(Config().scenes), Config()))
    assert "π = 0.01" in text and "none, π = 0.5" in text and "focal" in text and "cross-entropy" in text
    same = initial_loss(pipeline(loss__kind="cross_entropy", model__prior_probability=0.5))
    assert same.count("<tr>") == 2 and same.count("<th ") == 2


@pytest.mark.slow
def test_a_slider_of_the_loss_runs_no_head_again(monkeypatch):
    before = initial_loss(pipeline(training__seed=77))  # a network no other test has asked for
    monkeypatch.setattr("playground.pipeline.losses.compute_initial_logits", None)  # would raise
    assert initial_loss(pipeline(training__seed=77, loss__alpha=0.31, loss__gamma=1.7)) != before


@pytest.mark.parametrize("size", [96, 256])
def test_the_map_of_the_loss_adds_up_to_it(size):
    """The loss of every level is spread over the picture without a remainder; that of P3 stays at its location."""
    here = pipeline(inference__image_size=size)
    paid, grid = here.losses.classification, here.grid
    found = spread(paid, grid)
    assert found.shape == grid.grids[0] and found.sum().item() == pytest.approx(paid.sum().item(), rel=1e-3)
    fine = paid[: grid.counts[0]].view(*grid.grids[0], -1).sum(dim=2)
    assert (found >= fine - 1e-6).all()


def test_effective_number_by_hand():
    assert effective_number(torch.ones(7)) == pytest.approx(7)
    assert effective_number(torch.tensor([5.0, 0, 0])) == pytest.approx(1)
    assert effective_number(torch.zeros(3)) == 0 and effective_number(torch.zeros(0)) == 0


def test_the_shares_of_the_loss_count_every_anchor():
    here = Pipeline(render_picture(Config().scenes), Config())
    text = shares(here)
    numbers = [int(cell.replace(",", "")) for cell in re.findall(r"<td>([\d,]+)</td>", text)]
    assert sum(numbers) == len(here.grid.boxes) and len(numbers) == 4  # foreground, hard and easy background, ignored
    drawn = [float(each) for each in re.findall(r"flex-grow:([\d.]+)", text)]
    assert sum(drawn) == pytest.approx(1, abs=1e-3)
    paid = here.losses.classification
    assert drawn[0] == pytest.approx((paid[here.match.foreground].sum() / paid.sum()).item(), abs=1e-3)


def test_the_histogram_of_confidence_counts_every_anchor():
    here = pipeline()
    background, ignored, foreground = (sum(group["y"]) for group in certainty(here)["data"])
    assert background == int((here.match.label == 0).sum()) and foreground == int(here.match.foreground.sum())
    assert background + ignored + foreground == len(here.grid.boxes)


@pytest.mark.slow
def test_the_concentration_of_scenes_is_that_of_their_anchors_together(monkeypatch):
    """Figure 4 for held-out scenes: the anchors of all of them together, whatever picture is on the page."""
    monkeypatch.setattr(module, "PICTURES", 2)
    here = pipeline(training__seed=78)
    data = SceneData(here.config.scenes, 2, "val")
    each = [
        Pipeline(picture_of_sample("x", data[index], data.class_names), here.config).anchor_logits for index in range(2)
    ]
    figure, held = module.concentration(here)
    assert figure["layout"]["title"]["text"] == "Cumulative loss of 2 held-out scenes"
    assert {trace.get("showlegend", True) for trace in figure["data"]} == {True}  # foreground, too
    together = compute_cumulative_loss(AnchorLogits.join(each).compute_losses(Loss(gamma=2))[1])
    cells = re.findall(r"<td>(.*?)</td>", held)
    assert cells[-5] == "2" and cells[-2:] == [percent(compute_hardest_share(together, share)) for share in (0.2, 0.01)]


@pytest.mark.slow
def test_beside_a_picture_of_a_data_set_the_figure_is_of_its_split(monkeypatch):
    data = SceneData(Config.from_flat(SMALL).scenes, 3, "val")
    monkeypatch.setattr(module, "open_source", lambda image_ref, scenes, visitor: data)
    monkeypatch.setattr(module, "source_key", lambda image_ref, *_: image_ref)
    config = Config.from_flat({**SMALL, "training.seed": 80})
    shown = picture_of_sample("x", data[0], data.class_names)

    def subject(image_ref, names=data.class_names):
        here = Pipeline(picture_of_sample("x", data[0], names), config, image_ref=image_ref)
        return module.logits_of_many(here)[1]

    assert not shown.is_scene and subject(None) == "this picture" == subject(ImageRef("photographs", "all"))
    assert subject(ImageRef("cells", "val")) == "3 pictures of cells, val"
    assert subject(ImageRef("my-" + "0" * 16, "all", 1)) == "3 pictures of Shared pictures, train"  # those with labels
    monkeypatch.setattr(module, "GFLOPS", 1e-6)
    assert subject(ImageRef("cells", "val")) == "this picture"  # for more there is no time
    monkeypatch.setattr(module, "GFLOPS", 400.0)
    monkeypatch.setattr(type(data), "class_names", ("cell",) * 6)
    assert subject(ImageRef("other", "val")) == "this picture"  # the network does not know the others' classes


@pytest.mark.slow
def test_scenes_are_evaluated_once_the_knob_is_released():
    config = Config.from_flat({**SMALL, "training.seed": 79})
    held = Pipeline(render_picture(config.scenes), config, postpone_slow=True)
    assert Pipeline(render_picture(config.scenes), config).network  # made before
    with pytest.raises(PostponedError, match="once you release the knob"):
        module.compute_logits(held, module._find_many(held))
    assert held.has_postponed and module.logits_of_many(held)[1] == "this picture"
