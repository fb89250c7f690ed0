"""The command `differ`.

Reading order: `command`, `drawing`.
"""
