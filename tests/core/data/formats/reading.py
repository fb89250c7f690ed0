"""Reads annotations in tests: writes files, finds those of a format, and reads them."""

import json
import random
from pathlib import Path
from typing import NamedTuple

import pytest

from core.data.annotations import Annotations, Format, raise_problem
from core.data.files import list_files
from core.data.formats import FORMATS
from core.data.untrusted import DataError

DAMAGE = [
    b"",
    b"\0",
    b"{",
    b"]",
    b'"',
    b"-",
    b"9" * 400,
    b"1e999",
    b"NaN",
    b"null",
    b"[[[[",
    b"\xff",
    b"<",
    b"&x;",
    b",",
]


class Problems(list):
    """The problems that a reader reports, as pairs of kind and message."""

    def __call__(self, kind: str, message: str) -> None:
        self.append((kind, message))


class Object(NamedTuple):
    """An object with its class name, for comparison."""

    name: str
    box: list[float]
    crowd: bool = False


def write(root: Path, files: dict[str, object]) -> None:
    """Writes files: text, bytes, or anything else as JSON."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not isinstance(content, bytes):
            content = (content if isinstance(content, str) else json.dumps(content)).encode()
        path.write_bytes(content)


def find(root: Path, format: Format) -> list[str]:
    """Returns the annotation files of a format, relative to the folder."""
    return [path.relative_to(root).as_posix() for path in format.find(list_files(root))]


def read(root: Path, format: Format, report=raise_problem) -> Annotations:
    files = list_files(root)
    paths = format.find(files)
    if not paths:
        raise DataError("Nothing was found.")
    return format.read(files, paths, report)


def objects_of(data: Annotations) -> dict[str, list[Object]]:
    """Returns the objects of all pictures, with boxes rounded."""
    return {
        image.name: [
            Object(data.class_names[label], box, crowd)
            for label, box, crowd in zip(
                image.labels.tolist(), image.boxes.round(6).tolist(), image.crowd.tolist(), strict=True
            )
        ]
        for image in data.images
    }


def splits_of(data: Annotations) -> dict[str, str | None]:
    return {image.name: image.split for image in data.images}


def assert_only(root: Path, format: Format) -> None:
    """Asserts that no other format claims the files."""
    assert [each.key for each in FORMATS if each.find(list_files(root))] == [format.key]


def assert_refused(root: Path, format: Format, message: str) -> None:
    with pytest.raises(DataError, match=message) as error:
        read(root, format)
    assert str(error.value).endswith(".") and len(str(error.value)) < 700


def assert_survives_damage(root: Path, format: Format, name: str, rounds: int = 150) -> None:
    """Damages a file in many ways, and asserts that the reader reports or refuses it, whatever it is."""
    choose = random.Random(0)
    path = root / name
    whole = path.read_bytes()
    for _ in range(rounds):
        content = bytearray(whole)
        for _ in range(choose.randint(1, 3)):
            start = choose.randrange(len(content) + 1)
            content[start : start + choose.choice((0, 1, 5, 50))] = choose.choice(DAMAGE)
        path.write_bytes(content)
        find(root, format)  # raises nothing
        try:
            data = read(root, format, Problems())
        except DataError as error:
            assert len(str(error)) < 1500
            continue
        assert len(set(data.class_names)) == len(data.class_names) == len(data.category_ids)
        for image in data.images:
            assert image.boxes.shape == (len(image.labels), 4) and image.boxes.dtype == "float64"
            assert all(0 <= label < len(data.class_names) for label in image.labels)
    path.write_bytes(whole)
