"""The detections in many pictures as one file in COCO's format, written piece by piece."""

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from core.evaluation.coco_metrics import build_coco_results
from core.io.atomic import write_atomically
from core.structures import Detections


class FoundIn(NamedTuple):
    """The detections in one picture, as plain values.

    Attributes:
        number: Its number, the id of the image.
        name: Its name.
        width: Its width in pixels.
        height: Its height in pixels.
        results: Its detections, see `core.evaluation.coco_metrics.build_coco_results`.
        problem: Why it is left out; it has neither size nor detections then. "" if it is not.
    """

    number: int
    name: str
    width: int = 0
    height: int = 0
    results: Sequence[dict[str, Any]] = ()
    problem: str = ""


def to_results(found: Detections, category_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Returns the detections in one picture as COCO results without its number."""
    results = build_coco_results([found], [0], category_ids)
    return [{key: value for key, value in each.items() if key != "image_id"} for each in results]


def write_coco_file(
    path: Path, pictures: Callable[[], Iterable[FoundIn]], categories: Sequence[tuple[int, str]]
) -> None:
    """Writes a file with `images`, `annotations` (with scores), `categories` and `left_out`, atomically.

    It opens as an annotation file, and its annotations are COCO results.

    Args:
        path: The file.
        pictures: Returns all pictures, in order; called once for each part of the file, so that none need stay in
            memory.
        categories: The id and the name of each class.
    """
    number = itertools.count(1)
    with write_atomically(path) as partial, partial.open("w", encoding="utf-8", newline="\n") as file:
        file.write("{\n")
        _write_list(file, "categories", ({"id": each, "name": name} for each, name in categories))
        _write_list(file, "images", (_to_image(each) for each in pictures() if not each.problem))
        results = (
            {"id": next(number), "image_id": each.number, **_complete(result)}
            for each in pictures()
            for result in each.results
        )
        _write_list(file, "annotations", results)
        problems = (
            {"id": each.number, "file_name": each.name, "problem": each.problem} for each in pictures() if each.problem
        )
        _write_list(file, "left_out", problems, last=True)
        file.write("}\n")


def _to_image(picture: FoundIn) -> dict[str, Any]:
    return {"id": picture.number, "file_name": picture.name, "width": picture.width, "height": picture.height}


def _complete(result: dict[str, Any]) -> dict[str, Any]:
    """Adds what annotations have beside results."""
    _, _, width, height = result["bbox"]
    return {**result, "area": width * height, "iscrowd": 0}


def _write_list(file: TextIO, name: str, entries: Iterator[dict[str, Any]], *, last: bool = False) -> None:
    """Writes a list of an object, one entry per line."""
    file.write(f"{json.dumps(name)}: [")
    for index, entry in enumerate(entries):
        file.write(",\n" if index else "\n")
        file.write(json.dumps(entry, allow_nan=False))
    file.write("]\n" if last else "],\n")
