"""Explanations of predictions: importance maps from one backward pass, checked by hiding parts of the picture.

Reading order: `target` (the prediction to explain), `evidence` (its gradient at a pyramid level and at the pixels),
`hiding` (predictions for pictures of which parts are hidden), `maps` (importance maps), `receptive_field` (the
effective receptive field), `pyramid` (where a feature comes from, and the levels that suit an object), two checks of a
map by hiding, `occlusion` (random masks) and `deletion` (the most important pixels first), and `agreement` (the
correlation of two maps).
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
