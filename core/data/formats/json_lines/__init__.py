"""JSON lines, one for each picture with its objects.

Reading order: `reader` (finds and reads a data set), `dialects` (what the keys of a line mean) and `class_labels`
(names of numbered categories).
"""
