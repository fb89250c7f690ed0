"""Who pays the loss of a run, by class, in the training step."""

import json

import plotly.graph_objects as go
import pytest

from core.runs.about import About
from core.runs.metrics import read_shares
from playground.server.render import render
from playground.state.page_state import PageState
from playground.steps.dials import CLASSES, Dials
from playground.steps.shares.view import build_shares_figure, has_shares, shares_table
from tests.playground.made_runs import make_run, runs_at, step

NAME = "20260101-000000-001"
CHOSEN = Dials(of_run=CLASSES).to_text()


def shared(number: int, *shares: float):
    return {**step(number), "class_shares": list(shares)}


STEPS = [shared(number, 0.1, 0.3, 0.6) for number in range(1, 12)]


def show(tmp_path, steps: list, dials: str, classes: tuple[str, ...] = ("cat", "<b>")):
    make_run(tmp_path / NAME, {"training.steps": 20}, steps).write_about(About(classes=classes))
    return render(PageState("training", run=NAME, dials=dials))


def test_the_shares_are_one_of_the_figures_of_a_run(tmp_path):
    with runs_at(tmp_path):
        usual, chosen = (show(tmp_path, STEPS, dials) for dials in ("", CHOSEN))
    assert "Training run" in usual.figure and "who pays, by class" in usual.dials
    figure = json.loads(chosen.figure)
    go.Figure(figure)
    assert [each["name"] for each in figure["data"]] == ["&lt;b&gt;", "cat", "background"]  # who pays most first
    assert [each["y"] for each in figure["data"]] == [pytest.approx([each] * 2) for each in (0.3, 0.1, 0.6)]
    assert figure["data"][0]["x"] == [1, 11]  # the first step, and the mean of the ten others
    assert "Who paid in the last 11 steps" in chosen.readout and "<td>&lt;b&gt;</td><td>30%</td>" in chosen.readout


@pytest.mark.parametrize(
    ("steps", "classes"),
    [([step(1)], ("cat", "dog")), (STEPS, ()), (STEPS, ("cat",)), ([*STEPS, shared(12, 0.5, "x", 1)], ("cat", "dog"))],
)
def test_runs_that_do_not_tell_have_their_usual_figure(tmp_path, steps, classes):
    with runs_at(tmp_path):
        shown = show(tmp_path, steps, CHOSEN, classes)
    assert "Training run" in shown.figure and "who pays" not in shown.dials and "Who paid" not in shown.readout


def test_many_classes_share_a_curve():
    classes = [f"class {number}" for number in range(9)]
    steps = [shared(number, *[number / 100 for number in range(9)], 0.64) for number in (1, 2)]
    made = build_shares_figure(steps, classes)
    names = [each["name"] for each in made["data"]]
    assert names == [*(f"class {number}" for number in range(8, 2, -1)), "3 other classes", "background"]
    assert made["data"][6]["y"] == pytest.approx([0.03, 0.03])
    assert shares_table(steps, classes).count("<tr>") == 11


@pytest.mark.parametrize("odd", [None, 1, "ab", {}, [], [0.5], [0.5, None], [0.5, True], [0.5, 2], [0.5, float("nan")]])
def test_odd_shares_are_not_known(odd):
    assert read_shares({"class_shares": odd}, 1) is None and not has_shares([{"class_shares": odd}], ["cat"])
    assert read_shares({"class_shares": [0.5, 0.5]}, 1) == [0.5, 0.5] and read_shares({}, 1) is None
