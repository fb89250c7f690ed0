"""Training pictures that are drawn at random, but so that every class appears."""

import json
from pathlib import Path

import numpy as np
import pytest

from core.cli.main import main
from core.data.folders import read_data_set
from core.data.raw import RawData, RawImage
from core.data.subset import draw_subset
from core.data.untrusted import DataError
from tests.core.made_data import yolo

BOX = (1.0, 1.0, 9.0, 9.0)


def split(
    *labels: tuple[int, ...], crowd: tuple[int, ...] = (), flat: tuple[int, ...] = (), classes: int = 4
) -> RawData:
    """Returns a split with a picture for each tuple of labels; `crowd` and `flat` name pictures without usable ones."""
    images = [
        RawImage(
            Path(f"{number}.png"),
            Path("a.json"),
            (10, 10),
            number,
            np.array([BOX if number not in flat else (1.0, 1, 1, 9)] * len(each)).reshape(-1, 4),
            np.array(each, dtype=np.int64),
            np.full(len(each), number in crowd),
        )
        for number, each in enumerate(labels)
    ]
    return RawData(tuple("abcd"[:classes]), tuple(range(classes)), images)


def drawn(raw: RawData, pictures: int, seed: int = 0) -> list[int]:
    return [image.image_id for image in draw_subset(raw, pictures, seed).images]


def test_the_draw_is_a_function_of_the_seed_and_keeps_the_order():
    raw = split(*[(0,)] * 50, classes=1)
    assert drawn(raw, 10, 3) == drawn(raw, 10, 3) == sorted(drawn(raw, 10, 3))
    assert len(set(drawn(raw, 10, 3))) == 10
    assert len({tuple(drawn(raw, 10, seed)) for seed in range(20)}) == 20


def test_every_picture_may_be_drawn():
    raw = split(*[(0,)] * 20, classes=1)
    assert {number for seed in range(60) for number in drawn(raw, 3, seed)} == set(range(20))


def test_every_class_appears():
    raw = split(*[(0,)] * 40, (0, 1), (2,), (0, 3), (3,))
    for seed in range(20):
        assert {label for image in draw_subset(raw, 4, seed).images for label in image.labels.tolist()} == {0, 1, 2, 3}


def test_with_too_few_pictures_as_many_classes_as_possible():
    raw = split((0,), (0,), (1,), (2, 3), (3,))
    for seed in range(20):
        assert drawn(raw, 1, seed) == [3]
        assert drawn(raw, 2, seed) == [2, 3]  # class 1 is rarer than class 0


def test_crowds_and_flat_boxes_show_no_class():
    raw = split((0,), (1,), (1,), (1,), crowd=(1,), flat=(2,), classes=2)
    assert all(drawn(raw, 2, seed) == [0, 3] for seed in range(20))


def test_classes_without_objects_and_empty_pictures_are_no_hindrance():
    raw = split((), (), (2,))
    assert all(2 in drawn(raw, 1, seed) for seed in range(5))
    assert drawn(split((), ()), 2) == [0, 1]


def test_all_pictures_can_be_drawn():
    assert drawn(split((0,), (1,), ()), 3) == [0, 1, 2]


@pytest.mark.parametrize("pictures", [0, 4])
def test_other_numbers_are_refused(pictures):
    with pytest.raises(DataError, match=rf"^{pictures} pictures cannot be drawn from 3 pictures: ask for 1 to 3\.$"):
        draw_subset(split((0,), (1,), ()), pictures, 0)


def write(folder: Path) -> Path:
    return yolo(folder, {f"p{number}": f"{number % 2} 0.5 0.5 0.5 0.5" for number in range(20)})


def names(folder: Path, part: str) -> list[str]:
    return sorted(image.path.stem for image in read_data_set(folder).splits[part].images)


def test_convert_writes_the_drawn_pictures_and_all_others(tmp_path, capsys):
    made = write(tmp_path / "set")
    arguments = ["convert", "--data", str(made), "--to", "coco", "--pictures", "4"]
    assert main([*arguments, "--out", str(tmp_path / "one"), "--json", str(tmp_path / "found.json")]) == 0
    assert main([*arguments, "--out", str(tmp_path / "two")]) == 0
    assert main([*arguments, "--out", str(tmp_path / "three"), "--training.seed", "1"]) == 0
    one, two, three = (names(tmp_path / each, "train") for each in ("one", "two", "three"))
    assert one == two != three and len(one) == len(three) == 4
    assert set(one) < set(names(made, "train"))
    for part in ("val", "test"):
        assert names(tmp_path / "one", part) == names(made, part)
    assert read_data_set(tmp_path / "one").class_names == read_data_set(made).class_names
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["splits"]["train"]["pictures"] == 4
    assert "4 of 16 training pictures were drawn with seed 0." in found["notes"]
    assert "4 of 16 training pictures were drawn with seed 0." in capsys.readouterr().out


def test_convert_refuses_more_pictures_than_there_are(tmp_path, capsys):
    made = write(tmp_path / "set")
    assert (
        main(["convert", "--data", str(made), "--to", "coco", "--pictures", "17", "--out", str(tmp_path / "new")]) == 1
    )
    assert capsys.readouterr().err == "error: 17 pictures cannot be drawn from 16 pictures: ask for 1 to 16.\n"
    assert not (tmp_path / "new").exists()
