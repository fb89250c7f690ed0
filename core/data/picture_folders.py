"""Folders of pictures by their names: the usual ones, and those of masks and the like, which show no photographs."""

import re
from collections.abc import Iterable, Sequence
from itertools import takewhile

USUAL_FOLDERS = ("images", "JPEGImages")  # names may be relative to one of these
_MASKS = re.compile(
    r"(^|[/_ -])(seg|segmentation|segmentation(class|object)\w*|masks?|trimaps?|panoptic|semantic|depth|stuffthingmaps|"
    r"gtfine|thumbs?|thumbnails?)([/_ \d-]|$)",
    re.IGNORECASE,
)
_LOSSY = (".jpg", ".jpeg", ".jpe", ".jfif")


def is_mask(path: str) -> bool:
    """True for a file in a folder that is named after masks, depths or small copies of pictures."""
    return bool(_MASKS.search(path.rpartition("/")[0]))


def is_lossy(path: str) -> bool:
    """True for a file that is no mask, since its format changes the values of pixels."""
    return path.lower().endswith(_LOSSY)


def prefer_pictures(paths: Sequence[str], folder: str) -> list[str]:
    """Returns those of several files that are likelier to be the annotated picture; all of them if nothing tells.

    Args:
        paths: Paths relative to the root, with `/` between folders.
        folder: The annotation file's folder.
    """
    found = [path for path in paths if not is_mask(path)] or list(paths)
    found = [path for path in found if path.rpartition("/")[0].rpartition("/")[2] in USUAL_FOLDERS] or found
    return _keep_nearest(found, folder) if len(found) > 1 else found


def _keep_nearest(paths: list[str], folder: str) -> list[str]:
    """Returns the paths that share most folders at their beginning with a folder, if they are alike apart from that.

    Files of different names, or in folders of different depth, are no such choice: one may be a mask.
    """
    if len({(path.count("/"), path.rpartition("/")[2]) for path in paths}) > 1:
        return paths
    here = folder.split("/")
    shared = [count_equal(here, path.split("/")[:-1]) for path in paths]
    return [path for path, count in zip(paths, shared, strict=True) if count == max(shared)]


def count_equal(first: Iterable[str], second: Iterable[str]) -> int:
    """Returns how many parts of two paths are equal, from the first on."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False)))
