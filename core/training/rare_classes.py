"""What rare classes get in training: the weights and repeats that follow from its data, and sentences on them."""

import numpy as np
from torch import Tensor

from core.config import Config, Loss
from core.data.dataset import DataSet
from core.data.sources import SceneData
from core.retinanet.losses import weigh_classes
from core.training.sampling import find_repeat_factors


def find_class_weights(train: DataSet, loss: Loss) -> Tensor | None:
    """Returns the weights of a data set's classes, float32 [K]; None without `loss.class_weights`."""
    return None if loss.class_weights == "none" else weigh_classes(train.class_counts.tolist(), loss)


def describe_rare_classes(train: DataSet, config: Config) -> list[str]:
    """Returns sentences on the class weights and repeat factors of a run, for people; none by default."""
    sentences = [_describe_weights(train, config.loss), _describe_repeats(train, config)]
    return [each for each in sentences if each]


def _describe_weights(train: DataSet, loss: Loss) -> str:
    weights = find_class_weights(train, loss)
    if weights is None:
        return ""
    counts, known = train.class_counts, "expected" if isinstance(train, SceneData) else "training"
    order = np.argsort(-counts, kind="stable")
    present = [label for label in order.tolist() if counts[label]]
    if not present:
        return "Class weights are 1: there are no objects to count."
    most, least = (
        f"{weights[label]:.3g} for {train.class_names[label]} (n = {counts[label]:,.0f})"
        for label in (present[0], present[-1])
    )
    absent = len(counts) - len(present)
    rest = f"; classes without objects ({absent}) keep 1" if absent else ""
    return f"Class weights of foreground follow from the number n of {known} objects: from {most} to {least}{rest}."


def _describe_repeats(train: DataSet, config: Config) -> str:
    if config.training.sampler == "uniform":
        return ""
    shares, threshold = train.class_shares, config.training.repeat_threshold
    factors = find_repeat_factors(shares, threshold)
    rare = int((factors > 1).sum())
    if not rare:
        share = f"{100 * threshold:.3g}%"
        return f"The sampler repeats nothing: each class with objects is in at least {share} of the pictures."
    rarest = int(factors.argmax())
    return (
        f"Pictures with {rare} of {len(shares)} classes are repeated, most often those with "
        f"{train.class_names[rarest]} ({shares[rarest]:.1%} of the pictures): each is drawn {factors[rarest]:.2f} "
        "times an epoch on average."
    )
