import csv
import json

import pytest

from core.data.annotations import BAD_FILE, BAD_OBJECT
from core.data.formats.tools.via import VIA
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

RECT = {"name": "rect", "x": 1, "y": 2, "width": 10, "height": 20}
CAT = Object("cat", [1, 2, 11, 22])


def region(shape: object = RECT, **attributes: object) -> dict:
    return {"shape_attributes": shape, "region_attributes": attributes or {"class": "cat"}}


def entry(*regions: object, name: str = "a.jpg") -> dict:
    return {f"{name}123": {"filename": name, "size": 123, "regions": list(regions), "file_attributes": {}}}


def table(path, *rows: tuple[str, object, object]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["filename", "file_size", "region_id", "region_shape_attributes", "region_attributes"])
        writer.writerows([name, 1, 0, json.dumps(shape), json.dumps(attributes)] for name, shape, attributes in rows)


@pytest.mark.parametrize(
    "content",
    [
        entry(region()) | entry(name="b.jpg"),
        {"_via_settings": {}, "_via_img_metadata": entry(region()) | entry(name="b.jpg"), "_via_attributes": {}},
        {"a": {"filename": "a.jpg", "regions": {"0": region()}}} | entry(name="b.jpg"),
        entry(region(type={"cat": True, "dog": False})) | entry(name="b.jpg"),
        entry(region(name="cat", colour="red")) | entry(name="b.jpg"),
        entry(region(colour="cat")) | entry(name="b.jpg"),
    ],
)
def test_json_is_read(tmp_path, content):
    write(tmp_path, {"via.json": content})
    data = read(tmp_path, VIA)
    assert objects_of(data) == {"a.jpg": [CAT], "b.jpg": []} and data.notes == ()
    assert_only(tmp_path, VIA)


def test_tables_are_read(tmp_path):
    table(tmp_path / "via.csv", ("a.jpg", RECT, {"class": "cat"}), ("b.jpg", {}, {}), ("a.jpg", RECT, {"class": "dog"}))
    data = read(tmp_path, VIA)
    assert objects_of(data) == {"a.jpg": [CAT, Object("dog", CAT.box)], "b.jpg": []}
    assert_only(tmp_path, VIA)


@pytest.mark.parametrize(
    ("shape", "box"),
    [
        ({"name": "polygon", "all_points_x": [1, 9, 4], "all_points_y": [2, 3, 8]}, [1, 2, 9, 8]),
        ({"name": "circle", "cx": 10, "cy": 10, "r": 5}, [5, 5, 15, 15]),
        ({"name": "ellipse", "cx": 10, "cy": 10, "rx": 5, "ry": 2, "theta": 0}, [5, 8, 15, 12]),
    ],
)
def test_outlines_become_their_bounds(tmp_path, shape, box):
    write(tmp_path, {"a.json": entry(region(shape))})
    data = read(tmp_path, VIA)
    assert objects_of(data) == {"a.jpg": [Object("cat", box)]}
    assert data.notes == ("Polygons, circles and ellipses read as their bounds: 1 (the first in a.json).",)


@pytest.mark.parametrize(
    "wrong",
    [
        region({"name": "point", "cx": 1, "cy": 2}), region({"name": "rect", "x": 1}), region({"name": "polygon"}),
        region({"name": "ellipse", "cx": 1, "cy": 1, "rx": 5, "ry": 2, "theta": 0.5}), region({}), region(None), 3,
        region(RECT, **{"class": ""}), region(RECT, **{"class": {"cat": True, "dog": True}}),
    ],
)  # fmt: skip
def test_regions_that_cannot_be_used_are_reported(tmp_path, wrong):
    write(tmp_path, {"a.json": entry(wrong, region())})
    problems = Problems()
    assert objects_of(read(tmp_path, VIA, problems)) == {"a.jpg": [CAT]}
    assert [kind for kind, _ in problems] == [BAD_OBJECT]


def test_the_class_must_be_known(tmp_path):
    write(tmp_path, {"a.json": entry(region(colour="red", size="big"))})
    assert_refused(tmp_path, VIA, r"have the attributes \['colour', 'size'\]: call the one that is the class 'class'")
    write(tmp_path, {"a.json": entry(region(name="cat", type="x"))})
    assert_refused(tmp_path, VIA, "have the attributes")
    write(tmp_path, {"a.json": entry(region(name="Tom", type="x", **{"class": "cat"}))})
    assert objects_of(read(tmp_path, VIA)) == {"a.jpg": [CAT]}


def test_pictures_that_cannot_be_used_are_reported(tmp_path):
    write(tmp_path, {"a.json": entry(region()) | {"x": 3, "y": {"filename": 3, "regions": []}}})
    problems = Problems()
    read(tmp_path, VIA, problems)
    assert [kind for kind, _ in problems] == [BAD_FILE] * 2
    write(tmp_path, {"b.json": {"x": {"y": 1}}, "c.csv": "filename,x\na,b\n"})
    assert find(tmp_path, VIA) == ["a.json"]


@pytest.mark.slow  # hundreds of damaged files
def test_damage(tmp_path):
    write(tmp_path, {"a.json": entry(region(), region()) | entry(name="b.jpg")})
    assert_survives_damage(tmp_path, VIA, "a.json")
    (tmp_path / "a.json").unlink()
    table(tmp_path / "a.csv", ("a.jpg", RECT, {"class": "cat"}), ("a.jpg", RECT, {"class": "dog"}))
    assert_survives_damage(tmp_path, VIA, "a.csv")
