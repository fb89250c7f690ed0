"""Evaluating in the background, and what is chosen in the numbers of a step: pictures, cells, figures, a threshold."""

from typing import Any

import gradio as gr

from core.config import ConfigError
from playground.data.image_ref import ImageRef
from playground.evaluations.jobs import EVALUATIONS, SCORE, evaluated_place, key_of
from playground.evaluations.query import WORST, asked_for
from playground.events.common import IN_ORDER, LIVE, refusing, shown_settings, updates
from playground.events.data import at_place
from playground.layout.layout import Parts
from playground.server.poll import PollResult, watch
from playground.server.render import show
from playground.state.page_state import PageState
from playground.state.settings import settings_of
from playground.steps.evaluation.step import chosen_of

STEP = "evaluation"


def connect_evaluation(parts: Parts) -> None:
    """Wires the buttons of the evaluation step, the watch over it, and the links in the numbers."""
    watching = watch(STEP, news)

    def start(*inputs: Any) -> list:
        asked = PageState(*inputs)
        EVALUATIONS.start(asked.config(), asked.place())
        return ["", *updates(show(asked))]  # nothing of it has been shown

    def stop(*inputs: Any) -> list:
        asked = PageState(*inputs)
        EVALUATIONS.stop(key_of(asked.config(), asked.place()))
        return updates(show(asked))

    def tick(*inputs: Any) -> list:
        asked = PageState(*inputs)
        if asked.step != STEP:  # it has just been left
            return [gr.skip()] * (1 + len(parts.shown))
        return [news(asked).stamp, *updates(show(asked))]

    buttons = parts.buttons
    buttons["evaluate"].click(refusing(1, start), parts.asked, [watching, *parts.shown], **LIVE)
    buttons["stop_evaluation"].click(refusing(0, stop), parts.asked, parts.shown, **LIVE)
    watching.tick(refusing(1, tick), parts.asked, [watching, *parts.shown], **LIVE)
    _connect_links(parts)


def news(asked: PageState) -> PollResult:
    """Returns what there is of the evaluation of what is asked; raises as `PageState.config` and `key_of`."""
    key = key_of(asked.config(), asked.place())
    standing = EVALUATIONS.read(key)
    stamp = f"{hash(key)} {standing.state} {standing.done}" if standing else ""
    return PollResult(stamp, EVALUATIONS.any_active())


def _connect_links(parts: Parts) -> None:
    outputs = [parts.own, parts.pick, parts.inquiry, *parts.all_settings, *parts.shown]

    def follow(event: gr.EventData, *inputs: Any) -> list:
        asked = followed(PageState(*inputs), str(getattr(event, "choose", "")))
        settings = shown_settings(asked.config())
        return [asked.own, asked.pick, asked.inquiry, *settings, *updates(show(asked))]

    guarded = refusing(len(outputs) - len(parts.shown), follow)
    for part in (parts.readout, parts.more):
        part.select(guarded, parts.asked, outputs, **IN_ORDER)


def followed(asked: PageState, chosen: str) -> PageState:
    """Returns what is asked for after a link in the numbers was chosen, of which the browser may say anything.

    Args:
        asked: Before.
        chosen: "go mine/val/3", "open 3" of the worst pictures, "use 0.4" as the score threshold, or a field of the
            inquiry and its value, see `asked_for`.

    Raises:
        UserError: There is no such thing.
    """
    word, _, value = chosen.partition(" ")
    if word == "go":
        return at_place(asked, ImageRef.from_link(value))
    if word == "use":
        config = asked.config().replace({SCORE: value})
        return asked._replace(settings=settings_of(config))
    if word == "open":
        if not (value.isascii() and value.isdecimal() and len(value) < 10):
            raise ConfigError("There is no such picture: choose one of the list.")
        asked = asked._replace(inquiry=asked.inquiry._replace(choice=WORST))
        return at_place(asked, evaluated_place(asked.place())._replace(index=int(value)))
    inquiry = asked_for(asked.inquiry, word, value)
    if word == "choice" and inquiry.choice == asked.inquiry.choice:
        return asked._replace(inquiry=inquiry._replace(choice=""))
    asked = asked._replace(inquiry=inquiry)
    pictures = chosen_of(asked.pipeline(), inquiry) if word == "choice" else None
    if pictures and pictures.pictures:
        return at_place(asked, evaluated_place(asked.place())._replace(index=pictures.pictures[0]))
    return asked
