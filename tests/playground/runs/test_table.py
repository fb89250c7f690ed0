"""The table of runs: rows computed by hand, and folders that are empty, broken or large."""

import json
import math

import pytest

from core.config import Config, knobs
from core.errors import UserError
from core.runs.folder import RunFolder
from playground.components import html
from playground.runs.curves import MAX_POINTS, MAX_RUNS, Curves, average_points, build_curves, build_figure
from playground.runs.table import ListedRun, build_cells, build_columns, find_differences, read_run
from tests.playground.made_runs import evaluation, make_run, step


def read(folder: RunFolder, state: str = "finished", variant: str = ""):
    return read_run(ListedRun(folder.path.name, folder, state, state, variant=variant), RunFolder.read_records)


def texts(run, runs) -> dict[str, str]:
    columns = build_columns(runs)
    return {column.key: cell.text for column, cell in zip(columns, build_cells(run, columns), strict=True)}


def test_only_settings_that_differ_are_listed():
    one, other = Config(), Config.from_flat({"loss.gamma": 0, "anchors.scales": (1.0,)})
    assert find_differences([one, other]) == ["anchors.scales", "loss.gamma"]
    assert find_differences([one, one]) == find_differences([one]) == find_differences([]) == []
    assert find_differences([one, other, Config.from_flat({"training.seed": 1})])[-1] == "training.seed"


def test_settings_and_results_of_two_runs(tmp_path):
    """Eight steps of four pictures at eight pictures per second take four seconds."""
    settings = {"training.batch_size": 4, "training.steps": 8}
    evaluated = {**evaluation(8, 0.25), "losses": {"classification": 0.5, "box": 0.125}}
    records = [*(step(number, number / 8) for number in range(1, 9)), evaluated]
    one = read(make_run(tmp_path / "one", settings, records))
    other = read(
        make_run(tmp_path / "other", settings | {"loss.kind": "balanced_cross_entropy"}, records[:2]), variant="variant"
    )
    assert texts(one, [one, other]) == {
        "loss.kind": "focal", "steps": "8", "ap": "0.250", "ap50": "0.250", "ap75": "0.250", "classification": "0.562",
        "box": "0.250", "held_out_classification": "0.500", "held_out_box": "0.125", "foreground": "30", "speed": "8.0",
        "time": "0:04",
    }  # fmt: skip
    cut = texts(other, [one, other])
    assert cut["loss.kind"] == "balanced cross entropy" and cut["steps"] == "2 of 8" and cut["ap"] == "–"
    assert (one.title, other.title) == ("one", "variant")
    assert build_columns([one, other])[0].title == knobs()["loss.kind"].label
    assert "loss.kind" not in texts(one, [one])


def test_folders_that_are_empty_broken_or_half_written(tmp_path):
    empty = RunFolder(tmp_path / "empty")
    empty.create()
    broken = make_run(tmp_path / "broken", {}, [step(1)])
    broken.config.write_text("{")
    odd = make_run(tmp_path / "odd", {}, [step(1, math.nan), step(2, math.inf), evaluation(2, None)])
    odd.metrics.open("a").write('{"step": 3, "classifi')
    runs = [read(each) for each in (empty, broken, odd)]
    assert [texts(run, runs)["steps"] for run in runs] == ["0", "1", "2 of 200"]
    assert texts(runs[2], runs)["classification"] == texts(runs[2], runs)["ap"] == "–"
    assert texts(runs[1], runs)["time"] == "–"  # the batch size is unknown
    json.dumps([build_cells(run, build_columns(runs)) for run in runs], allow_nan=False)
    json.dumps(build_figure([(run.title, run.results.curves) for run in runs]), allow_nan=False)


def test_a_run_that_has_grown_is_read_again(tmp_path):
    folder = make_run(tmp_path / "one", {}, [step(1)])
    assert read(folder).results.summary.step == 1
    with folder.metrics.open("a") as file:
        file.write(json.dumps(step(2)) + "\n")
    assert read(folder).results.summary.step == 2


def test_long_values_keep_their_end(tmp_path):
    long = "/home/somebody/" + "x" * 200 + "/weights.safetensors"
    weights = {"one": "builtin", "two": long[-20:]}
    runs = [read(make_run(tmp_path / name, {"model.weights": each}, [])) for name, each in weights.items()]
    told = texts(runs[1], runs)["model.weights"]
    assert told == "/weights.safetensors"
    far = read(make_run(tmp_path / "far", {"model.weights": long}, []))
    assert len(texts(far, [far, runs[0]])["model.weights"]) == 28
    assert texts(far, [far, runs[0]])["model.weights"].startswith("…xxx")


def test_curves_add_both_losses_and_leave_out_values_that_are_not_finite():
    curves = build_curves([step(1, 1.0), step(2, math.nan), step(3, 2.0)], [evaluation(2, 0.5), evaluation(3, None)])
    assert curves == Curves((1, 3), (1.25, 2.25), (2,), (0.5,))
    assert build_curves([], []) == Curves((), (), (), ())


@pytest.mark.parametrize("count", [1, 2, 11, 12, 3000, 100_001])
def test_curves_are_thinned_to_a_few_hundred_points(count):
    steps, heights = average_points([(number, float(number)) for number in range(1, count + 1)])
    assert steps[0] == 1 and steps[-1] == count and len(steps) == len(heights) <= MAX_POINTS
    assert list(steps) == sorted(steps) and heights[-1] <= count
    kept = build_curves([], [evaluation(number, 0.5) for number in range(1, count + 1)]).ap_steps
    assert kept[-1] == count and len(kept) <= MAX_POINTS


def test_curves_of_runs_are_distinguishable_and_named():
    curves = Curves((1,), (1.0,), (1,), (0.5,))
    figure = build_figure([(f"<b>{number}</b>", curves) for number in range(MAX_RUNS)])
    losses, precision = figure["data"][:MAX_RUNS], figure["data"][MAX_RUNS:]
    styles = [(trace["line"]["color"], trace["line"]["dash"]) for trace in losses]
    assert len(set(styles)) == MAX_RUNS and styles == [
        (each["line"]["color"], each["line"]["dash"]) for each in precision
    ]
    assert losses[3]["name"] == "&lt;b&gt;3&lt;/b&gt;" and {trace["yaxis"] for trace in precision} == {"y2"}
    with pytest.raises(UserError, match=f"{MAX_RUNS + 1} runs are selected; at most {MAX_RUNS}"):
        build_figure([("x", curves)] * (MAX_RUNS + 1))


def test_the_loss_of_a_diverging_run_is_written_as_a_power_of_ten():
    assert html.number(495_305_129_984.0) == "4.95·10¹¹" and html.number(-2e6) == "-2.00·10⁶"
    assert html.number(999_999.0) == "999999.000" and html.number(None) == "–"
