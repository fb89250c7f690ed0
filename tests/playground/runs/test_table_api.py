"""The requests of the table of runs, which can contain anything."""

import json

import pytest

from core.runs.about import About
from core.runs.folder import FAILED, QUEUED, RUNNING, RunFolder
from playground.runs.curves import MAX_RUNS
from playground.runs.labels import Label, read_label
from playground.runs.service import Runs
from playground.runs.table_api import handle_request
from tests.playground.made_runs import evaluation, make_run, step


@pytest.fixture
def runs(tmp_path):
    records = [*(step(number) for number in range(1, 4)), evaluation(3, 0.5)]
    make_run(tmp_path / "20260101-000000-001", {"training.steps": 3}, records)
    make_run(tmp_path / "20260101-000000-002", {"training.steps": 3, "loss.gamma": 0}, records)
    make_run(tmp_path / "swept" / "1-seed-0", {"training.steps": 3, "loss.gamma": 1}, records)
    return Runs(tmp_path)


ONE, TWO, SWEPT = "20260101-000000-001", "20260101-000000-002", "swept/1-seed-0"


def send(runs, **request):
    found = handle_request({"act": "look", **request}, runs)
    return found, json.loads(found["shown"]) if "shown" in found else None


def test_the_newest_come_first_and_those_of_the_command_line_last(runs):
    _, shown = send(runs)
    assert [row["run"] for row in shown["rows"]] == [TWO, ONE, SWEPT]
    assert shown["columns"][0]["key"] == "loss.gamma"
    assert [row["cells"][0] for row in shown["rows"]] == [[0.0, "0"], [2.0, "2"], [1.0, "1"]]
    assert shown["figure"] == "" and shown["trash"] == []


def test_contents_are_sent_again_only_when_they_change(runs):
    found, _ = send(runs)
    again, shown = send(runs, stamp=found["stamp"])
    assert again == {"said": "", "undo": ""} and shown is None
    _, shown = send(runs, stamp=found["stamp"], chosen=[ONE])
    assert shown["figure"]


def test_chosen_runs_are_drawn_with_their_titles(runs):
    send(runs, act="label", run=ONE, name="same", tags="")
    send(runs, act="label", run=TWO, name="same", tags="")
    _, shown = send(runs, chosen=[ONE, TWO, SWEPT, "none", 7])
    names = [trace["name"] for trace in json.loads(shown["figure"])["data"]][:3]
    assert names == [f"same · {TWO}", f"same · {ONE}", SWEPT]


def test_a_label_is_kept_and_shown(runs):
    found, shown = send(runs, act="label", run=SWEPT, name="<i>mine</i>", tags="a, b")
    assert found["said"] == "" and read_label(runs.root / SWEPT) == Label("<i>mine</i>", ("a", "b"))
    row = shown["rows"][2]
    assert (row["title"], row["tags"]) == ("<i>mine</i>", ["a", "b"])
    found, _ = send(runs, act="label", run=SWEPT, name="x" * 1000, tags="")
    assert "choose a shorter one" in found["said"] and read_label(runs.root / SWEPT).name == "<i>mine</i>"


def test_a_run_is_deleted_and_restored(runs):
    found, shown = send(runs, act="delete", run=ONE)
    assert ONE in found["said"] and len(shown["rows"]) == 2 and shown["trash"][0]["name"] == ONE
    found, shown = send(runs, act="restore", key=found["undo"])
    assert "is back" in found["said"] and len(shown["rows"]) == 3 and shown["trash"] == []
    assert not [path for path in runs.root.iterdir() if path.name.startswith("label")]


def test_an_active_run_is_not_deleted(runs):
    with runs.folder(ONE).acquire_lock():
        runs.folder(ONE).write_status(RUNNING)
        found, _ = send(runs, act="delete", run=ONE)
    assert found["said"] == f"{ONE} is running: stop it first, then delete it." and found["undo"] == ""
    runs.folder(TWO).write_status(QUEUED)
    runs.open = lambda: None  # no training here
    found, shown = send(runs, act="delete", run=TWO)
    assert "is queued: stop it first" in found["said"] and len(shown["rows"]) == 3
    assert shown["rows"][0]["state"] == "queued, number 1" and shown["rows"][0]["active"]
    found, _ = send(runs, act="delete", run=ONE)  # its process has ended by now
    assert "is deleted" in found["said"]


@pytest.mark.parametrize("run", ["..", ".trash", "/etc", "", None, 3, ["x"], "swept", "20260101-000000-001/.."])
@pytest.mark.parametrize("act", ["delete", "label"])
def test_only_runs_of_the_table_are_touched(runs, run, act):
    before = sorted(runs.root.rglob("*"))
    found, _ = send(runs, act=act, run=run, name="x", tags="")
    assert "no longer exists" in found["said"]
    assert [path for path in sorted(runs.root.rglob("*")) if path.name != ".queue"] == before


@pytest.mark.parametrize("request_", [None, [], "x", 3])
def test_a_malformed_request_is_refused_with_a_message(runs, request_):
    assert "cannot be read" in handle_request(request_, runs)["said"]


@pytest.mark.parametrize(
    "request_", [{}, {"act": "fly"}, {"act": ["x"]}, {"chosen": "x", "stamp": {}}, {"act": "restore"}]
)
def test_odd_requests_change_nothing(runs, request_):
    found = handle_request(request_, runs)
    assert len(json.loads(found["shown"])["rows"]) == 3


def test_an_empty_folder_and_a_missing_one(tmp_path):
    for place in (tmp_path, tmp_path / "none"):
        _, shown = send(Runs(place))
        assert shown["rows"] == [] and shown["trash"] == []
    found, _ = send(Runs(tmp_path / "none"), act="delete", run="x")
    assert found["said"]


def test_too_many_to_draw_are_refused_and_the_table_stays(tmp_path):
    names = [f"run-{number:02}" for number in range(MAX_RUNS + 1)]
    for name in names:
        make_run(tmp_path / name, {}, [step(1)])
    _, shown = send(Runs(tmp_path), chosen=names)
    assert f"at most {MAX_RUNS}" in shown["problem"] and not shown["figure"] and len(shown["rows"]) == MAX_RUNS + 1


@pytest.mark.parametrize("name", [ONE, SWEPT])
def test_the_reason_of_a_failure_names_no_path_of_the_server(runs, name):
    folder, source = runs.root / name, runs.root.parent / "sets" / "mine"
    RunFolder(folder).write_about(About(str(source)))
    RunFolder(folder).write_status(FAILED, f"{source}/a.json of {source} does not fit {folder}/checkpoint.safetensors.")
    _, shown = send(runs)
    (row,) = (each for each in shown["rows"] if each["run"] == name)
    assert row["message"] == "a.json of mine does not fit checkpoint.safetensors."
    if name == ONE:
        assert runs.read_progress(name).status.message == row["message"]
