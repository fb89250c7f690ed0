"""The film of a run shows how an assigner that looks at the outputs changes its mind."""

import pytest
import torch

from core.runs.snapshots import Snapshot
from core.structures import Detections
from playground.data.picture import render_picture
from playground.steps.film import describe_assigned, film_layers
from tests.core.tiny import tiny

PICTURE = render_picture(tiny().scenes)
NOTHING = Detections(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, dtype=torch.int64))


def frame(step: int, *corners: float) -> Snapshot:
    """Returns a frame with an assigned anchor of 8×8 px at each of some corners."""
    return Snapshot(step, NOTHING, torch.tensor([[x, 0, x + 8, 8] for x in corners]).reshape(-1, 4))


def draw(now: Snapshot, before: Snapshot | None) -> dict[str, list[float]]:
    return {layer.key: [box[0] for box in layer.boxes.tolist()] for layer in film_layers(PICTURE, now, before)}


def test_anchors_that_stayed_and_new_ones_are_layers_of_their_own():
    now, before = frame(20, 1, 2, 3), frame(10, 2, 3, 4, 5)
    drawn = draw(now, before)
    assert drawn["assigned"] == [2, 3] and drawn["assigned-new"] == [1]
    assert not any(each.visible for each in film_layers(PICTURE, now, before) if each.key.startswith("assigned"))
    text = describe_assigned(now, before)
    assert "After step 20 SimOTA assigns 3 anchors" in text
    assert "2 as after step 10, 1 new, and 2 given up" in text


def test_in_the_first_frame_all_are_new():
    for before in (None, frame(10)._replace(assigned=None)):
        drawn = draw(frame(20, 1, 2), before)
        assert drawn["assigned"] == [] and drawn["assigned-new"] == [1, 2]
        assert "given up" not in describe_assigned(frame(20, 1, 2), before)
    assert draw(frame(20), frame(10, 1))["assigned-new"] == []


@pytest.mark.slow
def test_other_assigners_have_no_such_layers():
    fixed = frame(20)._replace(assigned=None)
    assert set(draw(fixed, fixed)) == {"truth", "kept"} and not describe_assigned(fixed, None)
    assert [layer.key for layer in film_layers(PICTURE, None)] == ["truth"]
