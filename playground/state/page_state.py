"""The state of the page: what the visitor has chosen."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import gradio as gr

from core.config import BUILT_IN_WEIGHTS, Config, ConfigError
from core.errors import quote
from core.io.paths import is_path
from playground.albums.album import AlbumError
from playground.albums.service import ALBUMS
from playground.canvas.edit import Pick
from playground.data.albums import find_again, index_in, read_objects
from playground.data.image_ref import ImageRef, is_from_album
from playground.data.picture import render_picture
from playground.evaluations.query import EvaluationQuery
from playground.pipeline.pipeline import Pipeline
from playground.runs.privacy import describe_fault, may_see_file
from playground.runs.service import RUNS
from playground.state.settings import config_of, leave_out, settings_of
from playground.state.user_picture import UserPicture
from playground.state.weight_names import NAME, from_key, with_keys, with_paths
from playground.steps.dials import parse_dials
from playground.steps.step import MAPS, Focus, Suggesting

DEFAULTS = "defaults"  # the pinned settings when none of them was changed
STORY_STEP = "loss"  # the step that the first screen shows
MAX_FRAME = 10**6  # evaluations of a run
NOT_SHARED = (
    "The pictures that were on show are no longer shared, or have been deleted: choose others above the picture."
)
RUN_NOT_SHARED = "The chosen run was trained on pictures that are not shared: choose another one in the list."
P_T_RANGE = (0.01, 0.99)  # of the example that the loss step marks


class PageState(NamedTuple):
    """The state of the page. All fields but the last four are held by components.

    Attributes:
        step: Key of the chosen step.
        user_picture: The visitor's picture, None for the generated scene.
        pick: The last click on the picture, see `Focus`.
        run: Name of the chosen training run, "" for none.
        level: Pyramid level whose maps are drawn, 0 for P3.
        settings: Values of all knobs, see `playground.state.settings.settings_of`.
        lesson: Position in the lessons as links write it, "" outside of lessons.
        curve: Figure of the loss step, see `Focus`.
        p_t: Example that the loss step marks, see `Focus`.
        map: Maps that the network step draws, see `Focus`.
        pinned: Pinned settings as a URL query (`pin_of`), "" for none.
        pinned_picture: The visitor's picture when the settings were pinned.
        beside: True if the pinned picture is shown beside the present one.
        frame: Evaluation of the run that is drawn, see `Focus`.
        evaluation_query: Choices in the evaluation step.
        answer: Index of the chosen answer to the lesson's question, None before.
        suggesting: Choices for suggestions on the visitor's own pictures.
        story: True on the first screen, which shows the loss step in another arrangement; see `in_story`.
        dials: Values of the dials beside figures, see `playground.steps.dials.Dials.to_text`.
        held: True while a knob is dragged: slow results are skipped.
        switched: Layers that the visitor has switched on or off, by key; while `held`, hidden layers are skipped.
        visitor: Who sees the page, see `playground.support.visitors`; comes from the request.
        began: The state when the event began, None for an answer that replaces everything. What the event has not
            changed is not written, since it may have changed on the page meanwhile; and a late answer does not take
            the page back to the step, run, lesson or picture with which its event began, see `layout/strip.js`.
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
    suggesting: Suggesting = Suggesting()
    story: bool = False
    dials: str = ""
    held: bool = False
    switched: Mapping[str, bool] = MappingProxyType({})
    visitor: str = ""
    began: "PageState | None" = None

    @property
    def in_story(self) -> bool:
        """True if the story is on show: any other step, and any lesson, leaves it."""
        return self.story and self.step == STORY_STEP and not self.lesson

    def setting(self, config: Config, paths: Iterable[str]) -> "PageState":
        """Returns the state with other settings, of which some count as changed even if they have the same values.

        The event began with the settings at the click; an answer to an earlier click may have changed them since.

        Args:
            config: The settings.
            paths: The settings that the event is about.
        """
        began = self.began and self.began._replace(settings=leave_out(self.began.settings, paths))
        return self._replace(settings=settings_of(config), began=began)

    def choices(self) -> dict[str, str]:
        """Returns what tells whether the visitor has gone on to something else since another state."""
        picture = self.user_picture
        shown = picture.picture if picture and not picture.aside else None
        return {
            "step": self.step,
            "run": self.run,
            "lesson": self.lesson,
            "picture": shown.pixels_key if shown else "",
            "objects": shown.objects_key if shown else "",
        }

    def config(self) -> Config:
        """Returns the settings.

        Raises:
            ConfigError: A value is not allowed, or the weights are a file from elsewhere.
        """
        config = with_paths(config_of(self.settings))
        require_known_weights(config, self.visitor)
        return config

    def focus(self) -> Focus:
        """Returns the choices that concern a step alone, within their bounds.

        Raises:
            ConfigError: A dial has a value that is not allowed.
        """
        p_t = min(max(float(self.p_t or 0), P_T_RANGE[0]), P_T_RANGE[1])
        frame = int(min(max(float(self.frame or 1), 1), MAX_FRAME))
        return Focus(
            self.level, self.pick, self.run, self.curve, p_t, self.map, self.evaluation_query, frame, self.suggesting,
            parse_dials(self.dials), _find_weights(self.evaluation_query.weights, self.visitor),
        )  # fmt: skip

    def image_ref(self) -> ImageRef | None:
        """Returns the data set image on show, None if the picture is in no data set; raises as `config`."""
        return image_ref_of(self.user_picture, self.config())

    def pipeline(self) -> Pipeline:
        """Returns the picture under the settings; raises as `config`."""
        return _pipeline(self.user_picture, self.config(), self.visitor, held=self.held)

    def pinned_config(self) -> Config:
        """Returns the pinned settings; `pinned` must not be empty.

        Raises:
            ConfigError: As `config`.
        """
        try:
            config = Config() if self.pinned == DEFAULTS else with_paths(Config.from_query(self.pinned))
            require_known_weights(config, self.visitor)
        except ConfigError as error:
            raise ConfigError(f"In the pinned settings, {error}") from None
        return config

    def pinned_pipeline(self) -> Pipeline:
        """Returns the pinned picture under the pinned settings; raises as `pinned_config`."""
        return _pipeline(self.pinned_picture, self.pinned_config(), self.visitor)


