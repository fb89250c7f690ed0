import pytest

from core.data.folders import open_folder
from core.data.untrusted import DataError
from tests.core.made_data import assert_sample, picture, voc, voc_object


def test_voc_reads_what_is_written(tmp_path):
    pages = {
        "p1": voc_object("dog", (1, 1, 40, 30)) + voc_object("cat", (2.5, 3, 10, 20), 1),
        "p2": "",
        "p3": voc_object("ant"),
    }
    data = open_folder(voc(tmp_path, pages, {"train": "p1\np2 -1\n\n", "val": "p3"}), "train")
    assert (len(data), data.class_names, data.dropped) == (2, ("ant", "cat", "dog"), 0)
    sample, empty = list(data)
    assert_sample(sample)
    assert_sample(empty)
    assert sample.boxes.tolist() == [[0, 0, 40, 30], [1.5, 2, 10, 20]]
    assert sample.labels.tolist() == [2, 1]
    assert sample.crowd.tolist() == [False, True]
    other = open_folder(tmp_path, "val")
    assert other.class_names == data.class_names
    assert len({sample.image_id, empty.image_id, other[0].image_id}) == 3


def test_voc_boxes_are_clipped_and_impossible_ones_dropped(tmp_path):
    boxes = [(-9, -9, 99, 99), (50, 1, 60, 9), (5, 5, 4, 9), ("nan", 1, 9, 9), (1, 1, "inf", 9), (1, 1, "1e999", 9)]
    boxes += [(1, 1, 9, 9)] * 4
    data = open_folder(voc(tmp_path, {"p": "".join(voc_object(box=box) for box in boxes)}, {"val": "p"}), "val")
    assert data[0].boxes.tolist() == [[0, 0, 40, 30], [3, 4, 5, 9], *[[0, 0, 9, 9]] * 4]
    assert data.dropped == 4


@pytest.mark.parametrize("size", [(0, 0), ("", 30), ("x", "y"), (-4, 30), ("9" * 5000, 30), ("²", 30)])
def test_voc_without_size_reads_it_from_the_image(tmp_path, size):
    data = open_folder(voc(tmp_path, {"p": voc_object(box=(1, 1, 999, 999))}, {"val": "p"}, size), "val")
    assert data[0].boxes.tolist() == [[0, 0, 40, 30]]


def test_voc_finds_other_picture_kinds_and_ignores_neighbours(tmp_path):
    folder = voc(tmp_path, {"p": voc_object()}, {"val": "p"})
    (folder / "JPEGImages" / "p.jpg").unlink()
    (folder / "JPEGImages" / "p.txt").write_text("note")
    with pytest.raises(DataError, match=r"p\.xml has no picture: add the picture"):
        open_folder(folder, "val", strict=True)
    picture(folder / "JPEGImages" / "p.PNG")
    assert len(open_folder(folder, "val")) == 1


def test_voc_without_lists_splits_by_hash(tmp_path):
    folder = voc(tmp_path, {f"p{number}": voc_object() for number in range(20)})
    splits = {split: [sample.image_id for sample in open_folder(folder, split)] for split in ("train", "val", "test")}
    assert {split: len(ids) for split, ids in splits.items()} == {"train": 16, "val": 2, "test": 2}
    assert sorted(number for numbers in splits.values() for number in numbers) == list(range(20))
    assert splits["val"] == [sample.image_id for sample in open_folder(folder, "val")]


def test_voc_with_one_picture_has_no_val(tmp_path):
    folder = voc(tmp_path, {"p": voc_object()})
    assert len(open_folder(folder, "train")) == 1
    with pytest.raises(DataError, match="no split val, only train: choose another one, or make splits"):
        open_folder(folder, "val", strict=True)
