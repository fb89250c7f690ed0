"""Data sets written in another format are the same data sets."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from core.cli.arguments import WRITTEN_FORMATS
from core.cli.flags import FORMATS as NAMED_FORMATS
from core.cli.main import main
from core.data.dataset import FolderData
from core.data.folders import open_folder, read_data_set
from core.data.formats import FORMATS
from core.data.left_out import OTHER_SIZE, UNREADABLE
from core.data.untrusted import DataError
from core.data.writers.convert import WRITERS, convert_data_set
from core.errors import PictureError
from core.io.paths import fold_name, is_portable
from tests.core import made_data
from tests.core.data.layouts import LAYOUTS

pytestmark = pytest.mark.slow

# Fractions of pixels that YOLO's eight digits and COCO's four can hold.
BOXES = {
    "cam1/0001": [(1.25, 2.5, 20.75, 30, "zebra", 0), (0, 0, 40, 30, "an owl", 1)],
    "cam2/0001": [(3, 4, 5, 6, "an owl", 0)],
    "cam2/Übung & 'Test'": [],
}


def write_coco(folder: Path) -> Path:
    """Writes a data set whose pictures have the same names in several folders and splits."""
    ids = {"zebra": 7, "an owl": 3, "unseen": 90}
    (folder / "annotations").mkdir(parents=True)
    for split in ("train", "val"):
        content: dict = {"images": [], "annotations": []}
        content["categories"] = [{"id": number, "name": name} for name, number in ids.items()]
        for number, (name, boxes) in enumerate(BOXES.items()):
            made_data.picture(folder / split / f"{name}.png")
            content["images"].append({"id": 100 + number, "file_name": f"{name}.png", "width": 40, "height": 30})
            content["annotations"] += [
                {"id": 10 * number + each, "image_id": 100 + number, "category_id": ids[label], "iscrowd": crowd,
                 "bbox": [left, top, right - left, bottom - top]}
                for each, (left, top, right, bottom, label, crowd) in enumerate(boxes)
            ]  # fmt: skip
        (folder / "annotations" / f"instances_{split}.json").write_text(json.dumps(content))
    return folder


def objects(folder: Path, *, crowds: bool = True) -> dict[tuple[str, str], list[tuple]]:
    """Returns the objects by split and picture, with their class names."""
    found = {}
    for split in read_data_set(folder).splits:
        data = open_folder(folder, split)
        for index in range(len(data)):
            sample = data[index]
            rows = zip(sample.boxes.tolist(), sample.labels.tolist(), sample.crowd.tolist(), strict=True)
            name = data.image_name(index).removeprefix(f"{split}/")
            found[split, name] = sorted(
                (data.class_names[label], crowd, *np.round(box, 3)) for box, label, crowd in rows if crowds or not crowd
            )
    return found


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_coco(tmp_path / "source")


@pytest.mark.parametrize("to", WRITERS)
@pytest.mark.parametrize("back", WRITERS)
def test_round_trips_keep_boxes_classes_names_and_splits(source, tmp_path, to, back):
    convert_data_set(source, to, tmp_path / "there")
    convert_data_set(tmp_path / "there", back, tmp_path / "back")
    crowds = "yolo" not in (to, back)
    expected = objects(source, crowds=crowds)
    assert len(expected) == 6 and expected["val", "cam2/Übung & 'Test'.png"] == []
    assert objects(tmp_path / "there", crowds=to != "yolo") == objects(source, crowds=to != "yolo")
    assert objects(tmp_path / "back") == expected


@pytest.mark.parametrize("to", WRITERS)
def test_a_new_folder_is_perfect(source, tmp_path, to):
    convert_data_set(source, to, tmp_path / "out")
    contents = read_data_set(tmp_path / "out", strict=True)
    assert contents.format.key == to and not contents.left_out
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    for path in (tmp_path / "out").rglob("*.png"):
        assert path.read_bytes() == (source / "train" / "cam1" / "0001.png").read_bytes()


def test_coco_keeps_all_ids(source, tmp_path):
    convert_data_set(source, "coco", tmp_path / "out")
    written = json.loads((tmp_path / "out" / "annotations" / "instances_val.json").read_text())
    assert written["categories"] == [
        {"id": 3, "name": "an owl"}, {"id": 7, "name": "zebra"}, {"id": 90, "name": "unseen"},
    ]  # fmt: skip
    assert [image["id"] for image in written["images"]] == [100, 101, 102]
    first = written["annotations"][0]
    assert first["bbox"] == [1.25, 2.5, 19.5, 27.5] and first["area"] == 536.25 and first["iscrowd"] == 0
    ids = [
        each["id"]
        for split in ("train", "val")
        for each in json.loads((tmp_path / "out" / "annotations" / f"instances_{split}.json").read_text())[
            "annotations"
        ]
    ]
    assert sorted(ids) == [1, 2, 3, 4, 5, 6]


def test_voc_by_hand(source, tmp_path):
    conversion = convert_data_set(source, "voc", tmp_path / "out")
    text = (tmp_path / "out" / "Annotations" / "train" / "cam1" / "0001.xml").read_text()
    for part in ("<filename>train/cam1/0001.png</filename>", "<xmin>2.25</xmin>", "<ymin>3.5</ymin>",
                 "<xmax>20.75</xmax>", "<ymax>30</ymax>", "<difficult>1</difficult>", "<width>40</width>"):  # fmt: skip
        assert part in text
    lists = tmp_path / "out" / "ImageSets" / "Main"
    assert (lists / "val.txt").read_text().splitlines()[1:] == ["val/cam2/0001", "val/cam2/Übung & 'Test'"]
    assert conversion.notes == (
        "Classes without objects are left out, since the format has no list of classes: unseen.",
    )


def test_yolo_by_hand(source, tmp_path):
    conversion = convert_data_set(source, "yolo", tmp_path / "out")
    assert yaml.safe_load((tmp_path / "out" / "data.yaml").read_text("utf-8")) == {
        "train": "images/train", "val": "images/val", "nc": 3, "names": {0: "an owl", 1: "zebra", 2: "unseen"},
    }  # fmt: skip
    labels = tmp_path / "out" / "labels" / "train" / "cam1" / "0001.txt"
    # x: (1.25 + 20.75) / 2 / 40, y: (2.5 + 30) / 2 / 30
    assert labels.read_text() == "1 0.27500000 0.54166667 0.48750000 0.91666667\n"
    assert (tmp_path / "out" / "labels" / "train" / "cam2" / "Übung & 'Test'.txt").read_text() == ""
    assert conversion.notes == ("2 crowd regions (difficult objects) are left out: the format has none.",)


def test_pictures_of_one_folder_get_plain_names(tmp_path):
    made_data.coco(tmp_path / "data")
    made_data.coco(tmp_path / "data", {**made_data.coco_content(), "images": []}, "val")
    convert_data_set(tmp_path / "data", "voc", tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out" / "JPEGImages").iterdir()) == ["a.png", "b.png"]


def test_pictures_that_differ_in_the_suffix_only_stay_apart(tmp_path):
    content = made_data.coco_content()
    content["images"][1]["file_name"] = "a.jpg"
    made_data.coco(tmp_path / "data", content)
    made_data.picture(tmp_path / "data" / "images" / "a.jpg", (40, 30))
    for to in ("voc", "yolo"):
        convert_data_set(tmp_path / "data", to, tmp_path / to)
        names = sorted(path.name for path in (tmp_path / to).rglob("a*.*g"))
        assert names == ["a.png", "a_jpg.jpg"]
        found = objects(tmp_path / to)
        assert len(found["train", "a.png"]) == (2 if to == "voc" else 1) and found["train", "a_jpg.jpg"] == []


def test_what_cannot_be_used_is_left_out_and_counted(source, tmp_path):
    cut, other = source / "train" / "cam1" / "0001.png", source / "val" / "cam2" / "0001.png"
    cut.write_bytes(b"no picture")
    made_data.picture(other, (41, 30))
    conversion = convert_data_set(source, "yolo", tmp_path / "out")
    assert conversion.left_out.counts == {UNREADABLE: 1, OTHER_SIZE: 1}
    assert {split: counts.pictures for split, counts in conversion.splits.items()} == {"train": 2, "val": 2}
    with pytest.raises((PictureError, DataError), match=r"cam1/0001\.png"):
        convert_data_set(source, "yolo", tmp_path / "strict", strict=True)
    assert not (tmp_path / "strict").exists() and not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("full", "full already exists: remove it or name another folder."),
        ("source/new", "is inside the data set"),
        ("none/new", "none does not exist: create it first."),
        ("file", "file already exists"),
    ],
)
def test_folders_that_cannot_be_written(source, tmp_path, out, message):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").touch()
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=message):
        convert_data_set(source, "coco", tmp_path / out)


def test_the_command_says_what_it_did(source, tmp_path, capsys):
    (tmp_path / "out").mkdir()  # an empty folder may exist
    flags = ["--data", str(source), "--to", "yolo", "--out", str(tmp_path / "out"), "--json", str(tmp_path / "a.json")]
    assert main(["convert", *flags]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("COCO, 2 ") and lines[-1].split() == [
        "val",
        "3",
        "pictures,",
        "2",
        "objects,",
        "0",
        "crowds",
    ]
    assert json.loads((tmp_path / "a.json").read_text())["splits"]["train"] == {
        "pictures": 3, "objects": 2, "crowds": 0,
    }  # fmt: skip
    assert isinstance(open_folder(tmp_path / "out", "val"), FolderData)


def test_the_parser_offers_all_formats():
    assert tuple(WRITERS) == WRITTEN_FORMATS
    assert tuple(each.key for each in FORMATS) == NAMED_FORMATS


def ordered(folder: Path) -> dict[tuple[str, str], list[tuple]]:
    return {(split, name.split("/")[-1]): rows for (split, name), rows in objects(folder).items()}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_every_layout_can_be_written_in_every_format(tmp_path, layout):
    layout.write(tmp_path / "source")
    expected = ordered(tmp_path / "source")
    for to in WRITERS:
        conversion = convert_data_set(tmp_path / "source", to, tmp_path / to)
        assert not conversion.left_out and not conversion.notes
        found = ordered(tmp_path / to)
        assert found.keys() == expected.keys()
        for key, rows in expected.items():
            assert [row[:2] for row in found[key]] == [row[:2] for row in rows]
            assert np.allclose([row[2:] for row in found[key]], [row[2:] for row in rows], atol=2e-3)


def test_pictures_get_names_that_every_system_allows_and_tells_apart(tmp_path):
    names = ("aux.jpg", "a:b.jpg", "Same.jpg", "same.jpg", "u\u0308.jpg", "\u00fc.jpg", "plain.jpg")
    (tmp_path / "data" / "train").mkdir(parents=True)
    content: dict = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "thing"}]}
    for number, name in enumerate(names):
        Image.new("RGB", (40, 30)).save(tmp_path / "data" / "train" / name)
        content["images"].append({"id": number, "file_name": name, "width": 40, "height": 30})
        content["annotations"].append({"id": number, "image_id": number, "category_id": 1, "bbox": [1, 1, 9, 9]})
    (tmp_path / "data" / "instances_train.json").write_text(json.dumps(content))
    for to in WRITERS:
        conversion = convert_data_set(tmp_path / "data", to, tmp_path / to)
        written = sorted(path.name for path in (tmp_path / to).rglob("*.jpg"))
        assert len(written) == len(names) and all(map(is_portable, written))
        assert len(set(map(fold_name, written))) == len(names)
        assert {"aux_.jpg", "a_b.jpg", "plain.jpg"} < set(written)
        assert "4 pictures have other names" in conversion.notes[0] and "'a:b.jpg' is 'a_b.jpg'" in conversion.notes[0]
        assert len(open_folder(tmp_path / to, "train")) == len(names)
