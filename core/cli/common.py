"""What several commands of the command line need."""

from accelerate.utils import set_seed
from tqdm import tqdm

from core.config import Config
from core.retinanet.model import RetinaNet
from core.training.distributed import make_accelerator
from core.weights.sources import Weights, WeightsError, adopt, build, weights_for


def writes_files() -> bool:
    """Tells whether this process is the one, of all that train together, that writes what they found."""
    return make_accelerator().is_main_process


def progress_bar(*, total: int, show: bool, unit: str = "step") -> tqdm:
    """A progress bar on a terminal, nothing elsewhere."""
    return tqdm(total=total, unit=unit, disable=None if show else True)


def load_detector(config: Config) -> tuple[Config, Weights, RetinaNet]:
    """Returns the settings as the weights have them, the weights and the network, on the best device there is.

    Raises:
        WeightsError: They are those of no detector, cannot be had, or contradict the settings.
    """
    set_seed(config.training.seed)
    weights = weights_for(config)
    if weights.architecture is None:
        raise WeightsError(f"The weights {weights.name} are no detector yet: train one from them, or choose others.")
    config = adopt(config, weights)
    return config, weights, build(config, weights).to(make_accelerator().device)
