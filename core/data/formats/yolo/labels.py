"""Reads YOLO label files: one object per line, a class and a box, polygon or pose relative to the picture's sides."""

from collections.abc import Sequence
from pathlib import Path

from core.data.annotations import BAD_FILE, BAD_OBJECT, UNKNOWN_CLASS, ReportProblem
from core.data.formats.texts import decode_text
from core.data.formats.values import parse_number, parse_whole_number
from core.data.untrusted import DataError, quote, read_bounded

MAX_LABEL_BYTES = 4 * 2**20
MAX_COORDINATE = 2.0  # larger values are pixels, not fractions of the picture's sides
_NOT_A_BOX = "is not a class with four numbers or with the corners of a polygon"
POSES = 0.8  # share of lines that can be poses above which they are not taken for polygons
SLACK = 0.01  # by which rounding moves a box out of its picture, or a key point out of its box

Box = tuple[float, float, float, float]
Labels = list[tuple[Box, int, bool]]


class _LineError(Exception):
    """A line that cannot be used."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class LabelReader:
    """Reads the label files of a data set.

    Lines with more than a class and four numbers are polygons, or poses: a box and key points. Only the settings say
    which; without them, lines that could all be poses are refused by `require_polygons`.

    Args:
        num_classes: Number of classes K.
        num_keypoints: Numbers of a pose after those of its box, from the settings; None if they declare no poses.
        report: Called for each line that is left out because it is invalid.
    """

    def __init__(self, num_classes: int, num_keypoints: int | None, report: ReportProblem) -> None:
        self._num_classes = num_classes
        self._num_keypoints = num_keypoints
        self._report = report
        self._long: dict[int, str] = {}  # counts of numbers of lines with more than four, and the first such line
        self._pose_like = 0
        self.polygon_count = 0
        self.negative_count = 0  # boxes with a negative width or height, whose meaning is clear all the same

    def read(self, path: Path) -> Labels:
        """Reads one picture's labels; reports invalid lines and leaves them out."""
        try:
            content = read_bounded(path, MAX_LABEL_BYTES)
            lines = decode_text(content).splitlines()
        except DataError as error:
            self._report(BAD_FILE, str(error))
            return []
        except UnicodeDecodeError:
            self._report(BAD_FILE, f"{path} is not plain text: save it again.")
            return []
        objects: Labels = []
        for number, line in enumerate(lines, start=1):
            words = line.split()
            if not words or words[0].startswith("#"):  # a comment
                continue
            try:
                objects.append((self._parse_box(words[1:], path, number), self._parse_class(words[0]), False))
            except _LineError as error:
                self._report(error.kind, f"{path} line {number} {error}.")
        return objects

    def require_polygons(self) -> None:
        """Raises `DataError` if the long lines read as polygons may as well be poses, or boxes with scores."""
        if len(self._long) != 1 or self._pose_like < POSES * self.polygon_count:
            return
        count, where = next(iter(self._long.items()))
        raise DataError(
            f"{where} and the others like it have {count} numbers after the class, which can be a polygon, or a box "
            "with key points, scores or tracks: add kpt_shape to data.yaml if they are key points; otherwise write "
            "boxes of four numbers."
        )

    def _parse_class(self, word: str) -> int:
        label = parse_whole_number(word)
        if label is None or not 0 <= label < self._num_classes:
            raise _LineError(
                UNKNOWN_CLASS,
                f"has the unknown class {quote(word)}, not 0 to {self._num_classes - 1}: correct or remove it",
            )
        return label

    def _parse_box(self, words: Sequence[str], path: Path, number: int) -> Box:
        """Returns the box that a line gives, or the bounds of its polygon, as xyxy.

        Raises:
            _LineError: It gives neither, or is not relative to the picture's sides.
        """
        parsed = [parse_number(word) for word in words]
        values = [value for value in parsed if value is not None]
        if len(values) < len(parsed) or len(values) < 4:
            raise _LineError(BAD_OBJECT, _NOT_A_BOX + ": correct it")
        if self._num_keypoints is not None and len(values) == 4 + self._num_keypoints:
            values = values[:4]
        if len(values) != 4 and (len(values) % 2 or self._num_keypoints is not None):
            raise _LineError(BAD_OBJECT, self._explain_count(len(values)))
        _require_fractions(values)
        if len(values) == 4:
            self.negative_count += min(values[2:]) < 0
            return _to_xyxy(values)
        self.polygon_count += 1
        self._long.setdefault(len(values), f"{path} line {number}")
        self._pose_like += _may_be_pose(values)
        return min(values[::2]), min(values[1::2]), max(values[::2]), max(values[1::2])

    def _explain_count(self, count: int) -> str:
        if self._num_keypoints is not None:
            return f"has {count} numbers after the class; kpt_shape asks for 4 or {4 + self._num_keypoints}: correct it"
        return (
            f"{_NOT_A_BOX}, as {count} numbers follow the class: remove scores and tracks, or add kpt_shape to "
            "data.yaml if there are key points"
        )


def _require_fractions(values: Sequence[float]) -> None:
    largest = max(values)
    if MAX_COORDINATE < largest < float("inf"):
        raise _LineError(
            BAD_OBJECT,
            f"has {largest:g} where a fraction from 0 to 1 is expected: divide pixels by the width and height",
        )


def _to_xyxy(values: Sequence[float]) -> Box:
    x, y, width, height = *values[:2], abs(values[2]), abs(values[3])
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _may_be_pose(values: Sequence[float]) -> bool:
    """True if the first four numbers can be a box and the others key points in it, or a score and a track."""
    left, top, right, bottom = _to_xyxy(values[:4])
    if min(values[2:4]) <= 0 or min(left, top) < -SLACK or max(right, bottom) > 1 + SLACK:
        return False
    others = values[4:]
    if len(values) == 8 and max(abs(a - b + c - d) for a, b, c, d in (values[::2], values[1::2])) < SLACK / 2:
        return False  # the corners of a turned box
    if len(others) == 2:
        return True
    for size in (2, 3):
        points = [others[start : start + size] for start in range(0, len(others), size)]
        if len(others) % size == 0 and all(
            not any(point[:2])  # a key point that is not labelled
            or (left - SLACK <= point[0] <= right + SLACK and top - SLACK <= point[1] <= bottom + SLACK)
            for point in points
        ):
            return True
    return False
