"""Pinned settings: in the link, in words, and beside the present ones."""

import json
from types import SimpleNamespace

import gradio as gr
import pytest
import torch

from core.config import Config, ConfigError
from core.evaluation.dataset_predictions import ImageResult
from core.runs.about import About
from core.structures import Detections, GroundTruth
from playground.canvas.edit import Pick
from playground.data.picture import render_picture
from playground.evaluations.query import EvaluationQuery
from playground.evaluations.results import EvaluationResult
from playground.evaluations.status import JobStatus
from playground.events.picture import connect_picture
from playground.events.pinning import connect_pinning
from playground.layout.layout import lay_out
from playground.pipeline.pipeline import Pipeline
from playground.server.permalink import from_link, to_link
from playground.server.pin_diff import changes
from playground.server.render import render
from playground.state.page_state import PageState, pin_of
from playground.state.settings import settings_of
from playground.state.user_picture import UserPicture
from playground.steps.evaluation import step as evaluation_step
from tests.playground.made_runs import evaluation, make_run, runs_at, step

PRECISION = "graph=ap&counted=60"
SMALL = {"model.weights": "random", "model.fpn_channels": 32, "model.num_convs": 1, "inference.image_size": 96}


def config(**values) -> Config:
    return Config.from_flat({**SMALL, **{key.replace("__", "."): value for key, value in values.items()}})


def state_of(present: Config, pinned: Config, step: str = "detections", **more) -> PageState:
    return PageState(step, settings=settings_of(present), pinned=pin_of(pinned), **more)


@pytest.mark.parametrize("pinned", [Config(), config(), Config.from_flat({"anchors.ratios": (0.5, 1.0)})])
@pytest.mark.parametrize("beside", [True, False])
def test_a_link_holds_what_is_pinned(pinned, beside):
    wanted = state_of(config(loss__gamma=1.5), pinned, beside=beside)
    got = from_link(to_link(wanted, wanted.config()))
    assert got == wanted and got.pinned_config() == pinned


def test_pins_of_links_come_from_anyone():
    for pin in (
        "loss.gamma%3D99",
        "nonsense",
        "model.weights%3D/etc/passwd",
        "matching.fg_iou_threshold%3D0.1",
        "a%3D1",
    ):
        with pytest.raises(ConfigError, match="In the pinned settings"):
            from_link(f"pinned={pin}")
    with pytest.raises(ConfigError, match="beside"):
        from_link("pinned=defaults&beside=1")
    assert from_link("beside=true").beside is False  # nothing is pinned
    assert from_link("pinned=defaults").pinned_config() == Config()


def test_changes_name_knob_old_and_new_value():
    before, after = config(loss__gamma=0.5, anchors__ratios=(1.0,)), config(loss__gamma=2.0)
    said = changes(Pipeline(render_picture(before.scenes), before), Pipeline(render_picture(after.scenes), after))
    assert "2 changes since A" in said
    assert "γ (focusing) <del>0.5</del> → <ins>2</ins>" in said
    assert "<del>1.0</del> → <ins>0.5, 1.0, 2.0</ins>" in said
    same = changes(Pipeline(render_picture(before.scenes), before), Pipeline(render_picture(before.scenes), before))
    assert "Nothing differs" in same


def test_drawn_objects_are_a_change_and_names_are_escaped():
    here = Pipeline(render_picture(config().scenes), config())
    drawn = here.picture.with_objects(torch.tensor([[5.0, 5, 90, 90]]), torch.tensor([0]), ("<b>",))
    said = changes(here, Pipeline(drawn, config()))
    assert f"Objects <del>{len(here.objects[0])} drawn</del> → <ins>1 drawn</ins>" in said
    evil = render_picture(config(scenes__seed=5).scenes)
    named = type(evil)("<img src=x>", evil.sample, evil.class_names, evil.pixels_key, evil.objects_key)
    said = changes(here, Pipeline(named, config()))
    assert "<img" not in said and "&lt;img src=x&gt;" in said


@pytest.mark.parametrize("step", ["picture", "network", "anchors", "assignment", "loss", "detections", "training"])
def test_beside_shows_what_the_page_showed_when_it_was_pinned(step):
    present, pinned = config(inference__score_threshold=0.3, scenes__seed=2), config(inference__score_threshold=0.009)
    shown = render(state_of(present, pinned, step, beside=True))
    alone = render(PageState(step, settings=settings_of(pinned)))
    a, before = json.loads(shown.other), json.loads(alone.canvas)
    assert {**a, "alt": "", "editable": False, "classes": []} == {**before, "alt": "", "editable": False, "classes": []}
    assert a["alt"].startswith("A, pinned") and not a["editable"]
    assert json.loads(shown.canvas)["picture"] != a["picture"]
    assert "<tr class=marked><td>Threshold</td>" in shown.counts and shown.beside is True


