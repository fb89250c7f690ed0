"""A short attack: its inputs end as they must, its seed repeats them, and it sees what goes wrong."""

import math
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from benchmarks.attack import outcome, run
from benchmarks.attack.answers import require_readable
from benchmarks.attack.classes import CLASSES, Class
from benchmarks.attack.mutations import alter_bytes, alter_text, alter_value
from benchmarks.attack.outcome import Lost, Outcome, Refused, try_input
from playground.layout.page_update import PageUpdate
from playground.runs.service import RUNS

alarmed = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="nothing ends what hangs on this system")
QUICK = ("pictures", "data sets", "run folders", "album folders", "live", "links", "origins")  # in milliseconds each


@pytest.fixture(autouse=True)
def runs():
    before = RUNS.root
    yield
    RUNS.use_folder(before)


@pytest.mark.slow
def test_a_short_attack_finds_nothing(monkeypatch):
    monkeypatch.setattr(run, "_reading", _reading_here)
    *_, report = run.attack(QUICK, seed=22, number=120, seconds=18)
    assert report.troubles == []
    assert set(report.counts) == set(QUICK) and all(each.total() > 0 for each in report.counts.values())


@contextmanager
def _reading_here(apart):
    """Reads in this process: starting others takes longer than the attack."""
    yield


def raising(error: BaseException):
    def attempt(random: Random) -> None:
        raise error

    return attempt


@pytest.mark.parametrize(
    ("attempt", "expected"),
    [
        (lambda random: None, Outcome.OPENED),
        (raising(Refused("The file is damaged: choose another.")), Outcome.REFUSED),
        (raising(Refused("The file /secret/place/a cannot be read.")), Outcome.TRACEBACK),
        (raising(Refused("")), Outcome.TRACEBACK),
        (raising(KeyError("a")), Outcome.TRACEBACK),
        (raising(RecursionError()), Outcome.TRACEBACK),
        (raising(Lost("a run")), Outcome.LOST),
    ],
)
def test_an_input_ends_in_one_way(attempt, expected):
    assert try_input(attempt, Random(0), Path("/secret/place")).outcome == expected


@alarmed
def test_what_does_not_end_is_a_hang():
    def attempt(random: Random) -> None:
        while True:
            pass

    assert try_input(attempt, Random(0), Path("/secret"), 0.05).outcome == Outcome.HANG


@pytest.mark.slow
@alarmed
def test_a_process_that_does_not_end_is_a_hang():
    def attempt(random: Random) -> None:
        subprocess.run([sys.executable, "-S", "-c", "while True: pass"], check=True)

    assert try_input(attempt, Random(0), Path("/secret"), 0.2).outcome == Outcome.HANG


def test_what_waits_on_a_busy_machine_is_no_hang(monkeypatch):
    monkeypatch.setattr(outcome, "PATIENCE", math.inf)
    monkeypatch.setattr(outcome, "TICK", 0.01)
    monkeypatch.setattr(outcome, "_compute_seconds", lambda: 0.0)
    ended = try_input(lambda random: time.sleep(0.1), Random(0), Path("/secret"), 0.01)
    assert ended.outcome == Outcome.OPENED


@alarmed
def test_what_only_waits_is_a_hang_in_the_end(monkeypatch):
    monkeypatch.setattr(outcome, "PATIENCE", 2)
    ended = try_input(lambda random: time.sleep(600), Random(0), Path("/secret"), 0.05)
    assert ended.outcome == Outcome.HANG


@alarmed
def test_what_hangs_is_cleaned_up(monkeypatch):
    monkeypatch.setattr(outcome, "TICK", 0.01)
    cleaned = []

    def attempt(random: Random) -> None:
        try:
            while True:
                pass
        finally:
            time.sleep(0.1)
            cleaned.append(True)

    assert try_input(attempt, Random(0), Path("/secret"), 0.02).outcome == Outcome.HANG
    assert cleaned


def test_a_seed_repeats_an_input():
    content, value = bytes(range(200)), {"a": [1, {"b": "c"}], "d": None}
    for seed in range(50):
        assert alter_bytes(content, Random(seed)) == alter_bytes(content, Random(seed))
        assert alter_text("a b, c: d", Random(seed)) == alter_text("a b, c: d", Random(seed))
        assert repr(alter_value(value, Random(seed))) == repr(alter_value(value, Random(seed)))
    assert len({alter_bytes(content, Random(seed)) for seed in range(50)}) > 40
    assert content == bytes(range(200)) and value == {"a": [1, {"b": "c"}], "d": None}


def test_alterations_end_with_nothing_left():
    for seed in range(200):
        alter_bytes(b"", Random(seed))
        alter_text("", Random(seed))
        alter_value({}, Random(seed))


def test_each_class_has_its_share_and_what_goes_wrong_is_named(monkeypatch):
    seen = []

    def prepare(folder: Path):
        assert not list(folder.iterdir())
        return lambda random: seen.append(random.random()) or (1 / 0 if len(seen) == 3 else None)

    monkeypatch.setattr(run, "CLASSES", {"a": Class(prepare, 0.75), "b": Class(prepare, 0.25)})
    *_, report = run.attack(["a", "b"], seed=1, number=8, seconds=60, first=10)
    assert {name: counts.total() for name, counts in report.counts.items()} == {"a": 6, "b": 2}
    assert [(each.name, each.number) for each, _ in report.troubles] == [("a", 12)]
    assert "ZeroDivisionError" in report.troubles[0][1].trouble
    again = list(seen)
    seen.clear()
    *_, report = run.attack(["a", "b"], seed=1, number=8, seconds=60, first=10)
    assert seen == again and len(set(seen)) == 8


def test_the_time_ends_an_attack(monkeypatch):
    monkeypatch.setattr(run, "CLASSES", {"a": Class(lambda folder: lambda random: None, 1)})
    *_, report = run.attack(["a"], seed=1, number=10**9, seconds=0.05)
    assert 1 <= report.counts["a"].total() < 10**9


def test_the_table_shows_all_ends():
    row = run.format_row("pictures", Counter({Outcome.OPENED: 1200, Outcome.LOST: 1}))
    assert row.split() == ["pictures", "1,201", "0", "1,200", "0", "0", "1"]
    assert run.HEADER.split() == ["tried", "refused", "opened", "traceback", "hang", "lost"]
    assert math.isclose(sum(each.share for each in CLASSES.values()), 1, abs_tol=0.02)


def test_answers_that_no_browser_reads_are_found():
    require_readable(PageUpdate("[no JSON", figure='{"y": [1, null, "NaN"]}', readout="NaN"))
    for constant in ("NaN", "-Infinity"):
        with pytest.raises(AssertionError, match=f"figure holds {constant}"):
            require_readable(PageUpdate("", figure=f'{{"y": [1, {constant}]}}'))
