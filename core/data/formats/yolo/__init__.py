"""YOLO's format: a text file for each picture, one object a line, and a list of class names.

Reading order: `reader` (finds and reads a data set), `settings` (`data.yaml` and the lists of class names), `pairs`
(which label file belongs to which picture), `labels` (the lines of label files) and `lists` (splits).
"""
