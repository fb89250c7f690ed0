"""The comparison of methods is resumed where it ended, and compares each seed with the default of the same seed."""

import pytest

from benchmarks import method_runs, methods
from benchmarks.atlas import KeptScenes
from benchmarks.method_runs import METHODS, SETTINGS, Bench, Result, build_config
from benchmarks.methods import collect, describe_plan, format_table, list_jobs, measure_left, summarise
from core.errors import UserError
from core.io.paths import ASSETS

CORE_TESTS = ASSETS.parent / "tests" / "core"


class Fake:
    """A bench that trains nothing; AP tells the method and the seed."""

    made: list[tuple[str, int]]

    def __init__(self, seed, folder):
        self.seed = seed

    def measure(self, method):
        self.made.append((method.name, self.seed))
        return Result(0.1 * self.seed + 0.01 * len(self.made), 0.5, None, 0.01, 0.1, 1.0)


@pytest.fixture
def made(monkeypatch) -> list[tuple[str, int]]:
    monkeypatch.setattr(methods, "Bench", Fake)
    Fake.made = []
    return Fake.made


def test_settings_are_valid_and_methods_of_inference_are_known_from_them():
    assert {method.name for method in METHODS if not method.is_trained} == {
        "DIoU-NMS", "weighted boxes fusion, IoU 0.55", "soft NMS, σ = 0.5", "test-time flip", "test-time scales 1, 1.5",
        "flip, scales and weighted boxes fusion", "inference in bfloat16",
    }  # fmt: skip
    assert METHODS[0].settings == {}
    for method in METHODS:
        file = method.tested.rpartition(": ")[2]
        assert (CORE_TESTS / file).is_file() or file == "both of these"
        config = build_config(method, 2)
        assert config.training.seed == config.scenes.seed == 2


@pytest.mark.slow
def test_no_method_is_charged_for_rendering(monkeypatch, tmp_path):
    rendered = []
    render = KeptScenes.__mro__[1].__getitem__
    monkeypatch.setattr(KeptScenes.__mro__[1], "__getitem__", lambda *given: rendered.append(1) or render(*given))
    monkeypatch.setattr(method_runs, "TRAINING_SCENES", 3)
    monkeypatch.setitem(SETTINGS, "training.eval_images", 2)
    bench = Bench(0, tmp_path)
    assert len(rendered) == 5
    for scenes in (bench._splits.train, bench._splits.validation):
        assert all(scenes[index] for index in range(len(scenes)))
    assert len(rendered) == 5


def test_what_is_done_is_not_done_again(made, tmp_path):
    jobs = list_jobs(2)
    with methods.open_work(tmp_path / "work", {}) as journal:
        stopped = measure_left(journal, jobs, tmp_path)
        for _ in range(30):  # into the second seed
            next(stopped)
        stopped.close()
    assert len(made) == 30
    with methods.open_work(tmp_path / "work", {}) as journal:
        rest = list(measure_left(journal, jobs, tmp_path))
    assert len(rest) == len(jobs) - 30
    assert made == [(job.method.name, job.seed) for job in jobs]
    with methods.open_work(tmp_path / "work", {}) as journal:
        assert list(measure_left(journal, jobs, tmp_path)) == []
        results = collect(journal, 2)
    assert list(results) == [method.name for method in METHODS]
    assert all(len(found) == 2 for found in results.values())


def test_other_settings_are_refused(made, tmp_path):
    methods.open_work(tmp_path / "work", {"a": 1}).close()
    with pytest.raises(UserError, match="other settings"):
        methods.open_work(tmp_path / "work", {"a": 2})


def result(ap: float | None, ending: str = "") -> Result:
    return Result(ap, None if ap is None else 2 * ap, None, 0.02, 0.25, 1.0, ending)


def test_gains_are_those_over_the_default_of_the_same_seed():
    results = {
        "default": [result(0.1), result(0.3)],
        "other": [result(0.2), result(0.25)],
        "broken": [result(None, "x")],
    }
    default, other, broken = summarise(results)
    assert default["ap_gain"] == (0, 0, 0)
    assert other["ap"] == pytest.approx(0.225)
    assert other["ap_gain"] == pytest.approx((0.025, -0.05, 0.1))
    assert other["ap50_gain"] == pytest.approx((0.05, -0.1, 0.2))
    assert other["rare_ap"] is None and other["rare_ap_gain"] is None
    assert (broken["ap"], broken["failed"], broken["seeds"]) == (None, 1, 1)
    lines = format_table([default, other, broken]).splitlines()
    assert lines[3] == "| other | 0.225 | +0.025 (−0.050 … +0.100) | 0.450 | – | – | 250 | 20 |"
    assert lines[4].startswith("| broken (1 of 1 ended early) | – | – |")
    assert len({line.count("|") for line in lines}) == 1


def test_the_plan_counts_what_is_left():
    jobs = list_jobs(1)
    assert describe_plan(jobs, jobs[-8:], (60.0, 30.0)) == (
        f"{len(METHODS)} methods × 1 seed; 8 left, 1 of them trainings of 120 steps: about 4 minutes of processor time."
    )
