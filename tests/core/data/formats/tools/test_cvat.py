import pytest

from core.data.annotations import BAD_FILE, BAD_OBJECT, BAD_PATH
from core.data.formats.tools.cvat import CVAT
from tests.core.data.formats.reading import (
    Object,
    Problems,
    assert_only,
    assert_refused,
    assert_survives_damage,
    objects_of,
    read,
    splits_of,
    write,
)  # fmt: skip

BOX = '<box label="cat" source="manual" occluded="0" xtl="1.00" ytl="2.00" xbr="11.00" ybr="22.00" z_order="0"/>'
CAT = Object("cat", [1, 2, 11, 22])


def page(*shapes: str, rest: str = "") -> str:
    image = '<image id="0" name="sub/a.jpg" subset="Train" width="40" height="30">{}</image>'
    meta = "<version>1.1</version><meta><task><name>x</name></task></meta>"
    head = '<?xml version="1.0" encoding="utf-8"?>'
    return f"{head}\n<annotations>{meta}{image.format(''.join(shapes))}{rest}</annotations>"


def test_content_is_read(tmp_path):
    write(tmp_path, {"annotations.xml": page(BOX, rest='<image id="1" name="b.jpg" width="40" height="30"></image>')})
    data = read(tmp_path, CVAT)
    assert objects_of(data) == {"sub/a.jpg": [CAT], "b.jpg": []}
    assert splits_of(data) == {"sub/a.jpg": "Train", "b.jpg": None} and data.images[0].size == (40, 30)
    assert data.notes == ()
    assert_only(tmp_path, CVAT)


@pytest.mark.parametrize(
    ("shape", "box"),
    [
        ('<polygon label="cat" points="1.0,2.0;9.0,3.0;4.0,8.0"/>', [1, 2, 9, 8]),
        ('<ellipse label="cat" cx="10" cy="10" rx="5" ry="2"/>', [5, 8, 15, 12]),
        (BOX.replace("/>", ' rotation="90.0"/>'), [-4, 7, 16, 17]),
        (BOX.replace("/>", ' rotation="180"/>'), [1, 2, 11, 22]),
    ],
)
def test_outlines_become_their_bounds(tmp_path, shape, box):
    write(tmp_path, {"a.xml": page(shape)})
    data = read(tmp_path, CVAT)
    assert objects_of(data) == {"sub/a.jpg": [Object("cat", box)]}
    assert data.notes == ("Turned boxes, polygons, ellipses and masks read as their bounds: 1 (the first in a.xml).",)


@pytest.mark.parametrize(
    "wrong",
    [
        BOX.replace('"1.00"', '"x"'), BOX.replace('xtl="1.00"', ""), BOX.replace('label="cat"', ""),
        BOX.replace("/>", ' rotation="x"/>'),
        '<points label="cat" points="1,2"/>', '<polygon label="cat" points="1,2"/>',
        '<polyline label="cat" points="1,2;3,4;5,6"/>',
        '<ellipse label="cat" cx="1" cy="1" rx="1" ry="1" rotation="3"/>',
    ],
)  # fmt: skip
def test_shapes_that_cannot_be_used_are_reported(tmp_path, wrong):
    write(tmp_path, {"a.xml": page(wrong, BOX)})
    problems = Problems()
    assert objects_of(read(tmp_path, CVAT, problems)) == {"sub/a.jpg": [CAT]}
    assert [kind for kind, _ in problems] == [BAD_OBJECT]


def test_videos_and_pictures_without_a_name_are_reported(tmp_path):
    write(tmp_path, {"a.xml": page(BOX, rest="<image/>"), "b.xml": "<annotations><track id='0'/></annotations>"})
    problems = Problems()
    read(tmp_path, CVAT, problems)
    assert [kind for kind, _ in problems] == [BAD_PATH, BAD_FILE]
    assert_refused(tmp_path, CVAT, r"a\.xml image 2 has no name")


@pytest.mark.slow  # hundreds of damaged files
def test_damage(tmp_path):
    write(tmp_path, {"a.xml": page(BOX, BOX)})
    assert_survives_damage(tmp_path, CVAT, "a.xml")


def test_masks_are_read_as_their_bounds(tmp_path):
    write(tmp_path, {"a.xml": page('<mask label="cat" rle="3, 7" left="3" top="4" width="10" height="12"/>')})
    assert objects_of(read(tmp_path, CVAT)) == {"sub/a.jpg": [Object("cat", [3, 4, 13, 16])]}


def test_outlines_of_a_group_are_one_object_and_boxes_are_not(tmp_path):
    groups = ("cat", 1, 1), ("cat", 1, 11), ("dog", 1, 21), ("cat", 2, 31), ("cat", 0, 5), ("cat", 0, 7)
    parts = [
        f'<polygon label="{name}" group_id="{group}" points="{x},2;{x + 4},2;{x + 4},9"/>' for name, group, x in groups
    ]
    boxes = [BOX.replace("/>", ' group_id="1"/>')] * 2
    write(tmp_path, {"a.xml": page(*parts, *boxes)})
    data = read(tmp_path, CVAT)
    assert objects_of(data)["sub/a.jpg"] == [
        Object("cat", [1, 2, 15, 9]), Object("dog", [21, 2, 25, 9]), Object("cat", [31, 2, 35, 9]),
        Object("cat", [5, 2, 9, 9]), Object("cat", [7, 2, 11, 9]), CAT, CAT,
    ]  # fmt: skip
    joined = "Outlines joined to one object, as they are of one class and group: 1 (the first in a.xml)."
    assert joined in data.notes
