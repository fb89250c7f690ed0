"""Data sets in zip files, which are not trusted.

Reading order: `importing` (unpacks a data set), `entries` (checks what a zip says of its content before) and `archives`
(names files that are something else).
"""
