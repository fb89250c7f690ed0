import pytest
import torch

from core.data.dataset import DataSet
from core.data.untrusted import DataError
from core.evaluation.class_names import match_classes, match_detector, relabel
from core.structures import Sample

WORDS = {"lacking": "The run lacks", "remedy": "start a new run"}


class Pictures(DataSet):
    """Two pictures with one object of each class."""

    def __init__(self, class_names: tuple[str, ...], category_ids: tuple[int, ...]) -> None:
        self.class_names, self.dropped, self._ids = class_names, 3, category_ids
        self.reading = "COCO, train.json."

    @property
    def category_ids(self) -> tuple[int, ...]:
        return self._ids

    def image_name(self, index: int) -> str:
        return f"{index}.png"

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> Sample:
        count = len(self.class_names)
        labels = torch.arange(count)
        return Sample(torch.zeros(3, 8, 8), torch.ones(count, 4), labels, torch.zeros(count, dtype=torch.bool), index)


def test_names_decide_not_positions():
    assert match_classes(("dog", "cat", "cow"), ("cat", "dog"), **WORDS).tolist() == [1, 0]
    assert match_classes(("dog",), (), **WORDS).tolist() == []


def test_an_unknown_class_is_refused_by_name():
    with pytest.raises(DataError) as caught:
        match_classes(("dog",), ("bird", "dog", "cow", "bird"), **WORDS)
    assert str(caught.value) == "The run lacks the classes bird, cow: start a new run."
    with pytest.raises(DataError, match=r"lacks the classes 0, 1, 2, 3, 4 and 2 more: start"):
        match_classes((), tuple("0123456"), **WORDS)


@pytest.mark.parametrize("name", ["Polar Bear", "polarbear", "polar bear ", "polar-bear", "Polar_Bear."])
def test_a_name_that_differs_little_is_another_but_pointed_out(name):
    with pytest.raises(DataError, match=r"\('.*' and 'polar bear' differ only in capitals, spaces or punctuation\)"):
        match_classes(("cat", "polar bear"), (name,), **WORDS)


@pytest.mark.parametrize(("weights", "subject"), [("builtin", "The built-in weights"), ("a.pth", "The weights a.pth")])
def test_a_detector_without_a_class_says_what_to_do(weights, subject):
    with pytest.raises(DataError, match=f"{subject} do not know the class lion: train on this data set first"):
        match_detector(weights, ("cat", "dog"), ("lion", "dog"))


def test_relabelled_data_has_the_same_objects_under_other_numbers():
    data = Pictures(("cat", "dog"), (7, 3))
    assert relabel(data, ("cat", "dog")) is data
    again = relabel(data, ("dog", "cat"))
    assert again.class_names == ("dog", "cat") and again.category_ids == (3, 7)
    assert again[1].labels.tolist() == [1, 0] and again[1].image_id == 1
    assert (len(again), again.image_name(1), again.dropped, again.reading) == (2, "1.png", 3, "COCO, train.json.")


def test_relabelled_data_may_lack_classes_but_not_add_some():
    more = relabel(Pictures(("cat", "dog"), (7, 3)), ("dog", "cow", "cat"))
    assert more[0].labels.tolist() == [2, 0] and more.category_ids == (1, 2, 3)
    with pytest.raises(ValueError, match="not in"):
        relabel(Pictures(("cat", "dog"), (7, 3)), ("dog",))
