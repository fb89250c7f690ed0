"""The detections in a picture under other values of its hyperparameters, by the real pipeline with reused outputs."""

from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from core.config import POSTPROCESSING, Circumstances, Config, ConfigError, Effect, Knob, knobs
from core.errors import PictureError
from core.rescue.faults import Standing, find_standing
from core.rescue.moves import Move
from core.retinanet.model import RetinaNet
from core.retinanet.postprocess import Candidates
from core.retinanet.predict import Prediction, extract_candidates, gather_candidates, predict, to_detections
from core.retinanet.preprocess import count_pixels
from core.retinanet.tiles import is_tiled, make_tiles
from core.retinanet.views import count_seen_pixels, make_views
from core.structures import Detections, GroundTruth

PICTURE_SIZE = "inference.image_size"  # the only hyperparameter before the network's outputs that is tried
MAX_PASSES = 12  # of the network, for the values that need it again
MAX_WORK = 2e8  # of all trials together, in pairs of boxes that hard NMS compares: some 2 to 4 s
PAIR_COSTS = {"hard": 1, "diou": 8, "wbf": 3}  # of the other kinds of NMS, in these
SOFT_COST, FUSION_COST = 2e4, 3e3  # of each box that soft NMS keeps, and of each candidate that is fused


class Scene(NamedTuple):
    """A picture with its objects, and what a network predicts for it.

    Attributes:
        image: uint8 [3, H, W].
        truth: Its objects.
        num_classes: Number of classes of the objects.
        to_label: int64 [K]: the objects' class of each of the network's classes, −1 for one that they do not have.
        prediction: What the network predicts for the picture as a whole.
        model: The network; None if nothing is to be tried that needs it again.
        candidates: What enters NMS under the settings, of all views and tiles; None to find it here.
    """

    image: Tensor
    truth: GroundTruth
    num_classes: int
    to_label: Tensor
    prediction: Prediction
    model: RetinaNet | None = None
    candidates: Candidates | None = None


class Trials:
    """The standing of a detector in a picture under settings, and under others that differ in one hyperparameter.

    What a hyperparameter does not change is reused: those of NMS the candidates, those before it the outputs.

    Args:
        scene: The picture, its objects and the outputs for it.
        config: The settings, under which the outputs were computed.
        passes: How many times the network's work for the picture may be done, in all trials together.
    """

    def __init__(self, scene: Scene, config: Config, *, passes: float = 0.0) -> None:
        self.scene, self.config = scene, config
        self.passes_left = passes if scene.model else 0.0
        self.work_left = MAX_WORK
        self._standings: dict[tuple[str, object], Standing | None] = {}

    @property
    def count(self) -> int:
        """The number of values tried, without those beyond the bounds on work."""
        return sum(each is not None for each in self._standings.values())

    @cached_property
    def base(self) -> Standing:
        """The standing under the settings themselves."""
        return self._stand(self._base_candidates, self.config)

    def list_knobs(self) -> list[Knob]:
        """Returns the hyperparameters that can be tried without training: those that act after the network, and one.

        The one is the picture's size. Those that do nothing under the settings are left out.
        """
        several = len(self.scene.to_label) > 1
        known = Circumstances(single_image=True, tiled=self._is_tiled, several_classes=several)
        tried = (each for each in knobs().values() if each.effect in POSTPROCESSING or each.path == PICTURE_SIZE)
        return [each for each in tried if each.acts(self.config, known)]

    def is_costly(self, knob: Knob) -> bool:
        """True if the network has to run again for each value of a hyperparameter."""
        is_seen_once = len(make_views(self.config.inference)) == 1 and not self._is_tiled
        return not (knob.effect == Effect.SUPPRESS or (knob.effect == Effect.SELECT and is_seen_once))

    def is_allowed(self, move: Move) -> bool:
        """True if a value contradicts no other setting."""
        try:
            self.config.replace({move.path: move.value})
        except ConfigError:
            return False
        return True

    def stand(self, move: Move) -> Standing | None:
        """Returns the standing under another value that is allowed; None if that takes more than may be spent."""
        key = move.path, move.value
        if key not in self._standings:
            try:
                self._standings[key] = self._try(move)
            except PictureError:
                self._standings[key] = None
        return self._standings[key]

    def is_affordable(self, move: Move) -> bool:
        """True if the network's work for a value that is allowed is within what is left."""
        try:
            return self._count_passes(self.config.replace({move.path: move.value})) <= self.passes_left
        except PictureError:
            return False

    @property
    def _is_tiled(self) -> bool:
        height, width = self.scene.image.shape[1:]
        return is_tiled(height, width, self.config.inference)

    @cached_property
    def _base_candidates(self) -> Candidates:
        if self.scene.candidates is not None:
            return self.scene.candidates
        if self.scene.model:
            return gather_candidates(self.scene.prediction, self.scene.model, [self.scene.image], self.config)[0]
        return extract_candidates(self.scene.prediction, 0, self.config)

    def _try(self, move: Move) -> Standing | None:
        config, knob = self.config.replace({move.path: move.value}), knobs()[move.path]
        if knob.effect == Effect.SUPPRESS:
            candidates, prediction = self._base_candidates, self.scene.prediction
        elif not self.is_costly(knob):
            prediction = self.scene.prediction
            candidates = extract_candidates(prediction, 0, config)
        else:
            if self.scene.model is None or (passes := self._count_passes(config)) > self.passes_left:
                return None
            self.passes_left -= passes
            prediction = self.scene.prediction
            if knob.effect == Effect.FORWARD:
                prediction = predict(self.scene.model, [self.scene.image], config)
            candidates = gather_candidates(prediction, self.scene.model, [self.scene.image], config)[0]
        work = _estimate_nms(candidates, config)
        if knob.effect != Effect.SUPPRESS:
            work += prediction.outputs.logits.numel()  # which are searched for the best
        if work > self.work_left:
            return None
        self.work_left -= work
        return self._stand(candidates, config, prediction)

    def _stand(self, candidates: Candidates, config: Config, prediction: Prediction | None = None) -> Standing:
        factors = (prediction or self.scene.prediction).batch.factors[0]
        found = Detections(*(each.cpu() for each in to_detections(candidates, factors, config)))
        labels = self.scene.to_label[found.labels]
        known = labels >= 0
        kept = Detections(found.boxes[known], found.scores[known], labels[known])
        return find_standing(kept, self.scene.truth, self.scene.num_classes)

    def _count_passes(self, config: Config) -> float:
        """Returns the pixels that the network sees under settings, in all views and tiles, per pixel of the picture."""
        height, width = self.scene.image.shape[1:]
        tiles = make_tiles(height, width, config.inference)
        seen = (count_seen_pixels(view, config, height, width, tiles) for view in make_views(config.inference))
        return sum(map(sum, seen)) / count_pixels(height, width, self.config.inference)


def _estimate_nms(candidates: Candidates, config: Config) -> float:
    """Returns the work of NMS at worst, in pairs of boxes that hard NMS compares."""
    inference = config.inference
    if inference.nms_kind == "soft":
        return SOFT_COST * min(inference.max_detections, len(candidates.label))
    labels = torch.zeros_like(candidates.label) if inference.class_agnostic_nms else candidates.label
    pairs = sum(size * (size - 1) // 2 for size in labels.bincount().tolist())
    return PAIR_COSTS[inference.nms_kind] * pairs + (FUSION_COST * len(labels) if inference.nms_kind == "wbf" else 0)
