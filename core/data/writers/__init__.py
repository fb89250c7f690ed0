"""Writing of data sets in the three usual formats.

Reading order: `convert` (converts a data set's folder), `content` (what is written), `coco`, `voc` and `yolo`.
"""
