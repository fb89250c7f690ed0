"""The events of data sets.

Reading order: `source` (what a visitor brings, and what becomes of it), `importing` (uploads and folders), `sets`
(splits, deletion, and the bar above the picture).
"""
