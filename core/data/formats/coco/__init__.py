"""COCO's format: JSON files with images, annotations and categories.

Reading order: `reader` (finds and reads a data set) and `content` (the lists of a file, and its categories).
"""
