"""Evaluations outlive the server: a result read from the disk shows the same figures."""

import json
import os
import time
from unittest.mock import Mock

import numpy as np
import pytest
import torch

from core.evaluation.report import build_report
from core.runs.checkpoint import save_checkpoint
from playground.albums.followers import DELETED
from playground.evaluations import store as module
from playground.evaluations.jobs import Evaluations
from playground.evaluations.keys import evaluation_key
from playground.evaluations.records import StoredEvaluation, to_state
from playground.evaluations.results import EvaluationResult
from playground.evaluations.status import FINISHED, STOPPED
from playground.evaluations.store import LOCK, SUFFIX, Origin, Store
from playground.sharing.shares import Share
from playground.support.visitors import VISITORS
from tests.killing import kill_at_every_change
from tests.playground.evaluations.test_jobs import CONFIG, HERE, NAMES, THERE, make_image, wait

DONE = (
    make_image([HERE, THERE], [0.9, 0.4], [0, 0], [HERE, THERE], [0, 1]),
    make_image([], [], [], [HERE], [1]),
    make_image([THERE], [0.2], [1], [], []),
)
DONE = (DONE[0]._replace(truth=DONE[0].truth._replace(size=(60, 90))), *DONE[1:])  # the others' sizes are not known
RECORD = StoredEvaluation(STOPPED, 9, DONE, ("a.png", "b/ü.png", "c.png"), NAMES)


MADE = Origin("scenes", "builtin")


def names(folder):
    """Returns the names of what is in the folder, without its lock."""
    return sorted(path.name for path in folder.iterdir() if path.name != LOCK)


def same(one: tuple, other: tuple) -> bool:
    return all(torch.equal(a, b) and a.dtype == b.dtype for a, b in zip(one, other, strict=True))


def test_a_stored_evaluation_is_read_back(tmp_path):
    store = Store(tmp_path / "kept")
    assert store.get("key") is None and not store.has("key")
    store.put(("key", 1.5), RECORD, MADE)
    assert store.has(("key", 1.5)) and not store.has(("key", 1))
    record = Store(tmp_path / "kept").get(("key", 1.5))
    assert record._replace(images=()) == RECORD._replace(images=())
    for one, other in zip(record.images, DONE, strict=True):
        assert (
            same(one.detections, other.detections)
            and same(one.truth[:3], other.truth[:3])
            and (one.truth.size, one.image_id) == (other.truth.size, other.image_id)
        )


def test_a_damaged_file_is_removed(tmp_path):
    store = Store(tmp_path)
    store.put("key", RECORD, MADE)
    (path,) = tmp_path.glob(f"*{SUFFIX}")
    whole = path.read_bytes()
    for content in (b"", whole[:-1], whole[:-1] + bytes([whole[-1] ^ 1]), b"noise" * 99):
        path.write_bytes(content)
        assert store.get("key") is None and names(tmp_path) == []


