"""Who pays the classification loss of a run, in the training step.

Reading order: `view` (the shares of its classes by step).
"""
