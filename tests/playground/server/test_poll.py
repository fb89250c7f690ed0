"""What the browser hears when it looks for news."""

import pytest

from core.config import Config
from core.weights.architecture import WeightsError
from playground.events.evaluation import news as news_of_evaluation
from playground.events.training import news as news_of_training
from playground.runs.service import RUNS
from playground.server.poll import PollResult, told
from playground.server.render import TOKENS
from playground.state.page_state import PageState
from playground.state.settings import settings_of
from tests.playground.made_runs import make_run, runs_at, step

ONE = "20260101-000000-001"
NOTHING = {"stamp": "", "soon": False}
SETTINGS = settings_of(Config())


@pytest.mark.parametrize(
    "request_", [None, [], {}, {"token": 3}, {"token": "unknown", "settings": None}, {"settings": {}}]
)
def test_whoever_asks_something_else_hears_nothing(request_):
    assert told(request_, "training", lambda state: PollResult("x", True)) == NOTHING


@pytest.mark.parametrize("token", ["unknown", None, 3])
def test_a_token_that_is_not_known_is_said_to_be_forgotten(token):
    assert told({"token": token, "settings": SETTINGS}, "training", lambda state: PollResult("x")) == {
        "forgotten": True
    }


def test_another_step_has_no_news():
    request_ = {"token": TOKENS.of(PageState("detections")), "settings": SETTINGS}
    assert told(request_, "training", lambda state: PollResult("x", True)) == NOTHING


@pytest.mark.parametrize("settings", [None, 3, "not JSON", '{"loss.gamma": "large"}'])
def test_settings_that_are_none_are_no_news(settings):
    token = TOKENS.of(PageState("evaluation"))
    assert told({"token": token, "settings": settings}, "evaluation", news_of_evaluation) == NOTHING


def test_weights_that_contradict_the_settings_are_no_news():
    settings = settings_of(Config.from_flat({"model.fpn_channels": 32}))
    request_ = {"token": TOKENS.of(PageState("evaluation")), "settings": settings}
    with pytest.raises(WeightsError):
        news_of_evaluation(PageState("evaluation", settings=settings))
    assert told(request_, "evaluation", news_of_evaluation) == NOTHING


def test_the_settings_of_now_count_and_not_those_of_the_token():
    token = TOKENS.of(PageState("evaluation", settings="{}"))
    heard = []
    told(
        {"token": token, "settings": SETTINGS}, "evaluation", lambda state: heard.append(state.settings) or PollResult()
    )
    assert heard == [SETTINGS]


def test_a_run_that_is_made_and_goes_on_is_news(tmp_path):
    with runs_at(tmp_path):
        before = news_of_training(PageState("training", run=ONE))
        folder = make_run(tmp_path / ONE, {"training.steps": 2}, [step(1)])
        begun = news_of_training(PageState("training", run=ONE))
        assert begun == news_of_training(PageState("training", run=ONE))
        with folder.metrics.open("a") as file:
            file.write("{}\n")
        onward = news_of_training(PageState("training", run=ONE))
        assert len({before.stamp, begun.stamp, onward.stamp}) == 3
        assert not any(each.soon for each in (before, begun, onward)) and RUNS.list() == [ONE]


def test_what_is_not_evaluated_is_no_news():
    assert news_of_evaluation(PageState("evaluation", settings=SETTINGS)).stamp == ""
