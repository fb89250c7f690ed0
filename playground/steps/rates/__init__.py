"""The learning-rate finder in the training step.

Reading order: `view` (its figure and what it suggests).
"""
