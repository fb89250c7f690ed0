"""Everything that follows from a picture and the settings, computed when first needed and cached.

Reading order: `pipeline` (all stages of a picture), then the stages in order: `inputs` (picture, anchors, their fit),
`outputs` (the network), `tiles` (the network on parts of a large picture), `views` (the picture mirrored and resized),
`detections` (post-processing), `assignment` (which depends on the outputs by some assigners), `losses`, `steering` (who
steers, by the gradient); `networks` (weights and networks in memory, shared by all visitors), `knowledge` (what the
weights know of a picture), `proposals` (detections as suggestions), `downloads` (of weights); `effort` (how much work
settings ask for).
"""
