"""Formats of single labelling tools and data sets.

Reading order: `labelme`, `label_studio`, `via` (VGG Image Annotator), `cvat`,
`supervisely` and `kitti`.
"""
