"""Picture files by what names may mean: their names, with and without suffix and folder."""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cached_property

from core.data.picture_folders import is_mask

MAX_NAMESAKES = 200  # files that are compared for one name; more cannot be told apart

_SPACES = str.maketrans("\u202f\xa0", "  ")  # macOS writes the first into the names of screenshots


class PictureIndex:
    """Picture files by their names and stems, and by these with the innermost folder before them."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = paths
        self._parallel: dict[str, list[str]] = {}
        self._with_picture: dict[tuple[int, str], bool] = {}

    @cached_property
    def by_name(self) -> dict[str, list[str]]:
        """By names."""
        return _group(self._paths, str)

    @cached_property
    def by_stem(self) -> dict[str, list[str]]:
        """By names without suffix."""
        return _group(self._paths, _strip_path)

    @cached_property
    def by_folded_name(self) -> dict[str, list[str]]:
        """By names without regard to case and to how accents are encoded."""
        return _group(self._paths, fold)

    @cached_property
    def by_folded_stem(self) -> dict[str, list[str]]:
        """By names without suffix, without regard to case and to how accents are encoded."""
        return _group(self._paths, lambda path: fold(_strip_path(path)))

    @cached_property
    def _by_place(self) -> dict[str, list[str]]:
        """By whole paths without suffix."""
        places: dict[str, list[str]] = defaultdict(list)
        for path in self._paths:
            places[_strip_path(path)].append(path)
        return places

    @cached_property
    def _by_pattern(self) -> dict[tuple[str, ...], list[str]]:
        """Folders with pictures by their names with one left out."""
        patterns: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for folder in {get_folder(path) for path in self._paths}:
            for pattern in _list_patterns(folder):
                patterns[pattern].append(folder)
        return patterns

    def find_in(self, folder: str, stem: str) -> list[str]:
        """Returns the pictures in a folder with a name without suffix."""
        return self._by_place.get(f"{folder}/{stem}".lstrip("/"), [])

    def has_picture(self, index: dict[str, list[str]], name: str) -> bool:
        """True if one of this object's indices has a file for a name that is not in a folder of masks."""
        key = (id(index), name)
        if key not in self._with_picture:
            self._with_picture[key] = any(not is_mask(path) for path in index.get(name, ()))
        return self._with_picture[key]

    def list_parallel(self, folder: str) -> list[str]:
        """Returns the folders that differ from one in one name, as `images/train` and `labels/train` do."""
        if folder not in self._parallel:
            found = {each for pattern in _list_patterns(folder) for each in self._by_pattern.get(pattern, [])}
            self._parallel[folder] = sorted(found - {folder}) if len(found) <= MAX_NAMESAKES else []
        return self._parallel[folder]


def _group(paths: Sequence[str], key: Callable[[str], str]) -> dict[str, list[str]]:
    """Groups paths by the last part of a key, and by its last two parts."""
    groups: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        folder, _, base = key(path).rpartition("/")
        groups[base].append(path)
        if folder:
            groups[f"{get_base(folder)}/{base}"].append(path)
    return groups


def _list_patterns(folder: str) -> list[tuple[str, ...]]:
    """Returns the names of a folder, each time with another one replaced by ""."""
    parts = folder.split("/")
    return [tuple("" if at == each else part for at, part in enumerate(parts)) for each in range(len(parts))]


def _strip_path(path: str) -> str:
    """Returns a path without the suffix of the picture."""
    return path.rpartition(".")[0]


def get_base(path: str) -> str:
    """Returns a path without its folders."""
    return path.rpartition("/")[2]


def get_folder(path: str) -> str:
    """Returns the folders of a path, "" for none."""
    return path.rpartition("/")[0]


def fold(text: str) -> str:
    """Returns a text without regard to case, to how accents are encoded and to the kind of its spaces."""
    text = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    return text if text.isascii() else text.translate(_SPACES)
