"""The annotation formats: for each, functions that find and read its files (see `core.data.annotations.Format`).

Reading order: `registry` (`FORMATS`, all formats), the formats `coco`, `voc` and `yolo`, and what they share: `values`
(flags and numbers as tools spell them), `notes` (what a reader assumed), `name_index` (paths by what a list calls
them), `texts`, `json_files` and `xml_files` (reading and recognising files).
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
