"""Other frameworks in the detections step: what the core compared is drawn and counted, and only where it is asked."""

import pytest
import torch

from core.config import Config, ConfigError
from core.conventions.comparison import compare
from core.conventions.convention import FRAMEWORKS
from core.conventions.table import CONVENTIONS
from core.conventions.view import Subject
from core.conventions.words import summarise
from playground.canvas.edit import Pick
from playground.data.picture import render_picture
from playground.inspector.detection import DRAWN_FROM
from playground.pipeline.pipeline import Pipeline
from playground.steps import STEPS
from playground.steps.dials import OTHERS, Dials, parse_dials
from playground.steps.frameworks import compared
from playground.steps.frameworks.view import NO_OBJECTS, WHOLE
from playground.steps.step import Focus
from tests.playground.inspector.test_inspect import SMALL
from tests.playground.steps.drawable import require_drawable


def pipeline(*, postpone_slow: bool = False, **changes) -> Pipeline:
    config = Config.from_flat({**SMALL, **{key.replace("__", "."): each for key, each in changes.items()}})
    return Pipeline(render_picture(config.scenes), config, postpone_slow=postpone_slow)


def shown(here: Pipeline, framework: str, pick: Pick | None = None):
    return STEPS["detections"].build_view(here, Focus(pick=pick, dials=Dials(OTHERS, framework=framework)))


@pytest.fixture
def counted(monkeypatch) -> list[str]:
    """The frameworks that were compared, from now on."""
    found = []

    def count(subject, config, framework):
        found.append(framework)
        return compare(subject, config, framework)

    monkeypatch.setattr(compared, "compare", count)
    return found


def test_nothing_is_compared_unless_it_is_asked_for(counted):
    text = STEPS["detections"].build_view(pipeline(), Focus()).build_text()
    assert counted == [] and ("Other frameworks", OTHERS) in text.dials[0].choices


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_what_is_drawn_and_counted_is_what_the_core_compared(framework, counted):
    here = pipeline(scenes__seed=3)
    view = shown(here, framework)
    text = require_drawable(view, here)
    assert counted == [framework]
    subject = Subject(here.network.model, here.prediction, here.pyramid.levels[3], here.objects[0], here.labels)
    comparison = compare(subject, here.config, framework)
    found, layers = comparison.difference.detections, {layer.key: layer for layer in view.layers}
    for key, of, chosen in (
        ("framework-lost", comparison.here.detections, found.lost),
        ("framework-new", comparison.there.detections, found.new),
        ("framework-there", comparison.there.detections, found.there[found.changed]),
    ):
        strong = chosen[of.scores[chosen] >= DRAWN_FROM]
        assert torch.equal(torch.as_tensor(layers[key].boxes), of.boxes[strong])
    assert summarise(comparison) in text.readout.unescape()
    assert all(convention.title in text.readout.unescape() for convention in CONVENTIONS)  # at least its source
    lost, new, changed = text.figure["data"]
    together = len(found.lost), len(found.new), int(found.changed.sum())
    assert (lost["y"][-1], new["y"][-1], changed["y"][-1]) == together
    assert STEPS["detections"].build_figure(here, Focus(dials=Dials(OTHERS, framework=framework))) == text.figure


def test_the_anchors_that_differ_are_those_of_the_clicked_location():
    here = pipeline()
    layers = {layer.key: layer for layer in shown(here, "detectron2", Pick(20, 30, "", -1)).layers}
    ours, theirs = (torch.as_tensor(layers[key].boxes) for key in ("framework-anchors-here", "framework-anchors"))
    assert len(ours) == len(theirs) > 0 and not layers["framework-anchors"].visible
    nearest = theirs[:9]  # of P3: the whole location differs, rounding alone aside
    assert ((nearest[:, :2] + nearest[:, 2:]) / 2 - torch.tensor([20.0, 30.0])).abs().max() <= 8


def test_a_click_does_here_as_there():
    text = shown(pipeline(), "mmdetection").build_text().readout
    assert 'data-choose="set anchors.convention exact"' in text and 'data-choose="set loss.box_loss l1"' in text
    assert "set loss.box_weight" not in text  # which is as there
    assert (
        "set anchors.convention" not in shown(pipeline(anchors__convention="exact"), "mmdetection").build_text().readout
    )


def test_without_known_objects_nothing_is_said_of_their_assignment_and_losses():
    text = shown(pipeline(scenes__empty_share=1.0), "detectron2").build_text().readout
    assert "assignment:" not in text and "losses:" not in text and NO_OBJECTS in text
    assert NO_OBJECTS not in shown(pipeline(), "detectron2").build_text().readout
    assert "nothing" not in text.partition("Without effect here:")[0]
    assert "the loss is divided by" in text.partition("Without effect here:")[2]


@pytest.mark.parametrize("changes", [{"inference__tile_size": 64}, {"inference__test_time_flip": True}])
def test_tiles_and_views_are_said_to_be_left_out(changes):
    assert WHOLE in shown(pipeline(**changes), "torchvision").build_text().readout
    assert WHOLE not in shown(pipeline(), "torchvision").build_text().readout


def test_weights_that_a_framework_refuses_are_said_to_be_refused():
    text = shown(pipeline(model__p6_source="p5"), "detectron2").build_text().readout
    assert "so that its network refuses these weights: this is what its other conventions would do." in text
    assert "model.p6_source" not in text.partition("<table")[0]


def test_what_cannot_be_compared_says_so(counted, monkeypatch):
    refused = shown(pipeline(matching__assigner="atss"), "torchvision").build_text()
    assert "is not in the RetinaNet of torchvision" in refused.readout and refused.figure is None
    monkeypatch.setattr(compared, "QUICK_OUTPUTS", 10)
    held = shown(pipeline(postpone_slow=True, scenes__seed=7), "torchvision").build_text()
    assert "once you release the knob" in held.readout
    monkeypatch.setattr(compared, "MAX_OUTPUTS", 10)
    large = shown(pipeline(scenes__seed=8), "torchvision").build_text()
    assert "compares at most 10" in large.readout and counted == []
    assert [each.name for each in large.dials] == ["graph", "framework"]


def test_dials():
    assert parse_dials("graph=frameworks&framework=mmdetection") == Dials(OTHERS, framework="mmdetection")
    with pytest.raises(ConfigError):
        parse_dials("framework=nothing")
