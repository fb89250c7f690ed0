"""Why this box: what the inspector draws and says is what the core computed, and only when it is asked."""

import pytest
import torch

from core.config import Config
from core.explain.evidence import find_evidence
from core.explain.maps import PIXELS, map_features
from core.explain.receptive_field import measure_field
from core.explain.target import BOX, CLASS, Subject, Target
from playground.canvas.canvas import payload
from playground.canvas.edit import Pick
from playground.canvas.view import View
from playground.data.picture import render_picture
from playground.inspector import explanation
from playground.inspector.inspect import inspect
from playground.inspector.location import find_anchors
from playground.inspector.why import ELSEWHERE, METHOD, SEES, Asked, explain_point
from playground.pipeline.pipeline import Pipeline
from playground.steps import STEPS
from playground.steps.dials import Dials
from playground.steps.step import Focus
from tests.playground.inspector.test_inspect import SMALL

pytestmark = pytest.mark.slow

PICK = Pick(40, 50, "kept", 0)


def pipeline(*, postpone_slow: bool = False, **changes) -> Pipeline:
    config = Config.from_flat({**SMALL, **{key.replace("__", "."): value for key, value in changes.items()}})
    return Pipeline(render_picture(config.scenes), config, postpone_slow=postpone_slow)


@pytest.fixture
def counted(monkeypatch) -> list[Target]:
    """The predictions for which a backward pass ran, from now on."""
    found = []

    def find(subject):
        found.append(subject.target)
        return find_evidence(subject)

    monkeypatch.setattr(explanation, "find_evidence", find)
    return found


def test_nothing_is_computed_unless_it_is_asked_for(counted):
    here = pipeline(model__num_convs=1)
    seen = inspect(here, PICK, Asked("", PIXELS))
    assert "Why this box?" in seen.text and 'data-choose="dial why class"' in seen.text and "why_at" not in seen.text
    assert seen.heat is None and not any(layer.key.startswith("sees") for layer in seen.layers)
    assert next(layer for layer in seen.layers if layer.key == "victims").visible
    assert "Why this box?" not in inspect(here, PICK).text  # in the other steps
    assert counted == []


@pytest.mark.parametrize(("part", "place"), METHOD)
def test_a_box_is_explained_by_the_gradient_of_the_core(part, place):
    here = pipeline()
    candidate = int(here.fates.order[0])
    target = Target(int(here.candidates.anchor[candidate]), int(here.candidates.label[candidate]), part)
    evidence = find_evidence(Subject(here.network.model, here.batch.pixels, here.grid, target))
    seen = inspect(here, PICK, Asked(part, place))
    assert METHOD[part, place] in seen.text.unescape() and SEES in seen.text
    if part == CLASS:
        score = here.candidates.score[candidate].item()
        assert torch.tensor(evidence.value).sigmoid().item() == pytest.approx(score, abs=1e-4)
    assert f"{evidence.value:.2f}" in seen.text
    if place != PIXELS:
        expected = map_features(evidence)
        assert seen.heat.scale == pytest.approx(expected.max().item(), rel=1e-4)
        assert torch.from_numpy(seen.heat.values).sub(expected / expected.max()).abs().max() < 1e-3
    height, width = here.batch.pixels.shape[-2:]
    assert seen.heat.extent == (0, 0, width, height) and seen.heat.values.max() == pytest.approx(1)
    layers = {layer.key: layer for layer in seen.layers}
    assert list(layers) == ["sees-most", "sees-half", "victims", "inspected"] and not layers["victims"].visible
    assert tuple(layers["sees-half"].boxes[0].tolist()) == measure_field(evidence.pixel_gradient).half


def test_a_map_of_a_large_picture_is_sent_in_fewer_cells_over_the_same_area():
    here = pipeline(inference__image_size=160)
    heat = inspect(here, PICK, Asked(CLASS, PIXELS)).heat
    assert heat.values.shape == (80, 80) and heat.extent == (0, 0, 160, 160)
    assert payload(View("data:,", 160, 160, heat=heat))


def test_it_is_computed_once(counted):
    for _ in range(2):
        here = pipeline(model__num_convs=2)
        for place in ("pixels", "features"):
            inspect(here, PICK, Asked(CLASS, place))
    assert len(counted) == 1
    inspect(here, PICK, Asked(BOX, PIXELS))
    assert len(counted) == 2


def test_a_point_is_explained_by_the_surest_of_its_anchors():
    here = pipeline()
    why = explain_point(here, (41, 52), Asked(CLASS, PIXELS))
    near = (here.grid.boxes[:, :2] + here.grid.boxes[:, 2:]) / 2 - torch.tensor([41.0, 52.0])
    anchor = next(layer for layer in why.layers if layer.key == "inspected").boxes[0]
    index = int((here.grid.boxes == torch.from_numpy(anchor)).all(dim=1).nonzero()[0])
    stride = here.grid.strides[int(here.grid.level[index])][0]
    assert near[index].abs().max() <= stride
    assert f"{here.prediction.outputs.logits[0][index].max().item():.2f}" in why.text


