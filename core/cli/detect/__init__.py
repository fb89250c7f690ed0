"""The command `detect`.

Reading order: `command` (detects in all pictures), `pictures` (finds the files), `state` (the pictures that are done),
`drawing`.
"""
