"""Data sets in Pascal VOC format: one XML file a picture, the splits as lists of names."""

from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from core.data.dataset import (
    BAD_FILE,
    SPLITS,
    FolderData,
    Problem,
    RawData,
    RawObject,
    RawPicture,
    refuse,
    require_split,
)
from core.data.splits import by_name
from core.data.untrusted import PICTURES, DataError, inside, read_bounded, shown

MAX_XML_BYTES = 4 * 2**20


class VocData(FolderData):
    """A split of a folder in Pascal VOC format: `Annotations/*.xml`, `JPEGImages/`, `ImageSets/Main/<split>.txt`.

    Labels are the sorted names of the objects of all splits, so that they agree between splits. Without
    `ImageSets/Main` the split is made from the names (`core.data.splits.by_name`).

    Args:
        folder: The data set's folder.
        split: One of `SPLITS`.

    Raises:
        DataError: A file is missing, unreadable or contradicts itself.
    """

    def __init__(self, folder: str | Path, split: str) -> None:
        super().__init__(read_voc(Path(folder), split))


class _Object(NamedTuple):
    name: str
    box: tuple[float, float, float, float]  # xyxy pixels
    difficult: bool


class _Page(NamedTuple):
    path: Path
    size: tuple[int, int] | None
    objects: list[_Object]


class _PlainXml(ElementTree.TreeBuilder):
    """Builds the tree of a document without declarations, with which entities would come."""

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        raise DataError("a document type is declared, which may hide entities")


def read_voc(folder: Path, split: str, problem: Problem = refuse) -> RawData:
    """Reads the annotations of a split; arguments as `core.data.coco.read_coco`.

    Raises:
        DataError: There are none, or the list of the split is missing or wrong.
    """
    require_split(split)
    pages = {}
    for path in sorted((folder / "Annotations").glob("*.xml")):
        try:
            pages[path.stem] = _read(path)
        except DataError as error:
            problem(BAD_FILE, str(error))
    class_names = tuple(sorted({item.name for page in pages.values() for item in page.objects}))
    if not class_names:
        raise DataError(f"{folder / 'Annotations'} holds no XML file with an object: put the annotations there.")
    numbers = {name: number for number, name in enumerate(pages)}
    files = {
        path.stem: path.name for path in sorted((folder / "JPEGImages").glob("*")) if path.suffix.lower() in PICTURES
    }
    pictures = [
        _picture(folder, pages[name], files.get(name, f"{name}.jpg"), numbers[name], class_names)
        for name in _names(folder, split, pages, problem)
    ]
    return RawData(class_names, tuple(range(1, len(class_names) + 1)), pictures)


def voc_splits(folder: Path) -> tuple[str, ...]:
    """Returns the splits of which a folder holds Pascal VOC annotations; all, where it has no lists."""
    if not (folder / "Annotations").is_dir():
        return ()
    lists = folder / "ImageSets" / "Main"
    return tuple(split for split in SPLITS if not lists.is_dir() or (lists / f"{split}.txt").is_file())


def _picture(folder: Path, page: _Page, picture: str, number: int, class_names: tuple[str, ...]) -> RawPicture:
    objects = [RawObject(item.box, class_names.index(item.name), item.difficult) for item in page.objects]
    path = inside(folder / "JPEGImages", picture, root=folder.resolve(), source=page.path)
    return RawPicture(path, page.path, page.size, number, objects)


def _names(folder: Path, split: str, pages: dict[str, _Page], problem: Problem) -> list[str]:
    """Returns the split's pictures, without extension."""
    lists = folder / "ImageSets" / "Main"
    path = lists / f"{split}.txt"
    names = _listed(path, split, pages, problem) if lists.is_dir() else by_name(pages)[split]
    if not names:
        raise DataError(f"The data set {folder} has no picture in its split {split}: list some in {path}.")
    return names


def _listed(path: Path, split: str, pages: dict[str, _Page], problem: Problem) -> list[str]:
    if not path.is_file():
        raise DataError(f"The data set has no split {split}: {path} is not there; add it, one name a line.")
    lines = read_bounded(path, MAX_XML_BYTES).decode("utf-8", errors="replace").splitlines()
    names = [line.split()[0] for line in lines if line.strip()]  # VOC's lists by class have a second column
    if len(set(names)) < len(names):
        raise DataError(f"{path} lists a picture twice: remove the repeated lines.")
    unknown = [name for name in names if name not in pages]
    if unknown:
        problem(
            BAD_FILE,
            f"{path} lists {shown(unknown[0])}, which has no usable XML file in Annotations ({len(unknown)} of "
            f"{len(names)} have none): add the annotations or remove the lines.",
        )
    return [name for name in names if name in pages]


def _read(path: Path) -> _Page:
    """Reads one annotation file; raises `DataError` that names it."""
    content = read_bounded(path, MAX_XML_BYTES)
    try:
        root = ElementTree.fromstring(content, ElementTree.XMLParser(target=_PlainXml()))
        objects = [_object(element) for element in root.findall("object")]
    except (DataError, ElementTree.ParseError, LookupError, ValueError) as error:  # LookupError: an unknown encoding
        raise DataError(f"{path} cannot be used because {error}: export it again in Pascal VOC format.") from None
    return _Page(path, _size(root), objects)


def _object(element: ElementTree.Element) -> _Object:
    name = element.findtext("name", "").strip()
    if not name:
        raise DataError("an object has no name")
    corners = [element.findtext(f"bndbox/{side}") for side in ("xmin", "ymin", "xmax", "ymax")]
    try:
        xmin, ymin, xmax, ymax = (float(corner) for corner in corners)
    except (TypeError, ValueError):
        raise DataError(f"an object of class {shown(name)} has no bndbox of four numbers") from None
    # VOC counts pixels from 1 and includes the last one.
    return _Object(name, (xmin - 1, ymin - 1, xmax, ymax), element.findtext("difficult", "0").strip() == "1")


def _size(root: ElementTree.Element) -> tuple[int, int] | None:
    """Returns width and height; None where they are left out or 0, as some tools write."""
    sides = [root.findtext(f"size/{side}", "").strip() for side in ("width", "height")]
    if not all(side.isascii() and side.isdigit() and 0 < len(side) < 10 and int(side) for side in sides):
        return None
    return int(sides[0]), int(sides[1])
