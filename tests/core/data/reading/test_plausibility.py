"""Data sets that cannot be right are refused: most is missing, or boxes have another kind or unit than they should."""

import json
from pathlib import Path

import pytest

from core.data.folders import open_folder, read_data_set
from core.data.untrusted import DataError
from tests.core.data.layouts import (
    HEIGHT,
    NAMES,
    WIDTH,
    coco_in_splits,
    coco_single,
    make_coco,
    write,
    write_pictures,
    xml_beside,
)
from tests.core.made_data import voc_object


@pytest.fixture
def folder(tmp_path):
    coco_single(tmp_path, "", "annotations.json")
    return tmp_path


def change_boxes(folder: Path, change) -> None:
    """Replaces the boxes of a single COCO file by the results of a function of x, y, width and height."""
    path = folder / "annotations.json"
    content = json.loads(path.read_text("utf-8"))
    for number, each in enumerate(content["annotations"]):
        each["bbox"] = change(number, *each["bbox"])
    path.write_text(json.dumps(content))


def test_less_than_half_of_the_pictures_is_refused(folder):
    for name in NAMES[:5]:
        (folder / name).unlink()
    contents = read_data_set(folder)
    assert contents.left_out.counts == {"missing picture": 5}
    (folder / NAMES[5]).unlink()
    with pytest.raises(DataError, match=r"cannot be used: only 4 of 10 pictures are left, less than half\. Left"):
        read_data_set(folder)
    with pytest.raises(DataError, match=r"'Bäume 0\.jpg', which does not exist"):
        read_data_set(folder, strict=True)


def test_less_than_half_of_the_boxes_is_refused(folder):
    change_boxes(folder, lambda number, x, y, w, h: [x, y, w if number < 10 else 0, h])
    contents = read_data_set(folder)
    assert contents.left_out.counts == {"empty box": 10}
    with pytest.raises(DataError, match=r"object 1 of Bäume 5\.jpg has the box 7, 3, 7, 13"):
        read_data_set(folder, strict=True)
    change_boxes(folder, lambda number, x, y, w, h: [x, y, w if number < 9 else 0, h])
    with pytest.raises(DataError, match="only 9 of 20 boxes are left"):
        read_data_set(folder)


@pytest.mark.parametrize("share", [1, 2])
def test_fractions_where_pixels_belong_are_refused(folder, share):
    change_boxes(folder, lambda number, x, y, w, h: [x / WIDTH, y / HEIGHT, w / WIDTH, h / HEIGHT]
                 if number % share == 0 else [x, y, w, h])  # fmt: skip
    with pytest.raises(DataError, match=r"boxes like .* which are fractions of the picture's sides where pixels are"):
        read_data_set(folder)


def test_fractions_in_pascal_voc_are_refused(tmp_path):
    xml_beside(tmp_path)
    for name in NAMES:
        sides = f"<size><width>{WIDTH}</width><height>{HEIGHT}</height></size>"
        text = f"<annotation><filename>{name}</filename>{sides}{voc_object(box=(0.1, 0.2, 0.5, 0.6))}</annotation>"
        (tmp_path / name).with_suffix(".xml").write_text(text, "utf-8")
    with pytest.raises(DataError, match="fractions of the picture's sides where pixels are expected"):
        read_data_set(tmp_path)


def test_corners_where_a_width_and_height_belong_are_refused(folder):
    change_boxes(folder, lambda number, x, y, w, h: [x, y, x + w, y + h])
    with pytest.raises(DataError, match=r"leave their pictures, .*corners xmin, ymin, xmax, ymax where a width"):
        read_data_set(folder)


