"""What the keys of a line mean: those of Hugging Face, SageMaker, Vertex AI, Create ML, BDD100K and their like."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from core.data.formats.outlines import Box, bound_size, order_corners, read_numbers
from core.data.formats.values import parse_whole_number
from core.data.untrusted import quote

NAMES = ("file_name", "filename", "image", "image_path", "path", "file", "img", "img_path", "image_id")
LISTS = ("objects", "annotations", "boxes", "bboxes", "bbox", "labels")
LABELS = (
    "category", "categories", "label", "labels", "class", "class_name", "category_name", "name", "category_id",
    "class_id",
)  # fmt: skip
CROWDS = ("iscrowd", "is_crowd", "difficult")
MODE = "bbox_mode"  # detectron2's: 0 for two corners, 1 for a corner and sides
BOXES = ("bbox", "bboxes", "box", "boxes")
CORNERS = (("xmin", "ymin", "xmax", "ymax"), ("x1", "y1", "x2", "y2"), ("xMin", "yMin", "xMax", "yMax"))
SIDES = (("left", "top", "width", "height"), ("x", "y", "width", "height"), ("x", "y", "w", "h"))
VERTEX_USE = "aiplatform.googleapis.com/ml_use"
PERCENT = "original_width"  # of objects whose boxes are percentages
SUFFIXED = "_file_name"  # Hugging Face's name of a column that is called otherwise, such as "image_file_name"


class Item(NamedTuple):
    """An object as a line describes it.

    Attributes:
        label: Its class name or number.
        box: Its box as xyxy; None if it has none.
        crowd: The flag of crowd regions.
        fault: Why its box cannot be read, as the end of a sentence; "" if it can.
    """

    label: object
    box: Box | None
    crowd: object = None
    fault: str = ""


class Line(NamedTuple):
    """A picture as a line describes it; nothing of it is checked.

    Attributes:
        name: The picture's name.
        items: The class and the box of each object.
        size: Width and height of the picture.
        split: The split.
        relative: The boxes are fractions of the picture's sides.
        sides: Some box was a list, read as left, top, width and height.
        skipped: Number of objects that are lines or areas without a box.
        single: The line is one object, and others may belong to the same picture.
        earlier: Number of labelling jobs before the one that was read.
    """

    name: object
    items: list[Item]
    size: tuple[object, object] = (None, None)
    split: object = None
    relative: bool = False
    sides: bool = False
    skipped: int = 0
    single: bool = False
    earlier: int = 0


def read_line(values: Mapping[str, Any]) -> Line | None:
    """Returns the picture that a line describes; None if it describes none with objects."""
    readers = (_read_sagemaker, _read_vertex, _read_grounding, _read_scalabel, _read_createml, _read_common)
    return next((line for read in readers if (line := read(values))), None)


def _read_sagemaker(values: Mapping[str, Any]) -> Line | None:
    """Reads the last labelling job of a line: one that corrects labels is appended to the one that made them."""
    jobs = [
        (job, metadata)
        for key, job in values.items()
        if isinstance(metadata := values.get(f"{key}-metadata"), dict)
        and isinstance(job, dict)
        and isinstance(job.get("annotations"), list)
    ]
    if "source-ref" not in values or not jobs:
        return None
    job, metadata = jobs[-1]
    names = metadata.get("class-map")
    names = names if isinstance(names, dict) else {}
    entries = [entry for entry in job["annotations"] if isinstance(entry, dict)]
    items = [Item(names.get(str(entry.get("class_id")), entry.get("class_id")), read_keys(entry)) for entry in entries]
    size = job.get("image_size")
    first = size[0] if isinstance(size, list) and size and isinstance(size[0], dict) else {}
    return Line(values["source-ref"], items, (first.get("width"), first.get("height")), earlier=len(jobs) - 1)


def _read_vertex(values: Mapping[str, Any]) -> Line | None:
    entries = values.get("boundingBoxAnnotations")
    if "imageGcsUri" not in values or not isinstance(entries, list):
        return None
    items = [Item(entry.get("displayName"), read_keys(entry)) for entry in entries if isinstance(entry, dict)]
    labels = values.get("dataItemResourceLabels")
    use = labels.get(VERTEX_USE) if isinstance(labels, dict) else None
    return Line(values["imageGcsUri"], items, split=use, relative=True)


def _read_grounding(values: Mapping[str, Any]) -> Line | None:
    detection = values.get("detection")
    entries = detection.get("instances") if isinstance(detection, dict) else None
    if "filename" not in values or not isinstance(entries, list):
        return None
    items: list[Item] = []
    for entry in entries:
        if isinstance(entry, dict):
            box = entry.get("bbox")
            label = entry.get("category", entry.get("label"))
            items.append(Item(label, order_corners(box) if isinstance(box, list) else None))
    return Line(values["filename"], items, (values.get("width"), values.get("height")))


def _read_scalabel(values: Mapping[str, Any]) -> Line | None:
    """Reads the form of BDD100K, whose labels include lanes and areas; a picture without objects has null."""
    if not isinstance(values.get("name"), str) or "labels" not in values:
        return None
    labels = [] if values["labels"] is None else values["labels"]
    if not isinstance(labels, list) or not all(isinstance(entry, dict) for entry in labels):
        return None
    entries = [entry for entry in labels if "poly2d" not in entry or entry.get("box2d")]
    boxes = [entry.get("box2d") for entry in entries]
    if not all(isinstance(box, dict) for box in boxes):
        return None
    items = [Item(entry.get("category"), read_keys(box)) for entry, box in zip(entries, boxes, strict=True)]
    return Line(values["name"], items, skipped=len(labels) - len(entries))


def _read_createml(values: Mapping[str, Any]) -> Line | None:
    """Reads the form of Apple's Create ML, whose boxes have their centre at x and y."""
    name, entries = (
        values.get("image", values.get("imagefilename")),
        values.get("annotations", values.get("annotation")),
    )
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        return None
    boxes = [entry.get("coordinates") for entry in entries]
    if name is None or not all(isinstance(box, dict) for box in boxes):
        return None
    return Line(name, [Item(entry.get("label"), read_centre(box)) for entry, box in zip(entries, boxes, strict=True)])


