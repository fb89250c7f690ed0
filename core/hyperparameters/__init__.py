"""Every hyperparameter of RetinaNet, declared once: a module for each part of the pipeline.

Names follow the paper (Lin et al., "Focal Loss for Dense Object Detection", 2017) and the frameworks.
"""

from core.hyperparameters.anchors import Anchors, Matching
from core.hyperparameters.inference import Inference
from core.hyperparameters.loss import Loss
from core.hyperparameters.network import ALL_STAGES, BUILT_IN_WEIGHTS, Model
from core.hyperparameters.scenes import Scenes
from core.hyperparameters.training import Training

__all__ = ["ALL_STAGES", "BUILT_IN_WEIGHTS", "Anchors", "Inference", "Loss", "Matching", "Model", "Scenes", "Training"]
