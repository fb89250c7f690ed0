"""The comparison with frameworks themselves: what is the same, what differs, and what is not installed."""

import pytest
import torch

from benchmarks import frameworks
from benchmarks.frameworks import Theirs, describe
from core.config import Config
from core.conventions.rules import HERE
from core.conventions.view import make_subject, see
from core.data.sources import open_data
from core.structures import Detections
from core.weights.sources import adopt, build, weights_for


@pytest.fixture(scope="module")
def ours():
    weights = weights_for(Config())
    config = adopt(Config.from_flat({"inference.image_size": 96}), weights)
    return see(
        make_subject(build(config, weights), open_data("scenes", "test", config.scenes, 1)[0], config), config, HERE
    )


def same(ours) -> Theirs:
    owner = torch.where(ours.match.foreground, ours.match.object, torch.where(ours.match.label == 0, -1, -2))
    return Theirs(ours.anchors, owner, tuple(each.item() for each in ours.losses), ours.detections)


def test_what_is_the_same_has_no_difference(ours):
    anchors, assignment, classification, box, detections = describe(ours, same(ours))
    assert anchors == "anchors 0.0e+00 px" and assignment == f"assignment 0 of {len(ours.anchors):,}"
    assert classification.startswith("classification loss 0.0e+00") and box.startswith("box loss 0.0e+00")
    assert detections == f"{len(ours.detections.scores)} detections, boxes 0.0e+00 px, scores 0.0e+00"


def test_what_differs_is_counted(ours):
    theirs = same(ours)
    theirs.owner[:3] += 1
    found = theirs._replace(
        anchors=theirs.anchors + 0.5, detections=Detections(*(each[:1] for each in ours.detections))
    )
    told = list(describe(ours, found))
    assert told[0] == "anchors 5.0e-01 px" and told[1].startswith("assignment 3 of ")
    assert told[-1] == f"{len(ours.detections.scores)} detections instead of 1, or other classes"


@pytest.mark.slow
def test_what_is_not_installed_is_said(monkeypatch, capsys):
    monkeypatch.setattr(frameworks, "find_spec", lambda package: None)
    frameworks.main()
    assert capsys.readouterr().out.splitlines() == ["detectron2 is not installed", "mmdet is not installed"]
