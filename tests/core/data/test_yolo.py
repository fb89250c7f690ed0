import time

import pytest
from PIL import ExifTags, Image

from core.config import Scenes
from core.data.sources import open_data
from core.data.untrusted import DataError
from core.data.yolo import YoloData, find_yolo_splits
from tests.core.made_data import assert_sample, picture, yolo

LINE = "0 0.5 0.5 0.5 0.5\n"  # of a picture of 40×30: 10, 7.5, 30, 22.5
CLASS_NAME_STYLES = {
    "list": "names: ['cat', \"dog\"]\n",
    "block": "names:\n  - cat\n  - dog\n",
    "numbers": "names:\n  0: cat\n  1: dog\n",
    "words YAML would change": "nc: 2\nnames: [no, 10]\n",
}


def test_yolo_reads_what_is_written(tmp_path):
    folder = yolo(tmp_path, {"train/a": LINE + "\n1 0.125 0.1 0.25 0.2\n", "train/b": "", "val/c": LINE})
    picture(folder / "images" / "train" / "d.jpg")  # no labels: no objects
    data = YoloData(folder, "train")
    assert (len(data), data.class_names, data.category_ids, data.dropped) == (3, ("cat", "dog"), (1, 2), 0)
    for sample in data:
        assert_sample(sample)
    assert data[0].boxes.tolist() == [[10, 7.5, 30, 22.5], [0, 0, 10, 6]]
    assert data[0].labels.tolist() == [0, 1]
    assert [len(data[index].boxes) for index in (1, 2)] == [0, 0]
    assert [data.image_name(index) for index in range(3)] == ["a.png", "b.png", "d.jpg"]
    assert find_yolo_splits(folder) == ("train", "val")
    assert isinstance(open_data(str(folder), "val", Scenes(), 1), YoloData)


def test_a_polygon_becomes_its_box(tmp_path):
    data = YoloData(yolo(tmp_path, {"train/a": "1 0.5 0.1 0.75 0.6 0.25 0.4"}), "train")
    assert data[0].boxes.tolist() == [pytest.approx([10, 3, 30, 18])]


def test_boxes_are_clipped_and_impossible_ones_dropped(tmp_path):
    lines = ["0 0.5 0.5 1.5 1.5", "0 1.5 0.5 0.2 0.2", "0 0.5 0.5 0 0.5", "0 nan 0.5 0.5 0.5", "0 inf 0.5 0.5 0.5"]
    data = YoloData(yolo(tmp_path, {"train/a": "\n".join(lines)}), "train")
    assert data[0].boxes.tolist() == [[0, 0, 40, 30]]
    assert data.dropped == 4


def test_upright_pictures(tmp_path):
    folder = yolo(tmp_path, {"train/a": LINE})
    (folder / "images" / "train" / "a.png").unlink()
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    picture(folder / "images" / "train" / "a.jpg", (40, 30), exif=exif)
    assert YoloData(folder, "train")[0].boxes.tolist() == [[7.5, 10, 22.5, 30]]  # 30×40 when turned


@pytest.mark.parametrize("settings", CLASS_NAME_STYLES.values(), ids=CLASS_NAME_STYLES)
def test_names_of_classes(tmp_path, settings):
    names = YoloData(yolo(tmp_path, {"train/a": LINE}, settings), "train").class_names
    assert names == (("no", "10") if "nc" in settings else ("cat", "dog"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("nc: 2\n", "needs the class names"),
        ("names: []\n", "needs the class names"),
        ("names: [cat, [dog]]\n", "needs the class names"),
        ("names: {0: cat, 2: dog}\n", "without a gap"),
        ("names: [cat, cat]\n", "two classes the same name"),
        ("names: [cat\n", "is not YAML"),
        ("just words\n", "has no keys"),
        ("names: !!python/object/apply:os.system ['true']\ntrain: images/train", None),
        ("[" * 5000, "is not YAML"),
        ("names: [cat]\ntrain: /etc\n", "not a folder or list of pictures inside"),
        ("names: [cat]\ntrain: ../../etc\n", "not a folder or list of pictures inside"),
        ("names: [cat]\ntrain: {a: b}\n", "not a folder or list of pictures inside"),
        ("names: [cat]\ntrain: images/none\n", r"'images/none', which is not a folder"),
        ("#" * 2**16 + "\nnames: [cat]\n", "larger than 64 KB"),
    ],
)
def test_unusable_yaml(tmp_path, settings, message):
    folder = yolo(tmp_path, {"train/a": LINE}, settings)
    if message is None:  # a tag makes nothing: the list is a list
        assert YoloData(folder, "train").class_names == ("true",)
        return
    with pytest.raises(DataError, match=message) as error:
        YoloData(folder, "train")
    assert "data.yaml" in str(error.value)


