"""Pascal VOC's format: an XML file for each picture.

Reading order: `reader` (finds and reads a data set) and `lists` (the splits).
"""
