"""The permalink: the state of the page as a URL query, and back."""

from urllib.parse import parse_qsl, urlencode

from core.config import MAX_TEXT, Config, ConfigError
from core.errors import UserError, quote
from core.retinanet.anchors import LEVELS
from playground.canvas.edit import Pick
from playground.data.image_ref import UPLOAD, ImageRef
from playground.data.sources import open_picture
from playground.evaluations.query import SEPARATOR, EvaluationQuery, update_query
from playground.lessons.position import LessonPosition, parse_course
from playground.state.page_state import STORY_STEP, PageState, image_ref_of, require_known_weights
from playground.state.settings import settings_of
from playground.state.user_picture import UserPicture, is_upload_shown
from playground.state.weight_names import with_keys, with_paths
from playground.steps import STEPS
from playground.steps.dials import USUAL, Dials, parse_dials, set_dial
from playground.steps.loss.step import FIGURES
from playground.steps.step import MAPS
from playground.support.untrusted import is_index, parse_number, require_one_of

STORY = "story"  # ?view=story opens the first screen, as does an address that says nothing
HIDE = "hide"  # names controls that a teacher's link hides: ?hide=training,loss.gamma; `strip.js` hides them
EMBED = "embed"  # names the step whose figure alone is shown, as in a frame of another page; `present.js` arranges it …
PICTURE = "picture"  # … or stands for the picture alone, of any step
COURSE = "course"  # names the lesson steps that a teacher has picked: ?course=focal.1,focal.2
KEPT_BY_BROWSER = (HIDE, COURSE, "layers")
DRAWN = "drawn"  # objects that only the page of the visitor who has drawn them has
EMBEDDED = (PICTURE, *(key for key, step in STEPS.items() if step.has_figure))
QUERY_FIELDS = ("score", "iou", "figure", "choice", "weights")  # of an evaluation
INITIAL = PageState(next(iter(STEPS)))


def to_link(state: PageState, config: Config) -> str:
    """Returns a state as a URL query, without what the lesson or the defaults imply.

    It always names the story, the lesson or the step: an empty query would open the story.

    Args:
        state: The state of the page.
        config: Its settings.
    """
    position = LessonPosition.from_link(state.lesson)
    step, base, curve = _initial(position, state.answer, story=state.in_story)
    implied = step if position or state.in_story else ""
    named = {
        "view": STORY if state.in_story else "",
        "lesson": state.lesson,
        "answer": "" if state.answer is None else str(state.answer + 1),
        "step": state.step if state.step != implied else "",
        "level": LEVELS[state.level] if state.level != INITIAL.level else "",
        "curve": state.curve if state.curve != curve else "",
        "p_t": f"{state.p_t:g}" if state.p_t != INITIAL.p_t else "",
        "pick": _pick_text(state.pick),
        "map": state.map if state.map != INITIAL.map else "",
        "beside": "true" if state.beside else "",
        "pinned": state.pinned,
        "run": state.run if state.step == "training" else "",
        "pinned_data": _image_ref_text(state.pinned_picture, state.pinned_config()) if state.pinned else "",
        "data": _image_ref_text(state.user_picture, config),
        DRAWN: "true" if _has_drawn(state.user_picture, config) else "",
        **_query_texts(state.evaluation_query),
        **_changed_dials(state.dials, position),
    }
    parts = (
        urlencode({key: value for key, value in named.items() if value}, safe=",/", errors="replace"),
        with_keys(config).to_query(base),
    )
    return "&".join(part for part in parts if part)


def from_link(query: str, visitor: str = "", *, with_data: bool = True) -> PageState:
    """Parses a URL query.

    Args:
        query: Query of the address; untrusted.
        visitor: Who opens it.
        with_data: False to show the generated scene instead of the images of data sets.

    Raises:
        core.data.untrusted.DataError, core.errors.PictureError: An image of a data set cannot be opened.
        UserError: A value is not allowed.
    """
    values = _parse_values(query)
    state, base = _take_state(values)
    image_ref, pinned_ref = (_parse_image_ref(values.pop(key, "")) for key in ("data", "pinned_data"))
    config = with_paths(base.replace(values))
    require_known_weights(config, visitor)
    state = state._replace(visitor=visitor)
    pinned = state.pinned_config() if state.pinned else None  # refuses pinned settings that are not allowed
    return state._replace(
        settings=settings_of(config),
        beside=state.beside and pinned is not None,
        user_picture=_open(image_ref, config, visitor) if with_data else None,
        pinned_picture=_open(pinned_ref, pinned, visitor) if with_data and pinned else None,
    )


