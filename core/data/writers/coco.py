"""Writes COCO's format: `annotations/instances_<split>.json`, with the pictures in `images/<split>/`."""

import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from core.data.writers.content import DIGITS, Content, Writer, WrittenImage


def write_coco(folder: Path, content: Content) -> None:
    """Writes an annotation file for each split."""
    pairs = zip(content.category_ids, content.class_names, strict=True)
    categories = [{"id": category_id, "name": name} for category_id, name in pairs]
    numbers = itertools.count(1)  # distinct in all splits together
    (folder / "annotations").mkdir()
    for split, images in content.splits.items():
        values = {
            "images": [_describe_image(image) for image in images],
            "annotations": list(_describe_objects(images, content.category_ids, numbers)),
            "categories": categories,
        }
        text = json.dumps(values, separators=(",", ":"))
        (folder / "annotations" / f"instances_{split}.json").write_text(text, encoding="utf-8", newline="\n")


def _describe_image(image: WrittenImage) -> dict[str, Any]:
    width, height = image.size
    return {"id": image.image_id, "file_name": image.name, "width": width, "height": height}


def _describe_objects(
    images: Sequence[WrittenImage], category_ids: Sequence[int], numbers: Iterable[int]
) -> Iterator[dict[str, Any]]:
    number = iter(numbers)
    for image in images:
        corners = image.boxes.round(DIGITS)
        sizes = (corners[:, 2:] - corners[:, :2]).round(DIGITS)
        objects = zip(corners.tolist(), sizes.tolist(), image.labels.tolist(), image.crowd.tolist(), strict=True)
        for (left, top, _, _), (width, height), label, crowd in objects:
            yield {
                "id": next(number),
                "image_id": image.image_id,
                "category_id": category_ids[label],
                "bbox": [left, top, width, height],
                "area": round(width * height, DIGITS),
                "segmentation": [],
                "iscrowd": int(crowd),
            }


COCO_WRITER = Writer("images/{split}", write_coco, True, True, False)
