"""The command `detect`.

Reading order: `command` (detects in all pictures), `state` (the pictures that are done), `drawing`.
"""
