"""The steps of the pipeline, in order."""

from playground.steps import anchors, assignment, detections, loss, network, picture, training

STEPS = {module.STEP.key: module.STEP for module in (picture, network, anchors, assignment, loss, detections, training)}
