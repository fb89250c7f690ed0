"""Which YOLO label file belongs to which picture."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import takewhile

from core.data.untrusted import DataError, quote


def pair_labels(images: Sequence[str], texts: Iterable[str]) -> dict[str, str]:
    """Returns the label files of pictures, by relative path; pictures without one are left out.

    A label file has its picture's path, with or without the picture's suffix, and with `labels` in place of the last
    folder `images`; or it lies beside the picture; or it is the only one of that name, or the one whose folders agree
    best with the picture's. Upper and lower case make no difference, unless two files differ in it only.

    Raises:
        DataError: A picture's label file cannot be told from others of the same name.
    """
    exact = {_key(name): name for name in texts}
    folded = _unique_lower(exact)
    pairs: dict[str, str] = {}
    for image in images:
        usual = [_key(each) for each in (_in_labels(image), image, f"{_in_labels(image)}.txt", f"{image}.txt")]
        found = next((exact[key] for key in usual if key in exact), None)
        found = found or next((folded[key.lower()] for key in usual if key.lower() in folded), None)
        if found:
            pairs[image] = found
    used = set(pairs.values())
    free = [name for name in exact.values() if name not in used]
    return pairs | _pair_by_name([image for image in images if image not in pairs], free)


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
        shared = [_count_shared(image, label) for image in claiming]
        nearest = [image for image, count in zip(claiming, shared, strict=True) if count == max(shared)]
        if len(nearest) > 1:
            raise _undecidable(nearest[1], label, nearest[0])
        pairs[nearest[0]] = label
    free = {id(best): next((label for label in best if label not in claims), None) for _, best in undecided}
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


def _count_shared(image: str, label: str) -> tuple[int, int]:
    """Returns how many folders two paths share at their end, and how many at their beginning."""
    here, there = (_key(path).lower().split("/")[:-1] for path in (image, label))
    return _count_equal(reversed(here), reversed(there)), _count_equal(here, there)


def _count_equal(first: Iterable[str], second: Iterable[str]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False)))


class _Index:
    """Label files by the ends of their paths, and by the beginnings with the name."""

    def __init__(self, labels: Sequence[str]) -> None:
        self._ends: dict[str, list[str]] = defaultdict(list)
        self._starts: dict[tuple[str, str], list[str]] = defaultdict(list)
        for label in labels:
            parts = _key(label).lower().split("/")
            for number in range(len(parts)):
                self._ends["/".join(parts[number:])].append(label)
                self._starts["/".join(parts[:number]), parts[-1]].append(label)

    def find(self, image: str) -> list[str]:
        """Returns the label files that share most folders at the end with a picture, and of these most at the start."""
        parts = _key(image).lower().split("/")
        ends = ("/".join(parts[number:]) for number in range(len(parts)))
        end = next((end for end in ends if end in self._ends), None)
        if end is None or len(self._ends[end]) == 1:
            return self._ends[end] if end else []
        for number in reversed(range(len(parts))):
            same = self._starts.get(("/".join(parts[:number]), parts[-1]), [])
            near = same
            if "/" in end:
                near = [label for label in same if f"/{_key(label).lower()}".endswith(f"/{end}")]
            if near:
                return near
        return []
