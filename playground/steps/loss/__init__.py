"""The focal loss step.

Reading order: `step` (its view), `curves` (loss, slope and weight of one example), `shares` (each group's share of the
loss in this picture), `spread` (anchors' values over the picture), `steering` (each group's share of the gradient),
`classes` (each class's share), `story` (the first screen's sentence about them), `concentration`
(the paper's figure 4), `initial` (the first loss, with and without the prior π), `paper_tables` (the paper's table 1);
`example_drag.js` moves the example in the browser.
"""
