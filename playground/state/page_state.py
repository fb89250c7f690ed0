"""What the visitor has chosen, as the parts of the page hand it to every event."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import gradio as gr

from core.config import BUILT_IN_WEIGHTS, Config, ConfigError, Scenes
from playground.canvas.edit import Pick
from playground.data.image_ref import ImageRef
from playground.data.picture import Picture, render_picture
from playground.evaluations.query import EvaluationQuery
from playground.pipeline.pipeline import Pipeline
from playground.runs.service import RUNS
from playground.state.settings import config_of
from playground.steps.step import MAPS, Focus

DEFAULTS = "defaults"  # the pinned settings when none of them was changed
MAX_FRAME = 10**6  # evaluations of a run
P_T_RANGE = (0.01, 0.99)  # of the example that the loss step marks


class UserPicture(NamedTuple):
    """A picture that is not the scene of the dials, on show while they stay as they were when it came.

    Attributes:
        picture: With its objects.
        scenes: The dials.
        image_ref: Its place in its data set, None for a picture that was uploaded by itself.
    """

    picture: Picture
    scenes: Scenes
    image_ref: ImageRef | None = None


class PageState(NamedTuple):
    """What the visitor has chosen.

    Attributes:
        step: Key of the step.
        user_picture: The visitor's own picture, or None for the scene that the dials describe.
        pick: What was clicked last, see `Focus`.
        run: Name of the training run, "" for none.
        level: Of the maps on show, 0 for P3.
        settings: Values of all widgets, see `playground.state.settings.settings_of`.
        lesson: Where one is in a lesson, as links say it, "" outside of lessons.
        curve: Of the loss step, see `Focus`.
        p_t: Of the loss step, see `Focus`.
        map: Of the network step, see `Focus`.
        pinned: Settings to compare with as a URL query (`pin_of`), "" for none.
        pinned_picture: Somebody's own picture as it was when it was pinned.
        beside: Whether the picture under the pinned settings is on show, too.
        frame: Of the training step, see `Focus`.
        evaluation_query: What is asked of an evaluation.
        answer: Index of the answer that was chosen at this step of a lesson, None while none was.
        held: Whether what takes long is left out: a knob is being dragged, or the rest is to be seen first.
        switched: Which layers the visitor has switched on or off, by key; those that are off are left out while `held`.
    """

    step: str
    user_picture: UserPicture | None = None
    pick: Pick | None = None
    run: str = ""
    level: int = 0
    settings: str = "{}"
    lesson: str = ""
    curve: str = "loss"
    p_t: float = 0.9
    map: str = MAPS[0]
    pinned: str = ""
    pinned_picture: UserPicture | None = None
    beside: bool = False
    frame: float = 1
    evaluation_query: EvaluationQuery = EvaluationQuery()
    answer: int | None = None
    held: bool = False
    switched: Mapping[str, bool] = MappingProxyType({})

    def config(self) -> Config:
        """Reads the settings.

        Raises:
            ConfigError: A value is not allowed, or the weights are a file that is none of this page's.
        """
        config = config_of(self.settings)
        require_own_weights(config)
        return config

    def focus(self) -> Focus:
        """Returns what the visitor looks at beside the settings."""
        p_t = min(max(float(self.p_t or 0), P_T_RANGE[0]), P_T_RANGE[1])
        frame = int(min(max(float(self.frame or 1), 1), MAX_FRAME))
        return Focus(self.level, self.pick, self.run, self.curve, p_t, self.map, self.evaluation_query, frame)

    def image_ref(self) -> ImageRef | None:
        """Returns where the picture on show is in its data set, None if it is in none; raises as `config`."""
        return image_ref_of(self.user_picture, self.config())

    def pipeline(self) -> Pipeline:
        """Returns the picture under the settings; raises as `config`."""
        return _pipeline(self.user_picture, self.config(), held=self.held)

    def pinned_config(self) -> Config:
        """Reads the pinned settings; there must be some.

        Raises:
            ConfigError: As `config`.
        """
        try:
            config = Config() if self.pinned == DEFAULTS else Config.from_query(self.pinned)
            require_own_weights(config)
        except ConfigError as error:
            raise ConfigError(f"In the pinned settings, {error}") from None
        return config

    def pinned_pipeline(self) -> Pipeline:
        """Returns the pinned picture under the pinned settings; raises as `pinned_config`."""
        return _pipeline(self.pinned_picture, self.pinned_config())


def image_ref_of(own: UserPicture | None, config: Config) -> ImageRef | None:
    """Returns where a picture is in its data set if it is on show under the settings."""
    return own.image_ref if own and own.scenes == config.scenes else None


def _pipeline(own: UserPicture | None, config: Config, *, held: bool = False) -> Pipeline:
    on_show = own and own.scenes == config.scenes
    picture = own.picture if on_show else render_picture(config.scenes)
    return Pipeline(picture, config, postpone_slow=held, image_ref=image_ref_of(own, config))


def pin_of(config: Config) -> str:
    """Returns settings as `PageState.pinned` holds them: what differs from the defaults."""
    return config.to_query() or DEFAULTS


def require_own_weights(config: Config) -> None:
    """Refuses files of the server that were neither trained nor uploaded here: links come from anyone.

    Raises:
        ConfigError: See above.
    """
    name = config.model.weights
    if not name.isprintable():
        raise ConfigError("model.weights holds characters that no name has: choose weights from the list.")
    homes = (RUNS.root, Path(gr.utils.get_upload_folder()).resolve())
    if name not in BUILT_IN_WEIGHTS and not any(Path(name).resolve().is_relative_to(home) for home in homes):
        raise ConfigError(
            f"model.weights = {name!r} is not to be had here: choose {', '.join(BUILT_IN_WEIGHTS)}, upload a file, "
            "or train some."
        )
