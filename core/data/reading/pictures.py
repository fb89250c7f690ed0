"""Finds the picture files that annotations mean, by the names that they give.

A picture is identified by its path in the data set's folder, never by its file name alone. Names are only compared with
the files that the folder has, so that no name leads out of it. What could mean several files is reported, not guessed.
"""

import posixpath
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import takewhile
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from core.data.annotations import BAD_PATH, ORPHAN_LABELS, AnnotatedImage, ReportProblem
from core.data.files import FolderFiles, is_image_name
from core.data.left_out import MISSING
from core.data.reading.assignment import ANNOTATIONS, NAMES
from core.data.reading.split_names import TRAINVAL, find_split, find_split_of_file, find_split_of_folders
from core.data.untrusted import MAX_NAME, quote
from core.io.text import is_text

USUAL_FOLDERS = ("images", "JPEGImages")  # for names relative to one of these


class _Entry(NamedTuple):
    """An annotated picture.

    Attributes:
        name: Its name in the annotations, with `/` between folders; "" if it cannot be that of a file.
        folder: The annotation file's folder relative to the root, "" for the root.
        stem: The annotation file's name without suffix if it annotates no other picture, else "".
        split: The split that the annotations or the annotation file's name and folders give; None if they give none.
        plain_name_unique: No other entry of the split has the same file name.
    """

    name: str
    folder: str
    stem: str
    split: str | None
    plain_name_unique: bool


def match_pictures(files: FolderFiles, images: Sequence[AnnotatedImage], report: ReportProblem) -> list[str | None]:
    """Finds the picture file of each annotated picture.

    Args:
        files: The data set's files.
        images: The annotated pictures.
        report: Called for each picture that is left out.

    Returns:
        The paths relative to the root; None for pictures that were reported.
    """
    matcher = _Matcher(files, _make_entries(files.root, images))
    found = matcher.match()
    root = files.root.resolve() if files.links else files.root
    for number, image in enumerate(images):
        name = found[number]
        if name is None:
            report(*_explain(files.root, image, matcher, number))
        elif name in files.links and not _is_inside(files.root / name, root):
            report(BAD_PATH, _refuse_path(files.root, image))
            found[number] = None
    return found


def find_given_split(root: Path, image: AnnotatedImage, picture: str) -> tuple[str, str] | None:
    """Returns a picture's split and what gives it (`ANNOTATIONS` or `NAMES`); None if nothing does.

    Args:
        root: The data set's folder.
        image: The annotated picture.
        picture: The path of its file relative to the root.
    """
    if image.split and (split := find_split(image.split)):
        return split, ANNOTATIONS
    by_name = PurePosixPath(picture).stem != image.source.stem
    split = find_split_of_file(get_relative(root, image.source), by_name=by_name)
    split = split or find_split_of_folders(PurePosixPath(picture).parent.parts)
    return (split, NAMES) if split else None


