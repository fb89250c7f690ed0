"""Evaluations outlive the page: what is read from the disk shows what was shown before."""

import json
import time

import numpy as np
import torch

from core.evaluation.report import explain
from playground.evaluations.jobs import FINISHED, STOPPED, Evaluations, key_of
from playground.evaluations.results import Evaluated
from playground.evaluations.store import ENDING, Store, StoredEvaluation
from tests.playground.evaluations.test_jobs import CONFIG, HERE, NAMES, THERE, finding, wait

DONE = (
    finding([HERE, THERE], [0.9, 0.4], [0, 0], [HERE, THERE], [0, 1]),
    finding([], [], [], [HERE], [1]),
    finding([THERE], [0.2], [1], [], []),
)
RECORD = StoredEvaluation(STOPPED, 9, DONE, ("a.png", "b/ü.png", "c.png"), NAMES)


def same(one: tuple, other: tuple) -> bool:
    return all(torch.equal(a, b) and a.dtype == b.dtype for a, b in zip(one, other, strict=True))


def test_what_is_put_is_got(tmp_path):
    store = Store(tmp_path / "kept")
    assert store.get("key") is None and not store.has("key")
    store.put(("key", 1.5), RECORD)
    assert store.has(("key", 1.5)) and not store.has(("key", 1))
    record = Store(tmp_path / "kept").get(("key", 1.5))
    assert record._replace(findings=()) == RECORD._replace(findings=())
    for one, other in zip(record.findings, DONE, strict=True):
        assert same(one.found, other.found) and same(one.truth, other.truth) and one.image_id == other.image_id


def test_a_damaged_file_is_none(tmp_path):
    store = Store(tmp_path)
    store.put("key", RECORD)
    (path,) = tmp_path.glob(f"*{ENDING}")
    whole = path.read_bytes()
    for content in (b"", whole[:-1], whole[:-1] + bytes([whole[-1] ^ 1]), b"noise" * 99):
        path.write_bytes(content)
        assert store.get("key") is None and list(tmp_path.iterdir()) == []


def test_the_least_recently_used_goes(tmp_path):
    store = Store(tmp_path, most=2)
    for key in ("a", "b"):
        store.put(key, RECORD)
        time.sleep(0.02)
    assert store.get("a")  # a use
    time.sleep(0.02)
    store.put("c", RECORD)
    assert [key for key in "abc" if store.has(key)] == ["a", "c"]


def test_another_process_finds_the_same_figures(tmp_path):
    runs = Evaluations(Store(tmp_path))
    runs.start(CONFIG, None)
    key = key_of(CONFIG, None)
    before = wait(runs, key, lambda standing: not standing.active)
    again = Evaluations(Store(tmp_path))
    after = again.read(key)
    assert (after.state, after.done, after.total, after.message) == (FINISHED, 6, 6, "")
    told = [json.dumps(each.result.report.to_dict(), sort_keys=True) for each in (before, after)]
    assert told[0] == told[1] and after.result.names == before.result.names
    assert again.read(key) is after  # from memory
    assert again.read(key_of(CONFIG.replace({"training.eval_images": 5}), None)) is None


def test_where_there_is_no_room_the_figures_are_shown_all_the_same(tmp_path):
    (tmp_path / "file").write_text("")
    runs = Evaluations(Store(tmp_path / "file"))
    runs.start(CONFIG, None)
    standing = wait(runs, key_of(CONFIG, None), lambda standing: not standing.active)
    assert standing.state == FINISHED and standing.result and "It is not kept" in standing.message


def test_explained_again_it_is_the_same():
    result = Evaluated.explained(DONE, RECORD.names, NAMES, 0.5)
    truths = [each.truth for each in DONE]
    found = [each.found for each in DONE]
    expected = explain(found, truths, NAMES, pictures=[(7, name) for name in RECORD.names], iou=0.5)
    assert np.array_equal(result.report.confusion.counts, expected.confusion.counts)
    assert result.report.metrics.to_dict() == expected.metrics.to_dict()
