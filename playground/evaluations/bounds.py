"""Bounds on the work of an evaluation: for each picture that of the page, for all pictures a visitor's share."""

from collections.abc import Sequence

from core.config import Config
from core.data.dataset import DataSet
from core.errors import PictureError, UserError
from core.evaluation.dataset_predictions import count_images
from core.io.text import count_noun
from core.rescue.trials import MAX_PASSES
from core.structures import Sample
from playground.data.sources import measure_first
from playground.pipeline.effort import estimate_all_gflops, require_affordable
from playground.sharing.shares import find_share

MARGIN = 2  # by which pictures may cost more than the first one
RESCUE_GFLOPS = 120  # of the values that need the network again, in one picture: about 1 s on two cores
REMEDY = "choose fewer “Evaluation images” or “Test-time scales”, or lower “Shorter side”"


def require_affordable_evaluation(data: DataSet, config: Config, classes: int) -> None:
    """Refuses an evaluation that would take too much, judged by its first picture.

    Args:
        data: The data set.
        config: The settings.
        classes: Number of classes of the network.

    Raises:
        UserError: It would.
    """
    size = measure_first(data, config.scenes)
    if size is None:  # which the evaluation itself says
        return
    require_affordable(config, *size, classes)
    count = count_images(data, config)
    _require_share(count, count * estimate_all_gflops(config, *size, classes), REMEDY)


def require_affordable_curve(settings: Sequence[Config], classes: int) -> None:
    """Refuses a curve along a dial of the scenes that would take too much.

    Args:
        settings: The settings at each value of the dial.
        classes: Number of classes of the network.

    Raises:
        UserError: It would.
    """
    gflops = 0.0
    for each in settings:
        size = each.scenes.image_size, each.scenes.image_size
        require_affordable(each, *size, classes)
        gflops += each.training.eval_images * estimate_all_gflops(each, *size, classes)
    count = sum(each.training.eval_images for each in settings)
    _require_share(count, gflops, f"choose fewer values of the dial, {REMEDY}")


def _require_share(count: int, gflops: float, remedy: str) -> None:
    share = find_share()
    if share and gflops > share.evaluation_gflops:
        raise UserError(
            f"An evaluation of {count_noun(count, 'picture')} would take about {gflops:,.0f} GFLOP, and one of a "
            f"visitor's may take {share.evaluation_gflops:,} on this server: {remedy}."
        )


def limit_passes(gflops: float) -> float:
    """Returns how many passes of the network the search for rescues in a picture may take, where one takes so much."""
    return min(MAX_PASSES, RESCUE_GFLOPS / max(gflops, 1e-3))


class BoundedData(DataSet):
    """A data set whose pictures cannot be used as soon as they take too much of the server.

    Args:
        data: The data set.
        config: The settings under which the network sees its pictures.
        classes: Number of classes of the network.
    """

    def __init__(self, data: DataSet, config: Config, classes: int) -> None:
        self.class_names = data.class_names
        self._data, self._config, self._classes = data, config, classes
        self._spent = 0.0  # GFLOP

    def image_name(self, index: int) -> str:
        """Returns the name of a picture."""
        return self._data.image_name(index)

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, index: int) -> Sample:
        """Returns a picture with its objects.

        Raises:
            PictureError: It takes more than the page spends on one, or all so far take more than a visitor's share.
            UserError: It cannot be read.
        """
        sample, share = self._data[index], find_share()
        height, width = sample.image.shape[1:]
        try:
            require_affordable(self._config, height, width, self._classes)
        except PictureError as error:
            raise PictureError(f"{self.image_name(index)}: {error}") from None
        self._spent += estimate_all_gflops(self._config, height, width, self._classes)
        if share and self._spent > MARGIN * share.evaluation_gflops:
            name = self.image_name(index)
            raise PictureError(f"{name}: the pictures before it have taken as much as one evaluation may: {REMEDY}.")
        return sample