def test_while_a_knob_moves_nothing_slow_is_computed(counted):
    assert pipeline(model__num_convs=3).prediction  # the network itself has run
    seen = inspect(here := pipeline(postpone_slow=True, model__num_convs=3), PICK, Asked(CLASS, PIXELS))
    assert "once you release the knob" in seen.text and seen.heat is None and here.has_postponed
    assert counted == []


def test_a_picture_that_is_too_large_is_refused_in_a_sentence(monkeypatch, counted):
    monkeypatch.setattr(explanation, "MAX_GFLOPS", 0.001)
    seen = inspect(pipeline(inference__image_size=64), PICK, Asked(CLASS, PIXELS))
    assert "takes a backward pass" in seen.text and "Anchors at" in seen.text  # the rest of the report is there
    assert counted == [] and seen.heat is None


def test_a_box_of_a_tile_says_so():
    here = pipeline(inference__tile_size=64, inference__score_threshold=0.0)
    tiles = here.candidates.tile[here.fates.order]
    index = int((tiles >= 0).nonzero()[0])
    pick = Pick(40, 50, "before", int(here.fates.order[index]))
    seen = inspect(here, pick, Asked(CLASS, PIXELS))
    assert ELSEWHERE in seen.text and seen.heat is None


def test_a_box_of_a_mirrored_picture_says_so():
    here = pipeline(inference__test_time_flip=True, inference__score_threshold=0.0)
    other = int((here.candidates.view == 1).nonzero()[0])
    seen = inspect(here, Pick(40, 50, "before", other), Asked(CLASS, PIXELS))
    assert ELSEWHERE in seen.text and seen.heat is None


def test_a_prediction_without_a_gradient_has_an_empty_map(monkeypatch):
    def find(subject):
        found = find_evidence(subject)
        zeros = {name: torch.zeros_like(getattr(found, name)) for name in ("feature_gradient", "pixel_gradient")}
        return found._replace(**zeros)

    monkeypatch.setattr(explanation, "find_evidence", find)
    seen = inspect(pipeline(training__seed=5), PICK, Asked(BOX, PIXELS))
    assert "<dd>nothing</dd>" in seen.text and not seen.heat.values.any()
    assert not any(layer.key.startswith("sees") for layer in seen.layers)


def test_the_detections_step_draws_it_in_place_of_the_scores():
    here = pipeline()
    view = STEPS["detections"].build_view(here, Focus(pick=PICK, dials=Dials(why=BOX)))
    assert view.heat.key == "why" and view.heat.visible
    assert STEPS["detections"].build_view(here, Focus(pick=PICK)).heat.key == "scores"
    assert STEPS["detections"].build_view(here, Focus(dials=Dials(why=BOX))).heat.key == "scores"


def test_any_class_of_an_anchor_is_explained(counted):
    here = pipeline(model__num_convs=4)
    candidate = int(here.fates.order[0])
    for label in (0, 2):
        seen = inspect(here, PICK, Asked(CLASS, PIXELS, label))
        assert f'data-choose="dial why_of {label}" aria-pressed="true"' in seen.text and seen.heat is not None
    anchor = int(here.candidates.anchor[candidate])
    assert [(each.anchor, each.label) for each in counted] == [(anchor, 0), (anchor, 2)]
    assert inspect(here, PICK, Asked(CLASS, PIXELS, 10**5)).heat is not None  # a class that the network does not have


def test_the_anchor_at_a_point_is_the_surest_of_the_class(counted):
    here = pipeline(model__num_convs=5)
    assert inspect(here, Pick(40, 50), Asked(CLASS, PIXELS, 1)).heat is not None
    anchors = [each for level in range(5) for each in find_anchors(here.grid, level, (40, 50))]
    logits = here.prediction.outputs.logits[0][anchors, 1]
    assert [(each.anchor, each.label) for each in counted] == [(anchors[int(logits.argmax())], 1)]


@pytest.mark.parametrize("step", ["assignment", "loss"])
def test_the_anchor_that_is_clicked_is_explained_in_other_steps(step, counted):
    here = pipeline(model__num_convs={"assignment": 3, "loss": 6}[step])
    matched = torch.nonzero(here.match.foreground & ~here.match.forced).flatten().tolist()
    pick = Pick(40, 50, "foreground", 1)
    assert not any(view.heat.key == "why" for view in [STEPS[step].build_view(here, Focus(pick=pick))] if view.heat)
    assert counted == []
    view = STEPS[step].build_view(here, Focus(pick=pick, dials=Dials(why="class", why_of=1)))
    assert view.heat.key == "why" and [(each.anchor, each.label) for each in counted] == [(matched[1], 1)]
