"""Start, stop, watch, pause, resume and use training runs, or short runs to compare."""

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple

import gradio as gr

from core.errors import UserError
from core.runs.folder import PAUSED, RUNNING, STARTING, RunStatus
from playground.data.datasets import DATA
from playground.data.image_ref import is_from_data_set
from playground.events.common import LIVE, refusing, shown_settings, updates
from playground.layout.layout import Parts
from playground.layout.step_controls import NO_RUN
from playground.runs.service import ACTIVE, RESUMABLE, RUNS
from playground.runs.summary import state_text
from playground.server.poll import PollResult, watch
from playground.server.render import show
from playground.state.page_state import PageState
from playground.state.settings import settings_of
from playground.steps.training import run_config
from playground.support.visitors import VISITORS, visitor_of

STEP = "training"
TRAINING_SPLITS = ("train", "val")  # which a run reads
MOST_LISTED = 200  # runs
PAUSABLE = (STARTING, RUNNING)
# What each button wants of a run.
BUTTON_STATES = {
    "stop": (*ACTIVE,),
    "resume": (PAUSED, *RESUMABLE),
    "pause": PAUSABLE,
    "single": (*PAUSABLE, PAUSED),
}


class RunControls(NamedTuple):
    """What is shown around a run.

    Attributes:
        choices: The list of runs, (label, name) each.
        run: The chosen one.
        state: Where it stands.
        frames: Evaluations of its film.
    """

    choices: tuple[tuple[str, str], ...] = ()
    run: str = ""
    state: str = ""
    frames: int = 0


def connect_training(parts: Parts) -> None:
    """Wires the buttons of the training step, and the watch over the runs."""
    around, watching = gr.State(RunControls()), watch(STEP, news)
    _connect_buttons(parts, [around, watching])
    _connect_watch(parts, around, watching)
    use = refusing(len(parts.all_settings), _use)
    parts.buttons["use"].click(use, parts.state, [*parts.all_settings, *parts.shown], **LIVE)


def run_parts(parts: Parts) -> list:
    """Returns what `run_updates` gives new values."""
    return [parts.run, parts.film, *(parts.buttons[name] for name in BUTTON_STATES)]


def run_updates(state: PageState, *, choose: bool = True) -> list:
    """Returns the list of runs, the film's slider and the buttons for what is asked.

    Args:
        state: By the visitor.
        choose: Whether the list shows the run of what is asked; else its choice stays, which may be a newer one.
    """
    around = _around(state)
    frames = around.frames
    return [
        gr.Dropdown(choices=[NO_RUN, *around.choices], **({"value": state.run} if choose else {})),
        gr.Slider(maximum=max(frames, 2), value=state.frame, visible=True if frames > 1 else "hidden"),
        *(gr.Button(interactive=around.state in states) for states in BUTTON_STATES.values()),
    ]


def _around(state: PageState) -> RunControls:
    statuses = RUNS.statuses()
    choices = tuple((_label(name, statuses[name]), name) for name in list(statuses)[:MOST_LISTED])
    run_state = RUNS.read(state.run).state if RUNS.has(state.run) else ""
    return RunControls(choices, state.run, run_state, frame_count(state.run))


def news(state: PageState) -> PollResult:
    """Returns what there is of the run that is asked for, and of the list of all."""
    active = any(each.state in ACTIVE for each in RUNS.statuses().values())
    return PollResult(hashlib.sha1(repr(RUNS.stamp(state.run)).encode()).hexdigest(), active)


def newest_frame(state: PageState) -> PageState:
    """Returns what is asked with the latest evaluation of the run."""
    return state._replace(frame=max(frame_count(state.run), 1))


def frame_count(run: str) -> int:
    """Returns how many evaluations the film of a run has."""
    return RUNS.reader.frames(RUNS.folder(run)) if RUNS.has(run) else 0


