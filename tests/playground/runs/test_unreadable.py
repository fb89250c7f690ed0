"""Runs whose files were lost, damaged or changed: each costs its own row at most, and no view fails."""

import json
import os
import random
import re
import shutil
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from core.errors import UserError
from core.runs.about import About
from core.runs.checkpoint import load_checkpoint, save_checkpoint
from core.runs.control import Control, write_control
from core.runs.folder import QUEUED, RunFolder
from core.runs.snapshots import detections_from_dict, detections_to_dict
from playground.events.navigation import open_link
from playground.events.run_start import require_own_run
from playground.events.training import list_runs, poll_runs, with_newest_frame
from playground.runs.labels import Label, write_label
from playground.runs.service import RUNS
from playground.runs.table_api import handle_request
from playground.state.page_state import PageState
from playground.steps import STEPS
from playground.steps.training import load_run_config
from tests.playground.made_runs import evaluation, make_run, runs_at, step

ONE, TWO = "20260101-000000-001", "20260101-000000-002"
VISITOR = "a" * 32
KINDS = 7  # of what can have become of a file, before its contents
FOUND = {"boxes": [[1, 2, 30, 40]], "scores": [0.5], "labels": [0]}
# In place of any value of a record.
ODD: tuple[Any, ...] = (
    None, True, -1, 0, 3.5, "x", "", [], {}, [1], {"a": 1}, float("nan"), float("inf"), 10**400, -(10**30), "\ud800",
    "\0", "/etc/passwd", "x" * 5000, [[[]]], [None],
)  # fmt: skip
# In place of a whole file.
CONTENTS = (
    b"", bytes(range(256)), b"null", b"[]", b"{}", b"1", b'"x"', b"NaN", b"[" * 200_000, b'{"step":' * 50_000,
    b"9" * 5000, b'{"step":' + b"9" * 5000 + b"}\n", b'{"step":1e400}\n', b'{"step":-1}\n', b"\0" * 100, b"\n" * 1000,
    "{}".encode("utf-16"), b"x" * 2**21 + b"\n",
)  # fmt: skip
SETTINGS = '{"scenes.image_size": 96, "inference.image_size": 96, "model.weights": "random"}'
Alteration = Callable[[Path], object]


def make_runs(root: Path) -> None:
    """Two runs with every file that a run can have."""
    for name in (ONE, TWO):
        records = [step(1), step(2), evaluation(2, 0.3), step(3), evaluation(3, 0.5)]
        run = make_run(root / name, {"training.steps": 3, "model.weights": "random"}, records)
        run.write_about(About(created=1.0, group="g", preset="losses", variant="focal"))
        Image.new("RGB", (64, 48)).save(run.snapshot_image)
        found = detections_to_dict(detections_from_dict(FOUND))
        run.snapshot_truth.write_text(json.dumps({**found, "class_names": ["a", "b"]}))
        run.snapshots.write_text("".join(json.dumps({"step": number, **found}) + "\n" for number in (2, 3)))
        changes = dict.fromkeys(("body", "pyramid", "class head", "box head"), 0.1)
        single = {"step": 3, "changes": changes, "before": found, "after": found}
        run.step_changes.write_text(json.dumps(single))
        run.weights.write_bytes(b"weights")
        save_checkpoint(run.checkpoint, {"a": torch.zeros(3)})
        write_control(run.control, Control())
        write_label(run.path, Label("mine", ("a",)))
        run.lock.touch()
        run.log.write_text("log")


