"""The formats of single tools, opened as folders: pictures are found, and nothing is left out."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.data.folders import open_folder, read_data_set
from tests.core.data.layouts import (
    HEIGHT,
    NAMES,
    PARTS,
    WIDTH,
    objects_of,
    stem,
    write,
    write_pictures,
    xml_beside,
    yolo,
)


def via(folder: Path) -> None:
    write_pictures(folder / "photos")
    pages = {}
    for name in NAMES:
        regions = [
            {"shape_attributes": {"name": "rect", "x": x1, "y": y1, "width": x2 - x1, "height": y2 - y1},
             "region_attributes": {"class": label}} for label, (x1, y1, x2, y2) in objects_of(name)
        ]  # fmt: skip
        pages[f"{name}99"] = {"filename": name, "size": 99, "regions": regions, "file_attributes": {}}
    write(folder / "via_region_data.json", pages)


def label_studio(folder: Path) -> None:
    write_pictures(folder / "images")
    tasks = []
    for name in NAMES:
        results = []
        for label, (x1, y1, x2, y2) in objects_of(name):
            value = {"x": x1 / WIDTH * 100, "y": y1 / HEIGHT * 100, "width": (x2 - x1) / WIDTH * 100,
                     "height": (y2 - y1) / HEIGHT * 100, "rotation": 0, "rectanglelabels": [label]}  # fmt: skip
            size = {"original_width": WIDTH, "original_height": HEIGHT}
            results.append({"type": "rectanglelabels", "value": value, **size})
        tasks.append({"data": {"image": f"/data/upload/1/0123abcd-{name}"}, "annotations": [{"result": results}]})
    write(folder / "export.json", tasks)


def cvat(folder: Path) -> None:
    write_pictures(folder / "images")
    pages = []
    for name in NAMES:
        boxes = "".join(
            f'<box label="{label}" xtl="{x1}.0" ytl="{y1}.0" xbr="{x2}.0" ybr="{y2}.0"/>'
            for label, (x1, y1, x2, y2) in objects_of(name)
        )
        pages.append(f'<image name="{name}" width="{WIDTH}" height="{HEIGHT}">{boxes}</image>')
    write(folder / "annotations.xml", f"<annotations>{''.join(pages)}</annotations>")


def supervisely(folder: Path) -> None:
    write(folder / "meta.json", {"classes": [{"title": "cat"}, {"title": "dog"}], "tags": []})
    for split, names in PARTS.items():
        write_pictures(folder / split / "img", names)
        for name in names:
            objects = [
                {"classTitle": label, "geometryType": "rectangle", "points": {"exterior": [[x1, y1], [x2, y2]]}}
                for label, (x1, y1, x2, y2) in objects_of(name)
            ]
            page = {"description": "", "tags": [], "size": {"width": WIDTH, "height": HEIGHT}, "objects": objects}
            write(folder / split / "ann" / f"{name}.json", page)


def create_ml(folder: Path) -> None:
    for split, names in zip(("train", "valid", "test"), PARTS.values(), strict=True):
        write_pictures(folder / split, names)
        pages = []
        for name in names:
            boxes = [
                {"label": label, "coordinates": {"x": (x1 + x2) / 2, "y": (y1 + y2) / 2, "width": x2 - x1,
                                                 "height": y2 - y1}} for label, (x1, y1, x2, y2) in objects_of(name)
            ]  # fmt: skip
            pages.append({"image": name, "annotations": boxes})
        write(folder / split / "_annotations.createml.json", pages)


def tensorflow_tables(folder: Path) -> None:
    for split, names in PARTS.items():
        write_pictures(folder / "images" / split, names)
        lines = [
            f"{name},{WIDTH},{HEIGHT},{label},{','.join(map(str, box))}"
            for name in names
            for label, box in objects_of(name)
        ]
        write(folder / f"{split}_labels.csv", "\n".join(["filename,width,height,class,xmin,ymin,xmax,ymax", *lines]))


def darknet(folder: Path) -> None:
    yolo(folder, "{}", "{}", ("train", "valid", "test"))
    for split in ("train", "valid", "test"):
        write(folder / split / "_darknet.labels", "cat\ndog\n")


def paddle(folder: Path) -> None:
    xml_beside(folder, "JPEGImages", "Annotations")
    write(folder / "labels.txt", "cat\ndog\n")
    for split, names in PARTS.items():
        lines = [f"JPEGImages/{name} Annotations/{stem(name)}.xml" for name in names]
        write(folder / f"{split}.txt", "\n".join(lines))


@pytest.mark.parametrize(
    ("make", "key", "splits"),
    [
        (via, "via", (8, 1, 1)),
        (label_studio, "label_studio", (8, 1, 1)),
        (cvat, "cvat", (8, 1, 1)),
        (supervisely, "supervisely", (6, 2, 2)),
        (create_ml, "jsonl", (6, 2, 2)),
        (tensorflow_tables, "csv", (6, 2, 2)),
        (darknet, "yolo", (6, 2, 2)),
        (paddle, "voc", (6, 2, 2)),
    ],
)
def test_layouts_of_single_tools_open(tmp_path, make: Callable[[Path], None], key, splits):
    make(tmp_path)
    contents = read_data_set(tmp_path, strict=True)
    assert (contents.format.key, contents.class_names) == (key, ("cat", "dog"))
    assert tuple(len(contents.splits[split].images) for split in PARTS) == splits
    found = {}
    for split in contents.splits:
        data = open_folder(tmp_path, split, strict=True)
        for index, sample in enumerate(data):
            boxes = [tuple(box) for box in sample.boxes.round().int().tolist()]
            assert (sample.boxes - sample.boxes.round()).abs().max() < 1e-4
            labels = [data.class_names[label] for label in sample.labels]
            found[data.image_name(index).split("/")[-1]] = list(zip(labels, boxes, strict=True))
    assert found == {name: objects_of(name) for name in NAMES}
