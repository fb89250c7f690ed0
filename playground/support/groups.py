"""The groups of knobs on the page: every hyperparameter is found in one step, under its title."""

from core.config import POSTPROCESSING, Knob

TITLES = {
    "picture": "Picture",
    "network": "Network",
    "anchors": "Anchors",
    "assignment": "Assignment",
    "loss": "Focal loss",
    "detections": "Detections",
    "training": "Training",
    "evaluation": "Evaluation",
}
EVAL_IMAGES = "training.eval_images"  # acts on the step Evaluation, too, where it is found
_STEPS = {
    "model": "network",
    "anchors": "anchors",
    "matching": "assignment",
    "loss": "loss",
    "training": "training",
    "scenes": "picture",
}


PRECISION = "inference.precision"  # of the network, whose step says what it changes


def step_of(knob: Knob) -> str:
    """Returns the key of the step that a hyperparameter belongs to."""
    if knob.path == EVAL_IMAGES:
        return "evaluation"
    if knob.path == PRECISION:
        return "network"
    if knob.section == "inference":
        return "detections" if knob.effect in POSTPROCESSING else "picture"
    return _STEPS[knob.section]