def _read_common(values: Mapping[str, Any]) -> Line | None:
    """Reads `{"file_name": …, "objects": {"bbox": […], "categories": […]}}`, or a list of objects."""
    name = next((values[key] for key in NAMES if isinstance(values.get(key), str)), None)
    name = name or next((value for key, value in values.items() if key.endswith(SUFFIXED)), None)
    objects = next((values[key] for key in LISTS if isinstance(values.get(key), dict | list)), None)
    flat = objects is None and _find(values, LABELS) is not None and read_keys(values) is not None
    single = flat or (isinstance(objects, list) and bound_size(objects) is not None)
    if single:
        objects = [values]  # with a box and a label
    elif isinstance(objects, list) and objects and isinstance(objects[0], list):
        objects = values  # with lists of boxes and of labels
    if name is None or objects is None:
        return None
    if isinstance(objects, dict):
        if _find(objects, BOXES) is None:
            return None
        objects = list(_transpose(objects))
    entries = [entry if isinstance(entry, dict) else {} for entry in objects]
    boxes = [_read_box(entry) for entry in entries]
    faults = ["" if box else _find_fault(entry) for entry, box in zip(entries, boxes, strict=True)]
    if objects and not any(boxes) and not any(faults):
        return None
    if any(PERCENT in entry for entry in entries):  # Label Studio's
        return None
    items = [
        Item(_find(entry, LABELS), box, _find(entry, CROWDS), fault)
        for entry, box, fault in zip(entries, boxes, faults, strict=True)
    ]
    sides = any(isinstance(_find(entry, BOXES), list) and entry.get(MODE) is None for entry in entries)
    is_box = flat and not any(values.keys() >= set(keys) for keys in CORNERS)  # its width and height are the box's
    size = (None, None) if is_box else (values.get("width"), values.get("height"))
    return Line(name, items, size, values.get("split"), sides=sides, single=single)


def _transpose(columns: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yields the objects of lists that have one entry for each; missing entries are None."""
    lists = {key: values for key, values in columns.items() if isinstance(values, list)}
    boxes, labels, crowds = (_find(lists, keys) or [] for keys in (BOXES, LABELS, CROWDS))
    modes = columns.get(MODE)
    for number in range(max(len(boxes), len(labels))):
        yield {
            BOXES[0]: boxes[number] if number < len(boxes) else False,
            LABELS[0]: labels[number] if number < len(labels) else None,
            CROWDS[0]: crowds[number] if number < len(crowds) else None,
            MODE: (modes[number] if number < len(modes) else None) if isinstance(modes, list) else modes,
        }


def _read_box(entry: Mapping[str, Any]) -> Box | None:
    box = _find(entry, BOXES)
    if isinstance(box, list):
        mode = _read_mode(entry)
        return bound_size(box) if mode == 1 else order_corners(box) if mode == 0 else None
    return read_keys(box if isinstance(box, dict) else entry)


def _read_mode(entry: Mapping[str, Any]) -> int | None:
    """Returns detectron2's mode of a box, that of COCO where none is given."""
    return 1 if entry.get(MODE) is None else parse_whole_number(entry[MODE])


def _find_fault(entry: Mapping[str, Any]) -> str:
    """Returns why the box of an object cannot be read, "" if nothing is known against it."""
    if not isinstance(_find(entry, BOXES), list) or _read_mode(entry) in (0, 1):
        return ""
    return f"has the {MODE} {quote(entry[MODE])}, neither 0 nor 1: convert its box to one of these"


def read_keys(entry: Mapping[str, Any]) -> Box | None:
    """Returns the box of an object whose keys name its corners, or a corner and its sides, as xyxy."""
    for keys in CORNERS:
        if entry.keys() >= set(keys):
            return order_corners([entry[key] for key in keys])
    for keys in SIDES:
        if entry.keys() >= set(keys):
            return bound_size([entry[key] for key in keys])
    return None


def read_centre(entry: Mapping[str, Any]) -> Box | None:
    """Returns the box of an object with its centre and its sides, as xyxy."""
    numbers = read_numbers([entry.get(key) for key in ("x", "y", "width", "height")])
    if numbers is None:
        return None
    x, y, width, height = numbers
    return bound_size([x - width / 2, y - height / 2, width, height])


def _find(values: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    return next((values[key] for key in keys if values.get(key) is not None), None)