class _Matcher:
    """Matches entries with files in several passes, from sure to weak; a file that is taken is not taken again."""

    def __init__(self, files: FolderFiles, entries: list[_Entry]) -> None:
        self.candidates: dict[int, list[str]] = {}  # of the entries that fit several files
        self.repeated: set[int] = set()  # entries that mean the same file as another one of their split
        self._entries = entries
        self._exact = frozenset(files.images)
        self._index = _Index(files.images)
        self._taken: set[str] = set()

    def match(self) -> list[str | None]:
        """Returns the files of the entries; None for those without."""
        found: list[str | None] = [None] * len(self._entries)
        passes: list[Callable[[_Entry], list[str]]] = [
            self._find_mate, self._find_exact, self._find_by_end, self._find_by_stem, self._find_alike,
            self._find_distant_mate, self._find_elsewhere,
        ]  # fmt: skip
        open_entries = list(range(len(self._entries)))
        for find in passes:
            chosen = {number: name for number in open_entries if (name := self._choose(number, find))}
            counts = Counter((self._entries[number].split, name) for number, name in chosen.items())
            for number, name in chosen.items():
                if counts[self._entries[number].split, name] > 1:
                    self.repeated.add(number)
                else:
                    found[number] = name
            self._taken.update(chosen.values())
            open_entries = [number for number in open_entries if number not in chosen]
        return found

    def _choose(self, number: int, find: Callable[[_Entry], list[str]]) -> str | None:
        names = [name for name in dict.fromkeys(find(self._entries[number])) if name not in self._taken]
        if len(names) > 1:
            self.candidates[number] = names
        return names[0] if len(names) == 1 else None

    def _find_mate(self, entry: _Entry) -> list[str]:
        """The picture named like the annotation file, beside it or in the parallel folder (`labels/x`, `images/x`)."""
        if not entry.stem:
            return []
        if "/" in entry.name and entry.name in self._exact and _strip_suffix(entry.name) == entry.stem:
            return [entry.name]
        mates = self._index.by_stem.get(entry.stem, [])
        beside = [name for name in mates if posixpath.dirname(name) == entry.folder]
        near = beside or [name for name in mates if _are_parallel(posixpath.dirname(name), entry.folder)]
        return [name for name in near if name.endswith("/" + entry.name) or name == entry.name] or near

    def _find_exact(self, entry: _Entry) -> list[str]:
        """The path relative to the annotation file's folder, to the root, or to a usual folder of pictures."""
        if not entry.name:
            return []
        parent = posixpath.dirname(entry.folder)
        folders = dict.fromkeys((entry.folder, "", *(f"{each}/{usual}".lstrip("/") for each in (entry.folder, parent)
                                                     for usual in USUAL_FOLDERS)))  # fmt: skip
        paths = (posixpath.normpath(f"{folder}/{entry.name}".lstrip("/")) for folder in folders)
        return next(([path] for path in paths if path in self._exact), [])

    def _find_by_end(self, entry: _Entry) -> list[str]:
        """The files whose paths agree with the end of the name for most folders, except those of another split."""
        if not entry.name:
            return []
        names = self._index.by_name.get(posixpath.basename(entry.name), [])
        return _keep_split(_keep_longest(names, entry), entry.split)

    def _find_by_stem(self, entry: _Entry) -> list[str]:
        """As `_find_by_end`, for a name that lacks the suffix or has another one."""
        if not entry.name:
            return []
        stems = dict.fromkeys((posixpath.basename(entry.name), _strip_suffix(entry.name)))
        names = [name for stem in stems for name in self._index.by_stem.get(stem, [])]
        return _keep_split(_keep_longest(names, entry), entry.split)

    def _find_alike(self, entry: _Entry) -> list[str]:
        """As `_find_by_end`, but without regard to case and to how accents are encoded."""
        if not entry.name:
            return []
        names = self._index.by_folded_name.get(_fold(posixpath.basename(entry.name)), [])
        names = names or self._index.by_folded_stem.get(_fold(_strip_suffix(entry.name)), [])
        return _keep_split(_keep_longest(names, entry, _fold), entry.split)

    def _find_distant_mate(self, entry: _Entry) -> list[str]:
        """The picture named like the annotation file, wherever it is."""
        names = self._index.by_stem.get(entry.stem, []) or self._index.by_folded_stem.get(_fold(entry.stem), [])
        return _keep_split(names, entry.split) if entry.stem else []

    def _find_elsewhere(self, entry: _Entry) -> list[str]:
        """As `_find_by_end`, in the folders of other splits too: some sets have all pictures in one such folder."""
        return _keep_longest(self._index.by_name.get(posixpath.basename(entry.name), []), entry) if entry.name else []


