"""Analyses that need no training: a data set's defects, how well anchors fit it, a network's costs, its initial loss.

Reading order: `issues` (the kinds of defects), `image_check` and `dataset_check` (find them), `size_check` (objects
against anchors), `anchor_search` (better scales and ratios), `box_coding` (one anchor's box regression), `model_costs`
(parameters, FLOPs, memory), and two results of the paper: `initial_logits` (the prior π) and `loss_concentration`
(figure 4).
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
