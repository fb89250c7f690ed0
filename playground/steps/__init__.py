"""The steps of the pipeline, in order.

Reading order: `step` (what a step is), then `picture` with `suggestions`, `network`, `anchors`, `assignment`, `loss`,
`detections` with `candidates`, `training` with `film`, `teaching`, `augmented`, `rates`, `shares` and `atlas`, and
`evaluation`; `regression` shows how a box is regressed, `precision` how average precision is made, `robustness` what
becomes of detections when the picture changes, and `frameworks` what other frameworks make of the same weights, all
with `dials`; `levels` has the live numbers of each pyramid level, `comparison` the results of several runs, and
`weights` what the chosen weights were trained with.
"""

from playground.steps.anchors import STEP as ANCHORS
from playground.steps.assignment import STEP as ASSIGNMENT
from playground.steps.detections import STEP as DETECTIONS
from playground.steps.evaluation.step import STEP as EVALUATION
from playground.steps.loss.step import STEP as LOSS
from playground.steps.network import STEP as NETWORK
from playground.steps.picture import STEP as PICTURE
from playground.steps.training import STEP as TRAINING

STEPS = {step.key: step for step in (PICTURE, NETWORK, ANCHORS, ASSIGNMENT, LOSS, DETECTIONS, TRAINING, EVALUATION)}