def write_boxes(folder: Path, format: str, change) -> None:
    """Writes large boxes without the sizes of the pictures; the numbers are results of a function of the corners."""
    boxes = [change(2 + number, 2, 32 + number % 8, 28) for number in range(10)]
    write_pictures(folder)
    if format == "coco":
        content = make_coco(NAMES)
        images = [{key: each[key] for key in ("id", "file_name")} for each in content["images"]]
        objects = [{"id": number, "image_id": number + 1, "category_id": 1, "bbox": box}
                   for number, box in enumerate(boxes)]  # fmt: skip
        write(folder / "a.json", {**content, "images": images, "annotations": objects})
    elif format == "jsonl":
        lines = [{"file_name": name, "objects": {"bbox": [box], "categories": ["cat"]}}
                 for name, box in zip(NAMES, boxes, strict=True)]  # fmt: skip
        write(folder / "metadata.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    else:
        lines = [f"{name},{','.join(map(str, box))},cat" for name, box in zip(NAMES, boxes, strict=True)]
        header = "file,xmin,ymin,xmax,ymax,class"
        write(folder / "a.csv", "\n".join([header, *lines]))


def as_corners(x1: int, y1: int, x2: int, y2: int) -> list[int]:
    return [x1, y1, x2, y2]


def as_sides(x1: int, y1: int, x2: int, y2: int) -> list[int]:
    return [x1, y1, x2 - x1, y2 - y1]


@pytest.mark.parametrize(
    ("format", "right", "wrong"),
    [
        ("coco", as_sides, as_corners),
        ("jsonl", as_sides, as_corners),
        ("csv", as_corners, lambda *box: as_sides(box[0] + 12, *box[1:])),
    ],
)
def test_boxes_of_the_other_kind_are_refused_without_sizes(tmp_path, format, right, wrong, monkeypatch):
    write_boxes(tmp_path / "right", format, right)
    assert not read_data_set(tmp_path / "right").left_out
    write_boxes(tmp_path / "wrong", format, wrong)
    with pytest.raises(DataError, match=r"seem to be (the corners|x, y, width and height)|less than half"):
        read_data_set(tmp_path / "wrong")
    opened: list[Path] = []
    monkeypatch.setattr("core.data.reading.plausibility.MAX_SAMPLE", 3)
    monkeypatch.setattr("core.data.reading.plausibility._read_size", lambda image: opened.append(image.path))
    read_data_set(tmp_path / "right")
    assert 1 < len(opened) <= 3


def test_other_units_are_refused(folder):
    change_boxes(folder, lambda number, *box: [value * 25 for value in box])
    with pytest.raises(DataError, match=r"less than half|leave their pictures"):
        read_data_set(folder)


def test_few_boxes_beyond_the_edge_are_clipped(folder):
    change_boxes(folder, lambda number, x, y, w, h: [x, y, w, h + (40 if number % 5 == 0 else 0)])
    assert not read_data_set(folder).left_out


def test_a_set_without_objects_is_refused(folder):
    write(folder / "annotations.json", {**make_coco(NAMES), "annotations": []})
    with pytest.raises(DataError, match="no picture has an object"):
        read_data_set(folder)


def test_a_set_of_crowd_regions_alone_is_refused(folder):
    content = make_coco(NAMES)
    crowds = [{**each, "iscrowd": 1} for each in content["annotations"]]
    write(folder / "annotations.json", {**content, "annotations": crowds})
    with pytest.raises(DataError, match=rf"every object \({len(crowds)}\) is a crowd region or difficult"):
        read_data_set(folder)


def test_objects_of_an_unknown_class_are_refused(folder):
    content = make_coco(NAMES)
    content["annotations"][0]["category_id"] = 7
    write(folder / "annotations.json", content)
    with pytest.raises(DataError, match=r"it has 1 object of an unknown class: .*unknown category_id 7"):
        read_data_set(folder)


def test_splits_that_disagree_in_classes_are_refused(tmp_path):
    coco_in_splits(tmp_path)
    path = tmp_path / "valid/_annotations.coco.json"
    path.write_text(path.read_text().replace('"dog"', '"hound"'))
    with pytest.raises(DataError, match="different categories"):
        open_folder(tmp_path, "train")