def _label(name: str, status: RunStatus) -> str:
    called = RUNS.label(name).name or RUNS.about(name).variant
    return " · ".join(part for part in (state_text(status.state, status.queue_position), called, name) if part)


def _connect_buttons(parts: Parts, seen: list) -> None:
    """Wires what acts on a run; `seen` are the components that take `_seen`."""
    buttons, outputs = parts.buttons, [*run_parts(parts), *seen, *parts.shown]
    count = len(outputs) - len(parts.shown)

    def chosen(state: PageState) -> list:
        state = newest_frame(state)
        return [*run_updates(state), *_seen(state), *updates(show(state))]

    def acting(act: Callable[[str], None]) -> Callable[..., list]:
        def handler(request: gr.Request, *inputs: Any) -> list:
            state = PageState(*inputs)
            require_own(state.run or RUNS.current(), visitor_of(request))
            act(state.run)
            return chosen(state)

        return refusing(count, handler)

    def start(request: gr.Request, *inputs: Any) -> list:
        state = PageState(*inputs)
        return chosen(state._replace(run=_started(state, visitor_of(request))))

    def compare(request: gr.Request, preset: str, *inputs: Any) -> list:
        return chosen(PageState(*inputs)._replace(run=RUNS.compare(preset, visitor_of(request))))

    buttons["start"].click(refusing(count, start), parts.state, outputs, **LIVE)
    buttons["compare"].click(refusing(count, compare), [buttons["preset"], *parts.state], outputs, **LIVE)
    for name, act in (("stop", RUNS.stop), ("resume", RUNS.resume), ("pause", RUNS.pause), ("single", RUNS.step)):
        buttons[name].click(acting(act), parts.state, outputs, **LIVE)
    parts.run.input(refusing(count, lambda *inputs: chosen(PageState(*inputs))), parts.state, outputs, **LIVE)


def require_own(name: str, visitor: str) -> None:
    """Raises `NotYoursError` if a visitor may not stop or change a run; whether there is one is found out later."""
    if RUNS.has(name):
        VISITORS.require(RUNS.about(name).owner, visitor, f"The run {name}")


def _started(state: PageState, visitor: str) -> str:
    """Starts a run on the data set that is on show, else on scenes, and returns its name."""
    config, place = state.config(), state.image_ref()
    if not is_from_data_set(place):
        return RUNS.start(config, owner=visitor)
    for split in TRAINING_SPLITS:
        DATA.open_split(place.source, split)  # refused now rather than in the run
    return RUNS.start(config, str(DATA.library.get(place.source).folder), visitor)


def _connect_watch(parts: Parts, around: gr.State, watching: gr.HTML) -> None:
    outputs = [*run_parts(parts), around, watching, *parts.shown]

    def tick(last: RunControls, *inputs: Any) -> list:
        state = PageState(*inputs)
        if state.step != STEP:  # it has just been left
            return [gr.skip()] * len(outputs)
        if state.frame >= last.frames:  # the film follows the run unless somebody has moved its slider
            state = newest_frame(state)
        now, stamp = _seen(state)
        # A list that is open, or a button that is being pressed, is left alone while nothing about it is new.
        changed = [gr.skip()] * len(run_parts(parts)) if now == last else run_updates(state, choose=False)
        return [*changed, now, stamp, *updates(show(state))]

    watching.tick(tick, [around, *parts.state], outputs, **LIVE)


def _seen(state: PageState) -> tuple[RunControls, str]:
    """Returns what is around a run, and the stamp of the news: taken first, or what comes meanwhile would be lost."""
    stamp = news(state).stamp
    return _around(state), stamp


def _use(*inputs: Any) -> list:
    state = PageState(*inputs)
    if not RUNS.has(state.run) or not RUNS.weights(state.run):
        raise UserError("There are no weights yet: start a run, and wait for its first evaluation or stop it.")
    config = run_config(state.run, state.config())
    return [*shown_settings(config), *updates(show(state._replace(settings=settings_of(config))))]
