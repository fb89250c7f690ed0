"""How average precision is made: one detection at a time, of the picture on show or of an evaluation.

Reading order: `counted` (what is counted), `view` (the content of a step that shows it), `figure`.
"""
