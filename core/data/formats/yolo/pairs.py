"""Which YOLO label file belongs to which picture."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from core.data.picture_folders import count_equal, prefer_pictures
from core.data.untrusted import DataError, quote

_PREFIX = re.compile(r"^[0-9a-f]{8}-(?=.)")  # Label Studio's, of the files that were uploaded to it


class Pairs(NamedTuple):
    """Pictures and their label files, by paths relative to the root.

    Attributes:
        labels: The label files by picture; pictures without one are left out.
        copies: The label files in folders that repeat others, such as backups and predictions; they are not used.
    """

    labels: dict[str, str]
    copies: list[str]


def pair_labels(images: Sequence[str], texts: Iterable[str]) -> Pairs:
    """Finds the label files of pictures.

    A label file has its picture's path, with or without the picture's suffix, and with `labels` in place of the last
    folder `images`; or it lies beside the picture; or it is the only one of that name, or the one whose folders agree
    best with the picture's. Upper and lower case make no difference, unless two files differ in it only. Label Studio's
    prefix makes none unless a picture has it.

    Raises:
        DataError: A picture's label file cannot be told from others of the same name.
    """
    plain = _strip_prefixes(images, list(texts))
    exact = {_key(name): name for name in plain}
    folded = _unique_lower(exact)
    claims: dict[str, list[str]] = defaultdict(list)
    for image in images:
        usual = _list_usual_keys(image)
        found = next((exact[key] for key in usual if key in exact), None)
        found = found or next((folded[key.lower()] for key in usual if key.lower() in folded), None)
        if found:
            claims[found].append(image)
    pairs = {_choose_picture(label, claiming): label for label, claiming in claims.items()}
    claimed = {image for claiming in claims.values() for image in claiming}
    others = [image for image in images if image not in claimed]
    copies = _find_copies(list(pairs), others, [name for name in exact.values() if name not in claims])
    pairs |= _pair_by_name(others, [name for name in exact.values() if name not in claims and name not in copies])
    return Pairs({image: plain[pairs[image]] for image in images if image in pairs}, [plain[name] for name in copies])


def match_unread(pictures: Sequence[str], texts: Sequence[str]) -> dict[str, str]:
    """Returns the label files that seem to belong to pictures in formats that are not read, with these pictures.

    They are only to be named: the first picture of a name is taken if none lies where the label file's usually does.
    """
    if not pictures:
        return {}
    known: dict[str, str] = {}
    for name in pictures:
        for key in (*_list_usual_keys(name), get_stem(name), get_stem(f"{name}.txt")):
            known.setdefault(key.lower(), name)
    plain = {text: _key(name).lower() for name, text in _strip_prefixes(pictures, texts).items()}
    found = {text: known.get(key) or known.get(key.rpartition("/")[2]) for text, key in plain.items()}
    return {text: picture for text, picture in found.items() if picture}


def _list_usual_keys(image: str) -> list[str]:
    """Returns the keys of the label files that a picture usually has, those in `labels` first."""
    return [_key(each) for each in (_in_labels(image), image, f"{_in_labels(image)}.txt", f"{image}.txt")]


def _strip_prefixes(images: Sequence[str], texts: Sequence[str]) -> dict[str, str]:
    """Returns the label files by their names without Label Studio's prefix, unless a picture or two files need it."""
    known = {get_stem(image) for image in images}
    names = [
        f"{folder}{slash}{_PREFIX.sub('', base)}" if _key(base) not in known else text
        for text in texts
        for folder, slash, base in [text.rpartition("/")]
    ]
    counts = Counter(names)
    return {name if counts[name] == 1 else text: text for name, text in zip(names, texts, strict=True)}


def _choose_picture(label: str, images: list[str]) -> str:
    """Returns the one of several pictures that a label file belongs to.

    It is the one in `images`, or that is no mask, or whose path is the label file's in upper and lower case too.
    """
    moved = [image for image in images if _in_labels(image) != image] or images
    found = prefer_pictures(moved, label.rpartition("/")[0]) if len(moved) > 1 else moved
    if len(found) > 1:
        same = {image: _count_same(image, label) for image in found}
        most = max(same.values())
        found = [image for image in found if same[image] == most]
    if len(found) > 1:
        raise _undecidable(found[1], label, found[0])
    return found[0]


def _find_copies(paired: Sequence[str], others: Sequence[str], labels: Sequence[str]) -> dict[str, None]:
    """Returns the label files in folders with a label file for a picture that has another one.

    Args:
        paired: Pictures with label files.
        others: Pictures without.
        labels: The other label files.
    """
    unpaired = {get_stem(image) for image in others}
    stems = {get_stem(image) for image in paired}
    alone = stems - unpaired
    folders = {name.rpartition("/")[0] for name in labels if get_stem(name) in alone}
    known = stems | unpaired
    return dict.fromkeys(name for name in labels if name.rpartition("/")[0] in folders and get_stem(name) in known)


