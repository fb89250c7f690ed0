"""Renders the state of the page into new values for its parts. Free of Gradio's events."""

import json
from collections.abc import Iterator

from core.errors import UserError
from core.io.text import count_noun
from playground.canvas.canvas import payload, picture_url
from playground.canvas.edit import Pick
from playground.canvas.view import View, hidden_keys
from playground.components import html
from playground.components.compared import compare
from playground.components.dials import pack
from playground.components.figures import Figure, to_json
from playground.data import browse
from playground.data.browse import Browsing, OwnPicture
from playground.data.image_ref import PHOTOGRAPHS, ImageRef
from playground.data.photographs import describe_photograph
from playground.data.picture import Picture
from playground.layout import strip
from playground.layout.page_update import PageUpdate
from playground.lessons.page_effects import apply_layers, build_lesson_state
from playground.pipeline.pipeline import Pipeline
from playground.server import pin_diff
from playground.server.album_state import build_album_panel
from playground.server.banner import build_banner
from playground.server.idle import build_idle
from playground.server.permalink import to_link
from playground.server.tokens import TOKENS, browser_fields
from playground.sharing.lanes import BusyError, lane_for
from playground.state.effort import asks_for_much
from playground.state.page_state import PageState
from playground.state.user_picture import classes_to_draw, find_upload, is_upload_shown
from playground.steps import STEPS
from playground.steps.evaluation.step import selected_pictures
from playground.steps.loss.story import build_story
from playground.steps.step import Levels, StepText, StepView, StripItem, truth_layer
from playground.support.cache import Cache
from playground.support.threads import one_thread
from playground.support.wording import name_knobs

NOTHING_TO_SHOW = "This step has nothing to show under these settings: the message above says why, and what to do."
FIGURE_ALONE = "The figure is all that can be shown under these settings: the message above says why, and what to do."
UNCHANGED = "What is on show still belongs to the settings before."
NO_NUMBERS = "There are no numbers under these settings: the message above says why, and what to do."
_urls = Cache()  # pictures as they are sent


def render(state: PageState) -> PageUpdate:
    """Renders a state at once, when it is its visitor's turn; see `render_in_stages`."""
    lane = lane_for(asks_for_much(state))
    try:
        picture, *rest = lane.run(state.visitor or object(), lambda: list(render_in_stages(state)))
    except BusyError as error:
        return PageUpdate(notice=f"{error} {UNCHANGED}")
    if not rest:
        return picture
    whole = rest[0]._replace(canvas=picture.canvas, banner=picture.banner, story=picture.story)
    return whole._replace(figure=picture.figure or whole.figure)


def render_in_stages(state: PageState) -> Iterator[PageUpdate]:
    """Renders a state: yields the picture as soon as it is ready, then everything else.

    Settings that are not allowed change nothing but the notice. If the step cannot show anything under allowed
    settings, as when the weights do not fit them, the picture with its objects remains.
    """
    try:
        with one_thread():
            pipeline = state.pipeline()
            state.focus()  # refuses dials that are not allowed: the address could not name them
            step_view, notice = _view_of_step(state, pipeline)
            view = view_of(pipeline, step_view)
    except UserError as error:
        yield PageUpdate(notice=f"{name_knobs(error)} {UNCHANGED}")
        return
    skipped = hidden_keys(view, state.switched) if state.held else ()
    with one_thread():
        figure = to_json(_compare_figure(step_view.figure, state)[0]) if step_view.figure else None
        picture = PageUpdate(
            notice,
            banner=_render_banner(state, pipeline, step_view),
            canvas=payload(view, skipped, state.visitor),
            figure=figure,
            story=_build_story(state, pipeline),
        )
    yield picture
    with one_thread():
        rest = _render_rest(state, pipeline, step_view, notice)
    rest = rest._replace(postponed=pipeline.has_postponed or bool(skipped))
    yield rest._replace(figure=None) if figure else rest


