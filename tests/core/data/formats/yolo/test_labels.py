"""The lines of YOLO label files: boxes, polygons, turned boxes, poses, and what is none of these."""

import pytest

from core.data.annotations import BAD_OBJECT, UNKNOWN_CLASS
from core.data.formats.yolo.reader import YOLO
from tests.core.data.formats.reading import Object, Problems, assert_only, assert_refused, find, objects_of, read, write
from tests.core.data.formats.yolo.small_set import CAT, LINE, NAMES, SET


def test_a_polygon_becomes_its_box(tmp_path):
    write(tmp_path, SET | {"labels/a.txt": LINE + "1 0.5 0.1 0.75 0.6 0.25 0.4\n0 .1 .1 .9 .1 .9 .9 .1 .9"})
    data = read(tmp_path, YOLO)
    assert objects_of(data)["images/a.png"] == [
        CAT, Object("dog", [0.25, 0.1, 0.75, 0.6]), Object("cat", [0.1, 0.1, 0.9, 0.9])
    ]  # fmt: skip
    assert data.notes == ("Polygons read as their boxes: 2.",)


def test_negative_sizes_are_read_and_said(tmp_path):
    write(tmp_path, SET | {"labels/a.txt": "0 0.5 0.5 -0.5 0.25\n0 0.5 0.5 -0.5 -0.25\n" + LINE})
    data = read(tmp_path, YOLO)
    assert objects_of(data) == {"images/a.png": [CAT] * 3}
    assert data.notes == ("Boxes with a negative width or height, read without the sign: 2.",)


def test_turned_boxes_become_upright_ones(tmp_path):
    write(tmp_path, SET | {"labels/a.txt": "0 0.1 0.1 0.15 0.05 0.2 0.1 0.15 0.15\n" * 3})
    assert objects_of(read(tmp_path, YOLO))["images/a.png"] == [Object("cat", [0.1, 0.05, 0.2, 0.15])] * 3


@pytest.mark.parametrize(
    "line",
    [
        "0 0.5 0.5 0.5 0.25 0.9 1",  # score and track
        "0 0.5 0.5 0.5 0.25 0.4 0.45 0.6 0.55",  # two key points
        "0 0.5 0.5 0.5 0.25 0.4 0.45 0 0 0.6 0.55",  # three, one of them not labelled
        "0 0.5 0.5 0.5 0.25 0.4 0.45 2 0.6 0.55 1",  # two with visibility
    ],
)
def test_lines_that_may_be_poses_are_refused(tmp_path, line):
    write(tmp_path, SET | {"labels/a.txt": f"{line}\n" * 5})
    assert_refused(tmp_path, YOLO, r"a\.txt line 1 and the others like it have \d+ numbers .*add kpt_shape to data")


def test_one_key_point_outside_does_not_make_polygons(tmp_path):
    lines = ["0 0.5 0.5 0.5 0.25 0.4 0.45 0.6 0.55"] * 9 + ["0 0.5 0.5 0.5 0.25 0.4 0.45 0.9 0.55"]
    write(tmp_path, SET | {"labels/a.txt": "\n".join(lines)})
    assert_refused(tmp_path, YOLO, "add kpt_shape")


@pytest.mark.parametrize(("shape", "points"), [("[2, 2]", "0.4 0.45 0.6 0.55"), ("[2, 3]", "0.4 0.45 2 0.6 0.55 0")])
def test_poses_give_their_boxes(tmp_path, shape, points):
    text = f"0 0.5 0.5 0.5 0.25 {points}\n{LINE}"
    write(tmp_path, SET | {"labels/a.txt": text, "data.yaml": f"{NAMES}kpt_shape: {shape}\n"})
    assert objects_of(read(tmp_path, YOLO))["images/a.png"] == [CAT, CAT]


def test_poses_of_another_shape_are_reported(tmp_path):
    write(tmp_path, SET | {"labels/a.txt": LINE.strip() + " 0.4 0.4\n", "data.yaml": f"{NAMES}kpt_shape: [17, 3]\n"})
    assert_refused(tmp_path, YOLO, "line 1 has 6 numbers after the class; kpt_shape asks for 4 or 55")


@pytest.mark.parametrize("shape", ["[17]", "17", "[a, 3]", "[-1, 3]", "{x: y}"])
def test_a_shape_of_poses_that_cannot_be_used(tmp_path, shape):
    write(tmp_path, SET | {"data.yaml": f"{NAMES}kpt_shape: {shape}\n"})
    assert_refused(tmp_path, YOLO, "gives the kpt_shape .*: give two numbers")


