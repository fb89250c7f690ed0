"""Trains the runs of the stability atlas that the page shows.

`python -m benchmarks.atlas --work FILE --json assets/atlas.json`; repeat the command to resume it. It first prints how
many runs there are and about how long they take. Each run is kept in the work file as soon as it has ended; the atlas
is written from all that have, also with `--seeds 0`, which trains none.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from core.config import Config
from core.data.sources import SceneData
from core.errors import UserError
from core.experiments.atlas import BASE, STEPS, Place, build_config, list_places, to_key
from core.experiments.atlas_file import Atlas, write_atlas
from core.experiments.atlas_outcome import Run, classify, summarise_losses
from core.io.journal import Journal
from core.runs.splits import TRAINING_SCENES, Splits, order_classes
from core.runs.train import build_trainer
from core.structures import Sample
from core.training.distributed import make_accelerator
from core.training.feature_cache import FeatureCache
from core.training.records import DivergedError, EvaluationRecord, StepRecord
from core.weights.sources import weights_for

COMMAND = "python -m benchmarks.atlas --work FILE --json assets/atlas.json"
EVERY = 20  # runs from one written file to the next
KEPT_MEGABYTES = 500  # of feature maps; those of a seed's scenes have 60


class KeptScenes(SceneData):
    """Rendered scenes that are kept: all runs with one seed see the same ones, and rendering takes longest."""

    @cached_property
    def _kept(self) -> dict[int, Sample]:
        return {}

    def __getitem__(self, index: int) -> Sample:
        if index not in self._kept:
            self._kept[index] = super().__getitem__(index)
        return self._kept[index]


class Shared:
    """The scenes and the feature maps of the frozen backbone, shared by all runs with the same seed."""

    def __init__(self, config: Config) -> None:
        train = KeptScenes(config.scenes, TRAINING_SCENES, "train")
        held_out = KeptScenes(config.scenes, config.training.eval_images, "val")
        self.weights = weights_for(config)
        self.splits = order_classes(Splits(train, held_out), self.weights.class_names)
        self.cache: FeatureCache | None = None

    def train(self, config: Config) -> Run:
        """Trains one run; nothing of it stays on the disk."""
        config, trainer = build_trainer(config, self.weights, self.splits.train, make_accelerator(), free=False)
        self.cache = self.cache or FeatureCache(trainer.model.backbone.body, KEPT_MEGABYTES)
        trainer.keep_features(self.cache)
        losses: list[float] = []
        ap50 = None
        try:
            for record in trainer.run(*self.splits):
                if isinstance(record, StepRecord):
                    losses.append(record.classification + record.box)
                elif isinstance(record, EvaluationRecord):
                    ap50 = round(record.metrics.ap50 or 0.0, 4)
        except DivergedError:
            pass
        return Run(config.training.seed, config.training.steps, len(losses), summarise_losses(losses), ap50)


class Job(NamedTuple):
    """A run to train."""

    place: Place
    seed: int

    @property
    def key(self) -> str:
        """Its key in the work file."""
        return f"{self.seed} {to_key(self.place)}"


def list_jobs(seeds: int, places: tuple[Place, ...] | None = None) -> tuple[Job, ...]:
    """Returns all runs: the whole grid with one seed before the next seed."""
    places = list_places() if places is None else places
    return tuple(Job(place, seed) for seed in range(seeds) for place in places)


def describe_plan(jobs: tuple[Job, ...], left: int, seconds: float) -> str:
    """Returns a sentence with the number of runs to train and their estimated time."""
    places = len({job.place for job in jobs})
    return (
        f"{places:,} combinations that differ × {len(jobs) // max(1, places)} seeds = {len(jobs):,} runs of {STEPS} "
        f"steps of {BASE['training.batch_size']} scenes of {BASE['scenes.image_size']} px; {left:,} are left, at about "
        f"{seconds:.1f} s each: {left * seconds / 3600:.1f} hours."
    )


def open_work(path: Path, base: dict[str, Any]) -> Journal:
    """Opens the work file; a new one is begun.

    Raises:
        UserError: It belongs to runs with other settings.
    """
    journal = Journal(path, keep=True)
    header = {"base": base}
    if not journal.header:
        journal.begin(header)
    if journal.header != header:
        journal.close()
        raise UserError(f"{path} holds runs with other settings: name another file with --work.")
    return journal


def train_left(
    journal: Journal, jobs: tuple[Job, ...], train: Callable[[Place, int], Run]
) -> Iterator[tuple[Job, Run]]:
    """Trains the runs that the work file lacks; yields each once it is kept there."""
    for job in jobs:
        if journal.find(job.key) is None:
            started = time.perf_counter()
            run = train(*job)
            journal.add(job.key, {"run": run._asdict(), "seconds": time.perf_counter() - started})
            yield job, run


def collect(journal: Journal, base: dict[str, Any]) -> Atlas:
    """Returns the atlas of all runs that a work file has."""
    runs: dict[Place, list[Run]] = {place: [] for place in list_places()}
    seconds = []
    for place, found in runs.items():
        for seed in range(journal.count):
            record = journal.find(Job(place, seed).key)
            if record is None:
                break
            run = record["run"]
            found.append(Run(**{**run, "curve": tuple(map(tuple, run["curve"]))}))
            seconds.append(record["seconds"])
    return Atlas(
        COMMAND, median(seconds) if seconds else 0.0, base, {place: tuple(each) for place, each in runs.items() if each}
    )


class Runner:
    """Trains runs, and keeps what those with the same seed share."""

    def __init__(self) -> None:
        self._shared: Shared | None = None
        self._seed = -1

    def train(self, place: Place, seed: int) -> Run:
        """Trains a run."""
        config = build_config(place, seed)
        if self._shared is None or seed != self._seed:
            self._shared, self._seed = Shared(config), seed
        return self._shared.train(config)

    def measure(self, job: Job) -> float:
        """Returns the seconds that a run takes once the scenes of its seed are kept."""
        self.train(*job)
        started = time.perf_counter()
        self.train(*job)
        return time.perf_counter() - started


def main() -> None:
    """Prints the plan, trains the runs that are left and writes the atlas."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="file of the runs")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the atlas to this file")
    options = parser.parse_args()
    try:
        make_atlas(options.work, options.seeds, options.json)
    except UserError as error:
        parser.exit(2, f"error: {error}\n")


def make_atlas(work: Path, seeds: int, output: Path | None) -> None:
    """Trains the runs that the work file lacks, and writes the atlas if a file is named.

    Raises:
        UserError: A file cannot be used.
    """
    jobs, base, runner = list_jobs(seeds), dict(BASE), Runner()
    with open_work(work, base) as journal:
        left = [job for job in jobs if journal.find(job.key) is None]
        if left:
            print(describe_plan(jobs, len(left), runner.measure(left[0])), flush=True)
        for number, (job, run) in enumerate(train_left(journal, jobs, runner.train), start=1):
            print(f"{number}/{len(left)} {job.key}: {classify(run)}, AP50 {run.ap50}", flush=True)
            if output and number % EVERY == 0:
                write_atlas(output, collect(journal, base))
        if output:
            write_atlas(output, collect(journal, base))


if __name__ == "__main__":
    main()
