"""Everything that follows from a picture and the settings, computed when first asked for and cached across visitors.

What is recomputed follows from the knobs' declared effects: outputs are cached by picture and by the settings with the
effect forward, matching by the objects and the settings with the effects anchors and assign.
"""

from collections.abc import Hashable
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from core.anchors import AnchorGrid
from core.config import Config, knobs
from core.cumulative import Sides
from core.detector import Prediction, anchors_of, predict, stages_of
from core.hyperparameters import Loss
from core.inference import Stages
from core.initialisation import first_logits
from core.knobs import Effect
from core.losses import AnchorLosses, anchor_losses, total_loss
from core.matching import Match, match_anchors
from core.model import Pyramid, RetinaNet, prior_logit
from core.preprocess import Batch, prepare
from core.scenes import CLASS_NAMES
from core.training import objects_of
from core.weights import Weights, WeightsError, adopt, build, load_weights, without_heads
from playground.cache import Cache
from playground.pictures import Picture


class Network(NamedTuple):
    """A network ready to predict, its class names, and a key that changes with its weights."""

    model: RetinaNet
    class_names: tuple[str, ...]
    key: Hashable


# Sizes bound the memory: a prediction of a large picture with many anchors takes 100 MB.
_weights, _networks, _predictions, _pyramids = Cache(3), Cache(3), Cache(6), Cache(2)
_batches, _matches, _stages, _losses, _score_maps = Cache(4), Cache(8), Cache(8), Cache(16), Cache(6)
_first_logits, _first_losses = Cache(3), Cache(256)  # the latter are single numbers


def weights_of(name: str, depth: int) -> Weights:
    """Returns weights by name, from memory if they were loaded before and their file has not changed."""
    return _weights.get(
        (name, _stamp(name), depth if name == "imagenet" else 0), lambda: load_weights(name, depth=depth)
    )


def network_of(config: Config) -> Network:
    """Returns the network of the settings.

    Raises:
        WeightsError: The weights cannot be had or contradict the settings.
    """
    name = config.model.weights
    settings = (value for path, value in config.to_flat().items() if _shapes_network(path))
    key = (*settings, config.anchors.per_place, _stamp(name), config.training.seed)
    return _networks.get(key, lambda: _make_network(config, key))


def _shapes_network(path: str) -> bool:
    return path.startswith("model.") and knobs()[path].effect == Effect.FORWARD


def _weights_under(config: Config) -> Weights:
    weights = weights_of(config.model.weights, config.model.depth)
    return without_heads(weights) if config.model.heads == "new" else weights


def _make_network(config: Config, key: Hashable) -> Network:
    weights = _weights_under(config)
    class_names = weights.class_names or CLASS_NAMES
    torch.manual_seed(config.training.seed)  # of what starts at random
    return Network(build(adopt(config, weights), weights, num_classes=len(class_names)), class_names, key)


def _stamp(name: str) -> int:
    """When a weights file was last written; 0 for weights that are no file."""
    path = Path(name)
    return path.stat().st_mtime_ns if path.suffix and path.is_file() else 0


