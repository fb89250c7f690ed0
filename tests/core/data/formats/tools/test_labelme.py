import json

import pytest

from core.data.annotations import BAD_FILE, BAD_OBJECT
from core.data.formats.tools.labelme import LABELME
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


def page(*shapes: dict, path: object = "a.jpg", width: object = 40) -> dict:
    return {"version": "5.4", "flags": {}, "shapes": list(shapes), "imagePath": path, "imageData": "x" * 100,
            "imageHeight": 30, "imageWidth": width}  # fmt: skip


def shape(points: object, kind: object = "rectangle", label: object = "cat") -> dict:
    return {"label": label, "points": points, "group_id": None, "shape_type": kind, "flags": {}}


def test_content_is_read(tmp_path):
    write(tmp_path, {"a.json": page(shape([[10, 20.5], [3, 4]]), shape([[1, 2], [5, 2], [5, 6], [1, 6]], label="dog")),
                     "sub/b.json": page(path="..\\images\\b.jpg"), "c.json": page(path="images\\c.jpg")})  # fmt: skip
    data = read(tmp_path, LABELME)
    assert (data.class_names, data.category_ids, data.notes) == (("cat", "dog"), (1, 2), ())
    assert objects_of(data) == {
        "a.jpg": [Object("cat", [3, 4, 10, 20.5]), Object("dog", [1, 2, 5, 6])], "images/c.jpg": [], "images/b.jpg": []
    }  # fmt: skip
    assert (data.images[0].size, data.images[0].source) == ((40, 30), tmp_path / "a.json")
    assert_only(tmp_path, LABELME)


@pytest.mark.parametrize(
    ("kind", "points", "box", "note"),
    [
        ("polygon", [[1, 2], [9, 3], [4, 8]], [1, 2, 9, 8], "Polygons"),
        (None, [[1, 2], [9, 3], [4, 8]], [1, 2, 9, 8], "Polygons"),
        ("circle", [[10, 10], [13, 14]], [5, 5, 15, 15], "Circles"),
        ("rotation", [[5, 0], [10, 5], [5, 10], [0, 5]], [0, 0, 10, 10], "Turned boxes"),
    ],
)
def test_outlines_become_their_bounds(tmp_path, kind, points, box, note):
    write(tmp_path, {"a.json": page(shape(points, kind))})
    data = read(tmp_path, LABELME)
    assert objects_of(data) == {"a.jpg": [Object("cat", box)]}
    assert data.notes == (f"{note} read as their bounds: 1 (the first in a.json).",)


@pytest.mark.parametrize(
    "wrong",
    [
        shape([[1, 2]], "cuboid"), shape([[1, 2]]), shape([[1, 2], [3, "x"]]),
        shape([[1, 2], [3]]), shape("x"), shape(None), shape([[1, 2], [3, 4]], "polygon"), shape([[1, 2]], "circle"),
        shape([[1, 2], [3, 4]], label=None), shape([[1, 2], [3, 4]], label=" "), shape([[1, 2], [3, 4]], ["rectangle"]),
    ],
)  # fmt: skip
def test_shapes_that_are_no_boxes_are_reported(tmp_path, wrong):
    write(tmp_path, {"a.json": page(wrong, shape([[1, 2], [3, 4]]))})
    problems = Problems()
    assert objects_of(read(tmp_path, LABELME, problems)) == {"a.jpg": [Object("cat", [1, 2, 3, 4])]}
    assert [kind for kind, _ in problems] == [BAD_OBJECT]
    assert_refused(tmp_path, LABELME, r"a\.json shape 1 .*has no (box|class name)")


def test_points_and_lines_are_no_lost_boxes(tmp_path):
    others = [shape([[1, 2]], "point"), shape([[1, 2], [3, 4]], "line"), shape([[1, 2], [3, 4], [5, 6]], "linestrip")]
    write(tmp_path, {"a.json": page(*others, shape([[1, 2], [3, 4]]))})
    data = read(tmp_path, LABELME)
    assert objects_of(data) == {"a.jpg": [Object("cat", [1, 2, 3, 4])]}
    assert data.notes == ("Points and lines without a box, which were left out: 3 (the first in a.json).",)


def test_a_file_without_the_name_of_its_picture(tmp_path):
    content = page(shape([[1, 2], [3, 4]]))
    del content["imagePath"]
    write(tmp_path, {"sub/a.json": content})
    assert objects_of(read(tmp_path, LABELME)) == {"a": [Object("cat", [1, 2, 3, 4])]}
    assert_only(tmp_path, LABELME)


def test_sizes(tmp_path):
    write(tmp_path, {"a.json": page(shape([[1, 2], [3, 4]]), width="40.0"), "b.json": page(width=None)})
    data = read(tmp_path, LABELME)
    assert [image.size for image in data.images] == [(40, 30), None] and data.notes == ()


def test_damaged_files_beside_others_are_reported(tmp_path):
    text = json.dumps(page(shape([[1, 2], [3, 4]])))
    write(
        tmp_path,
        {"a.json": text, "b.json": text[:-9], "c.json": "", "d.json": {"x": 1}, "e.json": page() | {"shapes": 3}},
    )
    problems = Problems()
    assert len(read(tmp_path, LABELME, problems).images) == 1
    assert [kind for kind, _ in problems] == [BAD_FILE] * 3


def test_nothing_annotated(tmp_path):
    write(tmp_path, {"a.json": page()})
    assert find(tmp_path, LABELME) == ["a.json"]
    assert_refused(tmp_path, LABELME, "has no object that can be used")


@pytest.mark.slow  # hundreds of damaged files
def test_damage(tmp_path):
    write(tmp_path, {"a.json": page(shape([[1, 2], [3, 4]])), "b.json": page(shape([[1, 2], [3, 4]]))})
    assert_survives_damage(tmp_path, LABELME, "a.json")


def test_outlines_of_a_group_are_one_object(tmp_path):
    parts = [shape([[x, 2], [x + 4, 2], [x + 4, 9]], "polygon") | {"group_id": group} for x, group in
             ((1, 1), (11, 1), (21, None), (31, None))]  # fmt: skip
    boxes = [shape([[1, 2], [5, 6]], kind) | {"group_id": 1} for kind in ("rectangle", "rectangle")]
    turned = [shape([[5, y], [10, y + 5], [5, y + 10], [0, y + 5]], "rotation") | {"group_id": 3} for y in (0, 50)]
    masks = [shape([[x, 2], [x + 4, 6]], "mask") | {"group_id": 4} for x in (1, 11)]
    write(tmp_path, {"a.json": page(*parts, *boxes, *turned, *masks)})
    data = read(tmp_path, LABELME)
    assert [each.box for each in objects_of(data)["a.jpg"]] == [
        [1, 2, 15, 9], [21, 2, 25, 9], [31, 2, 35, 9], [1, 2, 5, 6], [1, 2, 5, 6], [0, 0, 10, 10], [0, 50, 10, 60],
        [1, 2, 15, 6],
    ]  # fmt: skip
    joined = "Outlines joined to one object, as they are of one class and group: 2 (the first in a.json)."
    assert joined in data.notes


def test_difficult_objects_are_crowd_regions(tmp_path):
    flags = [shape([[1, 2], [5, 6]]) | {"difficult": each} for each in (True, False, None, "perhaps")]
    write(tmp_path, {"a.json": page(*flags)})
    problems = Problems()
    assert [each.crowd for each in objects_of(read(tmp_path, LABELME, problems))["a.jpg"]] == [True, False, False]
    ((kind, message),) = problems
    assert kind == BAD_OBJECT and "shape 4 has the flag 'perhaps', neither 0 nor 1" in message
