"""Runs are suspended while a page is active, but not indefinitely."""

import os
import time

import pytest

from core.scheduler import throttle
from core.scheduler.throttle import MAX_PAUSE_SECONDS, RECENT_SECONDS, TOUCHED, TURN_SECONDS, Throttle, report_activity

pytestmark = pytest.mark.skipif(not throttle.IS_SUPPORTED, reason="runs are never suspended on this system")


class Clock:
    """Replaces both clocks of the module; sets the time of the file."""

    def __init__(self, place):
        self.now, self._file = 1000.0, place / TOUCHED

    def time(self):
        return self.now

    monotonic = time

    def touch(self):
        os.utime(self._file, (self.now, self.now))


@pytest.fixture
def clock(tmp_path, monkeypatch):
    clock = Clock(tmp_path)
    monkeypatch.setattr(throttle, "time", clock)
    return clock


def test_a_pause_starts_with_activity_and_ends_shortly_after_it(tmp_path, clock):
    gate = Throttle(tmp_path)
    assert not gate.is_pause_due()
    clock.touch()
    assert gate.is_pause_due()
    clock.now += RECENT_SECONDS * 0.9
    assert gate.is_pause_due()
    clock.now += RECENT_SECONDS * 0.2
    assert not gate.is_pause_due()


@pytest.mark.parametrize("pause", [0.1, RECENT_SECONDS + 0.1])  # seconds between touches: dragging, and clicking
def test_runs_have_their_turn_however_long_a_knob_is_dragged(tmp_path, clock, pause):
    gate = Throttle(tmp_path)
    paused = []
    for number in range(4000):
        if number * 0.05 % pause < 0.05:
            clock.touch()
        paused.append(gate.is_pause_due())
        clock.now += 0.05
    period, most = (round(20 * seconds) for seconds in (MAX_PAUSE_SECONDS + TURN_SECONDS, MAX_PAUSE_SECONDS))
    assert paused[0] and sum(paused[:most]) > 0.7 * most
    for start in range(0, 4000 - period, period):
        assert not any(paused[start + most + 2 : start + period - 2])


def test_activity_after_a_break_starts_a_new_pause(tmp_path, clock):
    gate = Throttle(tmp_path)
    clock.touch()
    assert gate.is_pause_due()
    clock.now += MAX_PAUSE_SECONDS + 1
    assert not gate.is_pause_due()
    clock.touch()
    assert gate.is_pause_due()


def test_no_pause_if_the_file_is_missing_or_its_time_is_in_the_future(tmp_path, clock):
    gate = Throttle(tmp_path)
    clock.now += 60
    clock.touch()
    clock.now -= 60
    assert not gate.is_pause_due()
    (tmp_path / TOUCHED).unlink()
    assert not gate.is_pause_due()


def test_reporting_activity_creates_no_file(tmp_path):
    report_activity(tmp_path)
    report_activity(tmp_path / "missing")
    assert not list(tmp_path.iterdir())
    gate = Throttle(tmp_path)
    assert not gate.is_pause_due() and time.time() - (tmp_path / TOUCHED).stat().st_mtime > RECENT_SECONDS
    report_activity(tmp_path)
    assert gate.is_pause_due()


def test_no_pause_on_other_systems(tmp_path, clock, monkeypatch):
    monkeypatch.setattr(throttle, "IS_SUPPORTED", False)
    gate = Throttle(tmp_path)
    clock.touch()
    assert not gate.is_pause_due()
