"""The same ten pictures with two boxes each, laid out as the tools that people use export them."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from core.data.formats import FORMATS
from tests.core.made_data import picture

WIDTH, HEIGHT = 40, 30
CLASSES = ("cat", "dog")
NAMES = tuple(f"Bäume {number}.jpg" for number in range(10))
PARTS = {"train": NAMES[:6], "val": NAMES[6:8], "test": NAMES[8:]}
JUNK = ("__MACOSX/._x", ".DS_Store", "Thumbs.db", "sub/.DS_Store", "._labels.json", "desktop.ini")

Box = tuple[int, int, int, int]


class Layout(NamedTuple):
    """A layout.

    Attributes:
        write: Writes the data set into a folder.
        format: The key of its format.
        reading: What the report says.
        splits: The number of pictures in train, val and test.
    """

    write: Callable[[Path], None]
    format: str
    reading: str
    splits: tuple[int, int, int] = (6, 2, 2)


def objects_of(name: str) -> list[tuple[str, Box]]:
    """Returns the objects of a picture: class and xyxy box in whole pixels."""
    number = NAMES.index(name)
    return [("dog", (2 + number, 3, 12 + number, 13)), ("cat", (10, 5 + number, 30, 15 + number))]


def make_coco(
    names: Sequence[str], prefix: str = "", first_category: int = 1, shift: int = 0
) -> dict[str, list[dict[str, object]]]:
    """Returns COCO's annotations of some pictures, with a prefix before their file names."""
    images, annotations = [], []
    for image_id, name in enumerate(names, start=1 + shift):
        images.append({"id": image_id, "file_name": prefix + name, "width": WIDTH, "height": HEIGHT})
        for label, (x1, y1, x2, y2) in objects_of(name):
            category = first_category + CLASSES.index(label)
            box = [x1, y1, x2 - x1, y2 - y1]
            each = {"id": len(annotations), "image_id": image_id, "category_id": category, "bbox": box, "iscrowd": 0}
            annotations.append(each)
    categories = [{"id": first_category + number, "name": name} for number, name in enumerate(CLASSES)]
    return {"images": images, "annotations": annotations, "categories": categories}


def make_xml(name: str, file_name: str | None = None) -> str:
    """Returns the Pascal VOC annotation of a picture, which counts pixels from 1."""
    parts = [
        f"<filename>{file_name or name}</filename>",
        f"<size><width>{WIDTH}</width><height>{HEIGHT}</height></size>",
    ]
    for label, (x1, y1, x2, y2) in objects_of(name):
        box = f"<xmin>{x1 + 1}</xmin><ymin>{y1 + 1}</ymin><xmax>{x2}</xmax><ymax>{y2}</ymax>"
        parts.append(f"<object><name>{label}</name><difficult>0</difficult><bndbox>{box}</bndbox></object>")
    return f"<annotation>{''.join(parts)}</annotation>"


def make_labels(name: str) -> str:
    """Returns the lines of a YOLO label file."""
    lines = []
    for label, (x1, y1, x2, y2) in objects_of(name):
        numbers = ((x1 + x2) / 2 / WIDTH, (y1 + y2) / 2 / HEIGHT, (x2 - x1) / WIDTH, (y2 - y1) / HEIGHT)
        lines.append(" ".join((str(CLASSES.index(label)), *(f"{number:.9f}" for number in numbers))))
    return "\n".join(lines) + "\n"


def stem(name: str) -> str:
    return PurePosixPath(name).stem


