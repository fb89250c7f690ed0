"""One visible training loop: a generator that yields a record of every step and of every evaluation."""

import copy
import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from accelerate import Accelerator
from torch import Tensor
from torch.utils.data import DataLoader

from core.config import Config
from core.data.dataset import DataSet
from core.evaluation.coco_metrics import Metrics
from core.evaluation.dataset_predictions import evaluation_steps
from core.retinanet.anchors import make_anchors
from core.retinanet.losses import AnchorLosses, ForegroundAverage, Losses, anchor_losses, total_loss
from core.retinanet.matching import match_anchors
from core.retinanet.model import Outputs, RetinaNet, freeze
from core.retinanet.preprocess import Batch, objects_of, prepare
from core.structures import Sample
from core.training.distributed import make_accelerator, padded_alike
from core.training.divergence import Explosion, LastStep, explain_divergence
from core.training.ema import averaged
from core.training.feature_cache import FeatureCache
from core.training.optimizer import Schedule, build_optimizer
from core.training.records import EvaluationProgress, EvaluationRecord, Record, StepRecord, TrainingError
from core.training.samples import TrainingStream, leave_interrupts
from core.training.sync_batch_norm import share_norms


class _Before(NamedTuple):
    """What a step has changed before its end: statistics of batch norms, and the average of foreground anchors."""

    statistics: list[Tensor]
    foreground_average: float


class Trainer:
    """A network with its optimizer, schedule and place in the run; `run` goes on from there.

    Args:
        model: Trained in place; `model.freeze_stages` and `model.batch_norm` of the config are applied to it.
        config: All settings.
        accelerator: Device and processes; a plain one if not given.

    Raises:
        TrainingError: The batch size does not divide among the processes.
    """

    def __init__(self, model: RetinaNet, config: Config, accelerator: Accelerator | None = None) -> None:
        self.config = config
        self.accelerator = accelerator or make_accelerator()
        processes = self.accelerator.num_processes
        if config.training.batch_size % processes:
            raise TrainingError(
                f"training.batch_size = {config.training.batch_size} does not divide among {processes} processes: "
                f"choose a multiple of {processes}."
            )
        if processes > 1:
            share_norms(model)
        freeze(model, config.model.freeze_stages, batch_norm=config.model.batch_norm)
        self.model = model.to(memory_format=torch.channels_last)  # a fifth faster on CPUs, the same values
        optimizer = build_optimizer(model, config.training)
        self._prepared, self._optimizer = self.accelerator.prepare(model, optimizer)
        self._averaged = averaged(self.model, config.training.ema_decay) if config.training.ema_decay else None
        self._schedule = Schedule(config.training)
        self._average = ForegroundAverage()
        self._explosion = Explosion()
        self._updating = threading.RLock()  # held while a step changes the weights
        self._cache: FeatureCache | None = None
        self._before: _Before | None = None  # the step that is being made
        self.step = 0

    @property
    def result(self) -> RetinaNet:
        """The network to evaluate and to save: the average of its weights if there is one."""
        return self._averaged.module if self._averaged else self.model

    @contextmanager
    def standing(self) -> Iterator[RetinaNet]:
        """Gives `result` as it was after the last whole step, in whichever thread; `state` is of that step, too.

        No step can end meanwhile. Evaluations, and the computation of gradients, go on.
        """
        with self._updating:
            if self._averaged or self._before is None:
                yield self.result
                return
            kept = copy.deepcopy(self.model)
            _set_statistics(kept, self._before.statistics)
            yield kept

    def run(self, train: DataSet, validation: DataSet, *, workers: int = 0) -> Iterator[Record]:
        """Trains to the configured number of steps.

        Args:
            train: Where samples come from.
            validation: Its first `training.eval_images` pictures are evaluated.
            workers: Processes that load pictures; 0 loads between the steps.

        Yields:
            A `StepRecord` a step, and where an evaluation is due and at the end `EvaluationProgress` and at last an
            `EvaluationRecord`.

        Raises:
            TrainingError: Loss or gradient is not finite. The weights are those before the step.
        """
        training = self.config.training
        if training.cache_features:
            self._cache = FeatureCache(self.model.backbone.body, training.cache_features)
        if self.step == training.steps:  # stopped during its last evaluation
            yield from self._evaluate(validation)
        started = time.perf_counter()
        for samples in self._batches(train, workers):
            record = self._train_step(samples, started)
            yield record
            due = training.eval_interval and self.step % training.eval_interval == 0
            if due or self.step == training.steps:
                yield from self._evaluate(validation)
            started = time.perf_counter()

    def _evaluate(self, validation: DataSet) -> Iterator[Record]:
        for progress in evaluation_steps(self.result, validation, self.config):
            if isinstance(progress, Metrics):
                yield EvaluationRecord(self.step, progress)
            else:
                yield EvaluationProgress(self.step, *progress)

    def _batches(self, train: DataSet, workers: int) -> DataLoader:
        """The remaining batches, of which each process takes its share."""
        size, processes = self.config.training.batch_size, self.accelerator.num_processes
        batches = [
            range(step * size + self.accelerator.process_index, (step + 1) * size, processes)
            for step in range(self.step, self.config.training.steps)
        ]
        stream = TrainingStream(train, self.config)
        return DataLoader(
            stream, batch_sampler=batches, collate_fn=list, num_workers=workers, worker_init_fn=leave_interrupts
        )

    def _train_step(self, samples: list[Sample], started: float) -> StepRecord:
        training, step = self.config.training, self.step
        with self._updating:
            self._before = _Before([buffer.clone() for buffer in self.model.buffers()], self._average.value)
        rate = self._schedule.rate(step)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self.model.train()
        losses, foreground = self._losses(samples)
        self._optimizer.zero_grad()
        self.accelerator.backward(losses.total)
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), training.clip_norm or math.inf).item()
        classification, box = (self.accelerator.reduce(part.detach(), "mean").item() for part in losses)
        with self._updating:
            if not math.isfinite(classification + box + norm) or self._explosion.sees(classification + box):
                _set_statistics(self.model, self._before.statistics)  # the forward pass has already moved them
                self._before = None
                raise self._divergence(LastStep(step + 1, classification, box, norm, rate, _flat_boxes(samples)))
            self._optimizer.step()
            if self._averaged:
                self._averaged.update_parameters(self.model)
            self._schedule.observe(classification + box)
            self.step, self._before = step + 1, None
        speed = training.batch_size / (time.perf_counter() - started)
        return StepRecord(step + 1, classification, box, rate, foreground, norm, speed)

    def _losses(self, samples: list[Sample]) -> tuple[Losses, int]:
        """Returns the losses of this process's samples and the foreground anchors of all processes."""
        device = self.accelerator.device
        batch = prepare([sample.image.to(device) for sample in samples], self.config.inference)
        batch = batch._replace(pixels=padded_alike(self.accelerator, batch.pixels))
        bf16 = self.config.training.precision == "bf16"
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            maps = self._cache.maps([sample.image for sample in samples], batch.pixels) if self._cache else None
            outputs = self._prepared(batch.pixels, maps)
        images = batch_losses(outputs, batch, samples, self.config)
        foreground = self.accelerator.reduce(sum(image.foreground for image in images), "sum").item()
        return total_loss(images, self.config.loss, self._divisor(foreground)), foreground

    def _divisor(self, foreground: int) -> float:
        """Foreground anchors a process, since gradients are averaged over the processes."""
        moving = self.config.loss.normaliser == "moving_average"
        total = self._average.update(foreground) if moving else max(foreground, 1)
        return total / self.accelerator.num_processes

    def _divergence(self, last: LastStep) -> TrainingError:
        return TrainingError(
            f"Step {last.step} diverged (classification loss {last.classification:.3g}, box loss {last.box:.3g}, "
            f"gradient norm {last.gradient_norm:.3g}); the weights are those of step {last.step - 1}. "
            f"{explain_divergence(self.config, last)}"
        )

    def state(self) -> dict:
        """Returns all that `restore` needs to go on exactly: tensors, numbers and plain containers."""
        model, before = self.model.state_dict(), self._before
        if before:
            names = (name for name, _ in self.model.named_buffers())
            model |= dict(zip(names, before.statistics, strict=True))
        return {
            "step": self.step,
            "model": model,
            "optimizer": self._optimizer.state_dict(),
            "schedule": self._schedule.state(),
            "foreground_average": before.foreground_average if before else self._average.value,
            "explosion": self._explosion.state(),
            "averaged": self._averaged.state_dict() if self._averaged else None,
        }

    def restore(self, state: dict) -> None:
        """Goes on from a `state` made under the same configuration."""
        self.model.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])
        _lay_out_alike(self._optimizer)
        self._schedule.restore(state["schedule"])
        self._average.value = state["foreground_average"]
        self._explosion.restore(state["explosion"])
        if self._averaged:
            self._averaged.load_state_dict(state["averaged"])
        self.step = state["step"]


