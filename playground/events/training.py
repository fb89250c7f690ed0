"""The controls of training runs: their buttons, their list, and their progress."""

import hashlib
from collections.abc import Callable
from typing import NamedTuple

import gradio as gr
from gradio.blocks import Block

from core.config import knobs
from core.runs.folder import FINISHED, PAUSED, RESUMABLE, RUNNING, STARTING, RunStatus
from playground.events.common import LIVE, EventOptions, Updates, keep_notice, listen, show
from playground.events.run_start import require_own_run, start_run
from playground.layout.components import PageComponents
from playground.layout.step_controls import NO_RUN
from playground.runs.progress import ACTIVE
from playground.runs.service import RUNS
from playground.runs.summary import format_state
from playground.server.poll import END, FOLLOWED, TICK, PollResult, poll
from playground.state.page_state import PageState
from playground.state.taught import taught_album, use_taught
from playground.steps.training import load_run_config
from playground.support.visitors import visitor_of

STEP = "training"
MAX_LISTED = 200  # runs
PAUSABLE = (STARTING, RUNNING)
# The states of a run in which each button is active.
BUTTON_STATES = {
    "stop": (*ACTIVE,),
    "resume": (PAUSED, *RESUMABLE),
    "pause": PAUSABLE,
    "single_step": (*PAUSABLE, PAUSED),
}


class RunList(NamedTuple):
    """The state of the controls around a run.

    Attributes:
        choices: The list of runs, (label, name) each.
        run: Name of the chosen run.
        state: Of the chosen run.
        frames: Number of evaluations in its film.
    """

    choices: tuple[tuple[str, str], ...] = ()
    run: str = ""
    state: str = ""
    frames: int = 0


class ListHolders(NamedTuple):
    """The components that hold which list of runs is on show.

    Attributes:
        listed: Holds a `RunList`.
        polling: Holds the stamp of the list, see `PollResult.controls`.
    """

    listed: gr.State
    polling: gr.HTML

    def hold(self, listed: RunList, state: PageState) -> Updates:
        """Returns the new values of the components for a list of runs and the state that is on show."""
        return {self.listed: listed, self.polling: _stamp_controls(listed, state)}


def connect_training(page: PageComponents) -> ListHolders:
    """Connects the buttons of the training step and the polling for news of the runs.

    Returns:
        What other events that start a run have to update.
    """
    holders = ListHolders(gr.State(RunList()), poll(STEP, poll_runs))
    _connect_buttons(page, holders)
    _connect_polling(page, holders)

    def use(state: PageState) -> Updates:
        return show(page, state.setting(load_run_config(state.run, state.config()), knobs()), "settings")

    listen(page, page.controls.training.use_weights.click, use, changes=["settings"], **LIVE)
    return holders


def run_components(page: PageComponents) -> list[Block]:
    """Returns the components that `run_updates` changes."""
    controls = page.controls.training
    return [controls.run, page.film, *(getattr(controls, name) for name in BUTTON_STATES)]


def run_updates(page: PageComponents, state: PageState, *, choose: bool = True) -> Updates:
    """Returns new values for the list of runs, the film's slider and the buttons.

    Args:
        page: The page's components.
        state: The state that is on show.
        choose: True to choose the state's run in the list; else the list keeps its choice, which may be newer.
    """
    listed, controls = list_runs(state), page.controls.training
    choices = [NO_RUN, *listed.choices]
    updates: Updates = {
        controls.run: gr.Dropdown(choices=choices, value=state.run) if choose else gr.Dropdown(choices=choices),
        page.film: gr.Slider(
            maximum=max(listed.frames, 2), value=state.frame, visible=True if listed.frames > 1 else "hidden"
        ),
    }
    for name, states in BUTTON_STATES.items():
        updates[getattr(controls, name)] = gr.Button(interactive=listed.state in states)
    return updates


def list_runs(state: PageState) -> RunList:
    """Returns the runs, newest first, and the state of the chosen one."""
    statuses = {name: each for name, each in RUNS.statuses().items() if RUNS.may_see(name, state.visitor)}
    choices = tuple((_label(name, statuses[name]), name) for name in list(statuses)[:MAX_LISTED])
    run_state = RUNS.read_progress(state.run).state if RUNS.has(state.run) else ""
    return RunList(choices, state.run, run_state, count_frames(state.run))


def _label(name: str, status: RunStatus) -> str:
    title = RUNS.label(name).name or RUNS.about(name).title
    return " · ".join(part for part in (format_state(status.state, status.queue_position), title, name) if part)


def poll_runs(state: PageState) -> PollResult:
    """Returns the news of the chosen run and of the list of runs; a run on the visitor's own pictures is followed."""
    stamp = _hash(RUNS.stamp(state.run))  # taken first so that no later change is lost
    listed, active = list_runs(state), any(each.state in ACTIVE for each in RUNS.statuses().values())
    event = END if listed.state == FINISHED and taught_album(state) else TICK
    return PollResult(stamp, soon=active, controls=_stamp_controls(listed, state), event=event)


def _stamp_controls(listed: RunList, state: PageState) -> str:
    followed = listed.state in ACTIVE and taught_album(state) is not None
    return (FOLLOWED if followed else "") + _hash(listed)


