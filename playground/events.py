"""What happens on the page: handlers read what is asked for, let `playground.show` make it, and hand it back."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from core.config import Config, knobs
from playground.canvas_edit import parse_click
from playground.controls import values_of
from playground.examples import scenes_of
from playground.layout import Parts
from playground.pictures import uploaded
from playground.runs import BusyError
from playground.show import REFUSALS, Asked, Shown, edited, follow_weights, from_link, own_classes, show
from playground.steps import STEPS
from playground.steps.training import RUNS, run_config

SCENE_SEEDS = 2**31  # "another scene" counts up to the knob's bound and starts again
TICK_SECONDS = 1.0
LIVE = {"queue": False, "show_progress": "hidden"}
# An event's data must not be deferred: "always_last" would run the last call with the first one's data.
IN_ORDER = {"trigger_mode": "multiple", "show_progress": "hidden"}
LATEST = {**LIVE, "trigger_mode": "always_last"}  # of a drag the last value wins, and none waits in a queue


def updates(shown: Shown) -> list:
    """Returns what a handler gives the parts of the page."""
    return [gr.skip() if part is None else part for part in shown]


def refusing(count: int, handler: Callable[..., list]) -> Callable[..., list]:
    """Wraps a handler: what it refuses becomes a notice, and all it would have changed stays.

    Args:
        count: Outputs of the handler before the parts of the page.
        handler: Raises one of `REFUSALS`.
    """

    def guarded(*arguments: Any) -> list:
        try:
            return handler(*arguments)
        except REFUSALS as error:
            return [*[gr.skip()] * count, *updates(Shown(str(error)))]

    return guarded


def connect_settings(page: gr.Blocks, parts: Parts) -> None:
    """Knobs, steps, link, reset and theme."""
    widgets, buttons = list(parts.knobs.values()), parts.buttons
    scenes = [widget for path, widget in parts.knobs.items() if path.startswith("scenes.")]
    others = [widget for path, widget in parts.knobs.items() if not path.startswith(("scenes.", "model.weights"))]
    redraw = [widget.change for widget in (*others, parts.level)]
    gr.on(redraw, lambda *inputs: updates(show(Asked.of(inputs))), parts.asked, parts.shown, **LATEST)

    def dial(*inputs: Any) -> list:
        return [None, *updates(show(Asked.of(inputs)._replace(picture=None, point=None)))]

    gr.on([widget.change for widget in scenes], dial, parts.asked, [parts.picture, *parts.shown], **LATEST)

    def choose(event: gr.EventData, *inputs: Any) -> list:
        asked = Asked.of(inputs)
        asked = asked._replace(step=event.step if event.step in STEPS else asked.step)
        return [asked.step, *updates(show(asked))]

    parts.strip.select(choose, parts.asked, [parts.step, *parts.shown], **IN_ORDER)
    page.load(load, None, [parts.step, *widgets, *parts.shown], **LIVE)

    def reset(step: str) -> list:
        asked = Asked(step, values=tuple(values_of(Config())))
        return [None, *asked.values, *updates(show(asked))]

    buttons["reset"].click(reset, parts.step, [parts.picture, *widgets, *parts.shown], **LIVE)
    buttons["link"].click(None, js="() => navigator.clipboard.writeText(location.href)")
    buttons["theme"].click(None, js="() => document.body.classList.toggle('dark')")
    buttons["all"].click(None, js="() => document.body.toggleAttribute('data-all')")


def load(request: gr.Request) -> list:
    """Opens the page as its link says; a link that cannot be followed is explained, over the defaults."""
    message = ""
    try:
        step, config = from_link(str(request.query_params))
    except REFUSALS as error:
        step, config, message = next(iter(STEPS)), Config(), f"The link was not followed. {error}"
    asked = Asked(step, values=tuple(values_of(config)))
    shown = show(asked)
    return [step, *asked.values, *updates(shown._replace(notice=message or shown.notice))]


def connect_picture(parts: Parts) -> None:
    """Scenes, uploads, clicks and drawn boxes."""
    seed, buttons = parts.knobs["scenes.seed"], parts.buttons
    buttons["another"].click(lambda value: (int(value or 0) + 1) % SCENE_SEEDS, seed, seed, **LIVE)
    scenes = {path: widget for path, widget in parts.knobs.items() if path.startswith("scenes.")}

    def example(name: str) -> list:
        values = zip(knobs(), values_of(scenes_of(name, Config())), strict=True)
        return [value for path, value in values if path in scenes]

    buttons["example"].input(example, buttons["example"], list(scenes.values()), **LIVE)
    changed = [parts.picture, *parts.shown]

    def upload(file: str, *inputs: Any) -> list:
        asked = Asked.of(inputs)
        picture = uploaded(file, Path(file).name, own_classes(asked.situation()))
        return [picture, *updates(show(asked._replace(picture=picture, point=None)))]

    buttons["upload"].upload(refusing(1, upload), [buttons["upload"], *parts.asked], changed, queue=False)

    def edit(event: gr.EventData, *inputs: Any) -> list:
        asked = Asked.of(inputs)
        picture = edited(event.boxes, asked.situation())
        return [picture, *updates(show(asked._replace(picture=picture)))]

    def click(event: gr.EventData, *inputs: Any) -> list:
        asked = Asked.of(inputs)
        height, width = asked.situation().size
        point = parse_click(event.x, event.y, width, height)
        return [point, *updates(show(asked._replace(point=point)))]

    def on_edit(event: gr.EventData, *inputs: Any) -> list:
        return refusing(1, edit)(event, *inputs)

    def on_click(event: gr.EventData, *inputs: Any) -> list:
        return refusing(1, click)(event, *inputs)

    parts.canvas.edit(on_edit, parts.asked, changed, **IN_ORDER)
    parts.canvas.select(on_click, parts.asked, [parts.point, *parts.shown], **IN_ORDER)


def connect_weights(parts: Parts) -> None:
    """Choosing weights brings the settings they need along."""
    weights, upload = parts.knobs["model.weights"], parts.buttons["weights"]
    at = list(parts.knobs).index("model.weights")
    outputs = [*parts.knobs.values(), *parts.shown]
    slow = {"show_progress": "minimal", "show_progress_on": [parts.canvas]}

    def follow(*inputs: Any) -> list:
        asked = Asked.of(inputs)
        asked = asked._replace(values=tuple(values_of(follow_weights(asked.config()))))
        return [*asked.values, *updates(show(asked))]

    def follow_upload(file: str, *inputs: Any) -> list:
        asked = Asked.of(inputs)
        values = (*asked.values[:at], file, *asked.values[at + 1 :])
        return follow(*inputs[: -len(values)], *values)

    guarded = refusing(len(parts.knobs), follow), refusing(len(parts.knobs), follow_upload)
    weights.input(guarded[0], parts.asked, outputs, **slow)
    upload.upload(guarded[1], [upload, *parts.asked], outputs, **slow)


def connect_training(parts: Parts) -> None:
    """Start, stop, watch and use a run."""
    timer, seen = gr.Timer(TICK_SECONDS, active=False), gr.State(None)
    watched = [parts.run, timer, seen]

    def start(*inputs: Any) -> list:
        asked = Asked.of(inputs)
        try:
            asked = asked._replace(run=RUNS.start(asked.config()))
        except BusyError as error:
            raise ValueError(str(error)) from None
        return [asked.run, gr.Timer(active=True), None, *updates(show(asked))]

    def tick(last: Any, *inputs: Any) -> list:
        asked = Asked.of(inputs)
        progress = RUNS.read(asked.run)
        now = (progress.state, len(progress.steps), len(progress.evaluations))
        if now == last or asked.step != "training":
            return [gr.skip()] * (2 + len(parts.shown))
        return [gr.Timer(active=progress.active), now, *updates(show(asked))]

    def use(*inputs: Any) -> list:
        asked = Asked.of(inputs)
        if not asked.run or not RUNS.run(asked.run).weights.exists():
            raise ValueError("There are no weights yet: start a run, and wait for its first evaluation or stop it.")
        asked = asked._replace(values=tuple(values_of(run_config(asked.run, asked.config()))))
        return [*asked.values, *updates(show(asked))]

    buttons = parts.buttons
    buttons["start"].click(refusing(3, start), parts.asked, [*watched, *parts.shown], **LIVE)
    buttons["stop"].click(RUNS.stop, parts.run, None, **LIVE)
    timer.tick(tick, [seen, *parts.asked], [timer, seen, *parts.shown], **LIVE)
    buttons["use"].click(refusing(len(parts.knobs), use), parts.asked, [*parts.knobs.values(), *parts.shown], **LIVE)
