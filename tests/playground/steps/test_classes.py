"""Who pays the loss by class, and the weights of classes on the page."""

import re

import pytest
import torch

from core.config import Config, Scenes
from core.data.sources import SceneData
from core.retinanet.losses import weigh_classes
from core.runs.splits import TRAINING_SCENES
from core.scenes.render import CLASS_NAMES
from playground.data.image_ref import ImageRef
from playground.data.picture import render_picture
from playground.data.training_objects import count_training_objects
from playground.pipeline.pipeline import Pipeline
from playground.steps.loss import classes
from playground.steps.loss.classes import list_class_payers, shares_by_class
from playground.steps.loss.shares import alternatives

SMALL = {
    "model.weights": "random", "model.fpn_channels": 32, "model.num_convs": 1, "inference.image_size": 96,
    "scenes.imbalance": 0.5, "scenes.max_objects": 12,
}  # fmt: skip
WEIGHTED = {"loss.class_weights": "inverse_frequency"}


def make_pipeline(settings: dict = {}, **options) -> Pipeline:  # noqa: B006 (never changed)
    config = Config.from_flat({**SMALL, **settings})
    return Pipeline(render_picture(config.scenes), config, **options)


def read_words(text: object) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", str(text)))


@pytest.mark.parametrize("settings", [{}, WEIGHTED, {"loss.kind": "ohem", **WEIGHTED}])
def test_the_shares_of_classes_and_background_are_the_whole(settings):
    here = make_pipeline(settings)
    payers, paid = list_class_payers(here), here.losses.classification
    foreground = paid[here.match.foreground].sum() / paid.sum()
    assert sum(each.share for each in payers) == pytest.approx(foreground.item(), rel=1e-5)
    assert sum(each.objects for each in payers) == len(here.labels)
    assert sum(each.anchors for each in payers) == int((here.match.foreground & here.losses.used).sum())
    assert [each.share for each in payers] == sorted((each.share for each in payers), reverse=True)
    assert {each.name for each in payers} == {CLASS_NAMES[label] for label in here.labels.tolist()}


def test_the_picture_pays_by_the_weights_of_a_run():
    plain, weighted = make_pipeline(), make_pipeline(WEIGHTED)
    data = SceneData(weighted.config.scenes, TRAINING_SCENES, "train")
    weights = weigh_classes(data.class_counts.tolist(), weighted.config.loss)
    assert torch.equal(weighted.weigh_classes(weighted.config.loss), weights)
    own = weights[weighted.labels[weighted.match.object[weighted.match.foreground]]]
    foreground = weighted.match.foreground
    expected = plain.losses.classification[foreground] * own
    assert torch.allclose(weighted.losses.classification[foreground], expected)
    assert torch.equal(weighted.losses.classification[~foreground], plain.losses.classification[~foreground])
    assert {each.weight for each in list_class_payers(plain)} == {1.0}


def test_the_table_of_losses_has_the_weights():
    here = make_pipeline(WEIGHTED)
    share = sum(each.share for each in list_class_payers(here))
    row = re.search(r"focal \(chosen\)\s+(\S+)%", read_words(alternatives(here)))
    assert float(row[1]) == pytest.approx(100 * share, abs=0.51)


def test_where_the_weights_are_from_is_said(monkeypatch):
    assert "weighs by its class" not in read_words(shares_by_class(make_pipeline()))
    words = read_words(shares_by_class(make_pipeline({"loss.class_weights": "effective_number"})))
    assert "train on, in 100,000 scenes with these settings, as expected:" in words and f"{CLASS_NAMES[0]} " in words
    monkeypatch.setattr(classes, "MAX_ROWS", 1)
    assert re.search(r"\d other classes", read_words(shares_by_class(make_pipeline())))


def test_data_without_training_pictures_has_weights_of_one():
    gone = ImageRef("no-such-data", "train", 0)
    assert count_training_objects(gone, Scenes(), "").counts == {}
    here = make_pipeline(WEIGHTED, image_ref=gone)
    assert here.weigh_classes(here.config.loss).tolist() == [1] * 6
    assert "the data set no-such-data give" not in read_words(shares_by_class(here))
    assert "Class weights are 1: there are no training objects in the data set no-such-data." in read_words(
        shares_by_class(here)
    )


def test_a_picture_without_objects_has_no_table():
    assert shares_by_class(make_pipeline({"scenes.empty_share": 1.0})) == ""
