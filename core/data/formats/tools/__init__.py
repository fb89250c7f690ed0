"""Formats of single labelling tools.

Reading order: `labelme`, `label_studio`, `via` (VGG Image Annotator), `cvat` and `supervisely`.
"""