def whole_files(path: Path) -> Iterator[tuple[str, Alteration]]:
    """Yields what can have become of a whole file."""
    content = path.read_bytes()

    def replace(by: Callable[[Path], object]) -> Alteration:
        return lambda file: (file.unlink(), by(file))

    yield "missing", lambda file: file.unlink()
    yield "a folder", replace(lambda file: file.mkdir())
    yield "a loop", replace(lambda file: file.symlink_to(file))
    yield "a link to nothing", replace(lambda file: file.symlink_to(file.with_name("nothing")))
    yield "a pipe", replace(os.mkfifo)
    yield "cut", lambda file: file.write_bytes(content[: len(content) // 2])
    yield "huge", lambda file: os.truncate(file, 2**40)
    for number, each in enumerate(CONTENTS):
        yield f"content {number}", lambda file, each=each: file.write_bytes(each)


def one_value(path: Path, chance: random.Random) -> Iterator[tuple[str, Alteration]]:
    """Yields the same file with each of its values replaced by something odd."""
    lines = [
        json.loads(line) for line in (path.read_text().splitlines() if path.suffix == ".jsonl" else [path.read_text()])
    ]
    for number, line in enumerate(lines):
        for place in _places(line):
            for odd in chance.sample(ODD, 3):
                changed = [*lines[:number], _changed(line, place, odd), *lines[number + 1 :]]
                written = "".join(json.dumps(each) + "\n" for each in changed)
                yield f"{place} = {str(odd)[:20]!r}", lambda file, written=written: file.write_text(written)


def _places(value: object, before: tuple = ()) -> Iterator[tuple]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inside:
        yield (*before, key)
        yield from _places(each, (*before, key))


def _changed(value: Any, place: tuple, by: object) -> Any:
    copy = json.loads(json.dumps(value))
    inner = copy
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = by
    return copy


def state() -> PageState:
    return PageState("training", run=ONE, visitor=VISITOR, frame=2, settings=SETTINGS)


def show_step() -> None:
    shown = state()
    STEPS["training"].build_view(shown.pipeline(), shown.focus()).build_text()


def ask(**request: object) -> dict:
    found = handle_request({"chosen": [ONE, TWO], **request}, RUNS, VISITOR)
    assert len(found["said"]) <= 500 and str(RUNS.root) not in found["said"] + found.get("shown", "")
    rows = [row["run"] for row in json.loads(found["shown"])["rows"]] if "shown" in found else []
    assert request["act"] == "delete" or {ONE, TWO} <= set(rows), (rows, found["said"])
    return found


def delete_and_restore() -> None:
    if key := ask(act="delete", run=ONE)["undo"]:
        assert "is back" in ask(act="restore", key=key)["said"]


VIEWS: dict[str, Callable[[], object]] = {
    "list": lambda: list_runs(state()),
    "poll": lambda: poll_runs(state()),
    "step": show_step,
    "frame": lambda: with_newest_frame(state()),
    "table": lambda: ask(act="look"),
    "link": lambda: open_link(f"step=training&run={ONE}", visitor=VISITOR),
    "link to weights": lambda: open_link(f"step=network&model.weights=run/{ONE}", visitor=VISITOR),
    "use": lambda: load_run_config(ONE, state().config()),
    "label": lambda: ask(act="label", run=ONE, name="n", tags=""),
    "pause": lambda: RUNS.pause(ONE),
    "single step": lambda: RUNS.step(ONE),
    "stop": lambda: RUNS.stop(ONE),
    "resume": lambda: RUNS.resume(ONE),
    "own": lambda: require_own_run(ONE, VISITOR),
    "others": lambda: (RUNS.refers_to("x"), RUNS.is_using("x"), RUNS.current(VISITOR)),
    "checkpoint": lambda: load_checkpoint(RunFolder(RUNS.root / ONE).checkpoint),
    "delete": delete_and_restore,
}


def look(what: str) -> list[str]:
    """Returns what fails in the views, each of which must show something or refuse with one sentence."""
    failed = []
    for name, view in VIEWS.items():
        try:
            view()
        except UserError as error:
            if len(str(error)) > 500:
                failed.append(f"{what}, {name}: a long message")
        except Exception:
            failed.append(f"{what}, {name}: {traceback.format_exc()[-600:]}")
    return failed


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    make_runs(folder)
    return folder


@pytest.fixture
def root(tmp_path, monkeypatch):
    with runs_at(tmp_path / "runs"):
        monkeypatch.setattr(RUNS, "open", lambda: None)  # no training here
        yield RUNS.root


FILES = sorted(
    f"{name}" for name in (
        "about.json", "config.json", "metrics.jsonl", "status.json", "control.json", "lock", "log.txt", "label.json",
        "checkpoint.safetensors", "weights.safetensors", "film.jsonl", "film.png", "film.json", "step.json",
    )
)  # fmt: skip


def alter(made: Path, root: Path, file: str, alterations: list[tuple[str, Alteration]]) -> list[str]:
    failed = []
    for what, do in alterations:
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(made, root)
        do(root / ONE / file)
        failed += look(f"{file}: {what}")
    return failed


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
def test_no_view_fails_whatever_became_of_a_file(made, root, file):
    chance = random.Random(file)
    found = list(whole_files(made / ONE / file))
    assert not alter(made, root, file, [*found[:KINDS], *chance.sample(found[KINDS:], 4)])


@pytest.mark.slow
@pytest.mark.parametrize("file", [name for name in FILES if name.endswith((".json", ".jsonl"))])
def test_no_view_fails_whatever_value_a_record_holds(made, root, file):
    chance = random.Random(file)
    alterations = list(one_value(made / ONE / file, chance))
    assert not alter(made, root, file, chance.sample(alterations, min(6, len(alterations))))


def test_the_table_names_and_counts_what_cannot_be_read(made, root):
    shutil.copytree(made, root)
    (root / ONE / "about.json").write_text("{")
    (root / "torn").mkdir()
    (root / "torn" / "metrics.jsonl").touch()
    (root / "torn" / "config.json").mkdir()
    shown = json.loads(handle_request({"act": "look"}, RUNS, VISITOR)["shown"])
    assert shown["problem"] == f"2 runs cannot be read: torn, {ONE}."
    assert [(row["run"], row["state"]) for row in shown["rows"]] == [
        ("torn", "unreadable"), (ONE, "unreadable"), (TWO, "finished"),
    ]  # fmt: skip
    assert "its file about.json is damaged" in shown["rows"][1]["message"] and shown["rows"][1]["mine"]
    assert "cannot be read" in ask(act="label", run=ONE, name="n", tags="")["said"]
    opened = open_link(f"step=training&run={ONE}", visitor=VISITOR)
    assert opened.state.run == "" and f"The run {ONE} cannot be read" in opened.message


def test_what_nobody_can_tell_the_owner_of_is_shown_to_nobody(made, root, monkeypatch):
    shutil.copytree(made, root)
    (root / ONE / "about.json").write_text('{"source": 7}')
    monkeypatch.setattr("playground.support.visitors.VISITORS.apart", True)
    assert not RUNS.may_see(ONE, VISITOR) and RUNS.may_see(TWO, VISITOR)
    found = handle_request({"act": "delete", "run": ONE}, RUNS, VISITOR)
    assert "only the operator of the server can delete it" in found["said"] and (root / ONE).is_dir()


def test_lost_lines_are_counted(made, root):
    shutil.copytree(made, root)
    with (root / ONE / "metrics.jsonl").open("a") as file:
        file.write('{"step": -1}\nnonsense\n{"step": 4, "classification": "x"}\n' + "x" * 2**21 + "\n")
    assert RUNS.read_progress(ONE).lost == "4 lines of its records cannot be read and are left out."
    (root / ONE / "metrics.jsonl").unlink()
    assert RUNS.read_progress(ONE).lost == ""
    (root / ONE / "metrics.jsonl").mkdir()
    assert RUNS.read_progress(ONE).lost == "Its records cannot be read."


def test_runs_in_a_folder_that_cannot_be_changed_can_be_looked_at(made, root, monkeypatch):
    shutil.copytree(made, root)
    RUNS.folder(ONE).write_status(QUEUED)

    def refuse() -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(RUNS, "open", refuse)
    assert RUNS.statuses()[ONE].state == QUEUED and ask(act="look")


def test_a_folder_of_runs_that_is_none_is_one_sentence(root):
    root.write_text("a file")
    found = handle_request({"act": "look"}, RUNS, VISITOR)
    assert re.fullmatch(
        r"The folder of runs .*cannot be read: Not a directory\. Move the file that is in the way, or .*\.",
        found["said"],
    )
    assert "cannot be read" in open_link("step=training", visitor=VISITOR).message


@pytest.mark.slow
@pytest.mark.skipif(os.getuid() != 0, reason="only the administrator can become another user")
def test_what_only_another_user_may_read_costs_its_own_row(made, root):
    """A process of another user looks at files and a folder that are closed to it."""
    failed = []
    for name in (*FILES, "."):
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(made, root)
        for path in (root.parent, root, *root.rglob("*")):
            path.chmod(0o777)
        (root / ONE / name).chmod(0)
        failed += _look_as_another_user(name, root.parent)
    assert not failed


def _look_as_another_user(name: str, place: Path) -> list[str]:
    answer, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            _open_parents(place)
            os.setresuid(65534, 65534, 65534)
            found = look(f"{name} of another user")
        except BaseException:
            found = [traceback.format_exc()]
        os.write(write, json.dumps(found).encode()[:60_000])
        os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with os.fdopen(answer, "rb") as file:
        return json.loads(file.read())


def _open_parents(place: Path) -> None:
    for folder in (place, *place.parents[:-2]):
        folder.chmod(folder.stat().st_mode | 0o055)
