"""The outputs of untrained heads (paper, sections 3.3 and 4.1)."""

import torch
from torch import Tensor

from core.config import Model
from core.retinanet.heads import BoxHead, ClassHead, build_box_head, build_class_head

NO_PRIOR = 0.5  # the score that a bias of 0 gives


def compute_initial_logits(
    levels: tuple[Tensor, ...], model: Model, *, num_classes: int, anchors_per_location: int, seed: int
) -> Tensor:
    """Returns the class logits of newly initialised heads without a prior.

    The prior π only sets the bias of the last layer. Adding `core.retinanet.heads.prior_logit(π)` to these logits gives
    those of heads with that prior, so one forward pass serves every π. The heads equal those that
    `core.retinanet.model.build_model` creates from the same seed.

    Args:
        levels: Feature maps P3 … P7, each [B, C, H, W].
        model: Width, depth and normalisation of the heads.
        num_classes: Number of classes, K.
        anchors_per_location: Number of anchors per location, A.
        seed: Seeds the heads' weights.

    Returns:
        Logits [B, N, K] of all N anchors.
    """
    bare = model.model_copy(update={"prior_probability": NO_PRIOR})
    head, _ = _build_heads(bare, num_classes=num_classes, anchors_per_location=anchors_per_location, seed=seed)
    with torch.inference_mode():
        return head.eval()(levels)


def compute_initial_deltas(
    levels: tuple[Tensor, ...], model: Model, *, num_classes: int, anchors_per_location: int, seed: int
) -> Tensor:
    """Returns the box deltas [B, N, 4] of the same heads; the arguments are those of `compute_initial_logits`."""
    _, head = _build_heads(model, num_classes=num_classes, anchors_per_location=anchors_per_location, seed=seed)
    with torch.inference_mode():
        return head.eval()(levels)


def _build_heads(model: Model, *, num_classes: int, anchors_per_location: int, seed: int) -> tuple[ClassHead, BoxHead]:
    """Builds both heads in the order of `build_model`, so that they draw the same weights from the same seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        class_head = build_class_head(model, num_classes=num_classes, anchors_per_location=anchors_per_location)
        return class_head, build_box_head(model, anchors_per_location=anchors_per_location)
