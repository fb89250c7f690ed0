import pytest

from core.data.class_names import find_alike
from core.data.dataset import DataSet
from core.data.untrusted import DataError
from core.runs.about import About
from core.runs.splits import open_splits, order_classes
from core.structures import Sample
from tests.core import made_data
from tests.core.tiny import tiny

LISTS = {"train": "a\nb\n", "val": "c\n"}


def voc(folder, *names: str):
    pages = {picture: made_data.voc_object(name) for picture, name in zip("abc", names, strict=True)}
    return open_splits(tiny(), About(str(made_data.voc(folder, pages, LISTS))))


def test_a_class_that_training_lacks_is_told_before_the_first_step(tmp_path):
    opened = voc(tmp_path, "cat", "cat", "lion")
    assert opened.reading.endswith("No training picture has an object of these classes of validation: lion.")
    assert "No training picture" not in voc(tmp_path / "b", "cat", "lion", "lion").reading


@pytest.mark.parametrize(
    "training", ["", made_data.voc_object(box=(200, 1, 210, 20)), made_data.voc_object(difficult=1)]
)
def test_training_without_an_object_is_refused(tmp_path, training):
    found = made_data.voc_object()
    data = made_data.voc(
        tmp_path, {"a": training, "b": "", "c": found * 2, "d": found}, {"train": "a\nb", "val": "c\nd"}
    )
    message = rf"^No training picture of {data} has an object, so that there is nothing to learn: annotate some of them"
    with pytest.raises(DataError, match=message):
        open_splits(tiny(), About(str(data)))


def test_a_class_that_the_training_data_does_not_know_is_refused(monkeypatch):
    class Pictures(DataSet):
        def __init__(self, split: str) -> None:
            self.class_names = ("cat",) if split == "train" else ("cat", "lion")

        def __len__(self) -> int:
            return 0

        def __getitem__(self, index: int) -> Sample:
            raise IndexError(index)

    monkeypatch.setattr("core.runs.splits.open_data", lambda source, split, *_, **__: Pictures(split))
    with pytest.raises(DataError, match=r"^The training pictures lack the class lion: name the classes of all splits"):
        open_splits(tiny(), About("changing"))


def test_classes_that_are_probably_the_same_are_told(tmp_path):
    assert (
        "differ only in capitals, spaces or punctuation: 'Cat' and 'cat'." in voc(tmp_path, "cat", "cat", "Cat").reading
    )


def test_rendered_scenes_leave_no_doubt():
    assert open_splits(tiny(), About()).reading == ""


def test_the_network_decides_the_order_of_equal_classes_only(tmp_path):
    splits = voc(tmp_path, "cat", "dog", "cat").splits
    assert order_classes(splits, ("dog", "cat")).train.class_names == ("dog", "cat")
    assert order_classes(splits, ("dog", "cat")).validation[0].labels.tolist() == [1]
    for other in ((), ("dog",), ("dog", "cow"), ("cat", "dog", "cow")):
        assert order_classes(splits, other) is splits


@pytest.mark.parametrize(
    ("names", "pairs"),
    [
        (("cat", "dog"), []),
        (("T-Shirt", "t shirt", "tshirt"), [("T-Shirt", "t shirt"), ("T-Shirt", "tshirt")]),
        (("?", "!"), []),
    ],
)
def test_alike_names(names, pairs):
    assert find_alike(names) == pairs
