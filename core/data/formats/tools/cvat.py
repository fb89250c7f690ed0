"""Reads CVAT's own format, "CVAT for images": an XML file with all pictures."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree

from core.data.annotations import BAD_PATH, Annotations, Format, ReportProblem
from core.data.files import FolderFiles
from core.data.formats.building import Picture, add_object, build_annotations, join_outline, read_each
from core.data.formats.name_index import resolve_name
from core.data.formats.notes import Notes
from core.data.formats.outlines import (
    Box,
    bound_ellipse,
    bound_points,
    bound_size,
    order_corners,
    read_numbers,
    read_points,
    turn_box,
)
from core.data.formats.xml_files import read_xml, sniff_root
from core.data.untrusted import DataError, quote

MAX_XML_BYTES = 128 * 2**20
CORNERS = ("xtl", "ytl", "xbr", "ybr")
OUTLINES = ("polygon", "ellipse", "mask")
OTHERS = ("polyline", "points", "cuboid", "skeleton")
SIDES = ("left", "top", "width", "height")  # of a mask
NO_GROUP = "0"


def find_cvat(files: FolderFiles) -> Sequence[Path]:
    """Returns the XML files with the root `annotations`."""
    return [path for path in files.find(".xml") if sniff_root(path) == "annotations"]


def read_cvat(files: FolderFiles, paths: Sequence[Path], report: ReportProblem) -> Annotations:
    """Reads the annotation files of a data set; outlines and turned boxes become their bounds.

    Raises:
        DataError: There is no object.
    """
    notes = Notes()
    pictures: list[Picture] = []
    for path, root in read_each(paths, _read_root, report):
        pictures += _read_pictures(files, path, root, report, notes)
    return build_annotations(pictures, notes, root=files.root, report=report)


def _read_root(path: Path) -> ElementTree.Element:
    root = read_xml(path, MAX_XML_BYTES, "export it again")
    if root.find("track") is not None:
        raise DataError(f"{path} has the tracks of a video: export it as 'CVAT for images'.")
    return root


def _read_pictures(
    files: FolderFiles, path: Path, root: ElementTree.Element, report: ReportProblem, notes: Notes
) -> Iterator[Picture]:
    for number, element in enumerate(root.iterfind("image"), start=1):
        name = element.get("name")
        if not name:
            report(BAD_PATH, f"{path} image {number} has no name: add it.")
            continue
        size = notes.read_size(element.get("width"), element.get("height"), path)
        picture = Picture(resolve_name(name, path, files.root), path, size, split=element.get("subset") or None)
        _add_shapes(picture, element, f"{path} image {number} ({quote(name)})", report, notes)
        yield picture


def _add_shapes(
    picture: Picture, element: ElementTree.Element, where: str, report: ReportProblem, notes: Notes
) -> None:
    """Adds the objects of an image element to a picture; the outlines of one group are one object."""
    outlines: dict[tuple[str, object], int] = {}
    shapes = (shape for shape in element if shape.tag in ("box", *OUTLINES, *OTHERS))
    for index, shape in enumerate(shapes, start=1):
        box, group = _read_box(shape, picture.source, notes), shape.get("group_id", NO_GROUP)
        is_added = add_object(picture, shape.get("label"), box, f"{where} shape {index}", report)
        if is_added and shape.tag in OUTLINES and group != NO_GROUP:
            join_outline(picture, outlines, group, notes)


def _read_box(shape: ElementTree.Element, path: Path, notes: Notes) -> Box | None:
    """Returns the bounds of a shape; None for points and lines, and for what cannot be read."""
    box = None
    if shape.tag == "box":
        box = order_corners([shape.get(corner) for corner in CORNERS])
        angle = read_numbers([shape.get("rotation", "0")])
        if not box or not angle or not angle[0]:
            return box if angle else None
        box = turn_box(box, angle[0])
    elif shape.tag == "polygon":
        points = [list(pair.split(",")) for pair in shape.get("points", "").split(";")]
        box = bound_points(read_points(points))
    elif shape.tag == "ellipse" and not shape.get("rotation"):
        box = bound_ellipse([shape.get(key) for key in ("cx", "cy", "rx", "ry")])
    elif shape.tag == "mask":
        box = bound_size([shape.get(side) for side in SIDES])
    if box:
        notes.count("Turned boxes, polygons, ellipses and masks read as their bounds", path)
    return box


CVAT = Format("cvat", "CVAT for images", "XML files", find_cvat, read_cvat)
