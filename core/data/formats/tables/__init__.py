"""Tables (CSV) with a row for each box.

Reading order: `reader` (finds and reads a data set), `columns` (what the columns of a table mean), `boxes` (the box of
a row) and `classes` (tables of class names).
"""
