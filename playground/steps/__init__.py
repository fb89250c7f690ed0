"""The steps of the pipeline, in order."""

from playground.steps import anchors, assignment, detections, network, picture, training
from playground.steps.evaluation import step as evaluation
from playground.steps.loss import step as loss

_MODULES = (picture, network, anchors, assignment, loss, detections, training, evaluation)
STEPS = {module.STEP.key: module.STEP for module in _MODULES}
