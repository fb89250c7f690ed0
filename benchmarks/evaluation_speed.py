"""COCO evaluation of 500 images with 100 detections each, from lists of boxes to metrics: pycocotools and ours."""

from functools import partial

import numpy as np
import torch
from torch import Tensor

from benchmarks.clock import time_in_turn
from benchmarks.rows import Row, print_rows
from core.evaluation.coco_metrics import run_coco_evaluation
from core.structures import Detections, GroundTruth
from tests.core.coco_reference import by_pycocotools

PICTURES, DETECTIONS, SIDE = 500, 100, 640
GOAL = 2.0


def measure(repeats: int = 3) -> list[Row]:
    """Times both on a data set of few and one of many classes.

    Raises:
        RuntimeError: Their results differ.
    """
    rows = []
    for classes in (6, 80):
        predictions, truths = random_detections(classes)
        arguments = (predictions, truths, [str(label) for label in range(classes)])
        _require_equal(*arguments)
        works = {"theirs": partial(by_pycocotools, *arguments), "ours": partial(run_coco_evaluation, *arguments)}
        seconds = time_in_turn(works, repeats=repeats)
        work = f"COCO evaluation, {PICTURES} pictures, {classes} classes"
        rows.append(Row(work, "pycocotools", seconds["theirs"], seconds["ours"], GOAL))
    return rows


def random_detections(classes: int, seed: int = 0) -> tuple[list[Detections], list[GroundTruth]]:
    """Returns random images with up to 15 objects; 40% of the detections are near objects, some with a wrong label."""
    dice = torch.Generator().manual_seed(seed)
    predictions, truths = [], []
    for _ in range(PICTURES):
        count = int(torch.randint(0, 16, (1,), generator=dice))
        boxes, labels = _boxes(count, dice), torch.randint(0, classes, (count,), generator=dice)
        truths.append(GroundTruth(boxes, labels, torch.rand(count, generator=dice) < 0.02))
        found, guessed = _boxes(DETECTIONS, dice), torch.randint(0, classes, (DETECTIONS,), generator=dice)
        if count:
            source = torch.randint(0, count, (DETECTIONS,), generator=dice)
            sides = (boxes[:, 2:] - boxes[:, :2]).repeat(1, 2)[source]
            near = boxes[source] + 0.1 * sides * torch.randn(DETECTIONS, 4, generator=dice)
            near[:, 2:] = torch.maximum(near[:, 2:], near[:, :2] + 1)
            close, right = torch.rand(2, DETECTIONS, generator=dice) < torch.tensor([[0.4], [0.8]])
            found = torch.where(close[:, None], near, found)
            guessed = torch.where(close & right, labels[source], guessed)
        scores = torch.rand(DETECTIONS, generator=dice).sort(descending=True).values
        predictions.append(Detections(found, scores, guessed))
    return predictions, truths


def _boxes(count: int, dice: torch.Generator) -> Tensor:
    """Returns boxes with sides from 10 to 200 pixels, uniform in the logarithm."""
    corners = SIDE * torch.rand(count, 2, generator=dice)
    return torch.cat((corners, corners + 10 * 20 ** torch.rand(count, 2, generator=dice)), dim=1)


def _require_equal(*arguments: object) -> None:
    theirs, ours = by_pycocotools(*arguments), run_coco_evaluation(*arguments)
    for name in ("precision", "recall"):
        if not np.allclose(theirs.eval[name], ours.eval[name], rtol=0, atol=1e-15):
            raise RuntimeError(f"The {name} differs from that of pycocotools, so the speeds cannot be compared.")


if __name__ == "__main__":
    print_rows(measure())
