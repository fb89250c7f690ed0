"""The robustness of detections to blur, noise, brightness, JPEG compression, rotation and shifts of the picture.

Reading order: `changes` (of a picture, and where its boxes are afterwards), `survival` (of detections, by strength),
`shifts` (the score of one detection while the picture moves below the network's strides).
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
