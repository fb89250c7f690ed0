"""Helpers shared by several commands."""

from accelerate.utils import set_seed
from tqdm import tqdm

from core.config import Config
from core.retinanet.model import RetinaNet
from core.training.distributed import make_accelerator
from core.weights.sources import Weights, WeightsError, adopt, build, weights_for


def is_main_process() -> bool:
    """True in the one process, of several that run together, that writes the results."""
    return make_accelerator().is_main_process


def progress_bar(*, total: int, show: bool, unit: str = "step") -> tqdm:
    """Returns a progress bar, which is shown only on a terminal."""
    return tqdm(total=total, unit=unit, disable=None if show else True)


def load_detector(config: Config) -> tuple[Config, Weights, RetinaNet]:
    """Loads a detector onto the best available device.

    Returns:
        The settings with the architecture of the weights, the weights, and the network.

    Raises:
        WeightsError: The weights are not those of a detector, are not available, or contradict the settings.
    """
    set_seed(config.training.seed)
    weights = weights_for(config)
    if weights.architecture is None:
        raise WeightsError(
            f"The weights {weights.name} are not those of a detector: train one from them, or choose others."
        )
    config = adopt(config, weights)
    return config, weights, build(config, weights).to(make_accelerator().device)
