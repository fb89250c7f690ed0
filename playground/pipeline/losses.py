"""The losses in the pipeline: of each anchor, under any loss, and at the first step of training."""

from collections.abc import Hashable
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

from core.analysis.initial_logits import compute_initial_deltas, compute_initial_logits
from core.analysis.loss_concentration import AnchorLogits
from core.config import IOU_TARGETS, Loss
from core.retinanet.assigners.match import Match
from core.retinanet.assigners.simota import NetworkView
from core.retinanet.heads import prior_logit
from core.retinanet.losses import AnchorLosses, anchor_losses, predicted_ious, total_loss, weigh_classes
from core.weights.sources import adopt
from playground.data.training_objects import TrainingObjects, count_training_objects
from playground.pipeline.assignment import AssignmentStages
from playground.pipeline.networks import SEEDING, config_weights
from playground.support.cache import Cache
from playground.support.threads import all_threads

_losses, _ious = Cache(), Cache()
_initial_losses, _initial_outputs, _initial_matches = Cache(), Cache(), Cache()


class LossStages(AssignmentStages):
    """A picture under settings, up to its losses.

    Everything here raises as the properties of `AssignmentStages` that need the network.
    """

    @cached_property
    def losses(self) -> AnchorLosses:
        """The losses of each anchor under the chosen loss."""
        return self.compute_losses(self.config.loss)

    def compute_losses(self, loss: Loss) -> AnchorLosses:
        """Returns the losses of each anchor under a loss."""

        def compute() -> AnchorLosses:
            logits, deltas, _ = self.prediction.outputs
            boxes, _ = self.objects
            weights = self.weigh_classes(loss)
            with torch.inference_mode():
                return anchor_losses(
                    logits[0], deltas[0], self.grid.boxes, self.match, boxes, self.labels, loss, weights
                )

        return _losses.get(self.key_of_loss(loss), compute)

    def key_of_loss(self, loss: Loss) -> Hashable:
        """Returns a cache key of the losses of each anchor under a loss."""
        weights = self.weigh_classes(loss)
        return self.logits_key, loss, () if weights is None else tuple(weights.tolist())

    def weigh_classes(self, loss: Loss) -> Tensor | None:
        """Returns the weight of each of the network's classes, [K], as in training from here; None without weights."""
        if loss.class_weights == "none":
            return None
        counts = self.training_objects.counts
        return weigh_classes([counts.get(name, 0.0) for name in self.network.class_names], loss)

    @cached_property
    def training_objects(self) -> TrainingObjects:
        """The objects that a run from here would train on."""
        return count_training_objects(self.image_ref, self.config.scenes, self.visitor)

    @cached_property
    def predicted_ious(self) -> Tensor:
        """The IoU of the box that each foreground anchor predicts with its object, the target of some losses, [F]."""

        def compute() -> Tensor:
            deltas = self.prediction.outputs.deltas[0]
            return predicted_ious(deltas, self.grid.boxes, self.match, self.objects[0])

        return _ious.get(self.logits_key, compute)

    @property
    def gradient_counts(self) -> Tensor | None:
        """How many scores of this picture GHM-C counts in each of its bins; None under other losses.

        Those need no losses of this picture: their curves can be drawn where the network does not know its classes.
        """
        return self.losses.bins.counts if self.config.loss.kind == "ghm" and self.losses.bins else None

    @property
    def logits_key(self) -> Hashable:
        """A cache key of logits, boxes and assignment together: all that losses depend on except the loss."""
        return self.outputs_key, self.match_key

    def compute_initial_loss(self, loss: Loss, prior: float) -> float:
        """Returns the picture's classification loss at the first step of training, with new heads on this backbone.

        Args:
            loss: The loss.
            prior: π, the initial score of every anchor (paper, section 3.3).
        """

        def compute() -> float:
            logits = self._compute_initial("logits") + prior_logit(prior)
            # Others run no box subnet: neither their classification loss nor the assignment has predicted boxes.
            by_boxes = loss.kind in IOU_TARGETS or self.is_assigned_by_outputs
            deltas = self._compute_initial("deltas") if by_boxes else logits.new_zeros(len(logits), 4)
            boxes, match, weights = self.objects[0], self.match_initially(prior), self.weigh_classes(loss)
            with torch.inference_mode():
                losses = anchor_losses(logits, deltas, self.grid.boxes, match, boxes, self.labels, loss, weights)
                return total_loss([losses], loss).classification.item()

        return _initial_losses.get((self.key_of_loss(loss), prior, self.config.training.seed), compute)

    def match_initially(self, prior: float) -> Match:
        """Returns the assignment at the first step of training, with new heads on this backbone and the prior π."""
        if not self.is_assigned_by_outputs:
            return self.match

        def compute() -> Match:
            logits, deltas = self._compute_initial("logits"), self._compute_initial("deltas")
            return self.assign(NetworkView(logits + prior_logit(prior), deltas, self.labels))

        return _initial_matches.get((self.logits_key, prior, self.config.training.seed), compute)

    def _compute_initial(self, which: Literal["logits", "deltas"]) -> Tensor:
        """Returns the class logits of new heads without a prior, [N, K], or their deltas, [N, 4]."""

        def compute() -> Tensor:
            settings = adopt(self.config, config_weights(self.config), free=True)
            levels, classes = self.pyramid.levels, self.network.model.num_classes  # before taking the lock
            with SEEDING, all_threads():
                function = compute_initial_logits if which == "logits" else compute_initial_deltas
                return function(
                    levels,
                    settings.model,
                    num_classes=classes,
                    anchors_per_location=settings.anchors.per_location,
                    seed=settings.training.seed,
                )[0]

        return _initial_outputs.get((self.outputs_key, self.config.training.seed, which), compute)

    @cached_property
    def anchor_logits(self) -> AnchorLogits:
        """The class logits of foreground and background; they change with `logits_key`."""
        logits, deltas, _ = self.prediction.outputs
        return AnchorLogits.from_outputs(
            logits[0], deltas[0], self.grid.boxes, self.match, self.objects[0], self.labels
        )
