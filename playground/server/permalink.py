"""The link is the state: lesson, step, selection and settings as a URL query, and back."""

import difflib
import math
from urllib.parse import parse_qsl, urlencode

from core.config import MAX_TEXT, Config, ConfigError, knobs
from core.retinanet.anchors import LEVELS
from playground.canvas.edit import Pick
from playground.data.image_ref import ImageRef
from playground.data.sources import open_picture
from playground.evaluations.query import EvaluationQuery, update_query
from playground.lessons.position import LessonPosition
from playground.state.page_state import PageState, UserPicture, image_ref_of, require_own_weights
from playground.state.settings import settings_of
from playground.steps import STEPS
from playground.steps.loss.step import FIGURES
from playground.steps.step import MAPS

KEY = "hide"
CONTROLS = ("lessons", "all-knobs", "format", "pin", "curve", "example")  # by the ids of their elements
SHOWN = 40  # characters of a name that is not known

MAX_NUMBER = 1e6  # what no place on a picture exceeds
BROWSERS_OWN = ("hide", "layers")  # what a teacher hides and which layers are on is kept by the browser
USUAL = PageState(next(iter(STEPS)))


def to_link(state: PageState, config: Config) -> str:
    """Returns the URL query of what is on show; what the lesson or the defaults say anyway is not named."""
    place = LessonPosition.from_link(state.lesson)
    step, base, curve = _start(place, state.answer)
    query, usual = state.evaluation_query, USUAL.evaluation_query
    named = {
        "lesson": state.lesson,
        "answer": "" if state.answer is None else str(state.answer + 1),
        "step": state.step if state.step != step else "",
        "level": LEVELS[state.level] if state.level != USUAL.level else "",
        "curve": state.curve if state.curve != curve else "",
        "p_t": f"{state.p_t:g}" if state.p_t != USUAL.p_t else "",
        "pick": _pick_text(state.pick),
        "map": state.map if state.map != USUAL.map else "",
        "beside": "true" if state.beside else "",
        "pinned": state.pinned,
        "run": state.run if state.step == "training" else "",
        "pinned_data": _place_text(state.pinned_picture, state.pinned_config()) if state.pinned else "",
        "data": _place_text(state.user_picture, config),
        "score": "" if query.score is None else f"{query.score:g}",
        "iou": f"{query.iou:g}" if query.iou != usual.iou else "",
        "figure": query.figure if query.figure != usual.figure else "",
        "choice": query.choice,
    }
    parts = (urlencode({key: value for key, value in named.items() if value}, safe=",/"), config.to_query(base))
    return "&".join(part for part in parts if part)


def from_link(query: str, *, with_data: bool = True) -> PageState:
    """Reads a URL query.

    Args:
        query: Of the address.
        with_data: Whether pictures of data sets are opened; else the scene is on show.

    Raises:
        core.data.untrusted.DataError, core.data.images.PictureError: A data set's picture is not to be had here.
        ConfigError: Something in it is not allowed.
        UserError: There is no such lesson.
    """
    if len(query) > MAX_TEXT:
        raise ConfigError(f"The link is {len(query):,} characters long; at most {MAX_TEXT:,} are read.")
    pairs = dict(parse_qsl(query, keep_blank_values=True))
    place = LessonPosition.from_link(pairs.pop("lesson", ""))
    answer = _answer(pairs.pop("answer", ""), place)
    usual, base, curve = _start(place, answer)
    for key in BROWSERS_OWN:
        pairs.pop(key, None)
    state = PageState(
        step=_one_of("step", pairs.pop("step", usual), tuple(STEPS)),
        pick=_pick(pairs.pop("pick", "")),
        level=LEVELS.index(_one_of("level", pairs.pop("level", LEVELS[0]), LEVELS)),
        lesson=place.link if place else "",
        answer=answer,
        curve=_one_of("curve", pairs.pop("curve", curve), FIGURES),
        p_t=_number("p_t", pairs.pop("p_t", str(USUAL.p_t))),
        map=_one_of("map", pairs.pop("map", USUAL.map), MAPS),
        pinned=pairs.pop("pinned", ""),
        run=pairs.pop("run", ""),
    )
    beside = _one_of("beside", pairs.pop("beside", "false"), ("true", "false")) == "true"
    evaluation_query = EvaluationQuery()
    for word in ("score", "iou", "figure", "choice"):
        if word in pairs:
            evaluation_query = update_query(evaluation_query, word, pairs.pop(word))
    state = state._replace(evaluation_query=evaluation_query)
    places = [ImageRef.from_link(pairs.pop(key, "")) for key in ("data", "pinned_data")]
    if not with_data:
        places = [None, None]
    if state.pinned:
        pinned_picture = _opened(places[1], state.pinned_config())  # refused now if they are not allowed
        state = state._replace(beside=beside, pinned_picture=pinned_picture)
    config = base.replace({path: value for path, value in pairs.items() if not path.startswith("__")})
    require_own_weights(config)
    return state._replace(settings=settings_of(config), user_picture=_opened(places[0], config))


def _opened(place: ImageRef | None, config: Config) -> UserPicture | None:
    return place and UserPicture(open_picture(place, config.scenes), config.scenes, place)


def _place_text(own: UserPicture | None, config: Config) -> str:
    place = image_ref_of(own, config)
    return place.link if place else ""


def _start(place: LessonPosition | None, answer: int | None) -> tuple[str, Config, str]:
    """Returns the step, the settings and the curve of the page where a link names none."""
    if place is None:
        return USUAL.step, Config(), USUAL.curve
    here = place.lesson.steps[place.index]
    return here.show, here.first_config() if answer is None else here.config(), here.curve


def _answer(text: str, place: LessonPosition | None) -> int | None:
    """Reads which answer was chosen, counted from 1 in links."""
    count = len(place.lesson.steps[place.index].answers) if place else 0
    if not text:
        return None
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text[:9]) <= count:
        raise ConfigError(f"answer = {text[:20]!r} is not allowed: this step has {count} answers, counted from 1.")
    return int(text) - 1


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise ConfigError(f"{name} = {value!r} is not allowed: it must be one of {', '.join(allowed)}.")
    return value


def _number(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not abs(number) <= MAX_NUMBER:
        raise ConfigError(f"{name} = {text!r} is not allowed: it must be a number.")
    return number


def _pick_text(pick: Pick | None) -> str:
    if pick is None:
        return ""
    box = f",{pick.layer},{pick.index}" if pick.layer else ""
    return f"{pick.x:.0f},{pick.y:.0f}{box}"


def _pick(text: str) -> Pick | None:
    if not text:
        return None
    x, y, *box = (*text.split(","), "")[:4] if text.count(",") >= 1 else (text, "")
    place = _number("pick", x), _number("pick", y)
    if len(box) < 2 or not box[1].isdecimal():
        return Pick(*place)
    return Pick(*place, box[0], int(box[1]))


def unknown_names(query: str) -> str:
    """Returns a sentence about what a link wants to hide and cannot, "" where all is known."""
    known = (*STEPS, *knobs(), *CONTROLS)
    named = [name.strip() for name in dict(parse_qsl(query)).get(KEY, "").split(",")]
    return " ".join(_sentence(name, known) for name in dict.fromkeys(named) if name and name not in known)


def _sentence(name: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"it may name steps ({', '.join(STEPS)}), knobs such as loss.gamma, "
    hint += "" if near else f"or {', '.join(CONTROLS)}."
    return f"{KEY} = {name[:SHOWN]!r} hides nothing: {hint}"
