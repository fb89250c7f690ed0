"""Writing of data sets in the three usual formats.

Reading order: `convert` (converts a data set's folder), `content` (what is written), `names` (of pictures and classes),
`coco`, `voc` and `yolo`.
"""
