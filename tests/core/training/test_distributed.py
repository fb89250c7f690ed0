"""Two processes that train together on the CPU give the same results as one."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from core.runs.checkpoint import load_checkpoint
from core.runs.folder import FINISHED, STOPPED, RunFolder
from core.training import distributed
from core.training.distributed import choose_device, is_true_anywhere, make_accelerator
from core.weights.sources import load_weights
from tests.core import launched

ROOT = Path(__file__).parents[3]
# `accelerate launch` as the README has it, with a port of its own.
LAUNCH = (
    sys.executable,
    "-m",
    "accelerate.commands.launch",
    "--multi_gpu",
    "--num_processes",
    "2",
    "--main_process_port",
    "0",
)


@pytest.fixture(scope="module")
def together(tmp_path_factory) -> Path:
    """The folder of runs trained by two processes, with their output."""
    root = tmp_path_factory.mktemp("together")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    with (root / "stdout").open("w") as stdout, (root / "stderr").open("w") as stderr:
        command = [*LAUNCH, "-m", launched.__name__, str(root)]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=stdout, stderr=stderr)
        try:
            process.wait(500)
        finally:
            process.terminate()  # ends its two processes as well, unlike kill()
            process.wait()
    assert process.returncode == 0, (root / "stderr").read_text()
    return root


@pytest.mark.slow
@pytest.mark.parametrize("name", launched.COMPARED)
def test_same_losses_and_weights_as_one_process(together, tmp_path, name):
    assert launched.train(tmp_path, name, launched.COMPARED[name]) == 0
    one, two = RunFolder(tmp_path / name), RunFolder(together / name)
    assert two.read_status().state == FINISHED
    for alone, shared in zip(one.read_metrics(), two.read_metrics(), strict=True):
        for key in set(alone) - {"images_per_second", "metrics"}:
            assert shared[key] == pytest.approx(alone[key], rel=1e-3), key
    expected, found = (load_weights(str(folder.weights)).state for folder in (one, two))
    close = 3e-4 if name == "live" else 1e-5  # other order of summation, small batches
    for key, value in expected.items():
        assert torch.allclose(found[key], value, rtol=0, atol=close), key


@pytest.mark.slow
def test_a_signal_to_one_process_stops_both(together):
    folder = RunFolder(together / "stopped")
    assert folder.read_status().state == STOPPED
    assert load_checkpoint(folder.checkpoint)["step"] == folder.read_metrics()[-1]["step"] >= 1
    assert json.loads((together / "stopped.json").read_text())["stopped"] is True


@pytest.mark.slow
def test_only_one_process_writes_and_prints(together):
    evaluations = (together / "stdout").read_text().splitlines()
    assert [line.split(":")[0] for line in evaluations if line.startswith("step")] == ["step 3"] * 7 + ["step 1"]
    (rare,) = (line for line in evaluations if not line.startswith("step"))
    assert rare.startswith("Class weights of foreground") and rare.endswith("on average.")
    assert "%|" not in (together / "stderr").read_text()  # no progress bar without a terminal
    for name in launched.COMPARED:
        records = RunFolder(together / name).read_metrics()
        assert len(records) == records[-1]["step"] + 1  # each step once, plus the evaluation
    assert not list(together.rglob("*.part"))


def test_is_true_anywhere_with_one_process():
    accelerator = make_accelerator()
    assert accelerator.num_processes == 1 and accelerator.is_main_process
    assert is_true_anywhere(accelerator, True) and not is_true_anywhere(accelerator, False)


def test_a_single_process_computes_where_accelerates_variables_say(monkeypatch):
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda **_: torch.device("cuda"))
    monkeypatch.setattr(distributed, "make_accelerator", lambda: SimpleNamespace(device=torch.device("cpu")))
    for name in [name for name in os.environ if name.startswith("ACCELERATE_")]:
        monkeypatch.delenv(name)
    assert choose_device() == torch.device("cuda")
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")
    assert choose_device() == torch.device("cpu")
