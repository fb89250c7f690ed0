"""The order of training images: uniform, and with repeat factors."""

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from core.config import Config, Scenes
from core.data.dataset import DataSet
from core.data.sources import SceneData
from core.evaluation.coco_metrics import ClassMetrics, Metrics, evaluate, measure_classes
from core.scenes.render import CLASS_NAMES
from core.structures import Sample
from core.training import sampling
from core.training.rare_classes import describe_rare_classes
from core.training.sampling import RepeatedOrder, UniformOrder, build_order, find_repeat_factors

REPEATED = {"training.sampler": "repeat_factor"}


class Labels(DataSet):
    """Images of which only the labels are known."""

    class_names = ("cat", "dog", "owl")

    def __init__(self, labels: list[list[int]]) -> None:
        self._labels, self.reads = labels, 0

    def labels_of(self, index: int) -> np.ndarray:
        self.reads += 1
        return np.array(self._labels[index], dtype=np.int64)

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, index: int) -> Sample:
        raise AssertionError("no image may be opened")


# cat in all of 100 images, dog in 25, owl in 4 of these; the last image is empty.
DATA = Labels([[0, 0, 1, 2]] * 4 + [[0, 1]] * 21 + [[0]] * 74 + [[]])


def settings(**values) -> Config:
    return Config.from_flat({**REPEATED, **{f"training.{name}": value for name, value in values.items()}})


def draw(order: UniformOrder | RepeatedOrder, count: int) -> list[int]:
    return [place.order[place.offset] for place in map(order.find, range(count))]


def test_counts_and_shares_by_hand():
    assert DATA.class_counts.tolist() == [8 + 21 + 74, 25, 4]
    assert DATA.class_shares.tolist() == [0.99, 0.25, 0.04]
    assert Labels([]).class_counts.tolist() == Labels([]).class_shares.tolist() == [0, 0, 0]


def test_factors_by_hand():
    """√(0.25 / 0.04) is 2.5; a class at the threshold, above it or in no image has 1."""
    assert find_repeat_factors(np.array([1, 0.25, 0.04, 0]), 0.25).tolist() == [1, 1, 2.5, 1]
    assert find_repeat_factors(np.array([0.01]), 1).tolist() == [10]
    assert find_repeat_factors(np.array([0.01]), 0).tolist() == [1]


def test_an_image_is_repeated_as_often_as_its_rarest_class():
    """With t = 1 dogs are doubled and owls have the factor 5, both whole, so that nothing is left to chance."""
    order = build_order(DATA, settings(repeat_threshold=1.0, seed=3).training)
    length = 4 * 5 + 21 * 2 + 75
    expected = {index: 5 if index < 4 else 2 if index < 25 else 1 for index in range(100)}
    # of cats, √(1 / 0.99) = 1.005: now and then one is repeated
    drawn = draw(order, length)
    for index in range(25):
        assert Counter(drawn)[index] <= expected[index] + 1
    whole = Counter(order.find(0).order)
    assert all(whole[index] == times for index, times in expected.items() if index < 25)
    assert whole[99] == 1 and 0 <= len(order.find(0).order) - length <= 5


def test_fractions_are_rounded_at_random_in_each_epoch():
    order = build_order(DATA, settings(repeat_threshold=0.25).training)
    epochs, position = [], 0
    for _ in range(200):
        epochs.append(Counter(order.find(position).order))
        position += len(order.find(position).order)
    times = [[each[index] for each in epochs] for index in range(4)]
    assert {number for each in times for number in each} == {2, 3}
    assert np.mean(times) == pytest.approx(2.5, abs=0.07)  # 800 draws: four standard errors
    assert all(each[index] == 1 for each in epochs for index in range(4, 100))


