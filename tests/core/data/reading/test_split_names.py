import pytest

from core.data.reading.assignment import ANNOTATIONS, MADE, NAMES, assign_splits
from core.data.reading.split_names import find_sibling_folders, find_split, find_split_of_file, find_split_of_folder
from core.data.splits import split_by_name


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train", "train"), ("Training", "train"), ("train2017", "train"), ("TRAIN_set", "train"),
        ("val", "val"), ("valid", "val"), ("validation", "val"), ("dev", "val"), ("val-2017", "val"),
        ("test", "test"), ("testing", "test"), ("test2007", "test"),
        ("test-dev2017", "test"), ("image_info_test-dev2017", "test"), ("dev_test", None),
        ("eval", "val"), ("evaluation", "val"), ("validate", "val"), ("instances_minival", "val"), ("holdout", "test"),
        ("TrainingSet", "train"), ("TestSet", "test"), ("trn", "train"), ("vld", "val"), ("tst", "test"),
        ("trainval", "trainval"), ("train_val", "trainval"),
        ("default", None), ("", None), ("trains", None), ("contest", None), ("train_test", None), ("all", None),
    ],
)  # fmt: skip
def test_names_of_splits(name, split):
    assert find_split(name) == split


@pytest.mark.parametrize(
    ("path", "split"),
    [
        ("annotations/instances_train2017.json", "train"),
        ("instances_default.json", None),
        ("valid/_annotations.coco.json", "val"),
        ("labels_val.csv", "val"),
        ("x/test/labels.json", "test"),
        ("train/val.json", "val"),
        ("person_keypoints_val2017.json", "val"),
    ],
)
def test_files(path, split):
    assert find_split_of_file(path, True) == split


def test_the_name_of_a_picture_is_not_a_split():
    assert find_split_of_file("annotations/test 1.xml", False) is None
    assert find_split_of_file("train/test 1.xml", False) == "train"


@pytest.mark.parametrize(
    ("folder", "split"),
    [
        ("images/train", "train"), ("train/images", "train"), ("test/set/val", "val"), ("train_images", "train"),
        ("VOC2012/JPEGImages", None), ("my test/images", None), ("", None), ("images/default", None),
        ("val2017", "val"), ("train_v2", "train"), ("train (1)", "train"), ("train_images_640", "train"),
        ("test_1", "test"),
        ("ds_train", "train"), ("seg_val", "val"), ("eval", "val"), ("train_station", None),
    ],
)  # fmt: skip
def test_folders(folder, split):
    assert find_split_of_folder(folder) == split


def test_folders_that_differ_in_the_split_alone():
    siblings = find_sibling_folders(["x/fruits_train/a", "x/fruits_test/a", "y/fruits_val", "my_train", "your_test"])
    assert siblings == {"x/fruits_train", "x/fruits_test"}
    assert find_split_of_folder("x/fruits_train/a", siblings) == "train"
    assert find_split_of_file("x/fruits_test/a/1.xml", False, siblings) == "test"
    assert find_split_of_folder("y/fruits_val", siblings) is None


NUMBERS = [f"{number}.jpg" for number in range(100)]


def test_no_splits_are_made_by_name():
    made = assign_splits([None] * 100, NUMBERS)
    assert made.origins == (MADE,) and made.unlisted == []
    by_name = split_by_name(NUMBERS)
    assert {split: [NUMBERS[number] for number in part] for split, part in made.splits.items()} == {
        split: sorted(part, key=NUMBERS.index) for split, part in by_name.items()
    }


def test_given_splits_leave_others_out():
    given = [("train", ANNOTATIONS), None, ("val", NAMES), ("train", NAMES)]
    made = assign_splits(given, NUMBERS[:4])
    assert made.splits == {"train": [0, 3], "val": [2], "test": []} and made.unlisted == [1]
    assert made.origins == (ANNOTATIONS, NAMES) and not made.divided


@pytest.mark.parametrize(
    ("others", "sizes"),
    [([], (80, 10, 10)), (["test"], (90, 10, 1)), (["val"], (100, 1, 0)), (["train"], (1, 100, 0)),
     (["train", "val"], (101, 1, 0))],
)  # fmt: skip
def test_trainval_is_divided_by_what_is_missing(others, sizes):
    given = [("trainval", ANNOTATIONS)] * 100 + [(split, ANNOTATIONS) for split in others]
    made = assign_splits(given, [*NUMBERS, *others])
    assert tuple(len(made.splits[split]) for split in ("train", "val", "test")) == sizes
    assert sorted(number for part in made.splits.values() for number in part) == list(range(len(given)))
    assert bool(made.divided) == (sizes[0] in (80, 90))