ODD = (
    None, True, -1, 3.5, "x", [], {}, [1, 1, 1], [-1, 1, 3], 10**400, ["x"] * 3, [[1]] * 3, torch.zeros(3),
    [torch.full((3, 4), torch.nan), torch.zeros(3), torch.zeros(3, dtype=torch.int64)],
    [torch.zeros(3, 4), torch.zeros(3), torch.full((3,), 99)], [torch.zeros(3, 2), torch.zeros(3), torch.zeros(3)],
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", to_state(RECORD))
def test_odd_values_are_damage_or_can_be_shown(tmp_path, name):
    store, state = Store(tmp_path), to_state(RECORD)
    for odd in ODD:
        store.put("key", RECORD, MADE)
        (path,) = tmp_path.glob(f"*{SUFFIX}")
        save_checkpoint(path, {**state, name: odd})
        if record := store.get("key"):
            result = EvaluationResult.from_images(record.images, record.names, record.class_names, 0.5)
            assert result.report.images is not None


def test_the_least_recently_used_is_removed(tmp_path):
    store = Store(tmp_path, size=2)
    for key in ("a", "b"):
        store.put(key, RECORD, MADE)
        time.sleep(0.02)
    assert store.get("a")  # a use
    time.sleep(0.02)
    store.put("c", RECORD, MADE)
    assert [key for key in "abc" if store.has(key)] == ["a", "c"]


@pytest.mark.slow
def test_another_process_finds_the_same_figures(tmp_path):
    evaluations = Evaluations(Store(tmp_path))
    evaluations.start(CONFIG, None)
    key = evaluation_key(CONFIG, None)
    before = wait(evaluations, key, lambda status: not status.active)
    again = Evaluations(Store(tmp_path))
    after = again.read_status(key)
    assert (after.state, after.done, after.total, after.message) == (FINISHED, 6, 6, "")
    reports = [json.dumps(each.result.report.to_dict(), sort_keys=True) for each in (before, after)]
    assert reports[0] == reports[1] and after.result.names == before.result.names
    assert again.read_status(key) is after  # from memory
    assert again.read_status(evaluation_key(CONFIG.replace({"training.eval_images": 5}), None)) is None


@pytest.mark.slow
def test_a_result_that_cannot_be_stored_is_shown_nevertheless(tmp_path):
    (tmp_path / "file").write_text("")
    evaluations = Evaluations(Store(tmp_path / "file"))
    evaluations.start(CONFIG, None)
    status = wait(evaluations, evaluation_key(CONFIG, None), lambda status: not status.active)
    assert (
        status.state == FINISHED
        and status.result
        and "restarted. The server cannot use a file, because " in status.message
    )


def test_a_report_made_again_is_the_same():
    result = EvaluationResult.from_images(DONE, RECORD.names, NAMES, 0.5)
    truths = [each.truth for each in DONE]
    found = [each.detections for each in DONE]
    expected = build_report(found, truths, NAMES, images=[(7, name) for name in RECORD.names], iou=0.5)
    assert np.array_equal(result.report.confusion.counts, expected.confusion.counts)
    assert result.report.metrics.to_dict() == expected.metrics.to_dict()


def put(store: Store, name: str, owner: str) -> None:
    store.put(name, RECORD, MADE._replace(owner=owner))
    for file in store._folder.glob(f"*{SUFFIX}"):  # as if it had been put a second ago
        os.utime(file, ns=(0, file.stat().st_mtime_ns - 10**9))


def test_a_visitor_with_too_many_loses_their_own_oldest_ones(tmp_path, monkeypatch):
    monkeypatch.setattr(VISITORS, "apart", True)
    monkeypatch.setattr("playground.sharing.shares.SHARE", Share(stored_evaluations=2))
    store = Store(tmp_path)
    put(store, "theirs", "you")
    for name in "abc":
        put(store, name, "me")
    assert [name for name in ("theirs", "a", "b", "c") if store.has(name)] == ["theirs", "b", "c"]


def test_where_all_are_too_many_whoever_has_most_loses_first(tmp_path, monkeypatch):
    monkeypatch.setattr(VISITORS, "apart", True)
    store = Store(tmp_path, size=3)
    put(store, "theirs", "you")
    for name in "abc":
        put(store, name, "me")
    assert [name for name in ("theirs", "a", "b", "c") if store.has(name)] == ["theirs", "b", "c"]


def test_records_from_before_have_no_owner(tmp_path):
    store = Store(tmp_path)
    store.put("key", RECORD, MADE)
    (record,) = tmp_path.glob("*.json")
    record.write_text('{"source": "scenes", "weights": "builtin"}')
    hidden = []
    store.hide("album", lambda origin: bool(hidden.append(origin)))
    assert hidden == [Origin("scenes", "builtin", "")]


@pytest.mark.slow
@pytest.mark.parametrize("change", ["put", "replace", "hide", "restore"])
def test_a_kill_leaves_the_old_or_the_new_evaluations(tmp_path, change):
    folder, other = tmp_path / "kept", Origin("my-1", "builtin")
    store = Store(folder, size=2)
    store.put("a", RECORD, MADE)
    store.put("b", RECORD, other)
    if change == "restore":
        store.hide("mine", lambda origin: origin == other)
    acts = {
        "put": lambda store: store.put("c", RECORD, MADE),
        "replace": lambda store: store.put("b", RECORD, other),
        "hide": lambda store: store.hide("mine", lambda origin: origin == other),
        "restore": lambda store: store.restore("mine"),
    }

    def describe(folder):
        store = Store(folder, size=2)
        store.sweep()
        found = [key for key in "abc" if store.get(key)]
        files = [path for path in folder.rglob("*") if path.is_file() and not {DELETED, LOCK} & {*path.parts}]
        assert len(files) == 2 * len(found)
        return found, len([path for path in (folder / DELETED).rglob("*") if path.is_file() and path.name != LOCK])

    states = [describe(folder)]
    for _, copy in kill_at_every_change(folder, lambda copy: acts[change](Store(copy, size=2))):
        states.append(describe(copy))
    between = (["a", "b", "c"], 0)  # one too many, until the next one is stored
    assert all(state in (states[0], states[-1], between) for state in states) and len(states) > 8


def test_two_processes_share_the_evaluations_and_their_number(tmp_path):
    one, other = Store(tmp_path, size=2), Store(tmp_path, size=2)
    for store, key in ((one, "a"), (other, "b"), (one, "c")):
        store.put(key, RECORD, MADE)
        time.sleep(0.02)
    assert [key for key in "abc" if one.has(key)] == [key for key in "abc" if other.has(key)] == ["b", "c"]
    assert other.get("c") and one.get("b")


def test_an_evaluation_that_cannot_be_read_now_is_kept(tmp_path, monkeypatch):
    store = Store(tmp_path)
    store.put("key", RECORD, MADE)
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", Mock(side_effect=OSError(24, "Too many open files")))
        assert store.get("key") is None
    with monkeypatch.context() as patch:
        patch.setattr(os, "utime", Mock(side_effect=OSError(30, "Read-only file system")))
        assert store.get("key")
    assert store.get("key")


def test_nothing_is_left_of_an_evaluation_that_cannot_be_stored(tmp_path, monkeypatch):
    store = Store(tmp_path)
    monkeypatch.setattr(module, "save_checkpoint", Mock(side_effect=OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"):
        store.put("key", RECORD, MADE)
    assert names(tmp_path) == []