class _Index:
    """Picture files by their names and stems, without folders."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = paths
        self.by_name = _group(paths, posixpath.basename)
        self.by_stem = _group(paths, _strip_suffix)

    @cached_property
    def by_folded_name(self) -> dict[str, list[str]]:
        """By names without regard to case and to how accents are encoded."""
        return _group(self._paths, lambda path: _fold(posixpath.basename(path)))

    @cached_property
    def by_folded_stem(self) -> dict[str, list[str]]:
        """By stems without regard to case and to how accents are encoded."""
        return _group(self._paths, lambda path: _fold(_strip_suffix(path)))


def _make_entries(root: Path, images: Sequence[AnnotatedImage]) -> list[_Entry]:
    sources = Counter(image.source for image in images)
    plain = []
    for image in images:
        source = get_relative(root, image.source)
        name = image.name.replace("\\", "/").lstrip("/")
        name = name if name and is_text(name) and len(name) <= MAX_NAME and "\0" not in name else ""
        stem = image.source.stem if sources[image.source] == 1 and is_text(image.source.stem) else ""
        split = find_split(image.split) if image.split else None
        split = split or find_split_of_file(source, by_name=stem != _strip_suffix(name))
        plain.append(_Entry(name, posixpath.dirname(source), stem, split, False))
    counts = Counter((entry.split, posixpath.basename(entry.name)) for entry in plain)
    return [
        entry._replace(plain_name_unique=counts[entry.split, posixpath.basename(entry.name)] == 1) for entry in plain
    ]


def get_relative(root: Path, path: Path) -> str:
    """Returns a path inside a folder relative to it, with `/` between folders."""
    return path.as_posix().removeprefix(f"{root.as_posix().rstrip('/')}/")


def _group(paths: Sequence[str], key: Callable[[str], str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        groups[key(path)].append(path)
    return groups


def _strip_suffix(path: str) -> str:
    """Returns the file name without the suffix of a picture; other dots belong to the name."""
    name = posixpath.basename(path)
    return name.rpartition(".")[0] if is_image_name(name) else name


def _fold(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def _keep_longest(paths: list[str], entry: _Entry, fold: Callable[[str], str] = str) -> list[str]:
    """Returns the paths that share the most folders with an entry's name, counted from the end.

    If they share none although the name has folders, the file name alone must tell the entries apart.
    """
    if not paths:
        return []
    folders = [fold(part) for part in posixpath.dirname(entry.name).split("/") if part]
    shared = [_count_shared(folders, [fold(part) for part in posixpath.dirname(path).split("/")]) for path in paths]
    if folders and not max(shared) and not entry.plain_name_unique:
        return []
    return [path for path, count in zip(paths, shared, strict=True) if count == max(shared)]


def _count_shared(folders: list[str], others: list[str]) -> int:
    return sum(
        1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(reversed(folders), reversed(others), strict=False))
    )


def _keep_split(paths: list[str], split: str | None) -> list[str]:
    """Returns the paths in folders of a split, or else those in folders of no split."""
    if split is None or not paths:
        return paths
    found = {path: find_split_of_folders(posixpath.dirname(path).split("/")) for path in paths}
    parts = ("train", "val", TRAINVAL) if split == TRAINVAL else (split, TRAINVAL) if split != "test" else (split,)
    same = [path for path in paths if found[path] in parts]
    return same or [path for path in paths if found[path] is None]


def _are_parallel(folder: str, other: str) -> bool:
    """True if two folders differ in one of their names, as `images/train` and `labels/train` do."""
    one, two = folder.split("/"), other.split("/")
    return len(one) == len(two) and sum(a != b for a, b in zip(one, two, strict=True)) == 1


def _is_inside(path: Path, root: Path) -> bool:
    try:
        return path.resolve().is_relative_to(root)
    except (OSError, RuntimeError):  # links that form a loop
        return False


def _explain(root: Path, image: AnnotatedImage, matcher: _Matcher, number: int) -> tuple[str, str]:
    """Returns the kind of problem of a picture without a file, and a message."""
    if number in matcher.repeated:
        return BAD_PATH, f"{image.source} annotates {quote(image.name)} more than once: join the entries or keep one."
    if number in matcher.candidates:
        one, other = matcher.candidates[number][:2]
        remedy = "add its folder to the name"
        return BAD_PATH, f"{image.source} names {quote(image.name)}, which could be {one} or {other}: {remedy}."
    if not is_image_name(image.name) and _strip_suffix(image.name) == image.source.stem:
        return ORPHAN_LABELS, f"{image.source} has no picture: add the picture or remove the file."
    if _climbs(image.name):
        return BAD_PATH, _refuse_path(root, image)
    return MISSING, f"{image.source} names {quote(image.name)}, which does not exist: add it or remove its annotations."


def _climbs(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    unusable = not name or len(name) > MAX_NAME or not is_text(name) or "\0" in name
    return unusable or path.is_absolute() or ".." in path.parts


def _refuse_path(root: Path, image: AnnotatedImage) -> str:
    return f"{image.source} names the picture {quote(image.name)}, which is not a path inside {root}: correct it."
