"""YOLO data sets with pictures in formats that are not read, such as HEIC of iPhones."""

import pytest

from core.data.annotations import ORPHAN_LABELS
from core.data.formats.yolo.pairs import match_unread
from core.data.formats.yolo.reader import YOLO
from core.data.left_out import UNREADABLE
from tests.core.data.formats.reading import Problems, assert_refused, find, objects_of, read, write
from tests.core.data.formats.yolo.small_set import CAT, LINE, NAMES, SET

HEIC = "which is a HEIC picture, which cannot be read: convert it to JPEG"


@pytest.mark.parametrize(
    ("picture", "label"),
    [
        ("images/IMG_1.HEIC", "labels/IMG_1.txt"),
        ("images/IMG_1.heif", "labels/img_1.txt"),
        ("IMG_1.HEIC", "IMG_1.txt"),
        ("IMG_1.HEIC", "labels/IMG_1.HEIC.txt"),
        ("imgs/IMG_1.HEIC", "labels/ab12cd34-IMG_1.txt"),
    ],
)
def test_a_set_of_unread_pictures_is_refused_with_the_remedy(tmp_path, picture, label):
    write(tmp_path, {picture: "", label: LINE, "data.yaml": NAMES})
    assert find(tmp_path, YOLO) == [label]
    assert_refused(tmp_path, YOLO, rf"has no picture in a known format, only '{picture}', {HEIC}\.$")


def test_a_set_without_pictures_is_refused(tmp_path):
    write(tmp_path, {"labels/a.txt": LINE, "data.yaml": NAMES})
    assert_refused(tmp_path, YOLO, "has no picture in a known format: add the pictures of its label files")


def test_pictures_without_labels_beside_unread_ones_with_labels(tmp_path):
    write(tmp_path, {"cover.png": "", "images/a.HEIC": "", "labels/a.txt": LINE, "data.yaml": NAMES})
    assert_refused(
        tmp_path, YOLO, f"has no YOLO label file for any of its 1 pictures, only for 'images/a.HEIC', {HEIC}"
    )


def test_labels_of_unread_pictures_are_reported_as_such(tmp_path):
    write(tmp_path, SET | {"images/b.HEIC": "", "labels/b.txt": LINE, "images/c.psd": "", "labels/c.txt": LINE})
    write(tmp_path, {"labels/d.txt": LINE, "notes/d.json": "{}", "images/a.HEIC": ""})
    problems = Problems()
    assert objects_of(read(tmp_path, YOLO, problems)) == {"images/a.png": [CAT]}
    assert problems == [
        (UNREADABLE, f"{tmp_path}/labels/b.txt belongs to 'images/b.HEIC', {HEIC}."),
        (
            UNREADABLE,
            f"{tmp_path}/labels/c.txt belongs to 'images/c.psd', which is no picture in a known format: save it as "
            "PNG or JPEG.",
        ),
        (ORPHAN_LABELS, f"{tmp_path}/labels/d.txt has no picture: add the picture or remove the labels."),
    ]


def test_unread_pictures_of_the_same_name_have_the_labels_of_their_folder():
    pictures = ["images/train/a.HEIC", "images/val/a.HEIC"]
    assert match_unread(pictures, ["labels/val/a.txt"]) == {"labels/val/a.txt": "images/val/a.HEIC"}
