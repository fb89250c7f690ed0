import json
from pathlib import Path

import pytest

from core.data import coco as module
from core.data.coco import CocoData
from core.data.dataset import DataSet
from core.data.untrusted import DataError
from core.errors import PictureError
from tests.core.made_data import assert_sample, coco, coco_content, picture


def annotated(folder: Path, boxes: list) -> CocoData:
    content = coco_content()
    content["annotations"] = [
        {"id": number, "image_id": 7, "category_id": 2, "bbox": box} for number, box in enumerate(boxes)
    ]
    return CocoData(coco(folder, content), "train")


def test_coco_reads_what_is_written(tmp_path):
    data = CocoData(coco(tmp_path), "train")
    assert isinstance(data, DataSet)
    assert (len(data), data.class_names, data.category_ids, data.dropped) == (2, ("cat", "dog"), (2, 9), 0)
    sample, empty = list(data)
    assert_sample(sample)
    assert_sample(empty)
    assert sample.image.shape == (3, 30, 40)
    assert sample.image_id == 7
    assert sample.boxes.tolist() == [[1, 2, 11, 22], [0.5, 0.25, 8.5, 4.25]]
    assert sample.labels.tolist() == [1, 0]
    assert sample.crowd.tolist() == [False, True]
    assert empty.image_id == 3
    assert empty.boxes.shape == (0, 4)


def test_samples_do_not_share_what_callers_may_change(tmp_path):
    data = CocoData(coco(tmp_path), "train")
    data[0].boxes.zero_()
    assert data[0].boxes[0].tolist() == [1, 2, 11, 22]


@pytest.mark.parametrize("images", ["val2017", "images/val2017", "images"])
def test_the_published_coco_layout(tmp_path, images):
    folder = tmp_path / "annotations"
    folder.mkdir()
    (folder / "instances_val2017.json").write_text(json.dumps(coco_content()))
    picture(tmp_path / images / "a.png")
    picture(tmp_path / images / "b.png")
    assert len(CocoData(tmp_path, "val")) == 2
    (folder / "instances_val2014.json").write_text("{}")
    with pytest.raises(DataError, match=r"several files for the split val \(.*val2014.*val2017.*keep one"):
        CocoData(tmp_path, "val")


def test_coco_boxes_are_clipped_and_impossible_ones_dropped(tmp_path):
    data = annotated(
        tmp_path,
        [
            [-5, -5, 100, 100],  # clipped to the picture
            [30, 20, 10, 10],  # touches the corner from inside
            [40, 0, 5, 5],  # touches the edge from outside
            [1, 1, 0, 5],
            [1, 1, 5, -2],
            [float("nan"), 1, 5, 5],
            [1, 1, float("inf"), 5],
            [1e308, 1, 1e308, 5],
            [10**400, 1, 5, 5],
            [1, 1, 1e-30, 5],  # vanishes in float32
        ],
    )
    assert data[0].boxes.tolist() == [[0, 0, 40, 30], [30, 20, 40, 30]]
    assert data[0].labels.tolist() == [0, 0]
    assert data.dropped == 8


def test_coco_without_sizes_reads_them_from_the_images(tmp_path):
    content = coco_content()
    del content["images"][0]["width"]
    content["images"][1]["height"] = 0
    content["annotations"][0]["bbox"] = [0, 0, 1000, 1000]
    data = CocoData(coco(tmp_path, content), "train")
    assert data[0].boxes[0].tolist() == [0, 0, 40, 30]
    (tmp_path / "images" / "b.png").write_bytes(b"none")
    with pytest.raises(DataError, match=r"train\.json does not give a picture's size.*b\.png"):
        CocoData(tmp_path, "train")


@pytest.mark.parametrize("size", [(30, 40), (20, 15)])
def test_picture_of_another_size_is_refused(tmp_path, size):
    data = CocoData(coco(tmp_path), "train")
    picture(tmp_path / "images" / "a.png", size)
    with pytest.raises(DataError, match=rf"a\.png has {size[0]}×{size[1]} .* says 40×30: correct the size"):
        data[0]