def test_a_pinned_picture_stays_as_it_was():
    here = Pipeline(render_picture(config().scenes), config())
    drawn = here.picture.with_objects(torch.tensor([[5.0, 5, 90, 90]]), torch.tensor([0]), ("a",))
    own = UserPicture(drawn, config().scenes)
    shown = render(state_of(config(), config(), "picture", pinned_picture=own, beside=True))
    assert json.loads(shown.other)["layers"][0]["count"] == 1
    assert json.loads(shown.canvas)["layers"][0]["count"] == len(here.objects[0])


def test_what_was_clicked_in_one_picture_is_a_mere_place_in_the_other():
    low = config(inference__score_threshold=0.005)
    picked = state_of(low, low, "detections", pick=Pick(40, 40, "before", 3), beside=True)
    layers = [layer["key"] for layer in json.loads(render(picked).other)["layers"]]
    assert "inspected" not in layers
    assert "inspected" in [layer["key"] for layer in json.loads(render(picked).canvas)["layers"]]


def test_nothing_more_is_sent_while_nothing_is_pinned_or_shown():
    shown = render(PageState("detections", settings=settings_of(config())))
    assert (shown.changes, shown.beside, shown.other, shown.counts) == (None,) * 4
    shown = render(state_of(config(), config()))
    assert shown.beside is False and shown.other is None and shown.counts is None


def test_pinned_weights_that_do_not_fit_are_explained_and_b_stays():
    shown = render(state_of(config(), Config.from_flat({"model.num_convs": 2}), beside=True))
    assert shown.notice == "" and shown.canvas and "“Head convolutions” = 2 contradicts" in shown.changes


def names_in_figure(state: PageState) -> list[str]:
    return [each["name"] for each in json.loads(render(state).figure)["data"]]


def test_every_figure_shows_what_is_pinned():
    wide, narrow = config(loss__smooth_l1_beta=0.5), config()
    assert "A: smooth L1, β = 0.5" in names_in_figure(state_of(narrow, wide, "assignment", dials="graph=boxes"))
    found = state_of(Config.from_flat({}), Config.from_flat({"inference.score_threshold": 0.7}), dials=PRECISION)
    assert any(name.startswith("A: ") for name in names_in_figure(found))


def test_a_run_is_drawn_with_the_run_that_the_pinned_weights_are_from(tmp_path):
    with runs_at(tmp_path / "runs"):
        for name, loss in (("first", 0.9), ("second", 0.5)):
            run = make_run(tmp_path / "runs" / name, {}, [step(1, loss), step(2, loss / 2), evaluation(2, loss / 3)])
            run.write_about(About())
        first = Config.from_flat({"model.weights": str(tmp_path / "runs" / "first" / "weights.safetensors")})
        state = state_of(Config(), first, "training", run="second")
        assert {"classification", "A: classification", "A: AP"} <= set(names_in_figure(state))
        assert "A: classification" not in names_in_figure(state._replace(run="first"))
        assert "A: classification" not in names_in_figure(state._replace(pinned=pin_of(Config())))


def test_an_evaluation_is_drawn_with_that_of_the_pinned_settings(monkeypatch):
    truth = GroundTruth(torch.tensor([[0.0, 0, 20, 20]]), torch.tensor([0]), torch.tensor([False]))
    results = {}
    for name, score in (("random", 0.9), ("builtin", 0.3)):
        found = Detections(torch.tensor([[0.0, 0, 20, 20]]), torch.tensor([score]), torch.tensor([0]))
        results[name] = EvaluationResult.from_images([ImageResult(found, truth, 7)], ["a"], ("cat",), 0.5)
    done = {name: JobStatus("finished", 1, 1, result=each) for name, each in results.items()}
    monkeypatch.setattr(evaluation_step, "job_status", lambda pipeline: done.get(pipeline.config.model.weights))
    query = EvaluationQuery(figure="calibration")
    state = state_of(config(), Config(), "evaluation", evaluation_query=query)
    assert "A: all classes" in names_in_figure(state)
    assert "A: perfect calibration" not in names_in_figure(state)
    assert evaluation_step.STEP.without_pinned not in render(state).changes
    del done["builtin"]
    assert "A: all classes" not in names_in_figure(state)
    assert evaluation_step.STEP.without_pinned in render(state).changes


@pytest.mark.slow
def test_a_click_on_the_picture_before_is_not_taken_for_one_on_the_next(monkeypatch):
    with gr.Blocks(analytics_enabled=False) as blocks:
        page = lay_out()
        connect_pinning(page)
        connect_picture(page)
    clicked = state_of(config(), config(scenes__seed=7), "picture", pick=Pick(40, 40, "truth", 0))
    values = [getattr(clicked, field) for field in page.state]
    back, example = page.pins.to_pinned, page.controls.picture.example
    for component, kind, more in ((back, "click", ()), (example, "input", (example.choices[0][1],))):
        (event,) = (each for each in blocks.fns.values() if (component._id, kind) in each.targets)
        updates = event.fn(SimpleNamespace(cookies={}), *values, *more)
        assert updates[page.state["pick"]] is None
