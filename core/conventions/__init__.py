"""The differ: what the same weights are under the conventions of torchvision, detectron2 and MMDetection.

Reading order: `rules` (what no hyperparameter expresses), `convention` and `table` (the conventions, with the source of
each), `matching` (forced matches), `view` (what a framework makes of a picture), `differences` (of two of them),
`comparison` (by convention, and all together), `words` (for tables).
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
