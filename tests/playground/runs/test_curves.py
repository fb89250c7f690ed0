"""The figures of a run that diverged show every step, the last finite one, and what broke first."""

import json
import math

import pytest

from core.runs.divergence import Divergence
from core.runs.folder import DIVERGED, RUNNING, RunStatus
from core.runs.metrics import split_records
from playground.components.figures import to_json
from playground.runs.curves import (
    MAX_SINGLE,
    build_curves,
    build_figure,
    build_run_figure,
    describe_divergence,
    keep_points,
    name_last_step,
)
from playground.runs.progress import RunProgress, RunRecords
from playground.runs.table import ListedRun, read_run
from tests.playground.made_runs import make_run, step

MESSAGE = "Step 4 diverged (classification loss 258, box loss nan, gradient norm inf); the weights are those of step 3."
STEPS = [step(1, 350.0, box=1.0), step(2, 6715.0, box=50.0), step(3, 258.0, box=4e11)]
BROKEN = Divergence(4, 258.0, math.nan, math.inf)


def progress(state: str, message: str, steps: list = STEPS) -> RunProgress:
    own = RunRecords(None, steps, [])
    return RunProgress(RunStatus(state, message), None, (own,), own)


def test_a_run_that_diverged_shows_all_its_points_and_marks_the_loss_that_broke():
    made = build_run_figure(progress(DIVERGED, MESSAGE))
    by_name = {trace["name"]: trace for trace in made["data"]}
    assert by_name["classification"]["y"] == [350, 6715, 258] and by_name["box"]["mode"] == "lines+markers"
    last = next(trace for name, trace in by_name.items() if name.startswith("step 3, the last finite one"))
    assert (last["x"], last["y"], last["marker"]["symbol"]) == ([3], [4e11], "x")
    assert made["layout"]["yaxis"]["type"] == "log"


def test_a_run_that_goes_on_has_no_such_mark():
    made = build_run_figure(progress(RUNNING, ""))
    assert [trace["name"] for trace in made["data"]][:2] == ["classification", "box"]
    assert not any("finite" in trace["name"] for trace in made["data"])


def test_the_table_of_runs_tells_a_divergence_from_its_status(tmp_path):
    folder = make_run(tmp_path / "run", {}, STEPS, state=DIVERGED, message=MESSAGE)
    listed = ListedRun("run", folder, DIVERGED, "diverged", MESSAGE)
    curves = read_run(listed, lambda each: (STEPS, [])).results.curves
    assert curves.losses == (351.0, 6765.0, 258 + 4e11) and curves.divergence[:2] == (4, 258.0)
    loss, *_, last = build_figure([("without π", curves)])["data"]
    assert (
        loss["mode"] == "lines+markers" and last["x"] == [3] and last["name"].startswith("without π: step 3, the last")
    )


def test_the_losses_of_a_run_that_diverged_are_not_averaged_and_its_last_ones_all_kept():
    steps = [step(number, float(number)) for number in range(1, 10_001)]
    kept = build_curves(steps, [], BROKEN).loss_steps
    assert len(kept) <= MAX_SINGLE + 1 and kept[-200:] == tuple(range(9801, 10_001)) and kept[0] == 1
    assert keep_points([(1, 2.0), (2, 3.0)]) == ((1, 2), (2.0, 3.0)) and keep_points([]) == ((), ())


def test_a_curve_of_any_numbers_is_drawn():
    for large in (1e100, 10**100, math.inf, -math.inf, math.nan):
        steps = [step(number, large if number % 3 else -large) for number in range(1, 40)]
        assert split_records(steps)[0] == steps
        curves = build_curves(steps, [])
        for figure in (build_figure([("a", curves)]), build_run_figure(progress(RUNNING, "", steps))):
            json.loads(to_json(figure), parse_constant=pytest.fail)
    for larger in (1.1e100, 1.7e308, 10**101, 10**400, True, "1"):
        assert split_records([step(1, larger)]) == ([], [])


def test_a_divergence_is_told_in_a_sentence():
    said = "It diverged at step 4: the box loss stopped being a finite number, the classification loss had not yet."
    assert describe_divergence(BROKEN) == said


def test_the_last_step_of_a_run_that_was_ended_while_all_was_finite_is_not_called_the_last_finite_one():
    said = name_last_step(Divergence(4, 300.0, 1.0, 2.0), 3)
    assert said.startswith(
        "step 3, the last before it was ended: the loss stayed far above its first value, mostly the"
    )
    gradient = name_last_step(Divergence(4, 300.0, 1.0, math.inf), 3)
    assert gradient.startswith("step 3, the last finite one; then the gradient stopped being a finite number")
