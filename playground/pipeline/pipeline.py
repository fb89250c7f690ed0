"""Everything that follows from a picture and the settings, computed when first asked for and cached across visitors.

What is recomputed follows from the knobs' declared effects: outputs are cached by picture and by the settings with the
effect forward, matching by the objects and the settings with the effects anchors and assign.
"""

from functools import cached_property

import torch
from torch import Tensor

from core.analysis.initial_logits import compute_initial_logits
from core.analysis.loss_concentration import AnchorLogits
from core.analysis.model_costs import Costs, ModelPart, count_parameters, estimate_costs
from core.config import Config, Effect, Loss
from core.retinanet.anchors import AnchorGrid
from core.retinanet.losses import AnchorLosses, anchor_losses, total_loss
from core.retinanet.matching import Match, match_anchors
from core.retinanet.model import Pyramid, prior_logit
from core.retinanet.postprocess import Candidates, Fates, LevelCounts, Suppressors, decide, level_counts, suppressors
from core.retinanet.predict import Prediction, anchors_of, candidates_of, predict
from core.retinanet.preprocess import Batch, objects_of, prepare
from core.weights.sources import WeightsError, adopt
from playground.data.image_ref import ImageRef
from playground.data.picture import Picture
from playground.pipeline.networks import SEEDING, Network, is_ready, network_of, weights_under
from playground.support.cache import Cache, PostponedError
from playground.support.threads import all_threads

HELD_GFLOPS = 30  # of work, about 0.2 s on two cores, that is done even while a knob is dragged
PEOPLE = 16  # whose pictures are kept, so that nobody's next value waits for the network again
ROOM = 400e6  # bytes of each kind; a prediction of a large picture with many anchors takes 100 MB
_predictions, _pyramids = Cache(PEOPLE, ROOM), Cache(2)
_batches, _first_logits = Cache(PEOPLE, ROOM), Cache(PEOPLE, ROOM)
_matches, _score_maps = Cache(PEOPLE, ROOM), Cache(PEOPLE, ROOM)
_candidates, _level_counts = Cache(PEOPLE, ROOM), Cache(PEOPLE)
_fates, _suppressors = Cache(PEOPLE, ROOM), Cache(PEOPLE, ROOM)
_losses, _first_losses = Cache(4 * PEOPLE, ROOM), Cache(256)  # the latter are single numbers


class Pipeline:
    """A picture under settings; its properties raise `WeightsError` where weights are needed that do not fit."""

    def __init__(
        self, picture: Picture, config: Config, *, held: bool = False, image_ref: ImageRef | None = None
    ) -> None:
        self.picture, self.config = picture, config
        self.image_ref = image_ref  # of the picture in its data set, None if it is in none
        self.held = held  # by a finger on a knob, or asked for in haste: what takes long waits
        self.put_off = False  # whether something has waited

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
        return *objects, self.config.cache_key(Effect.ANCHORS, Effect.ASSIGN)

    def puts_off(self) -> bool:
        """Whether what takes long has to wait; whoever asks does not do it then, and the page asks again later."""
        self.put_off |= self.held
        return self.held

    @cached_property
    def network(self) -> Network:
        """The network with its weights; another one than before is not made while its knob is held."""
        if not is_ready(self.config) and self.puts_off():
            raise PostponedError("The network runs once the knob rests.")
        return network_of(self.config)

    def _require_release(self, known: bool) -> None:
        """Refuses the work of a large network while a knob is held; `known` says that it is done already."""
        if known or not self.held:
            return
        if (work := self.costs.gflops) > HELD_GFLOPS and self.puts_off():
            raise PostponedError(f"The network runs once the knob rests: {work:.0f} GFLOP.")

    @property
    def class_names(self) -> tuple[str, ...]:
        """Classes of the network, or of the picture while no network fits the settings."""
        try:
            return self.network.class_names
        except WeightsError:
            return self.picture.class_names

    @property
    def parts(self) -> tuple[ModelPart, ...]:
        """Parameters of each part of the network, and which of them train."""
        per_location = self.config.anchors.per_location
        return count_parameters(self.config.model, num_classes=len(self.class_names), anchors_per_location=per_location)

    @property
    def costs(self) -> Costs:
        """Work and memory of the network, for the padded picture."""
        height, width = self.batch.pixels.shape[-2:]
        return estimate_costs(
            self.config.model,
            num_classes=len(self.class_names),
            anchors_per_location=self.config.anchors.per_location,
            height=height,
            width=width,
            batch_size=self.config.training.batch_size,
        )

    @cached_property
    def prediction(self) -> Prediction:
        """What the network says."""
        images = [self.picture.sample.image]

        def compute() -> Prediction:
            model = self.network.model
            with all_threads():
                return predict(model, images, self.config)

        self._require_release(self._outputs_key in _predictions)
        return _predictions.get(self._outputs_key, compute)

    @cached_property
    def _outputs_key(self) -> tuple:
        return self.network.key, self.picture.pixels_key, self.config.cache_key(Effect.FORWARD)

    @cached_property
    def pyramid(self) -> Pyramid:
        """Feature maps of body and pyramid."""

        def compute() -> Pyramid:
            with torch.inference_mode(), all_threads():
                return self.network.model.eval().pyramid(self.batch.pixels)

        self._require_release(self._outputs_key in _pyramids)
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
    def candidates(self) -> Candidates:
        """What is left before NMS."""
        return _candidates.get(self._candidates_key, lambda: candidates_of(self.prediction, 0, self.config))

    @cached_property
    def level_counts(self) -> tuple[LevelCounts, ...]:
        """How much passed each step before NMS on each level."""

        def compute() -> tuple[LevelCounts, ...]:
            return level_counts(self.prediction.outputs.logits[0], self.grid, self.candidates, self.config.inference)

        return _level_counts.get(self._candidates_key, compute)

    @cached_property
    def _candidates_key(self) -> tuple:
        return *self._outputs_key, self.config.cache_key(Effect.ANCHORS, Effect.SELECT)

    @cached_property
    def fates(self) -> Fates:
        """What NMS and the cap made of the candidates."""
        return _fates.get(self._fates_key, lambda: decide(self.candidates, self.config.inference))

    @cached_property
    def suppressors(self) -> Suppressors:
        """Who suppressed the candidates."""
        return _suppressors.get(
            self._fates_key, lambda: suppressors(self.candidates, self.fates, self.config.inference)
        )

    @cached_property
    def _fates_key(self) -> tuple:
        return *self._candidates_key, self.config.cache_key(Effect.SUPPRESS)

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

        return _losses.get((*self.truth_key, loss), compute)

    @property
    def truth_key(self) -> tuple:
        """What the losses of all anchors depend on beside the loss."""
        return self._outputs_key, self._match_key

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

        return _first_losses.get((*self.truth_key, loss, prior), compute)

    @property
    def _first_logits(self) -> Tensor:
        """Class logits [N, K] of fresh heads without a prior."""

        def compute() -> Tensor:
            settings = adopt(self.config, weights_under(self.config))
            levels, classes = self.pyramid.levels, self.network.model.num_classes  # made before the lock is taken
            with SEEDING, all_threads():
                return compute_initial_logits(
                    levels,
                    settings.model,
                    num_classes=classes,
                    anchors_per_location=settings.anchors.per_location,
                    seed=settings.training.seed,
                )[0]

        return _first_logits.get(self._outputs_key, compute)

    @cached_property
    def sides(self) -> AnchorLogits:
        """Class logits of foreground and background; they change with `truth_key`."""
        return AnchorLogits.from_match(self.prediction.outputs.logits[0], self.match, self.labels)
