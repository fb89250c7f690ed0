import pytest

from playground.server.in_progress import MAX_NAME, MAX_NUMBER, MAX_OF_ONE, RequestsInProgress
from playground.sharing.lanes import BusyError


def ask(number: object = 1, window: object = "w") -> dict:
    return {"window": window, "number": number}


def test_requests_of_a_window_meet_while_they_are_in_progress():
    windows = RequestsInProgress()
    with windows.enter("me", ask(1)) as (first, one), windows.enter("me", ask(2)) as (second, two):
        assert first is second and (one, two, first.requests) == (1, 2, 2)
        first.shown = 2
    with windows.enter("me", ask(3)) as (later, _):
        assert later is not first and later.shown == 0


def test_nobody_enters_the_window_of_another_visitor():
    windows = RequestsInProgress()
    with windows.enter("me", ask()) as (mine, _), windows.enter("you", ask()) as (yours, _):
        assert mine is not yours


@pytest.mark.parametrize(
    "request_",
    [
        None, [], {}, {"number": 1}, {"window": "w"}, ask(window=""), ask(window=7), ask(window="w" * (MAX_NAME + 1)),
        ask(0), ask(-1), ask(True), ask(1.0), ask("1"), ask(None), ask(MAX_NUMBER + 1),
    ],
)  # fmt: skip
def test_a_request_that_does_not_say_what_a_page_says_has_a_window_to_itself(request_):
    windows = RequestsInProgress()
    with windows.enter("me", request_) as (first, number), windows.enter("me", request_) as (second, _):
        assert first is not second and number == 1


def test_a_window_asks_for_no_more_than_a_page_does():
    windows = RequestsInProgress()
    held = [windows.enter("me", ask(number)) for number in range(1, MAX_OF_ONE + 1)]
    for each in held:
        each.__enter__()
    with pytest.raises(BusyError), windows.enter("me", ask(MAX_OF_ONE + 1)):
        pass
    with windows.enter("me", ask(window="other")):
        held[0].__exit__(None, None, None)
    with windows.enter("me", ask(MAX_OF_ONE + 1)):
        pass
