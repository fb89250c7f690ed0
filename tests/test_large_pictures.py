"""Small objects in a large picture are found in tiles, with the built-in weights."""

import pytest
import torch

from benchmarks.large_pictures import LONGEST, compose_picture, measure
from core.config import Config


def test_the_picture_is_composed_of_scenes_and_the_same_each_time():
    sample, again = compose_picture(300, 200, seed=1, scene=128), compose_picture(300, 200, seed=1, scene=128)
    assert sample.image.shape == (3, 200, 300) and torch.equal(sample.image, again.image)
    assert torch.equal(sample.boxes, again.boxes) and len(sample.boxes) == len(sample.labels) > 0
    sides = sample.boxes[:, 2:] - sample.boxes[:, :2]
    assert sides.min() > 0 and sides.max() <= LONGEST + 2
    assert sample.boxes.min() >= 0 and (sample.boxes.amax(dim=0)[2:] <= torch.tensor([300, 200])).all()


@pytest.mark.slow
def test_tiles_find_the_small_objects_of_a_large_picture():
    sample = compose_picture(1000, 800, seed=2)
    values = {"inference.max_detections": 300}
    whole = measure(sample, Config.from_flat(values))
    tiled = measure(sample, Config.from_flat({**values, "inference.tile_size": 256}))
    assert len(sample.boxes) == 30
    assert tiled.recall >= 0.85 and tiled.recall > whole.recall + 0.3
