"""From what the visitor has chosen to what the page shows: pure functions, free of Gradio's events."""

import json
from collections.abc import Iterator
from typing import NamedTuple

from core.config import Config
from core.errors import UserError
from core.export.settings import FORMATS
from core.retinanet.boxes import rescale
from core.weights.sources import adopt
from playground.canvas.canvas import payload, picture_url
from playground.canvas.edit import Pick, parse_edit
from playground.canvas.view import View, hidden_keys
from playground.components import html
from playground.data import browse
from playground.data.browse import Browsing
from playground.data.picture import Picture
from playground.layout import strip
from playground.lessons.page_effects import layered, staged
from playground.pipeline.networks import weights_of
from playground.pipeline.pipeline import Pipeline
from playground.server import pin_diff
from playground.server.live import KEPT, KEPT_OWN, Tokens, look_of
from playground.server.permalink import to_link
from playground.state.page_state import PageState, UserPicture
from playground.steps import STEPS
from playground.steps.evaluation.step import chosen_of
from playground.steps.step import Levels, Step, StepText, StepView, StripItem, truth_layer
from playground.support.cache import Cache
from playground.support.threads import one_thread

NOTHING = "This step has nothing to show under these settings: the message above says why, and what to do."
NO_NUMBERS = "There are no numbers under these settings: the message above says why, and what to do."
_urls = Cache(32)
TOKENS = Tokens(KEPT, KEPT_OWN)


class PageUpdate(NamedTuple):
    """New values of the parts of the page, and one word more; None leaves a part as it is.

    Attributes:
        notice: A sentence to the visitor.
        strip: The steps.
        canvas: The picture.
        readout: The step's numbers.
        figure: The step's curve.
        more: What stands under it.
        changes: What differs from the pinned settings.
        beside: Whether the picture under the pinned settings is on show.
        other: That picture.
        counts: The numbers of both.
        bar: Where the picture comes from.
        lesson: The question of a lesson, and what it does to the page.
        checks: Whether what a lesson says is true here.
        put_off: No part of the page: whether something has waited, see `PageState.held`.
    """

    notice: str
    strip: str | None = None
    canvas: str | None = None
    readout: str | None = None
    figure: str | None = None
    more: str | None = None
    changes: str | None = None
    beside: bool | None = None
    other: str | None = None
    counts: str | None = None
    bar: str | None = None
    lesson: str | None = None
    checks: str | None = None
    put_off: bool | None = None

    @property
    def parts(self) -> tuple:
        """The values of the parts of the page."""
        return self[:-1]


def show(state: PageState) -> PageUpdate:
    """Returns what the page shows; see `render_in_stages`."""
    picture, *rest = render_in_stages(state)
    return rest[0]._replace(canvas=picture.canvas) if rest else picture


def render_in_stages(state: PageState) -> Iterator[PageUpdate]:
    """Yields what the page shows: the picture as soon as it is there, then everything else.

    Settings that are not allowed leave everything as it is, but for a notice; what a step cannot have under settings
    that are, such as the outputs of weights that do not fit them, leaves the picture and its objects.
    """
    try:
        with one_thread():
            pipeline = state.pipeline()
            look, said = _look(state, pipeline)
            view = view_of(pipeline, look)
    except UserError as error:
        yield PageUpdate(notice=str(error))
        return
    waiting = hidden_keys(view, state.switched) if state.held else ()
    with one_thread():
        picture = PageUpdate(said, canvas=payload(view, waiting))
    yield picture
    with one_thread():
        rest = _beside(look, said, state, pipeline)
    yield rest._replace(put_off=pipeline.has_postponed or bool(waiting))


def _beside(look: StepView, said: str, state: PageState, pipeline: Pipeline) -> PageUpdate:
    """Returns all but the picture; `said` is the notice that came with it."""
    try:
        words = look.words()
    except UserError as error:
        words, said = StepText(html.paragraph(NO_NUMBERS)), str(error)
    figure = json.dumps(words.figure) if words.figure else ""
    bar = browse.build_bar(pipeline.image_ref, pipeline.picture.name, _choice(pipeline, state))
    lesson, checks = staged(state)
    shown = PageUpdate(said, strip_value(state, pipeline), None, words.readout, figure, words.more, bar=bar)
    shown = shown._replace(lesson=lesson, checks=checks)
    return _against_pinned(shown, state, pipeline) if state.pinned else shown


