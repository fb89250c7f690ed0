"""Stores what was read of a data set in a file of arrays, and reads it back."""

import hashlib
import json
import zipfile
import zlib
from contextlib import suppress
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from core.data.files import FolderFiles
from core.data.formats import FORMATS
from core.data.left_out import LeftOut
from core.data.raw import RawData, RawImage
from core.data.reading.contents import FolderContents
from core.data.reading.pictures import get_relative
from core.io.atomic import mark_used, write_atomically

PACKAGE = Path(__file__).parents[1]  # the modules that read data sets


def save_contents(path: Path, contents: FolderContents, root: Path) -> None:
    """Writes contents to a file; does nothing if that is not possible, since the file only saves time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_contents(path, contents, root)
    except OSError:
        return


def write_contents(path: Path, contents: FolderContents, root: Path) -> None:
    """Writes contents to a file.

    Raises:
        OSError: That is not possible.
    """
    images = contents.images
    parts = [*contents.splits.items(), ("", contents.unlisted)]
    values = {
        "version": hash_rules(),
        "format": contents.format.key,
        "class_names": contents.class_names,
        "category_ids": contents.unlisted.category_ids,
        "splits": [(split, len(raw.images)) for split, raw in parts],
        "reading": contents.reading,
        "left_out": contents.left_out.to_dict(),
        "refusals": contents.refusals,
        "paths": [get_relative(root, image.path) for image in images],
        "sources": [get_relative(root, image.source) for image in images],
        "ids": [image.image_id for image in images],
    }
    arrays = {
        "values": np.frombuffer(json.dumps(values).encode(), dtype=np.uint8),
        "sizes": np.array([image.size or (0, 0) for image in images], dtype=np.int64).reshape(-1, 2),
        "relative": np.array([image.relative for image in images], dtype=bool),
        "counts": np.array([len(image.labels) for image in images], dtype=np.int64),
        "boxes": np.concatenate([image.boxes for image in images] or [np.zeros((0, 4))]),
        "labels": np.concatenate([image.labels for image in images] or [np.zeros(0, np.int64)]),
        "crowd": np.concatenate([image.crowd for image in images] or [np.zeros(0, bool)]),
    }
    with write_atomically(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def load_contents(path: Path, files: FolderFiles) -> FolderContents | None:
    """Reads contents from a file and marks it as used; None if there is no such file, or it is damaged."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            values = json.loads(arrays["values"].tobytes())
            if values["version"] != hash_rules():
                return None
            contents = _build(values, dict(arrays), files)
        with suppress(OSError):  # a folder that cannot be changed can be read
            mark_used(path)
        return contents
    except (OSError, ValueError, KeyError, TypeError, StopIteration, EOFError, zipfile.BadZipFile, zlib.error):
        return None


@cache
def hash_rules() -> str:
    """Returns a hash of the code that reads data sets: what other code has stored is read again."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _build(values: dict[str, Any], arrays: dict[str, np.ndarray], files: FolderFiles) -> FolderContents:
    ends = [0, *np.cumsum(arrays["counts"]).tolist()]
    sources = {name: files.root / name for name in set(values["sources"])}
    boxes, labels, crowd = arrays["boxes"], arrays["labels"], arrays["crowd"]
    images = [
        RawImage(
            files.root / name, sources[source], (width, height) if width else None, image_id,
            boxes[start:end], labels[start:end], crowd[start:end], relative,
        )
        for name, source, (width, height), image_id, (start, end), relative in zip(
            values["paths"], values["sources"], arrays["sizes"].tolist(), values["ids"], pairwise(ends),
            arrays["relative"].tolist(), strict=True,
        )
    ]  # fmt: skip
    names, ids = tuple(values["class_names"]), tuple(values["category_ids"])
    parts, first = {}, 0
    for split, count in values["splits"]:
        parts[split] = RawData(names, ids, images[first : first + count])
        first += count
    unlisted = parts.pop("")
    format = next(each for each in FORMATS if each.key == values["format"])
    left_out = LeftOut.from_dict(values["left_out"])
    return FolderContents(format, parts, unlisted, values["reading"], left_out, tuple(values["refusals"]), files.stamp)
