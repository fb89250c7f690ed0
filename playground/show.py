"""From what the visitor has chosen to what the page shows: pure functions, free of Gradio's events."""

import json
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

import gradio as gr

from core.architecture import WeightsError
from core.boxes import rescale
from core.config import MAX_TEXT, Config
from core.hyperparameters import BUILT_IN_WEIGHTS, Scenes
from core.knobs import ConfigError
from core.pictures import PictureError
from core.takeaway import FORMATS
from core.weights import adopt
from playground import strip
from playground.canvas import View, payload, picture_url
from playground.canvas_edit import Pick, parse_edit
from playground.controls import config_of
from playground.lessons.panel import Place
from playground.pictures import Picture, scene
from playground.situation import Cache, Situation, weights_of
from playground.step import Focus
from playground.steps import STEPS
from playground.steps.training import RUNS

# What a visitor can bring about; everything else is a defect and may show as one.
REFUSALS = (ConfigError, WeightsError, PictureError, ValueError)
_urls = Cache(32)
P_T_RANGE = (0.01, 0.99)  # of the example that the loss step marks
TITLES = {key: step.title for key, step in STEPS.items()}


class Own(NamedTuple):
    """A visitor's own picture, on show while the dials of the scenes stay as they were when it came."""

    picture: Picture
    scenes: Scenes


class Asked(NamedTuple):
    """What the visitor has chosen.

    Attributes:
        step: Key of the step.
        own: Somebody's own picture, or None for the scene that the dials describe.
        pick: What was clicked last, see `Focus`.
        run: Name of the training run, "" for none.
        level: Of the maps on show, 0 for P3.
        settings: Values of all widgets, see `playground.controls.settings_of`.
        lesson: Where one is in a lesson, as links say it, "" outside of lessons.
        curve: Of the loss step, see `Focus`.
        p_t: Of the loss step, see `Focus`.
    """

    step: str
    own: Own | None = None
    pick: Pick | None = None
    run: str = ""
    level: int = 0
    settings: str = "{}"
    lesson: str = ""
    curve: str = "loss"
    p_t: float = 0.9

    def config(self) -> Config:
        """Reads the settings.

        Raises:
            ConfigError: A value is not allowed, or the weights are a file that is none of this page's.
        """
        config = config_of(self.settings)
        require_own_weights(config)
        return config

    def situation(self) -> Situation:
        """Returns the picture under the settings; raises as `config`."""
        config = self.config()
        on_show = self.own and self.own.scenes == config.scenes
        return Situation(self.own.picture if on_show else scene(config.scenes), config)


class Shown(NamedTuple):
    """New values of the parts of the page; None leaves a part as it is."""

    notice: str
    strip: str | None = None
    canvas: str | None = None
    readout: str | None = None
    figure: str | None = None
    below: str | None = None


def show(asked: Asked) -> Shown:
    """Returns what the page shows; what cannot be had is explained in the notice, and all else stays."""
    try:
        situation = asked.situation()
        look = STEPS[asked.step].look(situation, _focus(asked))
        view = View(
            picture=_url(situation.picture),
            width=situation.size[1],
            height=situation.size[0],
            layers=look.layers,
            heat=look.heat,
            editable=look.editable,
            classes=own_classes(situation) if look.editable else (),
            alt=f"{situation.picture.name} with {len(situation.objects[0])} objects",
        )
    except REFUSALS as error:
        return Shown(notice=str(error))
    figures = (json.dumps(figure) if figure else "" for figure in (look.figure, look.below))
    return Shown("", strip_value(asked.step, situation, asked.lesson), payload(view), look.readout, *figures)


def _focus(asked: Asked) -> Focus:
    p_t = min(max(float(asked.p_t or 0), P_T_RANGE[0]), P_T_RANGE[1])
    return Focus(asked.level, asked.pick, asked.run, asked.curve, p_t)