def _choice(pipeline: Pipeline, state: PageState) -> Browsing | None:
    """Returns the pictures of an evaluation that are gone through, None where none are."""
    try:
        chosen = state.evaluation_query.choice and chosen_of(pipeline, state.evaluation_query)
    except UserError:
        return None
    if not chosen:
        return None
    index = pipeline.image_ref.index if pipeline.image_ref else -1
    return Browsing(
        chosen.label, chosen.pictures.index(index) if index in chosen.pictures else None, len(chosen.pictures)
    )


def _look(state: PageState, pipeline: Pipeline) -> tuple[StepView, str]:
    """Returns what the step shows, and why it is no more than that."""
    try:
        return layered(STEPS[state.step].look(pipeline, state.focus()), state), ""
    except UserError as error:
        return StepView((truth_layer(pipeline),), words=lambda: StepText(html.paragraph(NOTHING))), str(error)


def view_of(pipeline: Pipeline, look: StepView) -> View:
    """Returns the picture with what a step draws over it."""
    picture = look.picture or pipeline.picture
    height, width = look.picture.sample.image.shape[1:] if look.picture else pipeline.size
    objects = len(look.picture.sample.boxes if look.picture else pipeline.objects[0])
    return View(
        picture=_url(picture),
        width=width,
        height=height,
        layers=look.layers,
        heat=look.heat,
        editable=look.editable,
        classes=own_classes(pipeline) if look.editable else (),
        alt=f"{picture.name} with {objects} objects",
    )


def _against_pinned(shown: PageUpdate, state: PageState, pipeline: Pipeline) -> PageUpdate:
    """Adds what changed since settings were pinned, and, where asked for, the picture under them."""
    try:
        pinned = state.pinned_pipeline()
        shown = shown._replace(changes=pin_diff.changes(pinned, pipeline), beside=state.beside)
        if not state.beside:
            return shown
        focus = state.focus()
        pick = focus.pick and Pick(focus.pick.x, focus.pick.y)  # the boxes of A have other numbers
        look = STEPS[state.step].look(pinned, focus._replace(pick=pick))
        view = view_of(pinned, look._replace(editable=False))
    except UserError as error:
        return shown._replace(changes=html.paragraph(str(error)), beside=False)
    counts = pin_diff.counts(cells_of(pinned), cells_of(pipeline))
    return shown._replace(other=payload(view._replace(alt=f"A, pinned: {view.alt}")), counts=counts)


def edited(data: object, pipeline: Pipeline) -> UserPicture:
    """Returns the picture with the objects that were drawn, in the network's pixels.

    Raises:
        UserError: What the browser sent is no list of boxes.
    """
    names = own_classes(pipeline)
    boxes, labels = parse_edit(data, pipeline.size[1], pipeline.size[0], len(names))
    across, down = pipeline.batch.factors[0, :2].tolist()
    return UserPicture(
        pipeline.picture.with_objects(rescale(boxes, across, down), labels, names), pipeline.config.scenes
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


def own_classes(pipeline: Pipeline) -> tuple[str, ...]:
    """Returns the classes that drawn objects can have: those of the objects that are there, else the network's."""
    return pipeline.picture.class_names if len(pipeline.objects[0]) else pipeline.class_names


def takeaway(form: str, pipeline: Pipeline) -> str:
    """Returns the settings in a format of `core.export.settings`, for the classes of the network or of the picture."""
    return FORMATS[form](pipeline.config, len(pipeline.class_names))


def strip_value(state: PageState, pipeline: Pipeline) -> str:
    """Returns the strip with the live numbers of all steps."""
    try:
        levels = _levels(STEPS[state.step], pipeline, state)
    except UserError:
        levels = Levels("no numbers of levels under these settings", ())
    return strip.value(
        cells_of(pipeline),
        levels,
        step=state.step,
        level=state.level,
        map_=state.map,
        query=to_link(state, pipeline.config),
        state={"token": TOKENS.of(state), "settings": state.settings, "look": look_of(state)},
    )


def _levels(step: Step, pipeline: Pipeline, state: PageState) -> Levels:
    levels = step.levels(pipeline, state.focus())
    if step.uses_level:
        return levels
    return levels._replace(cells=tuple(cell._replace(level=None) for cell in levels.cells))


def cells_of(pipeline: Pipeline) -> list[strip.StripCell]:
    """Returns the live numbers of all steps; "–" where weights do not fit."""
    return [strip.StripCell(key, part, _headline(part, pipeline)) for key, step in STEPS.items() for part in step.parts]


def _headline(part: StripItem, pipeline: Pipeline) -> str:
    try:
        return part.headline(pipeline)
    except UserError:
        return "–"


def _url(picture: Picture) -> str:
    return _urls.get(picture.pixels_key, lambda: picture_url(picture.sample.image))
