"""Data sets: rendered scenes, and folders with annotations in any of the formats of `core.data.formats`.

Reading order: `sources` (`open_data`, the entry point), `dataset` (the `DataSet` interface, and the data set of a
folder), `raw` (images as annotated, and their boxes), `folders` (reads a folder, opens its splits and makes new ones),
`files` (lists a folder), `annotations` (what the readers of formats return), `formats` (the readers), `reading`
(detects the format, and matches annotations with pictures and splits), `left_out` (what cannot be used), `splits`
(divides pictures), `subset` (draws a part of them), `class_names` (finds names that are nearly equal), `images`
(decodes image files), `untrusted` (bounded reads and safe paths), `picture_folders` (what their names tell), `zips`
(unpacks an uploaded data set) and `writers` (writes a data set in another format).
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