def _render_banner(state: PageState, pipeline: Pipeline, step_view: StepView) -> str:
    """Returns the banner over the picture; a run's own picture is of a kind that its weights know."""
    if step_view.picture:
        return ""
    try:
        pinned = state.pinned_pipeline() if state.beside and state.pinned else None
    except UserError:  # no picture is beside then
        pinned = None
    return build_banner(pipeline, pinned)


def _build_story(state: PageState, pipeline: Pipeline) -> str:
    """Returns what the first screen says beside the picture; "" where there is none, or no loss to speak of."""
    try:
        return json.dumps(build_story(pipeline)) if state.in_story else ""
    except UserError:  # the numbers say so
        return ""


def _render_rest(state: PageState, pipeline: Pipeline, step_view: StepView, notice: str) -> PageUpdate:
    """Renders everything but the picture; `notice` is the message that came with it."""
    try:
        text = step_view.build_text()
    except UserError as error:
        text, notice = StepText(html.paragraph(NO_NUMBERS), _build_figure_alone(state, pipeline)), name_knobs(error)
    lesson, checks = build_lesson_state(state)
    figure, lack = _compare_figure(text.figure, state) if text.figure else (None, "")
    update = PageUpdate(
        notice,
        strip=_render_strip(state, pipeline),
        caption=_caption(pipeline.image_ref, step_view),
        readout=text.readout,
        figure=to_json(figure) if figure else "",
        dials=pack(text.dials),
        more=text.more,
        bar=_build_bar(state, pipeline, step_view.picture.name if step_view.picture else ""),
        lesson=lesson,
        checks=checks,
        album=build_album_panel(state, pipeline),
        idle=build_idle(pipeline, text.moves),
    )
    return _compare_with_pinned(update, state, pipeline, lack) if state.pinned else update


def _compare_figure(figure: Figure, state: PageState) -> tuple[Figure, str]:
    """Returns a step's figure with what it was under the pinned settings, if there are any, and what lacks of that."""
    step = STEPS[state.step]
    if not state.pinned or step.build_figure is None:
        return figure, ""
    try:
        pinned = step.build_figure(state.pinned_pipeline(), state.focus())
    except UserError:  # the list of changes says so
        return figure, ""
    return compare(figure, pinned), "" if pinned else step.without_pinned


def _build_bar(state: PageState, pipeline: Pipeline, film: str) -> str:
    upload, title = find_upload(state.user_picture), pipeline.picture.name
    own = upload and OwnPicture(upload.picture.name, is_shown=is_upload_shown(state.user_picture, pipeline.config))
    return browse.build_bar(pipeline.image_ref, title, _choice(state, pipeline), state.visitor, own, film=film)


def _caption(image_ref: ImageRef | None, step_view: StepView) -> str:
    if step_view.picture or image_ref is None or image_ref.source != PHOTOGRAPHS:
        return ""
    return html.paragraph(describe_photograph(image_ref.index))


def _choice(state: PageState, pipeline: Pipeline) -> Browsing | None:
    """Returns the chosen pictures of an evaluation, None if none are chosen."""
    try:
        chosen = state.evaluation_query.choice and selected_pictures(pipeline, state.evaluation_query)
    except UserError:
        return None
    if not chosen:
        return None
    index = pipeline.image_ref.index if pipeline.image_ref else -1
    position = chosen.pictures.index(index) if index in chosen.pictures else None
    return Browsing(chosen.label, position, len(chosen.pictures))


def _view_of_step(state: PageState, pipeline: Pipeline) -> tuple[StepView, str]:
    """Returns the view of the chosen step, and a message if it is the picture alone."""
    try:
        return apply_layers(STEPS[state.step].build_view(pipeline, state.focus()), state), ""
    except UserError as error:
        figure = _build_figure_alone(state, pipeline)
        text = StepText(html.paragraph(FIGURE_ALONE if figure else NOTHING_TO_SHOW), figure)
        return StepView((truth_layer(pipeline),), build_text=lambda: text, figure=figure), name_knobs(error)


