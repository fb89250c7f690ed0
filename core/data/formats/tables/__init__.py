"""Tables (CSV) with a row for each box.

Reading order: `reader` (finds and reads a data set), `columns` and `headerless` (what the columns of a table
mean), `labels` (which of them is the class), `boxes` (the box of a row), `lists` (boxes in one cell) and `cells` (what
separates them).
"""
