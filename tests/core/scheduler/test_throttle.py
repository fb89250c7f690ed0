"""Runs wait while a page is active, but not indefinitely."""

import os
import time
from collections import OrderedDict

import pytest
import torch
from torch.nn.modules import module

from core.runs.control import PAUSE, STOP, Control, write_control
from core.scheduler import throttle
from core.scheduler.throttle import (
    BREAK_SECONDS,
    MAX_PAUSE_SECONDS,
    PERIOD_SECONDS,
    POLL_SECONDS,
    RECENT_SECONDS,
    TOUCHED,
    Gate,
    Throttle,
    report_activity,
)
from tests.waiting import wait


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
    period, most = (round(20 * seconds) for seconds in (PERIOD_SECONDS, MAX_PAUSE_SECONDS))
    assert paused[0] and sum(paused[:most]) > 0.7 * most
    dragging = pause < RECENT_SECONDS
    for start in range(most, 4000 - period, period):
        turn = period - sum(paused[start : start + period])
        assert turn >= 5 and (not dragging or turn <= 6)  # of 25 looks: TURN_SECONDS, and one more at its edge


def test_activity_after_a_break_starts_a_new_pause(tmp_path, clock):
    gate = Throttle(tmp_path)
    clock.touch()
    assert gate.is_pause_due()
    clock.now += BREAK_SECONDS + 1
    assert not gate.is_pause_due()
    for _ in range(round(10 * MAX_PAUSE_SECONDS) - 1):
        clock.touch()
        assert gate.is_pause_due()
        clock.now += 0.1


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
    wait(lambda: report_activity(tmp_path) or gate.is_pause_due())  # again, if too much time passed in between


@pytest.fixture
def gate(tmp_path, clock, monkeypatch):
    """A gate, and the times at which it slept; a knob moves until one of them is `until`."""
    slept = []

    def sleep(seconds):
        slept.append(clock.now)
        clock.now += seconds
        if clock.now < 1000 + clock.until:
            clock.touch()

    clock.sleep, clock.until = sleep, 2.0
    return Gate(Throttle(tmp_path), tmp_path / "control.json"), slept


def test_a_run_waits_at_the_gate_until_the_knob_rests(clock, gate):
    gate, slept = gate
    gate.wait()
    assert not slept
    clock.touch()
    clock.now += 2 * POLL_SECONDS
    gate.wait()
    assert clock.now == pytest.approx(1000 + clock.until + RECENT_SECONDS, abs=3 * POLL_SECONDS)
    count = len(slept)
    clock.touch()
    gate.wait()  # it has just looked
    assert len(slept) == count


@pytest.mark.parametrize("command", [PAUSE, STOP])
def test_a_run_with_a_request_does_not_wait(tmp_path, clock, gate, command):
    gate, slept = gate
    clock.touch()
    write_control(tmp_path / "control.json", Control(command))
    gate.wait()
    assert not slept
    write_control(tmp_path / "control.json", Control())
    clock.now += 2 * POLL_SECONDS
    gate.wait()
    assert slept


def test_networks_stand_at_the_gate_after_each_layer_and_compute_the_same(monkeypatch):
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.ReLU(inplace=True), torch.nn.Conv2d(2, 1, 3))
    image, seen = torch.randn(1, 1, 8, 8), []

    def compute():
        network.zero_grad()
        found = network(image)
        seen.append("forward")
        found.square().sum().backward()
        return [found, *(each.grad.clone() for each in network.parameters())]

    plain = compute()
    monkeypatch.setattr(module, "_global_forward_hooks", OrderedDict())
    gate = Gate(None, None)
    monkeypatch.setattr(gate, "wait", lambda: seen.append("gate"))
    gate.stand_between_layers()
    seen.clear()
    guarded = compute()
    split = seen.index("forward")
    assert seen[:split].count("gate") == seen[split:].count("gate") == 4  # three layers, and the whole
    assert all(torch.equal(one, other) for one, other in zip(plain, guarded, strict=True))
    seen.clear()
    with torch.no_grad():
        network(image)
    assert seen == ["gate"] * 4
