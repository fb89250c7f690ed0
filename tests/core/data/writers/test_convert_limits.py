"""What a conversion refuses, counts or must be quick at."""

import json
from pathlib import Path, PurePosixPath

import pytest

from core.data.folders import read_data_set
from core.data.left_out import OUTSIDE_BOX, UNREADABLE
from core.data.untrusted import DataError
from core.data.writers.convert import WRITERS, convert_data_set
from core.data.writers.names import make_distinct
from core.errors import PictureError
from tests.core import made_data
from tests.effort import little_effort

BOX = [1, 2, 10, 20]


def write(folder: Path, names: list[str], boxes: dict[str, list[float]] | None = None, class_name: str = "cat") -> Path:
    """Writes JSON lines, which give no sizes of the pictures, with one object each."""
    lines = []
    for name in names:
        made_data.picture(folder / name)
        objects = [{"bbox": (boxes or {}).get(name, BOX), "category": class_name}]
        lines.append(json.dumps({"file_name": name, "objects": objects}))
    (folder / "train.jsonl").write_text("\n".join(lines))
    return folder


def cut(path: Path) -> None:
    """Removes the end of a picture."""
    content = path.read_bytes()
    path.write_bytes(content[:-30])


def assert_nothing_is_left(folder: Path) -> None:
    assert [path.name for path in folder.iterdir()] == ["source"]


@pytest.mark.slow
def test_twenty_thousand_names_take_no_time():
    names = [f"{number % 5000}.{'abcd'[number // 5000]}" for number in range(20_000)]
    with little_effort(2):
        made = make_distinct(names, WRITERS["voc"])
    assert len({PurePosixPath(name).stem for name in made}) == 20_000


@pytest.mark.parametrize("to", WRITERS)
@pytest.mark.parametrize("damage", [cut, lambda path: path.write_bytes(b"none")])
def test_damaged_pictures_are_counted_and_not_copied(tmp_path, to, damage):
    names = [f"{number}.jpg" for number in range(12)]
    damage(write(tmp_path / "source", names) / "3.jpg")
    conversion = convert_data_set(tmp_path / "source", to, tmp_path / "out")
    assert conversion.left_out.counts == {UNREADABLE: 1}
    assert not list((tmp_path / "out").rglob("3.jpg")) and len(list((tmp_path / "out").rglob("*.jpg"))) == 11
    assert not read_data_set(tmp_path / "out", strict=True).left_out
    with pytest.raises(PictureError, match=r"3\.jpg"):
        convert_data_set(tmp_path / "source", to, tmp_path / "strict", strict=True)
    assert not (tmp_path / "strict").exists()


@pytest.mark.parametrize("count", [12, 7])
def test_a_data_set_of_which_less_than_half_is_left_is_refused(tmp_path, count):
    names = [f"{number}.jpg" for number in range(12)]
    write(tmp_path / "source", names)
    for name in names[:count]:
        cut(tmp_path / "source" / name)
    with pytest.raises(DataError, match=f"only {12 - count} of 12 pictures are left, less than half"):
        convert_data_set(tmp_path / "source", "yolo", tmp_path / "out")
    assert_nothing_is_left(tmp_path)


def test_a_split_without_a_usable_picture_is_not_written(tmp_path):
    names = [f"train/{number}.jpg" for number in range(5)] + ["val/1.jpg"]
    cut(write(tmp_path / "source", names) / "val" / "1.jpg")
    (tmp_path / "source" / "train.jsonl").rename(tmp_path / "source" / "all.jsonl")
    conversion = convert_data_set(tmp_path / "source", "coco", tmp_path / "out")
    assert list(conversion.splits) == ["train"] and conversion.left_out.counts == {UNREADABLE: 1}
    assert not (tmp_path / "out" / "annotations" / "instances_val.json").exists()


def test_boxes_outside_pictures_of_unknown_size_are_counted(tmp_path):
    names = [f"{number}.jpg" for number in range(12)]
    write(tmp_path / "source", names, {"3.jpg": [50, 2, 10, 20]})
    conversion = convert_data_set(tmp_path / "source", "coco", tmp_path / "out")
    assert conversion.left_out.counts == {OUTSIDE_BOX: 1} and conversion.splits["train"].objects == 11
    with pytest.raises(DataError, match=r"object 1 of 3\.jpg"):
        convert_data_set(tmp_path / "source", "coco", tmp_path / "strict", strict=True)


@pytest.mark.parametrize("to", WRITERS)
@pytest.mark.parametrize("character", ["\x01", "\n", "\x85", "\u2028", "\ufffe"])
def test_class_names_that_no_file_can_hold_are_refused(tmp_path, to, character):
    write(tmp_path / "source", ["a.png", "b.png"], class_name=f"ca{character}t")
    with pytest.raises(DataError, match=r"The class name 'ca.*t' has a control character.*rename"):
        convert_data_set(tmp_path / "source", to, tmp_path / "out")
    assert_nothing_is_left(tmp_path)


@pytest.mark.parametrize("to", WRITERS)
@pytest.mark.parametrize("name", ["tr\xa0uck", "👩‍🚒 <&>", "no: yes #1", "'a'", "1", "~", "- x"])
def test_unusual_class_names_are_kept(tmp_path, to, name):
    write(tmp_path / "source", ["a.png", "b.png"], class_name=name)
    convert_data_set(tmp_path / "source", to, tmp_path / "out")
    assert read_data_set(tmp_path / "out", strict=True).class_names == (name,)


@pytest.mark.parametrize("to", WRITERS)
@pytest.mark.parametrize("name", ["a .png", " a.png", "sub / a .png", "a\xa0.png", "a.b.png"])
def test_unusual_names_of_pictures_are_found_again(tmp_path, to, name):
    write(tmp_path / "source", [name, "b.png"])
    convert_data_set(tmp_path / "source", to, tmp_path / "out")
    assert len(read_data_set(tmp_path / "out", strict=True).images) == 2
