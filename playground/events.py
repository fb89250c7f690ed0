"""What happens on the page: handlers read what is asked for, let `playground.show` make it, and hand it back.

Knobs take another way, past Gradio's events (`playground.live`): a widget tells the browser its value, which asks the
server itself and enters it, a little later, into the one text of all settings that the events here read.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from core.config import Config
from core.preprocess import prepare
from core.takeaway import FORMATS
from playground.answers import refusing, shown_settings, updates
from playground.asked import Asked, Own
from playground.canvas_edit import Pick, parse_click
from playground.controls import settings_of, tell
from playground.examples import scenes_of
from playground.fitting import fitted
from playground.layout import Parts
from playground.lessons.panel import Place, chosen_preset, contents, known
from playground.link import from_link
from playground.pictures import uploaded
from playground.runs import BusyError
from playground.show import REFUSALS, Shown, edited, follow_weights, own_classes, show, takeaway
from playground.steps import STEPS
from playground.steps.training import RUNS, run_config

SCENE_SEEDS = 2**31  # "another scene" counts up to the knob's bound and starts again
WEIGHTS = "model.weights"
# Browsers lend the clipboard to https and to this machine only; elsewhere what is copied is shown to be copied.
COPY = """(text) => navigator.clipboard
  ? navigator.clipboard.writeText(text || location.href) : window.prompt("Copy this:", text || location.href)"""
LIVE = {"queue": False, "show_progress": "hidden"}
# An event's data must not be deferred: "always_last" would run the last call with the first one's data.
IN_ORDER = {"trigger_mode": "multiple", "show_progress": "hidden"}


def connect_settings(page: gr.Blocks, parts: Parts) -> None:
    """Knobs, steps, link, reset and theme."""
    for path, widget in parts.knobs.items():
        if path != WEIGHTS:  # weights bring other settings along
            widget.change(None, widget, None, js=tell(path))
    parts.settings.change(None, parts.settings, None, js="(text) => live.told(text)")
    for name in ("level", "curve", "p_t"):
        widget = getattr(parts, name)
        widget.change(None, widget, None, js=f"(value) => live.choose({name!r}, value)")

    def choose(event: gr.EventData, *inputs: Any) -> list:
        asked = Asked(*inputs)
        step = str(getattr(event, "step", ""))
        asked = asked._replace(step=step if step in STEPS else asked.step)
        return [asked.step, *updates(show(asked))]

    parts.strip.select(choose, parts.asked, [parts.step, *parts.shown], **{**IN_ORDER, "queue": False})
    opened = [parts.step, parts.pick, parts.run, parts.level, parts.lesson, parts.curve, parts.p_t]
    opened += [parts.buttons["lessons"], parts.buttons["preset"], *parts.panel.shown, parts.timer]
    opened += [*parts.all_settings, *parts.shown]
    page.load(load, parts.panel.seen, opened, **LIVE)

    def back(event: gr.EventData, seen: list[str]) -> list:
        return opened_at(str(getattr(event, "query", "")), seen)

    parts.strip.edit(back, parts.panel.seen, opened, **{**IN_ORDER, "queue": False})

    def reset(*inputs: Any) -> list:
        asked = Asked(*inputs)._replace(own=None, pick=None, settings=settings_of(Config()))
        return [None, None, *shown_settings(Config()), *updates(show(asked))]

    buttons = parts.buttons
    cleared = [parts.own, parts.pick, *parts.all_settings, *parts.shown]
    buttons["reset"].click(reset, parts.asked, cleared, **LIVE)

    def take(form: str, *inputs: Any) -> str:
        """Returns the settings in a format, "" for the link, which the browser knows itself."""
        asked = Asked(*inputs)
        return takeaway(form, asked.situation()) if form in FORMATS else ""

    form = [buttons["format"], *parts.asked]
    buttons["copy"].click(take, form, buttons["copied"], **LIVE).success(None, buttons["copied"], js=COPY)
    buttons["undo"].click(None, js="() => { if (history.state?.depth) history.back(); }")
    buttons["redo"].click(None, js="() => history.forward()")
    buttons["theme"].click(None, js="() => document.body.classList.toggle('dark')")
    buttons["all"].click(None, js="() => document.body.toggleAttribute('data-all')")


def load(seen: list[str], request: gr.Request) -> list:
    """Opens the page as its link says."""
    return opened_at(str(request.query_params), seen)


def opened_at(query: str, seen: list[str]) -> list:
    """Returns the page as a link says; a link that cannot be followed is explained, over the defaults."""
    message = ""
    try:
        asked = from_link(query)
    except REFUSALS as error:
        asked, message = from_link(""), f"The link was not followed. {error}"
    place = Place.from_link(asked.lesson)
    asked = asked._replace(run=RUNS.current())  # a reloaded page finds the run that is going on
    shown = show(asked)
    return [
        asked.step,
        asked.pick,
        asked.run,
        asked.level,
        asked.lesson,
        asked.curve,
        asked.p_t,
        place.lesson.key if place else "",
        chosen_preset(place),
        *contents(place, [*known(seen), asked.lesson]),
        gr.Timer(active=bool(asked.run)),
        *shown_settings(asked.config()),
        *updates(shown._replace(notice=message or shown.notice)),
    ]


def connect_picture(parts: Parts) -> None:
    """Scenes, uploads, clicks and drawn boxes."""
    seed, buttons = parts.knobs["scenes.seed"], parts.buttons
    buttons["another"].click(lambda value: (int(value or 0) + 1) % SCENE_SEEDS, seed, seed, **LIVE)

    def example(name: str, *inputs: Any) -> list:
        config = scenes_of(name, Asked(*inputs).config())
        asked = Asked(*inputs)._replace(own=None, settings=settings_of(config))
        return [None, *shown_settings(config), *updates(show(asked))]

    guarded = refusing(1 + len(parts.all_settings), example)
    buttons["example"].input(
        guarded, [buttons["example"], *parts.asked], [parts.own, *parts.all_settings, *parts.shown], **LIVE
    )
    changed = [parts.own, *parts.shown]

    def upload(file: str, *inputs: Any) -> list:
        asked = Asked(*inputs)
        situation = asked.situation()
        own = Own(uploaded(file, Path(file).name, own_classes(situation)), situation.config.scenes)
        prepare([own.picture.sample.image], situation.config.inference)  # refused now if the network cannot see it
        return [own, *updates(show(asked._replace(own=own, pick=None)))]

    def edit(event: gr.EventData, *inputs: Any) -> list:
        asked = Asked(*inputs)
        own = edited(getattr(event, "boxes", None), asked.situation())
        return [own, *updates(show(asked._replace(own=own)))]

    def click(event: gr.EventData, *inputs: Any) -> list:
        asked = Asked(*inputs)
        height, width = asked.situation().size
        x, y, layer, index = (getattr(event, name, None) for name in Pick._fields)
        pick = parse_click(x, y, width, height, layer, index)
        return [pick, *updates(show(asked._replace(pick=pick)))]

    buttons["upload"].upload(refusing(1, upload), [buttons["upload"], *parts.asked], changed, concurrency_limit=1)
    parts.canvas.edit(refusing(1, edit), parts.asked, changed, **IN_ORDER)
    parts.canvas.select(refusing(1, click), parts.asked, [parts.pick, *parts.shown], **IN_ORDER)


def connect_weights(parts: Parts) -> None:
    """Choosing weights brings the settings they need along; if they cannot be had, the choice goes back."""
    widget, upload = parts.knobs[WEIGHTS], parts.buttons["weights"]
    back = 1 + list(parts.knobs).index(WEIGHTS)
    outputs = [*parts.all_settings, *parts.shown]

    def follow(name: str, *inputs: Any) -> list:
        asked = Asked(*inputs)
        before = asked.config()
        try:
            config = follow_weights(before.replace({WEIGHTS: name}))
        except REFUSALS as error:
            kept = [gr.skip()] * len(parts.all_settings)
            kept[back] = before.model.weights
            return [*kept, *updates(Shown(str(error)))]
        return [*shown_settings(config), *updates(show(asked._replace(settings=settings_of(config))))]

    slow = {"show_progress": "minimal", "show_progress_on": [parts.canvas]}
    guarded = refusing(len(parts.all_settings), follow)
    widget.input(guarded, [widget, *parts.asked], outputs, **slow)
    upload.upload(guarded, [upload, *parts.asked], outputs, **slow)


def connect_anchors(parts: Parts) -> None:
    """Looking for anchors that fit."""

    def fit(whose: str, *inputs: Any) -> list:
        asked = Asked(*inputs)
        config, said = fitted(whose, asked.situation())
        shown = show(asked._replace(settings=settings_of(config)))
        return [*shown_settings(config), *updates(shown._replace(notice=shown.notice or said))]

    slow = {"show_progress": "minimal", "show_progress_on": [parts.canvas], "concurrency_limit": 1}
    guarded = refusing(len(parts.all_settings), fit)
    buttons = parts.buttons
    buttons["fit"].click(guarded, [buttons["fit_to"], *parts.asked], [*parts.all_settings, *parts.shown], **slow)


def connect_training(parts: Parts) -> None:
    """Start, stop, watch and use a run."""
    seen = gr.State(None)
    watched = [parts.run, parts.timer, seen]

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

    def use(*inputs: Any) -> list:
        asked = Asked(*inputs)
        if not asked.run or not RUNS.weights(asked.run):
            raise ValueError("There are no weights yet: start a run, and wait for its first evaluation or stop it.")
        config = run_config(asked.run, asked.config())
        return [*shown_settings(config), *updates(show(asked._replace(settings=settings_of(config))))]

    buttons = parts.buttons
    buttons["start"].click(refusing(3, start), parts.asked, [*watched, *parts.shown], **LIVE)
    preset = [buttons["preset"], *parts.asked]
    buttons["compare"].click(refusing(3, compare), preset, [*watched, *parts.shown], **LIVE)
    buttons["stop"].click(stop, parts.asked, parts.shown, **LIVE)
    parts.timer.tick(tick, [seen, *parts.asked], [parts.timer, seen, *parts.shown], **LIVE)
    use = refusing(len(parts.all_settings), use)
    buttons["use"].click(use, parts.asked, [*parts.all_settings, *parts.shown], **LIVE)
