"""Comparisons of several runs in the training step.

Reading order: `table` (the results of each variant), `view` (a comparison in progress) and `measured` (results that
were measured beforehand).
"""
