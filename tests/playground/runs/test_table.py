"""What the table of runs says of folders: worked out by hand, and of folders that are empty, broken or huge."""

import json
import math

import pytest

from core.config import Config, knobs
from core.errors import UserError
from core.runs.folder import RunFolder
from playground.components import html
from playground.runs.curves import MOST, POINTS, Curves, curves_of, overlaid, thinned
from playground.runs.table import ListedRun, cells_of, columns_of, differing, read_run
from tests.playground.made_runs import evaluation, make_run, step


def read(folder: RunFolder, state: str = "finished", arm: str = ""):
    return read_run(ListedRun(folder.path.name, folder, state, state, arm=arm), RunFolder.read_records)


def texts(run, runs) -> dict[str, str]:
    columns = columns_of(runs)
    return {column.key: cell.text for column, cell in zip(columns, cells_of(run, columns), strict=True)}


def test_only_what_differs_is_told_by_its_declared_name():
    one, other = Config(), Config.from_flat({"loss.gamma": 0, "anchors.scales": (1.0,)})
    assert differing([one, other]) == ["anchors.scales", "loss.gamma"]
    assert differing([one, one]) == differing([one]) == differing([]) == []
    assert differing([one, other, Config.from_flat({"training.seed": 1})])[-1] == "training.seed"


def test_settings_and_results_of_two_runs(tmp_path):
    """Eight steps of four pictures at eight a second are four seconds."""
    settings = {"training.batch_size": 4, "training.steps": 8}
    records = [*(step(number, number / 8) for number in range(1, 9)), evaluation(8, 0.25)]
    one = read(make_run(tmp_path / "one", settings, records))
    other = read(
        make_run(tmp_path / "other", settings | {"loss.kind": "balanced_cross_entropy"}, records[:2]), arm="arm"
    )
    assert texts(one, [one, other]) == {
        "loss.kind": "focal", "steps": "8", "ap": "0.250", "ap50": "0.250", "ap75": "0.250", "classification": "0.562",
        "box": "0.250", "foreground": "30", "speed": "8.0", "time": "0:04",
    }  # fmt: skip
    cut = texts(other, [one, other])
    assert cut["loss.kind"] == "balanced cross entropy" and cut["steps"] == "2 of 8" and cut["ap"] == "–"
    assert (one.title, other.title) == ("one", "arm")
    assert columns_of([one, other])[0].title == knobs()["loss.kind"].label
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
    assert texts(runs[1], runs)["time"] == "–"  # how many pictures a step had is not known
    json.dumps([cells_of(run, columns_of(runs)) for run in runs], allow_nan=False)
    json.dumps(overlaid([(run.title, run.curves) for run in runs]), allow_nan=False)


def test_a_run_that_goes_on_is_read_again(tmp_path):
    folder = make_run(tmp_path / "one", {}, [step(1)])
    assert read(folder).summary.step == 1
    with folder.metrics.open("a") as file:
        file.write(json.dumps(step(2)) + "\n")
    assert read(folder).summary.step == 2


def test_long_values_keep_their_end(tmp_path):
    long = "/home/somebody/" + "x" * 200 + "/weights.safetensors"
    runs = [read(make_run(tmp_path / name, {"model.weights": name}, [])) for name in ("builtin", long[-20:])]
    told = texts(runs[1], runs)["model.weights"]
    assert told == "/weights.safetensors"
    far = read(make_run(tmp_path / "far", {"model.weights": long}, []))
    assert len(texts(far, [far, runs[0]])["model.weights"]) == 28
    assert texts(far, [far, runs[0]])["model.weights"].startswith("…xxx")


def test_curves_add_both_losses_and_leave_out_what_is_no_number():
    curves = curves_of([step(1, 1.0), step(2, math.nan), step(3, 2.0)], [evaluation(2, 0.5), evaluation(3, None)])
    assert curves == Curves((1, 3), (1.25, 2.25), (2,), (0.5,))
    assert curves_of([], []) == Curves((), (), (), ())


@pytest.mark.parametrize("count", [1, 2, 11, 12, 3000, 100_001])
def test_curves_are_thinned_to_a_few_hundred_points(count):
    steps, heights = thinned([(number, float(number)) for number in range(1, count + 1)])
    assert steps[0] == 1 and steps[-1] == count and len(steps) == len(heights) <= POINTS
    assert list(steps) == sorted(steps) and heights[-1] <= count
    kept = curves_of([], [evaluation(number, 0.5) for number in range(1, count + 1)]).ap_steps
    assert kept[-1] == count and len(kept) <= POINTS


def test_curves_of_runs_can_be_told_apart_and_have_their_names():
    curves = Curves((1,), (1.0,), (1,), (0.5,))
    figure = overlaid([(f"<b>{number}</b>", curves) for number in range(MOST)])
    losses, precision = figure["data"][:MOST], figure["data"][MOST:]
    styles = [(trace["line"]["color"], trace["line"]["dash"]) for trace in losses]
    assert len(set(styles)) == MOST and styles == [(each["line"]["color"], each["line"]["dash"]) for each in precision]
    assert losses[3]["name"] == "&lt;b&gt;3&lt;/b&gt;" and {trace["yaxis"] for trace in precision} == {"y2"}
    with pytest.raises(UserError, match=f"{MOST + 1} runs; at most {MOST}"):
        overlaid([("x", curves)] * (MOST + 1))


def test_what_a_diverging_run_pays_is_written_as_a_power_of_ten():
    assert html.number(495_305_129_984.0) == "4.95e+11" and html.number(-2e6) == "-2.00e+06"
    assert html.number(999_999.0) == "999999.000" and html.number(None) == "–"
