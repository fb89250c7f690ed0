"""Whether boxes of four numbers in one cell are corners, or a corner with a size: the pictures' sizes tell."""

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from core.data.files import FolderFiles
from core.data.formats.box_kinds import CERTAIN_SHARE, MAX_SAMPLE, MAX_SIDE_OVERHANG
from core.data.formats.name_index import NameIndex, resolve_name
from core.data.formats.notes import Notes
from core.data.formats.tables.boxes import split_list
from core.data.formats.tables.columns import CORNERS, LIST, SIDES, Table
from core.data.formats.values import parse_whole_number
from core.data.untrusted import DataError
from core.errors import PictureError

KINDS = {CORNERS: "two corners", SIDES: "left, top, width and height"}


def decide_list_kind(
    files: FolderFiles, path: Path, table: Table, rows: Sequence[Sequence[str]], notes: Notes
) -> Table:
    """Returns a table whose lists of four numbers are known to be corners, or a corner with a size.

    They are what fits nearly all pictures of a sample, if the other does not.

    Raises:
        DataError: Both fit, neither does, or no picture's size is known.
    """
    if table.box_kind != LIST:
        return table
    measured = np.array(list(_measure(files, path, table, rows)), dtype=np.float64).reshape(-1, 6)
    boxes, sizes = measured[:, :4], measured[:, 4:]
    corners = _fits(boxes, sizes)
    sides = _fits(np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]]), sizes)
    shares = {CORNERS: corners.mean(), SIDES: sides.mean()} if len(boxes) else {}
    fitting = [kind for kind, share in shares.items() if share >= CERTAIN_SHARE]
    if len(fitting) != 1:
        why = "fit their pictures either way" if fitting else "do not fit their pictures either way"
        why = why if shares else "have no pictures whose size is known"
        raise DataError(
            f"{path} has boxes of four numbers that may be {' or '.join(KINDS.values())}, and {why}: give them in "
            "columns xmin, ymin, xmax, ymax."
        )
    other = SIDES if fitting == [CORNERS] else CORNERS
    notes.add(
        f"The boxes of {path.name} were read as {KINDS[fitting[0]]}; as {KINDS[other]} only {shares[other]:.0%} of "
        "them would fit their pictures."
    )
    return table._replace(box_kind=fitting[0])


def _fits(boxes: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Returns for each box xyxy whether it has an area, and is inside its picture as far as careless ones are."""
    overhang = np.maximum(-boxes, boxes - np.tile(sizes, 2)).max(axis=1, initial=-np.inf)
    tolerance = np.maximum(MAX_SIDE_OVERHANG * sizes.max(axis=1, initial=0), 1)
    return (boxes[:, 2:] > boxes[:, :2]).all(axis=1) & (overhang <= tolerance)


def _measure(
    files: FolderFiles, path: Path, table: Table, rows: Sequence[Sequence[str]]
) -> Iterator[tuple[float, ...]]:
    """Yields the four numbers of the boxes of a sample of pictures, each with its picture's width and height."""
    names = list(dict.fromkeys(row[table.name] for row in rows if row[table.box[0]]))
    sample = names[:: max(1, -(-len(names) // MAX_SAMPLE))]
    given = {row[table.name]: _read_given_size(table, row) for row in rows} if table.size else {}
    sizes = {name: size for name in sample if (size := given.get(name))}
    if not sizes:
        pictures = _Pictures(files)
        found = ((name, pictures.read_size(resolve_name(name, path, files.root))) for name in sample)
        sizes = {name: size for name, size in found if size}
    for row in rows:
        size, numbers = sizes.get(row[table.name]), split_list(row[table.box[0]])
        if size and len(numbers) == 4:
            yield *numbers, *size


def _read_given_size(table: Table, row: Sequence[str]) -> tuple[int, int] | None:
    width, height = (parse_whole_number(row[column]) for column in table.size)
    return (width, height) if width and height else None


class _Pictures:
    """The sizes of pictures by the names that a table gives them, with or without suffix."""

    def __init__(self, files: FolderFiles) -> None:
        self._root = files.root
        self._images = [name for name in files.images if name not in files.links]
        self._index = NameIndex(self._images)
        self._stems = {str(PurePosixPath(name).with_suffix("")): name for name in self._images}
        self._stem_index = NameIndex(self._stems)

    def read_size(self, name: str) -> tuple[int, int] | None:
        """Returns the size of the only picture of a name; None if there is none, or it cannot be read."""
        found = self._index.find(name) or [self._stems[stem] for stem in self._stem_index.find(name)]
        if len(found) != 1:
            return None
        from core.data.images import read_image_size  # imports PyTorch, which the help of the commands does without

        try:
            return read_image_size(self._root / found[0])
        except PictureError:  # counted when it is needed
            return None