def test_broken_picture(tmp_path):
    data = CocoData(coco(tmp_path), "train")
    path = tmp_path / "images" / "a.png"
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(PictureError, match=r"a\.png"):
        data[0]


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda c: c["images"][1].update(id=7), "id 7 is used twice in 'images'"),
        (lambda c: c["annotations"][1].update(id=1), "id 1 is used twice in 'annotations'"),
        (lambda c: c["categories"][1].update(id=9), "id 9 is used twice in 'categories'"),
        (lambda c: c["categories"][1].update(name="dog"), "distinct names"),
        (lambda c: c["categories"][1].pop("name"), "distinct names"),
        (lambda c: c["categories"].clear() or c["annotations"].clear(), "distinct names"),
        (lambda c: c["annotations"][0].update(image_id=8), "annotation 1 has the unknown image_id 8"),
        (lambda c: c["annotations"][0].update(category_id=1), "annotation 1 has the unknown category_id 1"),
        (lambda c: c["annotations"][0].update(category_id=[2]), r"unknown category_id \[2\]"),
        (lambda c: c["annotations"][0].update(image_id=True), "unknown image_id True"),
        (lambda c: c["annotations"][0].update(bbox=[1, 2, 3]), "annotation 1 has no bbox of four numbers"),
        (lambda c: c["annotations"][0].update(bbox=["1", "2", "3", "4"]), "annotation 1 has no bbox"),
        (lambda c: c["annotations"][0].pop("bbox"), "annotation 1 has no bbox"),
        (lambda c: c["images"][0].update(id="7" * 10**6), r"id '7{98}… in 'images' is not a whole number"),
        (lambda c: c["images"][0].pop("id"), "id None in 'images' is not a whole number"),
        (lambda c: c["images"][0].pop("file_name"), "image 7 has no file_name"),
        (lambda c: c.pop("annotations"), "no list 'annotations'"),
        (lambda c: c.update(images={}), "no list 'images'"),
        (lambda c: c.update(images=[3]), "no list 'images'"),
        (lambda c: c["images"].clear() or c["annotations"].clear(), "lists no pictures"),
    ],
)
def test_coco_contradictions_are_named(tmp_path, change, message):
    content = coco_content()
    change(content)
    with pytest.raises(DataError, match=message) as error:
        CocoData(coco(tmp_path, content), "train")
    assert "train.json" in str(error.value)
    assert str(error.value).endswith(".")
    assert len(str(error.value)) < 400


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "\0", "[" * 100_000, '{"images": [' + "9" * 5000 + "]}"])
def test_text_that_is_not_coco(tmp_path, text):
    with pytest.raises(DataError, match=r"train\.json cannot be used because"):
        CocoData(coco(tmp_path, text), "train")


@pytest.mark.parametrize(
    "name", ["../secret.png", "x/../../secret.png", "/etc/passwd", "..\\secret.png", "", "\0", "\ud800", "a" * 10**6]
)
def test_coco_paths_stay_inside(tmp_path, name):
    picture(tmp_path / "secret.png")
    content = coco_content()
    content["images"][0]["file_name"] = name
    with pytest.raises(DataError, match=r"train\.json names the picture .*, which is not a path inside") as error:
        CocoData(coco(tmp_path / "data", content), "train")
    assert len(str(error.value)) < 600


def test_links_stay_inside_too(tmp_path):
    picture(tmp_path / "secret.png")
    folder = coco(tmp_path / "data")
    link = folder / "images" / "a.png"
    link.unlink()
    link.symlink_to(tmp_path / "secret.png")
    with pytest.raises(DataError, match="not a path inside"):
        CocoData(folder, "train")
    link.unlink()
    link.symlink_to(link)
    with pytest.raises(DataError):
        CocoData(folder, "train")


def test_missing_pictures_are_counted_when_opening(tmp_path):
    folder = coco(tmp_path)
    (folder / "images" / "b.png").unlink()
    with pytest.raises(DataError, match=r"b\.png, which does not exist \(1 of 2 pictures are missing\)"):
        CocoData(folder, "train")
    content = coco_content()
    content["images"][0]["file_name"] = "x" * 500  # longer than file systems allow
    with pytest.raises(DataError, match="2 of 2 pictures are missing"):
        (folder / "train.json").write_text(json.dumps(content))
        CocoData(folder, "train")


def test_large_json_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_JSON_BYTES", 100)
    with pytest.raises(DataError, match=r"train\.json is larger than"):
        CocoData(coco(tmp_path), "train")


def test_a_class_name_that_cannot_be_written_is_refused(tmp_path):
    content = coco_content()
    content["categories"][0]["name"] = "\ud800"
    with pytest.raises(DataError, match="needs categories with distinct names"):
        CocoData(coco(tmp_path, content), "train")
