"""Data sets: rendered scenes, and folders in COCO, Pascal VOC or YOLO format.

Reading order: `sources` (`open_data`, the entry point), `dataset` (the `DataSet` interface and the records behind it),
the formats `coco`, `voc` and `yolo` (with `yolo_labels`), `folders` (detects the format and the splits of a folder),
`splits` (writes new splits), `images` (decodes image files), `untrusted` (bounded reads and safe paths) and
`zip_import` (unpacks an uploaded data set).
"""

from core.data.dataset import SPLITS, DataSet
from core.data.folders import open_folder, split_folder
from core.data.images import open_image
from core.data.sources import SceneData, open_data
from core.data.untrusted import DataError
from core.data.zip_import import import_zip

__all__ = [
    "SPLITS",
    "DataError",
    "DataSet",
    "SceneData",
    "import_zip",
    "open_data",
    "open_folder",
    "open_image",
    "split_folder",
]
