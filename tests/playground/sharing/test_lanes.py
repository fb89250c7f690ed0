import os
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Event, current_thread

import pytest

from playground.sharing.lanes import HEAVY, LIGHT, MAX_OF_ONE, BusyError, Lane, lane_for

PATIENCE = 60  # seconds after which a test that hangs fails


class Blocked:
    """A lane of one worker that computes something until it is let go."""

    def __init__(self) -> None:
        self.lane, self.done = Lane("test", 1), []
        self._go, begun = Event(), Event()

        def wait() -> None:
            begun.set()
            self._go.wait(PATIENCE)

        self._first = self.lane.submit("first", wait)
        assert begun.wait(PATIENCE)

    def add(self, visitor: object, name: str):
        return self.lane.submit(visitor, lambda: self.done.append(name))

    def let_go(self) -> list[str]:
        """Lets the worker do all that waits, and returns what it did."""
        last = self.lane.submit("last", lambda: None)
        self._go.set()
        last.result(PATIENCE)
        self._first.result(PATIENCE)
        return self.done


def test_what_is_computed_comes_back_and_so_do_errors():
    lane = Lane("test", 1)
    assert lane.run("me", lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        lane.run("me", lambda: 1 // 0)
    assert lane.run("me", lambda: current_thread().name).startswith("test-answers")


def test_visitors_take_turns_however_many_answers_one_of_them_wants():
    blocked = Blocked()
    for number in range(4):
        blocked.add("greedy", f"greedy {number}")
    blocked.add("modest", "modest 0")
    blocked.add("late", "late 0")
    blocked.add("modest", "modest 1")
    assert blocked.let_go()[:7] == ["greedy 0", "modest 0", "late 0", "greedy 1", "modest 1", "greedy 2", "greedy 3"]


def test_what_nobody_waits_for_any_more_is_not_computed():
    blocked = Blocked()
    gone = blocked.add("me", "gone")
    blocked.add("me", "here")
    assert gone.cancel() and blocked.let_go() == ["here"]


def test_of_too_many_answers_for_a_visitor_the_oldest_is_given_up():
    blocked = Blocked()
    wanted = [blocked.add("me", str(number)) for number in range(MAX_OF_ONE + 1)]
    other = blocked.add("you", "other")
    with pytest.raises(BusyError, match="close other windows"):
        wanted[0].result(PATIENCE)
    assert sorted(blocked.let_go()) == sorted([*map(str, range(1, MAX_OF_ONE + 1)), "other"]) and other.done()


def test_answers_that_were_cancelled_leave_room():
    blocked = Blocked()
    for number in range(3 * MAX_OF_ONE):
        assert blocked.add("me", str(number)).cancel()
    blocked.add("me", "mine")
    assert blocked.let_go() == ["mine"]


def test_all_waiting_answers_together_are_bounded(monkeypatch):
    monkeypatch.setattr("playground.sharing.lanes.MAX_WAITING", 3)
    blocked = Blocked()
    for number in range(3):
        blocked.add(number, str(number))
    with pytest.raises(BusyError):
        blocked.add("one too many", "never").result(PATIENCE)
    monkeypatch.setattr("playground.sharing.lanes.MAX_WAITING", 9)
    assert blocked.let_go() == ["0", "1", "2"]


def test_slow_answers_do_not_hold_up_the_others():
    go, begun = Event(), Event()

    def wait() -> None:
        begun.set()
        go.wait(PATIENCE)

    slow = [lane_for(True).submit(visitor, wait) for visitor in range(5)]
    assert begun.wait(PATIENCE)
    assert lane_for(False).run("me", lambda: 5) == 5 and not any(each.done() for each in slow)
    go.set()
    for each in slow:
        each.result(PATIENCE)
    assert lane_for(True) is HEAVY and lane_for(False) is LIGHT


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads have no priority of their own")
@pytest.mark.parametrize(("own", "wanted", "expected"), [(9, 5, 9), (5, 9, 9), (9, 0, 9)])
def test_a_page_that_was_started_with_a_low_priority_keeps_it(own, wanted, expected):
    """Raising it needs a privilege: without one the thread would end, and no slow answer would ever come."""

    def begin() -> int:
        os.setpriority(os.PRIO_PROCESS, 0, max(own, started))
        return Lane("test", 1, wanted).run("me", lambda: os.getpriority(os.PRIO_PROCESS, 0))

    started = os.getpriority(os.PRIO_PROCESS, 0)
    with ThreadPoolExecutor(1) as thread:  # whose priority the thread of the lane begins with
        assert thread.submit(begin).result(PATIENCE) == max(expected, started)
