"""Each object that is left out has a message of its own, since equal messages are counted once."""

import json

import pytest

from core.data.annotations import UNKNOWN_CLASS
from core.data.formats.coco.reader import COCO
from core.data.formats.json_lines.reader import JSON_LINES
from core.data.formats.tables.reader import CSV
from core.data.formats.tools.cvat import CVAT
from core.data.formats.tools.kitti import KITTI
from core.data.formats.tools.label_studio import LABEL_STUDIO
from core.data.formats.tools.labelme import LABELME
from core.data.formats.tools.supervisely import SUPERVISELY
from core.data.formats.tools.via import VIA
from core.data.formats.voc.reader import VOC
from core.data.formats.yolo.reader import YOLO
from tests.core.data.formats.reading import Problems, read, write

BAD = 9
LONG = "x" * 120  # names that are equal as far as a message quotes them


def repeat(good: object, bad: object) -> list:
    return [good, *[bad] * BAD]


def coco(root, bad: dict) -> None:
    images = [{"id": 1, "file_name": "a.jpg"}]
    good = {"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}
    annotations = repeat(good, good | bad)
    content = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "cat"}]}
    write(root, {"a.json": content})


def voc(root) -> None:
    box = "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox>"
    objects = repeat(f"<object><name>cat</name>{box}</object>", "<object><name>cat</name></object>")
    write(root, {"a.xml": f"<annotation>{''.join(objects)}</annotation>"})


def cvat(root) -> None:
    images = [
        f'<image name="{LONG}{number}.jpg"><box label="cat" xtl="1" ytl="2" xbr="3" ybr="4"/>{shapes}</image>'
        for number, shapes in enumerate(['<box label="cat"/>' * 4, '<box label="cat"/>' * 5])
    ]
    write(root, {"a.xml": f"<annotations>{''.join(images)}</annotations>"})


def via(root) -> None:
    good = {"shape_attributes": {"name": "rect", "x": 1, "y": 2, "width": 3, "height": 4}}
    entries = {}
    for name, bad in ((f"{LONG}1.jpg", [{}] * 5), (f"{LONG}2.jpg", [{}] * 4)):
        regions = [good | {"region_attributes": {"class": "cat"}}, *bad]
        entries[name] = {"filename": name, "size": 1, "regions": regions}
    write(root, {"a.json": entries})


def labelme(root) -> None:
    good = {"label": "cat", "points": [[1, 2], [3, 4]], "shape_type": "rectangle"}
    write(root, {"a.json": {"imagePath": "a.jpg", "shapes": repeat(good, good | {"points": []})}})


def label_studio(root) -> None:
    value = {"x": 1, "y": 2, "width": 3, "height": 4, "rectanglelabels": ["cat"]}
    results = [{"type": "rectanglelabels", "value": each} for each in repeat(value, value | {"x": None})]
    write(root, {"a.json": [{"data": {"image": "a.jpg"}, "annotations": [{"result": results}]}]})


def supervisely(root) -> None:
    good = {"classTitle": "cat", "geometryType": "rectangle", "points": {"exterior": [[1, 2], [3, 4]]}}
    page = {"description": "", "tags": [], "size": {}, "objects": repeat(good, good | {"points": None})}
    write(root, {"ann/a.jpg.json": page})


def kitti(root) -> None:
    lines = repeat("Car 0 0 0 1 2 3 4 1 1 1 1 1 1 1", "Car 0")
    write(root, {"a.png": b"", "a.txt": "\n".join(lines)})


def yolo(root) -> None:
    write(root, {"a.png": b"", "a.txt": "\n".join(repeat("0 0.5 0.5 0.1 0.1", "0 0.5")), "classes.txt": "cat"})


def csv(root) -> None:
    rows = repeat("a.jpg,1,2,3,4,cat", "a.jpg,1,2,3,,cat")
    write(root, {"a.csv": "\n".join(["filename,xmin,ymin,xmax,ymax,class", *rows])})


def json_lines(root) -> None:
    objects = [{"bbox": box, "category": "cat"} for box in repeat([1, 2, 3, 4], [1])]
    write(root, {"a.jsonl": json.dumps({"file_name": "a.jpg", "objects": objects})})


def unknown_classes(root) -> None:
    rows = repeat("a.jpg,1,2,3,4,cat", "a.jpg,1,2,3,4,dog")
    write(root, {"a.csv": "\n".join(["filename,xmin,ymin,xmax,ymax,class", *rows]), "classes.csv": "cat,0"})


MADE = {
    "coco": (COCO, lambda root: coco(root, {"bbox": None})),
    "coco with equal ids": (COCO, lambda root: coco(root, {"bbox": None, "id": 3})),
    "coco with long ids": (COCO, lambda root: coco(root, {"iscrowd": "maybe", "id": LONG})),
    "voc": (VOC, voc), "cvat": (CVAT, cvat), "via": (VIA, via), "labelme": (LABELME, labelme),
    "label_studio": (LABEL_STUDIO, label_studio), "supervisely": (SUPERVISELY, supervisely), "kitti": (KITTI, kitti),
    "yolo": (YOLO, yolo), "csv": (CSV, csv), "jsonl": (JSON_LINES, json_lines),
}  # fmt: skip


@pytest.mark.parametrize(("format", "make"), MADE.values(), ids=MADE)
def test_every_object_that_is_left_out_has_its_own_message(tmp_path, format, make):
    make(tmp_path)
    problems = Problems()
    assert sum(len(image.labels) for image in read(tmp_path, format, problems).images) in (1, 2)
    assert len(problems) == len(set(problems)) == BAD


def test_every_object_of_an_unknown_class_has_its_own_message(tmp_path):
    unknown_classes(tmp_path)
    problems = Problems()
    read(tmp_path, CSV, problems)
    assert len(set(problems)) == BAD and {kind for kind, _ in problems} == {UNKNOWN_CLASS}
    assert "object 2 of 'a.jpg' has the unknown class 'dog'" in problems[0][1]