def _hash(value: object) -> str:
    return hashlib.sha1(repr(value).encode()).hexdigest()


def with_newest_frame(state: PageState) -> PageState:
    """Returns the state with the latest evaluation of its run."""
    return state._replace(frame=max(count_frames(state.run), 1))


def count_frames(run: str) -> int:
    """Returns the number of evaluations in the film of a run."""
    return RUNS.reader.count_snapshots(RUNS.folder(run)) if RUNS.has(run) else 0


def _connect_buttons(page: PageComponents, holders: ListHolders) -> None:
    controls = page.controls.training
    inputs, outputs = [holders.listed], [*run_components(page), *holders]

    def show_run(state: PageState, last: RunList, *, choose: bool = True) -> Updates:
        now = list_runs(state)  # first, so that no later change is lost
        state = with_newest_frame(state)
        held = holders.hold(keep_end(last, now, state), state)
        return {**run_updates(page, state, choose=choose), **held, **show(page, state)}

    def choose_run(state: PageState, last: RunList) -> Updates:
        # A newer choice may wait in the list, which `always_last` handles next; a refused one must not stay there.
        is_refused = state.began is not None and state.run != state.began.run
        state = state._replace(began=None)  # it began with the run chosen, but is not late
        return show_run(state, last, choose=is_refused)

    def acting(act: Callable[[str], None]) -> Callable[..., Updates]:
        def handler(state: PageState, last: RunList, *, request: gr.Request) -> Updates:
            name = state.run or RUNS.current(visitor_of(request))
            require_own_run(name, visitor_of(request))
            if name:
                act(name)
            return show_run(state, last)

        return handler

    def starting(*, range_test: bool) -> Callable[..., Updates]:
        def handler(state: PageState, last: RunList, *, request: gr.Request) -> Updates:
            return show_run(state._replace(run=start_run(state, visitor_of(request), range_test=range_test)), last)

        return handler

    def compare(state: PageState, last: RunList, preset: str, *, request: gr.Request) -> Updates:
        return show_run(state._replace(run=RUNS.compare(preset, visitor_of(request))), last)

    listen(page, controls.start.click, starting(range_test=False), inputs=inputs, outputs=outputs, **LIVE)
    listen(page, controls.find_rate.click, starting(range_test=True), inputs=inputs, outputs=outputs, **LIVE)
    listen(page, controls.compare.click, compare, inputs=[*inputs, controls.preset], outputs=outputs, **LIVE)
    actions = {"stop": RUNS.stop, "resume": RUNS.resume, "pause": RUNS.pause, "single_step": RUNS.step}
    for name, act in actions.items():
        listen(page, getattr(controls, name).click, acting(act), inputs=inputs, outputs=outputs, **LIVE)
    newest: EventOptions = {**LIVE, "trigger_mode": "always_last"}
    listen(page, controls.run.input, choose_run, inputs=inputs, outputs=outputs, **newest)


def _connect_polling(page: PageComponents, holders: ListHolders) -> None:
    """Connects the news, which come by themselves: the visitor may not have read the message on show yet."""

    def tick(state: PageState, last: RunList) -> Updates:
        now = list_runs(state)
        state, updates = _follow(page, state, last, now)
        updates |= holders.hold(keep_end(last, now, state), state)
        return keep_notice(page, {**updates, **show(page, state)}) if state.step == STEP else updates

    def end(state: PageState, last: RunList) -> Updates:
        now = list_runs(state)
        state, updates = _follow(page, state, last, now)
        updates |= holders.hold(now, state)
        album = taught_album(state) if has_ended(last, now) else None
        if album is None:
            return keep_notice(page, {**updates, **show(page, state)})
        state, said = use_taught(state, album)
        return {**updates, **show(page, state, "settings"), page.parts["notice"]: said}

    inputs, outputs = [holders.listed], [*run_components(page), *holders]
    listen(page, holders.polling.tick, tick, inputs=inputs, outputs=outputs, **LIVE)
    # An event with all knobs among its outputs takes the browser a second while a run is training.
    listen(page, holders.polling.end, end, inputs=inputs, changes=["settings"], outputs=outputs, **LIVE)


def _follow(page: PageComponents, state: PageState, last: RunList, now: RunList) -> tuple[PageState, Updates]:
    """Returns the state with the newest frame, unless the film's slider was moved, and updates if the list changed."""
    if state.frame >= last.frames:
        state = with_newest_frame(state)
    # An open list, or a button that is being pressed, is updated only if it changes.
    return state, {} if now == last else run_updates(page, state, choose=False)


def keep_end(last: RunList, now: RunList, state: PageState) -> RunList:
    """Returns the list to hold after any other event than `END`.

    A run on the visitor's own pictures that has just finished stays active in it, so that the next poll fires `END`.
    """
    return now._replace(state=last.state) if has_ended(last, now) and taught_album(state) else now


def has_ended(before: RunList, now: RunList) -> bool:
    """True if the run on show was active when it was listed before, and has finished since."""
    return before.run == now.run and before.state in ACTIVE and now.state == FINISHED
