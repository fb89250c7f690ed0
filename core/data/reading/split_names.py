"""The splits that names mean: of lists, of annotation files and of folders."""

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache

from core.data.reading.split_words import SPLIT_WORDS, TRAINVAL

# Words that do not say what is in a folder beside its split, as in `train_images`.
_NEUTRAL = frozenset(
    ("images", "image", "imgs", "img", "pictures", "photos", "jpegimages", "labels", "label", "annotations",
     "annotation", "annots", "xml", "xmls", "set", "split", "data", "dataset",
     "ds", "seg", "det", "detection")
)  # fmt: skip
_NUMBER = re.compile(r"v?\d{1,4}")  # of a part, version or size
_YEAR = re.compile(r"\d{2}(\d{2})?")
_WORDS = re.compile(r"[^\W_]+")


@lru_cache(maxsize=1024)
def find_split(name: str) -> str | None:
    """Returns the split that a name such as "val2017" means: train, val, test or trainval; None for other names."""
    return _find_in_words(_split_words(name))


@lru_cache(maxsize=1024)
def find_split_of_file(path: str, by_name: bool, siblings: frozenset[str] = frozenset()) -> str | None:
    """Returns the split that an annotation file's name or else its folders mean, None if they mean none.

    Args:
        path: The file's path relative to the data set, with `/` between folders.
        by_name: Consider the file's name; not if the file belongs to one picture and is named like it.
        siblings: What `find_sibling_folders` returns.
    """
    folder, _, name = path.rpartition("/")
    found = find_split(name.split(".")[0] or name) if by_name else None
    return found or find_split_of_folder(folder, siblings)


@lru_cache(maxsize=1024)
def find_split_of_folder(folder: str, siblings: frozenset[str] = frozenset()) -> str | None:
    """Returns the split that the innermost folder of a path with the name of one means, None if there is none."""
    while folder:
        words = _split_words(folder.rpartition("/")[2])
        found = _find_in_words(words)
        plain = all(word in _NEUTRAL or _is_split_word(word) or _NUMBER.fullmatch(word) for word in words)
        if found and (plain or folder in siblings):
            return found
        folder = folder.rpartition("/")[0]
    return None


def find_sibling_folders(folders: Iterable[str]) -> frozenset[str]:
    """Returns the folders whose names differ from those beside them in the split only: `fruits_train`, `fruits_test`.

    Args:
        folders: Paths relative to the data set, with `/` between folders.
    """
    known: set[str] = set()
    for folder in folders:
        while folder and folder not in known:
            known.add(folder)
            folder = folder.rpartition("/")[0]
    groups: dict[tuple[str, tuple[str, ...]], dict[str, str]] = defaultdict(dict)
    for folder in known:
        parent, _, name = folder.rpartition("/")
        words = _split_words(name)
        if split := _find_in_words(words):
            groups[parent, tuple(word for word in words if not _is_split_word(word))][folder] = split
    return frozenset(folder for group in groups.values() if len(set(group.values())) > 1 for folder in group)


def _find_in_words(words: list[str]) -> str | None:
    found = {SPLIT_WORDS[plain] for word in words if (plain := _strip_year(word)) in SPLIT_WORDS}
    if [_strip_year(word) for word in words[-2:]] == ["test", "dev"]:  # COCO's name of a part of its test split
        found.discard("val")
    if found == {"train", "val"}:
        return TRAINVAL
    return found.pop() if len(found) == 1 else None


def _split_words(name: str) -> list[str]:
    return _WORDS.findall(name.lower())


def _is_split_word(word: str) -> bool:
    return _strip_year(word) in SPLIT_WORDS


def _strip_year(word: str) -> str:
    plain = word.rstrip("0123456789")
    return plain if _YEAR.fullmatch(word[len(plain) :]) else word
