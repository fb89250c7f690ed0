"""The training loop and its parts.

Reading order: `trainer` (the loop, a generator of records), `records` (the records), `samples` (the endless stream of
training samples), `sampling` (their order), `rare_classes` (weights and repeats), `augmentation` (random changes),
`loading` (batches), `optimization` (from a batch to the next weights), `early_stopping`, `feature_cache` (feature maps
of a frozen backbone), `divergence` (explains why a run diverged), `distributed` and `sync_batch_norm` (several
processes), `signals`; `rate_finder` tests learning rates.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
