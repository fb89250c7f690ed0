import pytest

from core.data.annotations import BAD_FILE, BAD_OBJECT
from core.data.formats.tools.kitti import KITTI
from tests.core.data.formats.reading import (
    Object,
    Problems,
    assert_only,
    assert_refused,
    assert_survives_damage,
    find,
    objects_of,
    read,
    write,
)  # fmt: skip

LINE = "Car 0.00 0 -1.58 587.01 173.33 614.12 200.12 1.65 1.67 3.64 -0.65 1.71 46.70 -1.59\n"
CAR = Object("Car", [587.01, 173.33, 614.12, 200.12])
DONT_CARE = "DontCare -1 -1 -10 503.89 169.71 590.61 190.13 -1 -1 -1 -1000 -1000 -1000 -10\n"


@pytest.mark.parametrize(
    ("image", "label"),
    [("training/image_2/1.png", "training/label_2/1.txt"), ("images/1.jpg", "labels/1.txt"), ("1.png", "1.txt")],
)
def test_content_is_read(tmp_path, image, label):
    write(tmp_path, {image: "", label: "\ufeff" + LINE + DONT_CARE.replace("\n", "\r\n"), "2.png": ""})
    data = read(tmp_path, KITTI)
    assert objects_of(data) == {image: [CAR]} and not data.images[0].relative
    assert data.notes == (
        "Pictures without a label file, which were left out: 1.",
        "DontCare regions, which were left out: 1 (the first in 1.txt).",
    )
    assert_only(tmp_path, KITTI)


@pytest.mark.parametrize("text", ["", "0 0.5 0.5 0.5 0.5\n", "a text about a car\n", "1 " * 15, "Car 1 2 3\n"])
def test_other_texts_are_left_alone(tmp_path, text):
    write(tmp_path, {"a.png": "", "a.txt": text})
    assert find(tmp_path, KITTI) == []


def test_what_cannot_be_used_is_reported(tmp_path):
    write(
        tmp_path,
        {"a.png": "", "a.txt": LINE + "Car 0.00 0\n" + LINE.replace("587.01", "x"), "b.png": "", "b.txt": b"\xff"},
    )
    problems = Problems()
    assert objects_of(read(tmp_path, KITTI, problems)) == {"a.png": [CAR]}
    assert [kind for kind, _ in problems] == [BAD_OBJECT, BAD_OBJECT, BAD_FILE]
    assert_refused(tmp_path, KITTI, r"a\.txt line 2 is not a class with 14 numbers")


@pytest.mark.slow  # hundreds of damaged files
def test_damage(tmp_path):
    write(tmp_path, {"a.png": "", "a.txt": LINE * 2, "b.png": "", "b.txt": LINE})
    assert_survives_damage(tmp_path, KITTI, "a.txt")
