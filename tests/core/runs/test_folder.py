import json

import pytest

from core.data.left_out import LeftOut
from core.io.jsonl import JsonLines
from core.runs.about import About
from core.runs.control import PAUSE, STOP, Control, read_control, write_control
from core.runs.folder import FAILED, RUNNING, RunError, RunFolder, RunStatus, append_line
from core.runs.metrics import read_shares, split_records
from core.training.records import StepRecord


def folder_in(path) -> RunFolder:
    folder = RunFolder(path / "run")
    folder.create()
    return folder


def test_what_is_written_is_read(tmp_path):
    folder = folder_in(tmp_path)
    assert folder.read_status() is None and folder.read_about() == About() and folder.read_metrics() == []
    folder.write_status(FAILED, "why")
    assert folder.read_status()[:2] == (FAILED, "why") and folder.read_status().since > 0
    folder.write_about(About("data", 5.0, "group", "gamma", "γ = 0"))
    assert folder.read_about() == About("data", 5.0, "group", "gamma", "γ = 0")


def test_about_leaves_what_others_have_noted(tmp_path):
    folder = folder_in(tmp_path)
    folder.about.write_text(json.dumps({"title": "mine", "source": 7, "arm": None}))
    assert folder.read_about() == About()  # values of another type are ignored
    folder.write_about(About("data"))
    assert json.loads(folder.about.read_text())["title"] == "mine" and folder.read_about().source == "data"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"state": 5}', '{"state": "dancing", "since": "x"}', "[" * 9999]
)
def test_damaged_files_do_not_stop_a_reader(tmp_path, text):
    folder = folder_in(tmp_path)
    for path in (folder.status, folder.about, folder.control, folder.metrics):
        path.write_text(text)
    assert folder.read_status().state == RUNNING  # its lock tells whether it really is
    assert folder.read_about() == About() and read_control(folder.control) == Control()
    assert folder.read_metrics() == []


def test_one_process_at_a_time(tmp_path):
    folder = folder_in(tmp_path)
    assert not folder.is_held()
    with folder.acquire_lock():
        assert folder.is_held()
        with pytest.raises(RunError, match="being trained by another process"):
            folder.acquire_lock()
    assert not folder.is_held()


def test_a_growing_file_is_read_on(tmp_path):
    path = tmp_path / "lines"
    lines = JsonLines(path)
    assert lines.read() == ()
    path.write_text('{"step": 1}\n{"ste')
    assert lines.read() == ({"step": 1},)
    path.write_text('{"step": 1}\n{"step": 2}\n')
    assert lines.read() == ({"step": 1}, {"step": 2})
    with path.open("a") as file:
        file.write('nonsense\n5\n{"step": "3"}\n{"step": 3}\n')
    assert [record["step"] for record in lines.read()] == [1, 2, 3]
    (tmp_path / "other").write_text('{"step": 7}\n')
    (tmp_path / "other").replace(path)
    assert lines.read() == ({"step": 7},)
    path.unlink()
    assert lines.read() == ()


def test_records_after_a_step_are_cut(tmp_path):
    folder = folder_in(tmp_path)
    for step in (1, 2, 3):
        folder.append(StepRecord(step, 1.0, 1.0, 0.1, 3, 1.0, 2.0))
        append_line(folder.snapshots, {"step": step})
    folder.drop_records_after(2)
    assert [record["step"] for record in folder.read_metrics()] == [1, 2]
    assert [record["step"] for record in JsonLines(folder.snapshots).read()] == [1, 2]


def test_shares_of_classes_are_recorded_as_far_as_they_are_known(tmp_path):
    folder = folder_in(tmp_path)
    folder.append(StepRecord(1, 1.0, 1.0, 0.1, 3, 1.0, 2.0, (1 / 3, 2 / 3)))
    folder.append(StepRecord(2, 1.0, 1.0, 0.1, 3, 1.0, 2.0))
    first, second = folder.read_records()[0]
    assert first["class_shares"] == read_shares(first, 1) == [0.3333, 0.6667] and "class_shares" not in second
    folder.write_about(About(classes=("cat", "owl")))
    assert folder.read_about().classes == ("cat", "owl")
    for odd in (None, "ab", [1], ["a", None], {"a": 1}):
        assert About.from_dict({"classes": odd}).classes == ()


def test_on_a_full_disk_the_status_can_be_written_still(tmp_path, monkeypatch):
    folder = folder_in(tmp_path)
    folder.write_status(RUNNING)

    def full(path, text):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("core.runs.folder.write_text", full)
    folder.write_status(FAILED, "full")
    assert folder.read_status()[:2] == (FAILED, "full")


def test_requests_to_a_run(tmp_path):
    path = tmp_path / "control.json"
    assert read_control(path) == Control() and not Control().is_paused_at(3)
    write_control(path, Control(PAUSE, 4))
    control = read_control(path)
    assert (
        control.is_single_step_at(3)
        and not control.is_single_step_at(2)
        and not control.is_paused_at(3)
        and control.is_paused_at(4)
    )
    write_control(path, Control(STOP))
    assert read_control(path) == Control(STOP) and not read_control(path).is_paused_at(9)


def test_a_status_has_a_short_message(tmp_path):
    folder = folder_in(tmp_path)
    folder.write_status(FAILED, "x" * 100_000)
    assert len(folder.read_status().message) == 2000 and isinstance(folder.read_status(), RunStatus)


@pytest.mark.parametrize(
    "damage",
    [{"box": None}, {"box": "1"}, {"foreground": True}, {"foreground": 10**400}, {"metrics": None}, {"metrics": {}},
     {"metrics": {"ap": "x", "ap50": 0.1}}, {"metrics": {"ap": 10**400, "ap50": 0.1}},
     {"metrics": {"ap": 0.1, "ap50": 0.1}, "losses": {"box": "1"}}, {"metrics": {"ap": 0.1, "ap50": 0.1}, "losses": 1}],
)  # fmt: skip
def test_damaged_records_are_left_out(damage):
    step = StepRecord(1, 0.5, float("nan"), 0.1, 3, 1.0, 8.0)._asdict()
    evaluation = {"step": 1, "metrics": {"ap": None, "ap50": 0.5, "per_class": {}}}
    assert split_records([step, {"step": 1}, {**step, **damage}, evaluation]) == ([step], [evaluation])


def test_a_request_after_an_infinite_step_is_none(tmp_path):
    (tmp_path / "control.json").write_text('{"wish": "stop", "after": Infinity}')
    assert read_control(tmp_path / "control.json") == Control()


@pytest.mark.parametrize(
    "left_out",
    [
        None, 3, [], {}, {"counts": 3}, {"counts": {"a": "b"}, "examples": {}},
        {"counts": {"new kind": 2, "bad file": 1}, "examples": {"new kind": ["a"]}},
    ],
)  # fmt: skip
def test_a_description_of_an_older_version_or_a_damaged_one_says_nothing_of_what_was_left_out(left_out):
    about = About.from_dict({"source": "mine", "left_out": left_out, "format": 3, "strict": "yes"})
    assert about == About("mine") and not about.left_out


def test_a_description_keeps_how_the_data_is_read():
    left_out = LeftOut({"bad file": 2}, {"bad file": ("a.xml", "b.xml")})
    about = About("mine", format="voc", strict=True, reading="Pascal VOC.", left_out=left_out)
    assert About.from_dict(json.loads(json.dumps(about.to_dict()))) == about
