"""Scale jitter: larger and smaller views in an image of the same size."""

import pytest
import torch

from core.training.augmentation.zoom import zoom
from tests.core.training.augmentation.samples import assert_sound, equal, generator, make_sample

GREY = [124, 116, 104]  # 255 · (0.485, 0.456, 0.406)


def test_a_factor_of_one_changes_nothing():
    sample = make_sample([[1, 2, 30, 20], [0, 0, 60, 40]])
    assert equal(zoom(sample, 1, 0, (0.5, 0.5)), sample)


def test_larger_by_hand():
    """The part of 30 × 20 at the top left is shown at twice its size."""
    sample = make_sample([[2, 4, 12, 14], [20, 0, 50, 10], [28, 16, 34, 22]])
    larger = zoom(sample, 2, 0, (0, 0))
    assert larger.image.shape == sample.image.shape
    assert larger.boxes.tolist() == [[4, 8, 24, 28]]  # the centres of the others, (35, 5) and (31, 19), are outside
    assert larger.labels.tolist() == [0]


def test_smaller_by_hand():
    sample = make_sample([[2, 4, 12, 14], [0, 0, 60, 40]])
    smaller = zoom(sample, 0.5, 0, (1 - 1e-9, 0))
    assert smaller.boxes.tolist() == [[31, 2, 36, 7], [30, 0, 60, 20]]
    assert smaller.image[:, 0, 0].tolist() == smaller.image[:, 39, 59].tolist() == GREY
    assert (smaller.image[:, 20:] == torch.tensor(GREY, dtype=torch.uint8)[:, None, None]).all()
    assert smaller.image[:, :20, 30:].float().std() > 10  # the picture


def test_a_picture_of_one_pixel_stays():
    sample = make_sample([[0, 0, 1, 1]], (1, 1))
    assert equal(zoom(sample, 0.1, 0, (0.5, 0.5)), sample) and equal(zoom(sample, 1.9, 0, (0.5, 0.5)), sample)


@pytest.mark.slow
@pytest.mark.parametrize("boxes", [[], [[0, 0, 4, 4], [56, 36, 60, 40]], [[29, 19, 31, 21]]])
def test_every_view_is_sound_and_keeps_an_object(boxes):
    sample = make_sample(boxes)
    rng = generator()
    kept = set()
    for _ in range(200):
        factor, of_object, x, y = torch.rand(4, generator=rng).tolist()
        changed = zoom(sample, 0.1 + 1.8 * factor, of_object, (x, y))
        assert_sound(changed)
        assert changed.image.shape == sample.image.shape
        assert len(changed.boxes) >= min(1, len(boxes))
        kept |= set(changed.labels.tolist())
    assert kept == set(range(len(boxes)))


def test_it_does_not_change_the_sample():
    sample = make_sample([[1, 2, 30, 20]])
    for factor in (0.5, 1.5):
        zoom(sample, factor, 0.5, (0.5, 0.5))
    assert equal(sample, make_sample([[1, 2, 30, 20]]))
