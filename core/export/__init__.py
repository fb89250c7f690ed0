"""A detector or its settings for use elsewhere.

Reading order: `onnx` with `onnx_model` and `onnx_ops` (the whole detector as an ONNX graph), `bundle` (a zip with
weights and a script for torchvision), `readback` (comparison of a file with its detector), `settings` (JSON, command
and code), `torchvision`, `detectron2`, `mmdetection` with `mmdetection_training`, and `framework_settings` (the
settings in the terms of other frameworks, and those that they lack).
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
