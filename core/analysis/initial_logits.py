"""What class heads say before they have learned anything (paper, sections 3.3 and 4.1)."""

import torch
from torch import Tensor

from core.config import Model
from core.retinanet.model import build_class_head

NO_PRIOR = 0.5  # the score of a bias of 0


def first_logits(
    levels: tuple[Tensor, ...], model: Model, *, num_classes: int, anchors_per_location: int, seed: int
) -> Tensor:
    """Returns the class logits [B, N, K] of fresh heads without a prior.

    The prior is the bias of the last layer: `core.retinanet.model.prior_logit` added to all logits gives them any π, so
    that one pass serves every π. The heads are those that `core.retinanet.model.build_model` makes under the same seed.

    Args:
        levels: P3 … P7 of the pictures, [B, C, H, W].
        model: Width, depth and norm of the heads.
        num_classes: Number of classes, K.
        anchors_per_location: Anchors at each place of a level, A.
        seed: Of the heads' weights.
    """
    bare = model.model_copy(update={"prior_probability": NO_PRIOR})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        head = build_class_head(bare, num_classes=num_classes, anchors_per_location=anchors_per_location)
    with torch.inference_mode():
        return head.eval()(levels)
