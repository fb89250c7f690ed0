"""What can be wrong with a data set, whether it stops training, and what to do about it."""

from pathlib import Path
from typing import NamedTuple

from core.data.dataset import BAD_FILE, BAD_OBJECT, BAD_PATH, ORPHAN_LABELS, UNKNOWN_CLASS, UNKNOWN_PICTURE

MAX_EXAMPLES = 1000  # of an issue that are kept


class IssueKind(NamedTuple):
    """A kind of issue: what it is in words, what to do, and whether a data set with it is refused for training."""

    what: str
    remedy: str
    stops: bool = False


NO_DATA, NO_VAL, NO_TEST = "no data", "no val", "no test"
MISSING, UNREADABLE, OTHER_SIZE = "missing picture", "unreadable picture", "other size"
EMPTY_BOX, OUTSIDE_BOX, CUT_BOX = "empty box", "outside box", "cut box"
SAME_PICTURE, SHARED_PICTURE, SAME_BOX, TWO_CLASSES = (
    "same picture", "picture in two splits", "same box", "box of two classes",
)  # fmt: skip
UNUSED_CLASS, UNTRAINED_CLASS, ALIKE_CLASSES = "unused class", "untrained class", "alike classes"
NO_ANCHOR = "no anchor"

# In the order in which they are told.
KINDS = {
    NO_DATA: IssueKind("annotations that cannot be used", "do what each message says", stops=True),
    NO_VAL: IssueKind("no pictures for validation", "make splits: split --by stratified", stops=True),
    BAD_FILE: IssueKind("files of annotations that cannot be read", "export them again, or remove them", stops=True),
    BAD_PATH: IssueKind("names of pictures that cannot be used", "name files inside the data set's folder", stops=True),
    BAD_OBJECT: IssueKind("objects without a box of four numbers", "correct or remove them", stops=True),
    UNKNOWN_CLASS: IssueKind("objects of an unknown class", "add the class to the list of classes, or correct them",
                        stops=True),
    UNKNOWN_PICTURE: IssueKind("objects of pictures that are not listed", "list the pictures, or remove the objects",
                          stops=True),
    ORPHAN_LABELS: IssueKind("files of labels without a picture", "add the pictures, or remove the labels", stops=True),
    MISSING: IssueKind("pictures that are not there", "add them, or remove them from the annotations", stops=True),
    UNREADABLE: IssueKind("pictures that cannot be opened", "save or copy them again, or remove them", stops=True),
    OTHER_SIZE: IssueKind("pictures of another size than annotated, so that boxes would lie elsewhere",
                     "correct the size, or save the pictures without EXIF rotation", stops=True),
    EMPTY_BOX: IssueKind("boxes without area or with a coordinate that is no number; they are left out",
                    "draw or remove them"),
    OUTSIDE_BOX: IssueKind("boxes outside their picture; they are left out", "correct or remove them"),
    CUT_BOX: IssueKind("boxes that reach more than a pixel beyond their picture; they are cut to it", "correct them"),
    SAME_BOX: IssueKind("boxes annotated twice in a picture; each counts as an object", "remove one of each"),
    TWO_CLASSES: IssueKind("boxes with two classes; a detector cannot satisfy both", "decide for one class"),
    SHARED_PICTURE: IssueKind("pictures in two splits, byte for byte; figures on what was trained on say little",
                         "keep each in one split"),
    SAME_PICTURE: IssueKind("pictures twice in a split, byte for byte", "remove one of each"),
    UNTRAINED_CLASS: IssueKind("classes without an object to train on", "make splits: split --by stratified"),
    UNUSED_CLASS: IssueKind("classes without any object", "remove them from the list of classes, or annotate some"),
    ALIKE_CLASSES: IssueKind("classes whose names differ only in case, spaces or marks", "make them one"),
    NO_TEST: IssueKind("no pictures to test on, which evaluate looks for first", "evaluate with --split val"),
    NO_ANCHOR: IssueKind("objects no anchor overlaps enough (matching.fg_iou_threshold)",
                    "look for better anchors: anchors --data; or raise inference.image_size"),
}  # fmt: skip


class Issue(NamedTuple):
    """Something that is wrong.

    Attributes:
        kind: A key of `KINDS`.
        count: How often.
        what: In words.
        remedy: What to do.
        stops: Whether training refuses the data set.
        examples: Where, the first `MAX_EXAMPLES`.
    """

    kind: str
    count: int
    what: str
    remedy: str
    stops: bool
    examples: tuple[str, ...]


class Issues:
    """Collects what is wrong; the same is counted once.

    Args:
        folder: The data set's, left out of messages.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = f"{folder}/"
        self._seen: set[int] = set()
        self._counts = dict.fromkeys(KINDS, 0)
        self._examples: dict[str, list[str]] = {kind: [] for kind in KINDS}

    def add(self, kind: str, message: str) -> None:
        """Notes one case; can be given to a reader as its `Problem`."""
        key = hash((kind, message))
        if key in self._seen:
            return
        self._seen.add(key)
        self._counts[kind] += 1
        if len(self._examples[kind]) < MAX_EXAMPLES:
            self._examples[kind].append(message.replace(self._folder, ""))

    def found(self) -> tuple[Issue, ...]:
        """Returns what is wrong, by kind."""
        return tuple(
            Issue(name, self._counts[name], kind.what, kind.remedy, kind.stops, tuple(self._examples[name]))
            for name, kind in KINDS.items()
            if self._counts[name]
        )
