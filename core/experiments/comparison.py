"""Comparisons: the arms of a preset trained one after another, each in a folder of its own, and what came out."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from core.config import Config
from core.experiments.presets import Preset, Variant
from core.runs.folder import FAILED, FINISHED, RunFolder
from core.runs.train import run_training
from core.training.records import Record, TrainingError

LAST_STEPS = 20  # whose mean loss and speed are reported: one batch says little


class VariantRun(NamedTuple):
    """One run of a comparison."""

    arm: Variant
    seed: int
    folder: RunFolder


class Summary(NamedTuple):
    """What the records of a run say in few numbers; None for what it did not live to see.

    Attributes:
        step: The last one.
        images_per_second: Mean over the last steps.
        first_loss: Classification loss of the first step.
        last_loss: Classification loss, mean over the last steps.
        last_box: Box loss, likewise.
        foreground: Foreground anchors a step, mean over all.
        metrics: COCO figures of the last evaluation.
    """

    step: int
    images_per_second: float | None
    first_loss: float | None
    last_loss: float | None
    last_box: float | None
    foreground: float | None
    metrics: dict[str, Any] | None


def summarised(steps: Sequence[Mapping[str, Any]], evaluations: Sequence[Mapping[str, Any]]) -> Summary:
    """Returns the summary of a run's records, as `RunFolder.read_records` gives them."""
    last = steps[-LAST_STEPS:]
    return Summary(
        step=steps[-1]["step"] if steps else 0,
        images_per_second=_mean(last, "images_per_second"),
        first_loss=steps[0]["classification"] if steps else None,
        last_loss=_mean(last, "classification"),
        last_box=_mean(last, "box"),
        foreground=_mean(steps, "foreground"),
        metrics=evaluations[-1]["metrics"] if evaluations else None,
    )


class Result(NamedTuple):
    """What came of one run; None for what it did not live to see.

    Attributes:
        arm: Name of the arm.
        seed: Of training.
        state: As in `core.runs.train`: finished, or failed if it diverged.
        message: Why, if it failed.
        images_per_second: Mean over the last steps.
        first_loss: Classification loss of the first step.
        last_loss: Classification loss, mean over the last steps.
        foreground: Foreground anchors a step, mean over all.
        metrics: COCO figures of the last evaluation.
        history: (step, AP) of each evaluation.
    """

    arm: str
    seed: int
    state: str
    message: str
    images_per_second: float | None
    first_loss: float | None
    last_loss: float | None
    foreground: float | None
    metrics: dict[str, Any] | None
    history: list[tuple[int, float | None]]


def parts(preset: Preset, folder: Path, seeds: int) -> list[VariantRun]:
    """Returns the runs of a comparison, all arms of a seed before the next seed."""
    return [
        VariantRun(arm, seed, RunFolder(folder / f"{number}-seed-{seed}"))
        for seed in range(seeds)
        for number, arm in enumerate(preset.arms, start=1)
    ]


def run_comparison(
    preset: Preset, folder: Path, *, seeds: int = 1, own: Mapping[str, Any] | None = None, workers: int = 0
) -> Iterator[tuple[VariantRun, Record]]:
    """Trains every part that is not finished yet, on scenes; a part that diverges is kept as failed.

    Args:
        preset: What is compared.
        folder: Where; one that holds an interrupted comparison is gone on with.
        seeds: Runs of each arm.
        own: Settings that win over the preset's, by path.
        workers: Processes that load pictures.

    Yields:
        The part and its records. Closing the generator stops with a checkpoint.

    Raises:
        RunError, ConfigError, WeightsError: As `run_training`.
    """
    for part in parts(preset, folder, seeds):
        records = train_part(preset.config(part.arm, part.seed, **(own or {})), part.folder, workers=workers)
        try:
            for record in records:
                yield part, record
        finally:
            records.close()


def train_part(config: Config, folder: RunFolder, *, workers: int) -> Iterator[Record]:
    """Trains one run on scenes, or goes on with it; nothing is left to do for one that has ended.

    Yields:
        Its records; those of a run that diverges end, and its folder says why. Closing stops with a checkpoint.

    Raises:
        RunError, ConfigError, WeightsError: As `run_training`.
    """
    status = folder.read_status()
    if status and status.state in (FINISHED, FAILED):
        return
    if (
        status and not folder.checkpoint.exists() and not folder.is_held()
    ):  # killed within its first minute: nothing to go on from
        shutil.rmtree(folder.path)
    try:
        yield from run_training(config, "scenes", folder, resume=folder.checkpoint.exists(), workers=workers)
    except TrainingError:  # the others can still be compared
        return


def result(part: VariantRun) -> Result:
    """Reads what came of a part."""
    status = part.folder.read_status()
    steps, evaluations = part.folder.read_records()
    told = summarised(steps, evaluations)._asdict()
    return Result(
        arm=part.arm.name,
        seed=part.seed,
        state=status.state if status else "waiting",
        message=status.message if status else "",
        **{name: told[name] for name in Result._fields if name in told},
        history=[(record["step"], record["metrics"]["ap"]) for record in evaluations],
    )


class Row(NamedTuple):
    """What came of one arm over its seeds; None where no run of it got that far.

    Attributes:
        arm: Name of the arm.
        runs: Runs that ended.
        failed: Of these, runs that diverged.
        ap: Mean over the runs.
        ap_low: The lowest.
        ap_high: The highest.
        ap50: Mean.
        ap75: Mean.
        first_loss: Classification loss of the first step, mean.
        last_loss: Classification loss of the last steps, mean.
        foreground: Foreground anchors a step, mean.
        images_per_second: Mean.
    """

    arm: str
    runs: int
    failed: int
    ap: float | None
    ap_low: float | None
    ap_high: float | None
    ap50: float | None
    ap75: float | None
    first_loss: float | None
    last_loss: float | None
    foreground: float | None
    images_per_second: float | None


def rows(results: Sequence[Result]) -> list[Row]:
    """Returns one row an arm, in the order in which the arms come first."""
    arms = dict.fromkeys(each.arm for each in results)
    return [_row(arm, [each for each in results if each.arm == arm]) for arm in arms]


def _row(arm: str, results: Sequence[Result]) -> Row:
    metrics = [each.metrics for each in results if each.metrics]
    ap = [each["ap"] for each in metrics if each["ap"] is not None]
    return Row(
        arm=arm,
        runs=sum(each.state in (FINISHED, FAILED) for each in results),
        failed=sum(each.state == FAILED for each in results),
        ap=_mean(metrics, "ap"),
        ap_low=min(ap, default=None),
        ap_high=max(ap, default=None),
        ap50=_mean(metrics, "ap50"),
        ap75=_mean(metrics, "ap75"),
        **{
            name: _mean([each._asdict() for each in results], name)
            for name in ("first_loss", "last_loss", "foreground", "images_per_second")
        },
    )


def _mean(records: Sequence[Mapping[str, Any]], key: str) -> float | None:
    values = [record[key] for record in records if record[key] is not None]
    return fmean(values) if values else None
