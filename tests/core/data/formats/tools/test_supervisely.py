import base64
import io
import zlib

import pytest
from PIL import Image

from core.data.annotations import BAD_FILE, BAD_OBJECT
from core.data.formats.tools.supervisely import SUPERVISELY
from tests.core.data.formats.reading import (
    Object,
    Problems,
    assert_only,
    assert_survives_damage,
    find,
    objects_of,
    read,
    write,
)  # fmt: skip

CORNERS = [[11, 22], [1, 2]]
CAT = Object("cat", [1, 2, 11, 22])


def page(*objects: object) -> dict:
    return {"description": "", "tags": [], "size": {"height": 30, "width": 40}, "objects": list(objects)}


def item(kind: object = "rectangle", exterior: object = CORNERS, title: object = "cat") -> dict:
    return {"classTitle": title, "geometryType": kind, "points": {"exterior": exterior, "interior": []}, "tags": []}


def test_content_is_read(tmp_path):
    write(tmp_path, {"meta.json": {"classes": [], "tags": []}, "ds0/ann/a.jpg.json": page(item()),
                     "ds1/ann/a.jpg.json": page(), "b.png.json": page()})  # fmt: skip
    data = read(tmp_path, SUPERVISELY)
    assert objects_of(data) == {"b.png": [], "ds0/img/a.jpg": [CAT], "ds1/img/a.jpg": []}
    assert data.images[1].size == (40, 30)
    assert_only(tmp_path, SUPERVISELY)


def test_polygons_become_their_bounds(tmp_path):
    write(tmp_path, {"ann/a.jpg.json": page(item("polygon", [[1, 2], [11, 3], [4, 22]]))})
    data = read(tmp_path, SUPERVISELY)
    assert objects_of(data) == {"img/a.jpg": [CAT]}
    assert data.notes == ("Polygons and bitmaps read as their bounds: 1 (the first in a.jpg.json).",)


@pytest.mark.parametrize(
    "wrong",
    [item("bitmap", None), item("point", [[1, 2]]), item("rectangle", [[1, 2]]), item(title=None), item(None),
     item() | {"points": None}],
)  # fmt: skip
def test_objects_that_cannot_be_used_are_reported(tmp_path, wrong):
    write(tmp_path, {"ann/a.jpg.json": page(wrong, item())})
    problems = Problems()
    assert objects_of(read(tmp_path, SUPERVISELY, problems)) == {"img/a.jpg": [CAT]}
    assert [kind for kind, _ in problems] == [BAD_OBJECT]


def test_damaged_files_are_reported(tmp_path):
    write(
        tmp_path, {"ann/a.jpg.json": page(item()), "ann/b.jpg.json": page(item()) | {"size": 3}, "x.json": {"size": 1}}
    )
    assert find(tmp_path, SUPERVISELY) == ["ann/a.jpg.json", "ann/b.jpg.json"]
    problems = Problems()
    read(tmp_path, SUPERVISELY, problems)
    assert [kind for kind, _ in problems] == [BAD_FILE]


@pytest.mark.slow  # hundreds of damaged files
def test_damage(tmp_path):
    write(tmp_path, {"ann/a.jpg.json": page(item(), item()), "ann/b.jpg.json": page(item())})
    assert_survives_damage(tmp_path, SUPERVISELY, "ann/a.jpg.json")


def bitmap(content: bytes, origin: object = (3, 4)) -> dict:
    data = base64.b64encode(zlib.compress(content)).decode()
    return item("bitmap") | {"points": None, "bitmap": {"data": data, "origin": list(origin)}}


def test_bitmaps_become_their_bounds(tmp_path):
    file = io.BytesIO()
    Image.new("L", (10, 12)).save(file, "PNG")
    write(tmp_path, {"ann/a.jpg.json": page(bitmap(file.getvalue()))})
    assert objects_of(read(tmp_path, SUPERVISELY)) == {"img/a.jpg": [Object("cat", [3, 4, 13, 16])]}


@pytest.mark.parametrize(
    "wrong", [bitmap(b"short"), bitmap(bytes(99)), item("bitmap") | {"bitmap": {"data": "?", "origin": [1, 2]}}]
)
def test_bitmaps_that_are_no_png_are_reported(tmp_path, wrong):
    write(tmp_path, {"ann/a.jpg.json": page(wrong, item())})
    problems = Problems()
    assert objects_of(read(tmp_path, SUPERVISELY, problems)) == {"img/a.jpg": [CAT]}
    assert [kind for kind, _ in problems] == [BAD_OBJECT]