def test_aliases_do_not_blow_up(tmp_path):
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n + 1}: &a{n + 1} [*a{n}, *a{n}, *a{n}]\n" for n in range(60))
    merge = "b0: &b0 {x: y}\n" + "".join(f"b{n + 1}: &b{n + 1}\n  <<: [*b{n}, *b{n}]\n" for n in range(40))
    start = time.perf_counter()
    data = YoloData(yolo(tmp_path, {"train/a": LINE}, f"{bomb}{merge}names: [cat]\n"), "train")
    assert data.class_names == ("cat",) and time.perf_counter() - start < 5


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
    assert YoloData(tmp_path, "train")[0].boxes.shape == (1, 4)
    assert find_yolo_splits(tmp_path) == ("train",)
    with pytest.raises(DataError, match="no split val"):
        YoloData(tmp_path, "val")


def test_valid_is_val(tmp_path):
    picture(tmp_path / "valid" / "images" / "a.png")
    (tmp_path / "data.yaml").write_text("names: [cat]\n")
    assert find_yolo_splits(tmp_path) == ("val",)


def test_a_list_of_pictures(tmp_path):
    folder = yolo(tmp_path, {"x/a": LINE, "x/b": LINE}, "names: [cat]\ntrain: lists/train.txt\n")
    (folder / "lists").mkdir()
    (folder / "lists" / "train.txt").write_text("./images/x/b.png\n\nimages/x/a.png\n")
    data = YoloData(folder, "train")
    assert [data.image_name(index) for index in range(2)] == ["b.png", "a.png"] and len(data[0].boxes) == 1
    for line, message in (
        ("/etc/passwd", "not a path inside"),
        ("../../x.png", "not a path inside"),
        ("images/x/a.png\nimages/x/a.png", "twice"),
        ("images/x/none.png", "which does not exist"),
        ("", "no picture in its split"),
    ):
        (folder / "lists" / "train.txt").write_text(line)
        with pytest.raises(DataError, match=message):
            YoloData(folder, "train")


def test_classes_txt_and_one_folder_are_split_by_name(tmp_path):
    folder = yolo(tmp_path, {f"p{number}": LINE for number in range(20)})
    (folder / "data.yaml").unlink()
    assert find_yolo_splits(folder) == ()
    (folder / "labels" / "classes.txt").write_text("cat\ndog\n")
    splits = {split: YoloData(folder, split) for split in ("train", "val", "test")}
    assert {split: len(data) for split, data in splits.items()} == {"train": 16, "val": 2, "test": 2}
    names = [data.image_name(index) for data in splits.values() for index in range(len(data))]
    assert len(set(names)) == 20 and splits["val"].class_names == ("cat", "dog")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("2 0.5 0.5 0.5 0.5", r"a\.txt line 2 has the unknown class '2', not 0 to 1"),
        ("-1 0.5 0.5 0.5 0.5", "unknown class '-1'"),
        ("cat 0.5 0.5 0.5 0.5", "unknown class 'cat'"),
        ("² 0.5 0.5 0.5 0.5", "not plain text"),
        ("0 0.5 0.5 0.5", "not a class with four numbers"),
        ("0 0.5 0.5 0.5 0.5 0.9", "not a class with four numbers"),
        ("0 0.5 0.5 0.5 wide", "not a class with four numbers"),
        ("0", "not a class with four numbers"),
        ("0 20 15 10 10", "has 20 where a fraction from 0 to 1 is expected"),
    ],
)
def test_broken_lines_are_named(tmp_path, line, message):
    with pytest.raises(DataError, match=message):
        YoloData(yolo(tmp_path, {"train/a": LINE + line}), "train")


def test_labels_without_a_picture_are_named(tmp_path):
    folder = yolo(tmp_path, {"train/a": LINE, "train/b": LINE})
    (folder / "images" / "train" / "b.png").unlink()
    with pytest.raises(DataError, match=r"labels/train/b\.txt has no picture in .*images/train"):
        YoloData(folder, "train")


def test_links_out_of_the_folder_are_refused(tmp_path):
    folder = yolo(tmp_path / "data", {"train/a": LINE})
    picture(tmp_path / "secret.png")
    (folder / "images" / "train" / "b.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(DataError, match="not a path inside"):
        YoloData(folder, "train")


def test_a_class_name_that_cannot_be_written_is_refused(tmp_path):
    folder = yolo(tmp_path, {"train/a": LINE})
    (folder / "data.yaml").write_text('names: ["\\ud800", dog]\n')
    with pytest.raises(DataError, match="needs the class names"):
        YoloData(folder, "train")


def test_a_file_name_that_is_not_utf_8_is_refused(tmp_path):
    (tmp_path / "classes.txt").write_text("cat\n")
    picture(tmp_path / "images" / "a.png")
    (tmp_path / "images" / "a.png").rename(tmp_path / "images" / "\udcff.png")
    with pytest.raises(DataError, match=r"names the picture 'images/\\udcff.png', which is not a path"):
        YoloData(tmp_path, "train")


def test_a_folder_of_nested_aliases_is_quoted_briefly(tmp_path):
    folder = yolo(tmp_path, {"train/a": LINE})
    bomb = "".join(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 12))
    (folder / "data.yaml").write_text(f"names: [cat, dog]\na0: &a0 [x]\n{bomb}train: [*a11]\n")
    with pytest.raises(DataError, match="which is not a folder or list of pictures") as error:
        YoloData(folder, "train")
    assert len(str(error.value)) < 1000
