"""Sweeps: Ray trains the runs of a comparison, several at a time, on this machine or on a cluster.

Ray is optional and imported only when a sweep is requested. A run whose worker process dies is retried, from its
checkpoint if it has one. All machines need this project at the same path and a shared folder for the runs.
"""

import logging
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from core.config import Config, ConfigError
from core.experiments.comparison import VariantRun, plan_runs, train_variant
from core.experiments.plan_file import keep_plan
from core.experiments.presets import Preset
from core.io.paths import ROOT
from core.runs.folder import ENDED, RunError, RunFolder
from core.training.signals import collect_stop_signals

LOCAL = "local"  # the address that starts Ray on this machine
RETRIES = 3  # of a run whose worker dies
POLL_SECONDS = 0.2  # interval at which a request to stop is checked
CONNECT_SECONDS = 5  # Ray itself would retry for minutes and then end the process


class Trials:
    """The runs of a sweep with their settings.

    Args:
        preset: The comparison.
        folder: Folder of the runs; an interrupted comparison in it is continued.
        seeds: Runs per variant.
        overrides: Settings by path that take precedence over the preset's.
        workers: Number of processes that load the images of a run.

    Raises:
        ConfigError: The settings are invalid.
    """

    def __init__(self, preset: Preset, folder: Path, *, seeds: int, overrides: Mapping[str, Any], workers: int) -> None:
        self.runs = plan_runs(preset, folder.resolve(), seeds)  # absolute: Ray's workers start in another folder
        self.configs = [preset.config(run.variant, run.seed, **overrides) for run in self.runs]
        self.folder, self.workers = folder, workers


def run_sweep(trials: Trials, *, address: str, stopping: Callable[[], bool]) -> Iterator[VariantRun]:
    """Trains every unfinished run, as many at a time as Ray has CPUs or GPUs for.

    Args:
        trials: The runs.
        address: Address of a Ray cluster as `ray.init` takes it, or `LOCAL`.
        stopping: Called repeatedly; once it returns True, all runs are stopped with a checkpoint.

    Yields:
        Each run when it ends, whether finished, failed or stopped.

    Raises:
        ConfigError: Ray is not installed, or the cluster cannot be reached.
        RunError: Runs in the folder were started with other settings, a run's worker died repeatedly, or a worker
            trained into a folder that is not shared.
        WeightsError: As `run_training`.
    """
    ray = _connect(address)
    try:
        names = [run.folder.path.name for run in trials.runs]
        keep_plan(trials.folder, dict(zip(names, trials.configs, strict=True)))
        task = ray.remote(**_share(ray.nodes(), len(trials.runs)), max_retries=RETRIES)(_train)
        waiting = {
            task.remote(config, str(run.folder.path), trials.workers): run
            for run, config in zip(trials.runs, trials.configs, strict=True)
        }
        yield from _wait_for_runs(ray, waiting, stopping)
    finally:
        ray.shutdown()


def _train(config: Config, folder: str, workers: int) -> None:
    """Trains one run in a process of Ray, which cancels it with the signal of Ctrl-C."""
    records = train_variant(config, RunFolder(folder), workers=workers)
    with collect_stop_signals() as received, closing(records):
        for _ in records:
            if received:
                break


def _wait_for_runs(
    ray: ModuleType, waiting: dict[Any, VariantRun], stopping: Callable[[], bool]
) -> Iterator[VariantRun]:
    """Yields the runs as they end; if some could not be trained, raises the first error after all have ended."""
    stopped, errors = False, []
    while waiting:
        done, _ = ray.wait(list(waiting), timeout=POLL_SECONDS)
        for reference in done:
            run = waiting.pop(reference)
            if error := _find_error(ray, reference, run, stopped):
                errors.append(error)
            yield run
        if stopping() and not stopped:
            stopped = True
            for reference in waiting:
                ray.cancel(reference)
    if errors:
        raise errors[0]


def _find_error(ray: ModuleType, reference: Any, run: VariantRun, stopped: bool) -> Exception | None:
    """Returns why a run could not be trained; None if it was trained, or stopped before it started."""
    errors = ray.exceptions
    try:
        ray.get(reference)
    except errors.TaskCancelledError:
        return None
    except errors.RayTaskError as error:
        return error.cause
    except errors.RayError as error:
        return RunError(
            f"The run {run.folder.path} could not be trained ({type(error).__name__}, {1 + RETRIES} attempts): its "
            "process died, perhaps because it ran out of memory. Repeat the command to continue from its last "
            "checkpoint."
        )
    status = run.folder.read_status()
    if not stopped and (status is None or status.state not in ENDED):
        return RunError(
            f"A Ray worker trained the run {run.folder.path}, but in a folder of another machine: choose a folder that "
            "all machines share with --out."
        )
    return None


def _share(nodes: list[dict[str, Any]], trials: int) -> dict[str, float]:
    """Returns the resources of each run: one GPU if there are any, and as many CPUs as keep all of them busy."""
    resources = [node["Resources"] for node in nodes if node["Alive"]]
    processors = [int(each.get("CPU", 0)) for each in resources]
    share = max(processors, default=1)
    while share > 1 and sum(count // share for count in processors) < trials:
        share -= 1
    return {"num_cpus": max(1, share), "num_gpus": 1 if any(each.get("GPU") for each in resources) else 0}


def _connect(address: str) -> ModuleType:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no usage statistics are sent
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError:
        raise ConfigError("--ray needs Ray, which is not installed: pip install -r requirements-sweep.txt.") from None
    _require_reachable(address)
    try:
        ray.init(
            address,
            log_to_driver=False,
            logging_level=logging.WARNING,
            runtime_env={"env_vars": {"PYTHONPATH": str(ROOT)}},
            include_dashboard=False if address == LOCAL else None,
        )
    except (ValueError, ConnectionError, RuntimeError, OSError) as error:
        raise _unreachable(address, str(error).splitlines()[0] if str(error) else type(error).__name__) from None
    return ray


def _require_reachable(address: str) -> None:
    url = urlsplit(address if "://" in address else f"//{address}")
    try:
        host, port = url.hostname, url.port
    except ValueError:
        raise _unreachable(address, "the port is not a number") from None
    if host and port:
        try:
            socket.create_connection((host, port), timeout=CONNECT_SECONDS).close()
        except OSError as error:
            raise _unreachable(address, error.strerror or str(error)) from None


def _unreachable(address: str, reason: str) -> ConfigError:
    return ConfigError(
        f"No Ray cluster can be used at {address} ({reason}): use the address that `ray start` printed, or {LOCAL}."
    )
