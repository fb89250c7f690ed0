import pytest
import torch

from core.config import Config, Training
from core.retinanet.preprocess import prepare, scale_objects
from core.structures import Sample
from core.training.augmentation.augment import add_noise, adjust_colour, augment, flip
from core.training.augmentation.crop import crop
from core.training.augmentation.windows import Window
from tests.core.training.augmentation.samples import assert_sound, equal, generator, make_sample

NOTHING = {"flip_probability": 0, "scale_jitter": 0, "crop_probability": 0, "colour_jitter": 0, "noise_jitter": 0}
EVERYTHING = {
    "flip_probability": 0.5,
    "scale_jitter": 0.9,
    "crop_probability": 1,
    "colour_jitter": 1,
    "noise_jitter": 0.5,
}


def test_nothing_changes_nothing():
    sample = make_sample([[1, 2, 30, 20], [0, 0, 60, 40]])
    rng = generator()
    for _ in range(20):
        assert equal(augment(sample, Training(**NOTHING), rng), sample)


@pytest.mark.slow
@pytest.mark.parametrize("boxes", [[], [[1, 2, 30, 20]], [[0, 0, 60, 40], [59, 39, 60, 40], [3.5, 7.25, 9, 30]]])
def test_every_result_is_sound_and_repeatable(boxes):
    sample = make_sample(boxes)
    before = Sample(*(part.clone() for part in sample[:4]), sample.image_id)
    training = Training(**EVERYTHING)
    first, second = generator(3), generator(3)
    for _ in range(60):
        changed = augment(sample, training, first)
        assert_sound(changed)
        assert equal(changed, augment(sample, training, second))
        assert len(changed.boxes) >= min(1, len(boxes))
    assert equal(sample, before)


def test_every_call_draws_equally_often():
    sample = make_sample([[1, 2, 30, 20]])
    first, second = generator(), generator()
    augment(sample, Training(**NOTHING), first)
    augment(sample, Training(**EVERYTHING), second)
    assert torch.equal(first.get_state(), second.get_state())


def test_probability_one_always_flips():
    sample = make_sample([[1, 2, 30, 20]])
    for seed in range(20):
        assert equal(augment(sample, Training(**{**NOTHING, "flip_probability": 1}), generator(seed)), flip(sample))


def test_flip_by_hand():
    sample = make_sample([[1, 2, 30, 20]])
    assert flip(sample).boxes.tolist() == [[30, 2, 59, 20]]
    assert torch.equal(flip(sample).image[:, :, 0], sample.image[:, :, -1])
    assert equal(flip(flip(sample)), sample)


@pytest.mark.slow
def test_scale_jitter_changes_what_the_network_sees():
    """The network resizes all pictures to the same shorter side, so that a picture that is only resized would not."""
    sample, inference = make_sample([[20, 10, 40, 30]], (100, 100)), Config().inference
    training = Training(**{**NOTHING, "scale_jitter": 0.3})
    widths = []
    for seed in range(100):
        changed = augment(sample, training, generator(seed))
        assert changed.image.shape == sample.image.shape
        batch = prepare([changed.image], inference)
        boxes, _ = scale_objects(changed, batch.factors[0])
        widths.append((boxes[0, 2] - boxes[0, 0]).item() / (20 * 2.56))
    assert 0.699 <= min(widths) < 0.75 and 1.25 < max(widths) <= 1.3 * 1.02


def test_crop_by_hand():
    sample = make_sample([[0, 0, 20, 20], [0, 0, 60, 40], [50, 30, 60, 40], [9, 0, 11, 2]])
    part = crop(sample, Window(left=10, top=0, width=40, height=30))
    assert torch.equal(part.image, sample.image[:, 0:30, 10:50])
    # The first centre (10, 10) is just inside, the third (55, 35) outside, the fourth (10, 1) inside.
    assert part.labels.tolist() == [0, 1, 3]
    assert part.boxes.tolist() == [[0, 0, 10, 20], [0, 0, 40, 30], [0, 0, 1, 2]]


def test_crop_keeps_an_object_that_is_no_crowd():
    sample = make_sample([[0, 0, 4, 4], [50, 30, 60, 40]], crowd=[True, False])
    training = Training(**{**NOTHING, "crop_probability": 1})
    for seed in range(100):
        part = augment(sample, training, generator(seed))
        assert 1 in part.labels.tolist()
        assert part.image.shape[1] >= 20
        assert part.image.shape[2] >= 30


