"""The search of the learning rate looks beyond its first rates where the best one is at their edge."""

import math
import sys

import pytest

from benchmarks import best_rates
from benchmarks.best_rates import LOSSES, Tried, Variant, best_rate, mean_history, search_rate
from core.experiments.comparison import Result


@pytest.mark.parametrize(
    ("best", "tried"),
    [
        (0.001, [0.0005, 0.001, 0.002]),
        (0.002, [0.0005, 0.001, 0.002, 0.004]),
        (0.004, [0.0005, 0.001, 0.002, 0.004, 0.008]),
        (0.1, [0.0005, 0.001, 0.002, 0.004, 0.008]),  # no further
        (0.0005, [0.00025, 0.0005, 0.001, 0.002]),
    ],
)
def test_rates_beyond_the_edge_are_tried(monkeypatch, tmp_path, best, tried):
    monkeypatch.setattr(best_rates, "_try_rate", lambda loss, rate, folder, steps: Tried(-abs(rate - best), 1.0))
    found = search_rate(Variant("a loss", {}), tmp_path, 1)
    assert list(found) == tried
    assert best_rate(found) == min(tried, key=lambda rate: abs(rate - best))


def test_of_equal_rates_that_with_the_lowest_loss_is_taken():
    assert best_rate({0.002: Tried(0.3, 0.5), 0.001: Tried(0.3, 0.5), 0.004: Tried(0.2, 0.1)}) == 0.001
    assert best_rate({0.001: Tried(0.0, 5.5), 0.002: Tried(0.0, 5.4), 0.004: Tried(0.0, math.inf)}) == 0.002


@pytest.mark.parametrize(
    ("state", "loss", "tried"),
    [
        ("finished", 0.5, Tried(0.25, 0.5)),
        ("diverged", 0.5, Tried(0.0, math.inf)),
        ("finished", None, Tried(0, math.inf)),
    ],
)
def test_a_run_that_diverged_has_reached_nothing(monkeypatch, tmp_path, state, loss, tried):
    result = Result("a", 0, state, "", None, None, loss, None, {"ap": 0.25}, [])
    monkeypatch.setattr(best_rates, "train_all", lambda *arguments: [result])
    found = best_rates._try_rate(Variant("a", {}), 0.001, tmp_path, 1)
    assert found == tried
    expected = {"ap": {0.001: tried.ap}, "last_loss": {0.001: loss if state == "finished" else None}}
    assert best_rates.list_tried({0.001: found}) == expected


def test_the_history_is_the_mean_of_the_seeds():
    def result(variant: str, *history: tuple[int, float | None]) -> Result:
        return Result(variant, 0, "finished", "", None, None, None, None, None, list(history))

    results = [result("a", (5, 0.2), (10, 0.4)), result("a", (5, None), (10, 0.6)), result("b", (5, 1.0))]
    assert mean_history(results, "a") == [(5, 0.1), (10, 0.5)]
    results += [result("a", (5, 0.4)), result("a")]  # which diverged
    assert mean_history(results, "a") == [(5, pytest.approx(0.2)), (10, 0.5)]


def test_runs_of_other_lengths_are_not_taken_for_these(monkeypatch, tmp_path):
    """A run that has ended is not trained again: those of other lengths, or with rates from others, lie elsewhere."""
    folders = []

    def search(loss, folder, steps):
        folders.append(folder)
        return {0.001: Tried(0.1, 1.0)}

    def train(preset, folder, seeds):
        folders.append(folder)
        return [Result(each.name, 0, "finished", "", None, None, None, None, None, []) for each in LOSSES]

    monkeypatch.setattr(best_rates, "search_rate", search)
    monkeypatch.setattr(best_rates, "train_all", train)
    for search_steps, steps in ((1, 2), (1, 3), (4, 2)):
        lengths = ["--search-steps", str(search_steps), "--steps", str(steps)]
        monkeypatch.setattr(sys, "argv", ["best_rates", "--work", str(tmp_path), *lengths])
        best_rates.main()
    searches, finals = [each for each in folders if "search" in each.parent.name], folders[len(LOSSES) :: 5]
    assert len(searches) == 3 * len(LOSSES) and len(set(searches)) == 2 * len(LOSSES) and len(set(finals)) == 3


def test_each_loss_has_a_kind_of_its_own():
    assert len({each.settings.get("loss.kind") for each in LOSSES}) == len(LOSSES)