def admit(state: PageState) -> tuple[PageState, str]:
    """Returns the state without what its visitor may not see any more, and a message about that, "" for nothing."""
    before = state.user_picture, state.pinned_picture
    picture, pinned = (_find_again(each, state.visitor) for each in before)
    messages = []
    if picture is not before[0] or pinned is not before[1]:
        state = state._replace(user_picture=picture, pinned_picture=pinned)
    if (picture, pinned).count(None) > before.count(None):
        messages.append(NOT_SHARED)
    if RUNS.has(state.run) and not RUNS.may_see(state.run, state.visitor):
        messages.append(describe_fault(RUNS.folder(state.run)) or RUN_NOT_SHARED)
        state = state._replace(run="")
    return state, " ".join(messages)


def _find_again(user_picture: UserPicture | None, visitor: str) -> UserPicture | None:
    """Returns a picture where and as it is now, None if its album no longer has it, or the visitor may not see it."""
    if user_picture is None or not is_from_album(user_picture.image_ref):
        return user_picture
    try:
        album = ALBUMS.get(user_picture.image_ref.source, visitor)
    except AlbumError:
        return None
    image_ref = find_again(album, user_picture.image_ref, user_picture.picture.pixels_key)
    index = index_in(album, image_ref)
    if index is None:
        return None
    picture = read_objects(user_picture.picture, album, index)
    same = image_ref == user_picture.image_ref and picture is user_picture.picture
    return user_picture if same else user_picture._replace(image_ref=image_ref, picture=picture)


def image_ref_of(user_picture: UserPicture | None, config: Config) -> ImageRef | None:
    """Returns the data set image of a picture that is on show under the settings, None for any other picture."""
    return user_picture.image_ref if user_picture and user_picture.is_shown(config) else None


def _pipeline(user_picture: UserPicture | None, config: Config, visitor: str, *, held: bool = False) -> Pipeline:
    shown = user_picture and user_picture.is_shown(config)
    picture = user_picture.picture if user_picture and shown else render_picture(config.scenes)
    image_ref = image_ref_of(user_picture, config)
    return Pipeline(picture, config, postpone_slow=held, image_ref=image_ref, visitor=visitor)


def pin_of(config: Config) -> str:
    """Returns settings as `PageState.pinned` holds them: those that differ from the defaults."""
    return with_keys(config).to_query() or DEFAULTS


def _find_weights(keys: tuple[str, ...], visitor: str) -> tuple[tuple[str, str], ...]:
    """Returns the key and the name of each of the weights beside the present ones; "" if the visitor may not see it."""
    found = []
    for key in keys:
        try:
            require_known_weights(with_paths(Config.from_flat({NAME: key})), visitor)
        except ConfigError:
            found.append((key, ""))
        else:
            found.append((key, from_key(key)))
    return tuple(found)


def require_known_weights(config: Config, visitor: str = "") -> None:
    """Refuses weight files of the server that were neither trained nor uploaded here: links are untrusted.

    Raises:
        ConfigError: The weights are such a file, or were trained on pictures that the visitor may not see.
    """
    name = config.model.weights
    if not is_path(name):
        raise ConfigError(
            "model.weights is longer than a name can be, or has characters that no name has: choose from the list."
        )
    if name in BUILT_IN_WEIGHTS:
        return
    homes = (RUNS.root, Path(gr.utils.get_upload_folder()).resolve())
    place = Path(os.path.realpath(name))  # which allows loops of links
    if not any(place.is_relative_to(home) for home in homes):
        raise ConfigError(
            f"model.weights = {quote(Path(name).name)} is not available here: choose "
            f"{', '.join(BUILT_IN_WEIGHTS)}, upload a file, or train a run."
        )
    if not may_see_file(name, visitor):
        raise ConfigError(
            "model.weights names weights that were trained on private pictures: choose others in the Network step."
        )
