"""The kinds of issues of a data set: what is wrong, whether it stops training, and the remedy."""

from dataclasses import dataclass
from typing import NamedTuple

from core.data.annotations import BAD_FILE, BAD_OBJECT, BAD_PATH, ORPHAN_LABELS, UNKNOWN_CLASS, UNKNOWN_PICTURE
from core.data.left_out import (
    DESCRIPTIONS,
    EMPTY_BOX,
    GONE,
    MISSING,
    OTHER_SIZE,
    OUTSIDE_BOX,
    UNLISTED,
    UNREADABLE,
    Tally,
)


class IssueKind(NamedTuple):
    """A kind of issue.

    Attributes:
        one: A description of one occurrence, which follows the count 1.
        many: The same in the plural, for other counts.
        remedy: What to do about it.
        stops: True if training rejects a data set with this issue.
    """

    one: str
    many: str
    remedy: str
    stops: bool = False


def _left_out(kind: str, remedy: str) -> IssueKind:
    """Returns an issue of which the description says that its occurrences are left out."""
    one, many = DESCRIPTIONS[kind]
    return IssueKind(f"{one}; it is left out", f"{many}; they are left out", remedy)


NO_DATA, NO_VAL, NO_TEST = "no data", "no val", "no test"
NOTHING_LEARNT = "no training object"
CUT_BOX = "cut box"
SAME_PICTURE, SHARED_PICTURE, SAME_BOX, TWO_CLASSES = (
    "same picture", "picture in two splits", "same box", "box of two classes",
)  # fmt: skip
UNUSED_CLASS, UNTRAINED_CLASS, ALIKE_CLASSES = "unused class", "untrained class", "alike classes"
NO_ANCHOR = "no anchor"

# In the order in which they are reported.
KINDS = {
    NO_DATA: IssueKind(
        "annotation that cannot be used", "annotations that cannot be used", "follow each message", stops=True
    ),
    NO_VAL: IssueKind(
        "split is missing: val", "splits are missing: val", "create splits: split --by stratified", stops=True
    ),
    NOTHING_LEARNT: IssueKind(
        "training split without an object",
        "training splits without an object",
        "annotate some of its pictures, or create splits: split --by stratified",
        stops=True,
    ),
    UNKNOWN_CLASS: IssueKind(
        *DESCRIPTIONS[UNKNOWN_CLASS], "add the class to the list of classes, or correct them", stops=True
    ),
    BAD_FILE: _left_out(BAD_FILE, "export them again, or remove them"),
    BAD_PATH: _left_out(BAD_PATH, "correct the names"),
    BAD_OBJECT: _left_out(BAD_OBJECT, "correct or remove them"),
    UNKNOWN_PICTURE: _left_out(UNKNOWN_PICTURE, "list the pictures, or remove the objects"),
    ORPHAN_LABELS: _left_out(ORPHAN_LABELS, "add the pictures, or remove the labels"),
    MISSING: _left_out(MISSING, "add them, or remove them from the annotations"),
    UNREADABLE: _left_out(UNREADABLE, "save or copy them again, or remove them"),
    OTHER_SIZE: _left_out(OTHER_SIZE, "correct the size, or save the pictures without EXIF rotation"),
    UNLISTED: IssueKind(*DESCRIPTIONS[UNLISTED], "split the data set again"),
    GONE: IssueKind(*DESCRIPTIONS[GONE], "split the data set again"),
    EMPTY_BOX: _left_out(EMPTY_BOX, "draw or remove them"),
    OUTSIDE_BOX: _left_out(OUTSIDE_BOX, "correct or remove them"),
    CUT_BOX: IssueKind(
        "box that exceeds its picture by more than a pixel; it is clipped",
        "boxes that exceed their picture by more than a pixel; they are clipped",
        "correct them",
    ),
    SAME_BOX: IssueKind(
        "box annotated twice in a picture; each counts as an object",
        "boxes annotated twice in a picture; each counts as an object",
        "remove one of each",
    ),
    TWO_CLASSES: IssueKind(
        "box with two classes; a detector cannot satisfy both",
        "boxes with two classes; a detector cannot satisfy both",
        "choose one class",
    ),
    SHARED_PICTURE: IssueKind(
        "pair of identical picture files in two splits; results on training pictures say little",
        "identical picture files in two splits; results on training pictures say little",
        "keep each in one split",
    ),
    SAME_PICTURE: IssueKind(
        "pair of identical picture files in one split", "identical picture files in one split", "remove one of each"
    ),
    UNTRAINED_CLASS: IssueKind(
        "class without a training object", "classes without a training object", "create splits: split --by stratified"
    ),
    UNUSED_CLASS: IssueKind(
        "class without any object",
        "classes without any object",
        "remove them from the list of classes, or annotate some",
    ),
    ALIKE_CLASSES: IssueKind(
        "pair of classes with names that differ only in case, spaces or punctuation",
        "classes with names that differ only in case, spaces or punctuation",
        "merge them",
    ),
    NO_TEST: IssueKind(
        "split is missing: test, which evaluate uses by default",
        "splits are missing: test, which evaluate uses by default",
        "evaluate with --split val",
    ),
    NO_ANCHOR: IssueKind(
        "object that no anchor overlaps enough (matching.fg_iou_threshold)",
        "objects that no anchor overlaps enough (matching.fg_iou_threshold)",
        "search for better anchors: anchors --data; or raise inference.image_size",
    ),
}


@dataclass(frozen=True)
class Issue:
    """Something that is wrong with a data set.

    Attributes:
        kind: A key of `KINDS`.
        count: Number of occurrences.
        what: The description of its kind, which follows the count.
        remedy: What to do about it.
        stops: True if training rejects the data set because of it.
        examples: Messages that locate the first `core.data.left_out.MAX_EXAMPLES` occurrences.
    """

    kind: str
    count: int
    what: str
    remedy: str
    stops: bool
    examples: tuple[str, ...]


class Issues(Tally):
    """Collects issues; the kinds are keys of `KINDS`."""

    def to_tuple(self) -> tuple[Issue, ...]:
        """Returns the collected issues in the order of `KINDS`."""
        return tuple(
            Issue(
                name, count, kind.one if count == 1 else kind.many, kind.remedy, kind.stops, tuple(self.examples[name])
            )
            for name, kind in KINDS.items()
            if (count := self.counts.get(name))
        )
