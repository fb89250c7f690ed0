import pytest
import torch

from core.config import Config
from core.errors import PictureError
from core.retinanet.assigners import NetworkView
from core.retinanet.heads import prior_logit
from core.retinanet.losses import batch_losses, total_loss
from core.retinanet.postprocess import KEPT
from core.retinanet.predict import detect
from core.weights.sources import WeightsError
from playground.data.picture import render_picture
from playground.pipeline import assignment, inputs, outputs
from playground.pipeline.networks import network_of
from playground.pipeline.pipeline import Pipeline

SMALL = {"model.weights": "random", "model.fpn_channels": 32, "model.num_convs": 1, "inference.image_size": 96}


def make(**changes) -> Pipeline:
    config = Config.from_flat({**SMALL, **{key.replace("__", "."): value for key, value in changes.items()}})
    return Pipeline(render_picture(config.scenes), config)


def test_the_pipeline_shows_what_the_core_computes():
    """The page's numbers are the core's own, for the same picture, settings and weights."""
    here = make(inference__score_threshold=0.009)
    found = detect(here.network.model, [here.picture.sample.image], here.config)[0]
    kept = here.fates.order
    assert (here.fates.fate == KEPT).sum() == len(kept) == len(found.scores) > 0
    assert torch.equal(here.candidates.box[kept] * here.batch.factors[0], found.boxes)
    sample = here.picture.sample
    expected = batch_losses(here.prediction.outputs, here.batch, [sample], here.config)
    assert torch.allclose(here.losses.classification, expected[0].classification)
    assert total_loss([here.losses], here.config.loss).total > 0


def test_moving_a_threshold_runs_neither_network_nor_matching_again(monkeypatch):
    first = make(scenes__seed=5)
    assert first.fates and first.match
    monkeypatch.setattr(outputs, "predict", None)
    monkeypatch.setattr(inputs, "match_anchors", None)
    moved = make(scenes__seed=5, inference__nms_threshold=0.2, loss__gamma=1)
    assert moved.prediction.outputs is first.prediction.outputs and moved.match is first.match
    assert moved.network is first.network and moved.losses.used.any()


def test_an_assignment_that_compares_too_many_scores_is_refused_before_the_work(monkeypatch):
    here = make(matching__assigner="simota", scenes__seed=91)
    boxes, (height, width) = here.objects[0], here.batch.pixels.shape[-2:]
    shares = [(x2 - x1) * (y2 - y1) / (height * width) for x1, y1, x2, y2 in boxes.tolist()]
    scores = sum(shares) * here.prediction.outputs.logits[0].numel()
    monkeypatch.setattr(assignment, "MAX_SCORES", 0.99 * scores)
    with pytest.raises(PictureError, match=r"^SimOTA compares .* objects? here, and this page at most"):
        _ = here.match
    assert make(matching__assigner="atss", scenes__seed=91).match.foreground.any()
    monkeypatch.setattr(assignment, "MAX_SCORES", 1.01 * scores)
    assert make(matching__assigner="simota", scenes__seed=91).match.foreground.any()


def test_losses_follow_the_names_of_the_objects_whatever_their_numbers():
    """A class that is renamed keeps its number, but it is another one of the network's."""
    here = make(scenes__seed=92)
    sample, names = here.picture.sample, here.picture.class_names
    renamed = here.picture.with_objects(sample.boxes, sample.labels, (*names[1:], names[0]))
    assert here.losses.classification.sum() != Pipeline(renamed, here.config).losses.classification.sum()
    same = here.picture.with_objects(sample.boxes, sample.labels, (*names, "another"))
    assert Pipeline(same, here.config).losses is here.losses  # no object is of that class


def test_the_initial_loss_follows_the_seed_of_its_new_heads():
    """Otherwise it would be that of the seed before, although trained weights stay the same under any seed."""
    usual = {"model__weights": "builtin", "model__fpn_channels": 64, "model__num_convs": 4}
    seeds = [make(**usual, training__seed=seed) for seed in (0, 1, 0)]
    first, second, again = (here.compute_initial_loss(here.config.loss, 0.01) for here in seeds)
    assert seeds[0].outputs_key == seeds[1].outputs_key
    assert first == again != second


@pytest.mark.slow
def test_a_setting_recomputes_what_depends_on_it():
    one = make(scenes__seed=6)
    assert make(scenes__seed=7).prediction.outputs is not one.prediction.outputs
    assert make(scenes__seed=6, inference__image_size=128).prediction.outputs is not one.prediction.outputs
    assert make(scenes__seed=6, inference__image_size=128).network is one.network
    assert make(scenes__seed=6, model__num_convs=2).network is not one.network
    assert make(scenes__seed=6, matching__fg_iou_threshold=0.6).match is not one.match
    assert make(scenes__seed=6, anchors__size_p3=20).match is not one.match


