"""Converts a data set's folder to another format: reads it, copies its pictures, and writes its annotations anew."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from core.data.annotations import BAD_PATH
from core.data.dataset import RawImage, name_images
from core.data.folders import read_data_set
from core.data.images import read_image_size
from core.data.left_out import OTHER_SIZE, UNREADABLE, LeftOut, Tally
from core.data.reading.contents import FolderContents
from core.data.untrusted import DataError, quote
from core.data.writers.coco import COCO_WRITER
from core.data.writers.content import Content, Writer, WrittenImage
from core.data.writers.voc import VOC_WRITER
from core.data.writers.yolo import YOLO_WRITER
from core.errors import PictureError
from core.io.text import is_text

WRITERS: Mapping[str, Writer] = MappingProxyType({"coco": COCO_WRITER, "voc": VOC_WRITER, "yolo": YOLO_WRITER})
Progress = Callable[[int, int], None]


class SplitCounts(NamedTuple):
    """The number of pictures, objects and crowd regions of a split."""

    pictures: int
    objects: int
    crowds: int


class Conversion(NamedTuple):
    """What was written.

    Attributes:
        reading: How the data set was read, as sentences for people.
        left_out: What could not be used of it.
        notes: What the new format cannot hold, one sentence each.
        splits: The counts of each split.
    """

    reading: str
    left_out: LeftOut
    notes: tuple[str, ...]
    splits: dict[str, SplitCounts]


def convert_data_set(
    folder: Path,
    to: str,
    out: Path,
    *,
    format: str | None = None,
    strict: bool = False,
    progress: Progress = lambda done, total: None,
) -> Conversion:
    """Writes a data set in another format into a new folder; leaves nothing behind if it fails.

    Pictures are copied as they are. Boxes are clipped to their pictures.

    Args:
        folder: The data set's folder.
        to: The new format, a key of `WRITERS`.
        out: The new folder, which must be missing or empty; its parent must exist.
        format: The key of its annotation format; None to detect it.
        strict: Refuse the first picture or box that cannot be used, instead of leaving it out.
        progress: Called with the number of pictures copied and their total.

    Raises:
        DataError: The data set cannot be used, or the folder cannot be written.
    """
    contents = read_data_set(folder, format, strict)
    _require_new(out, folder)
    beside = out.resolve().with_name(f".{out.resolve().name}.{os.getpid()}.part")
    try:
        beside.mkdir()
        conversion = _convert(contents, WRITERS[to], beside, folder, strict=strict, progress=progress)
        beside.replace(out)
    except OSError as error:
        raise DataError(f"{out} cannot be written: {error.strerror or error}.") from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return conversion


def _require_new(out: Path, folder: Path) -> None:
    if out.resolve().is_relative_to(folder.resolve()):
        raise DataError(f"{out} is inside the data set {folder}, which it would become a part of: name another folder.")
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise DataError(f"{out} already exists: remove it or name another folder.")
    if not out.parent.is_dir():
        raise DataError(f"{out} cannot be written because the folder {out.parent} does not exist: create it first.")


def _convert(
    contents: FolderContents, writer: Writer, out: Path, folder: Path, *, strict: bool, progress: Progress
) -> Conversion:
    tally = Tally(folder)
    tally.add_all(contents.left_out)
    usable = {split: list(_measure(raw.images, tally, strict=strict)) for split, raw in contents.splits.items()}
    _require_room(out, [image.path for pairs in usable.values() for image, _ in pairs])
    names = _choose_names({split: [image for image, _ in pairs] for split, pairs in usable.items()}, writer)
    total, done = sum(map(len, names.values())), 0
    splits: dict[str, list[WrittenImage]] = {}
    for split, pairs in usable.items():
        ids = _choose_ids([image for image, _ in pairs])
        splits[split] = []
        for (image, size), name, image_id in zip(pairs, names[split], ids, strict=True):
            path = out / writer.pictures.format(split=split) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(image.path, path)
            splits[split].append(_place(image, size, name, image_id))
            done += 1
            progress(done, total)
    notes, kept = _drop_what_is_lost(contents.class_names, splits, writer)
    writer.write(out, Content(contents.class_names, contents.unlisted.category_ids, kept))
    return Conversion(contents.reading, tally.left_out(), notes, {split: _count(kept[split]) for split in kept})


def _measure(images: Sequence[RawImage], tally: Tally, *, strict: bool) -> Iterator[tuple[RawImage, tuple[int, int]]]:
    """Yields the pictures that can be used with their sizes, which are read from the files."""
    for image in images:
        try:
            yield image, _read_size(image)
        except (PictureError, DataError) as error:
            if strict:
                raise
            tally.add(UNREADABLE if isinstance(error, PictureError) else _find_kind(image), str(error))


def _read_size(image: RawImage) -> tuple[int, int]:
    if not _is_plain(image.path.as_posix()):
        raise DataError(f"{quote(str(image.path))} has a name that not every format can hold: rename it.")
    size = read_image_size(image.path)
    if image.size and image.size != size:
        raise DataError(f"{image.path} has {size[0]}×{size[1]} pixels (upright), not the annotated {image.size}.")
    return size


def _find_kind(image: RawImage) -> str:
    return OTHER_SIZE if _is_plain(image.path.as_posix()) else BAD_PATH


def _is_plain(name: str) -> bool:
    return is_text(name) and name.isprintable()


def _require_room(out: Path, paths: Sequence[Path]) -> None:
    needed, free = sum(path.stat().st_size for path in paths), shutil.disk_usage(out).free
    if needed > free:
        raise DataError(
            f"The pictures need {needed / 2**30:.1f} GB, but only {free / 2**30:.1f} GB are free: make room."
        )


def _choose_names(splits: Mapping[str, list[RawImage]], writer: Writer) -> dict[str, list[str]]:
    """Returns the names of the pictures in their new folders, distinct in each folder.

    They are the paths without the folders that all pictures of a split have in common; if all splits share a folder
    and that would not tell them apart, without those that all pictures have in common.
    """
    names = {split: name_images(images) for split, images in splits.items()}
    if writer.pictures.format(split="") == writer.pictures:  # one folder for all
        flat = [name for each in names.values() for name in each]
        if len(set(flat)) < len(flat):
            flat = name_images([image for images in splits.values() for image in images])
        rest = iter(_make_distinct(flat, writer))
        return {split: [next(rest) for _ in images] for split, images in splits.items()}
    return {split: _make_distinct(each, writer) for split, each in names.items()}


def _make_distinct(names: Sequence[str], writer: Writer) -> list[str]:
    """Returns names of which no two are equal without their suffixes, if the format needs that."""
    if not writer.needs_distinct_stems:
        return list(names)
    taken, result = set[str](), []
    for name in names:
        path = PurePosixPath(name)
        stem = str(path.with_suffix(""))
        candidates = [stem, f"{stem}_{path.suffix[1:]}", *(f"{stem}_{number}" for number in range(2, len(names) + 2))]
        chosen = next(each for each in candidates if each not in taken)
        taken.add(chosen)
        result.append(chosen + path.suffix)
    return result


def _choose_ids(images: Sequence[RawImage]) -> Sequence[int]:
    """Returns the ids of the pictures; new ones if they are not distinct."""
    ids = [image.image_id for image in images]
    return ids if len(set(ids)) == len(ids) else range(1, len(ids) + 1)


def _place(image: RawImage, size: tuple[int, int], name: str, image_id: int) -> WrittenImage:
    """Returns a picture with its valid objects, clipped to it in double precision."""
    limits = np.tile(size, 2)
    boxes = image.boxes * limits if image.relative else image.boxes
    clipped = np.nan_to_num(boxes).clip(0, limits)
    keep = np.isfinite(boxes).all(axis=1) & (clipped[:, 2:] > clipped[:, :2]).all(axis=1)
    return WrittenImage(name, size, image_id, clipped[keep], image.labels[keep], image.crowd[keep])


def _drop_what_is_lost(
    class_names: Sequence[str], splits: Mapping[str, list[WrittenImage]], writer: Writer
) -> tuple[tuple[str, ...], dict[str, list[WrittenImage]]]:
    """Returns what the format cannot hold, one sentence each, and the pictures without it."""
    notes = []
    images = [image for each in splits.values() for image in each]
    crowds = sum(int(image.crowd.sum()) for image in images)
    if crowds and not writer.keeps_crowds:
        notes.append(f"{crowds:,} crowd regions (difficult objects) are left out: the format has none.")
        splits = {split: [_drop_crowds(image) for image in each] for split, each in splits.items()}
    used = {label for image in images for label in image.labels.tolist()}
    unused = [name for label, name in enumerate(class_names) if label not in used]
    if unused and not writer.keeps_unused_classes:
        notes.append(f"Classes without objects are left out, the format has no list of classes: {', '.join(unused)}.")
    return tuple(notes), dict(splits)


def _drop_crowds(image: WrittenImage) -> WrittenImage:
    keep = ~image.crowd
    return image._replace(boxes=image.boxes[keep], labels=image.labels[keep], crowd=image.crowd[keep])


def _count(images: Sequence[WrittenImage]) -> SplitCounts:
    crowds = sum(int(image.crowd.sum()) for image in images)
    return SplitCounts(len(images), sum(len(image.labels) for image in images) - crowds, crowds)
