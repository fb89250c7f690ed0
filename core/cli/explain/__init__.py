"""The command `explain`.

Reading order: `command` (explains a detection), `drawing` (its map on the picture).
"""
