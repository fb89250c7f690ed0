"""The evaluation step.

Reading order: `step` (its view), `tables`, `labels` (suspected errors of labels), `figures`, `layers` (what is drawn on
the picture), `making` (how average precision is made of an evaluation), `against` (several weights in one figure) with
`slices` (average precision of some of the objects) and `along` (that along a dial of the scenes), `advice` (what to try
next), and `rescues` (the cheapest ways out over the pictures).
"""
