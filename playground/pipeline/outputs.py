"""The network in the pipeline: its size, its feature maps and its outputs for the picture."""

from collections.abc import Hashable
from functools import cached_property

import torch
from torch import Tensor

from core.analysis.model_costs import Costs, ModelPart, count_parameters, estimate_costs
from core.config import Effect
from core.retinanet.backbone import Pyramid
from core.retinanet.model import Outputs
from core.retinanet.precision import compute_in
from core.retinanet.predict import Prediction, predict
from core.weights.sources import WeightsError
from playground.pipeline.inputs import PipelineInputs
from playground.pipeline.networks import Network, is_cached, network_of
from playground.support.cache import Cache, PostponedError
from playground.support.threads import all_threads

QUICK_GFLOPS = 30  # about 0.2 s on two cores; a network up to this size runs even while a knob is dragged
_outputs, _pyramids, _score_maps = Cache(), Cache(), Cache()


class NetworkOutputs(PipelineInputs):
    """A picture under settings, up to the outputs of the network.

    Properties that need the network raise `WeightsError` if its weights do not fit the settings, and `PostponedError`
    if it would be slow and `postpone_slow` is True.
    """

    @cached_property
    def network(self) -> Network:
        """The network with its weights; a new one is not built while a knob is dragged."""
        if not is_cached(self.config) and self.must_postpone():
            raise PostponedError("The network runs once you release the knob.")
        return network_of(self.config)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes of the network, or those of the picture if no weights fit the settings."""
        try:
            return self.network.class_names
        except WeightsError:
            return self.picture.class_names

    @property
    def parts(self) -> tuple[ModelPart, ...]:
        """The parts of the network with their number of parameters, in total and trainable."""
        per_location = self.config.anchors.per_location
        return count_parameters(self.config.model, num_classes=len(self.class_names), anchors_per_location=per_location)

    @property
    def costs(self) -> Costs:
        """Compute and memory that the network needs for the padded picture."""
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
        """The class logits and box deltas of all anchors."""

        def compute() -> Outputs:
            model = self.network.model
            with all_threads():
                return predict(model, [self.picture.sample.image], self.config).outputs

        self._require_quick(is_cached=self.is_predicted)
        return Prediction(self.batch, _outputs.get(self.outputs_key, compute))

    @property
    def is_predicted(self) -> bool:
        """True if the outputs of the network are at hand."""
        return self.outputs_key in _outputs

    @cached_property
    def pyramid(self) -> Pyramid:
        """The feature maps of the backbone and of the feature pyramid."""

        def compute() -> Pyramid:
            pixels, precision = self.batch.pixels, self.config.inference.precision
            with torch.inference_mode(), all_threads(), compute_in(precision, pixels.device):
                body, levels = self.network.model.eval().pyramid(pixels)
            first, second, third = (each.float() for each in body)
            return Pyramid((first, second, third), tuple(each.float() for each in levels))

        self._require_quick(is_cached=self.outputs_key in _pyramids)
        return _pyramids.get(self.outputs_key, compute)

    @cached_property
    def score_maps(self) -> tuple[Tensor, ...]:
        """The best score of any class and anchor at each location, per level float32 [rows, columns]."""

        def compute() -> tuple[Tensor, ...]:
            best = self.prediction.outputs.logits[0].amax(dim=1).sigmoid()  # [N]
            levels = zip(best.split(self.grid.counts), self.grid.grids, strict=True)
            return tuple(each.view(*grid, -1).amax(dim=2) for each, grid in levels)

        return _score_maps.get((self.outputs_key, self.grid.counts), compute)

    @cached_property
    def rounding(self) -> float:
        """The largest difference of any score from that in single precision, in which the network runs as well."""
        exact = type(self)(
            self.picture, self.config.replace({"inference.precision": "fp32"}), postpone_slow=self.postpone_slow
        )
        try:
            theirs = exact.prediction.outputs.logits.sigmoid()
        finally:
            self.has_postponed |= exact.has_postponed
        return (self.prediction.outputs.logits.sigmoid() - theirs).abs().max().item()

    @cached_property
    def outputs_key(self) -> Hashable:
        """The cache key of the outputs."""
        return self.network.key, self.picture.pixels_key, self.config.cache_key(Effect.FORWARD)

    def _require_quick(self, *, is_cached: bool) -> None:
        """Raises `PostponedError` if slow results are postponed and the network is large, unless it has already run."""
        if is_cached or not self.postpone_slow:
            return
        if (gflops := self.costs.gflops) > QUICK_GFLOPS and self.must_postpone():
            raise PostponedError(f"The network runs once you release the knob: {gflops:.0f} GFLOP.")
