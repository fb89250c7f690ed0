"""Writes small data sets in folders for tests."""

import json
from pathlib import Path

import torch
from PIL import Image

from core.structures import Sample


def picture(path: Path, size: tuple[int, int] = (40, 30), **options) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (10, 20, 30)).save(path, **options)


def coco_content() -> dict:
    return {
        "images": [
            {"id": 7, "file_name": "a.png", "width": 40, "height": 30},
            {"id": 3, "file_name": "b.png", "width": 40, "height": 30},
        ],
        "categories": [{"id": 9, "name": "dog"}, {"id": 2, "name": "cat"}],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 9, "bbox": [1, 2, 10, 20], "iscrowd": 0},
            {"id": 2, "image_id": 7, "category_id": 2, "bbox": [0.5, 0.25, 8, 4], "iscrowd": 1},
        ],
    }


def coco(folder: Path, content: object = None, split: str = "train") -> Path:
    for name in ("a.png", "b.png"):
        picture(folder / "images" / name)
    text = content if isinstance(content, str) else json.dumps(content or coco_content())
    (folder / f"{split}.json").write_text(text)
    return folder


def voc_object(name: str = "cat", box: tuple = (1, 1, 10, 20), difficult: object = 0) -> str:
    corners = zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
    sides = "".join(f"<{side}>{value}</{side}>" for side, value in corners)
    return f"<object><name>{name}</name><difficult>{difficult}</difficult><bndbox>{sides}</bndbox></object>"


def voc(folder: Path, pages: dict[str, str], lists: dict[str, str] | None = None, size: tuple = (40, 30)) -> Path:
    (folder / "Annotations").mkdir(parents=True, exist_ok=True)
    for name, objects in pages.items():
        sides = f"<size><width>{size[0]}</width><height>{size[1]}</height></size>"
        (folder / "Annotations" / f"{name}.xml").write_text(f"<annotation>{sides}{objects}</annotation>")
        picture(folder / "JPEGImages" / f"{name}.jpg")
    for split, text in (lists or {}).items():
        (folder / "ImageSets" / "Main").mkdir(parents=True, exist_ok=True)
        (folder / "ImageSets" / "Main" / f"{split}.txt").write_text(text)
    return folder


def assert_sample(sample: Sample) -> None:
    count = len(sample.boxes)
    assert sample.image.dtype == torch.uint8
    assert sample.boxes.shape == (count, 4)
    assert sample.boxes.dtype == torch.float32
    assert sample.labels.shape == sample.crowd.shape == (count,)
    assert sample.labels.dtype == torch.int64
    assert sample.crowd.dtype == torch.bool
    assert type(sample.image_id) is int


def yolo(folder: Path, labels: dict[str, str], settings: str | None = None) -> Path:
    """Writes a YOLO data set with one image per label file; keys are paths under images/ without suffix."""
    for name, text in labels.items():
        picture(folder / "images" / f"{name}.png")
        path = folder / "labels" / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "data.yaml").write_text(settings or "names: [cat, dog]\n")
    return folder
