"""The evaluation step.

Reading order: `step` (its view), `tables`, `labels` (suspected errors of labels), `figures`, `layers` (what is drawn on
the picture), `making` (how average precision is made of an evaluation), and `advice` (what to try next).
"""
