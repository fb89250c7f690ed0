"""Copy-paste: objects of another picture, and what is left of those that they cover."""

import pytest
import torch

from core.training.augmentation.copy_paste import MAX_PASTED, paste_objects
from tests.core.training.augmentation.samples import assert_sound, equal, generator, make_sample, paint


@pytest.fixture
def at(monkeypatch):
    """Replaces the random numbers: all objects are pasted, in order, the patches at the given shares of their range."""

    def replace(*places: tuple[float, float]) -> None:
        numbers = iter([torch.tensor([0.999]), *map(torch.tensor, places)])
        monkeypatch.setattr(torch, "rand", lambda *size, generator: next(numbers))
        monkeypatch.setattr(torch, "randperm", lambda count, generator: torch.arange(count))

    return replace


def test_a_paste_by_hand(at):
    at((1 - 1e-6, 0.0))
    sample, source = make_sample([[0, 0, 20, 20]], image_id=1), make_sample([[10.5, 4, 19.5, 9]], seed=1, image_id=2)
    pasted = paste_objects(sample, source, generator())
    expected = sample.image.clone()
    expected[:, 0:5, 50:60] = source.image[:, 4:9, 10:20]  # the pixels that the box touches
    assert torch.equal(pasted.image, expected)
    assert pasted.boxes.tolist() == [[0, 0, 20, 20], [50.5, 0, 59.5, 5]]
    assert pasted.image_id == 1
    assert equal(sample, make_sample([[0, 0, 20, 20]], image_id=1))


def test_boxes_shrink_to_what_is_visible_and_vanish_when_mostly_covered(at):
    """The patch covers columns 30 to 60 of rows 0 to 40."""
    at((1 - 1e-6, 0.0))
    boxes = [
        [10, 0, 60, 40],  # 2 of 5 columns are left: shrinks
        [20, 0, 60, 40],  # 1 of 4: just enough
        [21, 0, 60, 40],  # 9 of 39: dropped
        [40, 10, 50, 20],  # covered
        [0, 0, 30, 40],  # untouched
        [28.5, 0, 31, 8],  # 1.5 of 2.5
    ]
    source = make_sample([[0, 0, 30, 40]], seed=1)
    pasted = paste_objects(make_sample(boxes), source, generator())
    assert pasted.labels.tolist() == [0, 1, 4, 5, 0]
    assert pasted.boxes[:4].tolist() == [[10, 0, 30, 40], [20, 0, 30, 40], [0, 0, 30, 40], [28.5, 0, 30, 8]]


def test_a_covered_corner_or_middle_leaves_the_box(at):
    at((0.0, 0.0))
    pasted = paste_objects(make_sample([[0, 0, 20, 20]]), make_sample([[0, 0, 10, 10]], seed=1), generator())
    assert pasted.boxes.tolist() == [[0, 0, 20, 20], [0, 0, 10, 10]]


def test_two_patches_together_cover_an_object(at):
    """Each leaves half of it visible, both nothing; the later patch is on top of the earlier one."""
    at((0.0, 0.0), (10 / 51, 0.0))
    source = make_sample([[0, 0, 12, 20], [20, 0, 30, 20]], seed=1)
    pasted = paste_objects(make_sample([[0, 0, 20, 20]]), source, generator())
    assert pasted.boxes.tolist() == [[0, 0, 10, 20], [10, 0, 20, 20]]
    assert pasted.labels.tolist() == [0, 1]
    assert torch.equal(pasted.image[:, :20, 10:20], source.image[:, :20, 20:30])


def test_what_a_patch_shows_of_others_comes_with_it(at):
    """A quarter of an object's box at least; the second is pasted too, on top."""
    at((0.0, 0.0), (1 - 1e-6, 1 - 1e-6), (1 - 1e-6, 1 - 1e-6))
    source = make_sample([[0, 0, 20, 20], [15, 0, 35, 20], [16, 0, 36, 20]], seed=1)
    pasted = paste_objects(make_sample([]), source, generator())
    assert pasted.labels.tolist()[:2] == [0, 1]
    assert pasted.boxes[:2].tolist() == [[0, 0, 20, 20], [15, 0, 20, 20]]