def test_the_order_is_a_function_of_data_and_seed(monkeypatch):
    monkeypatch.setattr(sampling, "BLOCK", 30)  # several blocks an epoch, the last one smaller
    training = settings(repeat_threshold=0.5).training
    whole = draw(build_order(DATA, training), 400)
    resumed = build_order(DATA, training)
    assert [resumed.find(position).order[resumed.find(position).offset] for position in range(250, 400)] == whole[250:]
    backwards = [place.order[place.offset] for place in map(build_order(DATA, training).find, reversed(range(400)))]
    assert backwards[::-1] == whole
    assert draw(build_order(DATA, settings(repeat_threshold=0.5, seed=1).training), 400) != whole
    assert set(whole) == set(range(100))


def test_the_labels_of_an_image_are_read_once():
    data = Labels([[0], [0, 1], [0], [2]])
    order = build_order(data, settings(repeat_threshold=0.5).training)
    before = data.reads
    order.find(100)  # some twenty epochs
    assert data.reads == before + len(data)


def test_uniform_draws_each_image_once():
    order = build_order(DATA, Config().training)
    assert isinstance(order, UniformOrder)
    drawn = draw(order, 200)
    assert sorted(drawn[:100]) == sorted(drawn[100:]) == [*range(100)] and drawn[:100] != drawn[100:]


def test_without_rare_classes_nothing_is_repeated():
    order = build_order(DATA, settings(repeat_threshold=0.04).training)
    drawn = draw(order, 200)
    assert sorted(drawn[:100]) == sorted(drawn[100:]) == [*range(100)]


def test_what_rare_classes_get_in_words():
    assert describe_rare_classes(DATA, Config()) == []
    assert describe_rare_classes(DATA, settings(repeat_threshold=0.25)) == [
        "Pictures with 1 of 3 classes are repeated, most often those with owl (4.0% of the pictures): each is drawn "
        "2.50 times an epoch on average."
    ]
    (nothing,) = describe_rare_classes(DATA, settings(repeat_threshold=0.01))
    assert nothing == "The sampler repeats nothing: each class with objects is in at least 1% of the pictures."
    weighted = Config.from_flat({"loss.class_weights": "inverse_frequency"})
    two = Labels([[0, 0, 0], [1]])
    assert describe_rare_classes(two, weighted) == [
        "Class weights of foreground follow from the number n of training objects: from 0.5 for cat (n = 3) to 1.5 for "
        "dog (n = 1); classes without objects (1) keep 1."
    ]
    assert describe_rare_classes(Labels([[]]), weighted) == ["Class weights are 1: there are no objects to count."]


def metrics_of(**per_class: float) -> Metrics:
    plain = evaluate([], [], ("cat",))
    return replace(plain, per_class={name: ClassMetrics(ap, ap) for name, ap in per_class.items()})


def test_rare_classes_have_less_than_a_tenth_of_the_objects_of_the_most_frequent():
    assert DATA.rare_classes == ["owl"]  # 4 of 103
    ten = Labels([[0] * 10, [1]])
    assert ten.rare_classes == [] and Labels([[0] * 11, [1]]).rare_classes == ["dog"]
    assert Labels([]).rare_classes == Labels([[]]).rare_classes == []
    assert SceneData(Scenes(), 9, "train").rare_classes == []
    assert SceneData(Scenes(imbalance=1), 9, "train").rare_classes == list(CLASS_NAMES[3:])  # 6%, 2.5%, 1%


def test_the_ap_of_rare_classes_is_the_mean_of_those_with_held_out_objects():
    scenes = SceneData(Scenes(imbalance=1), 9, "train")
    found = metrics_of(**dict(zip(CLASS_NAMES, (0.9, 0.9, 0.9, 0.5, math.nan, 0.25), strict=True)))
    rare = scenes.rare_classes
    assert measure_classes(rare, found) == 0.375
    assert math.isnan(measure_classes(rare, metrics_of(cat=0.5)))
    assert math.isnan(measure_classes(SceneData(Scenes(), 9, "train").rare_classes, found))
