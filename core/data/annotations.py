"""Annotations as their files give them, before they are matched with picture files: what every format's reader returns.

The readers of the formats are in `core.data.formats`. A reader only parses: it neither searches for pictures nor
assigns splits by folder names (see `core.data.folders`), so that these rules are the same for every format.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from core.data.files import FolderFiles
from core.data.untrusted import DataError

BAD_PATH, BAD_FILE, BAD_OBJECT, UNKNOWN_CLASS, UNKNOWN_PICTURE, ORPHAN_LABELS = (
    "bad path", "bad file", "bad object", "unknown class", "unknown picture", "labels without picture",
)  # fmt: skip

# Called by a reader for each entry that it leaves out, with the kind of problem and a message.
ReportProblem = Callable[[str, str], None]


def raise_problem(kind: str, message: str) -> None:
    """The `ReportProblem` of a strict reader: raises the first problem as a `DataError`."""
    raise DataError(message)


class NoObjectError(DataError):
    """A data set in which no object can be used.

    Args:
        root: The data set's folder.
        notes: What the reader assumed or did not count as objects, as sentences.
    """

    def __init__(self, root: Path, notes: Iterable[str] = ()) -> None:
        message = f"{root} has no object that can be used: correct its annotations, or choose another folder."
        super().__init__(" ".join((message, *notes)))


class AnnotatedImage(NamedTuple):
    """A picture as an annotation file describes it.

    Attributes:
        name: The picture's path as written in the annotations, with `/` between folders. It may lack leading folders
            or the suffix, or begin with folders of another computer; not trusted.
        source: The annotation file, for messages; the name is first tried relative to its folder.
        boxes: float64 [M, 4], xyxy; unchecked.
        labels: int64 [M], indices into `Annotations.class_names`.
        crowd: bool [M], regions that neither train nor count in evaluation.
        size: Width and height in pixels as annotated; None if they are not given.
        image_id: The annotations' own id of the picture; None if they give none.
        split: The split that the annotations assign, as written ("train", "val2017", "trainval", …); None if they do
            not, so that file and folder names decide.
        relative: True if the boxes are fractions of the picture's sides rather than pixels.
    """

    name: str
    source: Path
    boxes: np.ndarray
    labels: np.ndarray
    crowd: np.ndarray
    size: tuple[int, int] | None = None
    image_id: int | None = None
    split: str | None = None
    relative: bool = False


class Annotations(NamedTuple):
    """The content of a data set's annotation files.

    Attributes:
        class_names: The class names of labels 0 … K−1, distinct. Formats with numbered classes keep that order; the
            names of others are sorted.
        category_ids: Their ids in COCO results files; 1 … K unless the annotations define others.
        images: The annotated pictures, those without objects included.
        notes: What the reader assumed, one sentence each, for the report ("The file has no header: …").
    """

    class_names: tuple[str, ...]
    category_ids: tuple[int, ...]
    images: list[AnnotatedImage]
    notes: tuple[str, ...] = ()


class Format(NamedTuple):
    """An annotation format.

    Attributes:
        key: The value of `--format`, such as "voc".
        name: The name for display, such as "Pascal VOC".
        unit: The annotation files in the report, in the plural, such as "XML files".
        find: Returns the annotation files of this format in a folder, by their content; () if there are none. Does not
            raise for files that are damaged or of another format.
        read: Reads the annotation files that `find` returned. Raises `DataError` if they cannot be used as a whole;
            calls the given function for each entry that is left out.
    """

    key: str
    name: str
    unit: str
    find: Callable[[FolderFiles], Sequence[Path]]
    read: Callable[[FolderFiles, Sequence[Path], ReportProblem], Annotations]


def make_image(
    name: str,
    source: Path,
    objects: Sequence[tuple[Sequence[float], int, bool]],
    *,
    size: tuple[int, int] | None = None,
    image_id: int | None = None,
    split: str | None = None,
    relative: bool = False,
) -> AnnotatedImage:
    """Returns a picture with objects given as xyxy box, label and crowd flag; the others as in `AnnotatedImage`."""
    boxes = np.array([box for box, _, _ in objects], dtype=np.float64).reshape(-1, 4)
    labels = np.array([label for _, label, _ in objects], dtype=np.int64)
    crowd = np.array([crowd for _, _, crowd in objects], dtype=bool)
    return AnnotatedImage(name, source, boxes, labels, crowd, size, image_id, split, relative)
