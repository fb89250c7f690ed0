"""Four ways to make detections of candidates that overlap, as plain functions of boxes, scores and groups.

Boxes of different groups do not affect each other; groups are classes, or one group of all.

Reading order: `hard` (non-maximum suppression, and the suppressor of each box), `distance` (DIoU-NMS), `soft`
(Soft-NMS), `fusion` (weighted boxes fusion).
"""