def test_objects_are_scaled_to_the_same_shorter_side(at):
    at((0.0, 0.0))
    source = make_sample([[10, 10, 30, 40]], (80, 90), seed=1)
    assert paste_objects(make_sample([]), source, generator()).boxes.tolist() == [[0, 0, 10, 15]]


def test_what_does_not_fit_is_left_out(at):
    at((0.0, 0.0))
    sample = make_sample([[0, 0, 20, 20]])
    assert equal(paste_objects(sample, make_sample([[0, 0, 61, 40]], (40, 200)), generator()), sample)


def test_crowds_are_never_pasted_on_their_own():
    source = make_sample([[0, 0, 10, 10], [20, 20, 25, 25]], seed=1, crowd=[True, False])
    for seed in range(20):
        pasted = paste_objects(make_sample([]), source, generator(seed))
        assert pasted.labels.tolist() == [1] and not pasted.crowd.any()


@pytest.mark.parametrize("source", [make_sample([], seed=1), make_sample([[0, 0, 9, 9]], seed=1, crowd=[True])])
def test_nothing_to_paste_leaves_the_sample(source):
    sample = make_sample([[0, 0, 20, 20]])
    assert equal(paste_objects(sample, source, generator()), sample)


@pytest.mark.slow
def test_the_number_of_objects_is_uniform_up_to_its_bound():
    many = paint([[2 * column, 2 * row, 2 * column + 1, 2 * row + 1] for row in range(5) for column in range(5)],
                 (40, 60), 0)  # fmt: skip
    three = paint([[0, 0, 1, 1], [3, 0, 4, 1], [6, 0, 7, 1]], (40, 60), 0)
    counts = {1: 0, 2: 0, 3: 0}
    for seed in range(300):
        sample = make_sample([], (4000, 6000) if seed == 0 else (40, 60))
        counts[len(paste_objects(sample, three, generator(seed)).boxes)] += seed > 0
        if seed < 40:
            assert len(paste_objects(make_sample([]), many, generator(seed)).boxes) <= MAX_PASTED
    assert all(70 <= count <= 130 for count in counts.values())


@pytest.mark.slow
def test_every_paste_is_sound_repeatable_and_boxes_are_of_what_is_visible():
    """Every kept box is the smallest around the visible pixels of its object, which has a colour of its own.

    Less than a quarter of each dropped one is visible.
    """
    for seed in range(150):
        rng = generator(seed)
        sample, source = (_colour(rng, first) for first in (0, 10))
        pasted = paste_objects(sample, source, generator(seed))
        assert_sound(pasted)
        assert equal(pasted, paste_objects(sample, source, generator(seed)))
        kept = dict(zip(pasted.labels.tolist(), pasted.boxes.tolist(), strict=True))
        for label, box in enumerate(sample.boxes):
            rows, columns = (pasted.image[0] == 100 + label).nonzero().unbind(dim=1)
            assert (len(rows) >= 0.25 * (box[2:] - box[:2]).prod()) == (label in kept)
            if label in kept:
                assert kept[label] == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert set(kept) - set(range(4))  # something was pasted


def _colour(rng: torch.Generator, first: int):
    """Returns a picture of four objects that do not overlap, in the colours 100 + label, labels from a number on."""
    boxes = []
    for left, top in ((0, 0), (30, 0), (0, 20), (30, 20)):
        size = torch.randint(2, 20, (2,), generator=rng).tolist()
        boxes.append([left, top, left + size[0], top + size[1]])
    sample = make_sample(boxes)
    image = torch.zeros_like(sample.image)
    for number, (x1, y1, x2, y2) in enumerate(boxes):
        image[:, y1:y2, x1:x2] = 100 + first + number
    return sample._replace(image=image, labels=sample.labels + first)
