"""Converts a data set's folder to another format: reads it, copies its pictures, and writes its annotations anew."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from core.data.annotations import BAD_PATH, raise_problem
from core.data.folders import read_data_set
from core.data.images import open_image
from core.data.left_out import DESCRIPTIONS, EMPTY_BOX, OTHER_SIZE, OUTSIDE_BOX, UNREADABLE, LeftOut, Tally
from core.data.raw import RawImage, judge_boxes, measure_size
from core.data.reading.contents import FolderContents, report_boxes
from core.data.reading.plausibility import find_refusals
from core.data.subset import draw_training_pictures
from core.data.untrusted import DataError, quote
from core.data.writers.coco import COCO_WRITER
from core.data.writers.content import Content, Writer, WrittenImage
from core.data.writers.names import choose_names, describe_renamed, is_plain
from core.data.writers.voc import VOC_WRITER
from core.data.writers.yolo import YOLO_WRITER
from core.errors import PictureError
from core.io.moving import replace
from core.io.parts import make_part, sweep_parts
from core.io.troubles import explain

WRITERS: Mapping[str, Writer] = MappingProxyType({"coco": COCO_WRITER, "voc": VOC_WRITER, "yolo": YOLO_WRITER})
BOXES = frozenset((EMPTY_BOX, OUTSIDE_BOX))
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
        notes: Which pictures were drawn, and what the new format cannot hold, one sentence each.
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
    pictures: int | None = None,
    seed: int = 0,
    progress: Progress = lambda done, total: None,
) -> Conversion:
    """Writes a data set in another format into a new folder; leaves nothing behind if it fails.

    Pictures are decoded, to leave out damaged ones, and copied as they are. Boxes are clipped to their pictures.

    Args:
        folder: The data set's folder.
        to: The new format, a key of `WRITERS`.
        out: The new folder, which must be missing or empty; its parent must exist.
        format: The key of its annotation format; None to detect it.
        strict: Refuse the first picture or box that cannot be used, instead of leaving it out.
        pictures: Number of training pictures to write, drawn by `core.data.subset.draw_subset`; None for all.
        seed: Seeds that draw.
        progress: Called with the number of pictures done and their total.

    Raises:
        DataError: The data set cannot be used, or the folder cannot be written.
    """
    contents, drawn = _draw(read_data_set(folder, format, strict), pictures, seed)
    _require_new(out, folder)
    target = out.resolve()
    sweep_parts(target.parent, target.name)  # left by a conversion that was killed
    try:
        with make_part(target) as beside:
            beside.mkdir()
            conversion = _convert(contents, WRITERS[to], beside, folder, strict=strict, progress=progress)
            replace(beside, out)
    except OSError as error:
        raise DataError(f"{out} cannot be written: {explain(error)}") from None
    return conversion._replace(notes=(*drawn, *conversion.notes))


def _draw(contents: FolderContents, pictures: int | None, seed: int) -> tuple[FolderContents, tuple[str, ...]]:
    """Returns a data set with a random subset of its training pictures, and notes on it; `pictures` None keeps all."""
    if pictures is None:
        return contents, ()
    drawn = draw_training_pictures(contents.splits, pictures, seed)
    total = len(contents.splits["train"].images)
    said = f"{pictures:,} of {total:,} training pictures were drawn with seed {seed}."
    return contents._replace(splits=drawn), (said,)


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
    _require_plain_classes(contents.class_names)
    tally = Tally(folder)
    tally.add_all(contents.left_out, DESCRIPTIONS.keys() - BOXES)  # the boxes are judged again, with all sizes known
    _require_room(out, [image.path for raw in contents.splits.values() for image in raw.images])
    names = choose_names({split: raw.images for split, raw in contents.splits.items()}, writer)
    total, done = sum(map(len, names.values())), 0
    copied: dict[str, list[tuple[RawImage, str]]] = {split: [] for split in contents.splits}
    for split, raw in contents.splits.items():
        for image, name in zip(raw.images, names[split], strict=True):
            usable = _copy_picture(image, out / writer.pictures.format(split=split) / name, tally, strict=strict)
            copied[split] += [(usable, name)] if usable else []
            done += 1
            progress(done, total)
    images = [image for pairs in copied.values() for image, _ in pairs]
    judged = judge_boxes(images)
    report_boxes(images, judged, raise_problem if strict else tally.add)
    for refusal in find_refusals(images, judged, contents.splits, tally.left_out()):
        raise DataError(f"{folder} cannot be converted: {refusal}")
    splits = {split: _place_all(pairs) for split, pairs in copied.items() if pairs}
    lost, kept = _drop_what_is_lost(contents.class_names, splits, writer)
    renamed = describe_renamed([(image.path, name) for pairs in copied.values() for image, name in pairs])
    notes = (*renamed, *lost)
    writer.write(out, Content(contents.class_names, contents.unlisted.category_ids, kept))
    return Conversion(contents.reading, tally.left_out(), notes, {split: _count(kept[split]) for split in kept})


def _require_plain_classes(names: Sequence[str]) -> None:
    for name in names:
        if not is_plain(name):
            raise DataError(
                f"The class name {quote(name)} has a control character, which not every format can hold: rename the "
                "class."
            )


def _copy_picture(image: RawImage, path: Path, tally: Tally, *, strict: bool) -> RawImage | None:
    """Copies a picture and returns it with its size; reports one that cannot be used, or raises that error."""
    try:
        if not is_plain(image.path.as_posix()):
            raise DataError(f"{quote(str(image.path))} has a name that not every format can hold: rename it.")
        height, width = open_image(image.path).shape[1:]
        if image.size and image.size != (width, height):
            raise DataError(
                f"{image.path} has {width}×{height} pixels (upright), not {image.size[0]}×{image.size[1]} as annotated."
            )
    except (PictureError, DataError) as error:
        if strict:
            raise
        tally.add(UNREADABLE if isinstance(error, PictureError) else _find_kind(image), str(error))
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(image.path, path)
    return image._replace(size=(width, height))


def _find_kind(image: RawImage) -> str:
    return OTHER_SIZE if is_plain(image.path.as_posix()) else BAD_PATH


def _require_room(out: Path, paths: Sequence[Path]) -> None:
    needed, free = sum(path.stat().st_size for path in paths), shutil.disk_usage(out).free
    if needed > free:
        raise DataError(
            f"The pictures need {needed / 2**30:.1f} GB, but only {free / 2**30:.1f} GB are free: make room."
        )


def _choose_ids(images: Sequence[RawImage]) -> Sequence[int]:
    """Returns the ids of the pictures; new ones if they are not distinct."""
    ids = [image.image_id for image in images]
    return ids if len(set(ids)) == len(ids) else range(1, len(ids) + 1)


def _place_all(pairs: Sequence[tuple[RawImage, str]]) -> list[WrittenImage]:
    """Returns the pictures of a split, which have sizes and new names, with their valid objects."""
    result = []
    for (image, name), image_id in zip(pairs, _choose_ids([image for image, _ in pairs]), strict=True):
        judged = judge_boxes([image])
        keep = judged.valid
        objects = judged.boxes[keep], image.labels[keep], image.crowd[keep]
        result.append(WrittenImage(name, measure_size(image), image_id, *objects))
    return result


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
        names = ", ".join(unused)
        notes.append(f"Classes without objects are left out, since the format has no list of classes: {names}.")
    return tuple(notes), dict(splits)


def _drop_crowds(image: WrittenImage) -> WrittenImage:
    keep = ~image.crowd
    return image._replace(boxes=image.boxes[keep], labels=image.labels[keep], crowd=image.crowd[keep])


def _count(images: Sequence[WrittenImage]) -> SplitCounts:
    crowds = sum(int(image.crowd.sum()) for image in images)
    return SplitCounts(len(images), sum(len(image.labels) for image in images) - crowds, crowds)
