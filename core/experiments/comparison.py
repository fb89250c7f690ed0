"""Comparisons: the variants of a preset are trained one after another, each in its own folder, and summarised."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from core.config import Config, Training
from core.experiments.plan_file import keep_plan
from core.experiments.presets import Preset, Variant
from core.io.moving import remove_tree
from core.runs.folder import DIVERGED, ENDED, RunFolder
from core.runs.metrics import find_kept, read_held_out
from core.training.records import HeldOutLosses, Record, TrainingError

LAST_STEPS = 20  # number of steps averaged for the final loss and speed: single batches are noisy
VARIANT_KEY = "arm"  # key of the variant's name in JSON


class VariantRun(NamedTuple):
    """One run of a comparison: a variant trained with one seed."""

    variant: Variant
    seed: int
    folder: RunFolder


class Summary(NamedTuple):
    """A run's records in a few numbers; None for a value the run has not reached.

    Attributes:
        step: Number of the last step.
        images_per_second: Mean throughput of the last steps.
        first_loss: Classification loss of the first step.
        last_loss: Mean classification loss of the last steps.
        last_box: Mean box loss of the last steps.
        foreground: Mean number of foreground anchors per step.
        metrics: COCO metrics of the weights that the run keeps.
        held_out: Their losses on the held-out pictures.
    """

    step: int
    images_per_second: float | None
    first_loss: float | None
    last_loss: float | None
    last_box: float | None
    foreground: float | None
    metrics: dict[str, Any] | None
    held_out: HeldOutLosses | None


def summarise(
    steps: Sequence[dict[str, Any]], evaluations: Sequence[dict[str, Any]], training: Training | None = None
) -> Summary:
    """Summarises a run's records.

    Args:
        steps: The records of its steps, as `RunFolder.read_records` returns them.
        evaluations: Those of its evaluations.
        training: Its settings, which say of which evaluation the weights are kept; by default that is the last one.
    """
    kept = find_kept(evaluations, training or Training())
    last = steps[-LAST_STEPS:]
    return Summary(
        step=steps[-1]["step"] if steps else 0,
        images_per_second=_mean(last, "images_per_second"),
        first_loss=steps[0]["classification"] if steps else None,
        last_loss=_mean(last, "classification"),
        last_box=_mean(last, "box"),
        foreground=_mean(steps, "foreground"),
        metrics=kept["metrics"] if kept else None,
        held_out=read_held_out(kept) if kept else None,
    )


class Result(NamedTuple):
    """The result of one run; None for a value the run has not reached.

    Attributes:
        variant: Name of the variant.
        seed: Training seed.
        state: State of the run, see `core.runs.folder`; "waiting" before it has started.
        message: The reason, if it failed or diverged.
        images_per_second: Mean throughput of the last steps.
        first_loss: Classification loss of the first step.
        last_loss: Mean classification loss of the last steps.
        foreground: Mean number of foreground anchors per step.
        metrics: COCO metrics of the weights that the run keeps.
        history: (step, AP) of each evaluation.
    """

    variant: str
    seed: int
    state: str
    message: str
    images_per_second: float | None
    first_loss: float | None
    last_loss: float | None
    foreground: float | None
    metrics: dict[str, Any] | None
    history: list[tuple[int, float | None]]

    def to_dict(self) -> dict[str, Any]:
        """Converts the result for JSON."""
        return _to_json(self._asdict())


def plan_runs(preset: Preset, folder: Path, seeds: int) -> list[VariantRun]:
    """Returns the runs of a comparison in training order: all variants with one seed before the next seed."""
    return [
        VariantRun(variant, seed, RunFolder(folder / f"{number}-seed-{seed}"))
        for seed in range(seeds)
        for number, variant in enumerate(preset.variants, start=1)
    ]


def run_comparison(
    preset: Preset, folder: Path, *, seeds: int = 1, overrides: Mapping[str, Any] | None = None, workers: int = 0
) -> Generator[tuple[VariantRun, Record]]:
    """Trains the unfinished runs of a comparison on rendered scenes; a run that diverges is kept as it is.

    Args:
        preset: The comparison.
        folder: Folder of the runs; an interrupted comparison in it is continued.
        seeds: Runs per variant.
        overrides: Settings by path that take precedence over the preset's.
        workers: Number of processes that load images.

    Yields:
        Each run with each of its records. Closing the generator stops the current run with a checkpoint.

    Raises:
        RunError: Runs in the folder were started with other settings; or as `run_training`.
        ConfigError, WeightsError: As `run_training`.
    """
    runs = plan_runs(preset, folder, seeds)
    configs = [preset.config(run.variant, run.seed, **(overrides or {})) for run in runs]
    keep_plan(folder, dict(zip([run.folder.path.name for run in runs], configs, strict=True)))
    for run, config in zip(runs, configs, strict=True):
        with closing(train_variant(config, run.folder, workers=workers)) as records:
            for record in records:
                yield run, record


def train_variant(config: Config, folder: RunFolder, *, workers: int) -> Generator[Record]:
    """Trains one run on rendered scenes from the start or from its checkpoint; does nothing if it has ended.

    Yields:
        Its records. If the run diverges they end, and its folder has the reason. Closing the generator stops the run
        with a checkpoint.

    Raises:
        RunError, ConfigError, WeightsError: As `run_training`.
    """
    status = folder.read_status()
    if status and status.state in ENDED:
        return
    if status and not folder.checkpoint.exists() and not folder.is_held():  # killed before its first checkpoint
        remove_tree(folder.path)
    from core.runs.train import run_training  # seconds to import, and only a comparison needs it

    try:
        yield from run_training(config, "scenes", folder, resume=folder.checkpoint.exists(), workers=workers)
    except TrainingError:  # the other variants can still be compared
        return


def read_result(run: VariantRun) -> Result:
    """Reads the result of a run from its folder."""
    status = run.folder.read_status()
    steps, evaluations = run.folder.read_records()
    training = Config.from_file(run.folder.config).training if evaluations else None
    summary = summarise(steps, evaluations, training)
    return Result(
        variant=run.variant.name,
        seed=run.seed,
        state=status.state if status else "waiting",
        message=status.message if status else "",
        images_per_second=summary.images_per_second,
        first_loss=summary.first_loss,
        last_loss=summary.last_loss,
        foreground=summary.foreground,
        metrics=summary.metrics,
        history=[(record["step"], record["metrics"]["ap"]) for record in evaluations],
    )


class Row(NamedTuple):
    """The results of one variant over its seeds; None for a value no run has reached.

    Attributes:
        variant: Name of the variant.
        runs: Number of runs that have ended.
        failed: Number of these that diverged.
        ap: Mean AP.
        ap_low: Lowest AP.
        ap_high: Highest AP.
        ap50: Mean AP50.
        ap75: Mean AP75.
        first_loss: Mean classification loss of the first step.
        last_loss: Mean classification loss of the last steps.
        foreground: Mean number of foreground anchors per step.
        images_per_second: Mean throughput.
    """

    variant: str
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

    def to_dict(self) -> dict[str, Any]:
        """Converts the row for JSON."""
        return _to_json(self._asdict())

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Row":
        """Reverses `to_dict`."""
        return cls(variant=values[VARIANT_KEY], **{name: values[name] for name in cls._fields if name != "variant"})


def summarise_variants(results: Sequence[Result]) -> list[Row]:
    """Returns one row per variant, in the order in which the variants first occur."""
    variants = dict.fromkeys(result.variant for result in results)
    return [_row(variant, [result for result in results if result.variant == variant]) for variant in variants]


def _row(variant: str, results: Sequence[Result]) -> Row:
    metrics = [result.metrics for result in results if result.metrics]
    ap = [each["ap"] for each in metrics if each["ap"] is not None]
    values = [result._asdict() for result in results]
    return Row(
        variant=variant,
        runs=sum(result.state in ENDED for result in results),
        failed=sum(result.state == DIVERGED for result in results),
        ap=_mean(metrics, "ap"),
        ap_low=min(ap, default=None),
        ap_high=max(ap, default=None),
        ap50=_mean(metrics, "ap50"),
        ap75=_mean(metrics, "ap75"),
        first_loss=_mean(values, "first_loss"),
        last_loss=_mean(values, "last_loss"),
        foreground=_mean(values, "foreground"),
        images_per_second=_mean(values, "images_per_second"),
    )


def _to_json(values: Mapping[str, Any]) -> dict[str, Any]:
    return {VARIANT_KEY if name == "variant" else name: value for name, value in values.items()}


def _mean(records: Sequence[Mapping[str, Any]], key: str) -> float | None:
    values = [record[key] for record in records if record[key] is not None]
    return fmean(values) if values else None
