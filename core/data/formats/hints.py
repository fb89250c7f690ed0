"""What annotation files seem to be that no format reads, for the message about a folder without a data set."""

from collections.abc import Iterator

from core.data.files import FolderFiles
from core.data.formats.json_files import sniff_json
from core.data.formats.tables.cells import sniff_row

MAX_FILES = 100  # to look at
EXPORT = "export it as COCO, Pascal VOC or YOLO instead"
# By keys that a JSON file has, as `JsonShape.keys` gives them.
JSON = (
    (("items[].annotations", "categories"), "Datumaro's JSON"),
    (("assets", "tags"), "VoTT's JSON"),
    (("attribute", "view", "metadata"), "JSON of VIA 3"),
    (("item", "annotations"), "V7 Darwin's JSON"),
    (("metainfo", "data_list"), "MMDetection's JSON"),
    (("[].ann", "[].filename"), "MMDetection's JSON"),
    (("classes", "labels"), "FiftyOne's JSON"),
    (("imgHeight", "imgWidth", "objects"), "JSON of CityPersons"),
)
SUFFIXES = {".parquet": "a Parquet file", ".tfrecord": "a TFRecord file", ".mat": "a MATLAB file"}


def find_hint(files: FolderFiles) -> str:
    """Returns what the first file that can be recognised is, as a sentence after a space; "" if there is none."""
    return next((f" {hint}." for hint in _find_hints(files)), "")


def _find_hints(files: FolderFiles) -> Iterator[str]:
    for path in files.find(".json")[:MAX_FILES]:
        keys = sniff_json(path).keys
        yield from (f"{path.name} looks like {what}: {EXPORT}" for each, what in JSON if keys.issuperset(each))
    for path in files.find(*SUFFIXES)[:1]:
        yield f"{path.name} looks like {SUFFIXES[path.suffix.lower()]}: {EXPORT}"
    for path in files.find(".csv", ".tsv")[:1]:
        row = ", ".join(sniff_row(path)[0])[:200]
        yield (
            f"{path.name} begins with {row!r}: a table needs a header with the columns filename, xmin, ymin, xmax, "
            "ymax and class"
        )
