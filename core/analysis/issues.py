"""The kinds of issues of a data set: what is wrong, whether it stops training, and the remedy."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from core.data.annotations import BAD_FILE, BAD_OBJECT, BAD_PATH, ORPHAN_LABELS, UNKNOWN_CLASS, UNKNOWN_PICTURE

MAX_EXAMPLES = 1000  # stored examples of one issue


class IssueKind(NamedTuple):
    """A kind of issue.

    Attributes:
        what: A description in the plural, which follows a count.
        remedy: What to do about it.
        stops: True if training rejects a data set with this issue.
    """

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

# In the order in which they are reported.
KINDS = {
    NO_DATA: IssueKind("annotations that cannot be used", "follow each message", stops=True),
    NO_VAL: IssueKind("no pictures for validation", "create splits: split --by stratified", stops=True),
    BAD_FILE: IssueKind("annotation files that cannot be read", "export them again, or remove them", stops=True),
    BAD_PATH: IssueKind("picture paths that cannot be used", "name files inside the data set's folder", stops=True),
    BAD_OBJECT: IssueKind("objects without a box of four numbers", "correct or remove them", stops=True),
    UNKNOWN_CLASS: IssueKind("objects of an unknown class", "add the class to the list of classes, or correct them",
                        stops=True),
    UNKNOWN_PICTURE: IssueKind("objects of pictures that are not listed", "list the pictures, or remove the objects",
                          stops=True),
    ORPHAN_LABELS: IssueKind("label files without a picture", "add the pictures, or remove the labels", stops=True),
    MISSING: IssueKind("pictures that do not exist", "add them, or remove them from the annotations", stops=True),
    UNREADABLE: IssueKind("pictures that cannot be opened", "save or copy them again, or remove them", stops=True),
    OTHER_SIZE: IssueKind("pictures with a size that differs from the annotated one, so that boxes would be misplaced",
                     "correct the size, or save the pictures without EXIF rotation", stops=True),
    EMPTY_BOX: IssueKind("boxes without area or with a coordinate that is not a number; they are left out",
                    "draw or remove them"),
    OUTSIDE_BOX: IssueKind("boxes outside their picture; they are left out", "correct or remove them"),
    CUT_BOX: IssueKind("boxes that exceed their picture by more than a pixel; they are clipped", "correct them"),
    SAME_BOX: IssueKind("boxes annotated twice in a picture; each counts as an object", "remove one of each"),
    TWO_CLASSES: IssueKind("boxes with two classes; a detector cannot satisfy both", "choose one class"),
    SHARED_PICTURE: IssueKind("identical picture files in two splits; results on training pictures say little",
                         "keep each in one split"),
    SAME_PICTURE: IssueKind("identical picture files in one split", "remove one of each"),
    UNTRAINED_CLASS: IssueKind("classes without a training object", "create splits: split --by stratified"),
    UNUSED_CLASS: IssueKind("classes without any object", "remove them from the list of classes, or annotate some"),
    ALIKE_CLASSES: IssueKind("classes with names that differ only in case, spaces or punctuation", "merge them"),
    NO_TEST: IssueKind("no test pictures, which evaluate uses by default", "evaluate with --split val"),
    NO_ANCHOR: IssueKind("objects that no anchor overlaps enough (matching.fg_iou_threshold)",
                    "search for better anchors: anchors --data; or raise inference.image_size"),
}  # fmt: skip


@dataclass(frozen=True)
class Issue:
    """Something that is wrong with a data set.

    Attributes:
        kind: A key of `KINDS`.
        count: Number of occurrences.
        what: The description of its kind.
        remedy: What to do about it.
        stops: True if training rejects the data set because of it.
        examples: Messages that locate the first `MAX_EXAMPLES` occurrences.
    """

    kind: str
    count: int
    what: str
    remedy: str
    stops: bool
    examples: tuple[str, ...]


class Issues:
    """Collects issues; counts repeated messages once.

    Args:
        folder: The data set's folder, which is removed from messages.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = f"{folder}/"
        self._seen: set[int] = set()
        self._counts = dict.fromkeys(KINDS, 0)
        self._examples: dict[str, list[str]] = {kind: [] for kind in KINDS}

    def add(self, kind: str, message: str) -> None:
        """Adds one occurrence; can be passed to a reader as its `ReportProblem`."""
        key = hash((kind, message))
        if key in self._seen:
            return
        self._seen.add(key)
        self._counts[kind] += 1
        if len(self._examples[kind]) < MAX_EXAMPLES:
            self._examples[kind].append(message.replace(self._folder, ""))

    def to_tuple(self) -> tuple[Issue, ...]:
        """Returns the collected issues in the order of `KINDS`."""
        return tuple(
            Issue(name, self._counts[name], kind.what, kind.remedy, kind.stops, tuple(self._examples[name]))
            for name, kind in KINDS.items()
            if self._counts[name]
        )
