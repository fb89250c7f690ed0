"""Comparisons: the same detector trained several times with one setting changed; and recipes.

Reading order: `recipes` (settings chosen together by measurement), `presets` (the comparisons, among them the paper's
ablations), `comparison` (trains the variants one after another and summarises them), `plan_file` (which settings their
runs were started with), `ray_sweep` (trains several at a time with Ray), `paper_results` (the paper's own
measurements); `atlas` (a grid of short runs), `atlas_outcome` (which of them learn, stall or diverge) and `atlas_file`
(what was measured).
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
