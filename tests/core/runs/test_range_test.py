"""A test of learning rates in the folder of a run."""

from itertools import islice

import pytest

from core.runs import range_test as module
from core.runs.about import RANGE_TEST, About
from core.runs.control import PAUSE, PLAY, STOP, Control, prepare_control, write_control
from core.runs.folder import FINISHED, PAUSED, RUNNING, STOPPED, RunError, RunFolder
from core.runs.range_test import find_rates, find_rates_in_folder
from core.runs.splits import order_classes
from core.runs.train import Listeners, run_training
from core.scenes.render import CLASS_NAMES
from core.training.distributed import make_accelerator
from core.training.rate_finder import LOWEST, STEPS, conclude, describe_rates, settings_of_test
from core.training.records import DivergedError, StepRecord
from tests.core.tiny import tiny

CONFIG = settings_of_test(tiny())


@pytest.fixture
def folder(tmp_path) -> RunFolder:
    made = RunFolder(tmp_path / "test")
    made.path.mkdir()
    made.write_about(About(range_test=True))
    made.config.write_text(CONFIG.to_json(), encoding="utf-8")
    prepare_control(made.control)
    return made


@pytest.fixture
def replayed(monkeypatch):
    """Replaces the training by steps with given losses, after the data has been announced."""

    def replace(losses: list[float]) -> list[dict]:
        asked = []

        def find_rates(config, source, accelerator, *, listeners, **options):
            asked.append({"config": config, "source": source, **options})
            listeners.on_data(module.open_splits(config, About(source)))
            for step, loss in enumerate(losses, start=1):
                yield StepRecord(step, loss, 0.0, 10.0**-step, 1, 1.0, 1.0)

        monkeypatch.setattr(module, "find_rates", find_rates)
        return asked

    return replace


@pytest.mark.slow
def test_a_folder_has_the_records_of_the_test_and_nothing_else(folder):
    steps = list(islice(find_rates_in_folder(folder, folder.acquire_lock()), 3))
    direct = list(islice(find_rates(CONFIG, "scenes", make_accelerator()), 3))
    found, evaluations = folder.read_records()
    assert [each["classification"] for each in found] == [each.classification for each in direct]
    assert [each.learning_rate for each in steps] == [each["learning_rate"] for each in found]
    assert found[0]["learning_rate"] == LOWEST and evaluations == []
    assert not folder.weights.exists() and not folder.checkpoint.exists() and not folder.is_held()


def test_a_test_that_ends_is_finished_and_reads_what_the_run_is(folder, replayed):
    asked = replayed([2.0, 1.0])
    assert len(list(find_rates_in_folder(folder, folder.acquire_lock()))) == 2
    assert folder.read_status().state == FINISHED and not folder.is_held()
    assert asked[0] == {"config": CONFIG, "source": "scenes", "format": None, "strict": False, "free": True}
    assert folder.read_about().range_test and folder.read_about().title == RANGE_TEST


def test_a_test_obeys_its_control_file(folder, replayed, monkeypatch):
    replayed([2.0, 1.5, 1.0])
    tested, states = find_rates_in_folder(folder, folder.acquire_lock()), []

    def sleep(seconds: float) -> None:  # while it is paused
        states.append(folder.read_status().state)
        write_control(folder.control, Control(PLAY))

    monkeypatch.setattr("core.runs.recorder.time.sleep", sleep)
    next(tested)
    assert folder.read_status().state == RUNNING
    write_control(folder.control, Control(PAUSE))
    next(tested)
    assert states == [PAUSED] and folder.read_status().state == RUNNING
    write_control(folder.control, Control(STOP))
    assert list(tested) == []
    assert folder.read_status().state == STOPPED and len(folder.read_records()[0]) == 2


def test_a_test_that_was_stopped_starts_anew(folder, replayed):
    replayed([2.0, 1.0])
    for _ in range(2):
        list(find_rates_in_folder(folder, folder.acquire_lock()))
    assert [each["step"] for each in folder.read_records()[0]] == [1, 2]


def test_a_test_is_not_resumed_as_a_run(folder):
    with pytest.raises(RunError, match="holds a test of learning rates, which keeps no weights: start a new run"):
        next(run_training(CONFIG, "scenes", folder, resume=True))


def test_the_classes_are_announced_in_the_order_of_the_network(monkeypatch):
    def build(*_, **__):
        raise RunError("enough")

    announced, names = [], CLASS_NAMES[::-1]
    monkeypatch.setattr(module, "order_classes", lambda splits, _: order_classes(splits, names))
    monkeypatch.setattr(module, "build_trainer", build)
    listeners = Listeners(on_data=lambda opened: announced.append(opened.splits.train.class_names))
    with pytest.raises(RunError, match="enough"):
        next(find_rates(CONFIG, "scenes", make_accelerator(), listeners=listeners))
    assert announced == [names]


def test_an_error_lets_go_of_the_folder(folder, monkeypatch):
    def find_rates(*_, **__):
        raise DivergedError("The loss is not finite.")
        yield

    monkeypatch.setattr(module, "find_rates", find_rates)
    with pytest.raises(DivergedError):
        list(find_rates_in_folder(folder, folder.acquire_lock()))
    assert not folder.is_held()


def test_what_follows_from_a_test_is_said():
    rates = [LOWEST * 10 ** (step / 10) for step in range(60)]
    falling = describe_rates(rates, [2.0] * 20 + [2 - 0.05 * step for step in range(20)] + [3.0] * 20)
    assert conclude(falling, "the rate", stopped=False).startswith(f"Try the rate {falling.suggestion:.2g}: there")
    assert conclude(falling, "the rate", stopped=True) == f"Stopped after 60 of {STEPS} steps: no suggestion."
    assert conclude(describe_rates(rates, [1.0] * 60), "x", stopped=False).startswith("No suggestion: at no rate does")