def _take_state(values: dict[str, str]) -> tuple[PageState, Config]:
    """Takes what is no setting out of the link's values; returns the state, and the settings that the rest changes."""
    story = require_one_of("view", values.pop("view"), (STORY,)) == STORY if "view" in values else not values
    position = LessonPosition.from_link(values.pop("lesson", ""))
    answer = _parse_answer(values.pop("answer", ""), position)
    step, base, curve = _initial(position, answer, story=story)
    step = require_one_of("step", values.pop("step", step), tuple(STEPS))
    embedded = require_one_of(EMBED, values.pop(EMBED), EMBEDDED) if EMBED in values else ""
    state = PageState(
        step=step if embedded in ("", PICTURE) else embedded,
        pick=_parse_pick(values.pop("pick", "")),
        level=LEVELS.index(require_one_of("level", values.pop("level", LEVELS[0]), LEVELS)),
        lesson=position.link if position else "",
        answer=answer,
        curve=require_one_of("curve", values.pop("curve", curve), FIGURES),
        p_t=parse_number("p_t", values.pop("p_t", str(INITIAL.p_t))),
        map=require_one_of("map", values.pop("map", INITIAL.map), MAPS),
        pinned=values.pop("pinned", ""),
        run=values.pop("run", ""),
        beside=require_one_of("beside", values.pop("beside", "false"), ("true", "false")) == "true",
        evaluation_query=_parse_query(values),
        story=story,
        dials=_take_dials(values, _initial_dials(position)),
    )
    if story and not state.in_story:
        raise ConfigError(f"view = {STORY} contradicts the lesson or the step of this link: leave one of them out.")
    # Of a lesson, a frame has what its step has set, but neither text nor question.
    return state._replace(lesson="", answer=None) if embedded else state, base


def _parse_values(query: str) -> dict[str, str]:
    """Returns the values of a URL query by name, without those that only the browser, Gradio or `opening` reads."""
    if len(query) > MAX_TEXT:
        raise ConfigError(f"The link is {len(query):,} characters long; at most {MAX_TEXT:,} are read.")
    values = dict(parse_qsl(query, keep_blank_values=True))
    skipped = (*KEPT_BY_BROWSER, DRAWN)
    return {name: value for name, value in values.items() if name not in skipped and not name.startswith("__")}


def _changed_dials(dials: str, position: LessonPosition | None) -> dict[str, str]:
    """Returns the dials that differ from those of a link that names none, as texts by name."""
    values, initial = parse_dials(dials).to_values(), _initial_dials(position).to_values()
    return {name: values.get(name, USUAL) for name in Dials._fields if values.get(name) != initial.get(name)}


def _initial_dials(position: LessonPosition | None) -> Dials:
    return parse_dials(position.step.dials) if position else Dials()


def _initial(position: LessonPosition | None, answer: int | None, *, story: bool) -> tuple[str, Config, str]:
    """Returns the step, the settings and the curve of a link that names none."""
    if position is None:
        return STORY_STEP if story else INITIAL.step, Config(), INITIAL.curve
    step = position.step
    return step.show, step.initial_config() if answer is None else step.config(), step.curve


def _open(image_ref: ImageRef | None, config: Config, visitor: str) -> UserPicture | None:
    if image_ref is None:
        return None
    return UserPicture(open_picture(image_ref, config.scenes, visitor), config.scenes, image_ref)


def _image_ref_text(user_picture: UserPicture | None, config: Config) -> str:
    if is_upload_shown(user_picture, config):
        return UPLOAD
    image_ref = image_ref_of(user_picture, config)
    return image_ref.link if image_ref else ""


def _has_drawn(user_picture: UserPicture | None, config: Config) -> bool:
    return user_picture is not None and user_picture.is_drawn and user_picture.is_shown(config)


def _parse_image_ref(text: str) -> ImageRef | None:
    return None if text == UPLOAD else ImageRef.from_link(text)


def _query_texts(query: EvaluationQuery) -> dict[str, str]:
    usual = INITIAL.evaluation_query
    return {
        "score": "" if query.score is None else f"{query.score:g}",
        "iou": f"{query.iou:g}" if query.iou != usual.iou else "",
        "figure": query.figure if query.figure != usual.figure else "",
        "choice": query.choice,
        "weights": SEPARATOR.join(query.weights),
    }


def _parse_query(values: dict[str, str]) -> EvaluationQuery:
    """Takes the fields of an evaluation query out of the link's values."""
    query = EvaluationQuery()
    for field in QUERY_FIELDS:
        if field in values:
            query = update_query(query, field, values.pop(field))
    return query


def _take_dials(values: dict[str, str], dials: Dials) -> str:
    """Takes the values of the dials out of the link's values; `dials` are those of a link that names none."""
    for name in Dials._fields:
        if name in values:
            dials = set_dial(dials, name, values.pop(name))
    return dials.to_text()


def _parse_answer(text: str, position: LessonPosition | None) -> int | None:
    """Returns the index of the chosen answer; links count from 1."""
    count = position.step.num_choices if position else 0
    if not text:
        return None
    if not is_index(text) or not 1 <= int(text) <= count:
        raise ConfigError(f"answer = {quote(text)} is not allowed: this step has {count} answers, counted from 1.")
    return int(text) - 1


def _pick_text(pick: Pick | None) -> str:
    if pick is None:
        return ""
    box = f",{pick.layer},{pick.index}" if pick.layer else ""
    return f"{pick.x:.0f},{pick.y:.0f}{box}"


def _parse_pick(text: str) -> Pick | None:
    if not text:
        return None
    x, y, *box = (*text.split(","), "")[:4] if text.count(",") >= 1 else (text, "")
    point = parse_number("pick", x), parse_number("pick", y)
    if len(box) < 2 or not is_index(box[1]):
        return Pick(*point)
    return Pick(*point, box[0], int(box[1]))


def read_course(query: str) -> tuple[str, ...]:
    """Returns the links of the lesson steps that a link picks, () for all, as for names that do not exist."""
    try:
        return parse_course(dict(parse_qsl(query)).get(COURSE, ""))
    except UserError:
        return ()
