"""Which YOLO label file belongs to which picture."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import takewhile
from pathlib import PurePosixPath

from core.data.untrusted import DataError, quote


def pair_labels(images: Sequence[str], texts: Iterable[str]) -> dict[str, str]:
    """Returns the label files of pictures, by relative path; pictures without one are left out.

    A label file has its picture's path, with `labels` in place of the last folder `images`; or it lies beside the
    picture; or it is the only one of that name, or the one whose folders agree best with the picture's. Upper and lower
    case make no difference, unless two files differ in it only.

    Raises:
        DataError: A picture's label file cannot be told from others of the same name.
    """
    exact = {_key(name): name for name in texts}
    folded = _unique_lower(exact)
    pairs: dict[str, str] = {}
    for image in images:
        usual = [_key(each) for each in (_in_labels(image), image)]
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
    """Returns a path without its suffix."""
    folder, slash, file = name.rpartition("/")
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
    """Pairs files of the same name in other folders, if each fits one only."""
    by_stem: dict[str, list[str]] = defaultdict(list)
    for label in labels:
        by_stem[PurePosixPath(label).stem.lower()].append(label)
    pairs: dict[str, str] = {}
    owners: dict[str, str] = {}
    for image in images:
        candidates = by_stem.get(PurePosixPath(image).stem.lower())
        if not candidates:
            continue
        scores = [_count_common_folders(image, label) for label in candidates]
        best = [label for label, score in zip(candidates, scores, strict=True) if score == max(scores)]
        if len(best) > 1 or best[0] in owners:
            other = best[1] if len(best) > 1 else owners[best[0]]
            raise DataError(
                f"It cannot be told which label file belongs to the picture {quote(image)}: {quote(best[0])} fits it "
                f"as well as {quote(other)}; put the label files beside the pictures."
            )
        pairs[image], owners[best[0]] = best[0], image
    return pairs


def _count_common_folders(image: str, label: str) -> int:
    """Returns how many folders two paths share at their beginning and at their end."""
    here, there = (list(PurePosixPath(name).parts[:-1]) for name in (image, label))
    start = _count_equal(here, there)
    return start + _count_equal(here[start:][::-1], there[start:][::-1])


def _count_equal(first: Sequence[str], second: Sequence[str]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False)))