def _build_figure_alone(state: PageState, pipeline: Pipeline) -> Figure | None:
    """Returns the figure of a step that cannot be shown as a whole, None if it cannot be either."""
    step = STEPS[state.step]
    try:
        return step.build_figure(pipeline, state.focus()) if step.build_figure and step.keeps_figure else None
    except UserError:
        return None


def view_of(pipeline: Pipeline, step_view: StepView) -> View:
    """Returns the picture with a step's layers."""
    picture = step_view.picture or pipeline.picture
    height, width = step_view.picture.sample.image.shape[1:] if step_view.picture else pipeline.size
    editing = step_view.editing._asdict() if step_view.editing else {}
    if step_view.editable and not editing:
        editing = {"classes": classes_to_draw(pipeline)}
    objects = len(step_view.picture.sample.boxes if step_view.picture else pipeline.objects[0])
    return View(
        picture=_encode(picture),
        width=width,
        height=height,
        layers=step_view.layers,
        heat=step_view.heat,
        editable=step_view.editable,
        alt=f"{picture.name} with {count_noun(objects, 'object')}",
        pixels_key=pipeline.picture.pixels_key,
        **editing,
    )


def _encode(picture: Picture) -> str:
    return _urls.get(picture.pixels_key, lambda: picture_url(picture.sample.image))


def _compare_with_pinned(update: PageUpdate, state: PageState, pipeline: Pipeline, lack: str) -> PageUpdate:
    """Adds what changed since the settings were pinned, and what lacks of them; the pinned picture if it is on show."""
    try:
        pinned = state.pinned_pipeline()
        changes = pin_diff.changes(pinned, pipeline) + (html.paragraph(lack) if lack else "")
        update = update._replace(changes=changes, beside=state.beside)
        if not state.beside:
            return update
        focus = state.focus()
        pick = focus.pick and Pick(focus.pick.x, focus.pick.y)  # the pinned picture's boxes have other indices
        step_view = STEPS[state.step].build_view(pinned, focus._replace(pick=pick))
        view = view_of(pinned, step_view._replace(editable=False))
    except UserError as error:
        return update._replace(changes=html.paragraph(name_knobs(error)), beside=False)
    counts = pin_diff.counts(strip_cells(pinned), strip_cells(pipeline))
    return update._replace(
        other=payload(view._replace(alt=f"A, pinned: {view.alt}"), visitor=state.visitor), counts=counts
    )


def _render_strip(state: PageState, pipeline: Pipeline) -> str:
    return strip.value(
        strip_cells(pipeline),
        _levels(state, pipeline),
        step=state.step,
        level=state.level,
        map_=state.map,
        query=to_link(state, pipeline.config),
        state={
            "token": TOKENS.issue(state),
            "settings": state.settings,
            "look": browser_fields(state),
            "now": state.choices(),
            "began": state.began and state.began.choices(),
        },
    )


def _levels(state: PageState, pipeline: Pipeline) -> Levels:
    """Returns the numbers of each pyramid level; they can be chosen in steps that draw a level's maps."""
    step = STEPS[state.step]
    try:
        levels = step.build_levels(pipeline, state.focus())
    except UserError:
        return Levels("no numbers of levels under these settings", ())
    if step.uses_level:
        return levels
    return levels._replace(cells=tuple(cell._replace(level=None) for cell in levels.cells))


def strip_cells(pipeline: Pipeline) -> list[strip.StripCell]:
    """Returns the live numbers of all steps, "–" where the weights do not fit."""
    return [
        strip.StripCell(key, part, _headline(part, pipeline))
        for key, step in STEPS.items()
        for part in step.strip_items
    ]


def _headline(part: StripItem, pipeline: Pipeline) -> str:
    try:
        return part.headline(pipeline)
    except UserError:
        return "–"
