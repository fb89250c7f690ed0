"""Helpers shared by several commands."""

import sys
from argparse import Namespace
from collections.abc import Callable, Iterable, Sequence

import torch
from tqdm import tqdm

from core.config import Config
from core.data.dataset import DataSet
from core.data.left_out import LeftOut
from core.data.sources import open_data
from core.retinanet.model import RetinaNet
from core.training.distributed import are_several, choose_device, make_accelerator
from core.weights.assumptions import describe_weights, state_class_names, suggest_class_names
from core.weights.sources import Weights, WeightsError, adopt, build, weights_for


def is_main_process() -> bool:
    """True in the one process, of several that run together, that writes the results."""
    return not are_several() or bool(make_accelerator().is_main_process)


def progress_bar(*, total: int, show: bool, unit: str = "step") -> tqdm:
    """Returns a progress bar with the speed, which is shown only on a terminal."""
    return tqdm(total=total, unit=unit, disable=None if show else True)


def follow(bar: tqdm) -> Callable[[int, int], None]:
    """Returns a function that sets a bar to a number done and a total."""

    def progress(done: int, total: int) -> None:
        bar.total = total
        bar.update(done - bar.n)

    return progress


def open_split(config: Config, options: Namespace) -> DataSet:
    """Opens the split named by the options and prints how it was read and what was left out.

    Raises:
        DataError: It does not exist or cannot be used.
    """
    images = config.training.eval_images
    data = open_data(options.data, options.split, config.scenes, images, format=options.format, strict=options.strict)
    print_reading(data.reading, data.left_out)
    return data


def print_reading(reading: str, left_out: LeftOut) -> None:
    """Prints the notes on how data was read, if any, and what was left out of it, in the main process only."""
    if reading and is_main_process():
        print(reading)
    print_left_out(left_out)


def print_left_out(left_out: LeftOut) -> None:
    """Prints what was left out, if anything was, in the main process."""
    if left_out and is_main_process():
        print(left_out.describe())


def tell(sentences: Iterable[str]) -> None:
    """Prints notes for people on the standard error stream, in the main process."""
    if is_main_process():
        for sentence in sentences:
            print(f"note: {sentence}", file=sys.stderr)


def settings_for_analysis(config: Config) -> tuple[Config, Weights]:
    """Returns the settings adopted from the weights, with any anchors, and prints what is assumed about the weights.

    Raises:
        WeightsError: The weights are not available, or contradict the settings of the network.
    """
    weights = weights_for(config)
    config = adopt(config, weights, free=True)
    tell(describe_weights(weights, config))
    return config, weights


def load_detector(
    config: Config, class_names: Sequence[str] = (), *, or_names: Sequence[str] = ()
) -> tuple[Config, Weights, RetinaNet]:
    """Loads a detector onto the best available device and prints what is assumed about its weights.

    Args:
        config: The settings.
        class_names: Names of the classes of weights that do not name them, in order; empty if not given.
        or_names: Names that are assumed otherwise, if there are as many classes.

    Returns:
        The settings with the architecture of the weights, the weights, and the network.

    Raises:
        WeightsError: The weights are not those of a detector, are not available, or contradict the settings.
        ConfigError: The class names are not those of the weights.
    """
    torch.manual_seed(config.training.seed)
    weights = weights_for(config)
    if weights.architecture is None:
        raise WeightsError(
            f"The weights {weights.name} are not those of a detector: train one from them, or choose others."
        )
    weights = state_class_names(weights, class_names) if class_names else suggest_class_names(weights, or_names)
    config = adopt(config, weights)
    tell(describe_weights(weights, config))
    return config, weights, build(config, weights).to(choose_device())
