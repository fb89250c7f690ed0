"""Mosaic: four pictures in one."""

import pytest
import torch

from core.training.augmentation.mosaic import make_mosaic
from tests.core.training.augmentation.samples import assert_sound, equal, generator, make_sample, paint


@pytest.fixture
def drawn(monkeypatch):
    """Replaces the random numbers of the mosaic: those of the point, then scale, x and y of each picture."""

    def replace(*numbers: float) -> None:
        monkeypatch.setattr(torch, "rand", lambda *size, generator: torch.tensor(numbers))

    return replace


def test_a_mosaic_by_hand(drawn):
    """Scales that fill the whole, parts at the top left: each quadrant has the size of its part."""
    drawn(0.5, 0.0, *[1, 0, 0] * 4)
    samples = [make_sample([[0, 0, 8, 8], [30, 0, 34, 4]], (40, 60), image_id=each, seed=each) for each in range(4)]
    mosaic = make_mosaic(samples, generator())
    # The point is at (30, 10): half the way from 15 to 45, and a quarter of 40.
    assert torch.equal(mosaic.image[:, :10, :30], samples[0].image[:, :10, :30])
    assert torch.equal(mosaic.image[:, :10, 30:], samples[1].image[:, :10, :30])
    assert torch.equal(mosaic.image[:, 10:, :30], samples[2].image[:, :30, :30])
    assert torch.equal(mosaic.image[:, 10:, 30:], samples[3].image[:, :30, :30])
    assert mosaic.boxes.tolist() == [[0, 0, 8, 8], [30, 0, 38, 8], [0, 10, 8, 18], [30, 10, 38, 18]]
    assert mosaic.labels.tolist() == [0] * 4 and mosaic.image_id == 0


def test_the_smallest_scale_shows_all_that_fits(drawn):
    """With the point in the middle, every picture is seen whole at half its size."""
    drawn(0.5, 0.5, *[0, 0.9, 0.9] * 4)
    mosaic = make_mosaic([make_sample([[0, 0, 60, 40], [8, 4, 20, 12]])] * 4, generator())
    assert mosaic.boxes[:2].tolist() == [[0, 0, 30, 20], [4, 2, 10, 6]]
    assert mosaic.boxes[-2:].tolist() == [[30, 20, 60, 40], [34, 22, 40, 26]]
    assert len(mosaic.boxes) == 8


def test_an_object_of_which_too_little_is_left_is_dropped(drawn):
    drawn(0.5, 0.5, *[1, 0, 0] * 4)  # parts of 30 × 20
    boxes = [[20, 0, 60, 20], [23, 0, 60, 20], [0, 15, 30, 40]]  # left: 10 of 40 columns, 7 of 37, 5 of 25 rows
    assert make_mosaic([make_sample(boxes), *[make_sample([])] * 3], generator()).boxes.tolist() == [[20, 0, 30, 20]]


SIZES = [(40, 60), (40, 60), (61, 33), (200, 10), (1, 1), (2, 3)]


@pytest.mark.slow
def test_every_mosaic_is_sound_repeatable_and_full():
    for seed in range(200):
        rng = generator(seed)
        sizes = [SIZES[int(each)] for each in torch.randint(0, len(SIZES), (4,), generator=rng)]
        samples = [paint([[0, 0, w, h], [w // 3, h // 3, w // 3 + 1, h // 3 + 1]], (h, w), 9) for h, w in sizes]
        mosaic = make_mosaic(samples, generator(seed))
        assert_sound(mosaic)
        assert equal(mosaic, make_mosaic(samples, generator(seed)))
        assert mosaic.image.shape == samples[0].image.shape
        assert ((mosaic.image == 255) | (mosaic.image >= 9)).all()  # every pixel comes from a picture


@pytest.mark.slow
def test_boxes_enclose_what_they_enclosed():
    """White objects on black: a pixel that is wholly white is inside a box, and boxes of kept objects are white."""
    for seed in range(100):
        samples = [paint([[5, 5, 25, 15], [30, 20, 58, 39]], (40, 60), 0) for _ in range(4)]
        mosaic = make_mosaic(samples, generator(seed))
        for box in mosaic.boxes:
            x1, y1 = (box[:2] + 1.5).ceil().int().tolist()
            x2, y2 = (box[2:] - 1.5).floor().int().tolist()
            inside = mosaic.image[:, y1:y2, x1:x2]
            assert inside.numel() == 0 or inside.min() > 250


@pytest.mark.slow
def test_the_point_reaches_its_range_and_no_further():
    black, white = paint([], (40, 60), 0), paint([], (40, 60), 255)
    widths = [int((make_mosaic([black, *[white] * 3], generator(seed)).image[0, 0] == 0).sum()) for seed in range(300)]
    assert min(widths) in (15, 16) and max(widths) in (44, 45)


def test_a_side_of_one_pixel_cannot_be_divided():
    sample = make_sample([[0, 0, 60, 1]], (1, 60))
    assert make_mosaic([sample, *[make_sample([])] * 3], generator()) is sample


def test_crowds_stay_crowds():
    samples = [make_sample([[0, 0, 60, 40]], crowd=[index == 2]) for index in range(4)]
    mosaic = make_mosaic(samples, generator())
    assert mosaic.crowd.tolist() == [False, False, True, False]


def test_a_mosaic_is_of_pictures_that_stay_as_they_were():
    samples = [make_sample([[1, 2, 30, 20]], seed=seed) for seed in range(4)]
    make_mosaic(samples, generator())
    assert all(equal(each, make_sample([[1, 2, 30, 20]], seed=seed)) for seed, each in enumerate(samples))
