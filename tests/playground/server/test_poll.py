"""What the browser hears when it looks for news."""

import pytest

from core.config import Config
from core.weights.architecture import WeightsError
from playground.events.evaluation import poll_evaluation
from playground.events.training import poll_runs
from playground.runs.service import RUNS
from playground.server.poll import FOLLOWED, PollResult, answer_poll
from playground.server.tokens import TOKENS
from playground.state.page_state import PageState
from playground.state.settings import settings_of
from tests.playground.made_runs import make_run, runs_at, step

ONE = "20260101-000000-001"
NOTHING = PollResult()._asdict()
SETTINGS = settings_of(Config())


@pytest.mark.parametrize(
    "request_", [None, [], {}, {"token": 3}, {"token": "unknown", "settings": None}, {"settings": {}}]
)
def test_whoever_asks_something_else_hears_nothing(request_):
    assert answer_poll(request_, "training", lambda state: PollResult("x", True)) == NOTHING


@pytest.mark.parametrize("token", ["unknown", None, 3])
def test_a_token_that_is_not_known_is_said_to_be_forgotten(token):
    assert answer_poll({"token": token, "settings": SETTINGS}, "training", lambda state: PollResult("x")) == {
        "forgotten": True
    }


def test_another_step_shows_no_numbers_but_may_follow_what_ends():
    request_ = {"token": TOKENS.issue(PageState("detections")), "settings": SETTINGS}
    result = PollResult("x", True, f"{FOLLOWED}c", "end")
    assert answer_poll(request_, "training", lambda state: result) == result._replace(stamp="")._asdict()


@pytest.mark.parametrize("settings", [None, 3, "not JSON", '{"loss.gamma": "large"}'])
def test_settings_that_are_none_are_no_news(settings):
    token = TOKENS.issue(PageState("evaluation"))
    assert answer_poll({"token": token, "settings": settings}, "evaluation", poll_evaluation) == NOTHING


def test_weights_that_contradict_the_settings_are_no_news():
    settings = settings_of(Config.from_flat({"model.fpn_channels": 32}))
    request_ = {"token": TOKENS.issue(PageState("evaluation")), "settings": settings}
    with pytest.raises(WeightsError):
        poll_evaluation(PageState("evaluation", settings=settings))
    assert answer_poll(request_, "evaluation", poll_evaluation) == NOTHING


def test_the_settings_of_now_count_and_not_those_of_the_token():
    token = TOKENS.issue(PageState("evaluation", settings="{}"))
    heard = []
    answer_poll(
        {"token": token, "settings": SETTINGS}, "evaluation", lambda state: heard.append(state.settings) or PollResult()
    )
    assert heard == [SETTINGS]


def test_a_run_that_is_made_and_goes_on_is_news(tmp_path):
    with runs_at(tmp_path):
        before = poll_runs(PageState("training", run=ONE))
        folder = make_run(tmp_path / ONE, {"training.steps": 2}, [step(1)])
        begun = poll_runs(PageState("training", run=ONE))
        assert begun == poll_runs(PageState("training", run=ONE))
        with folder.metrics.open("a") as file:
            file.write("{}\n")
        onward = poll_runs(PageState("training", run=ONE))
        assert len({before.stamp, begun.stamp, onward.stamp}) == 3
        assert before.controls != begun.controls == onward.controls  # a step changes no button and no list
        assert not any(each.soon or each.controls.startswith(FOLLOWED) for each in (before, begun, onward))
        assert RUNS.names() == [ONE]


def test_what_is_not_evaluated_is_no_news():
    assert poll_evaluation(PageState("evaluation", settings=SETTINGS)).stamp == ""
