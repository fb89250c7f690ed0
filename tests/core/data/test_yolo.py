import pytest
from PIL import ExifTags, Image

from core.config import Scenes
from core.data.folders import find_splits, open_folder
from core.data.sources import open_data
from core.data.untrusted import DataError
from tests.core.made_data import assert_sample, picture, yolo

LINE = "0 0.5 0.5 0.5 0.5\n"  # of a picture of 40×30: 10, 7.5, 30, 22.5


def test_yolo_reads_what_is_written(tmp_path):
    folder = yolo(tmp_path, {"train/a": LINE + "\n1 0.125 0.1 0.25 0.2\n", "train/b": "", "val/c": LINE})
    picture(folder / "images" / "train" / "d.jpg")  # no labels: no objects
    data = open_folder(folder, "train")
    assert (len(data), data.class_names, data.category_ids, data.dropped) == (3, ("cat", "dog"), (1, 2), 0)
    for sample in data:
        assert_sample(sample)
    assert data[0].boxes.tolist() == [[10, 7.5, 30, 22.5], [0, 0, 10, 6]]
    assert data[0].labels.tolist() == [0, 1]
    assert [len(data[index].boxes) for index in (1, 2)] == [0, 0]
    assert [data.image_name(index) for index in range(3)] == ["a.png", "b.png", "d.jpg"]
    assert find_splits(folder) == ("train", "val")
    assert len(open_data(str(folder), "val", Scenes(), 1)) == 1


def test_a_polygon_becomes_its_box(tmp_path):
    data = open_folder(yolo(tmp_path, {"train/a": "1 0.5 0.1 0.75 0.6 0.25 0.4"}), "train")
    assert data[0].boxes.tolist() == [pytest.approx([10, 3, 30, 18])]


def test_boxes_are_clipped_and_impossible_ones_dropped(tmp_path):
    lines = ["0 0.5 0.5 1.5 1.5", "0 1.5 0.5 0.2 0.2", "0 0.5 0.5 0 0.5", "0 nan 0.5 0.5 0.5", "0 inf 0.5 0.5 0.5"]
    lines += ["1 0.5 0.5 1 1"] * 3
    data = open_folder(yolo(tmp_path, {"train/a": "\n".join(lines)}), "train")
    assert data[0].boxes.tolist() == [[0, 0, 40, 30]] * 4
    assert data.dropped == 4


def test_upright_pictures(tmp_path):
    folder = yolo(tmp_path, {"train/a": LINE})
    (folder / "images" / "train" / "a.png").unlink()
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    picture(folder / "images" / "train" / "a.jpg", (40, 30), exif=exif)
    assert open_folder(folder, "train")[0].boxes.tolist() == [[7.5, 10, 22.5, 30]]  # 30×40 when turned


@pytest.mark.parametrize(
    ("settings", "folder"),
    [
        ("train: images/train\n", "images/train"),
        ("train: ./images/train\n", "images/train"),
        ("path: /somewhere/else\ntrain: images/train\n", "images/train"),
        ("path: sub\ntrain: images/train\n", "sub/images/train"),
        ("train: ../train/images\n", "train/images"),
        ("", "train/images"),
        ("", "images/train"),
    ],
)
def test_image_folder_layouts(tmp_path, settings, folder):
    picture(tmp_path / folder / "a.png")
    labels = tmp_path / folder.replace("images", "labels")
    labels.mkdir(parents=True)
    (labels / "a.txt").write_text(LINE)
    (tmp_path / "data.yaml").write_text(f"names: [cat]\n{settings}test:\n")
    assert open_folder(tmp_path, "train")[0].boxes.shape == (1, 4)
    assert find_splits(tmp_path) == ("train",)
    with pytest.raises(DataError, match="no split val"):
        open_folder(tmp_path, "val", strict=True)


def test_a_list_of_pictures(tmp_path):
    folder = yolo(tmp_path, {"x/a": LINE, "x/b": LINE}, "names: [cat]\ntrain: lists/train.txt\n")
    (folder / "lists").mkdir()
    (folder / "lists" / "train.txt").write_text("./images/x/b.png\n\nimages/x/a.png\n")
    data = open_folder(folder, "train")
    assert [data.image_name(index) for index in range(2)] == ["a.png", "b.png"] and len(data[0].boxes) == 1


def test_classes_txt_and_one_folder_are_split_by_name(tmp_path):
    folder = yolo(tmp_path, {f"p{number}": LINE for number in range(20)})
    (folder / "data.yaml").unlink()
    with pytest.raises(DataError, match="needs the class names"):
        find_splits(folder)
    (folder / "labels" / "classes.txt").write_text("cat\ndog\n")
    splits = {split: open_folder(folder, split) for split in ("train", "val", "test")}
    assert {split: len(data) for split, data in splits.items()} == {"train": 16, "val": 2, "test": 2}
    names = [data.image_name(index) for data in splits.values() for index in range(len(data))]
    assert len(set(names)) == 20 and splits["val"].class_names == ("cat", "dog")


def test_labels_without_a_picture_are_named(tmp_path):
    folder = yolo(tmp_path, {"train/a": LINE, "train/b": LINE})
    (folder / "images" / "train" / "b.png").unlink()
    with pytest.raises(DataError, match=r"labels/train/b\.txt has no picture: add the picture or remove the labels"):
        open_folder(folder, "train", strict=True)


def test_links_out_of_the_folder_are_refused(tmp_path):
    folder = yolo(tmp_path / "data", {"train/a": LINE})
    picture(tmp_path / "secret.png")
    (folder / "images" / "train" / "b.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(DataError, match="not a path inside"):
        open_folder(folder, "train", strict=True)
