"""How a box is regressed: one anchor, the box that it has to predict, the four deltas, and their loss.

Reading order: `example` (the anchor, its box and its deltas), `tables`, `figure`, `view` (the content of a step).
"""
