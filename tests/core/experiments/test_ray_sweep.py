"""A sweep with Ray gives what the runs give one after another, and outlives the death of a worker."""

import importlib.util
import json
import os
import signal

import psutil
import pytest

from core.cli.main import main
from core.config import Config, ConfigError
from core.experiments.comparison import plan_runs
from core.experiments.presets import PRESETS, Preset, Variant
from core.experiments.ray_sweep import LOCAL, Trials, _share, run_sweep
from core.runs.folder import FINISHED, STOPPED

needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is not installed: pip install -r requirements-sweep.txt"
)
# Ray's is 15: its workers would wait for all other processes of the tests.
os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112
TINY = {
    "model.weights": "random", "model.fpn_channels": 32, "model.num_convs": 0, "inference.image_size": 64,
    "scenes.image_size": 64, "scenes.min_size": 0.3, "training.batch_size": 1, "training.steps": 3,
    "training.eval_images": 2, "training.eval_interval": 2,
}  # fmt: skip
PAIR = Preset("two", "look", (Variant("one", {}), Variant("other", {"loss.gamma": 0})))


def timeless(folder) -> list[dict]:
    """What a run recorded, but for how fast it was."""
    return [{key: value for key, value in each.items() if key != "images_per_second"} for each in folder.read_metrics()]


def sweep(address, preset, folder, own, stopping=lambda: False):
    trials = Trials(preset, folder, seeds=1, overrides=own, workers=0)
    return run_sweep(trials, address=address, stopping=stopping)


@pytest.fixture(scope="module")
def cluster():
    """The address of a cluster of one machine with two processors: Ray takes seconds to start."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False})
    yield cluster.address
    cluster.shutdown()


@pytest.fixture
def two_workers(monkeypatch):
    """Two processors for Ray, whatever the machine has, and one thread a run, as it gives each of two runs."""
    import ray
    import torch

    usual, threads = ray.init, torch.get_num_threads()
    monkeypatch.setattr(ray, "init", lambda *address, **options: usual(*address, **options, num_cpus=2))
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.slow
@needs_ray
def test_a_sweep_gives_what_one_after_another_gives(tmp_path, two_workers, capfd):
    flags = ["--workers", "0", *(f"--{path}={value}" for path, value in TINY.items())]
    plain, swept, told = tmp_path / "plain", tmp_path / "swept", tmp_path / "told.json"
    assert main(["compare", "freeze", "--out", str(plain), *flags]) == 0
    assert main(["compare", "freeze", "--out", str(swept), "--ray", LOCAL, "--json", str(told), *flags]) == 0
    result = json.loads(told.read_text())
    assert [run["state"] for run in result["runs"]] == [FINISHED] * 2 and not result["stopped"]
    assert capfd.readouterr().out.count("backbone frozen") == 2 + 1  # in both tables, and when it had ended
    for one, other in zip(*(plan_runs(PRESETS["freeze"], folder, 1) for folder in (plain, swept)), strict=True):
        assert timeless(other.folder) == timeless(one.folder) and len(timeless(one.folder)) == 5
        assert Config.from_file(other.folder.config) == Config.from_file(one.folder.config)


def busy_workers() -> set[int]:
    """Processes of Ray's that train here."""
    found = psutil.Process().children(recursive=True)
    return {each.pid for each in found if each.is_running() and each.name().startswith("ray::_train")}


@pytest.mark.slow
@needs_ray
def test_a_run_whose_worker_is_killed_goes_on_from_its_checkpoint(tmp_path, cluster):
    own = TINY | {"training.steps": 60, "training.eval_interval": 10, "training.eval_images": 1}
    first, second = plan_runs(PAIR, tmp_path, 1)
    killed: list[int] = []
    before: dict = {}

    def kill_once() -> bool:
        ready = all(part.folder.checkpoint.exists() for part in (first, second))
        if ready and not killed:
            before.update({part.variant.name: part.folder.read_metrics()[:10] for part in (first, second)})
            killed.append(min(busy_workers()))
            os.kill(killed[0], signal.SIGKILL)
        return False

    assert len(list(sweep(cluster, PAIR, tmp_path, own, kill_once))) == 2
    assert len(killed) == 1
    for part in (first, second):
        steps, _ = part.folder.read_records()
        assert part.folder.read_status().state == FINISHED
        assert [record["step"] for record in steps] == list(range(1, 61))
        assert (
            part.folder.read_metrics()[:10] == before[part.variant.name]
        )  # speeds and all: these were not trained again


@pytest.mark.slow
@needs_ray
def test_a_stopped_sweep_keeps_checkpoints_and_leaves_what_has_not_begun(tmp_path, cluster):
    preset = PAIR._replace(variants=(*PAIR.variants, Variant("third", {"loss.gamma": 1})))
    own = TINY | {"training.steps": 100_000, "training.eval_interval": 0}
    first, second, third = plan_runs(preset, tmp_path, 1)

    def both_train() -> bool:
        return all(part.folder.read_metrics() for part in (first, second))

    list(sweep(cluster, preset, tmp_path, own, both_train))
    assert [part.folder.read_status().state for part in (first, second)] == [STOPPED, STOPPED]
    assert first.folder.checkpoint.exists() and not third.folder.path.exists()


@pytest.mark.slow
@needs_ray
def test_what_keeps_a_run_from_training_is_said_in_one_sentence(tmp_path, cluster, capfd):
    assert main(["compare", "freeze", "--ray", cluster, "--out", str(tmp_path), "--weights", "none.pth"]) == 1
    said = capfd.readouterr().err.strip().splitlines()
    assert len(said) == 1 and said[0].startswith("error: ") and "none.pth" in said[0]


@pytest.mark.slow
@needs_ray
@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1:1", "ray://127.0.0.1:1", "127.0.0.1:port"])
def test_an_address_where_no_cluster_is_is_refused_at_once(tmp_path, address, capfd):
    with pytest.raises(ConfigError, match=f"No Ray cluster can be used at {address}"):
        list(
            run_sweep(
                Trials(PAIR, tmp_path, seeds=1, overrides=TINY, workers=0), address=address, stopping=lambda: False
            )
        )
    assert not list(tmp_path.iterdir())


def test_without_ray_it_says_what_to_install(tmp_path, capfd, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    assert main(["compare", "gamma", "--ray", LOCAL, "--out", str(tmp_path)]) == 2
    assert "requirements-sweep.txt" in capfd.readouterr().err and not list(tmp_path.iterdir())


def node(alive=True, **resources):
    return {"Alive": alive, "Resources": resources}


@pytest.mark.parametrize(
    ("nodes", "trials", "processors", "cards"),
    [
        ([node(CPU=2.0)], 2, 1, 0),
        ([node(CPU=2.0)], 7, 1, 0),
        ([node(CPU=64.0)], 7, 9, 0),
        ([node(CPU=16.0), node(CPU=8.0)], 3, 8, 0),
        ([node(CPU=16.0, GPU=2.0), node(CPU=8.0, alive=False)], 1, 16, 1),
        ([node()], 3, 1, 0),
    ],
)
def test_runs_share_the_processors_of_all_machines(nodes, trials, processors, cards):
    assert _share(nodes, trials) == {"num_cpus": processors, "num_gpus": cards}
