"""Reads YOLO label files: one object per line, a class and a box or polygon relative to the image's sides."""

from pathlib import Path

from core.data.annotations import BAD_FILE, BAD_OBJECT, UNKNOWN_CLASS, ReportProblem
from core.data.dataset import RawObject
from core.data.untrusted import DataError, quote, read_bounded

MAX_LABEL_BYTES = 4 * 2**20
MAX_COORDINATE = 2.0  # larger values are pixels, not fractions of the image's sides


def read_labels(path: Path, num_classes: int, report: ReportProblem) -> list[RawObject]:
    """Reads one image's labels; reports invalid lines and leaves them out."""
    try:
        lines = read_bounded(path, MAX_LABEL_BYTES).decode("ascii").splitlines()
    except DataError as error:
        report(BAD_FILE, str(error))
        return []
    except UnicodeDecodeError:
        report(BAD_FILE, f"{path} is not plain text: save it again.")
        return []
    objects = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            objects.append(_parse_line(line.split(), num_classes))
        except _LineError as error:
            report(error.kind, f"{path} line {number} {error}.")
    return objects


class _LineError(Exception):
    """A line that cannot be used."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def _parse_line(words: list[str], num_classes: int) -> RawObject:
    label = words[0]
    if not label.isdecimal() or len(label) > 9 or int(label) >= num_classes:
        raise _LineError(
            UNKNOWN_CLASS, f"has the unknown class {quote(label)}, not 0 to {num_classes - 1}: correct or remove it"
        )
    return RawObject(_parse_box(words[1:]), int(label), crowd=False)


def _parse_box(words: list[str]) -> tuple[float, float, float, float]:
    """Parses centre, width and height, or the corners of a polygon, into xyxy.

    Raises:
        _LineError: The words are neither, or are not relative to the image's sides.
    """
    try:
        values = [float(word) for word in words]
    except ValueError:
        values = []
    if len(values) != 4 and (len(values) < 6 or len(values) % 2):
        raise _LineError(BAD_OBJECT, "is not a class with four numbers or with the corners of a polygon: correct it")
    if max(values) > MAX_COORDINATE and max(values) != float("inf"):
        raise _LineError(
            BAD_OBJECT,
            f"has {max(values):g} where a fraction from 0 to 1 is expected: divide pixels by the width and height",
        )
    if len(values) == 4:
        x, y, width, height = values
        return x - width / 2, y - height / 2, x + width / 2, y + height / 2
    return min(values[::2]), min(values[1::2]), max(values[::2]), max(values[1::2])
