"""COCO's format: JSON files with images, annotations and categories.

Reading order: `reader` (finds and reads a data set), `content` (the lists of a file, and its categories) and
`outlines` (polygons and masks of objects without a box).
"""
