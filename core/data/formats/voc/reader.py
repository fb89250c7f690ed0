"""Reads Pascal VOC's format: an XML file for each picture, and lists of the pictures of each split."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from core.data.annotations import BAD_OBJECT, Annotations, Format, NoObjectError, ReportProblem, make_image
from core.data.files import FolderFiles
from core.data.formats.box_kinds import SUSPECT_SHARE
from core.data.formats.building import read_each
from core.data.formats.notes import Notes, number_classes
from core.data.formats.values import parse_flag, parse_name, parse_number
from core.data.formats.voc.lists import read_split_lists
from core.data.formats.xml_files import read_xml, sniff_root
from core.data.untrusted import DataError, quote

MAX_XML_BYTES = 4 * 2**20
CORNERS = ("xmin", "ymin", "xmax", "ymax")


class _Object(NamedTuple):
    name: str
    box: tuple[float, float, float, float]  # as the file has it
    difficult: bool


class _Annotation(NamedTuple):
    """A picture as its file describes it, with the name that the file gives it."""

    name: str
    size: tuple[int, int] | None
    objects: list[_Object]


def find_voc(files: FolderFiles) -> Sequence[Path]:
    """Returns the XML files with the root `annotation`, and beside them damaged ones, to be reported."""
    roots = {path: sniff_root(path) for path in files.find(".xml")}
    if "annotation" not in roots.values():
        return ()
    return [path for path, root in roots.items() if root in ("annotation", None)]


def read_voc(files: FolderFiles, paths: Sequence[Path], report: ReportProblem) -> Annotations:
    """Reads the annotation files of a data set; difficult objects become crowd regions.

    Raises:
        NoObjectError: No file has an object.
        DataError: The lists of splits contradict each other.
    """
    notes = Notes()
    annotations = dict(read_each(paths, lambda path: _read_annotation(path, report, notes), report))
    _order_corners(annotations, notes)
    class_names = tuple(sorted({item.name for annotation in annotations.values() for item in annotation.objects}))
    if not class_names:
        raise NoObjectError(files.root, notes.sentences())
    labels = {name: label for label, name in enumerate(class_names)}
    splits, first = read_split_lists(files, list(annotations), report, notes), _find_first_pixel(annotations, notes)
    images = [
        make_image(
            annotation.name,
            path,
            [
                ((item.box[0] - first, item.box[1] - first, *item.box[2:]), labels[item.name], item.difficult)
                for item in annotation.objects
            ],
            size=annotation.size,
            split=splits.get(path),
        )
        for path, annotation in annotations.items()
    ]
    return Annotations(class_names, number_classes(class_names), images, notes.sentences())


def _read_annotation(path: Path, report: ReportProblem, notes: Notes) -> _Annotation:
    """Reads one annotation file; reports and leaves out objects that are invalid."""
    root = read_xml(path, MAX_XML_BYTES, "export it again in Pascal VOC format")
    if root.tag != "annotation":
        raise DataError(f"{path} cannot be used because its root is {quote(root.tag)}, not 'annotation': remove it.")
    objects = []
    for number, element in enumerate(root.iterfind("object"), start=1):
        try:
            objects.append(_read_object(element))
        except DataError as error:
            report(BAD_OBJECT, f"{path}, object {number}: {error}; correct or remove it.")
    size = notes.read_size(root.findtext("size/width"), root.findtext("size/height"), path)
    name = (root.findtext("filename") or "").strip().replace("\\", "/")
    return _Annotation(name or path.stem, size, objects)


def _read_object(element: ElementTree.Element) -> _Object:
    """Reads an object; raises a `DataError` that says what is wrong with it."""
    name = parse_name(element.findtext("name"))
    if not name:
        raise DataError("it has no name")
    xmin, ymin, xmax, ymax = (parse_number(element.findtext(f"bndbox/{side}")) for side in CORNERS)
    if xmin is None or ymin is None or xmax is None or ymax is None:
        raise DataError(f"class {quote(name)} has no bndbox of four numbers")
    difficult = element.findtext("difficult")
    flag = parse_flag(difficult)
    if flag is None:
        raise DataError(f"class {quote(name)} has the difficult flag {quote(difficult)}, neither 0 nor 1")
    return _Object(name, (xmin, ymin, xmax, ymax), flag)


def _order_corners(annotations: Mapping[Path, _Annotation], notes: Notes) -> None:
    """Puts swapped corners in order, unless they are so many that they may be a width and height."""
    swapped = [
        (path, number)
        for path, annotation in annotations.items()
        for number, (_, (left, top, right, bottom), _) in enumerate(annotation.objects)
        if left > right or top > bottom
    ]
    total = sum(len(annotation.objects) for annotation in annotations.values())
    if len(swapped) > max(1, SUSPECT_SHARE * total):
        return
    for path, number in swapped:
        notes.count("Boxes whose corners were swapped, and were put in order", path)
        item = annotations[path].objects[number]
        xmin, ymin, xmax, ymax = item.box
        box = min(xmin, xmax), min(ymin, ymax), max(xmin, xmax), max(ymin, ymax)
        annotations[path].objects[number] = item._replace(box=box)


def _find_first_pixel(annotations: Mapping[Path, _Annotation], notes: Notes) -> int:
    """Returns the number of the first pixel: VOC counts from 1, and its maximum is inclusive; many tools count from 0.

    A box with a corner of exactly 0 can only be counted from 0, unless it is an empty one that stands for nothing.
    """
    boxes = (item.box for each in annotations.values() for item in each.objects)
    if not any(0 in (left, top) and left < right and top < bottom for left, top, right, bottom in boxes):
        return 1
    notes.add("Some boxes begin at 0, so that all were read as counted from 0, and not from 1 as in Pascal VOC.")
    return 0


VOC = Format("voc", "Pascal VOC", "XML files", find_voc, read_voc)
