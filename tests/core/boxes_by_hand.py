"""Detections and ground truth from plain lists, and random ones with all hard cases of evaluation."""

import torch

from core.structures import Detections, GroundTruth


def truth(boxes: list, labels: list | None = None, crowd: list | None = None) -> GroundTruth:
    return GroundTruth(
        boxes=torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        labels=torch.tensor(labels or [0] * len(boxes), dtype=torch.int64),
        crowd=torch.tensor(crowd or [False] * len(boxes), dtype=torch.bool),
    )


def found(boxes: list, scores: list | None = None, labels: list | None = None) -> Detections:
    return Detections(
        boxes=torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        scores=torch.tensor(scores or [0.5] * len(boxes), dtype=torch.float32),
        labels=torch.tensor(labels or [0] * len(boxes), dtype=torch.int64),
    )


def random_scenes(seed: int, pictures: int = 12, classes: int = 3) -> tuple[list[Detections], list[GroundTruth]]:
    """Returns crowds, ties of scores and IoUs, empty images, wrong classes and boxes on background."""
    dice = torch.Generator().manual_seed(seed)
    predictions, truths = [], []
    for _ in range(pictures):
        count, made = (int(torch.randint(0, high, (1,), generator=dice)) for high in (7, 16))
        corner = torch.rand(count, 2, generator=dice) * 90
        boxes = torch.cat((corner, corner + 5 + torch.rand(count, 2, generator=dice) * 60), dim=1).round()
        labels = torch.randint(0, classes, (count,), generator=dice)
        truths.append(GroundTruth(boxes, labels, torch.rand(count, generator=dice) < 0.2, (160, 160)))
        lone = torch.rand(made, 2, generator=dice) * 90
        guesses, guessed = torch.cat((lone, lone + 20), dim=1), torch.randint(0, classes, (made,), generator=dice)
        if count:
            source = torch.randint(0, count, (made,), generator=dice)
            near = boxes[source] + torch.randn(made, 4, generator=dice).mul(5).round()
            near[:, 2:] = torch.maximum(near[:, 2:], near[:, :2] + 1)
            close, same = torch.rand(2, made, generator=dice) < 0.75
            guesses = torch.where(close[:, None], near, guesses)
            guessed = torch.where(close & same, labels[source], guessed)
        scores = torch.rand(made, generator=dice).mul(8).round() / 8
        predictions.append(Detections(guesses, scores, guessed))
    return predictions, truths