def test_crop_reaches_every_object_and_every_corner():
    sample = make_sample([[0, 0, 4, 4], [56, 36, 60, 40], [56, 0, 60, 4], [0, 36, 4, 40]])
    training = Training(**{**NOTHING, "crop_probability": 1})
    parts = [augment(sample, training, generator(seed)) for seed in range(200)]
    assert {label for part in parts for label in part.labels.tolist()} == {0, 1, 2, 3}


def test_crop_of_a_crowd_alone_and_of_one_pixel():
    training = Training(**{**NOTHING, "crop_probability": 1})
    for seed in range(20):
        assert len(augment(make_sample([[0, 0, 4, 4]], crowd=[True]), training, generator(seed)).boxes) == 1
        single = make_sample([[0, 0, 1, 1]], (1, 1))
        assert equal(augment(single, training, generator(seed)), single)


@pytest.mark.slow
@pytest.mark.parametrize("off", ["scale_jitter", "crop_probability", "flip_probability"])
def test_very_thin_boxes_keep_an_area_or_are_dropped(off):
    """Rounding closes some of them, whose box loss would be infinite."""
    edge = torch.nextafter(torch.tensor(30.0), torch.tensor(31.0)).item()
    sample = make_sample([[30, 20, edge, 40], [29.999998, 0, 30, 40], [0, 0, 1e-9, 40]])
    for seed in range(200):
        assert_sound(augment(sample, Training(**{**EVERYTHING, off: 0}), generator(seed)))


def test_colour_by_hand():
    image = torch.tensor([200, 100, 50], dtype=torch.uint8).reshape(3, 1, 1).repeat(1, 4, 4)
    assert torch.equal(adjust_colour(image, 1, 1, 1), image)
    assert adjust_colour(image, 0.5, 1, 1)[:, 0, 0].tolist() == [100, 50, 25]
    assert adjust_colour(image, 2, 1, 1)[:, 0, 0].tolist() == [255, 200, 100]
    assert len(set(adjust_colour(image, 1, 1, 0)[:, 0, 0].tolist())) == 1
    assert len(set(adjust_colour(image, 1, 0, 1).flatten().tolist())) == 1


def test_colour_leaves_objects_alone():
    sample = make_sample([[1, 2, 30, 20]])
    changed = augment(sample, Training(**{**NOTHING, "colour_jitter": 0.5}), generator())
    assert not torch.equal(changed.image, sample.image)
    assert equal(changed._replace(image=sample.image), sample)


def test_noise_has_its_deviation_is_grey_and_stays_in_range():
    image = torch.full((3, 100, 100), 128, dtype=torch.uint8)
    changed = add_noise(image, 0.1, generator()).float()
    assert changed.std().item() == pytest.approx(25.5, rel=0.03)
    assert changed.mean().item() == pytest.approx(128, abs=1)
    assert torch.equal(changed[0], changed[1]) and torch.equal(changed[0], changed[2])
    assert torch.equal(add_noise(image, 0, generator()), image)
    extreme = add_noise(image, 5, generator())
    assert extreme.min() == 0 and extreme.max() == 255


def test_noise_is_mostly_weak_and_within_its_bound():
    sample = make_sample([[1, 2, 30, 20]])._replace(image=torch.full((3, 64, 64), 128, dtype=torch.uint8))
    training = Training(**{**NOTHING, "noise_jitter": 0.2})
    deviations = [augment(sample, training, generator(seed)).image.float().std().item() / 255 for seed in range(200)]
    assert max(deviations) < 0.2 * 1.05
    assert sum(deviation < 0.05 for deviation in deviations) == pytest.approx(100, abs=25)  # u² < ¼ for half of all u
    assert equal(augment(sample, training, generator())._replace(image=sample.image), sample)


def test_noise_leaves_the_other_changes_as_they_are():
    sample = make_sample([[1, 2, 30, 20]])
    plain, noisy = (Training(**{**EVERYTHING, "noise_jitter": each}) for each in (0, 0.5))
    for seed in range(20):
        one, other = (augment(sample, training, generator(seed)) for training in (plain, noisy))
        assert equal(other._replace(image=one.image), one)
