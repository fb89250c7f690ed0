"""The learning-rate finder in the training step."""

import json

import plotly.graph_objects as go
import pytest

from core.config import Config
from core.runs.about import RANGE_TEST, About
from core.runs.folder import FINISHED, STOPPED
from core.training.rate_finder import LOWEST, STEPS
from playground.events.evaluation import follow_link
from playground.events.run_start import start_run
from playground.events.training import list_runs
from playground.runs.listing import list_all
from playground.runs.service import RUNS
from playground.server.render import render
from playground.state.page_state import PageState
from playground.state.settings import settings_of
from tests.playground.made_runs import make_run, runs_at, step

NAME = "20260101-000000-001"
FALLING = [2.0] * 40 + [2 - 0.05 * step for step in range(20)] + [3.0] * 10


def make_test(tmp_path, losses: list[float], state: str = FINISHED) -> PageState:
    steps = [step(n + 1, loss - 0.25, learning_rate=LOWEST * 10 ** (n / 10)) for n, loss in enumerate(losses)]
    folder = make_run(tmp_path / NAME, {"training.steps": STEPS}, steps, state=state)
    folder.write_about(About(range_test=True))
    return PageState("training", run=NAME)


def test_a_finished_test_suggests_a_rate_that_a_click_applies(tmp_path):
    with runs_at(tmp_path):
        state = make_test(tmp_path, FALLING)
        shown = render(state)
        assert f"Learning-rate finder {NAME}: finished." in shown.readout
        rate = 10**-1.2  # in the middle of the fall: step 48 or so
        link = shown.readout.split("set training.learning_rate ")[1].split('"')[0]
        assert float(link) == pytest.approx(rate, rel=1)
        assert (
            f"Use {link} as the learning rate" in shown.readout
            and f"Try the learning rate {link}: there" in shown.readout
        )
        figure = json.loads(shown.figure)
        go.Figure(figure)
        assert [each["name"] for each in figure["data"]] == ["each step", "averaged", f"suggestion: {link}"]
        assert figure["layout"]["xaxis"]["type"] == "log" and len(figure["data"][0]["x"]) == len(FALLING)
        after = follow_link(state, f"set training.learning_rate {link}")
        assert after.config().training.learning_rate == float(link)


@pytest.mark.parametrize(
    ("losses", "state", "said"),
    [
        (FALLING, STOPPED, f"Stopped after {len(FALLING)} of {STEPS} steps: no suggestion."),
        ([1.0] * 60, FINISHED, "No suggestion: at no rate does the loss fall by 20%"),
        ([], STOPPED, f"{NAME}: stopped."),
    ],
)
def test_without_a_suggestion_there_is_nothing_to_use(tmp_path, losses, state, said):
    with runs_at(tmp_path):
        shown = render(make_test(tmp_path, losses, state))
        assert said in shown.readout and "as the learning rate" not in shown.readout
        assert "suggestion:" not in (shown.figure or "")


def test_lists_call_a_test_what_it_is(tmp_path):
    with runs_at(tmp_path):
        make_test(tmp_path, FALLING)
        assert [text for text, _ in list_runs(PageState("training")).choices] == [f"finished · {RANGE_TEST} · {NAME}"]
        assert [each.variant for each in list_all(RUNS)] == [RANGE_TEST]


def test_a_test_has_its_own_number_of_steps_and_no_evaluations(monkeypatch):
    started = []
    monkeypatch.setattr(RUNS, "start", lambda config, **options: started.append((config, options)))
    state = PageState("training", settings=settings_of(Config.from_flat({"training.steps": 10**6, "loss.gamma": 1})))
    start_run(state, "me", range_test=True)
    ((config, options),) = started
    assert (config.training.steps, config.training.eval_interval, config.loss.gamma) == (STEPS, 0, 1)
    assert options == {"owner": "me", "range_test": True}
