"""Reads data sets in Pascal VOC format: one XML file per image, and a list of names per split."""

from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from core.data.annotations import BAD_FILE, ReportProblem, raise_problem
from core.data.dataset import SPLITS, FolderData, RawData, RawImage, RawObject, require_split
from core.data.splits import split_by_name
from core.data.untrusted import IMAGE_SUFFIXES, DataError, join_inside, quote, read_bounded

MAX_XML_BYTES = 4 * 2**20


class VocData(FolderData):
    """A split of a folder in Pascal VOC format: `Annotations/*.xml`, `JPEGImages/`, `ImageSets/Main/<split>.txt`.

    Labels index the sorted object names of all splits, so that splits agree on them. Without `ImageSets/Main` the
    split is derived from the file names (`core.data.splits.split_by_name`).

    Args:
        folder: The data set's folder.
        split: One of `SPLITS`.

    Raises:
        DataError: A file is missing, unreadable or inconsistent.
    """

    def __init__(self, folder: str | Path, split: str) -> None:
        super().__init__(read_voc(Path(folder), split))


class _Object(NamedTuple):
    name: str
    box: tuple[float, float, float, float]  # xyxy pixels
    difficult: bool


class _Annotation(NamedTuple):
    path: Path
    size: tuple[int, int] | None
    objects: list[_Object]


class _PlainXml(ElementTree.TreeBuilder):
    """Builds the tree of a document and rejects document type declarations, which can define entities."""

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        raise DataError("it declares a document type, which may hide entities")


def read_voc(folder: Path, split: str, report: ReportProblem = raise_problem) -> RawData:
    """Reads the annotations of a split; the arguments are those of `core.data.coco.read_coco`.

    Raises:
        DataError: There are no annotations, or the list of the split is missing or invalid.
    """
    require_split(split)
    annotations = {}
    for path in sorted((folder / "Annotations").glob("*.xml")):
        try:
            annotations[path.stem] = _read_annotation(path)
        except DataError as error:
            report(BAD_FILE, str(error))
    class_names = tuple(sorted({item.name for annotation in annotations.values() for item in annotation.objects}))
    if not class_names:
        raise DataError(f"{folder / 'Annotations'} has no XML file with an object: put the annotations there.")
    ids = {name: number for number, name in enumerate(annotations)}
    files = {
        path.stem: path.name
        for path in sorted((folder / "JPEGImages").glob("*"))
        if path.suffix.lower() in IMAGE_SUFFIXES
    }
    images = [
        _build_image(folder, annotations[name], files.get(name, f"{name}.jpg"), ids[name], class_names)
        for name in _list_names(folder, split, annotations, report)
    ]
    return RawData(class_names, tuple(range(1, len(class_names) + 1)), images)


def find_voc_splits(folder: Path) -> tuple[str, ...]:
    """Returns the splits for which a folder has Pascal VOC annotations; all splits if it has no lists."""
    if not (folder / "Annotations").is_dir():
        return ()
    lists = folder / "ImageSets" / "Main"
    return tuple(split for split in SPLITS if not lists.is_dir() or (lists / f"{split}.txt").is_file())


def _build_image(
    folder: Path, annotation: _Annotation, file_name: str, image_id: int, class_names: tuple[str, ...]
) -> RawImage:
    objects = [RawObject(item.box, class_names.index(item.name), item.difficult) for item in annotation.objects]
    path = join_inside(folder / "JPEGImages", file_name, root=folder.resolve(), source=annotation.path)
    return RawImage(path, annotation.path, annotation.size, image_id, objects)


def _list_names(folder: Path, split: str, annotations: dict[str, _Annotation], report: ReportProblem) -> list[str]:
    """Returns the names of the split's images, without extension."""
    lists = folder / "ImageSets" / "Main"
    path = lists / f"{split}.txt"
    names = _read_list(path, split, annotations, report) if lists.is_dir() else split_by_name(annotations)[split]
    if not names:
        raise DataError(f"The data set {folder} has no picture in its split {split}: list some in {path}.")
    return names


def _read_list(path: Path, split: str, annotations: dict[str, _Annotation], report: ReportProblem) -> list[str]:
    if not path.is_file():
        raise DataError(f"The data set has no split {split}: {path} does not exist; add it, one name per line.")
    lines = read_bounded(path, MAX_XML_BYTES).decode("utf-8", errors="replace").splitlines()
    names = [line.split()[0] for line in lines if line.strip()]  # VOC's per-class lists have a second column
    if len(set(names)) < len(names):
        raise DataError(f"{path} lists a picture twice: remove the repeated lines.")
    unknown = [name for name in names if name not in annotations]
    if unknown:
        report(
            BAD_FILE,
            f"{path} lists {quote(unknown[0])}, which has no usable XML file in Annotations ({len(unknown)} of "
            f"{len(names)} have none): add the annotations or remove the lines.",
        )
    return [name for name in names if name in annotations]


def _read_annotation(path: Path) -> _Annotation:
    """Reads one annotation file; raises a `DataError` that names the file."""
    content = read_bounded(path, MAX_XML_BYTES)
    try:
        root = ElementTree.fromstring(content, ElementTree.XMLParser(target=_PlainXml()))
        objects = [_read_object(element) for element in root.findall("object")]
    except (DataError, ElementTree.ParseError, LookupError, ValueError) as error:  # LookupError: unknown encoding
        raise DataError(f"{path} cannot be used because {error}: export it again in Pascal VOC format.") from None
    return _Annotation(path, _read_size(root), objects)


def _read_object(element: ElementTree.Element) -> _Object:
    name = element.findtext("name", "").strip()
    if not name:
        raise DataError("an object has no name")
    corners = [element.findtext(f"bndbox/{side}", "") for side in ("xmin", "ymin", "xmax", "ymax")]
    try:
        xmin, ymin, xmax, ymax = (float(corner) for corner in corners)
    except ValueError:
        raise DataError(f"an object of class {quote(name)} has no bndbox of four numbers") from None
    # VOC counts pixels from 1, and its maximum is inclusive.
    return _Object(name, (xmin - 1, ymin - 1, xmax, ymax), element.findtext("difficult", "0").strip() == "1")


def _read_size(root: ElementTree.Element) -> tuple[int, int] | None:
    """Returns width and height; None if they are missing or 0, as some tools write them."""
    sides = [root.findtext(f"size/{side}", "").strip() for side in ("width", "height")]
    if not all(side.isascii() and side.isdigit() and 0 < len(side) < 10 and int(side) for side in sides):
        return None
    return int(sides[0]), int(sides[1])
