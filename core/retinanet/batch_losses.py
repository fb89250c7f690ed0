"""The losses of a batch: its ground truth is assigned to the anchors, image by image."""

from collections.abc import Sequence

from core.config import Config
from core.retinanet.anchors import make_anchors
from core.retinanet.losses import AnchorLosses, anchor_losses
from core.retinanet.matching import match_anchors
from core.retinanet.model import Outputs
from core.retinanet.preprocess import Batch, scale_objects
from core.structures import Sample


def batch_losses(outputs: Outputs, batch: Batch, samples: Sequence[Sample], config: Config) -> list[AnchorLosses]:
    """Computes the loss of every anchor of every image; crowd regions do not count as objects.

    Args:
        outputs: The network's outputs for the batch, of any float type; the losses are computed in float32.
        batch: The preprocessed images.
        samples: Their ground truth, in pixels of the original images.
        config: Settings of anchors, matching and loss.

    Returns:
        The losses of each image, in the order of the batch.
    """
    device = outputs.logits.device
    anchors = make_anchors(config.anchors, *batch.pixels.shape[-2:]).boxes.to(device)
    results = []
    for logits, deltas, sample, factors in zip(
        outputs.logits.float(), outputs.deltas.float(), samples, batch.factors, strict=True
    ):
        boxes, labels = scale_objects(sample, factors)
        match = match_anchors(anchors, boxes, config.matching)
        results.append(anchor_losses(logits, deltas, anchors, match, boxes, labels, config.loss))
    return results
