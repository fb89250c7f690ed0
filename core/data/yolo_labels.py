"""A YOLO label file: a line an object, its class and its box, or a polygon, as shares of the picture's sides."""

from pathlib import Path

from core.data.dataset import BAD_FILE, BAD_OBJECT, UNKNOWN_CLASS, Problem, RawObject
from core.data.untrusted import DataError, read_bounded, shown

MAX_LABEL_BYTES = 4 * 2**20
MOST = 2.0  # a value above it is no share of a picture's side


def read_labels(path: Path, num_classes: int, problem: Problem) -> list[RawObject]:
    """Reads one picture's labels; those that are wrong are told to `problem` and left out."""
    try:
        lines = read_bounded(path, MAX_LABEL_BYTES).decode("ascii").splitlines()
    except (DataError, UnicodeDecodeError) as error:
        problem(BAD_FILE, str(error) if isinstance(error, DataError) else f"{path} is no plain text: save it again.")
        return []
    objects = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            objects.append(_object(line.split(), num_classes))
        except _LineError as error:
            problem(error.kind, f"{path} line {number} {error}.")
    return objects


class _LineError(Exception):
    """A line that cannot be used."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def _object(words: list[str], num_classes: int) -> RawObject:
    label = words[0]
    if not label.isdecimal() or len(label) > 9 or int(label) >= num_classes:
        raise _LineError(
            UNKNOWN_CLASS, f"has the unknown class {shown(label)}, not 0 to {num_classes - 1}: correct or remove it"
        )
    try:
        values = [float(word) for word in words[1:]]
    except ValueError:
        values = []
    if len(values) != 4 and (len(values) < 6 or len(values) % 2):
        raise _LineError(BAD_OBJECT, "has no class with four numbers, or with the corners of a polygon: correct it")
    if max(values) > MOST and max(values) != float("inf"):
        raise _LineError(
            BAD_OBJECT,
            f"has {max(values):g} where a share of the picture from 0 to 1 is meant: divide pixels by width and height",
        )
    if len(values) == 4:
        x, y, width, height = values
        box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    else:
        box = (min(values[::2]), min(values[1::2]), max(values[::2]), max(values[1::2]))
    return RawObject(box, int(label), crowd=False)
