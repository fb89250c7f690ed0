import json
from pathlib import Path

import pytest

from core.data.dataset import DataSet, FolderData
from core.data.folders import open_folder
from core.data.untrusted import DataError
from core.errors import PictureError
from tests.core.made_data import assert_sample, coco, coco_content, picture


def annotated(folder: Path, boxes: list) -> FolderData:
    content = coco_content()
    content["annotations"] = [
        {"id": number, "image_id": 7, "category_id": 2, "bbox": box} for number, box in enumerate(boxes)
    ]
    return open_folder(coco(folder, content), "train")


def test_coco_reads_what_is_written(tmp_path):
    data = open_folder(coco(tmp_path), "train")
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
    data = open_folder(coco(tmp_path), "train")
    data[0].boxes.zero_()
    assert data[0].boxes[0].tolist() == [1, 2, 11, 22]


@pytest.mark.parametrize("images", ["val2017", "images/val2017", "images"])
def test_the_published_coco_layout(tmp_path, images):
    folder = tmp_path / "annotations"
    folder.mkdir()
    (folder / "instances_val2017.json").write_text(json.dumps(coco_content()))
    picture(tmp_path / images / "a.png")
    picture(tmp_path / images / "b.png")
    assert len(open_folder(tmp_path, "val")) == 2


def test_coco_boxes_are_clipped_and_impossible_ones_dropped(tmp_path):
    data = annotated(
        tmp_path,
        [
            [-5, -5, 100, 100],  # clipped to the picture
            [30, 20, 10, 10],  # touches the corner from inside
            [40, 0, 5, 5],  # touches the edge from outside
            [1, 1, 0, 5],
            [1, 1, 5, -2],  # from the other corner
            [float("nan"), 1, 5, 5],
            [1, 1, float("inf"), 5],
            [1e308, 1, 1e308, 5],
            [10**400, 1, 5, 5],
            [1, 1, 1e-30, 5],  # vanishes in float32
            *[[number, 1, 5, 5] for number in range(6)],
        ],
    )
    assert data[0].boxes.tolist()[:2] == [[0, 0, 40, 30], [30, 20, 40, 30]]
    assert data[0].boxes.tolist()[2] == [1, 0, 6, 1]
    assert data[0].labels.tolist() == [0] * 9
    assert data.dropped == 5
    assert data.left_out.counts == {"bad object": 2, "empty box": 4, "outside box": 1}


def test_coco_without_sizes_reads_them_from_the_images(tmp_path):
    content = coco_content()
    del content["images"][0]["width"]
    content["images"][1]["height"] = 0
    content["annotations"][0]["bbox"] = [0, 0, 1000, 1000]
    data = open_folder(coco(tmp_path, content), "train")
    assert data[0].boxes[0].tolist() == [0, 0, 40, 30]
    (tmp_path / "images" / "b.png").write_bytes(b"none")
    data = open_folder(tmp_path, "train")  # no picture is opened before it is needed
    with pytest.raises(PictureError, match=r"b\.png"):
        data[1]


@pytest.mark.parametrize("size", [(30, 40), (20, 15)])
def test_picture_of_another_size_is_refused(tmp_path, size):
    data = open_folder(coco(tmp_path), "train")
    picture(tmp_path / "images" / "a.png", size)
    with pytest.raises(DataError, match=rf"a\.png has {size[0]}×{size[1]} .* says 40×30: correct the size"):
        data[0]


def test_broken_picture(tmp_path):
    data = open_folder(coco(tmp_path), "train")
    path = tmp_path / "images" / "a.png"
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(PictureError, match=r"a\.png"):
        data[0]


@pytest.mark.parametrize(
    "name", ["../secret.png", "x/../../secret.png", "/etc/passwd", "..\\secret.png", "", "\0", "a" * 10**6]
)
def test_coco_paths_stay_inside(tmp_path, name):
    picture(tmp_path / "secret.png")
    content = coco_content()
    content["images"][0]["file_name"] = name
    with pytest.raises(DataError, match=r"train\.json names the picture .*, which is not a path inside") as error:
        open_folder(coco(tmp_path / "data", content), "train", strict=True)
    assert len(str(error.value)) < 600


def test_links_stay_inside_too(tmp_path):
    picture(tmp_path / "secret.png")
    folder = coco(tmp_path / "data")
    link = folder / "images" / "a.png"
    link.unlink()
    link.symlink_to(tmp_path / "secret.png")
    with pytest.raises(DataError, match="not a path inside"):
        open_folder(folder, "train", strict=True)
    link.unlink()
    link.symlink_to(link)
    with pytest.raises(DataError):
        open_folder(folder, "train", strict=True)


def test_missing_pictures_are_left_out_and_counted(tmp_path):
    folder = coco(tmp_path)
    (folder / "images" / "b.png").unlink()
    data = open_folder(folder, "train")
    assert len(data) == 1 and data.left_out.counts == {"missing picture": 1}
    assert data.left_out.describe() == (
        "Left out: 1 picture that does not exist (train.json names 'b.png', which does not exist: add it or remove its "
        "annotations)."
    )
    with pytest.raises(DataError, match=r"train\.json names 'b\.png', which does not exist"):
        open_folder(folder, "train", strict=True)
    content = coco_content()
    content["images"][0]["file_name"] = "x" * 500  # longer than file systems allow
    (folder / "train.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"only 0 of 2 pictures are left, less than half\. Left out: 2 pictures"):
        open_folder(folder, "train")
