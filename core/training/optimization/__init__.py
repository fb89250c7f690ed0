"""From a batch to the next weights.

Reading order: `gradients` (the gradient of a batch, whole or in parts) with `class_shares` (who pays its loss),
`optimizer` (optimizer and learning rate schedule), `ema` (the average of the weights), `step_backup` (what a step
changes before it ends).
"""
