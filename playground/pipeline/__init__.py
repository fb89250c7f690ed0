"""Everything that follows from a picture and the settings, computed when first needed and cached.

Reading order: `pipeline` (assignment, losses, outputs, detections), `networks` (weights and networks in memory, shared
by all visitors), `anchor_search`.
"""
