from types import SimpleNamespace

import psutil
import pytest
import torch

from core.analysis.model_costs import estimate_costs
from core.config import Config
from core.errors import PictureError
from playground.pipeline.effort import (
    estimate_all_gflops,
    estimate_cache,
    estimate_gflops,
    estimate_run_gflops,
    is_heavy,
    require_memory_to_train,
)
from playground.support import sizes

SCALES, RATIOS = (1.0, 1.1, 1.2, 1.3, 1.4, 1.5), (0.25, 0.33, 0.5, 0.67, 1.0, 1.5, 2.0, 3.0, 4.0)
RANDOM = {"model.weights": "random"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {}, {"model.depth": 50, "model.fpn_channels": 256}, {"model.depth": 152, "inference.image_size": 512},
        {"inference.image_size": 1600}, {"model.num_convs": 0}, {"model.fpn_channels": 512, "model.depth": 34},
        {"model.depth": 101, "model.fpn_channels": 32}, {"anchors.scales": SCALES, "anchors.ratios": RATIOS},
        {"model.weights": "coco", "model.depth": 50, "model.fpn_channels": 256, "inference.image_size": 800},
    ],
)  # fmt: skip
def test_the_estimate_agrees_with_the_counted_operations(changes):
    config = Config.from_flat({**RANDOM, **changes})
    side = config.inference.image_size
    classes = 90 if config.model.weights == "coco" else 6
    counted = estimate_costs(
        config.model, num_classes=classes, anchors_per_location=config.anchors.per_location, height=side, width=side,
        batch_size=1,
    ).gflops  # fmt: skip
    assert estimate_gflops(config, side**2) == pytest.approx(counted, rel=0.3)
    assert estimate_gflops(config, side**2, classes) == pytest.approx(counted, rel=0.3)


def test_many_classes_cost_more():
    config = Config.from_flat({**RANDOM, "model.fpn_channels": 256})
    counted = estimate_costs(
        config.model, num_classes=1000, anchors_per_location=9, height=256, width=256, batch_size=1
    ).gflops
    assert counted > 2 * estimate_gflops(config, 256**2)
    assert estimate_gflops(config, 256**2, 1000) == pytest.approx(counted, rel=0.3)


def test_a_run_takes_its_steps_and_its_evaluations():
    changes = {"training.steps": 10, "training.batch_size": 4, "training.eval_interval": 5}
    config = Config.from_flat({**RANDOM, **changes, "inference.test_time_flip": True})
    once, seen = estimate_gflops(config, 256**2, 6), estimate_all_gflops(config, 256, 256, 6)
    assert seen == pytest.approx(2 * once)
    trained = 10 * 4 * 3 * once
    assert estimate_run_gflops(config, 256, 256, 6, 7) == pytest.approx(trained + 3 * 7 * seen)
    config = config.replace({"training.eval_interval": 0})
    assert estimate_run_gflops(config, 256, 256, 6, 7) == pytest.approx(trained + 7 * seen)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, False),
        ({"inference.image_size": 512}, False),
        ({"model.depth": 50}, False),
        ({"inference.score_threshold": 0.0}, False),
        ({"inference.image_size": 1600}, True),
        ({"model.depth": 152}, True),
        ({"inference.image_size": 512, "anchors.scales": SCALES, "anchors.ratios": RATIOS}, True),
        ({"inference.image_size": 512, "inference.topk_candidates": 10000, "anchors.scales": SCALES}, True),
        ({"inference.tile_size": 64}, True),
        ({"inference.tile_size": 256}, False),  # the picture is no larger than a tile
        ({"inference.image_size": 1600, "inference.max_image_size": 256}, False),
    ],
)  # fmt: skip
def test_only_what_takes_much_longer_than_usual_is_heavy(changes, expected):
    config = Config.from_flat({**RANDOM, **changes})
    assert is_heavy(config, 256, 256) is expected


def test_training_that_needs_most_of_the_memory_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(sizes, "MEMORY_LIMITS", ())
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=8e9))
    require_memory_to_train(Config(), 256, 256, 6, 100)
    much = {**RANDOM, "model.depth": 152, "inference.image_size": 800, "training.batch_size": 16}
    said = r"^The training would take about \d+ GB of memory, and this server has 8 GB .* raise “Gradient"
    with pytest.raises(PictureError, match=said):
        require_memory_to_train(Config.from_flat(much), 600, 800, 6, 100)
    require_memory_to_train(Config.from_flat({**much, "training.accumulation": 16}), 600, 800, 6, 100)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    require_memory_to_train(Config.from_flat(much), 600, 800, 6, 100)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=512e9))
    require_memory_to_train(Config.from_flat(much), 600, 800, 6, 100)


@pytest.mark.parametrize(("depth", "expected"), [(18, 14 * 256), (50, 56 * 256)])
def test_the_feature_cache_counts_up_to_its_bound(depth, expected):
    """C3 of a picture of 16 × 16 px has 128 or 512 channels of 2 × 2 values of 4 bytes; C4 has half, C5 a quarter."""
    settings = {**RANDOM, "model.depth": depth, "model.freeze_stages": 5, "training.cache_features": 1}
    config = Config.from_flat({**settings, "training.steps": 100, "training.batch_size": 8})
    assert estimate_cache(config, 16 * 16, 3) == 2 * 3 * expected
    assert estimate_cache(config.replace({"training.steps": 1, "training.batch_size": 5}), 256, 3) == 5 * expected
    assert estimate_cache(config, 800 * 800, 400) == 1e6
    assert estimate_cache(config.replace({"training.cache_features": 0}), 256, 3) == 0


def test_a_feature_cache_that_fills_the_memory_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(sizes, "MEMORY_LIMITS", ())
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=16e9))
    settings = {**RANDOM, "model.depth": 50, "model.freeze_stages": 5, "training.cache_features": 50_000}
    large = Config.from_flat({**settings, "inference.image_size": 800, "training.batch_size": 1})
    large = large.replace({"training.steps": 5000})
    require_memory_to_train(large, 800, 800, 6, 10)
    with pytest.raises(PictureError, match="“Feature cache”"):
        require_memory_to_train(large, 800, 800, 6, 1000)


def test_the_shape_of_the_picture_matters():
    config = Config.from_flat({"inference.image_size": 512, "inference.max_image_size": 2666})
    assert not is_heavy(config, 512, 512) and is_heavy(config, 400, 2000)
