"""What the training step shows around a run."""

import json
from types import SimpleNamespace

import gradio as gr
import pytest

from core.config import Config
from core.data.untrusted import DataError
from core.errors import PictureError
from core.runs.folder import RunError
from playground.events.run_start import start_run
from playground.events.training import RunList, connect_training, list_runs
from playground.layout.layout import lay_out
from playground.runs.labels import Label, write_label
from playground.runs.service import RUNS
from playground.state.page_state import PageState
from playground.state.settings import settings_of
from playground.support.visitors import VISITORS
from tests.playground.made_runs import make_run, runs_at, step

ONE, TWO = "20260101-000000-001", "20260101-000000-002"


def test_the_list_calls_runs_what_people_call_them(tmp_path):
    folders = [make_run(tmp_path / name, {"training.steps": 1}, [step(1)]).path for name in (ONE, TWO)]
    with runs_at(tmp_path):
        before = RUNS.stamp("")
        write_label(folders[0], Label("small objects", ("a",)))
        assert RUNS.stamp("") != before  # a page that looks draws the list again
        choices = list_runs(PageState("training")).choices
    assert [text for text, _ in choices] == [f"finished · {TWO}", f"finished · small objects · {ONE}"]


def test_a_run_whose_evaluations_see_too_much_of_a_picture_is_refused(monkeypatch):
    monkeypatch.setattr(RUNS, "start", None)
    views = {"inference.image_size": 1600, "inference.test_time_scales": (1.0, 3.0), "inference.test_time_flip": True}
    tiles = {"inference.tile_size": 32, "inference.tile_overlap": 0.5, "scenes.image_size": 512}
    for settings, said in ((views, "3 other views would take about"), (tiles, "has 961 tiles of 32 px")):
        with pytest.raises(PictureError, match=said):
            start_run(PageState("training", settings=settings_of(Config.from_flat(settings))), "me")


def test_a_run_that_takes_hours_is_refused_where_visitors_are_apart(monkeypatch):
    started = []
    monkeypatch.setattr(RUNS, "start", lambda config, **_: started.append(config.training.steps))
    usual, long = (
        PageState("training", settings=settings_of(Config.from_flat({"training.steps": steps})))
        for steps in (200, 1_000_000)
    )
    start_run(long, "me")
    monkeypatch.setattr(VISITORS, "apart", True)
    start_run(usual, "me")
    with pytest.raises(
        RunError, match=r"^The run would take about [\d,]+ GFLOP, and one of a visitor's may take 2,000,"
    ):
        start_run(long, "me")
    assert started == [1_000_000, 200]


def test_a_run_on_scenes_that_evaluates_no_picture_is_refused_at_once(monkeypatch):
    monkeypatch.setattr(RUNS, "start", None)
    with pytest.raises(DataError, match="ask for 1 to"):
        start_run(PageState("training", settings=settings_of(Config.from_flat({"training.eval_images": 0}))), "me")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["tick", "end"])
def test_news_of_a_run_leave_the_message_on_show_unless_there_is_another_one(tmp_path, kind):
    with gr.Blocks(analytics_enabled=False) as blocks:
        page = lay_out()
        holders = connect_training(page)
    (event,) = (each for each in blocks.fns.values() if (holders.polling._id, kind) in each.targets)
    make_run(tmp_path / ONE, {"training.steps": 1}, [step(1)])
    allowed = settings_of(Config.from_flat({"model.weights": "random", "inference.image_size": 96}))
    refused = json.dumps({**json.loads(allowed), "inference.score_threshold": 7})
    state = PageState("training", run=ONE, settings=allowed)
    with runs_at(tmp_path):
        news, refusal = (
            event.fn(SimpleNamespace(cookies={}), *(getattr(each, field) for field in page.state), RunList())
            for each in (state, state._replace(settings=refused))
        )
    assert page.parts["readout"] in news and page.parts["notice"] not in news
    assert "score" in refusal[page.parts["notice"]].lower()


@pytest.mark.slow
def test_a_run_chosen_while_the_answer_to_another_choice_is_on_its_way_stays_chosen(tmp_path):
    with gr.Blocks(analytics_enabled=False) as blocks:
        page = lay_out()
        connect_training(page)
    chosen = page.controls.training.run
    (event,) = (each for each in blocks.fns.values() if (chosen._id, "input") in each.targets)
    make_run(tmp_path / ONE, {"training.steps": 1}, [step(1)])
    settings = settings_of(Config.from_flat({"model.weights": "random", "inference.image_size": 96}))
    values = [getattr(PageState("training", run=ONE, settings=settings), field) for field in page.state]
    with runs_at(tmp_path):
        updates = event.fn(SimpleNamespace(cookies={}), *values, RunList())
    assert "value" not in updates[chosen]._constructor_args[0] and event.trigger_mode == "always_last"