def get_stem(path: str) -> str:
    """Returns a file's name without suffix, in the composed Unicode form."""
    return _key(path).rpartition("/")[2]


def _unique_lower(keys: dict[str, str]) -> dict[str, str]:
    counts = Counter(key.lower() for key in keys)
    return {key.lower(): name for key, name in keys.items() if counts[key.lower()] == 1}


def _key(name: str) -> str:
    """Returns a path without its suffix, in the composed Unicode form."""
    folder, slash, file = unicodedata.normalize("NFC", name).rpartition("/")
    return f"{folder}{slash}{file.rpartition('.')[0]}"


def _in_labels(image: str) -> str:
    """Returns a picture's path with `labels` in place of the last folder `images`."""
    parts = image.split("/")
    for number in reversed(range(len(parts) - 1)):
        if parts[number].lower() == "images":
            parts[number] = "labels"
            break
    return "/".join(parts)


def _pair_by_name(images: Sequence[str], labels: Sequence[str]) -> dict[str, str]:
    """Pairs files of the same name in other folders: each label file with the picture that shares most folders with it.

    A picture that shares fewer has no label file.
    """
    index = _Index(labels)
    claims: dict[str, list[str]] = defaultdict(list)
    undecided: list[tuple[str, list[str]]] = []
    for image in images:
        best = index.find(image) or index.find(f"{image}.txt")
        if len(best) == 1:
            claims[best[0]].append(image)
        elif best:
            undecided.append((image, best))
    pairs: dict[str, str] = {}
    for label, claiming in claims.items():
        claiming = prefer_pictures(claiming, label.rpartition("/")[0]) if len(claiming) > 1 else claiming
        shared = [_count_shared(image, label) for image in claiming]
        most = max(shared)
        nearest = [image for image, count in zip(claiming, shared, strict=True) if count == most]
        if len(nearest) > 1:
            raise _undecidable(nearest[1], label, nearest[0])
        pairs[nearest[0]] = label
    ties = {id(best): best for _, best in undecided}  # pictures of the same name share one list
    free = {key: next((label for label in best if label not in claims), None) for key, best in ties.items()}
    for image, best in undecided:
        first = free[id(best)]
        if first:
            raise _undecidable(image, first, next(each for each in best if each != first))
    return pairs


def _undecidable(image: str, label: str, other: str) -> DataError:
    return DataError(
        f"It cannot be told which label file belongs to the picture {quote(image)}: {quote(label)} fits it as well as "
        f"{quote(other)}; put the label files beside the pictures."
    )


def _count_shared(image: str, label: str) -> tuple[int, int, int]:
    """Returns how many folders two paths share at their end and at their beginning, and what `_count_same` does."""
    here, there = (_key(path).lower().split("/")[:-1] for path in (image, label))
    return count_equal(reversed(here), reversed(there)), count_equal(here, there), _count_same(image, label)


def _count_same(image: str, label: str) -> int:
    """Returns how many parts two paths share at their end in upper and lower case too, the name among them."""
    there = _key(label).split("/")
    return max(count_equal(reversed(_key(path).split("/")), reversed(there)) for path in (image, f"{image}.txt"))


class _Index:
    """Label files by the ends of their paths, and those with the same end by their beginnings."""

    def __init__(self, labels: Sequence[str]) -> None:
        self._ends: dict[str, list[str]] = defaultdict(list)
        self._starts: dict[str, dict[str, list[str]]] = {}  # of the ends that were looked up
        for label in labels:
            parts = _key(label).lower().split("/")
            for number in range(len(parts)):
                self._ends["/".join(parts[number:])].append(label)

    def find(self, image: str) -> list[str]:
        """Returns the label files that share most folders at the end with a picture, and of these most at the start.

        Pictures that share the same folders with them get the same list, so that many of them take little memory.
        """
        parts = _key(image).lower().split("/")
        ends = ("/".join(parts[number:]) for number in range(len(parts)))
        end = next((end for end in ends if end in self._ends), None)
        if end is None or len(self._ends[end]) == 1:
            return self._ends[end] if end else []
        if end not in self._starts:
            self._starts[end] = _group_by_start(self._ends[end])
        starts = ("/".join(parts[:number]) for number in reversed(range(len(parts))))
        return next(self._starts[end][start] for start in starts if start in self._starts[end])


def _group_by_start(labels: Iterable[str]) -> dict[str, list[str]]:
    """Returns label files by each beginning of their paths, the empty one included."""
    groups: dict[str, list[str]] = defaultdict(list)
    for label in labels:
        folders = _key(label).lower().split("/")[:-1]
        for number in range(len(folders) + 1):
            groups["/".join(folders[:number])].append(label)
    return groups
