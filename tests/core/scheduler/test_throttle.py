"""When runs give way to a page: while it is touched, but not for ever."""

import os
import time

import pytest

from core.scheduler import throttle
from core.scheduler.throttle import MOST_SECONDS, RECENT_SECONDS, TOUCHED, TURN_SECONDS, Throttle, touch

pytestmark = pytest.mark.skipif(not throttle.CAN_PROMISE, reason="runs never give way on this system")


class Clock:
    """Both of the module's clocks, and the file's time."""

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


def test_nobody_waits_until_it_is_touched_and_a_little_longer(tmp_path, clock):
    way = Throttle(tmp_path)
    assert not way.wanted()
    clock.touch()
    assert way.wanted()
    clock.now += RECENT_SECONDS * 0.9
    assert way.wanted()
    clock.now += RECENT_SECONDS * 0.2
    assert not way.wanted()


@pytest.mark.parametrize("pause", [0.1, RECENT_SECONDS + 0.1])  # of a drag, and of taps
def test_runs_have_their_turn_however_long_a_drag_lasts(tmp_path, clock, pause):
    way = Throttle(tmp_path)
    waited = []
    for number in range(4000):
        if number * 0.05 % pause < 0.05:
            clock.touch()
        waited.append(way.wanted())
        clock.now += 0.05
    period, most = (round(20 * seconds) for seconds in (MOST_SECONDS + TURN_SECONDS, MOST_SECONDS))
    assert waited[0] and sum(waited[:most]) > 0.7 * most
    for start in range(0, 4000 - period, period):
        assert not any(waited[start + most + 2 : start + period - 2])


def test_a_pause_begins_anew(tmp_path, clock):
    way = Throttle(tmp_path)
    clock.touch()
    assert way.wanted()
    clock.now += MOST_SECONDS + 1
    assert not way.wanted()
    clock.touch()
    assert way.wanted()


def test_a_clock_that_is_ahead_or_a_file_that_is_gone_lets_runs_go_on(tmp_path, clock):
    way = Throttle(tmp_path)
    clock.now += 60
    clock.touch()
    clock.now -= 60
    assert not way.wanted()
    (tmp_path / TOUCHED).unlink()
    assert not way.wanted()


def test_touching_makes_no_file(tmp_path):
    touch(tmp_path)
    touch(tmp_path / "missing")
    assert not list(tmp_path.iterdir())
    way = Throttle(tmp_path)
    assert not way.wanted() and time.time() - (tmp_path / TOUCHED).stat().st_mtime > RECENT_SECONDS
    touch(tmp_path)
    assert way.wanted()


def test_nowhere_else_runs_wait(tmp_path, clock, monkeypatch):
    monkeypatch.setattr(throttle, "CAN_PROMISE", False)
    way = Throttle(tmp_path)
    clock.touch()
    assert not way.wanted()
