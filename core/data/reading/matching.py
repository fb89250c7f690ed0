"""Matches names with files in several passes, from sure to weak."""

import posixpath
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from itertools import takewhile
from typing import NamedTuple
from urllib.parse import unquote

from core.data.files import is_image_name
from core.data.reading.split_names import TRAINVAL, find_split_of_folder

USUAL_FOLDERS = ("images", "JPEGImages")  # for names relative to one of these


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
        self._entries = entries
        self._exact = frozenset(paths)
        self._index = _Index(paths)
        self._taken: set[tuple[str | None, str]] = set()  # files by the split of the entry that has taken them
        self._taken_by_any: set[str] = set()
        self._bases = Counter((entry.split, entry.base) for entry in entries)

    def match(self) -> list[str | None]:
        """Returns the files of the entries; None for those without."""
        found: list[str | None] = [None] * len(self._entries)
        passes: list[Callable[[Entry], list[str]]] = [
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
            self._taken.update(counts)
            self._taken_by_any.update(chosen.values())
            open_entries = [number for number in open_entries if number not in chosen]
        return found

    def find_unions(self, found: Sequence[str | None]) -> list[int]:
        """Returns the entries without a split, or of `trainval`, whose files others assign to train, val or test."""
        definite = {
            name for entry, name in zip(self._entries, found, strict=True) if entry.split not in (None, TRAINVAL)
        }
        return [
            number
            for number, (entry, name) in enumerate(zip(self._entries, found, strict=True))
            if entry.split in (None, TRAINVAL) and name is not None and name in definite
        ]

    def _choose(self, number: int, find: Callable[[Entry], list[str]]) -> str | None:
        entry = self._entries[number]
        names = [name for name in dict.fromkeys(find(entry)) if (entry.split, name) not in self._taken]
        if len(names) > 1:
            usual = [name for name in names if _get_base(_get_folder(name)) in USUAL_FOLDERS]
            names = usual if len(usual) == 1 else names
        if len(names) > 1:
            self.candidates[number] = names
        return names[0] if len(names) == 1 else None

    def _find_mate(self, entry: Entry) -> list[str]:
        """The picture named like the annotation file, beside it or in the parallel folder (`labels/x`, `images/x`)."""
        if not entry.stem:
            return []
        if "/" in entry.name and entry.name in self._exact and strip_suffix(entry.name) == entry.stem:
            return [entry.name]
        mates = self._index.by_stem.get(entry.stem, [])
        beside = [name for name in mates if _get_folder(name) == entry.folder]
        near = beside or [name for name in mates if _are_parallel(_get_folder(name), entry.folder)]
        return [name for name in near if name.endswith("/" + entry.name) or name == entry.name] or near

    def _find_exact(self, entry: Entry) -> list[str]:
        """The path relative to the annotation file's folder, to the root, or to a usual folder of pictures."""
        if not entry.name:
            return []
        paths = (f"{folder}{entry.name}" for folder in _list_usual_folders(entry.folder))
        if "./" in entry.name or "//" in entry.name:
            paths = (posixpath.normpath(path) for path in paths)
        return next(([path] for path in paths if path in self._exact), [])

    def _find_by_end(self, entry: Entry) -> list[str]:
        """The files whose paths agree with the end of the name for most folders, except those of another split."""
        if not entry.name:
            return []
        names = self._index.by_name.get(entry.base, [])
        return _keep_split(self._keep_longest(names, entry), entry.split)

    def _find_by_stem(self, entry: Entry) -> list[str]:
        """As `_find_by_end`, for a name that lacks the suffix or has another one."""
        if not entry.name:
            return []
        stems = dict.fromkeys((entry.base, strip_suffix(entry.name)))
        names = [name for stem in stems for name in self._index.by_stem.get(stem, [])]
        return _keep_split(self._keep_longest(names, entry), entry.split)

    def _find_alike(self, entry: Entry) -> list[str]:
        """As `_find_by_end`, but without regard to case, to how accents are encoded and to `%20` for a space."""
        if not entry.name:
            return []
        names: list[str] = []
        for base in dict.fromkeys((entry.base, unquote(entry.base))):
            names = names or self._index.by_folded_name.get(_fold(base), [])
            names = names or self._index.by_folded_stem.get(_fold(strip_suffix(base)), [])
        return _keep_split(self._keep_longest(names, entry, _fold), entry.split)

    def _find_distant_mate(self, entry: Entry) -> list[str]:
        """The picture named like the annotation file, wherever it is."""
        names = self._index.by_stem.get(entry.stem, []) or self._index.by_folded_stem.get(_fold(entry.stem), [])
        return _keep_split(names, entry.split) if entry.stem else []

    def _find_elsewhere(self, entry: Entry) -> list[str]:
        """As `_find_by_end`, in the folders of other splits too: some sets have all pictures in one such folder."""
        names = self._keep_longest(self._index.by_name.get(entry.base, []), entry) if entry.name else []
        return [name for name in names if name not in self._taken_by_any]

    def _keep_longest(self, paths: list[str], entry: Entry, fold: Callable[[str], str] = str) -> list[str]:
        """Returns the paths that share the most folders with an entry's name, counted from the end.

        If they share none although the name has folders, the file name alone must tell the entries of a split apart.
        """
        if not paths:
            return []
        folders = [fold(part) for part in _get_folder(entry.name).split("/") if part]
        shared = [_count_shared(folders, [fold(part) for part in _get_folder(path).split("/")]) for path in paths]
        if folders and not max(shared) and self._bases[entry.split, entry.base] > 1:
            return []
        return [path for path, count in zip(paths, shared, strict=True) if count == max(shared)]


class _Index:
    """Picture files by their names and stems, without folders."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = paths
        self.by_name = _group(paths, _get_base)
        self.by_stem = _group(paths, strip_suffix)

    @cached_property
    def by_folded_name(self) -> dict[str, list[str]]:
        """By names without regard to case and to how accents are encoded."""
        return _group(self._paths, lambda path: _fold(_get_base(path)))

    @cached_property
    def by_folded_stem(self) -> dict[str, list[str]]:
        """By stems without regard to case and to how accents are encoded."""
        return _group(self._paths, lambda path: _fold(strip_suffix(path)))


def _group(paths: Sequence[str], key: Callable[[str], str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        groups[key(path)].append(path)
    return groups


def _get_base(path: str) -> str:
    return path.rpartition("/")[2]


def _get_folder(path: str) -> str:
    return path.rpartition("/")[0]


@lru_cache(maxsize=1024)
def _list_usual_folders(folder: str) -> tuple[str, ...]:
    """Returns what names may be relative to: a folder, the root, and folders of pictures in or beside the folder."""
    parts = ((each, usual) for each in (folder, _get_folder(folder)) for usual in USUAL_FOLDERS)
    folders = (folder, "", *("/".join(filter(None, part)) for part in parts))
    return tuple(dict.fromkeys(f"{each}/" if each else "" for each in folders))


def strip_suffix(path: str) -> str:
    """Returns the file name without the suffix of a picture; other dots belong to the name."""
    name = _get_base(path)
    return name.rpartition(".")[0] if is_image_name(name) else name


def _fold(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def _count_shared(folders: list[str], others: list[str]) -> int:
    return sum(
        1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(reversed(folders), reversed(others), strict=False))
    )


def _keep_split(paths: list[str], split: str | None) -> list[str]:
    """Returns the paths in folders of a split, or else those in folders of no split."""
    if split is None or not paths:
        return paths
    found = {path: find_split_of_folder(_get_folder(path)) for path in paths}
    parts = ("train", "val", TRAINVAL) if split == TRAINVAL else (split, TRAINVAL) if split != "test" else (split,)
    same = [path for path in paths if found[path] in parts]
    return same or [path for path in paths if found[path] is None]


def _are_parallel(folder: str, other: str) -> bool:
    """True if two folders differ in one of their names, as `images/train` and `labels/train` do."""
    one, two = folder.split("/"), other.split("/")
    return len(one) == len(two) and sum(a != b for a, b in zip(one, two, strict=True)) == 1
