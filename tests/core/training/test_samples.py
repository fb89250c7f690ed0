"""The stream of training samples: what is combined with what, and that a sample depends on its position alone."""

from itertools import chain

import pytest
import torch

from core.config import Config
from core.data.dataset import DataSet
from core.errors import PictureError
from core.evaluation.damage import DamagedPictures
from core.structures import Sample
from core.training.augmentation.augment import augment
from core.training.augmentation.combine import combine
from core.training.distributed import make_accelerator
from core.training.loading import load_batches
from core.training.samples import TrainingStream
from tests.core.tiny import tiny
from tests.core.training.augmentation.samples import equal, generator, make_sample

BOTH = {"training__mosaic_probability": 0.5, "training__copy_paste_probability": 0.5}


class Pictures(DataSet):
    """Pictures of two objects each, of which some are damaged; counts how often each is read."""

    class_names = ("cat", "dog")

    def __init__(self, count: int, damaged: tuple[int, ...] = ()) -> None:
        self.count, self.damaged = count, damaged
        self.reads = [0] * count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Sample:
        self.reads[index] += 1
        if index in self.damaged:
            raise PictureError(f"The picture {index}.png cannot be decoded: save it again.")
        return make_sample([[2, 2, 20, 20], [30, 10, 50, 38]], image_id=index, seed=index)


def settings(**changes) -> Config:
    return tiny(**{"training__batch_size": 4, "training__steps": 6, "training__eval_interval": 0, **changes})


def test_without_combining_every_sample_is_what_it_was():
    """The order and the random numbers of earlier versions, spelled out."""
    data, config = Pictures(5), settings(training__scale_jitter=0.5, training__crop_probability=0.5)
    stream = TrainingStream(data, config)
    for position in range(15):
        seed = hash((0, position // 5, 5)) & 0xFFFFFFFF
        order = torch.randperm(5, generator=generator(seed)).tolist()
        own = generator(hash((0, position)) & 0xFFFFFFFF)
        assert equal(stream[position].sample, augment(data[order[position % 5]], config.training, own))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mosaic", "copy_paste"])
def test_the_probability_is_the_share_of_samples(name):
    plain = TrainingStream(Pictures(40), settings())
    for probability, fewest, most in ((0.25, 15, 35), (1, 100, 100)):
        changed = TrainingStream(Pictures(40), settings(**{f"training__{name}_probability": probability}))
        count = sum(not equal(changed[position].sample, plain[position].sample) for position in range(100))
        assert fewest <= count <= most


def test_a_sample_depends_on_its_position_alone():
    whole = [TrainingStream(Pictures(9), settings(**BOTH))[position].sample for position in range(27)]
    stream = TrainingStream(Pictures(9), settings(**BOTH))
    assert all(equal(stream[position].sample, whole[position]) for position in reversed(range(27)))
    other = TrainingStream(Pictures(9), settings(**BOTH, training__seed=1))
    assert not all(equal(other[position].sample, whole[position]) for position in range(27))


@pytest.mark.parametrize("workers", [0, pytest.param(2, marks=pytest.mark.slow)])
def test_batches_are_the_same_when_resumed_and_with_other_processes(workers):
    whole = load(Pictures(9), settings(**BOTH))
    assert len(whole) == 6
    for steps_done in (0, 4):
        again = load(Pictures(9), settings(**BOTH), steps_done=steps_done, workers=workers)
        pairs = zip(chain(*again), chain(*whole[steps_done:]), strict=True)
        assert all(equal(*pair) for pair in pairs)


def load(data: DataSet, config: Config, **options) -> list[list[Sample]]:
    return list(load_batches(data, config, make_accelerator(), DamagedPictures(len(data)), **options))


def test_each_way_of_combining_has_random_numbers_of_its_own():
    samples = [make_sample([[0, 0, 9, 9]], image_id=index, seed=index) for index in range(50)]

    def combined(**probabilities) -> Sample:
        training = settings(**{f"training__{name}_probability": each for name, each in probabilities.items()}).training
        return combine(
            samples[0], training, lambda share: samples[int(share * 50)], mosaic=generator(1), copy_paste=generator(2)
        )

    assert combined() is samples[0]
    mosaic, both, pasted = combined(mosaic=1), combined(mosaic=1, copy_paste=1), combined(copy_paste=1)
    changed = (mosaic.image != both.image).any(dim=0)
    assert changed.any() and not changed.all()  # of the same mosaic all but what is pasted is left
    assert torch.equal(changed, (samples[0].image != pasted.image).any(dim=0) & changed)


def test_partners_that_cannot_be_read_are_replaced_and_reported():
    stream = TrainingStream(Pictures(6, (1, 2)), settings(training__mosaic_probability=1))
    drawn = [stream[position] for position in range(12)]
    assert all(each.sample is not None for each in drawn)
    assert {index for each in drawn for index, _ in each.errors} == {1, 2}
    whole = TrainingStream(Pictures(6), settings(training__mosaic_probability=1))
    assert any(each.errors == () and equal(each.sample, whole[index].sample) for index, each in enumerate(drawn))


def test_a_picture_that_finds_no_partner_is_its_own(monkeypatch):
    monkeypatch.setattr("core.training.samples.MAX_IN_A_ROW", 3)
    data = Pictures(100, tuple(range(1, 100)))
    stream = TrainingStream(data, settings(training__mosaic_probability=1, training__flip_probability=0))
    position = next(place for place in range(100) if stream[place].sample)
    drawn = stream[position]
    assert drawn.sample.image_id == 0 and len(drawn.errors) <= 3 + 3 * 3
    assert len(drawn.sample.boxes) >= 1


def test_pictures_stay_as_they_were_in_memory():
    """Combining must not change the pictures that are kept."""
    data = Pictures(5)
    stream = TrainingStream(data, settings(training__mosaic_probability=1, training__copy_paste_probability=1))
    first = [stream[position].sample for position in range(20)]
    assert data.reads == [1] * 5
    assert all(equal(stream[position].sample, each) for position, each in enumerate(first))
