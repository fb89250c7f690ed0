"""Start, stop, watch and use a training run, or short runs to compare."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from playground.answers import LIVE, refusing, shown_settings, updates
from playground.asked import Asked
from playground.controls import settings_of
from playground.layout import Parts
from playground.runs import BusyError
from playground.show import show
from playground.steps.training import RUNS, run_config


def connect_training(parts: Parts) -> None:
    """Wires the buttons of the training step, and the clock that looks at a run."""
    seen = gr.State(None)
    _connect_runs(parts, seen)
    _connect_watch(parts, seen)
    use = refusing(len(parts.all_settings), _use)
    parts.buttons["use"].click(use, parts.asked, [*parts.all_settings, *parts.shown], **LIVE)


def _connect_runs(parts: Parts, seen: gr.State) -> None:
    def begun(asked: Asked, launch: Callable[[], str]) -> list:
        try:
            asked = asked._replace(run=launch())
        except BusyError as error:
            raise ValueError(str(error)) from None
        return [asked.run, gr.Timer(active=True), None, *updates(show(asked))]

    def start(*inputs: Any) -> list:
        asked = Asked(*inputs)
        return begun(asked, lambda: RUNS.start(asked.config()))

    def compare(preset: str, *inputs: Any) -> list:
        return begun(Asked(*inputs), lambda: RUNS.compare(preset))

    buttons, outputs = parts.buttons, [parts.run, parts.timer, seen, *parts.shown]
    buttons["start"].click(refusing(3, start), parts.asked, outputs, **LIVE)
    buttons["compare"].click(refusing(3, compare), [buttons["preset"], *parts.asked], outputs, **LIVE)


def _connect_watch(parts: Parts, seen: gr.State) -> None:
    def stop(*inputs: Any) -> list:
        asked = Asked(*inputs)
        RUNS.stop(asked.run)
        return updates(show(asked))

    def tick(last: Any, *inputs: Any) -> list:
        asked = Asked(*inputs)
        progress = RUNS.read(asked.run)
        now = progress.stamp
        if now == last or asked.step != "training":
            return [gr.skip()] * (2 + len(parts.shown))
        return [gr.Timer(active=progress.active), now, *updates(show(asked))]

    parts.buttons["stop"].click(stop, parts.asked, parts.shown, **LIVE)
    parts.timer.tick(tick, [seen, *parts.asked], [parts.timer, seen, *parts.shown], **LIVE)


def _use(*inputs: Any) -> list:
    asked = Asked(*inputs)
    if not asked.run or not RUNS.weights(asked.run):
        raise ValueError("There are no weights yet: start a run, and wait for its first evaluation or stop it.")
    config = run_config(asked.run, asked.config())
    return [*shown_settings(config), *updates(show(asked._replace(settings=settings_of(config))))]
