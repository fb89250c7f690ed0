"""The detector of the paper as plain functions on tensors, and the network as one module.

Reading order: `boxes` (geometry and box regression targets), `anchors`, `assigners` (the assignment of anchors to
objects), `losses` (of scores, anchors, images and batches), `focal_kernel` (focal loss with its gradient in one pass),
`backbone` (ResNet and feature pyramid), `group_norm`, `heads`, `model` (both as one module), `preprocess`,
`postprocess` (score threshold, top-K, decoding, NMS, cap), `suppression` (the kinds of NMS), `tiles` (large pictures in
parts), `views` (mirrored and resized pictures), `precision`, `predict` (images to detections), `fuse` (batch norms
fused into convolutions).
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
