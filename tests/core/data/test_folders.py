import json

import numpy as np
import pytest

from core.data import folders
from core.data.folders import SPLIT_METHODS, find_splits, list_names, make_lists, open_folder, read_all_splits
from core.data.raw import RawData, RawImage
from core.data.splits import SPLITS_FILE, write_splits
from core.data.untrusted import DataError
from tests.core.data.memory import measure_peak
from tests.core.made_data import coco, coco_content, voc, voc_object, yolo

LINE = "0 0.5 0.5 0.5 0.5"


@pytest.fixture(params=["coco", "voc", "yolo"])
def folder(request, tmp_path):
    """A data set of two pictures."""
    if request.param == "coco":
        return coco(tmp_path)
    if request.param == "voc":
        return voc(tmp_path, {"a": voc_object(), "b": voc_object()}, {"train": "a\nb"})
    return yolo(tmp_path, {"train/a": LINE, "train/b": LINE})


def test_written_splits_replace_those_of_the_annotations(folder):
    assert find_splits(folder) == ("train",)
    one, other = list_names(folder, read_all_splits(folder).images)
    write_splits(folder, {"train": [other], "val": [one], "test": []})
    assert find_splits(folder) == ("train", "val")
    train, val = open_folder(folder, "train"), open_folder(folder, "val")
    assert (train.image_name(0), val.image_name(0)) == (other.split("/")[-1], one.split("/")[-1])
    assert len(train) == len(val) == 1 and train[0].image_id != val[0].image_id
    with pytest.raises(DataError, match="lists no picture for test"):
        open_folder(folder, "test")
    (folder / SPLITS_FILE).unlink()
    assert len(open_folder(folder, "train")) == 2


def test_category_ids_and_objects_stay(tmp_path):
    folder = coco(tmp_path)
    before = open_folder(folder, "train")
    write_splits(folder, {"train": ["images/a.png"], "val": ["images/b.png"], "test": []})
    after = open_folder(folder, "train")
    assert after.category_ids == before.category_ids == (2, 9)
    assert after[0].boxes.tolist() == before[0].boxes.tolist() and after[0].crowd.tolist() == before[0].crowd.tolist()


def test_listed_pictures_that_do_not_exist(folder):
    write_splits(folder, {"train": ["images/none.png"], "val": [], "test": []})
    with pytest.raises(
        DataError, match=r"only 0 of 1 listed pictures are left.*'images/none.png', which the data set does not have"
    ):
        open_folder(folder, "train")


def test_inconsistent_splits(tmp_path):
    folder = coco(tmp_path)
    coco(folder, split="val")
    message = r"cannot be used: 2 pictures are in more than one split, such as 'images/a\.png', .* train\.json and val"
    for read in (read_all_splits, find_splits):
        with pytest.raises(DataError, match=message):
            read(folder)
    write_splits(folder, {"train": ["images/a.png"], "val": ["images/b.png"], "test": []})
    with pytest.raises(DataError, match=message):
        find_splits(folder)
    content = {**coco_content(), "categories": [{"id": 9, "name": "hog"}, {"id": 2, "name": "cat"}]}
    (folder / "val.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match="have different categories"):
        read_all_splits(folder)


@pytest.mark.parametrize("by", SPLIT_METHODS)
def test_splitting_takes_no_memory_for_classes_without_objects(tmp_path, monkeypatch, by):
    box, crowd = np.zeros((1, 4)), np.zeros(1, bool)
    images = [
        RawImage(tmp_path / f"{number}.png", tmp_path, None, number, box, np.array([number % 7]), crowd)
        for number in range(100)
    ]
    data = RawData(("cat",) * 50_000, (1,) * 50_000, images)
    monkeypatch.setattr(folders, "read_all_splits", lambda *_: data)
    assert measure_peak(lambda: make_lists(tmp_path, by, (0.8, 0.1, 0.1), 0)) < 2**20  # a table would take 40 MB