@pytest.mark.slow
def test_only_an_assigner_that_looks_at_the_outputs_runs_the_network(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(outputs, "predict", None)
        matches = [make(scenes__seed=9, matching__assigner=name).match for name in ("max_iou", "atss")]
        with pytest.raises(TypeError):
            assert make(scenes__seed=9, matching__assigner="simota").match
    settings = {"scenes__seed": 9, "matching__assigner": "simota"}
    one = make(**settings)
    assert not any(torch.equal(one.match.label, each.label) for each in matches)
    assert make(**settings, loss__gamma=1).match is one.match
    other = make(**settings, training__seed=1)  # another network: its heads are initialised at random
    assert other.match is not one.match and not torch.equal(other.match.label, one.match.label)
    expected = batch_losses(one.prediction.outputs, one.batch, [one.picture.sample], one.config)
    assert torch.allclose(one.losses.classification, expected[0].classification)


def test_the_first_loss_is_that_of_the_assignment_by_the_first_outputs():
    here = make(scenes__seed=9, matching__assigner="simota")
    first = here.match_initially(0.01)
    assert first is here.match_initially(0.01) is not here.match
    logits, deltas = (here._compute_initial(each) for each in ("logits", "deltas"))
    assert torch.equal(first.label, here.assign(NetworkView(logits + prior_logit(0.01), deltas, here.labels)).label)
    assert here.compute_initial_loss(here.config.loss, 0.01) > 0
    fixed = make(scenes__seed=9)
    assert fixed.match_initially(0.01) is fixed.match


def test_drawn_objects_change_the_assignment_but_not_the_outputs():
    one = make(scenes__seed=8)
    other = one.picture.with_objects(torch.tensor([[10.0, 10, 200, 200]]), torch.tensor([1]), ("a", "b"))
    edited = Pipeline(other, one.config)
    assert edited.prediction.outputs is one.prediction.outputs and edited.match is not one.match
    assert len(edited.objects[0]) == 1


def test_classes_the_weights_do_not_know_are_named():
    one = make()
    strange = one.picture.with_objects(torch.tensor([[10.0, 10, 200, 200]]), torch.tensor([0]), ("zebra",))
    with pytest.raises(WeightsError, match="zebra"):
        assert Pipeline(strange, one.config).labels


def test_a_missing_weights_file_is_named(tmp_path):
    with pytest.raises(WeightsError, match=r"weights file"):
        assert make(model__weights=str(tmp_path / "none.safetensors")).network is None


@pytest.mark.slow
def test_the_network_is_built_once_per_seed():
    assert make().network.model is make().network.model
    assert make(training__seed=1).network.model is not make().network.model


@pytest.mark.slow
def test_a_new_network_waits_until_the_knob_is_released_but_its_size_does_not():
    config = Config.from_flat({**SMALL, "model.weights": "random", "training.seed": 78})
    held = Pipeline(render_picture(config.scenes), config, postpone_slow=True)
    with pytest.raises(WeightsError, match="once you release the knob"):
        _ = held.network
    assert held.costs.gflops > 0 and len(held.parts) == 8
    assert held.costs == Pipeline(held.picture, config).costs


@pytest.mark.slow
def test_the_seed_only_matters_to_networks_with_random_weights():
    config = Config()
    other = config.replace({"training.seed": 79, "model.prior_probability": 0.3})
    assert network_of(other) is network_of(config)
    new = {"model.heads": "new"}
    assert network_of(other.replace(new)) is not network_of(config.replace(new))


@pytest.mark.slow
def test_a_large_network_waits_until_the_knob_is_released(monkeypatch):
    monkeypatch.setattr(outputs, "QUICK_GFLOPS", 0.0)
    config = Config.from_flat({**SMALL, "training.seed": 77})
    picture = render_picture(config.scenes)
    held = Pipeline(picture, config, postpone_slow=True)
    for part in ("network", "prediction", "pyramid"):
        with pytest.raises(WeightsError, match="once you release the knob"):
            getattr(held, part)
    of_outputs = ("candidates", "level_counts", "fates", "suppressors", "losses", "anchor_logits")
    for part in of_outputs:
        with pytest.raises(WeightsError, match="once you release the knob"):
            getattr(Pipeline(picture, config, postpone_slow=True), part)
        assert getattr(Pipeline(picture, config), part)  # the cache does not keep the error
        config = config.replace({"training.seed": config.training.seed + 1})
    assert (
        Pipeline(picture, config).prediction.outputs is Pipeline(picture, config, postpone_slow=True).prediction.outputs
    )  # cached by now
    monkeypatch.setattr(outputs, "QUICK_GFLOPS", 1e9)
    assert Pipeline(picture, config, postpone_slow=True).pyramid


@pytest.mark.slow
def test_targets_that_are_ious_follow_the_boxes_and_the_assignment():
    """What changes the network's boxes, the anchors or the assignment changes them; a setting of the loss does not."""
    first = make(loss__kind="quality_focal")
    assert make(loss__kind="varifocal", loss__quality_beta=1).predicted_ious is first.predicted_ious
    assert len(first.predicted_ious) == int(first.match.foreground.sum()) > 0
    for changes in ({"training__seed": 5}, {"anchors__size_p3": 17}, {"matching__fg_iou_threshold": 0.6}):
        other = make(loss__kind="quality_focal", **changes)
        assert other.predicted_ious.tolist() != first.predicted_ious.tolist(), changes
        assert other.losses.classification.sum() != first.losses.classification.sum(), changes
