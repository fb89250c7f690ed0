"""The commands that train: `train`, `compare` (variants of a detector) and `find_lr` (tests learning rates)."""