def _lay_out_alike(optimizer: torch.optim.Optimizer) -> None:
    """Gives what an optimizer remembers the memory layout of the weights: fused ones pair numbers by their place."""
    for group in optimizer.param_groups:
        for weights in group["params"]:
            memory = optimizer.state.get(weights, {})
            for name, value in memory.items():
                if isinstance(value, Tensor) and value.shape == weights.shape:
                    memory[name] = torch.empty_like(weights, dtype=value.dtype).copy_(value)


def _set_statistics(model: RetinaNet, statistics: list[Tensor]) -> None:
    for buffer, before in zip(model.buffers(), statistics, strict=True):
        buffer.copy_(before)


def _flat_boxes(samples: list[Sample]) -> int:
    """Returns how many objects have no area."""
    sides = torch.cat([sample.boxes[:, 2:] - sample.boxes[:, :2] for sample in samples])  # [M, 2]
    return int((sides <= 0).any(dim=1).sum())


def batch_losses(outputs: Outputs, batch: Batch, samples: list[Sample], config: Config) -> list[AnchorLosses]:
    """Returns what each anchor of each picture pays; crowd regions are no objects.

    Args:
        outputs: Of the batch, any float type; the losses are computed in float32.
        batch: The prepared pictures.
        samples: Their ground truth, in pixels of the original pictures.
        config: Anchors, matching and loss.
    """
    device = outputs.logits.device
    anchors = make_anchors(config.anchors, *batch.pixels.shape[-2:]).boxes.to(device)
    results = []
    for logits, deltas, sample, factors in zip(
        outputs.logits.float(), outputs.deltas.float(), samples, batch.factors, strict=True
    ):
        boxes, labels = objects_of(sample, factors)
        match = match_anchors(anchors, boxes, config.matching)
        results.append(anchor_losses(logits, deltas, anchors, match, boxes, labels, config.loss))
    return results
