"""Data sets: rendered scenes, and folders in COCO, Pascal VOC or YOLO format.

Reading order: `sources` (`open_data`, the entry point), `dataset` (the `DataSet` interface and the records behind it),
`files` (lists a folder), `annotations` (what the readers of formats return), `formats` (the readers), `left_out` (what
cannot be used), `folders` (detects the format and the splits of a folder), the older readers `coco`, `voc` and `yolo`
(with `yolo_labels`), `splits` (writes new splits), `images` (decodes image files), `untrusted` (bounded reads and safe
paths) and `zip_import` (unpacks an uploaded data set).
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
