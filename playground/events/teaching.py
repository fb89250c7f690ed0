"""Train on my pictures: one button from labelled pictures to weights in use."""

from core.config import BUILT_IN_WEIGHTS, Config
from core.experiments.recipes import FEW_PICTURES, MIN_HELD_OUT, RECIPES
from playground.albums.service import ALBUMS
from playground.data.albums import index_in
from playground.data.image_ref import ImageRef
from playground.events.album import own_album, show_own
from playground.events.common import LIVE, Updates, after_edits, listen, show
from playground.events.run_start import require_affordable_run
from playground.events.training import ListHolders, list_runs, run_components, run_updates, with_newest_frame
from playground.layout.components import PageComponents
from playground.pipeline.networks import follow_weights
from playground.runs.service import RUNS
from playground.state.page_state import PageState
from playground.state.settings import settings_of

STEP = "training"
START = "builtin"  # unless the visitor has chosen other weights that are not those of a run
CHANGES = ("settings", "step", "user_picture", "pick")


def connect_teaching(page: PageComponents, holders: ListHolders) -> None:
    """Connects the button that trains on the visitor's own pictures.

    Args:
        page: The page's components.
        holders: What `connect_training` returns.
    """

    def teach(state: PageState) -> Updates:
        state = with_newest_frame(start_teaching(state))
        held = holders.hold(list_runs(state), state)  # active: the first poll may come after the end of the run
        return {**run_updates(page, state), **held, **show(page, state, *CHANGES)}

    outputs = [*run_components(page), *holders]
    listen(page, after_edits(page.parts["album"].teach), teach, changes=CHANGES, outputs=outputs, **LIVE)


def start_teaching(state: PageState) -> PageState:
    """Starts a run on the visitor's pictures and returns the state that shows it.

    Raises:
        UserError: There are too few labelled pictures, or no run can be started.
    """
    album = own_album(state)
    with ALBUMS.train_on(album) as folder:  # which refuses too few of them
        config = teaching_config(state.config(), held_out=album.counts()["val"])
        require_affordable_run(config, ImageRef(album.key, "train"), state.visitor)
        run = RUNS.start(config, str(folder), state.visitor, format="coco", recipe=FEW_PICTURES)
    state = state._replace(settings=settings_of(config), step=STEP, run=run)
    return show_own(state, album, 0) if index_in(album, state.image_ref()) is None else state


def teaching_config(config: Config, *, held_out: int) -> Config:
    """Returns the settings with those of the recipe; training starts from weights that are not of a run.

    Args:
        config: The settings on the page.
        held_out: Number of held-out pictures; with fewer than `MIN_HELD_OUT` the run goes to its end.
    """
    if config.model.weights not in BUILT_IN_WEIGHTS:
        config = follow_weights(config.replace({"model.weights": START, "model.heads": "loaded"}))
    config = config.replace(dict(RECIPES[FEW_PICTURES].changes))
    return config if held_out >= MIN_HELD_OUT else config.replace({"training.early_stopping": 0})
