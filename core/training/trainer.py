"""The training loop: a generator that yields a record of every step and every evaluation."""

import copy
import math
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from typing import Any

import torch
from accelerate import Accelerator
from torch.optim.swa_utils import AveragedModel

from core.config import Config
from core.data.dataset import DataSet
from core.evaluation.coco_metrics import measure_classes
from core.evaluation.damage import DamagedPictures
from core.evaluation.dataset_predictions import Evaluation, count_images, evaluate_dataset
from core.retinanet.model import RetinaNet, freeze
from core.structures import Sample
from core.training.distributed import is_true_anywhere, make_accelerator, require_divisible_batch
from core.training.divergence import DivergedStep, ExplosionDetector, count_flat_boxes, diverged
from core.training.early_stopping import EarlyStopping
from core.training.feature_cache import FeatureCache
from core.training.loading import load_batches
from core.training.optimization.ema import build_average
from core.training.optimization.gradients import BatchGradient
from core.training.optimization.optimizer import Schedule, build_optimizer, match_memory_layout
from core.training.optimization.step_backup import StepBackup
from core.training.rare_classes import find_class_weights
from core.training.records import EvaluationProgress, EvaluationRecord, HeldOutLosses, Record, StepRecord
from core.training.sync_batch_norm import convert_batch_norms


