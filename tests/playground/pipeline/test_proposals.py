"""Proposals for a visitor's own pictures, and how sure the weights are of a picture."""

import pytest
import torch

from core.config import Config
from playground.data.picture import Picture, render_picture
from playground.pipeline.pipeline import Pipeline
from playground.pipeline.proposals import (
    MAX_OVERLAP,
    index_names,
    is_summarised,
    known_classes,
    measure_doubt,
    propose,
    summarise,
)
from playground.support.names import MAX_CLASSES

NOTHING = torch.zeros(0, 4)
SMALL = {"inference.image_size": 128, "scenes.image_size": 128}


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    config = Config.from_flat({**SMALL, "inference.score_threshold": 0.01})
    return Pipeline(render_picture(config.scenes), config)


def test_proposals_are_the_detections_above_the_score_best_first(pipeline: Pipeline) -> None:
    everything = propose(pipeline, 0.0, NOTHING)
    assert len(everything.boxes) == len(pipeline.fates.order) == len(everything.names)
    above = float(everything.scores.median())
    some = propose(pipeline, above, NOTHING)
    assert (some.scores >= above).all() and len(some.scores) == int((everything.scores >= above).sum())
    assert some.scores.tolist() == sorted(some.scores.tolist(), reverse=True)
    assert len(propose(pipeline, 1.0, NOTHING).boxes) == 0


def test_nothing_is_proposed_where_a_box_is_drawn_or_was_rejected(pipeline: Pipeline) -> None:
    everything = propose(pipeline, 0.0, NOTHING)
    drawn, rejected = everything.boxes[:1], everything.boxes[1:2]
    rest = propose(pipeline, 0.0, drawn, rejected)
    kept = {tuple(box) for box in rest.boxes.tolist()}
    assert 0 < len(rest.boxes) <= len(everything.boxes) - 2
    assert not kept & {tuple(box) for box in everything.boxes[:2].tolist()}
    far = torch.tensor([[-90.0, -90.0, -80.0, -80.0]])
    assert len(propose(pipeline, 0.0, far).boxes) == len(everything.boxes) and 0 < MAX_OVERLAP < 1


@pytest.mark.parametrize(
    ("scores", "doubt"),
    [([], 1.0), ([0.05], 1.0), ([0.5], 1.0), ([1.0], 0.0), ([0.9, 0.05], 0.2), ([1.0, 0.5], 0.5), ([0.25], 0.5)],
)
def test_doubt_by_hand(scores: list[float], doubt: float) -> None:
    assert measure_doubt(torch.tensor(scores)) == pytest.approx(doubt, abs=1e-6)


def test_a_picture_is_summarised_once(pipeline: Pipeline) -> None:
    config, opened = pipeline.config.replace({"inference.score_threshold": 0.02}), []

    def open_picture() -> Picture:
        opened.append(pipeline.picture)
        return pipeline.picture

    key = pipeline.picture.pixels_key
    assert not is_summarised(key, config)
    summary = summarise(key, config, open_picture)
    assert is_summarised(key, config) and summarise(key, config, open_picture) is summary and len(opened) == 1
    assert sum(summary.counts.values()) == len(propose(pipeline, 0.5, NOTHING).boxes)


def test_classes_are_compared_without_case() -> None:
    assert known_classes(("Cat", "dog", "Straße"), ("CAT", "STRASSE", "bird")) == ("Cat", "Straße")
    assert known_classes(("Cat",), ()) == ()


def test_proposals_keep_the_classes_of_the_album_and_add_their_own() -> None:
    assert index_names(("dog", "CAT", "dog"), ("cat", "cell")) == (("cat", "cell", "dog"), [2, 0, 2])
    assert index_names((), ("cat",)) == (("cat",), [])


def test_a_proposal_whose_class_has_no_room_has_no_index() -> None:
    full = tuple(f"class {index}" for index in range(MAX_CLASSES))
    assert index_names(("new", "class 3"), full) == (full, [-1, 3])
