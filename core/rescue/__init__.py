"""The cheapest rescue of each fault of a detector in a picture: the fewest steps of one hyperparameter that undo it.

Reading order: `faults` (missed objects, false alarms, duplicates and badly placed boxes), `change` (what another value
undoes, gains and breaks), `moves` (the values of a hyperparameter, by steps), `trials` (the detections under each of
them, by the real pipeline), `proposals` (what the anchors predict for an object), `search` (the fewest steps); for a
set of pictures `totals` (the effect of each value in all of them) and `over_set` (their search); and for an evaluation
`advice` (what to try next against each kind of error).
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