class Trainer:
    """A network with its optimizer, schedule and number of completed steps; `run` trains the remaining ones.

    Args:
        model: The network, trained in place; the config's `model.freeze_stages` and `model.batch_norm` are applied.
        config: All settings.
        accelerator: Device and processes; by default those of `make_accelerator`.
        schedule: The learning rates; by default those of the config.

    Raises:
        TrainingError: The batch size is not a multiple of the number of processes.
    """

    def __init__(
        self,
        model: RetinaNet,
        config: Config,
        accelerator: Accelerator | None = None,
        schedule: Schedule | None = None,
    ) -> None:
        self.config = config
        self.accelerator = accelerator or make_accelerator()
        require_divisible_batch(config.training.batch_size, self.accelerator.num_processes)
        if self.accelerator.num_processes > 1:
            convert_batch_norms(model)
        freeze(model, config.model.freeze_stages, batch_norm=config.model.batch_norm)
        self.model = model.to(memory_format=torch.channels_last)  # a fifth faster on CPUs, with the same results
        optimizer = build_optimizer(model, config.training)
        prepared, self._optimizer = self.accelerator.prepare(model, optimizer)
        self._gradient = BatchGradient(model, prepared, config, self.accelerator)
        decay = config.training.ema_decay
        self._average: AveragedModel | None = build_average(self.model, decay) if decay else None
        self._schedule = schedule or Schedule(config.training)
        self._explosion = ExplosionDetector()
        self._early_stopping = EarlyStopping(config.training.early_stopping)
        self._updating = threading.RLock()  # held while a step changes the weights
        self._backup: StepBackup | None = None  # present while a step is in progress
        self._rare_classes: list[str] = []  # in the training data
        self.damaged: dict[str, DamagedPictures] = {}  # by split
        self.step = 0
        self.evaluated = 0  # steps after which the last evaluation was made; whoever records runs corrects it
        self.last_record: StepRecord | None = None  # of the last completed step of this process

    @property
    def result(self) -> RetinaNet:
        """The network to evaluate: with `training.ema_decay` the one with averaged weights."""
        if self._average is None:
            return self.model
        averaged = self._average.module
        assert isinstance(averaged, RetinaNet)
        return averaged

    @property
    def ending(self) -> str:
        """How the run has ended, as a sentence for people; "" if as planned, with the weights of the last step."""
        return self._early_stopping.describe_ending(self.step, self.config.training.steps)

    @contextmanager
    def hold_last_step(self) -> Iterator[RetinaNet]:
        """Provides the network to save as of the last completed step, from any thread.

        It is `result`, or with `training.early_stopping` the last one whose held-out loss had not risen.

        Meanwhile no step can complete, so `state` belongs to the same step; computing gradients and evaluating
        continue.

        Yields:
            The network; a copy if a step in progress has already changed its batch statistics.
        """
        with self._updating:
            if self._average or self._backup is None or self._early_stopping.kept:
                yield self._early_stopping.kept or self.result
                return
            model = copy.deepcopy(self.model)
            self._backup.restore_buffers(model)
            yield model

    def keep_features(self, cache: FeatureCache) -> None:
        """Takes the feature maps of its frozen backbone from a cache, which runs with the same backbone can share."""
        self._gradient.cache = cache

    def run(self, train: DataSet, validation: DataSet, *, workers: int = 0, strict: bool = False) -> Generator[Record]:
        """Trains up to the configured number of steps, or until early stopping; a run that it has ended stays so.

        Images that cannot be used are left out and counted in `damaged`.

        Args:
            train: The training data.
            validation: The validation data, of which the first `training.eval_images` images are evaluated.
            workers: Number of processes that load images; with 0 they are loaded between the steps.
            strict: Whether the first image that cannot be used ends the run.

        Yields:
            A `StepRecord` per step. When an evaluation is due, and after the last step, several `EvaluationProgress`
            and one `EvaluationRecord`; first of all those of the evaluation within which the run was ended.

        Raises:
            TrainingError: The loss or the gradient is not finite, the loss stays far above its first value, a part of a
                batch is too small for live batch norms, or a loading process was killed. The weights are those of the
                last completed step.
            DataError: More than half of the images cannot be used.
        """
        training = self.config.training
        self.damaged = {
            "train": DamagedPictures(len(train), strict=strict),
            "val": DamagedPictures(count_images(validation, self.config), strict=strict),
        }
        if training.cache_features:
            self._gradient.cache = FeatureCache(self.model.backbone.body, training.cache_features)
        self._gradient.class_weights = find_class_weights(train, self.config.loss)
        self._rare_classes = train.rare_classes
        ended = self._is_due_to_stop()
        again = self.step == training.steps and not ended  # whoever resumes a finished run sees how good it is
        if self._is_evaluation_due() and (self.evaluated < self.step or again):
            yield from self._evaluate(validation)
            ended = self._is_due_to_stop()
        if not ended:
            yield from self._run(train, validation, workers)

    def _run(self, train: DataSet, validation: DataSet, workers: int) -> Iterator[Record]:
        started = time.perf_counter()
        # Loading processes ignore the signal with which Python ends those that are left, and it would wait for them.
        with closing(
            load_batches(
                train, self.config, self.accelerator, self.damaged["train"], steps_done=self.step, workers=workers
            )
        ) as batches:
            for samples in batches:
                yield self._train_step(samples, started)
                if self._is_evaluation_due():
                    yield from self._evaluate(validation)
                    if self._is_due_to_stop():
                        return
                started = time.perf_counter()

    def _is_evaluation_due(self) -> bool:
        """True if an evaluation is to be made after the steps so far."""
        training = self.config.training
        due = self.step == training.steps or (training.eval_interval and self.step % training.eval_interval == 0)
        return bool(self.step and due)

    def _is_due_to_stop(self) -> bool:
        """True if early stopping ends the run, in all processes at once."""
        return bool(self.config.training.early_stopping) and is_true_anywhere(
            self.accelerator, self._early_stopping.is_due
        )

    def _evaluate(self, validation: DataSet) -> Iterator[Record]:
        names, damaged = validation.class_names, self.damaged["val"]
        weights = self._gradient.class_weights
        for progress in evaluate_dataset(self.result, names, validation, self.config, damaged, weights):
            if isinstance(progress, Evaluation):
                losses = HeldOutLosses(*(loss.item() for loss in progress.losses or (torch.tensor(math.nan),) * 2))
                with self._updating:
                    self._early_stopping.observe(self.step, losses.total, self.result)
                self.evaluated = self.step
                rare_ap = measure_classes(self._rare_classes, progress.metrics)
                yield EvaluationRecord(self.step, progress.metrics, losses, rare_ap)
            else:
                yield EvaluationProgress(self.step, *progress)

    def _train_step(self, samples: list[Sample], started: float) -> StepRecord:
        training, step = self.config.training, self.step
        with self._updating:
            self._backup = backup = StepBackup.of(self.model, self._gradient.foreground, self._gradient.bins)
        rate = self._schedule.rate(step)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self.model.train()
        self._optimizer.zero_grad()
        losses, foreground = self._gradient.compute(samples)
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), training.clip_norm or math.inf).item()
        classification, box = (self.accelerator.reduce(loss, "mean").item() for loss in losses)
        with self._updating:
            if not math.isfinite(classification + box + norm) or self._explosion.observe(classification + box):
                backup.restore_buffers(self.model)  # the forward pass has already updated them
                self._gradient.foreground.value = backup.foreground_average
                self._gradient.bins.counts = backup.gradient_counts
                self._backup = None
                flat_boxes = count_flat_boxes(samples)
                raise diverged(self.config, DivergedStep(step + 1, classification, box, norm, rate, flat_boxes))
            self._finish_step(classification + box)
            speed = training.batch_size / (time.perf_counter() - started)
            shares = self._gradient.class_shares
            record = StepRecord(step + 1, classification, box, rate, foreground, norm, speed, shares)
            self.last_record = record
        return record

    def _finish_step(self, loss: float) -> None:
        self._optimizer.step()
        if self._average:
            self._average.update_parameters(self.model)
        self._schedule.observe(loss)
        self.step, self._backup = self.step + 1, None

    def state(self) -> dict[str, Any]:
        """Returns the state from which `restore` continues exactly: tensors and numbers in plain containers."""
        model, backup = self.model.state_dict(), self._backup
        if backup:
            model = backup.replace_buffers(model)
        return {
            "step": self.step,
            "evaluated": self.evaluated,
            "model": model,
            "optimizer": self._optimizer.state_dict(),
            "schedule": self._schedule.state(),
            "foreground_average": backup.foreground_average if backup else self._gradient.foreground.value,
            "gradient_counts": backup.gradient_counts if backup else self._gradient.bins.counts,
            "explosion": self._explosion.state(),
            "averaged": self._average.state_dict() if self._average else None,
            "early_stopping": self._early_stopping.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Restores a state that `state` returned under the same configuration."""
        self.model.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])
        match_memory_layout(self._optimizer)
        self._schedule.restore(state["schedule"])
        self._gradient.foreground.value = state["foreground_average"]
        self._gradient.bins.counts = state.get("gradient_counts")  # not in checkpoints of earlier versions
        self._explosion.restore(state["explosion"])
        if self._average:
            self._average.load_state_dict(state["averaged"])
        if "early_stopping" in state:  # not in checkpoints of earlier versions
            self._early_stopping.restore(state["early_stopping"], self.model)
        self.step = state["step"]
        self.evaluated = state.get("evaluated", self.step)
