"""A training run and its folder: settings, metrics, checkpoint, weights and log.

Reading order: `train` (trains in a folder, from the start or from a checkpoint), `splits` (its data), `about` (its
description), `folder` (its files and its status), `metrics` (their records), `divergence` and `overfitting` (in words),
`recorder` (writes them during training), `checkpoint`, `control` (pause, stop and single steps, requested by another
process), `snapshots` (detections in one fixed image at each evaluation), `step_changes` (the effect of a single step),
`tracking` (TensorBoard, Weights & Biases, Trackio); `range_test` tests learning rates, with or without a folder.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
