"""Plants errors into the ground truth of held-out scenes and measures how well they are found."""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from core.config import Config
from core.data.sources import open_data
from core.evaluation.dataset_predictions import ImageResult, predict_dataset
from core.evaluation.detection_matching import NONE, compute_overlaps
from core.evaluation.label_errors import (
    LABEL_ERRORS,
    MISPLACED,
    MISSING,
    MOST_QUALITY,
    WRONG_CLASS,
    LabelError,
    rate_labels,
)
from core.io.atomic import write_text
from core.retinanet.boxes import iou_matrix
from core.structures import Detections, GroundTruth
from core.weights.sources import adopt, build, load_weights

SHIFT = (0.2, 0.5)  # of a misplaced box, as a share of its sides: IoU 0.47 to 0.14 with where it was
THRESHOLDS = ((0.95, 0.95, 0.5), (0.9, 0.7, 0.5), (0.7, 0.7, 0.5), (0.7, 0.5, 0.5), (0.7, 0.5, 0.3), (0.5, 0.5, 0.3))


class Planted(NamedTuple):
    """Ground truth with planted errors.

    Attributes:
        truths: That of each image.
        errors: The kind of error by image and by the index of the object in it.
        dropped: float32 [N, 4], the boxes that were taken out of each image.
    """

    truths: list[GroundTruth]
    errors: dict[tuple[int, int], str]
    dropped: list[torch.Tensor]


def plant(truths: Sequence[GroundTruth], num_classes: int, share: float, seed: int) -> Planted:
    """Drops, shifts and renames each a third of a share of the objects, chosen at random."""
    dice = np.random.default_rng(seed)
    planted, errors, dropped = [], dict[tuple[int, int], str](), []
    for number, truth in enumerate(truths):
        boxes, labels = truth.boxes.clone(), truth.labels.clone()
        kinds = [str(dice.choice(LABEL_ERRORS)) if dice.random() < share else "" for _ in range(len(boxes))]
        kept = [index for index, kind in enumerate(kinds) if kind != MISSING]
        for index, kind in enumerate(kinds):
            if kind == MISPLACED:
                sides = (boxes[index, 2:] - boxes[index, :2]).numpy()
                move = torch.from_numpy(dice.uniform(*SHIFT, 2) * dice.choice((-1, 1), 2) * sides).float()
                boxes[index] += move.repeat(2)
            elif kind == WRONG_CLASS:
                labels[index] = (labels[index] + int(dice.integers(1, num_classes))) % num_classes
        errors |= {(number, at): kinds[index] for at, index in enumerate(kept) if kinds[index]}
        dropped.append(truth.boxes[[index for index, kind in enumerate(kinds) if kind == MISSING]])
        planted.append(GroundTruth(boxes[kept], labels[kept], truth.crowd[kept]))
    return Planted(planted, errors, dropped)


def is_planted(error: LabelError, planted: Planted, predictions: Sequence[Detections]) -> bool:
    """True if a suspected error is one that was planted, whatever kind it is taken for."""
    if error.object != NONE:
        return (error.image, error.object) in planted.errors
    box = predictions[error.image].boxes[error.detection]
    return bool((iou_matrix(box[None], planted.dropped[error.image]) >= 0.5).any())


def measure_auroc(quality: np.ndarray, wrong: np.ndarray) -> float:
    """Returns the chance that a wrong label has a lower quality than a right one, ties counted half."""
    order = np.argsort(quality, kind="stable")
    values, where = np.unique(quality[order], return_inverse=True)
    middle = np.array([np.flatnonzero(where == index).mean() + 1 for index in range(len(values))])  # mean rank of ties
    ranks, bad = middle[where], wrong[order]
    count, rest = int(bad.sum()), int((~bad).sum())
    below = count * rest - (ranks[bad].sum() - count * (count + 1) / 2)
    return float(below / (count * rest)) if count and rest else float("nan")


def measure(images: Sequence[ImageResult], planted: Planted, min_scores: Mapping[str, float]) -> dict[str, float]:
    """Returns how well planted errors are found: by kind AUROC, and of the whole list precision at their number."""
    predictions = [each.detections for each in images]
    overlaps = compute_overlaps(predictions, planted.truths)
    rated = list(rate_labels(predictions, planted.truths, overlaps, min_scores))
    rated.sort(key=lambda each: (each.quality, -each.score, each.image))
    right = np.array([is_planted(each, planted, predictions) for each in rated])
    total = len(planted.errors) + sum(map(len, planted.dropped))
    figures = {"planted": total, "precision": float(right[:total].mean())}
    objects = {(number, at): 1.0 for number, truth in enumerate(planted.truths) for at in range(len(truth.labels))}
    for each in rated:
        if each.object != NONE:
            objects[each.image, each.object] = each.quality
    for kind in (MISPLACED, WRONG_CLASS):
        of_kind = [key for key in objects if planted.errors.get(key, kind) == kind]
        quality = np.array([objects[key] for key in of_kind])
        figures[kind] = measure_auroc(quality, np.array([key in planted.errors for key in of_kind]))
    missing = [(each.quality, bool(good)) for each, good in zip(rated, right, strict=True) if each.object == NONE]
    quality, good = (np.array(values) for values in zip(*missing, strict=True)) if missing else (np.zeros(0),) * 2
    figures[MISSING] = measure_auroc(quality, good.astype(bool))
    figures["missing found"] = float(good.sum() / max(1, sum(map(len, planted.dropped))))
    below = [bool(good) for each, good in zip(rated, right, strict=True) if each.quality < MOST_QUALITY]
    return figures | {"listed": len(below), "listed right": float(np.mean(below)) if below else float("nan")}


def main() -> None:
    """Prints one line for each pair of thresholds and writes the figures of each seed as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", default="builtin")
    parser.add_argument("--images", type=int, default=200, help="held-out scenes")
    parser.add_argument("--share", type=float, default=0.1, help="of the objects that get an error")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    weights = load_weights(options.weights)
    config = adopt(Config.from_flat({"training.eval_images": options.images}), weights)
    data = open_data("scenes", "test", config.scenes, options.images)
    model = build(config, weights)
    images = [each for batch in predict_dataset(model, weights.class_names, data, config) for each in batch]
    truths = [each.truth for each in images]
    table = []
    for values in THRESHOLDS:
        min_scores = dict(zip((MISSING, WRONG_CLASS, MISPLACED), values, strict=True))
        rows = [
            measure(images, plant(truths, len(data.class_names), options.share, seed), min_scores)
            for seed in range(options.seeds)
        ]
        table.append({"min_scores": min_scores, "seeds": rows})
        means = {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}
        print(
            *(f"{kind} ≥ {value:g}" for kind, value in min_scores.items()),
            *(f"{key} {value:.3f}" for key, value in means.items()),
            flush=True,
        )
    if options.json:
        write_text(options.json, json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
