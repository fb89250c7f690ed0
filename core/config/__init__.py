"""The configuration: every hyperparameter of RetinaNet, declared once.

Names follow the paper (Lin et al., "Focal Loss for Dense Object Detection", 2017) and the frameworks.

Reading order: `condition` (when a hyperparameter acts), `knob` (its declaration), the sections `model`, `anchors`,
`loss`, `inference`, `training` and `scenes`, `errors` (what is wrong with values), then `schema` (all of them as one
`Config`, and its forms).
"""

from core.config.anchors import OUTPUT_ASSIGNERS, Anchors, Matching
from core.config.condition import UNKNOWN, Check, Circumstances, Condition, when
from core.config.inference import Inference
from core.config.knob import POSTPROCESSING, ConfigError, Effect, Knob, Section, knob, read_knobs
from core.config.loss import IOU_TARGETS, Loss
from core.config.model import ALL_STAGES, BUILT_IN_WEIGHTS, WITHOUT_HEADS, Model
from core.config.scenes import Scenes
from core.config.schema import MAX_TEXT, Config, format_value, knobs, nest
from core.config.training import Training

__all__ = [
    "ALL_STAGES",
    "BUILT_IN_WEIGHTS",
    "IOU_TARGETS",
    "MAX_TEXT",
    "OUTPUT_ASSIGNERS",
    "POSTPROCESSING",
    "UNKNOWN",
    "WITHOUT_HEADS",
    "Anchors",
    "Check",
    "Circumstances",
    "Condition",
    "Config",
    "ConfigError",
    "Effect",
    "Inference",
    "Knob",
    "Loss",
    "Matching",
    "Model",
    "Scenes",
    "Section",
    "Training",
    "format_value",
    "knob",
    "knobs",
    "nest",
    "read_knobs",
    "when",
]
