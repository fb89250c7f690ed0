"""The commands that train.

Reading order: `train`, `compare` (variants of a detector), `find_lr` (tests learning rates).
"""