def write(path: Path, content: object) -> None:
    """Writes text, or anything else as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content, ensure_ascii=False), "utf-8")


def write_pictures(folder: Path, names: Sequence[str] = NAMES) -> None:
    for name in names:
        picture(folder / name, (WIDTH, HEIGHT))


def xml_beside(folder: Path, pictures: str = "", annotations: str = "", suffix: str = ".xml") -> None:
    write_pictures(folder / pictures)
    for name in NAMES:
        write(folder / annotations / f"{stem(name)}{suffix}", make_xml(name))


def xml_in_splits(folder: Path) -> None:
    for split, names in zip(("train", "valid", "test"), PARTS.values(), strict=True):
        write_pictures(folder / split, names)
        for name in names:
            write(folder / split / f"{stem(name)}.xml", make_xml(name))


def voc_own(folder: Path, lists: dict[str, Sequence[str]] = PARTS) -> None:
    xml_beside(folder, "JPEGImages", "Annotations")
    for split, names in lists.items():
        write(folder / f"ImageSets/Main/{split}.txt", "".join(f"{stem(name)}\n" for name in names))


def yolo(folder: Path, images: str, labels: str, splits: Sequence[str] = ("train", "val", "test")) -> None:
    for split, names in zip(splits, PARTS.values(), strict=True):
        write_pictures(folder / images.format(split), names)
        for name in names:
            write(folder / labels.format(split) / f"{stem(name)}.txt", make_labels(name))


def yolo_roboflow(folder: Path) -> None:
    yolo(folder, "{}/images", "{}/labels", ("train", "valid", "test"))
    paths = "train: ../train/images\nval: ../valid/images\ntest: ../test/images\n"
    write(folder / "data.yaml", f"{paths}\nnc: 2\nnames: ['cat', 'dog']\n")


def yolo_ultralytics(folder: Path) -> None:
    yolo(folder, "images/{}", "labels/{}")
    write(folder / "set.yaml", "path: ../datasets/set\ntrain: images/train\nval: images/val\ntest: images/test\n"
                               "names:\n  0: cat\n  1: dog\n")  # fmt: skip


def yolo_label_studio(folder: Path) -> None:
    write_pictures(folder / "images")
    for name in NAMES:
        write(folder / f"labels/{stem(name)}.txt", make_labels(name))
    write(folder / "classes.txt", "cat\ndog\n")
    write(folder / "notes.json", {"categories": make_coco([], first_category=0)["categories"], "info": {"year": 2024}})


def yolo_cvat(folder: Path) -> None:
    write_pictures(folder / "obj_train_data")
    for name in NAMES:
        write(folder / f"obj_train_data/{stem(name)}.txt", make_labels(name))
    write(folder / "obj.names", "cat\ndog\n")
    write(folder / "obj.data", "classes = 2\ntrain = data/train.txt\nnames = data/obj.names\nbackup = backup/\n")
    write(folder / "train.txt", "".join(f"data/obj_train_data/{name}\n" for name in NAMES))


def coco_own(folder: Path) -> None:
    for number, (split, names) in enumerate(PARTS.items()):
        write_pictures(folder / f"{split}2017", names)
        write(folder / f"annotations/instances_{split}2017.json", make_coco(names, shift=100 * number))


def coco_in_splits(folder: Path) -> None:
    for split, names in zip(("train", "valid", "test"), PARTS.values(), strict=True):
        write_pictures(folder / split, names)
        write(folder / split / "_annotations.coco.json", make_coco(names, first_category=0))


def coco_single(folder: Path, pictures: str, annotations: str, prefix: str = "") -> None:
    write_pictures(folder / pictures)
    write(folder / annotations, make_coco(NAMES, prefix))


def labelme(folder: Path) -> None:
    write_pictures(folder)
    for name in NAMES:
        shapes = [
            {"label": label, "points": [[x1, y1], [x2, y2]], "shape_type": "rectangle", "flags": {}}
            for label, (x1, y1, x2, y2) in objects_of(name)
        ]
        content = {"version": "5.0", "shapes": shapes, "imagePath": name, "imageData": None}
        write(folder / f"{stem(name)}.json", {**content, "imageWidth": WIDTH, "imageHeight": HEIGHT})


def csv_without_header(folder: Path) -> None:
    write_pictures(folder / "images")
    lines = [f"images/{name},{','.join(map(str, box))},{label}" for name in NAMES for label, box in objects_of(name)]
    write(folder / "annotations.csv", "\n".join(lines) + "\n")
    write(folder / "classes.csv", "cat,0\ndog,1\n")


def csv_with_header(folder: Path) -> None:
    write_pictures(folder / "images")
    lines = [f"{name},{','.join(map(str, box))},{label}" for name in NAMES for label, box in objects_of(name)]
    write(folder / "labels.csv", "image_path,xmin,ymin,xmax,ymax,label\r\n" + "\r\n".join(lines) + "\r\n")


def hugging_face(folder: Path) -> None:
    for split, names in zip(("train", "validation", "test"), PARTS.values(), strict=True):
        write_pictures(folder / split, names)
        lines = []
        for name in names:
            boxes = [[x1, y1, x2 - x1, y2 - y1] for _, (x1, y1, x2, y2) in objects_of(name)]
            objects = {"bbox": boxes, "categories": [label for label, _ in objects_of(name)]}
            lines.append(json.dumps({"file_name": name, "objects": objects}))
        write(folder / split / "metadata.jsonl", "\n".join(lines))


FORMAT_NAMES = {format.key: format.name for format in FORMATS}
MADE = "no splits given: 8 / 1 / 1 made by name"
GIVEN = "splits given by the annotations: 6 / 2 / 2"
BY_NAMES = "splits by file and folder names: 6 / 2 / 2"

LAYOUTS = {
    "Roboflow YOLO": Layout(
        yolo_roboflow, "yolo",
        f"YOLO, 10 label files in test/labels/ and train/labels/ and valid/labels/, pictures in test/images/ and "
        f"train/images/ and valid/images/; {GIVEN}."),
    "Ultralytics YOLO": Layout(
        yolo_ultralytics, "yolo",
        f"YOLO, 10 label files in labels/test/ and labels/train/ and labels/val/, pictures in images/test/ and "
        f"images/train/ and images/val/; {GIVEN}."),
    "Label Studio YOLO": Layout(
        yolo_label_studio, "yolo", f"YOLO, 10 label files in labels/, pictures in images/; {MADE}.", (8, 1, 1)),
    "CVAT YOLO": Layout(
        yolo_cvat, "yolo", "YOLO, 10 label files in obj_train_data/, pictures beside them; splits given by the "
        "annotations: 10 / 0 / 0.", (10, 0, 0)),
    "COCO": Layout(
        coco_own, "coco", f"COCO, 3 JSON files in annotations/, pictures in test2017/ and train2017/ and val2017/; "
        f"{BY_NAMES}."),
    "Label Studio COCO": Layout(
        lambda folder: coco_single(folder, "images", "result.json", "images/"), "coco",
        f"COCO, result.json, pictures in images/; {MADE}.", (8, 1, 1)),
    "Roboflow COCO": Layout(
        coco_in_splits, "coco",
        f"COCO, 3 JSON files in test/ and train/ and valid/, pictures beside them; {BY_NAMES}."),
    "CVAT COCO": Layout(
        lambda folder: coco_single(folder, "images/default", "annotations/instances_default.json"), "coco",
        f"COCO, annotations/instances_default.json, pictures in images/default/; {MADE}.", (8, 1, 1)),
    "FiftyOne COCO": Layout(
        lambda folder: coco_single(folder, "data", "labels.json"), "coco",
        f"COCO, labels.json, pictures in data/; {MADE}.", (8, 1, 1)),
    "COCO by hand": Layout(
        lambda folder: coco_single(folder, "", "annotations.json"), "coco",
        f"COCO, annotations.json, pictures beside it; {MADE}.", (8, 1, 1)),
    "VOC": Layout(
        voc_own, "voc", f"Pascal VOC, 10 XML files in Annotations/, pictures in JPEGImages/; {GIVEN}."),
    "LabelImg beside": Layout(
        xml_beside, "voc", f"Pascal VOC, 10 XML files, pictures beside them; {MADE}.", (8, 1, 1)),
    "LabelImg annotations": Layout(
        lambda folder: xml_beside(folder, "images", "annotations"), "voc",
        f"Pascal VOC, 10 XML files in annotations/, pictures in images/; {MADE}.", (8, 1, 1)),
    "LabelImg annots": Layout(
        lambda folder: xml_beside(folder, "images", "annots"), "voc",
        f"Pascal VOC, 10 XML files in annots/, pictures in images/; {MADE}.", (8, 1, 1)),
    "Label Studio VOC": Layout(
        lambda folder: xml_beside(folder, "images", "Annotations"), "voc",
        f"Pascal VOC, 10 XML files in Annotations/, pictures in images/; {MADE}.", (8, 1, 1)),
    "Roboflow VOC": Layout(
        xml_in_splits, "voc",
        f"Pascal VOC, 10 XML files in test/ and train/ and valid/, pictures beside them; {BY_NAMES}."),
    "CVAT VOC": Layout(
        lambda folder: voc_own(folder, {"default": NAMES}), "voc",
        f"Pascal VOC, 10 XML files in Annotations/, pictures in JPEGImages/; {MADE}.", (8, 1, 1)),
    "LabelMe": Layout(labelme, "labelme", f"LabelMe, 10 JSON files, pictures beside them; {MADE}.", (8, 1, 1)),
    "keras-retinanet": Layout(
        csv_without_header, "csv", f"CSV, annotations.csv, pictures in images/; {MADE}.", (8, 1, 1)),
    "DeepForest": Layout(csv_with_header, "csv", f"CSV, labels.csv, pictures in images/; {MADE}.", (8, 1, 1)),
    "Hugging Face": Layout(
        hugging_face, "jsonl",
        f"{FORMAT_NAMES['jsonl']}, 3 files in test/ and train/ and validation/, pictures beside them; {BY_NAMES}."),
}  # fmt: skip


def write_junk(folder: Path) -> None:
    """Writes what operating systems leave in folders and archives."""
    for name in JUNK:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\0junk")
