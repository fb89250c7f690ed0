"""The reference evaluation by COCO's authors, pycocotools."""

import io
from collections.abc import Sequence
from contextlib import redirect_stdout

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from core.evaluation.coco_metrics import build_coco_dict
from core.structures import Detections, GroundTruth


def by_pycocotools(
    predictions: Sequence[Detections], truths: Sequence[GroundTruth], class_names: Sequence[str]
) -> COCOeval:
    """Runs pycocotools on finite detections; arguments as `core.evaluation.coco_metrics.evaluate`."""
    objects, detected = COCO(), COCO()
    objects.dataset = build_coco_dict(truths, class_names, iscrowd=[truth.crowd for truth in truths])
    detected.dataset = build_coco_dict(predictions, class_names, score=[part.scores for part in predictions])
    with redirect_stdout(io.StringIO()):
        objects.createIndex()
        detected.createIndex()
        comparison = COCOeval(objects, detected, "bbox")
        comparison.evaluate()
        comparison.accumulate()
        comparison.summarize()
    return comparison
