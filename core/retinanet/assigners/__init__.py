"""The assignment of anchors to objects: what each anchor learns.

Reading order: `match` (the result), `max_iou` (the paper's assigner), `claims` (an anchor that several objects want),
`atss` and `simota` (later assigners), `assign` (the chosen one).
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
