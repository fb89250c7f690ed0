"""The stability atlas: which short runs learn, stall or diverge, over any two of its axes.

Reading order: `map` (the places over two axes, as a table) and `view` (the map, the choice of its axes, and the runs of
the chosen place); `core.experiments.atlas` has the grid.
"""
