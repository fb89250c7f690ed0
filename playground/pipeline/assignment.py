"""The assignment in the pipeline: it follows from anchors and objects, and by some assigners from the outputs, too."""

from collections.abc import Hashable
from functools import cached_property

import torch
from torch import Tensor

from core.config import OUTPUT_ASSIGNERS
from core.errors import PictureError
from core.evaluation.class_names import describe_unknown, name_ignorant
from core.io.text import count_noun
from core.retinanet.assigners.assign import choose_assignment
from core.retinanet.assigners.match import Match
from core.retinanet.assigners.simota import NetworkView
from core.weights.sources import WeightsError
from playground.pipeline.networks import name_weights
from playground.pipeline.outputs import NetworkOutputs
from playground.support.cache import Cache

MAX_SCORES = 5e8  # that SimOTA compares with objects, in some 10 s on one processor
_matches = Cache()


class AssignmentStages(NetworkOutputs):
    """A picture under settings, up to the assignment of its anchors.

    What needs the network, as the assignment does by some assigners, raises as `NetworkOutputs`, and `WeightsError` if
    the network does not know a class of the picture. Their assignment raises `PictureError` if it would take too long.
    """

    @cached_property
    def labels(self) -> Tensor:
        """The labels of the objects as the network numbers its classes, int64 [M]."""
        indices = {name: index for index, name in enumerate(self.network.class_names)}
        names = [self.picture.class_names[label] for label in self.objects[1].tolist()]
        if unknown := sorted({name for name in names if name not in indices}):
            ignorant = name_ignorant(name_weights(self.config.model.weights))
            message = describe_unknown(ignorant, unknown, self.network.class_names)
            raise WeightsError(f"{message}: choose other weights or draw objects of their classes.")
        return torch.tensor([indices[name] for name in names], dtype=torch.int64)

    @property
    def own_labels(self) -> Tensor:
        """The picture's label of each of the network's classes, int64 [K]; −1 for a class that the picture lacks."""
        own = self.picture.class_names
        return torch.tensor([own.index(name) if name in own else -1 for name in self.network.class_names])

    @property
    def is_assigned_by_outputs(self) -> bool:
        """True if the assignment depends on what the network predicts."""
        return self.config.matching.assigner in OUTPUT_ASSIGNERS

    @property
    def can_ignore(self) -> bool:
        """True if the assigner ignores the anchors between two thresholds: neither ATSS nor SimOTA has any."""
        return self.config.matching.assigner == "max_iou"

    @cached_property
    def match(self) -> Match:
        """The assignment of the anchors to the objects."""

        def compute() -> Match:
            if not self.is_assigned_by_outputs:
                return choose_assignment(self.fit, self.grid, self.objects[0], self.config.matching)
            return self.assign(self.view)

        return _matches.get(self.match_key, compute)

    @property
    def view(self) -> NetworkView:
        """What the network predicts for the picture, and the classes that it should."""
        logits, deltas, _ = self.prediction.outputs
        return NetworkView(logits[0], deltas[0], self.labels)

    def assign(self, view: NetworkView) -> Match:
        """Returns the assignment if the network predicted otherwise."""
        self._require_few_scores()
        return choose_assignment(self.fit, self.grid, self.objects[0], self.config.matching, view)

    @property
    def match_key(self) -> Hashable:
        """The cache key of the assignment: that of the outputs is part of it if it depends on them."""
        return self.fit_key, self.outputs_key if self.is_assigned_by_outputs else ()

    def _require_few_scores(self) -> None:
        """Raises `PictureError` if objects are so many and large that to compare all scores in them takes too long."""
        boxes, (height, width) = self.objects[0], self.batch.pixels.shape[-2:]
        covered = ((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])).sum().item() / (height * width)
        scores = covered * len(self.grid.boxes) * self.network.model.num_classes
        if scores > MAX_SCORES:
            raise PictureError(
                f"SimOTA compares {scores / 1e6:,.0f} million scores with {count_noun(len(boxes), 'object')} here, and "
                f"this page at most {MAX_SCORES / 1e6:,.0f} million: lower “Shorter side”, draw fewer or smaller "
                "objects, or choose another “Assigner”."
            )
