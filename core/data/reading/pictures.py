"""Finds the picture files that annotations mean, by the names that they give.

A picture is identified by its path in the data set's folder, never by its file name alone. Names are only compared with
the files that the folder has, so that no name leads out of it. What could mean several files is reported, not guessed.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from core.data.annotations import BAD_PATH, ORPHAN_LABELS, AnnotatedImage, ReportProblem
from core.data.files import FolderFiles, is_image_name
from core.data.left_out import MISSING, UNREADABLE
from core.data.reading.assignment import ANNOTATIONS, NAMES
from core.data.reading.matching import Entry, Matcher, strip_suffix
from core.data.reading.split_names import find_sibling_folders, find_split, find_split_of_file, find_split_of_folder
from core.data.reading.strays import find_strays
from core.data.untrusted import MAX_NAME, quote
from core.io.text import is_text

_HEIC_SUFFIXES = (".heic", ".heif", ".hif")
# Of pictures in formats that `core.data.images` does not decode.
UNREAD_SUFFIXES = (
    *_HEIC_SUFFIXES, ".arw", ".cr2", ".cr3", ".dng", ".exr", ".jxl", ".nef", ".orf", ".psd", ".raf", ".rw2", ".tga",
)  # fmt: skip


class Matches(NamedTuple):
    """The picture files of annotated pictures.

    Attributes:
        paths: Their paths relative to the root; None for pictures that were reported or are in `unions`.
        unions: The pictures that are left to other annotation files, which assign them to a split.
    """

    paths: list[str | None]
    unions: list[int]


def match_pictures(files: FolderFiles, images: Sequence[AnnotatedImage], report: ReportProblem) -> Matches:
    """Finds the picture file of each annotated picture.

    Args:
        files: The data set's files.
        images: The annotated pictures.
        report: Called for each picture that is left out.
    """
    matcher = Matcher(files.images, _make_entries(files.root, images))
    others = {name.rpartition("/")[2] for name in files.others}
    found = matcher.match()
    strays = {number: found[number] for number in find_strays(matcher.entries, found, matcher.index)}
    for number in strays:
        found[number] = None
    root = files.root.resolve() if files.links else files.root
    for number, image in enumerate(images):
        name = found[number]
        if number in strays:
            report(MISSING, _explain_stray(image, strays[number]))
        elif name is None:
            report(*_explain(image, matcher, number, others))
        elif name in files.links and not _is_inside(files.root / name, root):
            report(BAD_PATH, _refuse_path(image))
            found[number] = None
    unions = matcher.find_unions(found)
    for number in unions:
        found[number] = None
    return Matches(found, unions)


def find_given_splits(
    root: Path, images: Sequence[AnnotatedImage], pictures: Sequence[str]
) -> list[tuple[str, str] | None]:
    """Returns each picture's split and what gives it (`ANNOTATIONS` or `NAMES`); None if nothing does.

    Args:
        root: The data set's folder.
        images: The annotated pictures.
        pictures: The paths of their files relative to the root.
    """
    sources = {source: (get_relative(root, source), source.stem) for source in {image.source for image in images}}
    paths = {*pictures, *(path for path, _ in sources.values())}
    siblings = find_sibling_folders({path.rpartition("/")[0] for path in paths})
    result: list[tuple[str, str] | None] = []
    for image, picture in zip(images, pictures, strict=True):
        if image.split and (given := find_split(image.split)):
            result.append((given, ANNOTATIONS))
            continue
        source, stem = sources[image.source]
        split = find_split_of_file(source, strip_suffix(picture) != stem, siblings)
        split = split or find_split_of_folder(picture.rpartition("/")[0], siblings)
        result.append((split, NAMES) if split else None)
    return result


def get_relative(root: Path, path: Path) -> str:
    """Returns a path inside a folder relative to it, with `/` between folders."""
    return path.as_posix().removeprefix(f"{root.as_posix().rstrip('/')}/")


def describe_unread(name: str) -> str:
    """Returns the end of a sentence: the name of a picture in a format that is not read, and the remedy."""
    if name.lower().endswith(_HEIC_SUFFIXES):
        return f"{quote(name)}, which is a HEIC picture, which cannot be read: convert it to JPEG."
    return f"{quote(name)}, which is no picture in a known format: save it as PNG or JPEG."


def _make_entries(root: Path, images: Sequence[AnnotatedImage]) -> list[Entry]:
    counts = Counter(image.source for image in images)
    sources = {
        source: (get_relative(root, source), source.stem if count == 1 else "") for source, count in counts.items()
    }
    entries = []
    for image in images:
        source, stem = sources[image.source]
        name = "" if _is_unusable(image.name) else image.name.replace("\\", "/").lstrip("/")
        split = find_split(image.split) if image.split else None
        split = split or find_split_of_file(source, stem != strip_suffix(name))
        entries.append(Entry(name, source.rpartition("/")[0], stem, split))
    return entries


def _is_unusable(name: str) -> bool:
    """True for a name that no file can have."""
    return not name or len(name) > MAX_NAME or "\0" in name or not is_text(name)


def _is_inside(path: Path, root: Path) -> bool:
    try:
        return path.resolve().is_relative_to(root)
    except (OSError, RuntimeError):  # links that form a loop
        return False


def _explain(image: AnnotatedImage, matcher: Matcher, number: int, others: Collection[str]) -> tuple[str, str]:
    """Returns the kind of problem of a picture without a file, and a message."""
    if number in matcher.repeated:
        return BAD_PATH, f"{image.source} annotates {quote(image.name)} more than once: join the entries or keep one."
    if number in matcher.candidates:
        one, other = matcher.candidates[number][:2]
        remedy = "add its folder to the name"
        return BAD_PATH, f"{image.source} names {quote(image.name)}, which could be {one} or {other}: {remedy}."
    if not is_image_name(image.name) and strip_suffix(image.name) == image.source.stem:
        return ORPHAN_LABELS, f"{image.source} has no picture: add the picture or remove the file."
    if image.name.replace("\\", "/").rpartition("/")[2] in others:
        return UNREADABLE, f"{image.source} names {describe_unread(image.name)}"
    if _climbs(image.name):
        return BAD_PATH, _refuse_path(image)
    return MISSING, f"{image.source} names {quote(image.name)}, which does not exist: add it or remove its annotations."


def _explain_stray(image: AnnotatedImage, path: str | None) -> str:
    return (
        f"{image.source} names {quote(image.name)}, which does not exist: add it or remove its annotations; {path} was "
        "not taken for it, as other pictures have such a second file too."
    )


def _climbs(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    return _is_unusable(name) or path.is_absolute() or ".." in path.parts


def _refuse_path(image: AnnotatedImage) -> str:
    return f"{image.source} names the picture {quote(image.name)}, which is not a path inside the data set: correct it."
