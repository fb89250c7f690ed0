"""The configuration: every hyperparameter of RetinaNet, declared once.

Names follow the paper (Lin et al., "Focal Loss for Dense Object Detection", 2017) and the frameworks.

Reading order: `knob` (what a declaration holds), the sections `model`, `anchors`, `loss`, `inference`, `training` and
`scenes`, then `schema` (all of them as one `Config`, and its round trips).
"""

from core.config.anchors import Anchors, Matching
from core.config.inference import Inference
from core.config.knob import DECODING, ConfigError, Effect, Knob, Section, explain, knob, knobs_of
from core.config.loss import Loss
from core.config.model import ALL_STAGES, BUILT_IN_WEIGHTS, Model
from core.config.scenes import Scenes
from core.config.schema import MAX_TEXT, Config, knobs, nested, text_of
from core.config.training import Training

__all__ = [
    "ALL_STAGES",
    "BUILT_IN_WEIGHTS",
    "DECODING",
    "MAX_TEXT",
    "Anchors",
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
    "explain",
    "knob",
    "knobs",
    "knobs_of",
    "nested",
    "text_of",
]
