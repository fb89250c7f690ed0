"""The steps of the pipeline, in order."""

from playground.steps import anchors, assignment, detections, evaluation, loss, network, picture, training

_MODULES = (picture, network, anchors, assignment, loss, detections, training, evaluation)
STEPS = {module.STEP.key: module.STEP for module in _MODULES}
