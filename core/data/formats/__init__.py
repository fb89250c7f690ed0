"""The annotation formats: for each, functions that find and read its files (see `core.data.annotations.Format`).

Reading order: `registry` (`FORMATS`, all formats), the formats `coco`, `voc`, `yolo`, `tables`, `json_lines` and those
of single `tools`, and what they share: `values` (flags and numbers as tools spell them), `outlines` (boxes around
shapes), `notes` (what a reader assumed), `building` (pictures with class names), `class_lists` (the names of numbered
classes), `box_kinds` (when four numbers are no box of the expected kind), `hints` (files that none reads), `name_index`
(paths by what a list calls them), `texts`, `json_count`, `json_files`, `yaml_files` and `xml_files` (counting, reading
and recognising files).
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
