"""Matches names with files in several passes, from sure to weak."""

import posixpath
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from core.data.files import is_image_name
from core.data.picture_folders import USUAL_FOLDERS, count_equal, is_lossy, is_mask, prefer_pictures
from core.data.reading.picture_index import MAX_NAMESAKES, PictureIndex, fold, get_base, get_folder
from core.data.reading.split_names import find_split_of_folder
from core.data.reading.split_words import TRAINVAL


class Entry(NamedTuple):
    """A name to match.

    Attributes:
        name: The picture's name in the annotations, with `/` between folders; "" if no file can have it.
        folder: The annotation file's folder relative to the root, "" for the root.
        stem: The annotation file's name without suffix if it annotates no other picture, else "".
        split: The split that the annotations or the annotation file's name and folders give; None if they give none.
    """

    name: str
    folder: str
    stem: str
    split: str | None

    @property
    def base(self) -> str:
        """The name without folders."""
        return self.name.rpartition("/")[2]


class Matcher:
    """Matches entries with files in several passes, from sure to weak; a file that is taken is not taken again."""

    def __init__(self, paths: Sequence[str], entries: list[Entry]) -> None:
        self.candidates: dict[int, list[str]] = {}  # of the entries that fit several files
        self.repeated: set[int] = set()  # entries that mean the same file as another one of their split
        self.entries = entries
        self._exact = frozenset(paths)
        self.index = PictureIndex(paths)
        self._taken: set[tuple[str | None, str]] = set()  # files by the split of the entry that has taken them
        self._taken_by_any: set[str] = set()
        self._bases = Counter((entry.split, entry.base) for entry in entries)

    def match(self) -> list[str | None]:
        """Returns the files of the entries; None for those without."""
        found: list[str | None] = [None] * len(self.entries)
        passes: list[Callable[[Entry], list[str]]] = [
            self._find_mate, self._find_exact, self._find_by_end, self._find_by_stem, self._find_alike,
            self._find_distant_mate, self._find_elsewhere,
        ]  # fmt: skip
        open_entries = list(range(len(self.entries)))
        for find in passes:
            chosen = {number: name for number in open_entries if (name := self._choose(number, find))}
            counts = Counter((self.entries[number].split, name) for number, name in chosen.items())
            for number, name in chosen.items():
                if counts[self.entries[number].split, name] > 1:
                    self.repeated.add(number)
                else:
                    found[number] = name
            self._taken.update(counts)
            self._taken_by_any.update(chosen.values())
            open_entries = [number for number in open_entries if number not in chosen]
        return found

    def find_unions(self, found: Sequence[str | None]) -> list[int]:
        """Returns the entries without a split, or of `trainval`, whose files others assign to train, val or test."""
        definite = {
            name for entry, name in zip(self.entries, found, strict=True) if entry.split not in (None, TRAINVAL)
        }
        return [
            number
            for number, (entry, name) in enumerate(zip(self.entries, found, strict=True))
            if entry.split in (None, TRAINVAL) and name is not None and name in definite
        ]

    def _choose(self, number: int, find: Callable[[Entry], list[str]]) -> str | None:
        entry, names = self.entries[number], find(self.entries[number])
        if len(names) <= MAX_NAMESAKES:
            names = [name for name in dict.fromkeys(names) if (entry.split, name) not in self._taken]
        if 1 < len(names) <= MAX_NAMESAKES:
            names = prefer_pictures(names, entry.folder)
        if len(names) > 1:
            self.candidates[number] = names
        return names[0] if len(names) == 1 else None

    def _find_mate(self, entry: Entry) -> list[str]:
        """The picture named like the annotation file, beside it or in the parallel folder (`labels/x`, `images/x`)."""
        if not entry.stem:
            return []
        if "/" in entry.name and entry.name in self._exact and strip_suffix(entry.name) == entry.stem:
            return [entry.name]
        beside = self.index.find_in(entry.folder, entry.stem)
        folders = self.index.list_parallel(entry.folder)
        parallel = [name for folder in folders for name in self.index.find_in(folder, entry.stem)]
        if is_image_name(entry.name):
            wanted = fold(f"{entry.stem}.{entry.base.rpartition('.')[2]}")
            for near in (beside, parallel):
                same = [name for name in near if fold(get_base(name)) == wanted and not self._may_be_mask(name, entry)]
                if same:
                    return [name for name in same if f"/{name}".endswith(f"/{entry.name}")] or same
            if wanted == fold(entry.base) and self.index.has_picture(self.index.by_folded_name, wanted):
                return []
        usual = [name for name in parallel if get_base(get_folder(name)) in USUAL_FOLDERS and is_lossy(name)]
        near = parallel if not beside or (usual and not any(map(is_lossy, beside))) else beside
        return [name for name in near if not self._may_be_mask(name, entry)]

    def _may_be_mask(self, path: str, entry: Entry) -> bool:
        """True for a file in a folder of masks if there is another one of its name."""
        return is_mask(path) and self.index.has_picture(self.index.by_stem, entry.stem)

    def _find_exact(self, entry: Entry) -> list[str]:
        """The path relative to the annotation file's folder, to the root, or to a usual folder of pictures."""
        if not entry.name:
            return []
        paths = (f"{folder}{entry.name}" for folder in list_usual_folders(entry.folder))
        if "./" in entry.name or "//" in entry.name:
            paths = (posixpath.normpath(path) for path in paths)
        return next(([path] for path in paths if path in self._exact), [])

    def _find_by_end(self, entry: Entry) -> list[str]:
        """The files whose paths agree with the end of the name for most folders, except those of another split."""
        return _keep_split(self._keep_longest(self.index.by_name, entry, entry.name), entry.split)

    def _find_by_stem(self, entry: Entry) -> list[str]:
        """As `_find_by_end`, for a name that lacks the suffix or has another one."""
        names = dict.fromkeys((entry.name, f"{get_folder(entry.name)}/{strip_suffix(entry.name)}".lstrip("/")))
        found = (self._keep_longest(self.index.by_stem, entry, name) for name in names)
        return _keep_split(next(filter(None, found), []), entry.split)

    def _find_alike(self, entry: Entry) -> list[str]:
        """As `_find_by_end`, but without regard to case, the encoding of accents, `%20` and the query of an address."""
        path = entry.name.partition("?")[0] if "://" in entry.name else entry.name
        for name in dict.fromkeys((fold(entry.name), fold(unquote(path)))):
            stem = f"{get_folder(name)}/{strip_suffix(name)}".lstrip("/")
            found = self._keep_longest(self.index.by_folded_name, entry, name)
            if found := found or self._keep_longest(self.index.by_folded_stem, entry, stem):
                return _keep_split(found, entry.split)
        return []

    def _find_distant_mate(self, entry: Entry) -> list[str]:
        """The picture named like the annotation file, wherever it is."""
        if not entry.stem:
            return []
        names = self.index.by_stem.get(entry.stem, []) or self.index.by_folded_stem.get(fold(entry.stem), [])
        return _keep_split(names, entry.split)

    def _find_elsewhere(self, entry: Entry) -> list[str]:
        """As `_find_by_end`, in the folders of other splits too: some sets have all pictures in one such folder."""
        names = self._keep_longest(self.index.by_name, entry, entry.name)
        return names if len(names) > MAX_NAMESAKES else [name for name in names if name not in self._taken_by_any]

    def _keep_longest(self, index: dict[str, list[str]], entry: Entry, name: str) -> list[str]:
        """Returns the paths that share the most folders with a name, counted from the end.

        If they share none although the name has folders, the file name alone must tell the entries of a split apart.
        More than `MAX_NAMESAKES` paths cannot be told apart.
        """
        if not name:
            return []
        folders = [part for part in get_folder(name).split("/") if part]
        shares_none = not folders or f"{folders[-1]}/{get_base(name)}" not in index
        if shares_none and folders and self._bases[entry.split, entry.base] > 1:
            return []
        paths = index.get(get_base(name) if shares_none else f"{folders[-1]}/{get_base(name)}", [])
        if shares_none or len(paths) > MAX_NAMESAKES:
            return paths
        normalise = str if index is self.index.by_name or index is self.index.by_stem else fold
        others = (normalise(get_folder(path)).split("/") for path in paths)
        shared = [count_equal(reversed(folders), reversed(each)) for each in others]
        return [path for path, count in zip(paths, shared, strict=True) if count == max(shared)]


@lru_cache(maxsize=1024)
def list_usual_folders(folder: str) -> tuple[str, ...]:
    """Returns what names may be relative to: a folder, the root, and folders of pictures in or beside the folder."""
    parts = ((each, usual) for each in (folder, get_folder(folder)) for usual in USUAL_FOLDERS)
    folders = (folder, "", *("/".join(filter(None, part)) for part in parts))
    return tuple(dict.fromkeys(f"{each}/" if each else "" for each in folders))


def strip_suffix(path: str) -> str:
    """Returns the file name without the suffix of a picture; other dots belong to the name."""
    name = get_base(path)
    return name.rpartition(".")[0] if is_image_name(name) else name


def _keep_split(paths: list[str], split: str | None) -> list[str]:
    """Returns the paths in folders of a split, or else those in folders of no split."""
    if split is None or not paths or len(paths) > MAX_NAMESAKES:
        return paths
    found = {path: find_split_of_folder(get_folder(path)) for path in paths}
    parts = ("train", "val", TRAINVAL) if split == TRAINVAL else (split, TRAINVAL) if split != "test" else (split,)
    same = [path for path in paths if found[path] in parts]
    return same or [path for path in paths if found[path] is None]
