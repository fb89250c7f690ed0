from threading import Thread

import pytest

from core.reader import turns
from core.reader.turns import Turns, reading_for


@pytest.fixture
def queue() -> Turns:
    return Turns()


def add(queue: Turns, who: str, group: str = "", *, is_long: bool = False) -> None:
    with reading_for(who, group):
        queue.add(is_long=is_long)


def serve(queue: Turns) -> list[str]:
    """Lets all have their turn, and returns who had it."""
    served = []
    while waiting := queue.find_next(may_be_long=True):
        queue.remove(waiting)
        served.append(waiting.who)
    return served


def test_one_who_brings_many_files_holds_up_nobody(queue):
    for who in "AAAAAABBC":
        add(queue, who)
    assert "".join(map(str, serve(queue))) == "ABCABAAAA"


def test_who_comes_later_has_the_next_turn_and_does_not_catch_up(queue):
    for who in "AAAAA":
        add(queue, who)
    for _ in range(3):
        queue.remove(queue.find_next(may_be_long=True))  # three of A's are read alone
    for who in "BBB":
        add(queue, who)
    assert "".join(map(str, serve(queue))) == "ABABB"


def test_newcomers_do_not_pass_those_who_wait_for_their_first_turn(queue):
    for who in "AB":
        add(queue, who)
    for who in "CD":
        queue.remove(queue.find_next(may_be_long=True))
        add(queue, who)
    assert serve(queue) == ["C", "D"]


def test_long_tasks_wait_among_themselves_and_what_is_given_up_takes_no_turn(queue):
    add(queue, "A", is_long=True)
    add(queue, "B")
    assert queue.find_next(may_be_long=False).who == "B"
    queue.remove(queue.find_next(may_be_long=True))
    assert queue.find_next(may_be_long=True).who == "B"


@pytest.mark.parametrize("who", ["A", ""])
def test_nobody_fills_the_queue_alone_whether_named_or_not(queue, who):
    for _ in range(turns.MAX_OF_ONE):
        add(queue, who, "here")
    with reading_for(who, "here"):
        assert not queue.has_room()
    with reading_for("B", "here"):
        assert queue.has_room()


def test_invented_names_do_not_fill_the_queue(queue):
    for number in range(turns.MAX_OF_GROUP):
        add(queue, str(number), "here")
    with reading_for("B", "here"):
        assert not queue.has_room()
    for number in range(turns.MAX_WAITING - turns.MAX_OF_GROUP):
        with reading_for(str(number), "there"):
            assert queue.has_room()
        add(queue, str(number), "there")
    with reading_for("B", "elsewhere"):
        assert not queue.has_room()


def test_nothing_is_remembered_of_those_who_have_left(queue):
    for number in range(100):
        add(queue, str(number))
        serve(queue)
    assert not queue._rounds


def test_a_name_holds_in_its_own_thread_only(queue):
    with reading_for("A"):
        other = Thread(target=queue.add, kwargs={"is_long": False})
        other.start()
        other.join()
        queue.add(is_long=False)
    queue.add(is_long=False)
    assert serve(queue) == ["", "A", ""]
