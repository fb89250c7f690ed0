"""The procedural data set: rendered still lifes with boxes that are exact to the pixel.

Reading order: `render` (lays out a scene and renders it), `outline` (the rasterised outline of an object), `shapes`
(outlines and textures of the classes), `colours`, `surfaces`, `paint` (bodies and shadows), `clutter` (distractors that
are not objects).
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