class Situation:
    """A picture under settings; its properties raise `WeightsError` where weights are needed that do not fit."""

    def __init__(self, picture: Picture, config: Config) -> None:
        self.picture, self.config = picture, config

    @cached_property
    def batch(self) -> Batch:
        """The picture as the network sees it."""
        inference = self.config.inference
        key = (self.picture.pixels_key, inference.image_size, inference.max_image_size)
        return _batches.get(key, lambda: prepare([self.picture.sample.image], inference))

    @cached_property
    def size(self) -> tuple[int, int]:
        """Height and width of the network's picture, without padding: the coordinates of all boxes here."""
        return self.batch.sizes[0]

    @cached_property
    def objects(self) -> tuple[Tensor, Tensor]:
        """Boxes [M, 4] in the network's pixels and labels [M]."""
        return objects_of(self.picture.sample, self.batch.factors[0])

    @cached_property
    def grid(self) -> AnchorGrid:
        """The anchors."""
        return anchors_of(self.batch, self.config.anchors)

    @cached_property
    def match(self) -> Match:
        """What became of each anchor."""
        return _matches.get(
            self._match_key, lambda: match_anchors(self.grid.boxes, self.objects[0], self.config.matching)
        )

    @property
    def _match_key(self) -> tuple:
        objects = (self.picture.objects_key, self.size, tuple(self.batch.pixels.shape))
        return *objects, self.config.part(Effect.ANCHORS, Effect.ASSIGN)

    @cached_property
    def network(self) -> Network:
        """The network with its weights."""
        return network_of(self.config)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Classes of the network, or of the picture while no network fits the settings."""
        try:
            return self.network.class_names
        except WeightsError:
            return self.picture.class_names

    @cached_property
    def prediction(self) -> Prediction:
        """What the network says."""
        images = [self.picture.sample.image]
        return _predictions.get(self._outputs_key, lambda: predict(self.network.model, images, self.config))

    @property
    def _outputs_key(self) -> tuple:
        return self.network.key, self.picture.pixels_key, self.config.part(Effect.FORWARD)

    @cached_property
    def pyramid(self) -> Pyramid:
        """Feature maps of body and pyramid."""

        def compute() -> Pyramid:
            with torch.inference_mode():
                return self.network.model.eval().pyramid(self.batch.pixels)

        return _pyramids.get(self._outputs_key, compute)

    @cached_property
    def score_maps(self) -> tuple[Tensor, ...]:
        """The best score of any class and anchor at each place of each level, float32 [rows, columns]."""

        def compute() -> tuple[Tensor, ...]:
            best = self.prediction.outputs.logits[0].amax(dim=1).sigmoid()  # [N]
            levels = zip(best.split(self.grid.counts), self.grid.grids, strict=True)
            return tuple(each.view(*grid, -1).amax(dim=2) for each, grid in levels)

        return _score_maps.get((self._outputs_key, self.grid.counts), compute)

    @cached_property
    def stages(self) -> Stages:
        """Candidates and their fates."""
        key = (*self._outputs_key, self.config.part(Effect.ANCHORS, Effect.DECODE))
        return _stages.get(key, lambda: stages_of(self.prediction, 0, self.config))

    @cached_property
    def labels(self) -> Tensor:
        """Classes of the objects as the network numbers them, int64 [M].

        Raises:
            WeightsError: The network does not know a class of this picture.
        """
        known = {name: index for index, name in enumerate(self.network.class_names)}
        names = [self.picture.class_names[label] for label in self.objects[1].tolist()]
        unknown = sorted({name for name in names if name not in known})
        if unknown:
            raise WeightsError(
                f"The weights {self.config.model.weights} know no {', '.join(unknown)}: choose other weights or "
                "draw objects of their classes."
            )
        return torch.tensor([known[name] for name in names], dtype=torch.int64)

    @cached_property
    def losses(self) -> AnchorLosses:
        """What each anchor pays."""
        return self.losses_under(self.config.loss)

    def losses_under(self, loss: Loss) -> AnchorLosses:
        """What each anchor would pay under another loss."""

        def compute() -> AnchorLosses:
            logits, deltas, _ = self.prediction.outputs
            boxes, _ = self.objects
            with torch.inference_mode():
                return anchor_losses(logits[0], deltas[0], self.grid.boxes, self.match, boxes, self.labels, loss)

        return _losses.get((self._outputs_key, self._match_key, loss), compute)

    def first_loss(self, loss: Loss, prior: float) -> float:
        """The classification loss of this picture at the first step of training: fresh heads on the present body.

        Args:
            loss: Under which it is paid.
            prior: π, the score that every anchor starts with.
        """

        def compute() -> float:
            logits = self._first_logits + prior_logit(prior)
            deltas = logits.new_zeros(len(logits), 4)
            boxes, _ = self.objects
            with torch.inference_mode():
                paid = anchor_losses(logits, deltas, self.grid.boxes, self.match, boxes, self.labels, loss)
                return total_loss([paid], loss).classification.item()

        return _first_losses.get((self._outputs_key, self._match_key, loss, prior), compute)

    @property
    def _first_logits(self) -> Tensor:
        """Class logits [N, K] of fresh heads without a prior."""

        def compute() -> Tensor:
            settings = adopt(self.config, _weights_under(self.config))
            return first_logits(
                self.pyramid.levels,
                settings.model,
                num_classes=self.network.model.num_classes,
                anchors_per_place=settings.anchors.per_place,
                seed=settings.training.seed,
            )[0]

        return _first_logits.get(self._outputs_key, compute)

    @cached_property
    def sides(self) -> tuple[Hashable, Sides]:
        """Class logits of foreground and background, after a key that changes with them."""
        return (self._outputs_key, self._match_key), Sides.of(
            self.prediction.outputs.logits[0], self.match, self.labels
        )
