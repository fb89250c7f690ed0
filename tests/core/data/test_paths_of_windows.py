"""Data sets that were made on Windows: backslashes, drives, line ends and encodings."""

import json
from pathlib import Path

import pytest

from core.data.folders import read_data_set
from core.data.untrusted import DataError
from tests.core import made_data

HEAD = "filename;width;height;class;xmin;ymin;xmax;ymax\r\n"
NAMES = (r"images\a.png", r"C:\Users\me\images\a.png", "D:/me/images/a.png", "file:///C:/me/images/a.png")


@pytest.fixture
def folder(tmp_path) -> Path:
    made_data.picture(tmp_path / "images" / "a.png")
    return tmp_path


def read(folder: Path) -> list[tuple[str, int]]:
    contents = read_data_set(folder)
    assert not contents.left_out.counts
    return [(image.path.relative_to(folder).as_posix(), len(image.labels)) for image in contents.images]


@pytest.mark.parametrize("name", NAMES)
def test_pictures_of_coco_are_found_without_their_drive(folder, name):
    content = {
        "images": [{"id": 1, "file_name": name, "width": 40, "height": 30}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 9, 9]}],
        "categories": [{"id": 1, "name": "thing"}],
    }
    (folder / "instances_train.json").write_text(json.dumps(content))
    assert read(folder) == [("images/a.png", 1)]


@pytest.mark.parametrize("name", NAMES[:3])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_tables_of_windows_are_read(folder, name, encoding):
    (folder / "a.csv").write_bytes(f"{HEAD}{name};40;30;Käfer;1;1;9;9\r\n".encode(encoding))
    assert read(folder) == [("images/a.png", 1)]


def test_another_encoding_is_refused_in_one_sentence(folder):
    (folder / "a.csv").write_bytes(f"{HEAD}{NAMES[0]};40;30;Käfer;1;1;9;9\r\n".encode("cp1252"))
    with pytest.raises(DataError, match="save it in UTF-8"):
        read_data_set(folder)


@pytest.mark.parametrize("path", ["", "path: C:\\Users\\me\\data\r\n", "path: D:/data\r\n"])
def test_folders_of_yolo_are_found_without_their_drive(folder, path):
    made_data.picture(folder / "valid" / "images" / "b.png")
    for name in ("labels/a.txt", "valid/labels/b.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"0 .5 .5 .2 .2\r\n")
    (folder / "data.yaml").write_bytes(f"{path}train: .\\images\r\nval: valid\\images\r\nnames: [thing]\r\n".encode())
    assert sorted(read(folder)) == [("images/a.png", 1), ("valid/images/b.png", 1)]
    assert {split: len(raw.images) for split, raw in read_data_set(folder).splits.items()} == {"train": 1, "val": 1}
