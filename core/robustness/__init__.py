"""How robust detections are: which survive when the picture is blurred, noisy, brighter, compressed, turned or shifted.

Reading order: `changes` (of a picture, and where its boxes are afterwards), `survival` (of detections, by strength),
`shifts` (the score of one detection while the picture moves below the network's strides).
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
