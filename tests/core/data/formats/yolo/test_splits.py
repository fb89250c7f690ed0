"""The splits in the settings of a YOLO data set, as folders and lists of pictures."""

import pytest

from core.data.annotations import BAD_PATH
from core.data.formats.yolo.reader import YOLO
from tests.core.data.formats.reading import Problems, assert_refused, read, splits_of, write
from tests.core.data.formats.yolo.small_set import LINE, NAMES


def made(tmp_path, settings: str, lists: dict[str, object] | None = None, report=None) -> dict[str, str | None]:
    """Returns the splits of four pictures."""
    names = ("images/train/a", "images/train/b", "images/val/a", "images/val/c")
    write(tmp_path, {f"{name}.png": "" for name in names})
    write(tmp_path, {f"{name.replace('images', 'labels')}.txt": LINE for name in names})
    write(tmp_path, {"data.yaml": NAMES + settings} | (lists or {}))
    return splits_of(read(tmp_path, YOLO, *([report] if report is not None else [])))


GIVEN = {"images/train/a.png": "train", "images/train/b.png": "train", "images/val/a.png": "val",
         "images/val/c.png": "val"}  # fmt: skip

NONE = dict.fromkeys(GIVEN)


@pytest.mark.parametrize(
    "settings",
    [
        "train: images/train\nval: images/val\ntest:\n",
        "train: ./images/train/\nval: [images/val]\n",
        "train: ../images/train\nval: ../images/val\n",
        "path: /home/me/data\ntrain: images/train\nval: images/val\n",
        "path: ../datasets/mine\ntrain: images/train\nval: images/val\n",
        "path: images\ntrain: train\nval: val\n",
        "train: /content/drive/images/train\nval: C:\\data\\images\\val\n",
        "train: Images/Train\nval: images/val\n",
        "train: images/train/*.png\nval: images/val/*\n",
        "train: images/train\nval: images/val\ntest: images/val\n",
    ],
)
def test_splits_of_the_settings(tmp_path, settings):
    assert made(tmp_path, settings) == GIVEN


def test_splits_named_twice_or_not_there_are_said(tmp_path):
    assert made(tmp_path, "train: images\nval: images\ntest: none/x\n") == NONE
    assert read(tmp_path, YOLO).notes == (
        "data.yaml says that test is at 'none/x', which is not there: it was not used.",
        "The splits train and val name the same pictures: val was not used.",
    )


def test_settings_cannot_lead_out_of_the_folder(tmp_path):
    write(tmp_path / "secret", {"images/x.png": ""})
    assert made(tmp_path / "data", "train: /etc\nval: ../../secret/images/x\n") == NONE


def test_many_folders_in_the_settings(tmp_path):
    made(tmp_path, "")
    write(tmp_path, {"data.yaml": f"{NAMES}train: [{','.join('x' * 1001)}]\n"})
    assert_refused(tmp_path, YOLO, "not a folder or list of pictures")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("train: {a: b}\n", "says that train is at .*, not a folder or list of pictures"),
        ("train: images\nval: images/val\n", "The splits train and val of .* both have 'images/val/a.png'"),
    ],
)
def test_splits_that_cannot_be_used(tmp_path, settings, message):
    made(tmp_path, "")
    write(tmp_path, {"data.yaml": NAMES + settings})
    assert_refused(tmp_path, YOLO, message)


LISTS = {"train.txt": "images/train/a.png\r\n./images/train/b.png\n", "val.txt": "images/val/a.png\nimages/val/c.png"}


@pytest.mark.parametrize(
    ("settings", "lists"),
    [
        ("", LISTS),
        ("train: train.txt\nval: val.txt\n", LISTS),
        ("train: lists/a.txt\nval: b.txt\n", {"lists/a.txt": LISTS["train.txt"], "b.txt": LISTS["val.txt"]}),
        ("", {name: text.replace("images/", "data/images/") for name, text in LISTS.items()}
            | {"obj.data": "classes = 2\ntrain = data/train.txt\nvalid = data/val.txt\nnames = data/obj.names\n"}),
        ("", {name: text.replace("./", "").replace("images/", "/home/me/images/") for name, text in LISTS.items()}),
        ("", {"train.txt": "train/a.png\ntrain/b.png", "val.txt": b"\xef\xbb\xbfval/a.png\n\nc.png"}),
        ("", {f"images/{name}": text.replace("images/", "") for name, text in LISTS.items()}),
    ],
)  # fmt: skip
def test_lists_of_pictures(tmp_path, settings, lists):
    assert made(tmp_path, settings, lists) == GIVEN


def test_lines_that_name_no_picture_are_reported(tmp_path):
    problems = Problems()
    text = "images/train/a.png\na.png\nnone.png\nimages/train/a.png\n"
    assert made(tmp_path, "train: train.txt\n", {"train.txt": text}, problems) == NONE | {"images/train/a.png": "train"}
    assert [kind for kind, _ in problems] == [BAD_PATH] * 3
    for (_, message), part in zip(problems, ("fits 2 pictures", "is not there", "twice"), strict=True):
        assert part in message
