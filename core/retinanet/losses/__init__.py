"""Focal loss and its alternatives, box losses, and the total that is minimised (paper, section 3).

Losses are returned as one value per score or anchor, so that each can be inspected; `total_loss` sums them, and for
GHM-C `harmonised_loss` does.

Reading order: `classification` (of single scores), `box` (of foreground anchors), `hardest` (the anchors of OHEM),
`density` (GHM-C), `class_weights` (of rare and frequent classes), `image` (of every anchor of an image), `total` (of a
batch).
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
