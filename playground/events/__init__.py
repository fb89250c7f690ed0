"""The event handlers of the page: each reads the state, renders, and returns the updates.

Reading order: `common`, `weights` (with the banner), `settings` (knobs, anchors), `picture` (scenes, uploads, clicks,
drawn boxes), `album` (My pictures), `data` (data sets), `run_start` and `training`, `teaching` (My pictures to
weights), `evaluation`, `export`, `lessons`, `navigation` (links, undo, reset), `pinning`.
"""
