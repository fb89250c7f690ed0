"""Differences in words: counts, and nothing where there is none."""

from types import SimpleNamespace

import torch

from core.conventions.comparison import Comparison
from core.conventions.differences import (
    AnchorDifference,
    AssignmentDifference,
    DetectionDifference,
    Difference,
)
from core.conventions.words import SAME, describe_difference, summarise


def make(*, losses: tuple[float, float] = (0.0, 0.0), changed: tuple[bool, ...] = ()) -> Difference:
    none, few = torch.zeros(4, dtype=torch.bool), torch.tensor([True, False, True, False])
    pairs = torch.arange(len(changed))
    iou = torch.linspace(0.6, 0.9, len(changed)) if changed else torch.zeros(0)
    found = DetectionDifference(torch.tensor([1]), torch.zeros(0), pairs, pairs, iou, torch.tensor(changed).bool())
    return Difference(AnchorDifference(few, 1.254), AssignmentDifference(few, none, none, few), losses, found)


def test_cells():
    assert describe_difference(make(losses=(0.0004, -0.0126), changed=(False, True, True))) == (
        "2 of 4, up to 1.25 px",
        "2 more foreground, 2 ignored on one side only",
        "box −0.013",
        "1 lost, 2 changed (IoU from 0.75)",
    )


def test_what_does_not_differ_is_none():
    same = make()
    nothing = same.anchors._replace(moved=torch.zeros(4, dtype=torch.bool))
    found = same.detections._replace(lost=torch.zeros(0, dtype=torch.int64))
    neither = AssignmentDifference(*(torch.zeros(4, dtype=torch.bool) for _ in range(4)))
    empty = same._replace(anchors=nothing, assignment=neither, detections=found)
    assert empty.is_none and describe_difference(empty) == (SAME,) * 4
    assert not same.is_none


def test_summary_of_what_the_conventions_do_together():
    """By themselves they change nothing here; what is lost is not said to have another box."""
    here = SimpleNamespace(detections=SimpleNamespace(scores=torch.zeros(1)))
    lost = make()
    assert summarise(Comparison("detectron2", (), here, here, lost)) == (
        "Of 1 detection here, detectron2 with the same weights has none, and no others. No convention by itself "
        "changes any."
    )
    none = lost._replace(detections=lost.detections._replace(lost=torch.zeros(0)))
    assert summarise(Comparison("detectron2", (), here, here, none)).endswith("its conventions change none of them.")
