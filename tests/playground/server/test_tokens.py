import pytest

from core.config import Config
from playground.data.picture import render_picture
from playground.server.tokens import MAX_BYTES, MAX_OF_ONE, MAX_STATES, OVERHEAD, Tokens
from playground.state.page_state import PageState
from playground.state.user_picture import UserPicture

PICTURE_BYTES = 3 * 96 * 96


def small(states: int) -> int:
    """Bytes in which so many states without pictures fit."""
    return states * (OVERHEAD + 100)


def picture_of(seed: int) -> UserPicture:
    scenes = Config.from_flat({"scenes.seed": seed, "scenes.image_size": 96, "scenes.min_size": 0.15}).scenes
    return UserPicture(render_picture(scenes), scenes)


def known(tokens: Tokens, names: list[str], visitor: str = "me") -> list[bool]:
    return [tokens.find(name, visitor) is not None for name in names]


def state(run: str = "", visitor: str = "me", **fields) -> PageState:
    return PageState("loss", run=run, visitor=visitor, **fields)


def test_the_same_state_has_the_same_token_whatever_the_browser_sends_itself():
    tokens = Tokens(MAX_BYTES, MAX_OF_ONE)
    plain = tokens.issue(state())
    assert (
        tokens.issue(state(settings='{"loss.gamma": 1}', held=True, p_t=0.5, began=state()))
        == plain
        != tokens.issue(state("run"))
    )
    assert not tokens.find(plain, "me").held and tokens.find(plain, "you") is None


def test_the_least_recently_used_states_of_a_visitor_are_forgotten_first():
    tokens = Tokens(MAX_BYTES, small(3))
    names = [tokens.issue(state(str(number))) for number in range(3)]
    assert tokens.issue(state("0")) == names[0] and tokens.find(names[1], "me")
    tokens.issue(state("3"))
    assert known(tokens, names) == [True, True, False]
    assert tokens.issue(state("2")) != names[2]


def test_one_visitor_cannot_make_the_server_forget_the_states_of_another():
    tokens = Tokens(small(30), small(10))
    mine = tokens.issue(state())
    for number in range(100):
        tokens.issue(state(str(number), visitor="you"))
    assert known(tokens, [mine]) == [True]


def test_visitors_without_a_cookie_share_half_of_it():
    tokens = Tokens(small(30), small(2))
    mine = tokens.issue(state())
    names = [tokens.issue(state(str(number), visitor="")) for number in range(40)]
    assert known(tokens, [mine]) == [True] and 12 <= sum(known(tokens, names, "")) <= 15


def test_all_states_together_are_bounded():
    tokens = Tokens(small(5), small(2))
    names = [tokens.issue(state(visitor=str(number))) for number in range(8)]
    assert [tokens.find(name, str(number)) is not None for number, name in enumerate(names)] == [False] * 3 + [True] * 5


def test_a_visitor_has_a_number_of_states():
    tokens = Tokens(MAX_BYTES, MAX_OF_ONE)
    names = [tokens.issue(state(str(number))) for number in range(MAX_STATES + 1)]
    assert known(tokens, [names[0], names[1], names[-1]]) == [False, True, True]


@pytest.mark.parametrize("field", ["user_picture", "pinned_picture"])
def test_pictures_count_once_however_many_states_hold_them(field):
    tokens = Tokens(MAX_BYTES, 2 * PICTURE_BYTES + small(6))
    first, second, third = (picture_of(seed) for seed in range(3))
    names = [tokens.issue(state(str(number), **{field: first})) for number in range(3)]
    other = tokens.issue(state(**{field: second}))
    assert known(tokens, [*names, other]) == [True] * 4
    tokens.issue(state(**{field: third}))  # makes the server forget all that hold the first one
    assert known(tokens, [*names, other]) == [False, False, False, True]


def test_an_upload_behind_the_picture_counts_too():
    tokens = Tokens(MAX_BYTES, 2 * PICTURE_BYTES + small(6))
    first = tokens.issue(state(user_picture=picture_of(0)._replace(upload=picture_of(1))))
    tokens.issue(state(user_picture=picture_of(2)))
    assert known(tokens, [first]) == [False]


def test_a_picture_that_is_larger_than_its_share_is_still_kept():
    tokens = Tokens(100, 100)
    assert known(tokens, [tokens.issue(state(user_picture=picture_of(0)))]) == [True]
