from typing import NamedTuple

import numpy as np
import pytest
import torch

from core.config import Config
from core.weights.sources import WeightsError
from playground.data.picture import render_picture
from playground.pipeline.pipeline import Pipeline
from playground.support.cache import OVERHEAD, RESULTS, Cache, Memory, PostponedError, give_back_memory
from playground.support.sizes import SAMPLED, count_bytes

KB = 1000


def room(small: int, large: int = 10**9, border: int = 10**9) -> Memory:
    """Memory in which `small` results of 1,000 numbers fit."""
    return Memory(small * (OVERHEAD + 5 * KB), large, border)


def numbers(count: int = KB) -> torch.Tensor:
    return torch.zeros(count)  # 4 bytes each


def test_what_was_used_least_recently_gives_way_and_errors_are_not_kept():
    cache, made = Cache(room(2)), []

    def make(key: str) -> torch.Tensor:
        made.append(key)
        if key == "bad":
            raise ValueError
        return numbers()

    for key in ("a", "b", "a", "c", "b"):  # b has gone when c came
        cache.get(key, lambda key=key: make(key))
    assert made == ["a", "b", "c", "b"]
    for _ in range(2):
        with pytest.raises(ValueError):
            cache.get("bad", lambda: make("bad"))
    assert made.count("bad") == 2


def test_the_latest_is_kept_however_large_it_is_and_still_used_results_stay_with_their_users():
    cache = Cache(room(3))
    used = cache.get("a", numbers)
    cache.get("large", lambda: numbers(50 * KB))
    assert "large" in cache and "a" not in cache and len(used) == KB


def test_caches_share_memory_but_not_keys():
    memory = room(2)
    first, second = Cache(memory), Cache(memory)
    first.get("key", lambda: numbers())
    assert "key" not in second and len(second.get("key", lambda: numbers(7))) == 7
    second.get("other", numbers)
    assert "key" not in first and "key" in second


def test_large_results_do_not_push_out_small_ones():
    cache = Cache(room(3, large=100 * KB, border=30 * KB))
    for key in ("a", "b", "c"):
        cache.get(key, numbers)
    for number in range(20):
        cache.get(number, lambda: numbers(10 * KB))
    assert all(key in cache for key in ("a", "b", "c")) and 19 in cache and 18 in cache and 17 not in cache


def test_many_tiny_results_are_bounded_too():
    memory = Memory(100 * OVERHEAD, 0, 10**9)
    cache = Cache(memory)
    for number in range(1000):
        cache.get(number, lambda number=number: number)
    assert memory.total <= 100 * OVERHEAD and 999 in cache and 0 not in cache


def test_the_same_result_again_is_counted_once():
    memory = room(9)
    memory.store("key", numbers())
    total = memory.total
    memory.store("key", numbers())
    assert memory.total == total


def test_what_was_refused_is_not_tried_again_at_once_but_what_was_postponed_is():
    cache, tried = Cache(room(3)), []

    def refuse(error: type[WeightsError]) -> None:
        tried.append(error)
        raise error("no")

    for kind in (WeightsError, WeightsError, PostponedError, PostponedError):
        with pytest.raises(WeightsError):
            cache.get(kind, lambda kind=kind: refuse(kind))
    assert tried == [WeightsError, PostponedError, PostponedError]


class Pair(NamedTuple):
    one: object
    two: object


class Thing:
    def __init__(self, held: object) -> None:
        self.held = held


BIG = 100 * KB  # beside which the bytes of the objects themselves do not matter
TENSOR = numbers(BIG)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (TENSOR, 4 * BIG),
        (np.zeros(BIG), 8 * BIG),
        ("x" * BIG, BIG),
        (b"x" * BIG, BIG),
        ((TENSOR, "x" * BIG), 5 * BIG),
        ([{"key": {"inside": Pair(1, np.zeros(BIG))}}], 8 * BIG),
        ({"x" * BIG: None}, BIG),
        (Thing(Thing(TENSOR)), 4 * BIG),
        (torch.nn.Linear(1000, 100), 4 * (BIG + 100)),
        (Pair(TENSOR, TENSOR), 4 * BIG),  # the same memory twice
        (Pair(TENSOR, TENSOR[1:]), 4 * BIG),
        (TENSOR[:1], 4 * BIG),  # a view keeps the whole
        (torch.empty(BIG, device="meta"), 0),
        (["x" * 1000 + str(number) for number in range(2000)], 2.1e6),  # of which not all are looked at
        (Thing, 0),
    ],
)
def test_everything_that_a_result_holds_is_counted(value, expected):
    assert count_bytes(value) == pytest.approx(expected, rel=0.03, abs=5 * KB)


def test_a_value_that_holds_itself_is_counted():
    value: list[object] = ["x" * BIG]
    value.append(value)
    assert count_bytes(value) == pytest.approx(BIG, rel=0.01)
    assert SAMPLED >= 100


def test_the_pictures_of_150_visitors_fit():
    config = Config()
    picture = render_picture(config.scenes)
    pipeline = Pipeline(picture, config)
    parts = (picture, pipeline.batch, pipeline.prediction.outputs, pipeline.score_maps, pipeline.merged, pipeline.fates,
             pipeline.suppressors, pipeline.level_counts, pipeline.match)  # fmt: skip
    assert 150 * sum(count_bytes(each) + OVERHEAD for each in parts) < RESULTS._small.max_bytes


def test_what_nobody_has_used_for_ten_minutes_is_forgotten():
    now = [0.0]
    memory = Memory(10**6, 10**6, 20 * KB, clock=lambda: now[0])
    cache, made = Cache(memory), []

    def get(key: str, count: int = KB) -> None:
        cache.get(key, lambda: made.append(key) or numbers(count))

    get("small"), get("large", 10 * KB), get("used")
    assert not memory.forget_unused()
    now[0] = 599
    get("used")
    assert not memory.forget_unused() and "small" in cache and "large" in cache
    now[0] = 600
    assert memory.forget_unused() and not memory.forget_unused()
    assert "small" not in cache and "large" not in cache and "used" in cache
    now[0] = 599 + 600
    assert memory.forget_unused() and memory.total == 0
    get("small")
    assert made == ["small", "large", "used", "small"]


@pytest.mark.slow
def test_memory_is_given_back_where_the_system_can_do_that(monkeypatch):
    give_back_memory()

    def refuse(name: None) -> None:
        raise TypeError("no name")  # as on Windows

    monkeypatch.setattr("ctypes.CDLL", refuse)
    give_back_memory()