@pytest.mark.parametrize(
    ("line", "kind", "message"),
    [
        ("2 0.5 0.5 0.5 0.5", UNKNOWN_CLASS, r"a\.txt line 2 has the unknown class '2', not 0 to 1"),
        ("-1 0.5 0.5 0.5 0.5", UNKNOWN_CLASS, "unknown class '-1'"),
        ("cat 0.5 0.5 0.5 0.5", UNKNOWN_CLASS, "unknown class 'cat'"),
        ("0 0.5 0.5 0.5", BAD_OBJECT, "not a class with four numbers"),
        ("0 0.5 0.5 0.5 0.5 0.9", BAD_OBJECT, "as 5 numbers follow the class: remove scores"),
        ("0 0.5 0.5 0.5 0.5" + " 0.5" * 51, BAD_OBJECT, "55 numbers follow the class.*kpt_shape"),
        ("0 0.5 0.5 0.5 wide", BAD_OBJECT, "not a class with four numbers"),
        ("0,0.5,0.5,0.5,0.5", BAD_OBJECT, "not a class with four numbers"),
        ("0", BAD_OBJECT, "not a class with four numbers"),
        ("0 20 15 10 10", BAD_OBJECT, "has 20 where a fraction from 0 to 1 is expected"),
    ],
)
def test_broken_lines_are_reported(tmp_path, line, kind, message):
    write(tmp_path, SET | {"labels/a.txt": LINE + line})
    assert_refused(tmp_path, YOLO, message)
    problems = Problems()
    assert objects_of(read(tmp_path, YOLO, problems)) == {"images/a.png": [CAT]}
    assert [each for each, _ in problems] == [kind]


def test_numbers_as_tools_write_them(tmp_path):
    write(tmp_path, SET | {"labels/a.txt": "\ufeff0.0 5e-1 .5 5.0e-01 0.25\n1.000000e+00 0.5 0.5 0.5 0.25"})
    assert [each.name for each in objects_of(read(tmp_path, YOLO))["images/a.png"]] == ["cat", "dog"]


def test_labels_in_utf_16(tmp_path):
    write(tmp_path, SET | {"labels/a.txt": LINE.encode("utf-16")})
    assert objects_of(read(tmp_path, YOLO)) == {"images/a.png": [CAT]}


def test_numbers_that_are_not_finite_are_left_to_the_check_of_boxes(tmp_path):
    write(tmp_path, SET | {"labels/a.txt": "0 nan 0.5 0.5 0.5\n0 inf 0.5 0.5 0.5"})
    assert len(read(tmp_path, YOLO).images[0].boxes) == 2


@pytest.mark.parametrize(
    ("line", "kind", "message"),
    [
        ("0,0.5,0.5,0.5,0.25", BAD_OBJECT, "is not a class with four numbers"),
        ("0; 0.5; 0.5; 0.5; 0.25", BAD_OBJECT, "is not a class with four numbers"),
        ("0 0,5 0,5 0,5 0,25", BAD_OBJECT, "is not a class with four numbers"),
        ("cat 0.5 0.5 0.5 0.25", UNKNOWN_CLASS, "has the unknown class 'cat', not 0 to 1"),
    ],
)
def test_lines_in_another_spelling_are_named(tmp_path, line, kind, message):
    write(tmp_path, SET | {"labels/a.txt": line})
    assert_only(tmp_path, YOLO)
    assert_refused(tmp_path, YOLO, rf"a\.txt line 1 {message}")
    problems = Problems()
    read(tmp_path, YOLO, problems)
    assert [each for each, _ in problems] == [kind]


@pytest.mark.parametrize(
    "files",
    [
        {"labels/a.txt": "a photo of 0.5 cats"},
        {"labels/a.txt": "Car 0.00 0 -1.58 587.01 173.33 614.12 200.12"},
        {"labels/a.txt": "cat 10 20 30 40"},
        {"labels/a.txt": "", "a.txt": "0,0.5,0.5,0.5,0.25", "labels/b.txt": "x"},
    ],
)
def test_lines_that_are_no_labels_are_left_alone(tmp_path, files):
    write(tmp_path, {"a.png": "", "data.yaml": NAMES} | files)
    assert find(tmp_path, YOLO) == []


def test_a_comment_is_no_label_and_a_header_is_reported(tmp_path):
    write(tmp_path, SET | {"labels/a.txt": "# class x y w h\n" + LINE})
    assert objects_of(read(tmp_path, YOLO)) == {"images/a.png": [CAT]}
    write(tmp_path, SET | {"labels/a.txt": "class x y w h\n" + LINE})
    problems = Problems()
    assert objects_of(read(tmp_path, YOLO, problems)) == {"images/a.png": [CAT]}
    assert [kind for kind, _ in problems] == [BAD_OBJECT]
