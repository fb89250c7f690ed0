"""Measurements that need no training: do the anchors fit, is the data set sound, what does the network cost.

Reading order: `anchor_search` (fit of the anchors, and better ones), `dataset_check` with `image_check`, `size_check`
and `issues` (problems of a data set, found before training), `model_costs` (parameters, operations, memory),
`initial_logits` (scores at initialisation), `loss_concentration` (the paper's figure 4).
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
