"""Who steers the training: the gradient on the heads' last convolutions, by anchor and by group of anchors.

Who pays is a share of the loss; who steers is a share of the gradient, which is what a step of training follows.

Reading order: `kinds` (foreground, hard and easy background), `slopes` (the gradient of the loss by the outputs),
`last_convolution` (from there to the weight of a head's last convolution, in closed form), `ledger` (norms, shares and
directions of anchors, levels, kinds and objects).
"""
