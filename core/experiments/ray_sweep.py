"""A comparison as a sweep: Ray trains its runs, several at a time, on this machine or on many.

Ray is an optional requirement, imported only here and only when it is asked for. A run whose worker process dies is
tried again, from its checkpoint if it has one. All machines must have this project at the same place, and share the
folder of the runs.
"""

import os
import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from core.config import Config, ConfigError
from core.experiments.comparison import VariantRun, parts, train_part
from core.experiments.presets import Preset
from core.io.paths import ROOT
from core.runs.folder import FAILED, FINISHED, RunError, RunFolder
from core.training.signals import collect_stop_signals

LOCAL = "local"  # the address that starts Ray on this machine
RETRIES = 3  # of a run whose worker dies
LOOK_SECONDS = 0.2  # between looks at whether to stop
REACH_SECONDS = 5  # Ray itself would try for minutes, and then end the process


class Trials:
    """What a sweep trains.

    Args:
        preset: What is compared.
        folder: Where; one that holds an interrupted comparison is gone on with.
        seeds: Runs of each arm.
        own: Settings that win over the preset's, by path.
        workers: Processes that load the pictures of a run.

    Raises:
        ConfigError: The settings are not allowed.
    """

    def __init__(self, preset: Preset, folder: Path, *, seeds: int, own: Mapping[str, Any], workers: int) -> None:
        self.parts = parts(preset, folder.resolve(), seeds)  # the processes that train start elsewhere
        self.configs = [preset.config(part.arm, part.seed, **own) for part in self.parts]
        self.workers = workers


def run_sweep(trials: Trials, *, address: str, stopping: Callable[[], bool]) -> Iterator[VariantRun]:
    """Trains every run that is not finished yet, as many at a time as Ray has processors or graphics cards for.

    Args:
        trials: The runs.
        address: Of a Ray cluster as `ray.init` takes it, or `LOCAL`.
        stopping: Asked again and again; once true, all runs are stopped with a checkpoint.

    Yields:
        The runs as they end, however they end.

    Raises:
        ConfigError: Ray is not installed, or cannot be reached.
        RunError: A run's worker died again and again, or a worker trains into a folder that is not this one.
        WeightsError: As `run_training`.
    """
    ray = _connected(address)
    try:
        task = ray.remote(**_share(ray.nodes(), len(trials.parts)), max_retries=RETRIES)(_train)
        waiting = {
            task.remote(config, str(part.folder.path), trials.workers): part
            for part, config in zip(trials.parts, trials.configs, strict=True)
        }
        yield from _ended(ray, waiting, stopping)
    finally:
        ray.shutdown()


def _train(config: Config, folder: str, workers: int) -> None:
    """Trains one run in a process of Ray's; Ray's way to cancel it is the signal of a Ctrl-C."""
    run = RunFolder(folder)
    with collect_stop_signals() as received:
        records = train_part(config, run, workers=workers)
        for _ in records:
            if received:
                records.close()
                break


def _ended(ray: ModuleType, waiting: dict, stopping: Callable[[], bool]) -> Iterator[VariantRun]:
    """Yields runs as they end; one that cannot be trained leaves the others alone, and is told of after them."""
    stopped, problems = False, []
    while waiting:
        done, _ = ray.wait(list(waiting), timeout=LOOK_SECONDS)
        for reference in done:
            part = waiting.pop(reference)
            if problem := _problem(ray, reference, part, stopped):
                problems.append(problem)
            yield part
        if stopping() and not stopped:
            stopped = True
            for reference in waiting:
                ray.cancel(reference)
    if problems:
        raise problems[0]


def _problem(ray: ModuleType, reference: Any, part: VariantRun, stopped: bool) -> Exception | None:
    """Returns why a run could not be trained, None if it could be, or was stopped before it began."""
    errors = ray.exceptions
    try:
        ray.get(reference)
    except errors.TaskCancelledError:
        return None
    except errors.RayTaskError as error:
        return error.cause
    except errors.RayError as error:
        return RunError(
            f"The run {part.folder.path} could not be trained ({type(error).__name__}, tried {1 + RETRIES} times): its "
            "process died, perhaps for want of memory. The same command goes on from its last checkpoint."
        )
    status = part.folder.read_status()
    if not stopped and (status is None or status.state not in (FINISHED, FAILED)):
        return RunError(
            f"A worker of Ray's has trained {part.folder.path}, but not in this machine's folder of that name: choose "
            "one with --out that all machines share."
        )
    return None


def _share(nodes: list[dict], trials: int) -> dict[str, float]:
    """Returns what each run takes: one graphics card where there are any, and processors so that all are in use."""
    resources = [node["Resources"] for node in nodes if node["Alive"]]
    processors = [int(each.get("CPU", 0)) for each in resources]
    share = max(processors, default=1)
    while share > 1 and sum(count // share for count in processors) < trials:
        share -= 1
    return {"num_cpus": max(1, share), "num_gpus": 1 if any(each.get("GPU") for each in resources) else 0}


def _connected(address: str) -> ModuleType:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing here tells anyone anything
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError:
        raise ConfigError("--ray needs Ray, which is not installed: pip install -r requirements-sweep.txt.") from None
    options = {"include_dashboard": False} if address == LOCAL else {}
    _require_reachable(address)
    try:
        environment = {"env_vars": {"PYTHONPATH": str(ROOT)}}
        ray.init(address, log_to_driver=False, logging_level="warning", runtime_env=environment, **options)
    except (ValueError, ConnectionError, RuntimeError, OSError) as error:
        raise _unreachable(address, str(error).splitlines()[0] if str(error) else type(error).__name__) from None
    return ray


def _require_reachable(address: str) -> None:
    place = urlsplit(address if "://" in address else f"//{address}")
    try:
        host, port = place.hostname, place.port
    except ValueError:
        raise _unreachable(address, "the port is no number") from None
    if host and port:
        try:
            socket.create_connection((host, port), timeout=REACH_SECONDS).close()
        except OSError as error:
            raise _unreachable(address, error.strerror or str(error)) from None


def _unreachable(address: str, why: str) -> ConfigError:
    return ConfigError(
        f"No Ray cluster can be used at {address} ({why}): give the address that ray start printed, or {LOCAL}."
    )
