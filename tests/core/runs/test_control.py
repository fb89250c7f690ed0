"""Requests to a run, also on a full disk: none is lost, and each counts until the next."""

import pytest

from core.io.atomic import OutputError
from core.runs import control as module
from core.runs.control import (
    PAUSE,
    PLAY,
    STOP,
    Control,
    list_control_files,
    prepare_control,
    read_control,
    write_control,
)
from tests.killing import kill_at_every_change


@pytest.fixture
def path(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    prepare_control(folder / "control.json")
    return folder / "control.json"


def full(*_):
    raise OSError(28, "No space left on device")


@pytest.fixture
def full_disk(monkeypatch):
    monkeypatch.setattr(module, "write_text", full)
    monkeypatch.setattr("pathlib.Path.touch", full)


def names(path):
    return sorted(each.name for each in path.parent.iterdir())


def test_on_a_full_disk_a_name_holds_the_request(path, full_disk):
    assert read_control(path) == Control()
    for request in (Control(PAUSE), Control(PAUSE, 17), Control(PLAY), Control(STOP)):
        write_control(path, request)
        write_control(path, request)
        assert read_control(path) == request and len(names(path)) == 1
    prepare_control(path)
    assert read_control(path) == Control()


def test_a_request_after_the_disk_was_full_counts(path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(module, "write_text", full)
        write_control(path, Control(PAUSE))
    write_control(path, Control())
    assert read_control(path) == Control() and names(path) == ["control", "control.json"]
    with monkeypatch.context() as patch:
        patch.setattr(module, "write_text", full)
        write_control(path, Control(STOP))
    assert read_control(path) == Control(STOP)  # although the file says otherwise


def test_a_run_of_an_earlier_version_has_no_file_to_rename(path, full_disk, monkeypatch):
    path.with_suffix("").unlink()
    with pytest.raises(OutputError, match=r"The run cannot be controlled .*No space left.*Free some space"):
        write_control(path, Control(STOP))
    path.write_text('{"wish": "pause", "after": 0}')
    write_control(path, Control(STOP))
    assert read_control(path) == Control(STOP)
    path.with_name("control.stop.0").unlink()
    monkeypatch.undo()
    monkeypatch.setattr(module, "write_text", full)
    write_control(path, Control(STOP))  # an empty file can often be made still
    assert read_control(path) == Control(STOP)


@pytest.mark.parametrize(
    "name", ["control.dance.0", "control.stop.x", "control.stop", "other.stop.0", "control.stop.0.part"]
)
def test_other_names_request_nothing(path, name):
    path.with_name(name).touch()
    assert read_control(path) == Control() and path.with_name(name) not in list_control_files(path)


def test_a_request_killed_at_any_change_is_the_old_or_the_new_one(path):
    write_control(path, Control(PAUSE, 3))
    seen = {
        read_control(copy / path.name)
        for _, copy in kill_at_every_change(path.parent, lambda copy: write_control(copy / path.name, Control(STOP)))
    }
    assert seen == {Control(PAUSE, 3), Control(STOP)}
