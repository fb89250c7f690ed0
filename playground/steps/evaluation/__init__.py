"""The evaluation step.

Reading order: `step` (its view), `tables`, `labels` (suspected errors of labels), `figures`, `layers` (what is drawn on
the picture), and `making` (how average precision is made of an evaluation).
"""
