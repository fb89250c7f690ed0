"""Starts training runs, and checks that a visitor may start or change one."""

from core.config import Config
from core.data.sources import require_scene_count
from core.evaluation.dataset_predictions import count_images
from core.training.rate_finder import settings_of_test
from playground.albums.service import ALBUMS
from playground.data.datasets import DATA
from playground.data.image_ref import SCENES, ImageRef, is_from_album, is_from_data_set, training_split
from playground.data.sources import SCENES_SPLIT, measure_first, open_source
from playground.pipeline.effort import estimate_run_gflops, require_affordable, require_memory_to_train
from playground.runs.privacy import require_changeable
from playground.runs.service import RUNS
from playground.runs.share import require_short
from playground.sharing.shares import find_share
from playground.state.page_state import PageState

TRAINING_SPLITS = ("train", "val")  # which a run reads


def require_own_run(name: str, visitor: str) -> None:
    """Raises `NotYoursError` if a visitor may not stop or change a run; a run that does not exist is ignored."""
    if RUNS.has(name):
        require_changeable(RUNS.folder(name), visitor, f"The run {name}")


def start_run(state: PageState, visitor: str, *, range_test: bool = False) -> str:
    """Starts a run on the data set or album on show, or else on scenes, and returns its name.

    Args:
        state: The state of the page.
        visitor: Who starts it.
        range_test: Test learning rates instead of training.

    Raises:
        UserError: It takes too much of the server, or the data set cannot be used.
    """
    config, image_ref = state.config(), state.image_ref()
    if range_test:
        config = settings_of_test(config)
    if is_from_album(image_ref):
        with ALBUMS.train_on(ALBUMS.get(image_ref.source, visitor)) as folder:
            require_affordable_run(config, image_ref, visitor)
            return RUNS.start(config, str(folder), visitor, format="coco", range_test=range_test)
    if not is_from_data_set(image_ref):
        require_affordable_run(config, None, visitor)
        return RUNS.start(config, owner=visitor, range_test=range_test)
    for split in TRAINING_SPLITS:
        DATA.open_split(image_ref.source, split)  # refused now rather than in the run
    require_affordable_run(config, image_ref, visitor)
    with DATA.library.hold(image_ref.source):  # until the run is there, which needs it
        data_set = DATA.library.get(image_ref.source)
        return RUNS.start(config, str(data_set.folder), visitor, format=data_set.format, range_test=range_test)


def require_affordable_run(config: Config, image_ref: ImageRef | None, visitor: str) -> None:
    """Refuses a run that takes too much memory or time, or whose evaluations do for a picture, by the first picture.

    Args:
        config: The settings of the run.
        image_ref: A picture of the data set, None for scenes.
        visitor: Who wants to start it.

    Raises:
        PictureError: It takes too much memory, or they do.
        RunError: It takes more time than a visitor's may.
        DataError: The data set cannot be read.
    """
    split = training_split(image_ref) or ImageRef(SCENES, SCENES_SPLIT)
    if split.source == SCENES:  # there is no end of them, so 0 cannot mean all
        require_scene_count(config.training.eval_images)
    data = open_source(split, config.scenes, visitor)
    size, classes = measure_first(data, config.scenes), len(data.class_names)
    if size is None:  # which the run itself says
        return
    require_affordable(config, *size, classes)
    require_memory_to_train(config, *size, classes, len(data))
    if share := find_share():
        held_out = count_images(open_source(ImageRef(split.source, "val"), config.scenes, visitor), config)
        require_short(share, estimate_run_gflops(config, *size, classes, held_out))
