"""The event handlers of the page: each reads the state, renders, and returns the updates.

Reading order: `common`, `settings` (knobs, weights, anchors), `picture` (scenes, uploads, clicks, drawn boxes), `data`
with `data_import`, `training`, `evaluation`, `export`, `lessons`, `navigation` (links, undo, reset), `pinning`.
"""