def edited(data: object, situation: Situation) -> Own:
    """Returns the picture with the objects that were drawn, in the network's pixels.

    Raises:
        ValueError: What the browser sent is no list of boxes.
    """
    names = own_classes(situation)
    boxes, labels = parse_edit(data, situation.size[1], situation.size[0], len(names))
    across, down = situation.batch.factors[0, :2].tolist()
    return Own(situation.picture.with_objects(rescale(boxes, across, down), labels, names), situation.config.scenes)


def require_own_weights(config: Config) -> None:
    """Refuses files of the server that were neither trained nor uploaded here: links come from anyone.

    Raises:
        ConfigError: See above.
    """
    name = config.model.weights
    if not name.isprintable():
        raise ConfigError("model.weights holds characters that no name has: choose weights from the list.")
    homes = (RUNS.folder, Path(gr.utils.get_upload_folder()).resolve())
    if name not in BUILT_IN_WEIGHTS and not any(Path(name).resolve().is_relative_to(home) for home in homes):
        raise ConfigError(
            f"model.weights = {name!r} is not to be had here: choose {', '.join(BUILT_IN_WEIGHTS)}, upload a file, "
            "or train some."
        )


def follow_weights(config: Config) -> Config:
    """Returns the settings with those that the chosen weights bring along.

    Raises:
        WeightsError: The weights cannot be had.
    """
    weights = weights_of(config.model.weights, config.model.depth)
    if weights.architecture is None:  # they leave everything free
        return config
    return adopt(config.replace(dict(weights.settings)), weights)


def own_classes(situation: Situation) -> tuple[str, ...]:
    """Returns the classes that drawn objects can have: those of the objects that are there, else the network's."""
    if len(situation.objects[0]):
        return situation.picture.class_names
    try:
        return situation.network.class_names
    except WeightsError:
        return situation.picture.class_names


def takeaway(form: str, situation: Situation) -> str:
    """Returns the settings in one of `core.takeaway.FORMATS`, for the classes of the network or of the picture."""
    try:
        classes = situation.network.class_names
    except WeightsError:
        classes = situation.picture.class_names
    return FORMATS[form](situation.config, len(classes))


def strip_value(step: str, situation: Situation, lesson: str) -> str:
    """Returns the strip with the live numbers of all steps; "–" where weights do not fit."""
    headlines = {}
    for key, each in STEPS.items():
        try:
            headlines[key] = each.headline(situation)
        except REFUSALS:
            headlines[key] = "–"
    return strip.value(step, TITLES, headlines, to_link(step, situation.config, lesson))


def to_link(step: str, config: Config, lesson: str = "") -> str:
    """Returns lesson, step and settings as a URL query; what the lesson or the defaults say anyway is not named."""
    place = Place.from_link(lesson)
    usual, base = _start(place)
    named = {"lesson": lesson} | ({"step": step} if step != usual else {}) if place else {"step": step}
    named = {} if named == {"step": usual} else named
    return "&".join(part for part in (urlencode(named), config.to_query(base)) if part)


def _start(place: Place | None) -> tuple[str, Config]:
    """Returns the step and the settings of the page where a link names none."""
    if place is None:
        return next(iter(STEPS)), Config()
    here = place.lesson.steps[place.index]
    return here.show, here.first_config()


def from_link(query: str) -> tuple[str, Config, Place | None]:
    """Reads step, settings and the place in a lesson from a URL query.

    Raises:
        ConfigError: Something in it is not allowed.
        ValueError: There is no such lesson.
    """
    pairs = dict(parse_qsl(query[:MAX_TEXT], keep_blank_values=True))
    place = Place.from_link(pairs.pop("lesson", ""))
    usual, base = _start(place)
    step = pairs.pop("step", usual)
    pairs.pop("hide", None)  # what a teacher hides is the browser's business
    if step not in STEPS:
        raise ConfigError(f"step = {step!r} is not allowed: it must be one of {', '.join(STEPS)}.")
    config = base.replace({path: value for path, value in pairs.items() if not path.startswith("__")})
    require_own_weights(config)
    return step, config, place


def _url(picture: Picture) -> str:
    return _urls.get(picture.pixels_key, lambda: picture_url(picture.sample.image))
